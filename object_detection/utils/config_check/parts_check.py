"""What in single parts of a model contradicts itself: resizer, anchors, matcher, suppression, scores.

Part of `config_check`. Needs no TensorFlow.
"""

import itertools
from collections.abc import Iterator
from typing import Any


def problems(architecture: Any, where: str) -> Iterator[str]:
    """What is wrong with parts that both architectures have.

    Args:
        architecture: `Ssd` or `FasterRcnn` message.
        where: its path in the pipeline.
    """
    yield from _resizer(architecture.image_resizer, f"{where}.image_resizer")
    if hasattr(architecture, "post_processing"):
        anchors = "anchor_generator"
        yield from _matcher(architecture.matcher, f"{where}.matcher")
        name, last = "post_processing", architecture.post_processing
    else:
        anchors = "first_stage_anchor_generator"
        name, last = "second_stage_post_processing", architecture.second_stage_post_processing
    yield from _anchors(getattr(architecture, anchors), f"{where}.{anchors}")
    yield from _suppression(
        last.batch_non_max_suppression, f"{where}.{name}.batch_non_max_suppression"
    )
    yield from _calibration(last.calibration_config, f"{where}.{name}.calibration_config")


def _resizer(resizer: Any, where: str) -> Iterator[str]:
    conditional = resizer.conditional_shape_resizer
    if resizer.HasField("conditional_shape_resizer") and not conditional.condition:
        yield f"{where}.conditional_shape_resizer.condition: should be GREATER or SMALLER."
    colors = len(resizer.keep_aspect_ratio_resizer.per_channel_pad_value)
    if colors not in (0, 3):
        yield (
            f"{where}.keep_aspect_ratio_resizer.per_channel_pad_value: has {colors} numbers; give one "
            "for each of 3 channels."
        )


def _anchors(generator: Any, where: str) -> Iterator[str]:
    ssd = generator.ssd_anchor_generator
    for what in ("stride", "offset"):
        heights, widths = (len(getattr(ssd, f"{side}_{what}")) for side in ("height", "width"))
        if heights != widths:
            yield (
                f"{where}.ssd_anchor_generator.height_{what}: has {heights} numbers, but "
                f"width_{what} has {widths}; give one of each for every layer."
            )
    for number, grid in enumerate(generator.flexible_grid_anchor_generator.anchor_grid):
        if len(grid.base_sizes) != len(grid.aspect_ratios):
            yield (
                f"{where}.flexible_grid_anchor_generator.anchor_grid[{number}].base_sizes: has "
                f"{len(grid.base_sizes)} numbers, but aspect_ratios has {len(grid.aspect_ratios)}; "
                "an anchor is one of each."
            )
    for field in _empty_lists(generator):
        yield f"{where}.{field}: is empty, so there would be no anchor. Give one number at least."


def _empty_lists(generator: Any) -> Iterator[str]:
    """Lists without which a feature map has no anchor, and which are empty."""
    kind = generator.WhichOneof("anchor_generator_oneof")
    if not kind:
        return
    config = getattr(generator, kind)
    if kind == "grid_anchor_generator":
        names = ["scales", "aspect_ratios"]
    elif kind == "multiscale_anchor_generator" or (
        kind == "ssd_anchor_generator" and config.interpolated_scale_aspect_ratio <= 0
    ):
        names = ["aspect_ratios"]
    else:
        names = []
    yield from (f"{kind}.{name}" for name in names if not getattr(config, name))
    if kind == "flexible_grid_anchor_generator":
        for number, grid in enumerate(config.anchor_grid):
            if not grid.base_sizes and not grid.aspect_ratios:
                yield f"{kind}.anchor_grid[{number}].base_sizes"


def _matcher(matcher: Any, where: str) -> Iterator[str]:
    config, where = matcher.argmax_matcher, f"{where}.argmax_matcher"
    if not matcher.HasField("argmax_matcher") or config.ignore_thresholds:
        return
    if (
        not config.negatives_lower_than_unmatched
        and config.matched_threshold == config.unmatched_threshold
    ):
        yield (
            f"{where}.negatives_lower_than_unmatched: is false, so that the negatives lie between "
            "unmatched_threshold and matched_threshold; these must differ."
        )


def _suppression(config: Any, where: str) -> Iterator[str]:
    if config.use_combined_nms and config.use_class_agnostic_nms:
        yield f"{where}.use_combined_nms: excludes use_class_agnostic_nms; set one of them."
    if config.use_combined_nms and config.soft_nms_sigma:
        yield f"{where}.use_combined_nms: excludes soft_nms_sigma; set one of them."


def _calibration(config: Any, where: str) -> Iterator[str]:
    case = config.WhichOneof("calibrator")
    if case == "function_approximation":
        yield from _points(config.function_approximation.x_y_pairs, f"{where}.{case}.x_y_pairs", "")
    elif case == "class_id_function_approximations":
        field = f"{where}.{case}.class_id_xy_pairs_map"
        for number, pairs in config.class_id_function_approximations.class_id_xy_pairs_map.items():
            yield from _points(pairs, field, f" of class {number}")


def _points(pairs: Any, where: str, whose: str) -> Iterator[str]:
    x = [pair.x for pair in pairs.x_y_pair]
    if not x:
        yield f"{where}: has no x_y_pair{whose}; give at least one."
    elif any(one > following for one, following in itertools.pairwise(x)):
        yield f"{where}: x should rise from each x_y_pair{whose} to the next."
