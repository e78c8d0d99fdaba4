"""Builders of anchor generators, box coders, matchers and similarities."""

import pytest
from google.protobuf import text_format

from object_detection.anchor_generators import (
    flexible_grid_anchor_generator,
    grid_anchor_generator,
    multiple_grid_anchor_generator,
    multiscale_grid_anchor_generator,
)
from object_detection.box_coders import (
    faster_rcnn_box_coder,
    keypoint_box_coder,
    mean_stddev_box_coder,
    square_box_coder,
)
from object_detection.builders import (
    anchor_generator_builder,
    box_coder_builder,
    matcher_builder,
    region_similarity_calculator_builder,
)
from object_detection.core import region_similarity_calculator as similarities
from object_detection.matchers import argmax_matcher, bipartite_matcher
from object_detection.protos import (
    anchor_generator_pb2,
    argmax_matcher_pb2,
    box_coder_pb2,
    matcher_pb2,
    region_similarity_calculator_pb2,
)

BUILDERS = {
    anchor_generator_builder: anchor_generator_pb2.AnchorGenerator,
    box_coder_builder: box_coder_pb2.BoxCoder,
    matcher_builder: matcher_pb2.Matcher,
    region_similarity_calculator_builder: (
        region_similarity_calculator_pb2.RegionSimilarityCalculator
    ),
}


def _plain(value):
    """Sequences of any kind as lists."""
    if isinstance(value, list | tuple | range):
        return [_plain(one) for one in value]
    return value


@pytest.mark.parametrize(
    ("builder", "text", "kind", "settings"),
    [
        (
            box_coder_builder,
            "faster_rcnn_box_coder {}",
            faster_rcnn_box_coder.FasterRcnnBoxCoder,
            {"_scale_factors": [10.0, 10.0, 5.0, 5.0]},
        ),
        (
            box_coder_builder,
            """faster_rcnn_box_coder {
                 y_scale: 6 x_scale: 3 height_scale: 7 width_scale: 8 }""",
            faster_rcnn_box_coder.FasterRcnnBoxCoder,
            {"_scale_factors": [6.0, 3.0, 7.0, 8.0]},
        ),
        (
            box_coder_builder,
            "keypoint_box_coder { num_keypoints: 2 x_scale: 3 }",
            keypoint_box_coder.KeypointBoxCoder,
            {"_num_keypoints": 2, "_scale_factors": [10.0, 3.0, 5.0, 5.0]},
        ),
        (
            box_coder_builder,
            "mean_stddev_box_coder { stddev: 0.5 }",
            mean_stddev_box_coder.MeanStddevBoxCoder,
            {"_stddev": 0.5},
        ),
        (
            box_coder_builder,
            "square_box_coder { length_scale: 7 }",
            square_box_coder.SquareBoxCoder,
            {"_scale_factors": [10.0, 10.0, 7.0]},
        ),
        (
            matcher_builder,
            "argmax_matcher {}",
            argmax_matcher.ArgMaxMatcher,
            {
                "_matched_threshold": 0.5,
                "_unmatched_threshold": 0.5,
                "_negatives_lower_than_unmatched": True,
                "_force_match_for_each_row": False,
                "_use_matmul_gather": False,
            },
        ),
        (
            matcher_builder,
            "argmax_matcher { ignore_thresholds: true }",
            argmax_matcher.ArgMaxMatcher,
            {"_matched_threshold": None, "_unmatched_threshold": None},
        ),
        (
            matcher_builder,
            """argmax_matcher { matched_threshold: 0.75 unmatched_threshold: 0.25
                 negatives_lower_than_unmatched: false force_match_for_each_row: true
                 use_matmul_gather: true }""",
            argmax_matcher.ArgMaxMatcher,
            {
                "_matched_threshold": 0.75,
                "_unmatched_threshold": 0.25,
                "_negatives_lower_than_unmatched": False,
                "_force_match_for_each_row": True,
                "_use_matmul_gather": True,
            },
        ),
        (
            matcher_builder,
            "bipartite_matcher { use_matmul_gather: true }",
            bipartite_matcher.GreedyBipartiteMatcher,
            {"_use_matmul_gather": True},
        ),
        (
            region_similarity_calculator_builder,
            "neg_sq_dist_similarity {}",
            similarities.NegSqDistSimilarity,
            {},
        ),
        (
            region_similarity_calculator_builder,
            "iou_similarity {}",
            similarities.IouSimilarity,
            {},
        ),
        (
            region_similarity_calculator_builder,
            "ioa_similarity {}",
            similarities.IoaSimilarity,
            {},
        ),
        (
            region_similarity_calculator_builder,
            "thresholded_iou_similarity { iou_threshold: 0.25 }",
            similarities.ThresholdedIouSimilarity,
            {"_iou_threshold": 0.25},
        ),
        (
            anchor_generator_builder,
            "grid_anchor_generator {}",
            grid_anchor_generator.GridAnchorGenerator,
            {
                "_scales": [],
                "_aspect_ratios": [],
                "_base_anchor_size": [256.0, 256.0],
                "_anchor_stride": [16.0, 16.0],
                "_anchor_offset": [0.0, 0.0],
            },
        ),
        (
            anchor_generator_builder,
            """grid_anchor_generator { height: 128 width: 512 height_stride: 10 width_stride: 20
                 height_offset: 30 width_offset: 40 scales: [0.5, 2.0] aspect_ratios: [0.25] }""",
            grid_anchor_generator.GridAnchorGenerator,
            {
                "_scales": [0.5, 2.0],
                "_aspect_ratios": [0.25],
                "_base_anchor_size": [128.0, 512.0],
                "_anchor_stride": [10.0, 20.0],
                "_anchor_offset": [30.0, 40.0],
            },
        ),
        (
            anchor_generator_builder,
            """ssd_anchor_generator { num_layers: 2 aspect_ratios: [1.0] scales: [0.25, 0.5]
                 interpolated_scale_aspect_ratio: 0 reduce_boxes_in_lowest_layer: false
                 height_stride: 16 height_stride: 32 width_stride: 20 width_stride: 30
                 height_offset: 8 height_offset: 16 width_offset: 0 width_offset: 10
                 base_anchor_height: 1 base_anchor_width: 2 }""",
            multiple_grid_anchor_generator.MultipleGridAnchorGenerator,
            {
                "_scales": [[0.25], [0.5]],
                "_aspect_ratios": [[1.0], [1.0]],
                "_anchor_strides": [[16, 20], [32, 30]],
                "_anchor_offsets": [[8, 0], [16, 10]],
                "_base_anchor_size": [1.0, 2.0],
            },
        ),
        (
            anchor_generator_builder,
            """ssd_anchor_generator { num_layers: 2 min_scale: 0.25 max_scale: 0.5
                 aspect_ratios: [2.0, 4.0] interpolated_scale_aspect_ratio: 0 }""",
            multiple_grid_anchor_generator.MultipleGridAnchorGenerator,
            {"_anchor_strides": None, "_anchor_offsets": None, "_base_anchor_size": [1.0, 1.0]},
        ),
        (
            anchor_generator_builder,
            """multiscale_anchor_generator { min_level: 2 max_level: 4 anchor_scale: 3
                 aspect_ratios: [1.0, 2.0] scales_per_octave: 1 normalize_coordinates: false }""",
            multiscale_grid_anchor_generator.MultiscaleGridAnchorGenerator,
            {
                "_levels": [2, 3, 4],
                "_anchor_scale": 3.0,
                "_aspect_ratios": [1.0, 2.0],
                "_octave_scales": [1.0],
                "_normalize_coordinates": False,
            },
        ),
        (
            anchor_generator_builder,
            """flexible_grid_anchor_generator {
                 anchor_grid { base_sizes: [1.5, 2.5] aspect_ratios: [1.0, 2.0]
                   height_stride: 16 width_stride: 20 height_offset: 8 width_offset: 9 }
                 anchor_grid { base_sizes: [8.0, 4.0] aspect_ratios: [1.0, 0.5]
                   height_stride: 32 width_stride: 30 } }""",
            flexible_grid_anchor_generator.FlexibleGridAnchorGenerator,
            {
                "_base_sizes": [[1.5, 2.5], [8.0, 4.0]],
                "_aspect_ratios": [[1.0, 2.0], [1.0, 0.5]],
                "_anchor_strides": [[16, 20], [32, 30]],
                "_anchor_offsets": [[8, 9], [0, 0]],
                "_normalize_coordinates": True,
            },
        ),
    ],
)
def test_every_case(builder, text, kind, settings):
    part = builder.build(text_format.Parse(text, BUILDERS[builder]()))
    assert type(part) is kind
    assert {name: _plain(getattr(part, name)) for name in settings} == settings


@pytest.mark.parametrize("builder", BUILDERS, ids=lambda builder: builder.__name__.split(".")[-1])
def test_messages_that_say_nothing(builder):
    with pytest.raises(ValueError, match="Choose one of"):
        builder.build(BUILDERS[builder]())
    for other in ("", None, argmax_matcher_pb2.ArgMaxMatcher()):
        with pytest.raises(ValueError, match="message is needed"):
            builder.build(other)


def test_strides_of_one_axis_only():
    config = text_format.Parse(
        "ssd_anchor_generator { num_layers: 1 height_stride: 16 }",
        anchor_generator_pb2.AnchorGenerator(),
    )
    with pytest.raises(ValueError, match="1 height_stride but 0 width_stride"):
        anchor_generator_builder.build(config)
