"""`matcher` message -> matcher."""

from typing import Any

from object_detection.builders import cases
from object_detection.core.matcher import Matcher
from object_detection.matchers.argmax_matcher import ArgMaxMatcher
from object_detection.matchers.bipartite_matcher import GreedyBipartiteMatcher
from object_detection.protos import matcher_pb2
from object_detection.registry import Table

MATCHERS = Table("matcher")


@MATCHERS.entry("argmax_matcher")
def _argmax_matcher(config: Any) -> Matcher:
    thresholds: dict[str, float] = {}
    if not config.ignore_thresholds:
        thresholds = {
            "matched_threshold": config.matched_threshold,
            "unmatched_threshold": config.unmatched_threshold,
        }
    return ArgMaxMatcher(
        matched_threshold=thresholds.get("matched_threshold"),
        unmatched_threshold=thresholds.get("unmatched_threshold"),
        negatives_lower_than_unmatched=config.negatives_lower_than_unmatched,
        force_match_for_each_row=config.force_match_for_each_row,
        use_matmul_gather=config.use_matmul_gather,
    )


@MATCHERS.entry("bipartite_matcher")
def _bipartite_matcher(config: Any) -> Matcher:
    return GreedyBipartiteMatcher(use_matmul_gather=config.use_matmul_gather)


def build(matcher_config: Any) -> Matcher:
    """Builds the matcher of a `Matcher` message; `ConfigError` if it is not available."""
    return cases.build_case(MATCHERS, matcher_config, matcher_pb2.Matcher, "matcher_oneof")
