"""The graph of one training step: losses, gradients, updates.

Axes: B images.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import tensorflow.compat.v1 as tf

from object_detection import inputs
from object_detection.builders import dataset_builder, optimizer_builder
from object_detection.core import mixed_precision, randomness
from object_detection.core import standard_fields as fields
from object_detection.core.model import DetectionModel
from object_detection.core.moving_average_optimizer import MovingAverageOptimizer
from object_detection.errors import ConfigError
from object_detection.legacy import step_guard
from object_detection.utils import variables_helper

Inputs = fields.InputDataFields


class StepGraph(NamedTuple):
    """The tensors of one training step."""

    train_op: tf.Tensor
    global_step: tf.Variable
    losses: dict[str, tf.Tensor]  # by name, TotalLoss among them
    learning_rate: tf.Tensor
    data_seconds: tf.Tensor  # time that the step waited for its batch
    batch_size: tf.Tensor
    summary: tf.Tensor
    model_variables: frozenset[str]  # names; without the optimizer's own
    restart_averages: tf.Operation  # sets moving averages, if there are any, to their variables
    guard: step_guard.Guard  # ends a step that is not finite before it changes anything
    num_boxes: Any = ()  # [B] of the pictures, before those beyond the limit were cut, if known


def timed(make: Callable[[], Any]) -> tuple[Any, tf.Tensor]:
    """What `make` gives, and the seconds that the step had to wait for it."""
    before = tf.timestamp()
    with tf.control_dependencies([before]):
        values = make()
    tensors = [value for value in tf.nest.flatten(values) if isinstance(value, tf.Tensor)]
    with tf.control_dependencies(tensors):
        after = tf.timestamp()
    # Whatever uses the values has to come after the stamp: with few threads it would run first, and
    # the whole network would count as waiting.
    with tf.control_dependencies([after]):
        values = tf.nest.map_structure(
            lambda value: tf.identity(value) if isinstance(value, tf.Tensor) else value, values
        )
    return values, after - before


def _bounded(gradient: Any, half_square: tf.Tensor, most: float) -> Any:
    """The gradient, shortened to a norm of `most` if it is longer.

    `tf.clip_by_norm` gives the same, but goes over the numbers three times, not twice, with four
    more small operations for each variable.
    """
    if isinstance(gradient, tf.IndexedSlices):
        return tf.clip_by_norm(gradient, most)
    norm = tf.sqrt(2.0 * half_square)
    return gradient * (most / tf.maximum(norm, most))


def _clipped(
    gradients: variables_helper.GradientsAndVariables,
    half_squares: Sequence[tf.Tensor | None],
    train_config: Any,
) -> variables_helper.GradientsAndVariables:
    each = train_config.gradient_clipping_by_norm
    together = train_config.gradient_clipping_by_global_norm
    if each > 0 and together > 0:
        raise ConfigError(
            "train_config: gradient_clipping_by_norm and gradient_clipping_by_global_norm exclude "
            "each other; set one."
        )
    with tf.name_scope("clip_grads"):
        if each > 0:
            # Each gradient by itself, as configs for the OD API expect, not the global norm.
            return [
                (g if half is None else _bounded(g, half, each), v)
                for (g, v), half in zip(gradients, half_squares, strict=True)
            ]
        if together > 0:
            known = [half for half in half_squares if half is not None]
            norm = tf.sqrt(2.0 * tf.reduce_sum(tf.stack(known)))
            clipped, _ = tf.clip_by_global_norm([g for g, _ in gradients], together, norm)
            return [(g, v) for g, (_, v) in zip(clipped, gradients, strict=True)]
    return gradients


def _chosen_gradients(
    gradients: variables_helper.GradientsAndVariables, train_config: Any
) -> variables_helper.GradientsAndVariables:
    if train_config.bias_grad_multiplier:
        gradients = variables_helper.multiply_gradients_matching_regex(
            gradients, [".*/biases"], train_config.bias_grad_multiplier
        )
    if train_config.update_trainable_variables:
        chosen = {
            variable.op.name
            for variable in variables_helper.filter_variables(
                [v for _, v in gradients], train_config.update_trainable_variables, invert=True
            )
        }
        gradients = [(g, variable) for g, variable in gradients if variable.op.name in chosen]
    if train_config.freeze_variables:
        gradients = variables_helper.freeze_gradients_matching_regex(
            gradients, train_config.freeze_variables
        )
    if all(gradient is None for gradient, _ in gradients):
        raise ConfigError(
            "train_config: update_trainable_variables and freeze_variables leave no variable to "
            "train; loosen one of the patterns."
        )
    return gradients


def build_step(
    model: DetectionModel,
    dataset: tf.data.Dataset,
    train_config: Any,
    graph_hook_fn: Any = None,
    seed: int | None = None,
) -> StepGraph:
    """Adds the graph of a training step to the default graph.

    Args:
        model: the model, built for training.
        dataset: of batches as `inputs.training_dataset` gives them.
        train_config: `TrainConfig` message.
        graph_hook_fn: called after the losses stand, before gradients are taken; or None.
        seed: with one, dropout and samplers draw from it and the number of the step.
    """
    iterator = dataset_builder.make_initializable_iterator(dataset)
    batch, data_seconds = timed(iterator.get_next)
    images, true_shapes = batch[Inputs.image], batch[Inputs.true_image_shape]
    # Before predict: a second stage trains on proposals that are sampled by the groundtruth.
    inputs.provide_batch(model, batch)

    def losses_of_model() -> dict[str, tf.Tensor]:
        if train_config.use_bfloat16:
            with mixed_precision.bfloat16_scope():
                predictions = model.predict(tf.cast(images, tf.bfloat16), true_shapes)
        else:
            predictions = model.predict(images, true_shapes)
        losses: dict[str, tf.Tensor] = model.loss(predictions, true_shapes)
        return losses

    if seed is None:
        losses = losses_of_model()
    else:
        step_number = tf.train.get_or_create_global_step()
        with randomness.keyed(randomness.key(seed, randomness.STEPS, step_number)):
            losses = losses_of_model()
    step = finish_step(
        model, losses, train_config, graph_hook_fn, data_seconds, tf.shape(images)[0], batch
    )
    return step._replace(num_boxes=batch.get(inputs.NUM_BOXES_BEFORE_CUT, ()))


def finish_step(
    model: DetectionModel,
    model_losses: dict[str, tf.Tensor],
    train_config: Any,
    graph_hook_fn: Any,
    data_seconds: tf.Tensor,
    batch_size: tf.Tensor,
    batch: Mapping[str, tf.Tensor],
) -> StepGraph:
    """Adds regularisation, gradients and updates to a graph that has the model's losses.

    Args:
        model: the model, built for training.
        model_losses: its losses by name.
        train_config: `TrainConfig` message.
        graph_hook_fn: called after the losses stand, before gradients are taken; or None.
        data_seconds: [] time that the step waits for its batch.
        batch_size: [] pictures of a step.
        batch: what the step is fed with, for who looks into one that is not finite.
    """
    global_step = tf.train.get_or_create_global_step()
    losses = dict(model_losses)
    if train_config.add_regularization_loss:
        regularization = model.regularization_losses()
        if regularization:
            losses["Loss/regularization_loss"] = tf.add_n(
                [mixed_precision.full_precision(loss) for loss in regularization],
                name="regularization_loss",
            )
    total = tf.add_n(list(losses.values()), name="TotalLoss")
    losses["Loss/TotalLoss"] = total
    model_variables = frozenset(variable.op.name for variable in tf.global_variables())
    if graph_hook_fn:
        graph_hook_fn()
    optimizer, summary_values = optimizer_builder.build(train_config.optimizer, global_step)
    gradients = optimizer.compute_gradients(total, tf.trainable_variables())
    gradients = _chosen_gradients(gradients, train_config)
    half_squares = [None if g is None else step_guard.half_square(g) for g, _ in gradients]
    guard = step_guard.build(
        losses,
        total,
        [
            (half, variable)
            for half, (_, variable) in zip(half_squares, gradients, strict=True)
            if half is not None
        ],
        batch,
    )
    gradients = _clipped(gradients, half_squares, train_config)
    # One operation that waits for all: otherwise each one of the optimizer waits for each of them,
    # and tens of thousands of edges have to be prepared before the first step.
    updates = list(model.updates() or [])
    step_guard.let_wait(updates, guard.passed)
    with tf.control_dependencies([tf.group(guard.passed, *updates)]):
        updated = optimizer.apply_gradients(gradients, global_step=global_step)
    with tf.control_dependencies([updated]):
        train_op = tf.identity(total, name="train_op")
    for name, value in losses.items():
        tf.summary.scalar(name.replace("Loss/", "Losses/", 1), value)
    learning_rate = summary_values[0] if summary_values else tf.constant(float("nan"))
    tf.summary.scalar("LearningRate", learning_rate)
    if train_config.summarize_gradients:
        for gradient, variable in gradients:
            if gradient is not None:
                tf.summary.scalar(f"Gradients/{variable.op.name}", tf.norm(gradient))
    averaging = isinstance(optimizer, MovingAverageOptimizer)
    return StepGraph(
        train_op=train_op,
        global_step=global_step,
        losses=losses,
        learning_rate=tf.convert_to_tensor(learning_rate),
        data_seconds=data_seconds,
        batch_size=batch_size,
        summary=tf.summary.merge_all(),
        model_variables=model_variables,
        restart_averages=optimizer.restart_averages() if averaging else tf.no_op(),
        guard=guard,
    )
