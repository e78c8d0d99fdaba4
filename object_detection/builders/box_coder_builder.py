"""`box_coder` message -> box coder."""

from typing import Any

from object_detection.box_coders.faster_rcnn_box_coder import FasterRcnnBoxCoder
from object_detection.box_coders.keypoint_box_coder import KeypointBoxCoder
from object_detection.box_coders.mean_stddev_box_coder import MeanStddevBoxCoder
from object_detection.box_coders.square_box_coder import SquareBoxCoder
from object_detection.builders import cases
from object_detection.core.box_coder import BoxCoder
from object_detection.protos import box_coder_pb2
from object_detection.registry import Table

BOX_CODERS = Table("box_coder")


def _yxhw(config: Any) -> list[float]:
    return [config.y_scale, config.x_scale, config.height_scale, config.width_scale]


@BOX_CODERS.entry("faster_rcnn_box_coder")
def _faster_rcnn_box_coder(config: Any) -> BoxCoder:
    return FasterRcnnBoxCoder(scale_factors=_yxhw(config))


@BOX_CODERS.entry("keypoint_box_coder")
def _keypoint_box_coder(config: Any) -> BoxCoder:
    return KeypointBoxCoder(num_keypoints=config.num_keypoints, scale_factors=_yxhw(config))


@BOX_CODERS.entry("mean_stddev_box_coder")
def _mean_stddev_box_coder(config: Any) -> BoxCoder:
    return MeanStddevBoxCoder(stddev=config.stddev)


@BOX_CODERS.entry("square_box_coder")
def _square_box_coder(config: Any) -> BoxCoder:
    return SquareBoxCoder(scale_factors=[config.y_scale, config.x_scale, config.length_scale])


def build(box_coder_config: Any) -> BoxCoder:
    """Builds the coder of a `BoxCoder` message; `ConfigError` if it is not available."""
    return cases.build_case(BOX_CODERS, box_coder_config, box_coder_pb2.BoxCoder, "box_coder_oneof")
