from object_detection.protos import calibration_pb2 as _calibration_pb2
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Mapping as _Mapping, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class BatchNonMaxSuppression(_message.Message):
    __slots__ = ["blend_overlapping", "change_coordinate_frame", "iou_threshold", "max_classes_per_detection", "max_detections_per_class", "max_total_detections", "score_threshold", "soft_nms_sigma", "use_class_agnostic_nms", "use_combined_nms", "use_cpu_nms", "use_hard_nms", "use_partitioned_nms", "use_static_shapes"]
    BLEND_OVERLAPPING_FIELD_NUMBER: _ClassVar[int]
    CHANGE_COORDINATE_FRAME_FIELD_NUMBER: _ClassVar[int]
    IOU_THRESHOLD_FIELD_NUMBER: _ClassVar[int]
    MAX_CLASSES_PER_DETECTION_FIELD_NUMBER: _ClassVar[int]
    MAX_DETECTIONS_PER_CLASS_FIELD_NUMBER: _ClassVar[int]
    MAX_TOTAL_DETECTIONS_FIELD_NUMBER: _ClassVar[int]
    SCORE_THRESHOLD_FIELD_NUMBER: _ClassVar[int]
    SOFT_NMS_SIGMA_FIELD_NUMBER: _ClassVar[int]
    USE_CLASS_AGNOSTIC_NMS_FIELD_NUMBER: _ClassVar[int]
    USE_COMBINED_NMS_FIELD_NUMBER: _ClassVar[int]
    USE_CPU_NMS_FIELD_NUMBER: _ClassVar[int]
    USE_HARD_NMS_FIELD_NUMBER: _ClassVar[int]
    USE_PARTITIONED_NMS_FIELD_NUMBER: _ClassVar[int]
    USE_STATIC_SHAPES_FIELD_NUMBER: _ClassVar[int]
    blend_overlapping: BlendOverlapping
    change_coordinate_frame: bool
    iou_threshold: float
    max_classes_per_detection: int
    max_detections_per_class: int
    max_total_detections: int
    score_threshold: float
    soft_nms_sigma: float
    use_class_agnostic_nms: bool
    use_combined_nms: bool
    use_cpu_nms: bool
    use_hard_nms: bool
    use_partitioned_nms: bool
    use_static_shapes: bool
    def __init__(self, score_threshold: _Optional[float] = ..., iou_threshold: _Optional[float] = ..., max_detections_per_class: _Optional[int] = ..., max_total_detections: _Optional[int] = ..., use_static_shapes: bool = ..., use_class_agnostic_nms: bool = ..., max_classes_per_detection: _Optional[int] = ..., soft_nms_sigma: _Optional[float] = ..., use_partitioned_nms: bool = ..., use_combined_nms: bool = ..., change_coordinate_frame: bool = ..., use_hard_nms: bool = ..., use_cpu_nms: bool = ..., blend_overlapping: _Optional[_Union[BlendOverlapping, _Mapping]] = ...) -> None: ...

class BlendOverlapping(_message.Message):
    __slots__ = ["iou_threshold", "max_candidates", "score_power"]
    IOU_THRESHOLD_FIELD_NUMBER: _ClassVar[int]
    MAX_CANDIDATES_FIELD_NUMBER: _ClassVar[int]
    SCORE_POWER_FIELD_NUMBER: _ClassVar[int]
    iou_threshold: float
    max_candidates: int
    score_power: float
    def __init__(self, iou_threshold: _Optional[float] = ..., score_power: _Optional[float] = ..., max_candidates: _Optional[int] = ...) -> None: ...

class PostProcessing(_message.Message):
    __slots__ = ["batch_non_max_suppression", "calibration_config", "logit_scale", "score_converter"]
    class ScoreConverter(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = []
    BATCH_NON_MAX_SUPPRESSION_FIELD_NUMBER: _ClassVar[int]
    CALIBRATION_CONFIG_FIELD_NUMBER: _ClassVar[int]
    IDENTITY: PostProcessing.ScoreConverter
    LOGIT_SCALE_FIELD_NUMBER: _ClassVar[int]
    SCORE_CONVERTER_FIELD_NUMBER: _ClassVar[int]
    SIGMOID: PostProcessing.ScoreConverter
    SOFTMAX: PostProcessing.ScoreConverter
    batch_non_max_suppression: BatchNonMaxSuppression
    calibration_config: _calibration_pb2.CalibrationConfig
    logit_scale: float
    score_converter: PostProcessing.ScoreConverter
    def __init__(self, batch_non_max_suppression: _Optional[_Union[BatchNonMaxSuppression, _Mapping]] = ..., score_converter: _Optional[_Union[PostProcessing.ScoreConverter, str]] = ..., logit_scale: _Optional[float] = ..., calibration_config: _Optional[_Union[_calibration_pb2.CalibrationConfig, _Mapping]] = ...) -> None: ...
