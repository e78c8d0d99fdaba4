from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Iterable as _Iterable, Mapping as _Mapping, Optional as _Optional, Union as _Union

AREA: ResizeType
BICUBIC: ResizeType
BILINEAR: ResizeType
DESCRIPTOR: _descriptor.FileDescriptor
NEAREST_NEIGHBOR: ResizeType

class ConditionalShapeResizer(_message.Message):
    __slots__ = ["condition", "convert_to_grayscale", "resize_method", "size_threshold"]
    class ResizeCondition(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = []
    CONDITION_FIELD_NUMBER: _ClassVar[int]
    CONVERT_TO_GRAYSCALE_FIELD_NUMBER: _ClassVar[int]
    GREATER: ConditionalShapeResizer.ResizeCondition
    INVALID: ConditionalShapeResizer.ResizeCondition
    RESIZE_METHOD_FIELD_NUMBER: _ClassVar[int]
    SIZE_THRESHOLD_FIELD_NUMBER: _ClassVar[int]
    SMALLER: ConditionalShapeResizer.ResizeCondition
    condition: ConditionalShapeResizer.ResizeCondition
    convert_to_grayscale: bool
    resize_method: ResizeType
    size_threshold: int
    def __init__(self, condition: _Optional[_Union[ConditionalShapeResizer.ResizeCondition, str]] = ..., size_threshold: _Optional[int] = ..., resize_method: _Optional[_Union[ResizeType, str]] = ..., convert_to_grayscale: bool = ...) -> None: ...

class FixedShapeResizer(_message.Message):
    __slots__ = ["convert_to_grayscale", "height", "resize_method", "width"]
    CONVERT_TO_GRAYSCALE_FIELD_NUMBER: _ClassVar[int]
    HEIGHT_FIELD_NUMBER: _ClassVar[int]
    RESIZE_METHOD_FIELD_NUMBER: _ClassVar[int]
    WIDTH_FIELD_NUMBER: _ClassVar[int]
    convert_to_grayscale: bool
    height: int
    resize_method: ResizeType
    width: int
    def __init__(self, height: _Optional[int] = ..., width: _Optional[int] = ..., resize_method: _Optional[_Union[ResizeType, str]] = ..., convert_to_grayscale: bool = ...) -> None: ...

class IdentityResizer(_message.Message):
    __slots__ = []
    def __init__(self) -> None: ...

class ImageResizer(_message.Message):
    __slots__ = ["conditional_shape_resizer", "fixed_shape_resizer", "identity_resizer", "keep_aspect_ratio_resizer", "pad_to_multiple_resizer"]
    CONDITIONAL_SHAPE_RESIZER_FIELD_NUMBER: _ClassVar[int]
    FIXED_SHAPE_RESIZER_FIELD_NUMBER: _ClassVar[int]
    IDENTITY_RESIZER_FIELD_NUMBER: _ClassVar[int]
    KEEP_ASPECT_RATIO_RESIZER_FIELD_NUMBER: _ClassVar[int]
    PAD_TO_MULTIPLE_RESIZER_FIELD_NUMBER: _ClassVar[int]
    conditional_shape_resizer: ConditionalShapeResizer
    fixed_shape_resizer: FixedShapeResizer
    identity_resizer: IdentityResizer
    keep_aspect_ratio_resizer: KeepAspectRatioResizer
    pad_to_multiple_resizer: PadToMultipleResizer
    def __init__(self, keep_aspect_ratio_resizer: _Optional[_Union[KeepAspectRatioResizer, _Mapping]] = ..., fixed_shape_resizer: _Optional[_Union[FixedShapeResizer, _Mapping]] = ..., identity_resizer: _Optional[_Union[IdentityResizer, _Mapping]] = ..., conditional_shape_resizer: _Optional[_Union[ConditionalShapeResizer, _Mapping]] = ..., pad_to_multiple_resizer: _Optional[_Union[PadToMultipleResizer, _Mapping]] = ...) -> None: ...

class KeepAspectRatioResizer(_message.Message):
    __slots__ = ["convert_to_grayscale", "max_dimension", "min_dimension", "pad_to_max_dimension", "per_channel_pad_value", "resize_method"]
    CONVERT_TO_GRAYSCALE_FIELD_NUMBER: _ClassVar[int]
    MAX_DIMENSION_FIELD_NUMBER: _ClassVar[int]
    MIN_DIMENSION_FIELD_NUMBER: _ClassVar[int]
    PAD_TO_MAX_DIMENSION_FIELD_NUMBER: _ClassVar[int]
    PER_CHANNEL_PAD_VALUE_FIELD_NUMBER: _ClassVar[int]
    RESIZE_METHOD_FIELD_NUMBER: _ClassVar[int]
    convert_to_grayscale: bool
    max_dimension: int
    min_dimension: int
    pad_to_max_dimension: bool
    per_channel_pad_value: _containers.RepeatedScalarFieldContainer[float]
    resize_method: ResizeType
    def __init__(self, min_dimension: _Optional[int] = ..., max_dimension: _Optional[int] = ..., resize_method: _Optional[_Union[ResizeType, str]] = ..., pad_to_max_dimension: bool = ..., convert_to_grayscale: bool = ..., per_channel_pad_value: _Optional[_Iterable[float]] = ...) -> None: ...

class PadToMultipleResizer(_message.Message):
    __slots__ = ["convert_to_grayscale", "multiple"]
    CONVERT_TO_GRAYSCALE_FIELD_NUMBER: _ClassVar[int]
    MULTIPLE_FIELD_NUMBER: _ClassVar[int]
    convert_to_grayscale: bool
    multiple: int
    def __init__(self, multiple: _Optional[int] = ..., convert_to_grayscale: bool = ...) -> None: ...

class ResizeType(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = []
