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
    return TfExampleDecoder(
        load_instance_masks=input_reader_config.load_instance_masks,
        instance_mask_type=input_reader_config.mask_type,
        label_map_proto_file=input_reader_config.label_map_path or None,
        use_display_name=input_reader_config.use_display_name,
        num_keypoints=input_reader_config.num_keypoints,
        num_additional_channels=input_reader_config.num_additional_channels,
        load_multiclass_scores=input_reader_config.load_multiclass_scores,
        load_context_features=input_reader_config.load_context_features,
        expand_hierarchy_labels=input_reader_config.expand_labels_hierarchy,
        load_dense_pose=input_reader_config.load_dense_pose,
        load_track_id=input_reader_config.load_track_id,
        load_keypoint_depth_features=input_reader_config.load_keypoint_depth_features,
        use_keypoint_label_map=input_reader_config.use_keypoint_label_map,
    )
