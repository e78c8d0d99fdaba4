"""Two-stage detectors: proposals, then class, box and mask of each.

`proposals` is the first stage, `regions` and `detections` the second, `losses` what both learn
from; `meta_arch` puts them together.
"""

from object_detection.core.feature_extractor import FasterRCNNFeatureExtractor
from object_detection.meta_architectures.faster_rcnn.meta_arch import FasterRCNNMetaArch

__all__ = ["FasterRCNNFeatureExtractor", "FasterRCNNMetaArch"]
