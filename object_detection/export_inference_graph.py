"""Exports a trained detector: frozen graph, SavedModel, checkpoint and config.

    python object_detection/export_inference_graph.py --input_type image_tensor \
        --pipeline_config_path path/to/pipeline.config \
        --trained_checkpoint_prefix path/to/model.ckpt-1000 --output_directory exported

The frozen graph maps `image_tensor:0` (uint8, [batch, height, width, 3]) to `detection_boxes:0`,
`detection_scores:0`, `detection_classes:0`, `num_detections:0` and `detection_keypoints:0`. What
was written is compared with the checkpoint; if it differs, the directory stays as it was.
"""

import os
import sys

if __name__ == "__main__":
    # Run as a file, this folder would shadow top-level modules; the repository is what is meant.
    sys.path[0] = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))

from absl import app, flags

from object_detection.errors import ConfigError
from object_detection.utils import flag_checks, startup

flags.DEFINE_string(
    "input_type", "image_tensor", "image_tensor, encoded_image_string_tensor or tf_example."
)
flags.DEFINE_string("input_shape", None, "batch,height,width,channels; -1 for an open size.")
flags.DEFINE_string("pipeline_config_path", None, "Config that the checkpoint was trained with.")
flags.DEFINE_string("trained_checkpoint_prefix", None, "Checkpoint, without '.index'.")
flags.DEFINE_string("output_directory", None, "Where to write the exported model.")
flags.DEFINE_string("config_override", "", "Text-format config merged over the file's.")
flags.DEFINE_boolean("write_inference_graph", False, "Also write inference_graph.pbtxt.")
flags.DEFINE_string("additional_output_tensor_names", None, "More tensors to keep, by commas.")
flags.DEFINE_boolean("use_side_inputs", False, "Whether the model takes further inputs.")
flags.DEFINE_string("side_input_shapes", None, "Sizes by commas, inputs by slashes: 1,-1/8.")
flags.DEFINE_string("side_input_types", None, "By commas: float, int, string or a TensorFlow type.")
flags.DEFINE_string("side_input_names", None, "By commas: of placeholders and parameters.")
flags.DEFINE_boolean("check", True, "Compare what was written with the checkpoint.")
flags.DEFINE_list(
    "check_images",
    [],
    "Pictures to compare on, or patterns such as 'folder/*.jpg' (default: drawn).",
)
FLAGS = flags.FLAGS

_INPUT_TYPES = ("image_tensor", "encoded_image_string_tensor", "tf_example")


def _input_shape(text: str | None) -> list[int | None] | None:
    if not text:
        return None
    try:
        sizes = [int(part) for part in text.split(",")]
    except ValueError as error:
        raise ConfigError(
            f"--input_shape is {text!r}; give whole numbers, such as 1,300,300,3."
        ) from error
    if len(sizes) != 4 or any(size != -1 and size < 1 for size in sizes):
        raise ConfigError(
            f"--input_shape is {text!r}; give batch, height, width and channels by commas, each "
            "1 or more, or -1 for an open size."
        )
    return [None if size == -1 else size for size in sizes]


def _check_flags() -> None:
    for name in ("side_input_shapes", "side_input_types", "side_input_names"):
        if getattr(FLAGS, name) and not FLAGS.use_side_inputs:
            raise ConfigError(f"--{name} has no effect without --use_side_inputs.")
    if FLAGS.check_images and not FLAGS.check:
        raise ConfigError("--check_images has no effect with --nocheck.")
    flag_checks.input_patterns("check_images", FLAGS.check_images)
    flag_checks.chosen("input_type", FLAGS.input_type, _INPUT_TYPES)
    _input_shape(FLAGS.input_shape)
    flag_checks.input_file("pipeline_config_path", FLAGS.pipeline_config_path)
    flag_checks.checkpoint("trained_checkpoint_prefix", FLAGS.trained_checkpoint_prefix)
    flag_checks.output_folder("output_directory", FLAGS.output_directory)


def _export() -> str:
    _check_flags()
    from object_detection.utils import config_check, config_util

    configs = config_util.get_configs_from_pipeline_file(
        FLAGS.pipeline_config_path, config_override=FLAGS.config_override or None
    )
    config_check.check_pipeline(configs, FLAGS.pipeline_config_path)
    startup.prepare_tensorflow()
    from object_detection import exporter

    names = FLAGS.additional_output_tensor_names
    report = exporter.export_inference_graph(
        FLAGS.input_type,
        config_util.create_pipeline_proto_from_configs(configs),
        FLAGS.trained_checkpoint_prefix,
        FLAGS.output_directory,
        input_shape=_input_shape(FLAGS.input_shape),
        additional_output_tensor_names=names.split(",") if names else None,
        write_inference_graph=FLAGS.write_inference_graph,
        use_side_inputs=FLAGS.use_side_inputs,
        side_input_shapes=FLAGS.side_input_shapes,
        side_input_names=FLAGS.side_input_names,
        side_input_types=FLAGS.side_input_types,
        check=FLAGS.check,
        check_images=FLAGS.check_images,
    )
    compared = "" if report is None else f"Compared with the checkpoint: {report.said()}."
    return f"Exported {FLAGS.trained_checkpoint_prefix} to {FLAGS.output_directory}. {compared}".strip()


def main(_: list[str]) -> None:
    """Exports what the flags say; a mistake ends in one message and exit status 1.

    Args:
        _: what is left of the command line; its first entry is the program. The name is part of
            the interface.
    """

    def action() -> str:
        startup.refuse_arguments(_)
        return _export()

    startup.run_program("export_inference_graph", action)


if __name__ == "__main__":
    app.run(main)
