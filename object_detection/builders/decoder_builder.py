"""`InputReader` message -> decoder of its records."""

from collections.abc import Callable
from typing import Any

import tensorflow.compat.v1 as tf

from object_detection.core import encoded_image
from object_detection.core.data_decoder import DataDecoder
from object_detection.data_decoders.tf_example_decoder import TfExampleDecoder
from object_detection.data_decoders.tf_sequence_example_decoder import TfSequenceExampleDecoder
from object_detection.errors import ConfigError
from object_detection.protos import input_reader_pb2
from object_detection.registry import Table

DECODERS = Table("input_reader.input_type")
ReadImage = Callable[[tf.Tensor], encoded_image.Image]


@DECODERS.entry("TF_EXAMPLE")
def _tf_example(config: Any, read_image: ReadImage | None) -> DataDecoder:
    return TfExampleDecoder(
        load_instance_masks=config.load_instance_masks,
        instance_mask_type=config.mask_type,
        label_map_proto_file=config.label_map_path or None,
        use_display_name=config.use_display_name,
        num_keypoints=config.num_keypoints,
        num_additional_channels=config.num_additional_channels,
        load_multiclass_scores=config.load_multiclass_scores,
        load_context_features=config.load_context_features,
        expand_hierarchy_labels=config.expand_labels_hierarchy,
        load_dense_pose=config.load_dense_pose,
        load_track_id=config.load_track_id,
        load_keypoint_depth_features=config.load_keypoint_depth_features,
        use_keypoint_label_map=config.use_keypoint_label_map,
        read_image=read_image,
    )


@DECODERS.entry("TF_SEQUENCE_EXAMPLE")
def _tf_sequence_example(config: Any, read_image: ReadImage | None) -> DataDecoder:
    del read_image  # pictures of sequences stay encoded until their frame is chosen
    if not config.label_map_path:
        raise ConfigError(
            "input_reader.label_map_path: sequence examples name their classes; give a label map."
        )
    return TfSequenceExampleDecoder(
        label_map_proto_file=config.label_map_path,
        load_context_features=config.load_context_features,
        load_context_image_ids=config.load_context_image_ids,
        use_display_name=config.use_display_name,
    )


def build(input_reader_config: Any, read_image: ReadImage | None = None) -> DataDecoder:
    """Builds the decoder of a reader.

    Args:
        input_reader_config: `InputReader` message.
        read_image: gives the picture of a file, [] string; by default it is decoded.

    Raises:
        ConfigError: it is not such a message, or says nothing of TFRecords, or something that the
            decoder needs is not set.
    """
    if not isinstance(input_reader_config, input_reader_pb2.InputReader):
        raise ConfigError(
            f"input_reader: an InputReader message is wanted, found {type(input_reader_config)}."
        )
    if input_reader_config.WhichOneof("input_reader") != "tf_record_input_reader":
        raise ConfigError("input_reader: set tf_record_input_reader { input_path: ... }.")
    kind = input_reader_pb2.InputType.Name(input_reader_config.input_type)
    decoder: DataDecoder = DECODERS[kind](input_reader_config, read_image)
    return decoder
