"""What every box predictor offers: feature maps -> box codes and class logits."""

import abc
from typing import Any

import tensorflow.compat.v1 as tf

from object_detection.core import standard_fields as fields

BOX_ENCODINGS = fields.PredictionFields.box_encodings
CLASS_PREDICTIONS_WITH_BACKGROUND = fields.PredictionFields.class_predictions_with_background
KEYPOINT_VISIBILITIES = fields.PredictionFields.keypoint_visibilities
MASK_PREDICTIONS = fields.PredictionFields.mask_predictions


class BoxPredictor(abc.ABC):
    """Predicts for each anchor of each feature map."""

    def __init__(self, is_training: bool, num_classes: int) -> None:
        self._is_training = is_training
        self._num_classes = num_classes

    @property
    def is_keras_model(self) -> bool:
        """Always false: there is one world here."""
        return False

    @property
    def num_classes(self) -> int:
        """Number of classes, the background not counted."""
        return self._num_classes

    def predict(
        self,
        image_features: list[tf.Tensor],
        num_predictions_per_location: list[int],
        scope: str | None = None,
        **params: Any,
    ) -> dict[str, list[tf.Tensor]]:
        """Predictions of each feature map.

        Args:
            image_features: tensors [B, h_i, w_i, C_i].
            num_predictions_per_location: anchors of a location, one number a map.
            scope: variable scope around the predictor's own.
            **params: further arguments of the predictor.

        Returns:
            `box_encodings`: [B, n_i, q, code size] a map; `class_predictions_with_background`:
            [B, n_i, class slots] a map; `keypoint_visibilities`, if it predicts them: logits
            [B, n_i, K] a map; n_i = h_i * w_i * anchors of a location.

        Raises:
            ValueError: lists of different lengths.
        """
        if len(image_features) != len(num_predictions_per_location):
            raise ValueError(
                f"{len(image_features)} feature maps, but anchors for "
                f"{len(num_predictions_per_location)}. The anchor generator's layers and the "
                "feature extractor's must be as many."
            )
        if scope is None:
            return self._predict(image_features, num_predictions_per_location, **params)
        with tf.variable_scope(scope):
            return self._predict(image_features, num_predictions_per_location, **params)

    @abc.abstractmethod
    def _predict(
        self,
        image_features: list[tf.Tensor],
        num_predictions_per_location: list[int],
        **params: Any,
    ) -> dict[str, list[tf.Tensor]]:
        """What `predict` returns, its arguments checked."""
