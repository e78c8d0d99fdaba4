"""The OD API's import path of two-stage detectors; see `meta_architectures.faster_rcnn`."""

from object_detection.meta_architectures.faster_rcnn import (
    FasterRCNNFeatureExtractor,
    FasterRCNNMetaArch,
)

# What stands for an extractor that is built later, in code for extractors made of Keras layers.
_UNINITIALIZED_FEATURE_EXTRACTOR = "__uninitialized__"

__all__ = ["_UNINITIALIZED_FEATURE_EXTRACTOR", "FasterRCNNFeatureExtractor", "FasterRCNNMetaArch"]
