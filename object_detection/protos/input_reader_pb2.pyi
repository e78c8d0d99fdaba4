from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf.internal import python_message as _python_message
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Iterable as _Iterable, Mapping as _Mapping, Optional as _Optional, Union as _Union

DEFAULT: InstanceMaskType
DESCRIPTOR: _descriptor.FileDescriptor
INPUT_DEFAULT: InputType
NUMERICAL_MASKS: InstanceMaskType
PNG_MASKS: InstanceMaskType
TF_EXAMPLE: InputType
TF_SEQUENCE_EXAMPLE: InputType

class BadRecords(_message.Message):
    __slots__ = ["check", "max_megapixels", "max_share"]
    CHECK_FIELD_NUMBER: _ClassVar[int]
    MAX_MEGAPIXELS_FIELD_NUMBER: _ClassVar[int]
    MAX_SHARE_FIELD_NUMBER: _ClassVar[int]
    check: bool
    max_megapixels: float
    max_share: float
    def __init__(self, check: bool = ..., max_share: _Optional[float] = ..., max_megapixels: _Optional[float] = ...) -> None: ...

class ExternalInputReader(_message.Message):
    __slots__ = []
    Extensions: _python_message._ExtensionDict
    def __init__(self) -> None: ...

class InputReader(_message.Message):
    __slots__ = ["bad_records", "drop_remainder", "expand_labels_hierarchy", "external_input_reader", "fast_jpeg_scaling", "filenames_shuffle_buffer_size", "frame_index", "include_source_id", "input_type", "keypoint_type_weight", "label_map_path", "load_context_features", "load_context_image_ids", "load_dense_pose", "load_instance_masks", "load_keypoint_depth_features", "load_multiclass_scores", "load_track_id", "mask_type", "max_number_of_boxes", "min_after_dequeue", "name", "num_additional_channels", "num_epochs", "num_keypoints", "num_parallel_batches", "num_parallel_map_calls", "num_prefetch_batches", "num_readers", "prefetch_size", "queue_capacity", "read_block_length", "sample_1_of_n_examples", "sample_from_datasets_weights", "shuffle", "shuffle_buffer_size", "tf_record_input_reader", "use_display_name", "use_keypoint_label_map"]
    BAD_RECORDS_FIELD_NUMBER: _ClassVar[int]
    DROP_REMAINDER_FIELD_NUMBER: _ClassVar[int]
    EXPAND_LABELS_HIERARCHY_FIELD_NUMBER: _ClassVar[int]
    EXTERNAL_INPUT_READER_FIELD_NUMBER: _ClassVar[int]
    FAST_JPEG_SCALING_FIELD_NUMBER: _ClassVar[int]
    FILENAMES_SHUFFLE_BUFFER_SIZE_FIELD_NUMBER: _ClassVar[int]
    FRAME_INDEX_FIELD_NUMBER: _ClassVar[int]
    INCLUDE_SOURCE_ID_FIELD_NUMBER: _ClassVar[int]
    INPUT_TYPE_FIELD_NUMBER: _ClassVar[int]
    KEYPOINT_TYPE_WEIGHT_FIELD_NUMBER: _ClassVar[int]
    LABEL_MAP_PATH_FIELD_NUMBER: _ClassVar[int]
    LOAD_CONTEXT_FEATURES_FIELD_NUMBER: _ClassVar[int]
    LOAD_CONTEXT_IMAGE_IDS_FIELD_NUMBER: _ClassVar[int]
    LOAD_DENSE_POSE_FIELD_NUMBER: _ClassVar[int]
    LOAD_INSTANCE_MASKS_FIELD_NUMBER: _ClassVar[int]
    LOAD_KEYPOINT_DEPTH_FEATURES_FIELD_NUMBER: _ClassVar[int]
    LOAD_MULTICLASS_SCORES_FIELD_NUMBER: _ClassVar[int]
    LOAD_TRACK_ID_FIELD_NUMBER: _ClassVar[int]
    MASK_TYPE_FIELD_NUMBER: _ClassVar[int]
    MAX_NUMBER_OF_BOXES_FIELD_NUMBER: _ClassVar[int]
    MIN_AFTER_DEQUEUE_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    NUM_ADDITIONAL_CHANNELS_FIELD_NUMBER: _ClassVar[int]
    NUM_EPOCHS_FIELD_NUMBER: _ClassVar[int]
    NUM_KEYPOINTS_FIELD_NUMBER: _ClassVar[int]
    NUM_PARALLEL_BATCHES_FIELD_NUMBER: _ClassVar[int]
    NUM_PARALLEL_MAP_CALLS_FIELD_NUMBER: _ClassVar[int]
    NUM_PREFETCH_BATCHES_FIELD_NUMBER: _ClassVar[int]
    NUM_READERS_FIELD_NUMBER: _ClassVar[int]
    PREFETCH_SIZE_FIELD_NUMBER: _ClassVar[int]
    QUEUE_CAPACITY_FIELD_NUMBER: _ClassVar[int]
    READ_BLOCK_LENGTH_FIELD_NUMBER: _ClassVar[int]
    SAMPLE_1_OF_N_EXAMPLES_FIELD_NUMBER: _ClassVar[int]
    SAMPLE_FROM_DATASETS_WEIGHTS_FIELD_NUMBER: _ClassVar[int]
    SHUFFLE_BUFFER_SIZE_FIELD_NUMBER: _ClassVar[int]
    SHUFFLE_FIELD_NUMBER: _ClassVar[int]
    TF_RECORD_INPUT_READER_FIELD_NUMBER: _ClassVar[int]
    USE_DISPLAY_NAME_FIELD_NUMBER: _ClassVar[int]
    USE_KEYPOINT_LABEL_MAP_FIELD_NUMBER: _ClassVar[int]
    bad_records: BadRecords
    drop_remainder: bool
    expand_labels_hierarchy: bool
    external_input_reader: ExternalInputReader
    fast_jpeg_scaling: bool
    filenames_shuffle_buffer_size: int
    frame_index: int
    include_source_id: bool
    input_type: InputType
    keypoint_type_weight: _containers.RepeatedScalarFieldContainer[float]
    label_map_path: str
    load_context_features: bool
    load_context_image_ids: bool
    load_dense_pose: bool
    load_instance_masks: bool
    load_keypoint_depth_features: bool
    load_multiclass_scores: bool
    load_track_id: bool
    mask_type: InstanceMaskType
    max_number_of_boxes: int
    min_after_dequeue: int
    name: str
    num_additional_channels: int
    num_epochs: int
    num_keypoints: int
    num_parallel_batches: int
    num_parallel_map_calls: int
    num_prefetch_batches: int
    num_readers: int
    prefetch_size: int
    queue_capacity: int
    read_block_length: int
    sample_1_of_n_examples: int
    sample_from_datasets_weights: _containers.RepeatedScalarFieldContainer[float]
    shuffle: bool
    shuffle_buffer_size: int
    tf_record_input_reader: TFRecordInputReader
    use_display_name: bool
    use_keypoint_label_map: bool
    def __init__(self, name: _Optional[str] = ..., label_map_path: _Optional[str] = ..., shuffle: bool = ..., shuffle_buffer_size: _Optional[int] = ..., filenames_shuffle_buffer_size: _Optional[int] = ..., num_epochs: _Optional[int] = ..., sample_1_of_n_examples: _Optional[int] = ..., num_readers: _Optional[int] = ..., num_parallel_batches: _Optional[int] = ..., num_prefetch_batches: _Optional[int] = ..., queue_capacity: _Optional[int] = ..., min_after_dequeue: _Optional[int] = ..., read_block_length: _Optional[int] = ..., prefetch_size: _Optional[int] = ..., num_parallel_map_calls: _Optional[int] = ..., drop_remainder: bool = ..., num_additional_channels: _Optional[int] = ..., num_keypoints: _Optional[int] = ..., keypoint_type_weight: _Optional[_Iterable[float]] = ..., max_number_of_boxes: _Optional[int] = ..., load_multiclass_scores: bool = ..., load_context_features: bool = ..., load_context_image_ids: bool = ..., load_instance_masks: bool = ..., mask_type: _Optional[_Union[InstanceMaskType, str]] = ..., load_dense_pose: bool = ..., load_track_id: bool = ..., load_keypoint_depth_features: bool = ..., use_display_name: bool = ..., include_source_id: bool = ..., input_type: _Optional[_Union[InputType, str]] = ..., frame_index: _Optional[int] = ..., use_keypoint_label_map: bool = ..., tf_record_input_reader: _Optional[_Union[TFRecordInputReader, _Mapping]] = ..., external_input_reader: _Optional[_Union[ExternalInputReader, _Mapping]] = ..., sample_from_datasets_weights: _Optional[_Iterable[float]] = ..., expand_labels_hierarchy: bool = ..., fast_jpeg_scaling: bool = ..., bad_records: _Optional[_Union[BadRecords, _Mapping]] = ...) -> None: ...

class TFRecordInputReader(_message.Message):
    __slots__ = ["input_path"]
    INPUT_PATH_FIELD_NUMBER: _ClassVar[int]
    input_path: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, input_path: _Optional[_Iterable[str]] = ...) -> None: ...

class InstanceMaskType(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = []

class InputType(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = []
