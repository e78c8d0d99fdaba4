"""What `fast_jpeg_scaling` of the training reader needs. Needs no TensorFlow.

JPEG pictures are decoded with sides divided by 2, 4 or 8 where that is still enough for the
network. So nothing after the decoder may count in pixels, or cut more away.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from object_detection.protos import input_reader_pb2
from object_detection.utils import config_util

# Steps that choose the part of a picture that is decoded.
_CHOOSE = (
    "random_horizontal_flip",
    "random_vertical_flip",
    "random_crop_image",
    "random_crop_to_aspect_ratio",
    "ssd_random_crop",
    "ssd_random_crop_fixed_aspect_ratio",
)
# Steps after which it is all the same how many pixels a picture has.
_COLOR = (
    "normalize_image",
    "random_pixel_value_scale",
    "random_rgb_to_gray",
    "random_adjust_brightness",
    "random_adjust_contrast",
    "random_adjust_hue",
    "random_adjust_saturation",
    "random_distort_color",
    "adjust_gamma",
    "rgb_to_gray",
    "subtract_channel_mean",
    "random_horizontal_flip",
    "random_vertical_flip",
    "random_rotation90",
)
_BOXES = (
    "random_jitter_boxes",
    "remap_labels",
    "drop_label_probabilistically",
    "convert_class_logits_to_softmax",
)


def enough(model: Any) -> tuple[int, int] | None:
    """Height and width that a picture needs so that the network's input loses nothing.

    Args:
        model: `DetectionModel` message.

    Returns:
        None if the image resizer does not say a size.
    """
    resizer = config_util.get_image_resizer_config(model)
    if resizer.WhichOneof("image_resizer_oneof") == "fixed_shape_resizer":
        return resizer.fixed_shape_resizer.height, resizer.fixed_shape_resizer.width
    if resizer.WhichOneof("image_resizer_oneof") == "keep_aspect_ratio_resizer":
        # The shorter side becomes this, or less where the longer one would be too long.
        return (resizer.keep_aspect_ratio_resizer.min_dimension,) * 2
    return None


def problems(train: Any, model: Any, reader: Any) -> Iterator[str]:
    """Why `fast_jpeg_scaling` of a reader, if it is set, cannot be done.

    Args:
        train: `TrainConfig` message.
        model: `DetectionModel` message.
        reader: `InputReader` message of the training.
    """
    if not reader.fast_jpeg_scaling:
        return
    where = "train_input_reader.fast_jpeg_scaling"
    if enough(model) is None:
        yield (
            f"{where}: needs fixed_shape_resizer or keep_aspect_ratio_resizer, which say how large a "
            "picture has to be."
        )
    if reader.input_type == input_reader_pb2.TF_SEQUENCE_EXAMPLE:
        yield f"{where}: excludes TF_SEQUENCE_EXAMPLE, whose frames are decoded as a whole."
    if reader.num_additional_channels:
        yield f"{where}: excludes num_additional_channels, whose pictures keep their size."
    if train.retain_original_images:
        yield f"{where}: excludes train_config.retain_original_images; set one of the two."
    yield from _step_problems(where, train.data_augmentation_options)


def _step_problems(where: str, options: Sequence[Any]) -> Iterator[str]:
    decoded = False
    for index, step in enumerate(options):
        case = step.WhichOneof("preprocessing_step")
        named = f"{where}: train_config.data_augmentation_options[{index}].{case}"
        if case not in (*_CHOOSE, *_COLOR, *_BOXES):
            yield f"{named} counts in pixels of the whole picture; leave one of the two out."
        elif decoded and case not in (*_COLOR, *_BOXES):
            yield f"{named} cuts what is decoded already; put crops before changes of colour."
        decoded |= case in _COLOR and case not in _CHOOSE
