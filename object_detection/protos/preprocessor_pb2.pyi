from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Iterable as _Iterable, Mapping as _Mapping, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class AdjustGamma(_message.Message):
    __slots__ = ["gain", "gamma"]
    GAIN_FIELD_NUMBER: _ClassVar[int]
    GAMMA_FIELD_NUMBER: _ClassVar[int]
    gain: float
    gamma: float
    def __init__(self, gamma: _Optional[float] = ..., gain: _Optional[float] = ...) -> None: ...

class AutoAugmentImage(_message.Message):
    __slots__ = ["policy_name"]
    POLICY_NAME_FIELD_NUMBER: _ClassVar[int]
    policy_name: str
    def __init__(self, policy_name: _Optional[str] = ...) -> None: ...

class ConvertClassLogitsToSoftmax(_message.Message):
    __slots__ = ["temperature"]
    TEMPERATURE_FIELD_NUMBER: _ClassVar[int]
    temperature: float
    def __init__(self, temperature: _Optional[float] = ...) -> None: ...

class DropLabelProbabilistically(_message.Message):
    __slots__ = ["drop_probability", "label"]
    DROP_PROBABILITY_FIELD_NUMBER: _ClassVar[int]
    LABEL_FIELD_NUMBER: _ClassVar[int]
    drop_probability: float
    label: int
    def __init__(self, label: _Optional[int] = ..., drop_probability: _Optional[float] = ...) -> None: ...

class Mosaic(_message.Message):
    __slots__ = ["height", "max_center", "max_scale", "min_center", "min_scale", "overlap_thresh", "pad_color", "pool_size", "probability", "width"]
    HEIGHT_FIELD_NUMBER: _ClassVar[int]
    MAX_CENTER_FIELD_NUMBER: _ClassVar[int]
    MAX_SCALE_FIELD_NUMBER: _ClassVar[int]
    MIN_CENTER_FIELD_NUMBER: _ClassVar[int]
    MIN_SCALE_FIELD_NUMBER: _ClassVar[int]
    OVERLAP_THRESH_FIELD_NUMBER: _ClassVar[int]
    PAD_COLOR_FIELD_NUMBER: _ClassVar[int]
    POOL_SIZE_FIELD_NUMBER: _ClassVar[int]
    PROBABILITY_FIELD_NUMBER: _ClassVar[int]
    WIDTH_FIELD_NUMBER: _ClassVar[int]
    height: int
    max_center: float
    max_scale: float
    min_center: float
    min_scale: float
    overlap_thresh: float
    pad_color: _containers.RepeatedScalarFieldContainer[float]
    pool_size: int
    probability: float
    width: int
    def __init__(self, probability: _Optional[float] = ..., min_center: _Optional[float] = ..., max_center: _Optional[float] = ..., min_scale: _Optional[float] = ..., max_scale: _Optional[float] = ..., overlap_thresh: _Optional[float] = ..., pad_color: _Optional[_Iterable[float]] = ..., pool_size: _Optional[int] = ..., height: _Optional[int] = ..., width: _Optional[int] = ...) -> None: ...

class NormalizeImage(_message.Message):
    __slots__ = ["original_maxval", "original_minval", "target_maxval", "target_minval"]
    ORIGINAL_MAXVAL_FIELD_NUMBER: _ClassVar[int]
    ORIGINAL_MINVAL_FIELD_NUMBER: _ClassVar[int]
    TARGET_MAXVAL_FIELD_NUMBER: _ClassVar[int]
    TARGET_MINVAL_FIELD_NUMBER: _ClassVar[int]
    original_maxval: float
    original_minval: float
    target_maxval: float
    target_minval: float
    def __init__(self, original_minval: _Optional[float] = ..., original_maxval: _Optional[float] = ..., target_minval: _Optional[float] = ..., target_maxval: _Optional[float] = ...) -> None: ...

class PreprocessingStep(_message.Message):
    __slots__ = ["adjust_gamma", "autoaugment_image", "convert_class_logits_to_softmax", "drop_label_probabilistically", "mosaic", "normalize_image", "random_absolute_pad_image", "random_adjust_brightness", "random_adjust_contrast", "random_adjust_hue", "random_adjust_saturation", "random_black_patches", "random_crop_image", "random_crop_pad_image", "random_crop_to_aspect_ratio", "random_distort_color", "random_downscale_to_target_pixels", "random_horizontal_flip", "random_image_scale", "random_jitter_boxes", "random_jpeg_quality", "random_pad_image", "random_patch_gaussian", "random_pixel_value_scale", "random_resize_method", "random_rgb_to_gray", "random_rotation", "random_rotation90", "random_scale_crop_and_pad_to_square", "random_self_concat_image", "random_square_crop", "random_square_crop_by_scale", "random_vertical_flip", "remap_labels", "resize_image", "rgb_to_gray", "scale_boxes_to_pixel_coordinates", "ssd_random_crop", "ssd_random_crop_fixed_aspect_ratio", "ssd_random_crop_pad", "ssd_random_crop_pad_fixed_aspect_ratio", "subtract_channel_mean"]
    ADJUST_GAMMA_FIELD_NUMBER: _ClassVar[int]
    AUTOAUGMENT_IMAGE_FIELD_NUMBER: _ClassVar[int]
    CONVERT_CLASS_LOGITS_TO_SOFTMAX_FIELD_NUMBER: _ClassVar[int]
    DROP_LABEL_PROBABILISTICALLY_FIELD_NUMBER: _ClassVar[int]
    MOSAIC_FIELD_NUMBER: _ClassVar[int]
    NORMALIZE_IMAGE_FIELD_NUMBER: _ClassVar[int]
    RANDOM_ABSOLUTE_PAD_IMAGE_FIELD_NUMBER: _ClassVar[int]
    RANDOM_ADJUST_BRIGHTNESS_FIELD_NUMBER: _ClassVar[int]
    RANDOM_ADJUST_CONTRAST_FIELD_NUMBER: _ClassVar[int]
    RANDOM_ADJUST_HUE_FIELD_NUMBER: _ClassVar[int]
    RANDOM_ADJUST_SATURATION_FIELD_NUMBER: _ClassVar[int]
    RANDOM_BLACK_PATCHES_FIELD_NUMBER: _ClassVar[int]
    RANDOM_CROP_IMAGE_FIELD_NUMBER: _ClassVar[int]
    RANDOM_CROP_PAD_IMAGE_FIELD_NUMBER: _ClassVar[int]
    RANDOM_CROP_TO_ASPECT_RATIO_FIELD_NUMBER: _ClassVar[int]
    RANDOM_DISTORT_COLOR_FIELD_NUMBER: _ClassVar[int]
    RANDOM_DOWNSCALE_TO_TARGET_PIXELS_FIELD_NUMBER: _ClassVar[int]
    RANDOM_HORIZONTAL_FLIP_FIELD_NUMBER: _ClassVar[int]
    RANDOM_IMAGE_SCALE_FIELD_NUMBER: _ClassVar[int]
    RANDOM_JITTER_BOXES_FIELD_NUMBER: _ClassVar[int]
    RANDOM_JPEG_QUALITY_FIELD_NUMBER: _ClassVar[int]
    RANDOM_PAD_IMAGE_FIELD_NUMBER: _ClassVar[int]
    RANDOM_PATCH_GAUSSIAN_FIELD_NUMBER: _ClassVar[int]
    RANDOM_PIXEL_VALUE_SCALE_FIELD_NUMBER: _ClassVar[int]
    RANDOM_RESIZE_METHOD_FIELD_NUMBER: _ClassVar[int]
    RANDOM_RGB_TO_GRAY_FIELD_NUMBER: _ClassVar[int]
    RANDOM_ROTATION90_FIELD_NUMBER: _ClassVar[int]
    RANDOM_ROTATION_FIELD_NUMBER: _ClassVar[int]
    RANDOM_SCALE_CROP_AND_PAD_TO_SQUARE_FIELD_NUMBER: _ClassVar[int]
    RANDOM_SELF_CONCAT_IMAGE_FIELD_NUMBER: _ClassVar[int]
    RANDOM_SQUARE_CROP_BY_SCALE_FIELD_NUMBER: _ClassVar[int]
    RANDOM_SQUARE_CROP_FIELD_NUMBER: _ClassVar[int]
    RANDOM_VERTICAL_FLIP_FIELD_NUMBER: _ClassVar[int]
    REMAP_LABELS_FIELD_NUMBER: _ClassVar[int]
    RESIZE_IMAGE_FIELD_NUMBER: _ClassVar[int]
    RGB_TO_GRAY_FIELD_NUMBER: _ClassVar[int]
    SCALE_BOXES_TO_PIXEL_COORDINATES_FIELD_NUMBER: _ClassVar[int]
    SSD_RANDOM_CROP_FIELD_NUMBER: _ClassVar[int]
    SSD_RANDOM_CROP_FIXED_ASPECT_RATIO_FIELD_NUMBER: _ClassVar[int]
    SSD_RANDOM_CROP_PAD_FIELD_NUMBER: _ClassVar[int]
    SSD_RANDOM_CROP_PAD_FIXED_ASPECT_RATIO_FIELD_NUMBER: _ClassVar[int]
    SUBTRACT_CHANNEL_MEAN_FIELD_NUMBER: _ClassVar[int]
    adjust_gamma: AdjustGamma
    autoaugment_image: AutoAugmentImage
    convert_class_logits_to_softmax: ConvertClassLogitsToSoftmax
    drop_label_probabilistically: DropLabelProbabilistically
    mosaic: Mosaic
    normalize_image: NormalizeImage
    random_absolute_pad_image: RandomAbsolutePadImage
    random_adjust_brightness: RandomAdjustBrightness
    random_adjust_contrast: RandomAdjustContrast
    random_adjust_hue: RandomAdjustHue
    random_adjust_saturation: RandomAdjustSaturation
    random_black_patches: RandomBlackPatches
    random_crop_image: RandomCropImage
    random_crop_pad_image: RandomCropPadImage
    random_crop_to_aspect_ratio: RandomCropToAspectRatio
    random_distort_color: RandomDistortColor
    random_downscale_to_target_pixels: RandomDownscaleToTargetPixels
    random_horizontal_flip: RandomHorizontalFlip
    random_image_scale: RandomImageScale
    random_jitter_boxes: RandomJitterBoxes
    random_jpeg_quality: RandomJpegQuality
    random_pad_image: RandomPadImage
    random_patch_gaussian: RandomPatchGaussian
    random_pixel_value_scale: RandomPixelValueScale
    random_resize_method: RandomResizeMethod
    random_rgb_to_gray: RandomRGBtoGray
    random_rotation: RandomRotation
    random_rotation90: RandomRotation90
    random_scale_crop_and_pad_to_square: RandomScaleCropAndPadToSquare
    random_self_concat_image: RandomSelfConcatImage
    random_square_crop: RandomSquareCrop
    random_square_crop_by_scale: RandomSquareCropByScale
    random_vertical_flip: RandomVerticalFlip
    remap_labels: RemapLabels
    resize_image: ResizeImage
    rgb_to_gray: RGBtoGray
    scale_boxes_to_pixel_coordinates: ScaleBoxesToPixelCoordinates
    ssd_random_crop: SSDRandomCrop
    ssd_random_crop_fixed_aspect_ratio: SSDRandomCropFixedAspectRatio
    ssd_random_crop_pad: SSDRandomCropPad
    ssd_random_crop_pad_fixed_aspect_ratio: SSDRandomCropPadFixedAspectRatio
    subtract_channel_mean: SubtractChannelMean
    def __init__(self, normalize_image: _Optional[_Union[NormalizeImage, _Mapping]] = ..., random_horizontal_flip: _Optional[_Union[RandomHorizontalFlip, _Mapping]] = ..., random_pixel_value_scale: _Optional[_Union[RandomPixelValueScale, _Mapping]] = ..., random_image_scale: _Optional[_Union[RandomImageScale, _Mapping]] = ..., random_rgb_to_gray: _Optional[_Union[RandomRGBtoGray, _Mapping]] = ..., random_adjust_brightness: _Optional[_Union[RandomAdjustBrightness, _Mapping]] = ..., random_adjust_contrast: _Optional[_Union[RandomAdjustContrast, _Mapping]] = ..., random_adjust_hue: _Optional[_Union[RandomAdjustHue, _Mapping]] = ..., random_adjust_saturation: _Optional[_Union[RandomAdjustSaturation, _Mapping]] = ..., random_distort_color: _Optional[_Union[RandomDistortColor, _Mapping]] = ..., random_jitter_boxes: _Optional[_Union[RandomJitterBoxes, _Mapping]] = ..., random_crop_image: _Optional[_Union[RandomCropImage, _Mapping]] = ..., random_pad_image: _Optional[_Union[RandomPadImage, _Mapping]] = ..., random_crop_pad_image: _Optional[_Union[RandomCropPadImage, _Mapping]] = ..., random_crop_to_aspect_ratio: _Optional[_Union[RandomCropToAspectRatio, _Mapping]] = ..., random_black_patches: _Optional[_Union[RandomBlackPatches, _Mapping]] = ..., random_resize_method: _Optional[_Union[RandomResizeMethod, _Mapping]] = ..., scale_boxes_to_pixel_coordinates: _Optional[_Union[ScaleBoxesToPixelCoordinates, _Mapping]] = ..., resize_image: _Optional[_Union[ResizeImage, _Mapping]] = ..., subtract_channel_mean: _Optional[_Union[SubtractChannelMean, _Mapping]] = ..., ssd_random_crop: _Optional[_Union[SSDRandomCrop, _Mapping]] = ..., ssd_random_crop_pad: _Optional[_Union[SSDRandomCropPad, _Mapping]] = ..., ssd_random_crop_fixed_aspect_ratio: _Optional[_Union[SSDRandomCropFixedAspectRatio, _Mapping]] = ..., ssd_random_crop_pad_fixed_aspect_ratio: _Optional[_Union[SSDRandomCropPadFixedAspectRatio, _Mapping]] = ..., random_vertical_flip: _Optional[_Union[RandomVerticalFlip, _Mapping]] = ..., random_rotation90: _Optional[_Union[RandomRotation90, _Mapping]] = ..., rgb_to_gray: _Optional[_Union[RGBtoGray, _Mapping]] = ..., convert_class_logits_to_softmax: _Optional[_Union[ConvertClassLogitsToSoftmax, _Mapping]] = ..., random_absolute_pad_image: _Optional[_Union[RandomAbsolutePadImage, _Mapping]] = ..., random_self_concat_image: _Optional[_Union[RandomSelfConcatImage, _Mapping]] = ..., autoaugment_image: _Optional[_Union[AutoAugmentImage, _Mapping]] = ..., drop_label_probabilistically: _Optional[_Union[DropLabelProbabilistically, _Mapping]] = ..., remap_labels: _Optional[_Union[RemapLabels, _Mapping]] = ..., random_jpeg_quality: _Optional[_Union[RandomJpegQuality, _Mapping]] = ..., random_downscale_to_target_pixels: _Optional[_Union[RandomDownscaleToTargetPixels, _Mapping]] = ..., random_patch_gaussian: _Optional[_Union[RandomPatchGaussian, _Mapping]] = ..., random_square_crop_by_scale: _Optional[_Union[RandomSquareCropByScale, _Mapping]] = ..., random_scale_crop_and_pad_to_square: _Optional[_Union[RandomScaleCropAndPadToSquare, _Mapping]] = ..., adjust_gamma: _Optional[_Union[AdjustGamma, _Mapping]] = ..., random_rotation: _Optional[_Union[RandomRotation, _Mapping]] = ..., random_square_crop: _Optional[_Union[RandomSquareCrop, _Mapping]] = ..., mosaic: _Optional[_Union[Mosaic, _Mapping]] = ...) -> None: ...

class RGBtoGray(_message.Message):
    __slots__ = []
    def __init__(self) -> None: ...

class RandomAbsolutePadImage(_message.Message):
    __slots__ = ["max_height_padding", "max_width_padding", "pad_color"]
    MAX_HEIGHT_PADDING_FIELD_NUMBER: _ClassVar[int]
    MAX_WIDTH_PADDING_FIELD_NUMBER: _ClassVar[int]
    PAD_COLOR_FIELD_NUMBER: _ClassVar[int]
    max_height_padding: int
    max_width_padding: int
    pad_color: _containers.RepeatedScalarFieldContainer[float]
    def __init__(self, max_height_padding: _Optional[int] = ..., max_width_padding: _Optional[int] = ..., pad_color: _Optional[_Iterable[float]] = ...) -> None: ...

class RandomAdjustBrightness(_message.Message):
    __slots__ = ["max_delta"]
    MAX_DELTA_FIELD_NUMBER: _ClassVar[int]
    max_delta: float
    def __init__(self, max_delta: _Optional[float] = ...) -> None: ...

class RandomAdjustContrast(_message.Message):
    __slots__ = ["max_delta", "min_delta"]
    MAX_DELTA_FIELD_NUMBER: _ClassVar[int]
    MIN_DELTA_FIELD_NUMBER: _ClassVar[int]
    max_delta: float
    min_delta: float
    def __init__(self, min_delta: _Optional[float] = ..., max_delta: _Optional[float] = ...) -> None: ...

class RandomAdjustHue(_message.Message):
    __slots__ = ["max_delta"]
    MAX_DELTA_FIELD_NUMBER: _ClassVar[int]
    max_delta: float
    def __init__(self, max_delta: _Optional[float] = ...) -> None: ...

class RandomAdjustSaturation(_message.Message):
    __slots__ = ["max_delta", "min_delta"]
    MAX_DELTA_FIELD_NUMBER: _ClassVar[int]
    MIN_DELTA_FIELD_NUMBER: _ClassVar[int]
    max_delta: float
    min_delta: float
    def __init__(self, min_delta: _Optional[float] = ..., max_delta: _Optional[float] = ...) -> None: ...

class RandomBlackPatches(_message.Message):
    __slots__ = ["max_black_patches", "probability", "size_to_image_ratio"]
    MAX_BLACK_PATCHES_FIELD_NUMBER: _ClassVar[int]
    PROBABILITY_FIELD_NUMBER: _ClassVar[int]
    SIZE_TO_IMAGE_RATIO_FIELD_NUMBER: _ClassVar[int]
    max_black_patches: int
    probability: float
    size_to_image_ratio: float
    def __init__(self, max_black_patches: _Optional[int] = ..., probability: _Optional[float] = ..., size_to_image_ratio: _Optional[float] = ...) -> None: ...

class RandomCropImage(_message.Message):
    __slots__ = ["clip_boxes", "max_area", "max_aspect_ratio", "min_area", "min_aspect_ratio", "min_object_covered", "overlap_thresh", "random_coef"]
    CLIP_BOXES_FIELD_NUMBER: _ClassVar[int]
    MAX_AREA_FIELD_NUMBER: _ClassVar[int]
    MAX_ASPECT_RATIO_FIELD_NUMBER: _ClassVar[int]
    MIN_AREA_FIELD_NUMBER: _ClassVar[int]
    MIN_ASPECT_RATIO_FIELD_NUMBER: _ClassVar[int]
    MIN_OBJECT_COVERED_FIELD_NUMBER: _ClassVar[int]
    OVERLAP_THRESH_FIELD_NUMBER: _ClassVar[int]
    RANDOM_COEF_FIELD_NUMBER: _ClassVar[int]
    clip_boxes: bool
    max_area: float
    max_aspect_ratio: float
    min_area: float
    min_aspect_ratio: float
    min_object_covered: float
    overlap_thresh: float
    random_coef: float
    def __init__(self, min_object_covered: _Optional[float] = ..., min_aspect_ratio: _Optional[float] = ..., max_aspect_ratio: _Optional[float] = ..., min_area: _Optional[float] = ..., max_area: _Optional[float] = ..., overlap_thresh: _Optional[float] = ..., clip_boxes: bool = ..., random_coef: _Optional[float] = ...) -> None: ...

class RandomCropPadImage(_message.Message):
    __slots__ = ["clip_boxes", "max_area", "max_aspect_ratio", "max_padded_size_ratio", "min_area", "min_aspect_ratio", "min_object_covered", "min_padded_size_ratio", "overlap_thresh", "pad_color", "random_coef"]
    CLIP_BOXES_FIELD_NUMBER: _ClassVar[int]
    MAX_AREA_FIELD_NUMBER: _ClassVar[int]
    MAX_ASPECT_RATIO_FIELD_NUMBER: _ClassVar[int]
    MAX_PADDED_SIZE_RATIO_FIELD_NUMBER: _ClassVar[int]
    MIN_AREA_FIELD_NUMBER: _ClassVar[int]
    MIN_ASPECT_RATIO_FIELD_NUMBER: _ClassVar[int]
    MIN_OBJECT_COVERED_FIELD_NUMBER: _ClassVar[int]
    MIN_PADDED_SIZE_RATIO_FIELD_NUMBER: _ClassVar[int]
    OVERLAP_THRESH_FIELD_NUMBER: _ClassVar[int]
    PAD_COLOR_FIELD_NUMBER: _ClassVar[int]
    RANDOM_COEF_FIELD_NUMBER: _ClassVar[int]
    clip_boxes: bool
    max_area: float
    max_aspect_ratio: float
    max_padded_size_ratio: _containers.RepeatedScalarFieldContainer[float]
    min_area: float
    min_aspect_ratio: float
    min_object_covered: float
    min_padded_size_ratio: _containers.RepeatedScalarFieldContainer[float]
    overlap_thresh: float
    pad_color: _containers.RepeatedScalarFieldContainer[float]
    random_coef: float
    def __init__(self, min_object_covered: _Optional[float] = ..., min_aspect_ratio: _Optional[float] = ..., max_aspect_ratio: _Optional[float] = ..., min_area: _Optional[float] = ..., max_area: _Optional[float] = ..., overlap_thresh: _Optional[float] = ..., clip_boxes: bool = ..., random_coef: _Optional[float] = ..., min_padded_size_ratio: _Optional[_Iterable[float]] = ..., max_padded_size_ratio: _Optional[_Iterable[float]] = ..., pad_color: _Optional[_Iterable[float]] = ...) -> None: ...

class RandomCropToAspectRatio(_message.Message):
    __slots__ = ["aspect_ratio", "clip_boxes", "overlap_thresh"]
    ASPECT_RATIO_FIELD_NUMBER: _ClassVar[int]
    CLIP_BOXES_FIELD_NUMBER: _ClassVar[int]
    OVERLAP_THRESH_FIELD_NUMBER: _ClassVar[int]
    aspect_ratio: float
    clip_boxes: bool
    overlap_thresh: float
    def __init__(self, aspect_ratio: _Optional[float] = ..., overlap_thresh: _Optional[float] = ..., clip_boxes: bool = ...) -> None: ...

class RandomDistortColor(_message.Message):
    __slots__ = ["color_ordering"]
    COLOR_ORDERING_FIELD_NUMBER: _ClassVar[int]
    color_ordering: int
    def __init__(self, color_ordering: _Optional[int] = ...) -> None: ...

class RandomDownscaleToTargetPixels(_message.Message):
    __slots__ = ["max_target_pixels", "min_target_pixels", "random_coef"]
    MAX_TARGET_PIXELS_FIELD_NUMBER: _ClassVar[int]
    MIN_TARGET_PIXELS_FIELD_NUMBER: _ClassVar[int]
    RANDOM_COEF_FIELD_NUMBER: _ClassVar[int]
    max_target_pixels: int
    min_target_pixels: int
    random_coef: float
    def __init__(self, random_coef: _Optional[float] = ..., min_target_pixels: _Optional[int] = ..., max_target_pixels: _Optional[int] = ...) -> None: ...

class RandomHorizontalFlip(_message.Message):
    __slots__ = ["keypoint_flip_permutation", "probability"]
    KEYPOINT_FLIP_PERMUTATION_FIELD_NUMBER: _ClassVar[int]
    PROBABILITY_FIELD_NUMBER: _ClassVar[int]
    keypoint_flip_permutation: _containers.RepeatedScalarFieldContainer[int]
    probability: float
    def __init__(self, keypoint_flip_permutation: _Optional[_Iterable[int]] = ..., probability: _Optional[float] = ...) -> None: ...

class RandomImageScale(_message.Message):
    __slots__ = ["max_scale_ratio", "min_scale_ratio"]
    MAX_SCALE_RATIO_FIELD_NUMBER: _ClassVar[int]
    MIN_SCALE_RATIO_FIELD_NUMBER: _ClassVar[int]
    max_scale_ratio: float
    min_scale_ratio: float
    def __init__(self, min_scale_ratio: _Optional[float] = ..., max_scale_ratio: _Optional[float] = ...) -> None: ...

class RandomJitterBoxes(_message.Message):
    __slots__ = ["jitter_mode", "ratio"]
    class JitterMode(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = []
    DEFAULT: RandomJitterBoxes.JitterMode
    EXPAND: RandomJitterBoxes.JitterMode
    EXPAND_SYMMETRIC: RandomJitterBoxes.JitterMode
    EXPAND_SYMMETRIC_XY: RandomJitterBoxes.JitterMode
    JITTER_MODE_FIELD_NUMBER: _ClassVar[int]
    RATIO_FIELD_NUMBER: _ClassVar[int]
    SHRINK: RandomJitterBoxes.JitterMode
    SHRINK_SYMMETRIC: RandomJitterBoxes.JitterMode
    SHRINK_SYMMETRIC_XY: RandomJitterBoxes.JitterMode
    jitter_mode: RandomJitterBoxes.JitterMode
    ratio: float
    def __init__(self, ratio: _Optional[float] = ..., jitter_mode: _Optional[_Union[RandomJitterBoxes.JitterMode, str]] = ...) -> None: ...

class RandomJpegQuality(_message.Message):
    __slots__ = ["max_jpeg_quality", "min_jpeg_quality", "random_coef"]
    MAX_JPEG_QUALITY_FIELD_NUMBER: _ClassVar[int]
    MIN_JPEG_QUALITY_FIELD_NUMBER: _ClassVar[int]
    RANDOM_COEF_FIELD_NUMBER: _ClassVar[int]
    max_jpeg_quality: int
    min_jpeg_quality: int
    random_coef: float
    def __init__(self, random_coef: _Optional[float] = ..., min_jpeg_quality: _Optional[int] = ..., max_jpeg_quality: _Optional[int] = ...) -> None: ...

class RandomPadImage(_message.Message):
    __slots__ = ["max_image_height", "max_image_width", "min_image_height", "min_image_width", "pad_color"]
    MAX_IMAGE_HEIGHT_FIELD_NUMBER: _ClassVar[int]
    MAX_IMAGE_WIDTH_FIELD_NUMBER: _ClassVar[int]
    MIN_IMAGE_HEIGHT_FIELD_NUMBER: _ClassVar[int]
    MIN_IMAGE_WIDTH_FIELD_NUMBER: _ClassVar[int]
    PAD_COLOR_FIELD_NUMBER: _ClassVar[int]
    max_image_height: int
    max_image_width: int
    min_image_height: int
    min_image_width: int
    pad_color: _containers.RepeatedScalarFieldContainer[float]
    def __init__(self, min_image_height: _Optional[int] = ..., min_image_width: _Optional[int] = ..., max_image_height: _Optional[int] = ..., max_image_width: _Optional[int] = ..., pad_color: _Optional[_Iterable[float]] = ...) -> None: ...

class RandomPatchGaussian(_message.Message):
    __slots__ = ["max_gaussian_stddev", "max_patch_size", "min_gaussian_stddev", "min_patch_size", "random_coef"]
    MAX_GAUSSIAN_STDDEV_FIELD_NUMBER: _ClassVar[int]
    MAX_PATCH_SIZE_FIELD_NUMBER: _ClassVar[int]
    MIN_GAUSSIAN_STDDEV_FIELD_NUMBER: _ClassVar[int]
    MIN_PATCH_SIZE_FIELD_NUMBER: _ClassVar[int]
    RANDOM_COEF_FIELD_NUMBER: _ClassVar[int]
    max_gaussian_stddev: float
    max_patch_size: int
    min_gaussian_stddev: float
    min_patch_size: int
    random_coef: float
    def __init__(self, random_coef: _Optional[float] = ..., min_patch_size: _Optional[int] = ..., max_patch_size: _Optional[int] = ..., min_gaussian_stddev: _Optional[float] = ..., max_gaussian_stddev: _Optional[float] = ...) -> None: ...

class RandomPixelValueScale(_message.Message):
    __slots__ = ["maxval", "minval"]
    MAXVAL_FIELD_NUMBER: _ClassVar[int]
    MINVAL_FIELD_NUMBER: _ClassVar[int]
    maxval: float
    minval: float
    def __init__(self, minval: _Optional[float] = ..., maxval: _Optional[float] = ...) -> None: ...

class RandomRGBtoGray(_message.Message):
    __slots__ = ["probability"]
    PROBABILITY_FIELD_NUMBER: _ClassVar[int]
    probability: float
    def __init__(self, probability: _Optional[float] = ...) -> None: ...

class RandomResizeMethod(_message.Message):
    __slots__ = ["target_height", "target_width"]
    TARGET_HEIGHT_FIELD_NUMBER: _ClassVar[int]
    TARGET_WIDTH_FIELD_NUMBER: _ClassVar[int]
    target_height: int
    target_width: int
    def __init__(self, target_height: _Optional[int] = ..., target_width: _Optional[int] = ...) -> None: ...

class RandomRotation(_message.Message):
    __slots__ = ["box_shape", "expand", "max_angle", "min_angle", "overlap_thresh", "pad_color", "probability"]
    class BoxShape(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = []
    BOX_SHAPE_FIELD_NUMBER: _ClassVar[int]
    ELLIPSE: RandomRotation.BoxShape
    EXPAND_FIELD_NUMBER: _ClassVar[int]
    MAX_ANGLE_FIELD_NUMBER: _ClassVar[int]
    MIN_ANGLE_FIELD_NUMBER: _ClassVar[int]
    OVERLAP_THRESH_FIELD_NUMBER: _ClassVar[int]
    PAD_COLOR_FIELD_NUMBER: _ClassVar[int]
    PROBABILITY_FIELD_NUMBER: _ClassVar[int]
    RECTANGLE: RandomRotation.BoxShape
    box_shape: RandomRotation.BoxShape
    expand: bool
    max_angle: float
    min_angle: float
    overlap_thresh: float
    pad_color: _containers.RepeatedScalarFieldContainer[float]
    probability: float
    def __init__(self, min_angle: _Optional[float] = ..., max_angle: _Optional[float] = ..., probability: _Optional[float] = ..., expand: bool = ..., box_shape: _Optional[_Union[RandomRotation.BoxShape, str]] = ..., overlap_thresh: _Optional[float] = ..., pad_color: _Optional[_Iterable[float]] = ...) -> None: ...

class RandomRotation90(_message.Message):
    __slots__ = ["keypoint_rot_permutation", "probability"]
    KEYPOINT_ROT_PERMUTATION_FIELD_NUMBER: _ClassVar[int]
    PROBABILITY_FIELD_NUMBER: _ClassVar[int]
    keypoint_rot_permutation: _containers.RepeatedScalarFieldContainer[int]
    probability: float
    def __init__(self, keypoint_rot_permutation: _Optional[_Iterable[int]] = ..., probability: _Optional[float] = ...) -> None: ...

class RandomScaleCropAndPadToSquare(_message.Message):
    __slots__ = ["output_size", "scale_max", "scale_min"]
    OUTPUT_SIZE_FIELD_NUMBER: _ClassVar[int]
    SCALE_MAX_FIELD_NUMBER: _ClassVar[int]
    SCALE_MIN_FIELD_NUMBER: _ClassVar[int]
    output_size: int
    scale_max: float
    scale_min: float
    def __init__(self, output_size: _Optional[int] = ..., scale_min: _Optional[float] = ..., scale_max: _Optional[float] = ...) -> None: ...

class RandomSelfConcatImage(_message.Message):
    __slots__ = ["concat_horizontal_probability", "concat_vertical_probability"]
    CONCAT_HORIZONTAL_PROBABILITY_FIELD_NUMBER: _ClassVar[int]
    CONCAT_VERTICAL_PROBABILITY_FIELD_NUMBER: _ClassVar[int]
    concat_horizontal_probability: float
    concat_vertical_probability: float
    def __init__(self, concat_vertical_probability: _Optional[float] = ..., concat_horizontal_probability: _Optional[float] = ...) -> None: ...

class RandomSquareCrop(_message.Message):
    __slots__ = ["factor", "max_attempts", "max_factor", "min_factor", "pad_color", "probability"]
    FACTOR_FIELD_NUMBER: _ClassVar[int]
    MAX_ATTEMPTS_FIELD_NUMBER: _ClassVar[int]
    MAX_FACTOR_FIELD_NUMBER: _ClassVar[int]
    MIN_FACTOR_FIELD_NUMBER: _ClassVar[int]
    PAD_COLOR_FIELD_NUMBER: _ClassVar[int]
    PROBABILITY_FIELD_NUMBER: _ClassVar[int]
    factor: _containers.RepeatedScalarFieldContainer[float]
    max_attempts: int
    max_factor: float
    min_factor: float
    pad_color: _containers.RepeatedScalarFieldContainer[float]
    probability: float
    def __init__(self, factor: _Optional[_Iterable[float]] = ..., min_factor: _Optional[float] = ..., max_factor: _Optional[float] = ..., max_attempts: _Optional[int] = ..., probability: _Optional[float] = ..., pad_color: _Optional[_Iterable[float]] = ...) -> None: ...

class RandomSquareCropByScale(_message.Message):
    __slots__ = ["max_border", "num_scales", "scale_max", "scale_min"]
    MAX_BORDER_FIELD_NUMBER: _ClassVar[int]
    NUM_SCALES_FIELD_NUMBER: _ClassVar[int]
    SCALE_MAX_FIELD_NUMBER: _ClassVar[int]
    SCALE_MIN_FIELD_NUMBER: _ClassVar[int]
    max_border: int
    num_scales: int
    scale_max: float
    scale_min: float
    def __init__(self, max_border: _Optional[int] = ..., scale_min: _Optional[float] = ..., scale_max: _Optional[float] = ..., num_scales: _Optional[int] = ...) -> None: ...

class RandomVerticalFlip(_message.Message):
    __slots__ = ["keypoint_flip_permutation", "probability"]
    KEYPOINT_FLIP_PERMUTATION_FIELD_NUMBER: _ClassVar[int]
    PROBABILITY_FIELD_NUMBER: _ClassVar[int]
    keypoint_flip_permutation: _containers.RepeatedScalarFieldContainer[int]
    probability: float
    def __init__(self, keypoint_flip_permutation: _Optional[_Iterable[int]] = ..., probability: _Optional[float] = ...) -> None: ...

class RemapLabels(_message.Message):
    __slots__ = ["new_label", "original_labels"]
    NEW_LABEL_FIELD_NUMBER: _ClassVar[int]
    ORIGINAL_LABELS_FIELD_NUMBER: _ClassVar[int]
    new_label: int
    original_labels: _containers.RepeatedScalarFieldContainer[int]
    def __init__(self, original_labels: _Optional[_Iterable[int]] = ..., new_label: _Optional[int] = ...) -> None: ...

class ResizeImage(_message.Message):
    __slots__ = ["method", "new_height", "new_width"]
    class Method(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = []
    AREA: ResizeImage.Method
    BICUBIC: ResizeImage.Method
    BILINEAR: ResizeImage.Method
    METHOD_FIELD_NUMBER: _ClassVar[int]
    NEAREST_NEIGHBOR: ResizeImage.Method
    NEW_HEIGHT_FIELD_NUMBER: _ClassVar[int]
    NEW_WIDTH_FIELD_NUMBER: _ClassVar[int]
    method: ResizeImage.Method
    new_height: int
    new_width: int
    def __init__(self, new_height: _Optional[int] = ..., new_width: _Optional[int] = ..., method: _Optional[_Union[ResizeImage.Method, str]] = ...) -> None: ...

class SSDRandomCrop(_message.Message):
    __slots__ = ["operations"]
    OPERATIONS_FIELD_NUMBER: _ClassVar[int]
    operations: _containers.RepeatedCompositeFieldContainer[SSDRandomCropOperation]
    def __init__(self, operations: _Optional[_Iterable[_Union[SSDRandomCropOperation, _Mapping]]] = ...) -> None: ...

class SSDRandomCropFixedAspectRatio(_message.Message):
    __slots__ = ["aspect_ratio", "operations"]
    ASPECT_RATIO_FIELD_NUMBER: _ClassVar[int]
    OPERATIONS_FIELD_NUMBER: _ClassVar[int]
    aspect_ratio: float
    operations: _containers.RepeatedCompositeFieldContainer[SSDRandomCropFixedAspectRatioOperation]
    def __init__(self, operations: _Optional[_Iterable[_Union[SSDRandomCropFixedAspectRatioOperation, _Mapping]]] = ..., aspect_ratio: _Optional[float] = ...) -> None: ...

class SSDRandomCropFixedAspectRatioOperation(_message.Message):
    __slots__ = ["clip_boxes", "max_area", "min_area", "min_object_covered", "overlap_thresh", "random_coef"]
    CLIP_BOXES_FIELD_NUMBER: _ClassVar[int]
    MAX_AREA_FIELD_NUMBER: _ClassVar[int]
    MIN_AREA_FIELD_NUMBER: _ClassVar[int]
    MIN_OBJECT_COVERED_FIELD_NUMBER: _ClassVar[int]
    OVERLAP_THRESH_FIELD_NUMBER: _ClassVar[int]
    RANDOM_COEF_FIELD_NUMBER: _ClassVar[int]
    clip_boxes: bool
    max_area: float
    min_area: float
    min_object_covered: float
    overlap_thresh: float
    random_coef: float
    def __init__(self, min_object_covered: _Optional[float] = ..., min_area: _Optional[float] = ..., max_area: _Optional[float] = ..., overlap_thresh: _Optional[float] = ..., clip_boxes: bool = ..., random_coef: _Optional[float] = ...) -> None: ...

class SSDRandomCropOperation(_message.Message):
    __slots__ = ["clip_boxes", "max_area", "max_aspect_ratio", "min_area", "min_aspect_ratio", "min_object_covered", "overlap_thresh", "random_coef"]
    CLIP_BOXES_FIELD_NUMBER: _ClassVar[int]
    MAX_AREA_FIELD_NUMBER: _ClassVar[int]
    MAX_ASPECT_RATIO_FIELD_NUMBER: _ClassVar[int]
    MIN_AREA_FIELD_NUMBER: _ClassVar[int]
    MIN_ASPECT_RATIO_FIELD_NUMBER: _ClassVar[int]
    MIN_OBJECT_COVERED_FIELD_NUMBER: _ClassVar[int]
    OVERLAP_THRESH_FIELD_NUMBER: _ClassVar[int]
    RANDOM_COEF_FIELD_NUMBER: _ClassVar[int]
    clip_boxes: bool
    max_area: float
    max_aspect_ratio: float
    min_area: float
    min_aspect_ratio: float
    min_object_covered: float
    overlap_thresh: float
    random_coef: float
    def __init__(self, min_object_covered: _Optional[float] = ..., min_aspect_ratio: _Optional[float] = ..., max_aspect_ratio: _Optional[float] = ..., min_area: _Optional[float] = ..., max_area: _Optional[float] = ..., overlap_thresh: _Optional[float] = ..., clip_boxes: bool = ..., random_coef: _Optional[float] = ...) -> None: ...

class SSDRandomCropPad(_message.Message):
    __slots__ = ["operations"]
    OPERATIONS_FIELD_NUMBER: _ClassVar[int]
    operations: _containers.RepeatedCompositeFieldContainer[SSDRandomCropPadOperation]
    def __init__(self, operations: _Optional[_Iterable[_Union[SSDRandomCropPadOperation, _Mapping]]] = ...) -> None: ...

class SSDRandomCropPadFixedAspectRatio(_message.Message):
    __slots__ = ["aspect_ratio", "max_padded_size_ratio", "min_padded_size_ratio", "operations"]
    ASPECT_RATIO_FIELD_NUMBER: _ClassVar[int]
    MAX_PADDED_SIZE_RATIO_FIELD_NUMBER: _ClassVar[int]
    MIN_PADDED_SIZE_RATIO_FIELD_NUMBER: _ClassVar[int]
    OPERATIONS_FIELD_NUMBER: _ClassVar[int]
    aspect_ratio: float
    max_padded_size_ratio: _containers.RepeatedScalarFieldContainer[float]
    min_padded_size_ratio: _containers.RepeatedScalarFieldContainer[float]
    operations: _containers.RepeatedCompositeFieldContainer[SSDRandomCropPadFixedAspectRatioOperation]
    def __init__(self, operations: _Optional[_Iterable[_Union[SSDRandomCropPadFixedAspectRatioOperation, _Mapping]]] = ..., aspect_ratio: _Optional[float] = ..., min_padded_size_ratio: _Optional[_Iterable[float]] = ..., max_padded_size_ratio: _Optional[_Iterable[float]] = ...) -> None: ...

class SSDRandomCropPadFixedAspectRatioOperation(_message.Message):
    __slots__ = ["clip_boxes", "max_area", "max_aspect_ratio", "min_area", "min_aspect_ratio", "min_object_covered", "overlap_thresh", "random_coef"]
    CLIP_BOXES_FIELD_NUMBER: _ClassVar[int]
    MAX_AREA_FIELD_NUMBER: _ClassVar[int]
    MAX_ASPECT_RATIO_FIELD_NUMBER: _ClassVar[int]
    MIN_AREA_FIELD_NUMBER: _ClassVar[int]
    MIN_ASPECT_RATIO_FIELD_NUMBER: _ClassVar[int]
    MIN_OBJECT_COVERED_FIELD_NUMBER: _ClassVar[int]
    OVERLAP_THRESH_FIELD_NUMBER: _ClassVar[int]
    RANDOM_COEF_FIELD_NUMBER: _ClassVar[int]
    clip_boxes: bool
    max_area: float
    max_aspect_ratio: float
    min_area: float
    min_aspect_ratio: float
    min_object_covered: float
    overlap_thresh: float
    random_coef: float
    def __init__(self, min_object_covered: _Optional[float] = ..., min_aspect_ratio: _Optional[float] = ..., max_aspect_ratio: _Optional[float] = ..., min_area: _Optional[float] = ..., max_area: _Optional[float] = ..., overlap_thresh: _Optional[float] = ..., clip_boxes: bool = ..., random_coef: _Optional[float] = ...) -> None: ...

class SSDRandomCropPadOperation(_message.Message):
    __slots__ = ["clip_boxes", "max_area", "max_aspect_ratio", "max_padded_size_ratio", "min_area", "min_aspect_ratio", "min_object_covered", "min_padded_size_ratio", "overlap_thresh", "pad_color_b", "pad_color_g", "pad_color_r", "random_coef"]
    CLIP_BOXES_FIELD_NUMBER: _ClassVar[int]
    MAX_AREA_FIELD_NUMBER: _ClassVar[int]
    MAX_ASPECT_RATIO_FIELD_NUMBER: _ClassVar[int]
    MAX_PADDED_SIZE_RATIO_FIELD_NUMBER: _ClassVar[int]
    MIN_AREA_FIELD_NUMBER: _ClassVar[int]
    MIN_ASPECT_RATIO_FIELD_NUMBER: _ClassVar[int]
    MIN_OBJECT_COVERED_FIELD_NUMBER: _ClassVar[int]
    MIN_PADDED_SIZE_RATIO_FIELD_NUMBER: _ClassVar[int]
    OVERLAP_THRESH_FIELD_NUMBER: _ClassVar[int]
    PAD_COLOR_B_FIELD_NUMBER: _ClassVar[int]
    PAD_COLOR_G_FIELD_NUMBER: _ClassVar[int]
    PAD_COLOR_R_FIELD_NUMBER: _ClassVar[int]
    RANDOM_COEF_FIELD_NUMBER: _ClassVar[int]
    clip_boxes: bool
    max_area: float
    max_aspect_ratio: float
    max_padded_size_ratio: _containers.RepeatedScalarFieldContainer[float]
    min_area: float
    min_aspect_ratio: float
    min_object_covered: float
    min_padded_size_ratio: _containers.RepeatedScalarFieldContainer[float]
    overlap_thresh: float
    pad_color_b: float
    pad_color_g: float
    pad_color_r: float
    random_coef: float
    def __init__(self, min_object_covered: _Optional[float] = ..., min_aspect_ratio: _Optional[float] = ..., max_aspect_ratio: _Optional[float] = ..., min_area: _Optional[float] = ..., max_area: _Optional[float] = ..., overlap_thresh: _Optional[float] = ..., clip_boxes: bool = ..., random_coef: _Optional[float] = ..., min_padded_size_ratio: _Optional[_Iterable[float]] = ..., max_padded_size_ratio: _Optional[_Iterable[float]] = ..., pad_color_r: _Optional[float] = ..., pad_color_g: _Optional[float] = ..., pad_color_b: _Optional[float] = ...) -> None: ...

class ScaleBoxesToPixelCoordinates(_message.Message):
    __slots__ = []
    def __init__(self) -> None: ...

class SubtractChannelMean(_message.Message):
    __slots__ = ["means"]
    MEANS_FIELD_NUMBER: _ClassVar[int]
    means: _containers.RepeatedScalarFieldContainer[float]
    def __init__(self, means: _Optional[_Iterable[float]] = ...) -> None: ...
