from object_detection.protos import eval_pb2 as _eval_pb2
from object_detection.protos import graph_rewriter_pb2 as _graph_rewriter_pb2
from object_detection.protos import input_reader_pb2 as _input_reader_pb2
from object_detection.protos import model_pb2 as _model_pb2
from object_detection.protos import train_pb2 as _train_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf.internal import python_message as _python_message
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Iterable as _Iterable, Mapping as _Mapping, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ExportConfig(_message.Message):
    __slots__ = ["compute_type", "raw_detections"]
    class ComputeType(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = []
    BFLOAT16: ExportConfig.ComputeType
    COMPUTE_TYPE_FIELD_NUMBER: _ClassVar[int]
    FLOAT32: ExportConfig.ComputeType
    RAW_DETECTIONS_FIELD_NUMBER: _ClassVar[int]
    compute_type: ExportConfig.ComputeType
    raw_detections: bool
    def __init__(self, compute_type: _Optional[_Union[ExportConfig.ComputeType, str]] = ..., raw_detections: bool = ...) -> None: ...

class KeypointSet(_message.Message):
    __slots__ = ["keypoint", "limb", "schema"]
    KEYPOINT_FIELD_NUMBER: _ClassVar[int]
    LIMB_FIELD_NUMBER: _ClassVar[int]
    SCHEMA_FIELD_NUMBER: _ClassVar[int]
    keypoint: _containers.RepeatedCompositeFieldContainer[SchemaKeypoint]
    limb: _containers.RepeatedCompositeFieldContainer[SchemaLimb]
    schema: str
    def __init__(self, schema: _Optional[str] = ..., keypoint: _Optional[_Iterable[_Union[SchemaKeypoint, _Mapping]]] = ..., limb: _Optional[_Iterable[_Union[SchemaLimb, _Mapping]]] = ...) -> None: ...

class SchemaKeypoint(_message.Message):
    __slots__ = ["color", "mirror", "name", "sigma"]
    COLOR_FIELD_NUMBER: _ClassVar[int]
    MIRROR_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    SIGMA_FIELD_NUMBER: _ClassVar[int]
    color: str
    mirror: str
    name: str
    sigma: float
    def __init__(self, name: _Optional[str] = ..., mirror: _Optional[str] = ..., sigma: _Optional[float] = ..., color: _Optional[str] = ...) -> None: ...

class SchemaLimb(_message.Message):
    __slots__ = ["end", "start"]
    END_FIELD_NUMBER: _ClassVar[int]
    START_FIELD_NUMBER: _ClassVar[int]
    end: str
    start: str
    def __init__(self, start: _Optional[str] = ..., end: _Optional[str] = ...) -> None: ...

class TrainEvalPipelineConfig(_message.Message):
    __slots__ = ["eval_config", "eval_input_reader", "export_config", "graph_rewriter", "keypoints", "max_boxes_per_image", "model", "train_config", "train_input_reader"]
    EVAL_CONFIG_FIELD_NUMBER: _ClassVar[int]
    EVAL_INPUT_READER_FIELD_NUMBER: _ClassVar[int]
    EXPORT_CONFIG_FIELD_NUMBER: _ClassVar[int]
    Extensions: _python_message._ExtensionDict
    GRAPH_REWRITER_FIELD_NUMBER: _ClassVar[int]
    KEYPOINTS_FIELD_NUMBER: _ClassVar[int]
    MAX_BOXES_PER_IMAGE_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    TRAIN_CONFIG_FIELD_NUMBER: _ClassVar[int]
    TRAIN_INPUT_READER_FIELD_NUMBER: _ClassVar[int]
    eval_config: _eval_pb2.EvalConfig
    eval_input_reader: _containers.RepeatedCompositeFieldContainer[_input_reader_pb2.InputReader]
    export_config: ExportConfig
    graph_rewriter: _graph_rewriter_pb2.GraphRewriter
    keypoints: KeypointSet
    max_boxes_per_image: int
    model: _model_pb2.DetectionModel
    train_config: _train_pb2.TrainConfig
    train_input_reader: _input_reader_pb2.InputReader
    def __init__(self, model: _Optional[_Union[_model_pb2.DetectionModel, _Mapping]] = ..., train_config: _Optional[_Union[_train_pb2.TrainConfig, _Mapping]] = ..., train_input_reader: _Optional[_Union[_input_reader_pb2.InputReader, _Mapping]] = ..., eval_config: _Optional[_Union[_eval_pb2.EvalConfig, _Mapping]] = ..., eval_input_reader: _Optional[_Iterable[_Union[_input_reader_pb2.InputReader, _Mapping]]] = ..., graph_rewriter: _Optional[_Union[_graph_rewriter_pb2.GraphRewriter, _Mapping]] = ..., keypoints: _Optional[_Union[KeypointSet, _Mapping]] = ..., max_boxes_per_image: _Optional[int] = ..., export_config: _Optional[_Union[ExportConfig, _Mapping]] = ...) -> None: ...
