"""`target_assigner` message -> TargetAssigner, and the assigners of published detectors."""

from typing import Any

from object_detection.box_coders.faster_rcnn_box_coder import FasterRcnnBoxCoder
from object_detection.box_coders.mean_stddev_box_coder import MeanStddevBoxCoder
from object_detection.builders import (
    box_coder_builder,
    matcher_builder,
    region_similarity_calculator_builder,
)
from object_detection.core.matcher import Matcher
from object_detection.core.region_similarity_calculator import IouSimilarity, NegSqDistSimilarity
from object_detection.core.target_assigner import TargetAssigner
from object_detection.errors import ConfigError
from object_detection.matchers.argmax_matcher import ArgMaxMatcher
from object_detection.matchers.bipartite_matcher import GreedyBipartiteMatcher
from object_detection.matchers.hungarian_matcher import HungarianBipartiteMatcher


def build(target_assigner_config: Any) -> TargetAssigner:
    """Builds the assigner of a `TargetAssigner` message.

    Args:
        target_assigner_config: the message.
    """
    return TargetAssigner(
        region_similarity_calculator_builder.build(target_assigner_config.similarity_calculator),
        matcher_builder.build(target_assigner_config.matcher),
        box_coder_builder.build(target_assigner_config.box_coder),
    )


def bipartite_matcher() -> Matcher:
    """The matcher of DETR (arXiv:2005.12872): the best one-to-one matching of all boxes."""
    return HungarianBipartiteMatcher()


def of_reference(
    reference: str, stage: str | None, negative_class_weight: float, use_matmul_gather: bool
) -> TargetAssigner:
    """See `core.target_assigner.create_target_assigner`.

    Sources: MultiBox, arXiv:1312.2249; Fast R-CNN, arXiv:1504.08083, section 2.3; Faster R-CNN,
    arXiv:1506.01497, section 3.1.2.
    """
    if (reference, stage) == ("Multibox", "proposal"):
        return TargetAssigner(
            NegSqDistSimilarity(),
            GreedyBipartiteMatcher(use_matmul_gather=use_matmul_gather),
            MeanStddevBoxCoder(),
            negative_class_weight,
        )
    scale_factors = [10.0, 10.0, 5.0, 5.0]
    if (reference, stage) == ("FasterRCNN", "proposal"):
        matcher = ArgMaxMatcher(
            matched_threshold=0.7,
            unmatched_threshold=0.3,
            force_match_for_each_row=True,
            use_matmul_gather=use_matmul_gather,
        )
        coder = FasterRcnnBoxCoder(scale_factors=scale_factors)
    elif (reference, stage) == ("FasterRCNN", "detection"):
        # Every proposal counts: there is nothing between the thresholds to be ignored.
        matcher = ArgMaxMatcher(
            matched_threshold=0.5,
            negatives_lower_than_unmatched=True,
            use_matmul_gather=use_matmul_gather,
        )
        coder = FasterRcnnBoxCoder(scale_factors=scale_factors)
    elif reference == "FastRCNN":
        matcher = ArgMaxMatcher(
            matched_threshold=0.5,
            unmatched_threshold=0.1,
            force_match_for_each_row=False,
            negatives_lower_than_unmatched=False,
            use_matmul_gather=use_matmul_gather,
        )
        coder = FasterRcnnBoxCoder()
    else:
        raise ConfigError(
            f"There is no target assigner {reference!r} with stage {stage!r}; allowed: 'Multibox' "
            "with 'proposal', 'FasterRCNN' with 'proposal' or 'detection', 'FastRCNN'."
        )
    return TargetAssigner(IouSimilarity(), matcher, coder, negative_class_weight)
