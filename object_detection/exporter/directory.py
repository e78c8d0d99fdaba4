"""The directory of an exported model, and what is written there."""

import contextlib
import os
from collections.abc import Iterator

import tensorflow.compat.v1 as tf

from object_detection.utils import export_manifest, files, interruption


@contextlib.contextmanager
def appearing_whole(directory: str) -> Iterator[str]:
    """Gives an empty folder whose contents are `directory` when all went well.

    If there is no such directory, or an empty one, it appears at once. Files in one that is there
    are replaced, and what has other names stays; the manifest is then the last to come, and until
    it comes readers see that the directory is unfinished.

    Raises:
        StorageError: the disk is full.
    """
    with files.work_folder(directory) as work, files.storage_errors(directory):
        yield work
        for folder, _, names in os.walk(work):
            for name in names:
                files.flush_to_disk(os.path.join(folder, name))
            files.flush_to_disk(folder)
        with interruption.postponed():
            if os.path.isdir(directory) and os.listdir(directory):
                _move_into(work, directory)
            else:
                os.rename(work, directory)
        files.flush_to_disk(os.path.dirname(os.path.abspath(directory)))


def _move_into(work: str, directory: str) -> None:
    """Moves all into a directory that holds something already."""
    manifest = os.path.join(directory, export_manifest.NAME)
    names = sorted(os.listdir(work), key=lambda name: (name == export_manifest.NAME, name))
    if export_manifest.NAME in names:
        # It lists no files: whoever reads it refuses the directory.
        files.write_json(manifest, {"state": "being written"})
    else:
        files.remove(manifest)
    for name in names:
        target = os.path.join(directory, name)
        if os.path.isdir(target):
            os.rename(target, os.path.join(work, f".former {name}"))
        os.replace(os.path.join(work, name), target)
    files.flush_to_disk(directory)


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
