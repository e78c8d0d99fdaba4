"""What in the steps of the augmentation contradicts itself, above all in those of our own."""

import math
from collections.abc import Iterator, Sequence
from typing import Any

from object_detection.errors import ConfigError
from object_detection.protos import input_reader_pb2
from object_detection.utils import config_util

# Fields that samples of a mosaic cannot have, because nothing joins them.
_NOT_JOINED = ("load_multiclass_scores", "load_dense_pose")


def augmentation_problems(options: Sequence[Any], model: Any, reader: Any) -> Iterator[str]:
    """Problems of a list of `PreprocessingStep` messages.

    Args:
        options: the messages.
        model: `DetectionModel` message.
        reader: `InputReader` message of the training.
    """
    first_mosaic: int | None = None
    for index, step in enumerate(options):
        case = step.WhichOneof("preprocessing_step")
        where = f"train_config.data_augmentation_options[{index}].{case}"
        if case:
            yield from _pair_problems(where, getattr(step, case))
        if case == "subtract_channel_mean" and not reader.num_additional_channels:
            yield from _mean_problems(where, step.subtract_channel_mean)
        if case == "random_rotation":
            yield from _order(where, step.random_rotation, "min_angle", "max_angle")
        elif case == "random_square_crop":
            yield from _square_crop(where, step.random_square_crop)
        elif case == "mosaic":
            if first_mosaic is not None:
                yield f"{where}: there is one already, step {first_mosaic}; leave one of them out."
            first_mosaic = index
            yield from _mosaic(where, step.mosaic, model, reader)
        else:
            continue
        settings = getattr(step, case)
        for field in ("probability", "overlap_thresh"):
            share = getattr(settings, field, 0.0)
            if not 0 <= share <= 1:
                yield f"{where}.{field}: is {share:g}, should be 0 to 1."
        colors = len(settings.pad_color)
        if colors not in (0, 1, 3):
            yield f"{where}.pad_color: has {colors} numbers; give 3, or 1 for all channels."


def _mean_problems(where: str, settings: Any) -> Iterator[str]:
    if len(settings.means) != 3:
        yield f"{where}.means: has {len(settings.means)} numbers; give one for each of 3 channels."


def _pair_problems(where: str, settings: Any) -> Iterator[str]:
    """Bounds of a canvas that need a height and a width."""
    operations = getattr(settings, "operations", ())
    parts = [(where, settings)]
    parts += [(f"{where}.operations[{number}]", one) for number, one in enumerate(operations)]
    for path, part in parts:
        for name in ("min_padded_size_ratio", "max_padded_size_ratio"):
            count = len(getattr(part, name, ()))
            if count not in (0, 2):
                yield f"{path}.{name}: has {count} numbers; give height and width."
    for end in ("min", "max"):
        names = [f"{end}_image_height", f"{end}_image_width"]
        given = [name for name in names if hasattr(settings, name) and settings.HasField(name)]
        if len(given) == 1:
            yield f"{where}.{given[0]}: set both of {' and '.join(names)}, or neither."


def _order(where: str, settings: Any, low: str, high: str) -> Iterator[str]:
    """Ends of a range that are not numbers, or not in order."""
    least, most = getattr(settings, low), getattr(settings, high)
    if not (math.isfinite(least) and math.isfinite(most) and least <= most):
        yield f"{where}.{low}: is {least:g}, and {high} is {most:g}; give them in order."


def _square_crop(where: str, settings: Any) -> Iterator[str]:
    yield from _order(where, settings, "min_factor", "max_factor")
    if settings.min_factor <= 0:
        yield f"{where}.min_factor: is {settings.min_factor:g}, should be above 0."
    for factor in settings.factor:
        if not (math.isfinite(factor) and factor > 0):
            yield f"{where}.factor: {factor:g} should be above 0."
    if settings.factor and (settings.HasField("min_factor") or settings.HasField("max_factor")):
        yield f"{where}.factor: excludes min_factor and max_factor; set one of the two."
    if settings.max_attempts < 1:
        yield f"{where}.max_attempts: is {settings.max_attempts}, should be at least 1."


def _mosaic(where: str, settings: Any, model: Any, reader: Any) -> Iterator[str]:
    yield from _order(where, settings, "min_center", "max_center")
    yield from _order(where, settings, "min_scale", "max_scale")
    if settings.min_center < 0 or settings.max_center > 1:
        yield f"{where}.min_center: min_center and max_center are shares, from 0 to 1."
    if settings.min_scale <= 0:
        yield f"{where}.min_scale: is {settings.min_scale:g}, should be above 0."
    if settings.pool_size < 4:
        yield f"{where}.pool_size: is {settings.pool_size}; a mosaic has 4 pictures."
    sides = [settings.height, settings.width]
    if any(sides):
        if min(sides) < 2:
            yield f"{where}.height: give height and width, both at least 2, or neither."
    elif not _has_fixed_size(model):
        yield f"{where}.height: give height and width, because the image resizer fixes no size."
    for field in _NOT_JOINED:
        if getattr(reader, field):
            yield f"{where}: cannot join what train_input_reader.{field} reads; leave one out."
    if reader.input_type == input_reader_pb2.TF_SEQUENCE_EXAMPLE:
        yield f"{where}: joins no frames of sequences (train_input_reader.input_type)."


def _has_fixed_size(model: Any) -> bool:
    try:
        resizer = config_util.get_image_resizer_config(model)
        return min(config_util.get_spatial_image_size(resizer)) > 0
    except ConfigError:
        return True  # what is wrong with it is said elsewhere
