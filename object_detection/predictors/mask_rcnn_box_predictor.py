"""The predictor of Mask R-CNN's second and third stages (arXiv:1703.06870)."""

from typing import Any

import tensorflow.compat.v1 as tf

from object_detection.core import box_predictor
from object_detection.core.box_predictor import (
    BOX_ENCODINGS,
    CLASS_PREDICTIONS_WITH_BACKGROUND,
    MASK_PREDICTIONS,
)
from object_detection.errors import ConfigError
from object_detection.predictors.heads.head import Head

__all__ = [
    "BOX_ENCODINGS",
    "CLASS_PREDICTIONS_WITH_BACKGROUND",
    "MASK_PREDICTIONS",
    "MaskRCNNBoxPredictor",
]


class MaskRCNNBoxPredictor(box_predictor.BoxPredictor):
    """Boxes and classes of regions in the second stage; masks or keypoints in the third."""

    def __init__(
        self,
        is_training: bool,
        num_classes: int,
        box_prediction_head: Head,
        class_prediction_head: Head,
        third_stage_heads: dict[str, Head],
    ) -> None:
        """Takes the heads.

        Args:
            is_training: whether the predictor is built to be trained.
            num_classes: number of classes, the background not counted.
            box_prediction_head: predicts box codes.
            class_prediction_head: predicts class logits.
            third_stage_heads: key of the result -> what predicts it.
        """
        super().__init__(is_training, num_classes)
        self._box_prediction_head = box_prediction_head
        self._class_prediction_head = class_prediction_head
        self._third_stage_heads = third_stage_heads

    def get_second_stage_prediction_heads(self) -> tuple[str, str]:
        """Keys of what the second stage predicts."""
        return BOX_ENCODINGS, CLASS_PREDICTIONS_WITH_BACKGROUND

    def get_third_stage_prediction_heads(self) -> list[str]:
        """Keys of what the third stage predicts."""
        return sorted(self._third_stage_heads)

    def _predict(
        self,
        image_features: list[tf.Tensor],
        num_predictions_per_location: list[int],
        **params: Any,
    ) -> dict[str, tf.Tensor]:
        """The predictions of one stage.

        Args:
            image_features: one tensor [N, h, w, C], the features of all regions.
            num_predictions_per_location: [1].
            **params: `prediction_stage`, 2 (by default) or 3.

        Returns:
            Stage 2: `box_encodings` [N, 1, classes or 1, code size] and
            `class_predictions_with_background` [N, 1, class slots]; stage 3: what the other heads
            predict, by name.

        Raises:
            ConfigError: not one prediction a region, not one tensor, or another stage.
        """
        if list(num_predictions_per_location) != [1] or len(image_features) != 1:
            raise ConfigError(
                f"{len(image_features)} feature maps and predictions a location "
                f"{list(num_predictions_per_location)}; mask_rcnn_box_predictor takes the features "
                "of all regions in one tensor and predicts once for each: [1]."
            )
        stage = params.get("prediction_stage", 2)
        (features,) = image_features
        if stage == 2:
            return {
                BOX_ENCODINGS: self._box_prediction_head.predict(features, 1),
                CLASS_PREDICTIONS_WITH_BACKGROUND: self._class_prediction_head.predict(features, 1),
            }
        if stage == 3:
            return {
                name: self._third_stage_heads[name].predict(features, 1)
                for name in self.get_third_stage_prediction_heads()
            }
        raise ConfigError(f"prediction_stage should be 2 or 3, got {stage}.")
