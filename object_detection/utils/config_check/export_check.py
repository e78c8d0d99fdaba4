"""Checks of how a graph is to be exported. Needs no TensorFlow.

Part of `config_check`; the exporter uses it too.
"""

from collections.abc import Iterator
from typing import Any


def export_problems(export: Any, model: Any, quantized: bool) -> Iterator[str]:
    """What is wrong with an `ExportConfig` message.

    Args:
        export: the message.
        model: the `DetectionModel` message of the same config.
        quantized: whether the config has a `graph_rewriter`.
    """
    if export.compute_type == export.BFLOAT16 and quantized:
        yield (
            "export_config.compute_type: is BFLOAT16, which excludes graph_rewriter: its graph "
            "imitates integers; leave one of them out."
        )
    if export.raw_detections and not model.HasField("ssd"):
        yield (
            "export_config.raw_detections: is for model.ssd; the second stage of model.faster_rcnn "
            "needs the suppression of the first. Leave it out."
        )
