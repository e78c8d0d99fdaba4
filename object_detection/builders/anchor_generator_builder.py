"""`anchor_generator` message -> anchor generator."""

from typing import Any

from object_detection.anchor_generators import (
    flexible_grid_anchor_generator,
    grid_anchor_generator,
    multiple_grid_anchor_generator,
    multiscale_grid_anchor_generator,
)
from object_detection.builders import cases
from object_detection.core.anchor_generator import AnchorGenerator
from object_detection.errors import ConfigError
from object_detection.protos import anchor_generator_pb2
from object_detection.registry import Table

ANCHOR_GENERATORS = Table("anchor_generator")


@ANCHOR_GENERATORS.entry("grid_anchor_generator")
def _grid(config: Any) -> AnchorGenerator:
    return grid_anchor_generator.GridAnchorGenerator(
        scales=list(config.scales),
        aspect_ratios=list(config.aspect_ratios),
        base_anchor_size=[float(config.height), float(config.width)],
        anchor_stride=[float(config.height_stride), float(config.width_stride)],
        anchor_offset=[float(config.height_offset), float(config.width_offset)],
    )


def _pairs(config: Any, what: str) -> list[tuple[float, float]] | None:
    heights, widths = getattr(config, f"height_{what}"), getattr(config, f"width_{what}")
    if len(heights) != len(widths):
        raise ConfigError(
            f"ssd_anchor_generator: {len(heights)} height_{what} but {len(widths)} width_{what}; "
            "give one of each for every layer."
        )
    return [(float(h), float(w)) for h, w in zip(heights, widths, strict=True)] or None


@ANCHOR_GENERATORS.entry("ssd_anchor_generator")
def _ssd(config: Any) -> AnchorGenerator:
    return multiple_grid_anchor_generator.create_ssd_anchors(
        num_layers=config.num_layers,
        min_scale=config.min_scale,
        max_scale=config.max_scale,
        scales=list(config.scales),
        aspect_ratios=list(config.aspect_ratios),
        interpolated_scale_aspect_ratio=config.interpolated_scale_aspect_ratio,
        base_anchor_size=(config.base_anchor_height, config.base_anchor_width),
        anchor_strides=_pairs(config, "stride"),
        anchor_offsets=_pairs(config, "offset"),
        reduce_boxes_in_lowest_layer=config.reduce_boxes_in_lowest_layer,
    )


@ANCHOR_GENERATORS.entry("multiscale_anchor_generator")
def _multiscale(config: Any) -> AnchorGenerator:
    return multiscale_grid_anchor_generator.MultiscaleGridAnchorGenerator(
        config.min_level,
        config.max_level,
        config.anchor_scale,
        list(config.aspect_ratios),
        config.scales_per_octave,
        config.normalize_coordinates,
    )


@ANCHOR_GENERATORS.entry("flexible_grid_anchor_generator")
def _flexible(config: Any) -> AnchorGenerator:
    grids = config.anchor_grid
    return flexible_grid_anchor_generator.FlexibleGridAnchorGenerator(
        base_sizes=[list(grid.base_sizes) for grid in grids],
        aspect_ratios=[list(grid.aspect_ratios) for grid in grids],
        anchor_strides=[(grid.height_stride, grid.width_stride) for grid in grids],
        anchor_offsets=[(grid.height_offset, grid.width_offset) for grid in grids],
        normalize_coordinates=config.normalize_coordinates,
    )


def build(anchor_generator_config: Any) -> AnchorGenerator:
    """Builds what an `AnchorGenerator` message says; `ConfigError` if it is not available."""
    return cases.build_case(
        ANCHOR_GENERATORS,
        anchor_generator_config,
        anchor_generator_pb2.AnchorGenerator,
        "anchor_generator_oneof",
    )
