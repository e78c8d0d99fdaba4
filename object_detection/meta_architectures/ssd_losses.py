"""From targets and predictions of anchors to the losses of an SSD.

Axes:   B images, N anchors, C classes, K keypoints.
Frames: anchors and codes are normalised to the picture as the network sees it.
"""

import dataclasses
from collections.abc import Callable
from typing import Any, NamedTuple

import tensorflow.compat.v1 as tf

from object_detection.core import standard_fields as fields
from object_detection.core.box_coder import BoxCoder, bounded_boxes
from object_detection.core.keypoint_loss import BOX_NUMBERS, KeypointLoss
from object_detection.core.keypoint_visibility import KeypointVisibilityLoss
from object_detection.core.losses import HardExampleMiner, Loss
from object_detection.core.target_assigner import Targets
from object_detection.errors import ConfigError
from object_detection.meta_architectures import ssd_keypoints, ssd_targets
from object_detection.utils import ops

Predictions = fields.PredictionFields


class Truth(NamedTuple):
    """What the predictions are compared with."""

    targets: Targets
    background: tf.Tensor  # [classes], class target of anchors without a box
    keypoints: ssd_keypoints.KeypointTruth | None  # None if codes hold none
    annotated: tf.Tensor | None  # [B] booleans, false where a picture does not count; None: all do


@dataclasses.dataclass(frozen=True)
class SSDLosses:
    """The losses and their weights; see `SSDMetaArch` for what each is."""

    box_coder: BoxCoder
    classification_loss: Loss
    localization_loss: Loss
    classification_loss_weight: float
    localization_loss_weight: float
    normalize_loss_by_num_matches: bool
    normalize_loc_loss_by_codesize: bool
    hard_example_miner: HardExampleMiner | None
    expected_loss_weights_fn: Callable[..., Any] | None
    keypoint_loss: KeypointLoss | None
    keypoint_visibility_loss: KeypointVisibilityLoss | None
    add_summaries: bool

    def __post_init__(self) -> None:
        """Refuses losses that do not fit the codes.

        Raises:
            ConfigError: a keypoint loss has codes without keypoints, or a loss of boxes has codes of
                which the keypoints are left without one.
        """
        size = self.box_coder.code_size
        if self.keypoint_loss is not None and size <= BOX_NUMBERS:
            raise ConfigError(
                "ssd: keypoint_loss needs codes that hold keypoints, but the box coder's have "
                f"{size} numbers; use keypoint_box_coder."
            )
        if self.localization_loss.of_boxes and self.keypoint_loss is None and size > BOX_NUMBERS:
            raise ConfigError(
                f"ssd: {type(self.localization_loss).__name__} is a loss of boxes alone, but the box "
                f"coder's codes have {size} numbers, so that keypoints would have no loss; add "
                "keypoint_loss {}, or use a loss of codes, for example weighted_smooth_l1."
            )

    def __call__(
        self, prediction_dict: dict[str, Any], anchors: tf.Tensor, truth: Truth
    ) -> dict[str, tf.Tensor]:
        """The losses by name, scalars.

        Args:
            prediction_dict: as `SSDMetaArch.predict` returns it.
            anchors: [N, 4].
            truth: of the same pictures.
        """
        location_loss, class_loss = self._sums(prediction_dict, anchors, truth)
        normalizer = tf.constant(1.0)
        if self.normalize_loss_by_num_matches:
            normalizer = tf.maximum(tf.reduce_sum(truth.targets.code_weights), 1.0)
        location_normalizer = normalizer
        if self.normalize_loc_loss_by_codesize:
            location_normalizer *= (
                self.box_coder.code_size if self.keypoint_loss is None else BOX_NUMBERS
            )
        losses = {
            "Loss/localization_loss": tf.multiply(
                self.localization_loss_weight / location_normalizer,
                location_loss,
                name="localization_loss",
            ),
            "Loss/classification_loss": tf.multiply(
                self.classification_loss_weight / normalizer,
                class_loss,
                name="classification_loss",
            ),
        }
        if truth.keypoints is not None:
            losses |= self._of_keypoints(prediction_dict, anchors, truth, truth.keypoints)
        return losses

    def _sums(
        self, prediction_dict: dict[str, Any], anchors: tf.Tensor, truth: Truth
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Localisation and classification loss, summed over the anchors that count."""
        codes = prediction_dict[Predictions.box_encodings]
        logits = prediction_dict[Predictions.class_predictions_with_background]
        targets = truth.targets
        location_losses = self.localization_loss(
            self._located(codes, prediction_dict, anchors),
            self._located(targets.codes, prediction_dict, anchors),
            ignore_nan_targets=True,
            weights=targets.code_weights,
            losses_mask=truth.annotated,
        )

        def class_losses_against(classes: tf.Tensor) -> tf.Tensor:
            return self.classification_loss(
                logits, classes, weights=targets.class_weights, losses_mask=truth.annotated
            )

        class_losses = class_losses_against(targets.classes)
        if self.expected_loss_weights_fn is not None:
            return ssd_targets.expected_losses(
                location_losses,
                class_losses,
                class_losses_against(tf.broadcast_to(truth.background, tf.shape(targets.classes))),
                targets.classes,
                self.expected_loss_weights_fn,
            )
        if self.hard_example_miner is None:
            return tf.reduce_sum(location_losses), tf.reduce_sum(class_losses)
        decoded, _ = self.box_coder.decode_tensors(codes, anchors)
        mined = self.hard_example_miner.mine(
            location_losses,
            ops.reduce_sum_trailing_dimensions(class_losses, 2),
            tf.stop_gradient(decoded),
            targets.match,
        )
        if self.add_summaries:
            self.hard_example_miner.summarize()
        return mined

    def _located(
        self, codes: tf.Tensor, prediction_dict: dict[str, Any], anchors: tf.Tensor
    ) -> tf.Tensor:
        """What the localisation loss sees of codes.

        All, or the box's numbers if keypoints have their own loss, or the box they stand for.
        """
        if self.localization_loss.of_boxes:
            return bounded_boxes(codes, anchors, self.box_coder, _picture_size(prediction_dict))
        return codes if self.keypoint_loss is None else codes[..., :BOX_NUMBERS]

    def _of_keypoints(
        self,
        prediction_dict: dict[str, Any],
        anchors: tf.Tensor,
        truth: Truth,
        keypoints: ssd_keypoints.KeypointTruth,
    ) -> dict[str, tf.Tensor]:
        """The losses that keypoints have by themselves."""
        losses: dict[str, tf.Tensor] = {}
        if self.keypoint_loss is not None:
            errors = ssd_keypoints.keypoint_errors(
                truth.targets,
                keypoints,
                prediction_dict[Predictions.box_encodings],
                anchors,
                self.box_coder,
                _picture_size(prediction_dict),
                truth.annotated,
            )
            losses["Loss/keypoint_loss"] = tf.identity(
                self.keypoint_loss(errors), name="keypoint_loss"
            )
        if self.keypoint_visibility_loss is not None:
            if Predictions.keypoint_visibilities not in prediction_dict:
                raise ConfigError(
                    "ssd: keypoint_visibility_loss needs a predictor that gives "
                    f"{Predictions.keypoint_visibilities}, but it gives {sorted(prediction_dict)}."
                )
            losses["Loss/keypoint_visibility_loss"] = tf.identity(
                self.keypoint_visibility_loss(
                    prediction_dict[Predictions.keypoint_visibilities],
                    ssd_keypoints.visibility_targets(truth.targets, keypoints, truth.annotated),
                ),
                name="keypoint_visibility_loss",
            )
        return losses


def _picture_size(prediction_dict: dict[str, Any]) -> tf.Tensor:
    """[2] height and width in pixels of the network's input."""
    return tf.shape(prediction_dict["preprocessed_inputs"])[1:3]
