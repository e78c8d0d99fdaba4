"""The directory of an exported model, and what is written there."""

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator

import tensorflow.compat.v1 as tf


@contextlib.contextmanager
def appearing_whole(directory: str) -> Iterator[str]:
    """Gives an empty folder whose contents move into `directory` when all went well."""
    parent = os.path.dirname(os.path.abspath(directory))
    os.makedirs(parent, exist_ok=True)
    work = tempfile.mkdtemp(prefix=f".{os.path.basename(os.path.abspath(directory))}-", dir=parent)
    try:
        yield work
        os.makedirs(directory, exist_ok=True)
        for name in sorted(os.listdir(work)):
            target = os.path.join(directory, name)
            if os.path.isdir(target):
                shutil.rmtree(target)
            os.replace(os.path.join(work, name), target)
    finally:
        shutil.rmtree(work, ignore_errors=True)


def write_saved_model(
    saved_model_path: str,
    frozen_graph_def: tf.GraphDef,
    inputs: tf.Tensor | dict[str, tf.Tensor],
    outputs: dict[str, tf.Tensor],
) -> None:
    """Writes a SavedModel of a frozen graph, with signature `serving_default`.

    Args:
        saved_model_path: directory to make.
        frozen_graph_def: graph without variables.
        inputs: name -> input tensor, or one tensor, which the signature then calls `inputs`.
        outputs: name -> output tensor.
    """
    named = inputs if isinstance(inputs, dict) else {"inputs": inputs}
    with tf.Graph().as_default() as graph, tf.Session() as session:
        tf.import_graph_def(frozen_graph_def, name="")

        def describe(tensors: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
            return {
                name: tf.saved_model.utils.build_tensor_info(graph.get_tensor_by_name(tensor.name))
                for name, tensor in tensors.items()
            }

        signature = tf.saved_model.signature_def_utils.build_signature_def(
            inputs=describe(named),
            outputs=describe(outputs),
            method_name=tf.saved_model.signature_constants.PREDICT_METHOD_NAME,
        )
        builder = tf.saved_model.builder.SavedModelBuilder(saved_model_path)
        builder.add_meta_graph_and_variables(
            session,
            [tf.saved_model.tag_constants.SERVING],
            signature_def_map={
                tf.saved_model.signature_constants.DEFAULT_SERVING_SIGNATURE_DEF_KEY: signature
            },
        )
        builder.save()


def point_to_local_checkpoint(directory: str) -> None:
    """The pointer file names model.ckpt beside it, so that the folder can be moved."""
    with open(os.path.join(directory, "checkpoint"), "w", encoding="utf-8") as file:
        file.write(
            'model_checkpoint_path: "model.ckpt"\nall_model_checkpoint_paths: "model.ckpt"\n'
        )
