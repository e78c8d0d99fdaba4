"""`image_resizer` message -> function that resizes one picture."""

import functools
from collections.abc import Callable
from typing import Any

import tensorflow.compat.v1 as tf

from object_detection.core import preprocessor
from object_detection.errors import ConfigError
from object_detection.protos import image_resizer_pb2
from object_detection.registry import Table
from object_detection.utils import shape_utils

IMAGE_RESIZERS = Table("image_resizer")
ImageResizer = Callable[..., list[tf.Tensor]]

_METHODS = {
    image_resizer_pb2.BILINEAR: tf.image.ResizeMethod.BILINEAR,
    image_resizer_pb2.NEAREST_NEIGHBOR: tf.image.ResizeMethod.NEAREST_NEIGHBOR,
    image_resizer_pb2.BICUBIC: tf.image.ResizeMethod.BICUBIC,
    image_resizer_pb2.AREA: tf.image.ResizeMethod.AREA,
}


@IMAGE_RESIZERS.entry("fixed_shape_resizer")
def _fixed_shape(config: Any) -> ImageResizer:
    method = _METHODS[config.resize_method]

    def of_batch(images: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """[B, H, W, C] -> [B, height, width, C] and shapes [B, 3]."""
        pictures, _, _, channels = shape_utils.combined_static_and_dynamic_shape(images)
        resized = tf.image.resize_images(images, [config.height, config.width], method=method)
        shape = tf.stack([config.height, config.width, channels])
        return resized, tf.broadcast_to(shape, [pictures, 3])

    resize = functools.partial(
        preprocessor.resize_image,
        new_height=config.height,
        new_width=config.width,
        method=method,
    )
    # See `shape_utils.resize_images_and_return_shapes`.
    resize.of_batch = of_batch  # type: ignore[attr-defined]
    return resize


@IMAGE_RESIZERS.entry("keep_aspect_ratio_resizer")
def _keep_aspect_ratio(config: Any) -> ImageResizer:
    if config.min_dimension > config.max_dimension:
        raise ConfigError(
            f"keep_aspect_ratio_resizer: min_dimension {config.min_dimension} is above "
            f"max_dimension {config.max_dimension}."
        )
    return functools.partial(
        preprocessor.resize_to_range,
        min_dimension=config.min_dimension,
        max_dimension=config.max_dimension,
        method=_METHODS[config.resize_method],
        pad_to_max_dimension=config.pad_to_max_dimension,
        per_channel_pad_value=tuple(config.per_channel_pad_value) or (0, 0, 0),
    )


@IMAGE_RESIZERS.entry("identity_resizer")
def _identity(_: Any) -> ImageResizer:
    def keep(image: tf.Tensor, masks: tf.Tensor | None = None, **unused: Any) -> list[tf.Tensor]:
        del unused
        shape = tf.shape(image)
        return [image, shape] if masks is None else [image, masks, shape]

    return keep


@IMAGE_RESIZERS.entry("conditional_shape_resizer")
def _conditional_shape(config: Any) -> ImageResizer:
    method = _METHODS[config.resize_method]
    if config.condition == config.GREATER:
        return functools.partial(
            preprocessor.resize_to_max_dimension,
            max_dimension=config.size_threshold,
            method=method,
        )
    if config.condition == config.SMALLER:
        return functools.partial(
            preprocessor.resize_to_min_dimension,
            min_dimension=config.size_threshold,
            method=method,
        )
    raise ConfigError("conditional_shape_resizer: condition should be GREATER or SMALLER.")


@IMAGE_RESIZERS.entry("pad_to_multiple_resizer")
def _pad_to_multiple(config: Any) -> ImageResizer:
    if config.multiple < 1:
        raise ConfigError(
            f"pad_to_multiple_resizer: multiple should be 1 or more, is {config.multiple}."
        )
    return functools.partial(preprocessor.resize_pad_to_multiple, multiple=config.multiple)


def _then_gray(resize: ImageResizer) -> ImageResizer:
    """A resizer whose picture has one channel."""

    def resize_to_gray(image: tf.Tensor, masks: tf.Tensor | None = None) -> list[tf.Tensor]:
        resized, *more, shape = resize(image, masks=masks)
        return [preprocessor.rgb_to_gray(resized), *more, tf.concat([shape[:-1], [1]], axis=0)]

    return resize_to_gray


def build(image_resizer_config: Any) -> ImageResizer:
    """Builds what an `ImageResizer` message says.

    Returns:
        A function of ([H, W, C], masks=None) -> [picture, (masks,) shape before padding [3]].

    Raises:
        ConfigError: not such a message, no resizer in it, or one that contradicts itself.
    """
    if not isinstance(image_resizer_config, image_resizer_pb2.ImageResizer):
        raise ConfigError(
            f"image_resizer: expected an ImageResizer message, got {type(image_resizer_config)}."
        )
    case = image_resizer_config.WhichOneof("image_resizer_oneof")
    build_one = IMAGE_RESIZERS[case]
    config = getattr(image_resizer_config, case)
    resizer: ImageResizer = build_one(config)
    return _then_gray(resizer) if getattr(config, "convert_to_grayscale", False) else resizer
