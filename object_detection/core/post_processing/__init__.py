"""Suppression of overlapping boxes, and conversion of logits to scores."""

from object_detection.core.post_processing.batched import batch_multiclass_non_max_suppression

__all__ = ["batch_multiclass_non_max_suppression"]
