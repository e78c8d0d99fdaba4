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
from object_detection.core.keypoint_loss import BOX_NUMBERS, KeypointLoss
from object_detection.core.keypoint_visibility import KeypointVisibilityLoss
from object_detection.core.losses import HardExampleMiner, Loss
from object_detection.core.target_assigner import TargetAssigner, Targets, confidence_targets
from object_detection.errors import ConfigError
from object_detection.meta_architectures import ssd_detections, ssd_keypoints, ssd_targets
from object_detection.meta_architectures.ssd_losses import SSDLosses, Truth
from object_detection.utils import shape_utils, variables_helper

__all__ = ["SSDFeatureExtractor", "SSDMetaArch"]

Predictions = fields.PredictionFields
FEATURE_EXTRACTOR_SCOPE = "FeatureExtractor"
_NEEDED = (Predictions.box_encodings, Predictions.class_predictions_with_background)


class SSDMetaArch(model.DetectionModel):
    """A single-shot detector put together from its parts."""

    takes_bytes = True

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
        *,
        keypoint_loss: KeypointLoss | None = None,
        keypoint_visibility_loss: KeypointVisibilityLoss | None = None,
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
            localization_loss: of [B, N, code size] codes, or of [B, N, 4] boxes if it says so.
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
            expected_loss_weights_fn: class targets [B, N, classes] -> how much the losses against
                the assigned target and against the background count, both [B, N].
            use_confidences_as_targets: in training, the targets are the groundtruth's confidences.
            implicit_example_weight: with confidences, class weight of what nobody labelled.
            equalization_loss_config: not available: None, or of weight 0.
            return_raw_detections_during_predict: adds decoded boxes to `predict`'s result.
            nms_on_host: kept for code that sets it; devices are TensorFlow's own choice here.
            keypoint_loss: the keypoints' own loss; None leaves them to the localisation loss.
            keypoint_visibility_loss: of the visibilities that the predictor gives; None if it does
                not.

        Raises:
            ConfigError: a background is both to be added and there already, a keypoint loss has
                codes without keypoints, or a loss of boxes has codes of which the keypoints are
                left without one.
        """
        if add_background_class and explicit_background_class:
            raise ConfigError(
                "ssd: add_background_class and explicit_background_class exclude each other: set "
                "add_background_class: false if the label map has the background as a class."
            )
        if equalization_loss_config is not None and equalization_loss_config.weight:
            # Nothing says what it computes, so that any formula would be a guess.
            raise ConfigError(
                "ssd: equalization_loss is not available; leave it out, or set its weight to 0."
            )
        self._losses = SSDLosses(
            box_coder=box_coder,
            classification_loss=classification_loss,
            localization_loss=localization_loss,
            classification_loss_weight=classification_loss_weight,
            localization_loss_weight=localization_loss_weight,
            normalize_loss_by_num_matches=normalize_loss_by_num_matches,
            normalize_loc_loss_by_codesize=normalize_loc_loss_by_codesize,
            hard_example_miner=hard_example_miner,
            expected_loss_weights_fn=expected_loss_weights_fn,
            keypoint_loss=keypoint_loss,
            keypoint_visibility_loss=keypoint_visibility_loss,
            add_summaries=add_summaries,
        )
        super().__init__(num_classes=box_predictor.num_classes)
        del nms_on_host
        self._is_training = is_training
        self._anchor_generator = anchor_generator
        self._box_predictor = box_predictor
        self._box_coder = box_coder
        self._feature_extractor = feature_extractor
        self._encode_background_as_zeros = encode_background_as_zeros
        self._image_resizer_fn = image_resizer_fn
        self._non_max_suppression_fn = non_max_suppression_fn
        self._score_conversion_fn = score_conversion_fn
        self._target_assigner = target_assigner_instance
        self._add_summaries = add_summaries
        self._freeze_batchnorm = freeze_batchnorm
        self._inplace_batchnorm_update = inplace_batchnorm_update
        self._add_background_class = add_background_class
        self._explicit_background_class = explicit_background_class
        self._random_example_sampler = random_example_sampler
        self._use_confidences_as_targets = use_confidences_as_targets
        self._implicit_example_weight = implicit_example_weight
        self._return_raw_detections_during_predict = return_raw_detections_during_predict
        self._anchors: box_list.BoxList | None = None
        self._feature_map_shapes: list[tuple[Any, Any]] = []
        self._batched_prediction_tensor_names: list[str] | None = None

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
        """Keys of the last `predict` whose tensors have the batch as their first axis.

        Raises `RuntimeError` before it.
        """
        if self._batched_prediction_tensor_names is None:
            raise RuntimeError("The names depend on the predictor: call predict() first.")
        return self._batched_prediction_tensor_names

    def preprocess(self, inputs: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        with tf.name_scope("Preprocessor"):
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
            `class_predictions_with_background` [B, N, classes] logits; what else the predictor
            gives, its maps put together; `feature_maps`; `anchors` [N, 4], normalised;
            `final_anchors` [B, N, 4], the same for each picture. If raw detections are wanted,
            `raw_detection_boxes` [B, N, 4] and `raw_detection_feature_map_indices` [B, N] int32.
        """
        del true_image_shapes, side_inputs
        with self._batch_norm_scope():
            # A second model of the graph gets a number, as checkpoints of the OD API have it.
            with tf.variable_scope(None, FEATURE_EXTRACTOR_SCOPE, [preprocessed_inputs]):
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
        joined = {key: tf.concat(maps, axis=1) for key, maps in predictions.items()}
        codes = joined[Predictions.box_encodings]
        if codes.shape.rank == 4 and codes.shape.as_list()[2] == 1:
            codes = tf.squeeze(codes, axis=2)
        pictures = tf.shape(preprocessed_inputs)[0]
        prediction_dict = {
            **joined,
            Predictions.box_encodings: codes,
            "preprocessed_inputs": preprocessed_inputs,
            Predictions.feature_maps: feature_maps,
            Predictions.anchors: anchors,
            "final_anchors": tf.tile(anchors[tf.newaxis], [pictures, 1, 1]),
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
        self._batched_prediction_tensor_names = [
            name for name in prediction_dict if name != Predictions.anchors
        ]
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
            `raw_detection_boxes` [B, N, 4], `raw_detection_scores` [B, N, classes]; with a keypoint
            coder `detection_keypoints` [B, D, K, 2], and if their visibility is predicted
            `detection_keypoint_scores` [B, D, K], how likely each can be seen; both also as
            `raw_...` of all N anchors; `raw_detection_windows` [B, 4], at which boxes are cut.

        Raises:
            ValueError: codes or class predictions are missing.
        """
        del params
        missing = [key for key in _NEEDED if key not in prediction_dict]
        if missing:
            raise ValueError(f"prediction_dict lacks {missing}; it has {sorted(prediction_dict)}.")
        with tf.name_scope("Postprocessor"):
            codes = prediction_dict[Predictions.box_encodings]
            logits = prediction_dict[Predictions.class_predictions_with_background]
            boxes, keypoints = self._box_coder.decode_tensors(
                codes, self._anchors_of(prediction_dict)
            )
            boxes = tf.identity(boxes, name="raw_box_locations")
            scores_with_background = tf.identity(
                self._score_conversion_fn(logits), name="raw_box_scores"
            )
            scores = scores_with_background
            if self._add_background_class or self._explicit_background_class:
                scores = scores_with_background[:, :, 1:]
            if keypoints is not None:
                keypoints = tf.identity(keypoints, name="raw_keypoint_locations")
            visibilities = prediction_dict.get(Predictions.keypoint_visibilities)
            return ssd_detections.suppressed(
                ssd_detections.Decoded(
                    boxes,
                    keypoints,
                    None
                    if visibilities is None
                    else tf.sigmoid(visibilities, name="raw_keypoint_scores"),
                    scores,
                    scores_with_background,
                ),
                ssd_detections.clip_windows(
                    prediction_dict["preprocessed_inputs"], true_image_shapes
                ),
                self._non_max_suppression_fn,
            )

    def _anchors_of(self, prediction_dict: dict[str, Any]) -> tf.Tensor:
        if Predictions.anchors in prediction_dict:
            return prediction_dict[Predictions.anchors]
        return self.anchors.get()

    def _background(self) -> list[float]:
        """Class target of anchors without a box, of as many columns as there are predictions."""
        columns = self.num_classes + 1 if self._add_background_class else self.num_classes
        return [0.0 if self._encode_background_as_zeros else 1.0] + [0.0] * (columns - 1)

    def _with_background(self, classes: tf.Tensor) -> tf.Tensor:
        classes = tf.cast(classes, tf.float32)
        return tf.pad(classes, [[0, 0], [0, 0], [1, 0]]) if self._add_background_class else classes

    def _assign_targets(
        self, anchors: tf.Tensor, truth: ssd_keypoints.KeypointTruth | None
    ) -> Targets:
        groundtruth = self.groundtruth_batch()
        by_confidence = self._is_training and self._use_confidences_as_targets
        field = fields.BoxListFields.confidences if by_confidence else fields.BoxListFields.classes
        if field not in groundtruth:
            raise ConfigError(
                "ssd: use_confidences_as_targets needs groundtruth confidences; provide "
                "groundtruth_confidences_list."
            )
        targets = self._target_assigner.assign_batch(
            anchors,
            groundtruth[fields.BoxListFields.boxes],
            self._with_background(groundtruth[field]),
            unmatched_class_label=tf.constant(self._background()),
            groundtruth_weights=tf.cast(groundtruth[fields.BoxListFields.weights], tf.float32),
            groundtruth_keypoints=None if truth is None else truth.keypoints,
        )
        if not by_confidence:
            return targets
        return Targets(
            *confidence_targets(
                targets.classes,
                targets.codes,
                self._add_background_class,
                self._implicit_example_weight,
            ),
            targets.match,
        )

    def loss(
        self, prediction_dict: dict[str, Any], true_image_shapes: tf.Tensor, scope: Any = None
    ) -> dict[str, tf.Tensor]:
        """The losses of the provided groundtruth.

        Absent keypoints take no part: their targets are NaN, which losses leave out of value and
        gradient. With a keypoint loss the localisation loss sees the box's four numbers alone; the
        keypoints of all matched anchors count, whatever a hard example miner or expected weights
        choose for boxes and classes.

        Args:
            prediction_dict: as `predict` returns it.
            true_image_shapes: [B, 3]; not needed here.
            scope: name scope.

        Returns:
            `Loss/localization_loss`, `Loss/classification_loss`; if the keypoints have their own,
            `Loss/keypoint_loss`; if their visibility is predicted, `Loss/keypoint_visibility_loss`;
            all scalars.
        """
        del true_image_shapes
        with tf.name_scope(scope, "Loss"):
            anchors = self._anchors_of(prediction_dict)
            groundtruth = self.groundtruth_batch()
            with tf.name_scope("Targets"):
                keypoints = None
                if self._box_coder.code_size > BOX_NUMBERS:
                    keypoints = ssd_keypoints.truth_of(groundtruth)
                targets = self._assign_targets(anchors, keypoints)
            if self._random_example_sampler is not None:
                targets = ssd_targets.sampled(
                    targets, self._random_example_sampler, self._add_background_class
                )
            if self._add_summaries:
                ssd_targets.summarize(targets, groundtruth[fields.BoxListFields.weights])
            background = tf.constant(self._background())
            annotated = groundtruth.get(fields.InputDataFields.is_annotated)
            truth = Truth(targets, background, keypoints, annotated)
            return self._losses(prediction_dict, anchors, truth)

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
                `detection` for one of another detector, `full` for one of this very model.
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
        if fine_tune_checkpoint_type in ("detection", "full"):
            everything = load_all_detection_checkpoint_vars or fine_tune_checkpoint_type == "full"
            return {
                variable.op.name: variable
                for variable in variables_helper.get_global_variables_safely()
                if everything or variable.op.name.startswith(FEATURE_EXTRACTOR_SCOPE)
            }
        raise ConfigError(
            f"fine_tune_checkpoint_type is {fine_tune_checkpoint_type!r}; an SSD model restores "
            "from 'classification', 'detection' or 'full' checkpoints."
        )

    def updates(self) -> list[tf.Operation]:
        return list(tf.get_collection(tf.GraphKeys.UPDATE_OPS))


def _spatial_shape(images: tf.Tensor) -> tuple[Any, Any]:
    """(height, width) of [B, H, W, C], as numbers where they are known, else tensors."""
    dynamic = tf.shape(images)
    height, width = images.shape.as_list()[1:3]
    return (
        height if height is not None else dynamic[1],
        width if width is not None else dynamic[2],
    )
