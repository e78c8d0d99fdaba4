"""Evaluates a model that a function makes, on samples that a function makes, one at a time.

This is what programs written against the OD API call; `legacy/eval.py` evaluates batches and knows
the config (`evaluator.evaluate_checkpoints`).

Frames: boxes and keypoints of the samples are normalised to the picture as recorded; evaluators get
        its pixels.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import tensorflow.compat.v1 as tf

from object_detection import eval_util
from object_detection.core import standard_fields as fields
from object_detection.core.model import DetectionModel
from object_detection.errors import CheckpointError, ConfigError
from object_detection.eval_util import checkpoint_runs
from object_detection.legacy import restoring
from object_detection.metrics import open_images_evaluation
from object_detection.metrics.detection_evaluator import Category, DetectionEvaluator
from object_detection.registry import Table
from object_detection.utils import checkpoint_files

Inputs = fields.InputDataFields
Detections = fields.DetectionResultFields
Tensors = dict[str, Any]

EVAL_DEFAULT_METRIC = "pascal_voc_detection_metrics"

# Name in `eval_config.metrics_set` -> class; two of the names are those of older configs.
EVAL_METRICS_CLASS_DICT = Table("metric in eval_config.metrics_set")
EVAL_METRICS_CLASS_DICT.update(eval_util.EVAL_METRICS_CLASS_DICT)
EVAL_METRICS_CLASS_DICT.update(
    {
        "open_images_V2_detection_metrics": open_images_evaluation.OpenImagesDetectionEvaluator,
        "oid_challenge_object_detection_metrics": (
            open_images_evaluation.OpenImagesDetectionChallengeEvaluator
        ),
    }
)

# What evaluators may read of a sample; its boxes come first, because they say how many rows it has.
_GROUNDTRUTH = (
    Inputs.groundtruth_boxes,
    Inputs.groundtruth_classes,
    Inputs.groundtruth_area,
    Inputs.groundtruth_is_crowd,
    Inputs.groundtruth_difficult,
    Inputs.groundtruth_group_of,
    Inputs.groundtruth_instance_masks,
    Inputs.groundtruth_keypoints,
    Inputs.groundtruth_keypoint_visibilities,
)


def get_evaluators(eval_config: Any, categories: list[Category]) -> list[DetectionEvaluator]:
    """The evaluators that `eval_config.metrics_set` names; PASCAL VOC's of boxes if it is empty.

    Args:
        eval_config: `EvalConfig` message.
        categories: `{"id", "name"}` each.

    Raises:
        ConfigError: a metric is not known, or needs parameters.
    """
    if eval_util.EVAL_KEYPOINT_METRIC in eval_config.metrics_set:
        raise ConfigError(
            f"eval_config.metrics_set: {eval_util.EVAL_KEYPOINT_METRIC} needs a class and its "
            "keypoints; make its evaluator and pass it in evaluator_list."
        )
    options = eval_util.evaluator_options_from_eval_config(eval_config)
    return [
        EVAL_METRICS_CLASS_DICT[name](categories, **options.get(name, {}))
        for name in list(eval_config.metrics_set) or [EVAL_DEFAULT_METRIC]
    ]


def _losses(
    model: DetectionModel,
    predictions: Tensors,
    true_shapes: tf.Tensor,
    input_size: tf.Tensor,
    groundtruth: Tensors,
) -> Tensors:
    """The model's losses; it is given shares of its input, which may be padded."""
    scale = tf.cast(true_shapes[0, :2], tf.float32) / tf.cast(input_size, tf.float32)
    keypoints = groundtruth.get(Inputs.groundtruth_keypoints)
    visibilities = groundtruth.get(Inputs.groundtruth_keypoint_visibilities)
    classes = tf.cast(groundtruth[Inputs.groundtruth_classes], tf.int32)
    model.provide_groundtruth(
        [groundtruth[Inputs.groundtruth_boxes] * tf.tile(scale, [2])],
        # The ids of a label map start at 1; the model's classes start at 0.
        [tf.one_hot(classes - 1, depth=model.num_classes)],
        groundtruth_keypoints_list=None if keypoints is None else [keypoints * scale],
        groundtruth_keypoint_visibilities_list=None if visibilities is None else [visibilities],
    )
    return dict(model.loss(predictions, true_shapes))


def _build_graph(
    model: DetectionModel, sample: Tensors, ignore_groundtruth: bool
) -> tuple[Tensors, Tensors]:
    """What evaluators read, and the losses, of a sample."""
    image = sample[Inputs.image][tf.newaxis]
    preprocessed, true_shapes = model.preprocess(tf.cast(image, tf.float32))
    predictions = model.predict(preprocessed, true_shapes)
    detections = model.postprocess(predictions, true_shapes)
    groundtruth = {
        name: tf.convert_to_tensor(sample[name]) for name in _GROUNDTRUTH if name in sample
    }
    losses: Tensors = {}
    if ignore_groundtruth:
        # Evaluators take a picture in which there is nothing to find.
        groundtruth = {
            Inputs.groundtruth_boxes: tf.zeros([0, 4]),
            Inputs.groundtruth_classes: tf.zeros([0], tf.int64),
        }
    else:
        losses = _losses(model, predictions, true_shapes, tf.shape(preprocessed)[1:3], groundtruth)
    key = next((sample[name] for name in (Inputs.source_id, Inputs.key) if name in sample), "")
    tensors = eval_util.result_dict_for_single_example(
        image,
        key,
        detections,
        groundtruth,
        class_agnostic=Detections.detection_classes not in detections,
        scale_to_absolute=True,
    )
    return tensors, losses


def _processor(
    eval_config: Any, categories: list[Category], eval_dir: str
) -> checkpoint_runs.BatchProcessor:
    """Fetches a picture, and draws the first few."""

    def process(
        tensors: Tensors,
        session: tf.Session,
        batch_index: int,
        counters: Counter[str],
        losses_dict: Tensors | None = None,
    ) -> tuple[Tensors, Tensors]:
        arrays, losses = checkpoint_runs.run_batch(
            tensors, session, batch_index, counters, losses_dict
        )
        if arrays and batch_index < eval_config.num_visualizations:
            eval_util.visualize_detection_results(
                arrays,
                f"image-{batch_index}",
                int(session.run(tf.train.get_global_step())),
                categories,
                summary_dir=eval_dir,
                export_dir=eval_config.visualization_export_dir,
                show_groundtruth=eval_config.visualize_groundtruth_boxes,
                groundtruth_box_visualization_color=(
                    eval_config.groundtruth_box_visualization_color
                ),
                min_score_thresh=eval_config.min_score_threshold,
                max_num_predictions=eval_config.max_num_boxes_to_visualize,
                skip_scores=eval_config.skip_scores,
                skip_labels=eval_config.skip_labels,
                keep_image_id_for_visualization_export=(
                    eval_config.keep_image_id_for_visualization_export
                ),
            )
        return arrays, losses

    return process


def evaluate(
    create_input_dict_fn: Callable[[], Tensors],
    create_model_fn: Callable[[], DetectionModel],
    eval_config: Any,
    categories: list[Category],
    checkpoint_dir: str,
    eval_dir: str,
    graph_hook_fn: Callable[[], Any] | None = None,
    evaluator_list: Sequence[DetectionEvaluator] | None = None,
) -> dict[str, Any]:
    """Evaluates the newest checkpoint of a directory, and each newer one that appears.

    Builds in the default graph.

    Args:
        create_input_dict_fn: makes the tensors of one sample, keyed by `InputDataFields`, as
            decoders do: `image` [H, W, 3], `groundtruth_boxes` [M, 4], `groundtruth_classes` [M],
            ids of the label map; `source_id` names the picture.
        create_model_fn: makes the model.
        eval_config: `EvalConfig` message. It ends after `max_evals` looks for a checkpoint; with
            `ignore_groundtruth` after one, which writes the detections to `export_path`.
        categories: `{"id", "name"}` each.
        checkpoint_dir: where training writes its checkpoints.
        eval_dir: directory of TensorBoard files.
        graph_hook_fn: called when the graph is built, to change it.
        evaluator_list: instead of those that `get_evaluators` makes.

    Returns:
        The last metrics, and the mean losses as `Losses/<name>`.

    Raises:
        CheckpointError: a checkpoint does not fit the model.
        ConfigError: `ignore_groundtruth` without `export_path`; a metric is not known.
    """
    if eval_config.ignore_groundtruth and not eval_config.export_path:
        raise ConfigError(
            "eval_config.ignore_groundtruth leaves only detections; say in export_path where they "
            "are to be written."
        )
    tf.train.get_or_create_global_step()
    tensors, losses = _build_graph(
        create_model_fn(), create_input_dict_fn(), eval_config.ignore_groundtruth
    )
    if graph_hook_fn:
        graph_hook_fn()
    restore = restoring.restorer(eval_config)

    def restore_latest(session: tf.Session) -> None:
        latest = checkpoint_files.latest_whole(checkpoint_dir)
        if not latest:
            raise CheckpointError(f"{checkpoint_dir}: the checkpoint has gone.")
        restore(session, latest)

    return eval_util.repeated_checkpoint_run(
        tensors,
        eval_dir,
        evaluator_list or get_evaluators(eval_config, categories),
        batch_processor=_processor(eval_config, categories, eval_dir),
        checkpoint_dirs=[checkpoint_dir],
        restore_fn=restore_latest,
        num_batches=eval_config.num_examples,
        eval_interval_secs=eval_config.eval_interval_secs,
        max_number_of_evaluations=(
            1 if eval_config.ignore_groundtruth else eval_config.max_evals or None
        ),
        master=eval_config.eval_master,
        save_graph=eval_config.save_graph,
        save_graph_dir=eval_dir if eval_config.save_graph else "",
        losses_dict=losses,
        eval_export_path=eval_config.export_path,
    )
