"""`BoxMaskList` under the OD API's import path; the code is in `metrics.np_box_lists`."""

from object_detection.metrics.np_box_lists import (
    BoxMaskList,
)

__all__ = [
    "BoxMaskList",
]
