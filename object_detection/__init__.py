"""Detectors of boxes with K keypoints in TensorFlow: training, evaluation and export."""
