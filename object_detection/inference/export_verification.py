"""The program behind `scripts/verify_export.py`: is an export what its checkpoint gives?"""

import argparse
import logging
import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from object_detection.errors import CheckpointError
from object_detection.utils import config_util, export_manifest, flag_checks, startup

if TYPE_CHECKING:
    from object_detection.exporter import network

logger = logging.getLogger(__name__)

_CHECKPOINT = "model.ckpt"


def parse_flags(arguments: Sequence[str]) -> argparse.Namespace:
    """The command line of `scripts/verify_export.py`."""
    parser = flag_checks.Parser(
        prog="verify_export.py",
        description="Compares the files of an export with its export.json, then what its frozen "
        "graph and SavedModel give with what the checkpoint gives.",
    )
    parser.add_argument("--model", required=True, help="export directory")
    parser.add_argument(
        "--images",
        nargs="+",
        default=[],
        help="pictures, or patterns such as 'folder/*.jpg' (default: drawn ones)",
    )
    parser.add_argument(
        "--checkpoint",
        default="",
        help="prefix of the checkpoint that was exported (default: the one in the directory)",
    )
    return parser.parse_args(arguments)


def _options(manifest: export_manifest.Manifest | None, folder: str) -> "network.Options":
    """How the graph was exported: as the manifest says, or as the graph shows."""
    import tensorflow.compat.v1 as tf

    from object_detection.exporter import graph_inputs, network
    from object_detection.inference import detector

    if manifest is not None:
        try:
            return network.Options(**manifest["options"])
        except (KeyError, TypeError) as error:
            raise CheckpointError(
                f"{folder}: {export_manifest.NAME} does not say how the graph was exported "
                f"({error}). Export the model again."
            ) from error
    nodes = {node.name: node for node in detector.load_frozen_graph(folder).node}
    found = sorted(set(graph_inputs.INPUTS).intersection(nodes))
    if len(found) != 1:
        raise CheckpointError(
            f"{folder}: the graph should have one of {', '.join(sorted(graph_inputs.INPUTS))}, has "
            f"{', '.join(found) or 'none'}."
        )
    shape: Any = tf.TensorShape(nodes[found[0]].attr["shape"].shape)
    sizes = shape.as_list() if shape.rank else [None]
    return network.Options(found[0], sizes if len(sizes) == 4 else [sizes[0], None, None, 3])


def _has_averages(checkpoint: str) -> bool:
    import tensorflow.compat.v1 as tf

    names = tf.train.load_checkpoint(checkpoint).get_variable_to_shape_map()
    return any(name.endswith("/ExponentialMovingAverage") for name in names)


def _compare(
    options: argparse.Namespace, manifest: export_manifest.Manifest | None, config_path: str
) -> str:
    import tensorflow.compat.v1 as tf

    from object_detection.exporter import check_pictures, export, network
    from object_detection.utils import variables_helper

    pictures = check_pictures.of_files(options.images) if options.images else check_pictures.drawn()
    pipeline = config_util.create_pipeline_proto_from_configs(
        config_util.get_configs_from_pipeline_file(config_path)
    )
    checkpoint = options.checkpoint or os.path.join(options.model, _CHECKPOINT)
    # What lies beside the graph holds the averages as values.
    averages = bool(
        options.checkpoint
        and manifest is not None
        and manifest.get("checkpoint", {}).get("moving_averages")
    )
    with tf.Graph().as_default():
        built = network.build(config_util.completed(pipeline), _options(manifest, options.model))
        variables_helper.match_checkpoint(tf.global_variables(), checkpoint)
        report = export.compare_with_checkpoint(
            built,
            pipeline,
            checkpoint,
            averages and _has_averages(checkpoint),
            options.model,
            pictures,
        )
    return f"it gives what {checkpoint} gives: {report.said()}."


def run(arguments: Sequence[str]) -> str:
    """Verifies as the command line says; returns what to tell the user.

    Raises:
        CheckpointError: a file is not what was exported, or the checkpoint does not fit.
        ConfigError: there is no such directory.
        ExportError: the graphs do not give what the checkpoint gives.
    """
    options = parse_flags(arguments)
    flag_checks.input_folder("model", options.model)
    flag_checks.input_patterns("images", options.images)
    if options.checkpoint:
        flag_checks.checkpoint("checkpoint", options.checkpoint)
    manifest = export_manifest.read(options.model)
    if manifest is None:
        files = f"there is no {export_manifest.NAME} that says what its files should be"
    else:
        export_manifest.verify_files(options.model, manifest)
        files = f"{len(manifest['files'])} files are those that were exported"
    startup.prepare_tensorflow()
    config_path = os.path.join(options.model, export_manifest.CONFIG)
    return f"{options.model}: {files}; {_compare(options, manifest, config_path)}"
