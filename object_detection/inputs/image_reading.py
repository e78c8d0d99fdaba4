"""How pictures are read for training: as much of their files as augmentation leaves."""

import functools
from collections.abc import Callable
from typing import Any

import tensorflow.compat.v1 as tf

from object_detection.core import encoded_image
from object_detection.errors import ConfigError
from object_detection.utils import jpeg_scaling


def image_reader(
    train_config: Any, input_config: Any, model_config: Any
) -> Callable[[tf.Tensor], encoded_image.Image] | None:
    """Gives pictures that augmentation decodes, [] string -> `EncodedImage`.

    Args:
        train_config: `TrainConfig` message.
        input_config: `InputReader` message.
        model_config: `DetectionModel` message.

    Returns:
        None where all pixels are needed before augmentation.

    Raises:
        ConfigError: `fast_jpeg_scaling` is set, but something else excludes it.
    """
    problems = list(jpeg_scaling.problems(train_config, model_config, input_config))
    if problems:
        raise ConfigError("\n".join(problems))
    if input_config.num_additional_channels or train_config.retain_original_images:
        return None
    if not input_config.fast_jpeg_scaling:
        return encoded_image.from_file
    return functools.partial(encoded_image.from_file, enough=jpeg_scaling.enough(model_config))
