"""From a trained checkpoint to one that lies beside the exported graph, and to constants."""

import contextlib
from collections.abc import Iterator

import numpy as np
import tensorflow.compat.v1 as tf

from object_detection.errors import CheckpointError, ExportError
from object_detection.utils import config_util, variables_helper


def replace_variable_values_with_moving_averages(
    graph: tf.Graph,
    current_checkpoint_file: str,
    new_checkpoint_file: str,
    no_ema_collection: list[str] | None = None,
) -> None:
    """Writes a checkpoint whose variables hold their moving averages.

    Args:
        graph: the inference graph, with variables under their own names.
        current_checkpoint_file: checkpoint with `<variable>/ExponentialMovingAverage` entries.
        new_checkpoint_file: prefix of the checkpoint to write.
        no_ema_collection: parts of names of variables that have no moving average.

    Raises:
        CheckpointError: the checkpoint holds no moving averages, or lacks variables.
    """
    with graph.as_default():
        match = _match_of_averages(current_checkpoint_file, no_ema_collection)
        with tf.Session() as session:
            _restore(session, match, current_checkpoint_file)
            tf.train.Saver().save(session, new_checkpoint_file, write_meta_graph=False)


def _match_of_averages(
    checkpoint: str, no_ema_collection: list[str] | None = None
) -> variables_helper.CheckpointMatch:
    """The variables of the default graph, by the names of their averages."""
    averages = tf.train.ExponentialMovingAverage(0.0).variables_to_restore()
    averages = config_util.remove_unnecessary_ema(averages, no_ema_collection)
    match = variables_helper.match_checkpoint(
        variables_helper.averages_or_values(averages, checkpoint), checkpoint
    )
    if not any("ExponentialMovingAverage" in name for name in match.restorable):
        raise CheckpointError(
            f"{checkpoint}: holds no moving averages, but eval_config.use_moving_averages is set. "
            "Train with optimizer.use_moving_average, or turn the option off."
        )
    return match


@contextlib.contextmanager
def restored(graph: tf.Graph, checkpoint: str, moving_averages: bool) -> Iterator[tf.Session]:
    """A session of a graph whose variables have the values of a checkpoint.

    Args:
        graph: of the network.
        checkpoint: prefix.
        moving_averages: whether variables get their averages, where they have some.

    Raises:
        CheckpointError: the checkpoint lacks variables of the graph, or holds no averages.
    """
    with graph.as_default(), tf.Session() as session:
        match = (
            _match_of_averages(checkpoint)
            if moving_averages
            else variables_helper.match_checkpoint(tf.global_variables(), checkpoint)
        )
        _restore(session, match, checkpoint)
        yield session


def compare_values(session: tf.Session, checkpoint: str, where: str) -> None:
    """Compares the variables of a session with a checkpoint, to the bit.

    Args:
        session: with the variables.
        checkpoint: prefix.
        where: the variables come from, for the message.

    Raises:
        ExportError: the checkpoint lacks one, or has another value.
    """
    reader = tf.train.load_checkpoint(checkpoint)
    with session.graph.as_default():
        variables = {variable.op.name: variable for variable in tf.global_variables()}
    for name, value in session.run(variables).items():
        if not reader.has_tensor(name) or not np.array_equal(
            np.asarray(value), reader.get_tensor(name), equal_nan=True
        ):
            raise ExportError(
                f"{checkpoint}: {name} does not have the value that {where} gives it. Export the "
                "model again."
            )


def _restore(session: tf.Session, match: variables_helper.CheckpointMatch, checkpoint: str) -> None:
    """Restores all variables; only the global step may be absent, and counts from 0 then.

    Raises:
        CheckpointError: a variable is missing, or has another shape.
    """
    missing = [name for name in match.missing if name != tf.GraphKeys.GLOBAL_STEP]
    if missing or match.other_shape:
        raise CheckpointError(
            "The checkpoint does not fit the config's model.\n" + match.misfit(checkpoint)
        )
    if match.missing:
        session.run(tf.train.get_global_step().initializer)
    variables_helper.restore_whole(tf.train.Saver(match.restorable), session, checkpoint)


def save_and_freeze(
    graph: tf.Graph, checkpoint: str, model_path: str, nodes: list[str]
) -> tf.GraphDef:
    """Restores the graph's variables, saves them anew, and gives the graph with constants."""
    variables = tf.global_variables()
    match = variables_helper.match_checkpoint(variables, checkpoint)
    with tf.Session() as session:
        _restore(session, match, checkpoint)
        tf.train.Saver(variables).save(
            session, model_path, latest_filename="checkpoint", write_meta_graph=True
        )
        frozen: tf.GraphDef = tf.graph_util.convert_variables_to_constants(
            session, graph.as_graph_def(), nodes
        )
    return frozen


def write_graph_and_checkpoint(
    inference_graph_def: tf.GraphDef,
    model_path: str,
    input_saver_def: tf.train.SaverDef,
    trained_checkpoint_prefix: str,
) -> None:
    """Writes a checkpoint with its meta graph, which no device and no training binds.

    Args:
        inference_graph_def: graph with the variables.
        model_path: prefix of the checkpoint to write.
        input_saver_def: of a saver of that graph.
        trained_checkpoint_prefix: checkpoint to restore from.
    """
    with tf.Graph().as_default():
        tf.import_graph_def(without_devices(inference_graph_def), name="")
        with tf.Session() as session:
            saver = tf.train.Saver(saver_def=input_saver_def, save_relative_paths=True)
            saver.restore(session, trained_checkpoint_prefix)
            saver.save(session, model_path)


def without_devices(graph_def: tf.GraphDef) -> tf.GraphDef:
    """A copy that no device binds."""
    plain = tf.GraphDef()
    plain.CopyFrom(graph_def)
    for node in plain.node:
        node.device = ""
    return plain
