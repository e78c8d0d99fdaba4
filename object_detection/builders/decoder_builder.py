"""`InputReader` message -> decoder of its records."""

from typing import Any

from object_detection.core.data_decoder import DataDecoder
from object_detection.data_decoders.tf_example_decoder import TfExampleDecoder
from object_detection.errors import ConfigError
from object_detection.protos import input_reader_pb2


def build(input_reader_config: Any) -> DataDecoder:
    """Builds the decoder of a reader; `ConfigError` for what is not available."""
    if input_reader_config.input_type == input_reader_pb2.TF_SEQUENCE_EXAMPLE:
        raise ConfigError("input_reader.input_type TF_SEQUENCE_EXAMPLE is not available.")
    for name in ("load_instance_masks", "load_multiclass_scores", "num_additional_channels"):
        if getattr(input_reader_config, name):
            raise ConfigError(f"input_reader.{name} is not available; leave it out.")
    return TfExampleDecoder(
        label_map_proto_file=input_reader_config.label_map_path or None,
        use_display_name=input_reader_config.use_display_name,
        num_keypoints=input_reader_config.num_keypoints,
    )
