"""`similarity_calculator` message -> region similarity calculator."""

from typing import Any

from object_detection.builders import cases
from object_detection.core import region_similarity_calculator as similarities
from object_detection.protos import region_similarity_calculator_pb2
from object_detection.registry import Table

SIMILARITIES = Table("similarity_calculator")


@SIMILARITIES.entry("iou_similarity")
def _iou(_: Any) -> similarities.RegionSimilarityCalculator:
    return similarities.IouSimilarity()


@SIMILARITIES.entry("ioa_similarity")
def _ioa(_: Any) -> similarities.RegionSimilarityCalculator:
    return similarities.IoaSimilarity()


@SIMILARITIES.entry("neg_sq_dist_similarity")
def _neg_sq_dist(_: Any) -> similarities.RegionSimilarityCalculator:
    return similarities.NegSqDistSimilarity()


@SIMILARITIES.entry("thresholded_iou_similarity")
def _thresholded_iou(config: Any) -> similarities.RegionSimilarityCalculator:
    return similarities.ThresholdedIouSimilarity(config.iou_threshold)


def build(region_similarity_calculator_config: Any) -> similarities.RegionSimilarityCalculator:
    """Builds what a `RegionSimilarityCalculator` message says."""
    return cases.build_case(
        SIMILARITIES,
        region_similarity_calculator_config,
        region_similarity_calculator_pb2.RegionSimilarityCalculator,
        "region_similarity",
    )
