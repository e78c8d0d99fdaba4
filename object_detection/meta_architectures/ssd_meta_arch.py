"""Single-shot detectors: one pass predicts a box code and class scores for each anchor.

Source: SSD, arXiv:1512.02325; with feature pyramids and focal loss, RetinaNet, arXiv:1708.02002.

Axes:   B images, N anchors, M groundtruth boxes (padded), C classes, K keypoints, D detections.
Frames: anchors, groundtruth and detections are normalised to the resized and padded picture.
"""

from collections.abc import Callable
from typing import Any

import tensorflow.compat.v1 as tf
import tf_slim as slim

from object_detection.core import batch_norm, box_list, model
from object_detection.core import standard_fields as fields
from object_detection.core.anchor_generator import AnchorGenerator
from object_detection.core.box_coder import BoxCoder
from object_detection.core.box_predictor import BoxPredictor
from object_detection.core.feature_extractor import SSDFeatureExtractor
from object_detection.core.losses import HardExampleMiner, Loss
from object_detection.core.target_assigner import TargetAssigner, Targets
from object_detection.errors import ConfigError
from object_detection.utils import shape_utils

__all__ = ["SSDFeatureExtractor", "SSDMetaArch"]

Predictions = fields.PredictionFields
Detections = fields.DetectionResultFields
FEATURE_EXTRACTOR_SCOPE = "FeatureExtractor"


def hide_invisible_keypoints(keypoints: tf.Tensor, visibilities: tf.Tensor | None) -> tf.Tensor:
    """Keypoints [..., K, 2] with NaN where the visibility [..., K] is false.

    NaN is the one sign of absence that coders and losses understand, so whatever number an
    invisible keypoint holds can never reach a loss.
    """
    if visibilities is None:
        return keypoints
    visible = tf.cast(visibilities, tf.bool)[..., tf.newaxis]
    return tf.where(
        tf.broadcast_to(visible, tf.shape(keypoints)),
        keypoints,
        tf.fill(tf.shape(keypoints), tf.constant(float("nan"), keypoints.dtype)),
    )


def clip_windows(preprocessed_inputs: tf.Tensor, true_image_shapes: tf.Tensor) -> tf.Tensor:
    """[B, 4] windows of the true picture in the padded one, normalised to the padded one."""
    padded = tf.cast(tf.shape(preprocessed_inputs)[1:3], tf.float32)
    corner = tf.cast(true_image_shapes[:, :2], tf.float32) / padded
    return tf.concat([tf.zeros_like(corner), corner], axis=1)


class SSDMetaArch(model.DetectionModel):
    """A single-shot detector put together from its parts."""

    def __init__(
        self,
        is_training: bool,
        anchor_generator: AnchorGenerator,
        box_predictor: BoxPredictor,
        box_coder: BoxCoder,
        feature_extractor: SSDFeatureExtractor,
        encode_background_as_zeros: bool,
        image_resizer_fn: Callable[..., list[tf.Tensor]],
        non_max_suppression_fn: Callable[..., tuple[Any, ...]],
        score_conversion_fn: Callable[[tf.Tensor], tf.Tensor],
        classification_loss: Loss,
        localization_loss: Loss,
        classification_loss_weight: float,
        localization_loss_weight: float,
        normalize_loss_by_num_matches: bool,
        hard_example_miner: HardExampleMiner | None,
        target_assigner_instance: TargetAssigner,
        add_summaries: bool = True,
        normalize_loc_loss_by_codesize: bool = False,
        freeze_batchnorm: bool = False,
        inplace_batchnorm_update: bool = False,
        add_background_class: bool = True,
        explicit_background_class: bool = False,
        random_example_sampler: Any = None,
        expected_loss_weights_fn: Callable[..., Any] | None = None,
        use_confidences_as_targets: bool = False,
        implicit_example_weight: float = 0.5,
        equalization_loss_config: Any = None,
        return_raw_detections_during_predict: bool = False,
        nms_on_host: bool = True,
    ) -> None:
        """Takes the parts, all built.

        Args:
            is_training: whether batch norm and dropout work as in training.
            anchor_generator: gives the anchors of each feature map.
            box_predictor: feature maps -> box codes and class logits.
            box_coder: boxes (and keypoints) <-> codes.
            feature_extractor: picture -> feature maps.
            encode_background_as_zeros: background is the all-zero class target (sigmoid), not a
                one in the background's column (softmax).
            image_resizer_fn: [H, W, 3] -> resized picture and its true shape.
            non_max_suppression_fn: see `builders.post_processing_builder`.
            score_conversion_fn: logits -> scores.
            classification_loss: of [B, N, classes] logits.
            localization_loss: of [B, N, code size] codes.
            classification_loss_weight: factor of the classification loss.
            localization_loss_weight: factor of the localisation loss.
            normalize_loss_by_num_matches: divide by the batch's number of matched anchors.
            hard_example_miner: chooses the anchors that count, or None for all.
            target_assigner_instance: groundtruth -> targets of each anchor.
            add_summaries: whether to write scalar summaries of targets.
            normalize_loc_loss_by_codesize: divide the localisation loss by the code size too.
            freeze_batchnorm: batch norm uses its moving averages also in training.
            inplace_batchnorm_update: batch-norm statistics change within the forward pass.
            add_background_class: whether class predictions have a background column.
            explicit_background_class: whether class 0 of the label map is the background.
            random_example_sampler: chooses a random share of the anchors, or None.
            expected_loss_weights_fn: not available; must be None.
            use_confidences_as_targets: not available; must be False.
            implicit_example_weight: weight of anchors that match nothing when confidences are
                the targets.
            equalization_loss_config: not available; must be None.
            return_raw_detections_during_predict: adds decoded boxes to `predict`'s result.
            nms_on_host: kept for code that sets it; devices are TensorFlow's own choice here.
        """
        super().__init__(num_classes=box_predictor.num_classes)
        for name, value in (
            ("expected_loss_weights", expected_loss_weights_fn),
            ("use_confidences_as_targets", use_confidences_as_targets),
            ("equalization_loss", equalization_loss_config),
        ):
            if value:
                raise ConfigError(f"ssd: {name} is not available here; remove it from the config.")
        del implicit_example_weight, nms_on_host
        self._is_training = is_training
        self._anchor_generator = anchor_generator
        self._box_predictor = box_predictor
        self._box_coder = box_coder
        self._feature_extractor = feature_extractor
        self._encode_background_as_zeros = encode_background_as_zeros
        self._image_resizer_fn = image_resizer_fn
        self._non_max_suppression_fn = non_max_suppression_fn
        self._score_conversion_fn = score_conversion_fn
        self._classification_loss = classification_loss
        self._localization_loss = localization_loss
        self._classification_loss_weight = classification_loss_weight
        self._localization_loss_weight = localization_loss_weight
        self._normalize_loss_by_num_matches = normalize_loss_by_num_matches
        self._hard_example_miner = hard_example_miner
        self._target_assigner = target_assigner_instance
        self._add_summaries = add_summaries
        self._normalize_loc_loss_by_codesize = normalize_loc_loss_by_codesize
        self._freeze_batchnorm = freeze_batchnorm
        self._inplace_batchnorm_update = inplace_batchnorm_update
        self._add_background_class = add_background_class
        self._explicit_background_class = explicit_background_class
        self._random_example_sampler = random_example_sampler
        self._return_raw_detections_during_predict = return_raw_detections_during_predict
        self._anchors: box_list.BoxList | None = None
        self._feature_map_shapes: list[tuple[Any, Any]] = []

    @property
    def feature_extractor(self) -> SSDFeatureExtractor:
        """The network below the predictor."""
        return self._feature_extractor

    @property
    def anchors(self) -> box_list.BoxList:
        """The [N, 4] anchors of the last `predict`; raises `RuntimeError` before it."""
        if self._anchors is None:
            raise RuntimeError("The anchors depend on the feature maps: call predict() first.")
        return self._anchors

    @property
    def batched_prediction_tensor_names(self) -> list[str]:
        """Keys of `predict`'s tensors whose first axis is the batch."""
        return [
            "preprocessed_inputs",
            Predictions.box_encodings,
            Predictions.class_predictions_with_background,
        ]

    def preprocess(self, inputs: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        with tf.name_scope("Preprocessor"):
            inputs = tf.cast(inputs, tf.float32)
            resized, true_shapes = shape_utils.resize_images_and_return_shapes(
                inputs, self._image_resizer_fn
            )
            return self._feature_extractor.preprocess(resized), true_shapes

    def _batch_norm_scope(self) -> Any:
        options: dict[str, Any] = {
            "is_training": self._is_training,
            "frozen": self._freeze_batchnorm,
        }
        if self._inplace_batchnorm_update:
            options["updates_collections"] = None
        return slim.arg_scope([batch_norm.batch_norm], **options)

    def predict(
        self, preprocessed_inputs: tf.Tensor, true_image_shapes: tf.Tensor, **side_inputs: Any
    ) -> dict[str, Any]:
        """Predicts codes and logits of all anchors.

        Args:
            preprocessed_inputs: [B, H, W, 3], as `preprocess` returns them.
            true_image_shapes: [B, 3] sizes before padding; anchors do not depend on them.
            **side_inputs: none are known.

        Returns:
            `preprocessed_inputs`; `box_encodings` [B, N, code size];
            `class_predictions_with_background` [B, N, classes] logits; `feature_maps`;
            `anchors` [N, 4], normalised.
        """
        del true_image_shapes, side_inputs
        with self._batch_norm_scope():
            with tf.variable_scope(FEATURE_EXTRACTOR_SCOPE):
                feature_maps = self._feature_extractor.extract_features(preprocessed_inputs)
            self._feature_map_shapes = [_spatial_shape(feature_map) for feature_map in feature_maps]
            height, width = _spatial_shape(preprocessed_inputs)
            with tf.name_scope("Anchors"):
                boxlists = self._anchor_generator.generate(
                    self._feature_map_shapes, im_height=height, im_width=width
                )
                anchors = tf.concat([boxes.get() for boxes in boxlists], axis=0)
            self._anchors = box_list.BoxList(anchors)
            predictions = self._box_predictor.predict(
                feature_maps, self._anchor_generator.num_anchors_per_location()
            )
        codes = tf.concat(predictions[Predictions.box_encodings], axis=1)
        if codes.shape.rank == 4:
            codes = tf.squeeze(codes, axis=2)
        prediction_dict = {
            "preprocessed_inputs": preprocessed_inputs,
            Predictions.box_encodings: codes,
            Predictions.class_predictions_with_background: tf.concat(
                predictions[Predictions.class_predictions_with_background], axis=1
            ),
            Predictions.feature_maps: feature_maps,
            Predictions.anchors: anchors,
        }
        if self._return_raw_detections_during_predict:
            boxes, _ = self._box_coder.decode_tensors(codes, anchors)
            prediction_dict[Predictions.raw_detection_boxes] = boxes
            prediction_dict[Predictions.raw_detection_feature_map_indices] = tf.concat(
                [
                    tf.fill([tf.shape(codes)[0], boxes_of_map.num_boxes()], index)
                    for index, boxes_of_map in enumerate(boxlists)
                ],
                axis=1,
            )
        return prediction_dict

    def postprocess(
        self, prediction_dict: dict[str, Any], true_image_shapes: tf.Tensor, **params: Any
    ) -> dict[str, tf.Tensor]:
        """Decodes, converts scores and suppresses overlapping boxes; keypoints go along.

        Args:
            prediction_dict: as `predict` returns it.
            true_image_shapes: [B, 3] sizes of the pictures before padding; boxes are cut there.
            **params: none are known.

        Returns:
            `detection_boxes` [B, D, 4], `detection_scores` [B, D], `detection_classes` [B, D]
            (float, 0 is the first class), `detection_multiclass_scores` [B, D, classes],
            `detection_anchor_indices` [B, D], `num_detections` [B] float,
            `raw_detection_boxes` [B, N, 4], `raw_detection_scores` [B, N, classes] and, with a
            keypoint coder, `detection_keypoints` [B, D, K, 2].
        """
        del params
        with tf.name_scope("Postprocessor"):
            codes = prediction_dict[Predictions.box_encodings]
            logits = prediction_dict[Predictions.class_predictions_with_background]
            boxes, keypoints = self._box_coder.decode_tensors(
                codes, prediction_dict[Predictions.anchors]
            )
            boxes = tf.identity(boxes, name="raw_box_locations")
            scores_with_background = tf.identity(
                self._score_conversion_fn(logits), name="raw_box_scores"
            )
            scores = scores_with_background
            if self._add_background_class or self._explicit_background_class:
                scores = scores_with_background[:, :, 1:]
            batch, anchors = tf.shape(boxes)[0], tf.shape(boxes)[1]
            additional = {
                "multiclass_scores": scores_with_background,
                "anchor_indices": tf.tile(
                    tf.cast(tf.range(anchors), tf.float32)[tf.newaxis], [batch, 1]
                ),
            }
            if keypoints is not None:
                additional[fields.BoxListFields.keypoints] = keypoints
            selected = self._non_max_suppression_fn(
                boxes[:, :, tf.newaxis],
                scores,
                clip_window=clip_windows(prediction_dict["preprocessed_inputs"], true_image_shapes),
                additional_fields=additional,
            )
            nms_boxes, nms_scores, nms_classes, _, nms_fields, num_detections = selected
            detections = {
                Detections.detection_boxes: nms_boxes,
                Detections.detection_scores: nms_scores,
                Detections.detection_classes: nms_classes,
                Detections.detection_multiclass_scores: nms_fields["multiclass_scores"],
                Detections.detection_anchor_indices: tf.cast(
                    nms_fields["anchor_indices"], tf.int32
                ),
                Detections.num_detections: tf.cast(num_detections, tf.float32),
                Detections.raw_detection_boxes: boxes,
                Detections.raw_detection_scores: scores_with_background,
            }
            if keypoints is not None:
                detections[Detections.detection_keypoints] = nms_fields[
                    fields.BoxListFields.keypoints
                ]
            return detections

    def _assign_targets(self, anchors: tf.Tensor) -> Targets:
        groundtruth = self.groundtruth_batch()
        classes = tf.cast(groundtruth[fields.BoxListFields.classes], tf.float32)
        background = [0.0] * self.num_classes
        if self._add_background_class:
            classes = tf.pad(classes, [[0, 0], [0, 0], [1, 0]])
            background = [0.0 if self._encode_background_as_zeros else 1.0, *background]
        keypoints = groundtruth.get(fields.BoxListFields.keypoints)
        if keypoints is not None:
            keypoints = hide_invisible_keypoints(
                keypoints, groundtruth.get(fields.BoxListFields.keypoint_visibilities)
            )
        weights = tf.cast(groundtruth[fields.BoxListFields.weights], tf.float32)
        return self._target_assigner.assign_batch(
            anchors,
            groundtruth[fields.BoxListFields.boxes],
            classes,
            unmatched_class_label=tf.constant(background),
            groundtruth_weights=weights,
            groundtruth_keypoints=keypoints if self._codes_have_keypoints() else None,
        )

    def _codes_have_keypoints(self) -> bool:
        return self._box_coder.code_size > 4

    def loss(
        self, prediction_dict: dict[str, Any], true_image_shapes: tf.Tensor, scope: Any = None
    ) -> dict[str, tf.Tensor]:
        """The localisation and classification losses of the provided groundtruth.

        Absent keypoints take no part: their targets are NaN, which the localisation loss
        leaves out of value and gradient.

        Args:
            prediction_dict: as `predict` returns it.
            true_image_shapes: [B, 3]; not needed here.
            scope: name scope.

        Returns:
            `Loss/localization_loss` and `Loss/classification_loss`, scalars.
        """
        del true_image_shapes
        with tf.name_scope(scope, "Loss"):
            codes = prediction_dict[Predictions.box_encodings]
            logits = prediction_dict[Predictions.class_predictions_with_background]
            anchors = prediction_dict[Predictions.anchors]
            with tf.name_scope("Targets"):
                targets = self._assign_targets(anchors)
            class_weights = targets.class_weights
            if self._random_example_sampler is not None:
                class_weights *= self._sampled(targets, class_weights)
            location_losses = self._localization_loss(
                codes, targets.codes, ignore_nan_targets=True, weights=targets.code_weights
            )
            class_losses = self._classification_loss(logits, targets.classes, weights=class_weights)
            if class_losses.shape.rank == 3:
                class_losses = tf.reduce_sum(class_losses, axis=2)
            if self._hard_example_miner is not None:
                decoded, _ = self._box_coder.decode_tensors(codes, anchors)
                location_loss, class_loss = self._hard_example_miner.mine(
                    location_losses, class_losses, tf.stop_gradient(decoded), targets.match
                )
            else:
                location_loss = tf.reduce_sum(location_losses)
                class_loss = tf.reduce_sum(class_losses)
            normalizer = tf.constant(1.0)
            if self._normalize_loss_by_num_matches:
                normalizer = tf.maximum(tf.reduce_sum(targets.code_weights), 1.0)
            location_normalizer = normalizer
            if self._normalize_loc_loss_by_codesize:
                location_normalizer *= self._box_coder.code_size
            if self._add_summaries:
                self._summarize(targets)
            return {
                "Loss/localization_loss": tf.multiply(
                    self._localization_loss_weight / location_normalizer,
                    location_loss,
                    name="localization_loss",
                ),
                "Loss/classification_loss": tf.multiply(
                    self._classification_loss_weight / normalizer,
                    class_loss,
                    name="classification_loss",
                ),
            }

    def _sampled(self, targets: Targets, class_weights: tf.Tensor) -> tf.Tensor:
        """[B, N, 1] with 1 at the anchors that the random sampler keeps, 0 elsewhere."""

        def sample(row: tuple[tf.Tensor, tf.Tensor]) -> tf.Tensor:
            match, weights = row
            indicator = tf.reduce_sum(weights, axis=1) > 0
            return self._random_example_sampler.subsample(indicator, None, match >= 0)

        kept = tf.map_fn(sample, (targets.match, class_weights), fn_output_signature=tf.bool)
        return tf.cast(kept, tf.float32)[:, :, tf.newaxis]

    def _summarize(self, targets: Targets) -> None:
        batch = tf.cast(tf.shape(targets.match)[0], tf.float32)
        groundtruth = self.groundtruth_batch()
        boxes = tf.reduce_sum(tf.cast(groundtruth[fields.BoxListFields.weights] > 0, tf.float32))
        for name, total in (
            ("AvgNumGroundtruthBoxesPerImage", boxes),
            ("AvgNumPositiveAnchorsPerImage", _count(targets.match >= 0)),
            ("AvgNumNegativeAnchorsPerImage", _count(tf.equal(targets.match, -1))),
            ("AvgNumIgnoredAnchorsPerImage", _count(tf.equal(targets.match, -2))),
        ):
            tf.summary.scalar(name, total / batch, family="TargetAssignment")

    def regularization_losses(self) -> list[tf.Tensor]:
        return list(tf.get_collection(tf.GraphKeys.REGULARIZATION_LOSSES))

    def restore_map(
        self,
        fine_tune_checkpoint_type: str = "detection",
        load_all_detection_checkpoint_vars: bool = False,
    ) -> dict[str, tf.Variable]:
        """Name in the checkpoint -> variable.

        Args:
            fine_tune_checkpoint_type: `classification` for a checkpoint of the bare backbone,
                `detection` for one of a whole detector.
            load_all_detection_checkpoint_vars: with `detection`, the predictor's variables too.

        Raises:
            ConfigError: any other type.
        """
        if fine_tune_checkpoint_type == "classification":
            return dict(
                self._feature_extractor.restore_from_classification_checkpoint_fn(
                    FEATURE_EXTRACTOR_SCOPE
                )
            )
        if fine_tune_checkpoint_type == "detection":
            return {
                variable.op.name: variable
                for variable in tf.global_variables()
                if load_all_detection_checkpoint_vars
                or variable.op.name.startswith(FEATURE_EXTRACTOR_SCOPE)
            }
        raise ConfigError(
            f"fine_tune_checkpoint_type is {fine_tune_checkpoint_type!r}; an SSD model restores "
            "from 'classification' or 'detection' checkpoints."
        )

    def updates(self) -> list[tf.Operation]:
        return list(tf.get_collection(tf.GraphKeys.UPDATE_OPS))


def _count(mask: tf.Tensor) -> tf.Tensor:
    return tf.reduce_sum(tf.cast(mask, tf.float32))


def _spatial_shape(images: tf.Tensor) -> tuple[Any, Any]:
    """(height, width) of [B, H, W, C], as numbers where they are known, else tensors."""
    dynamic = tf.shape(images)
    height, width = images.shape.as_list()[1:3]
    return (
        height if height is not None else dynamic[1],
        width if width is not None else dynamic[2],
    )
