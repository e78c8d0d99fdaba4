"""Two-stage detectors: proposals first, then class, box and mask of each.

Sources: Faster R-CNN, arXiv:1506.01497; Mask R-CNN, arXiv:1703.06870.

Axes:   B images, N anchors, P proposals (padded), R = B * P, C classes, q box sets (1 or C),
        D detections, M groundtruth boxes.
Frames: anchors and proposals are in pixels of the resized and padded picture, what is called
        normalised in units of it, and detections in units of the true picture.
"""

from collections.abc import Callable
from typing import Any

import tensorflow.compat.v1 as tf
import tf_slim as slim

from object_detection.core import batch_norm, box_list, box_list_ops, losses, model
from object_detection.core import standard_fields as fields
from object_detection.core.anchor_generator import AnchorGenerator
from object_detection.core.box_predictor import BoxPredictor
from object_detection.core.feature_extractor import FasterRCNNFeatureExtractor
from object_detection.core.minibatch_sampler import MinibatchSampler
from object_detection.core.target_assigner import TargetAssigner
from object_detection.errors import ConfigError
from object_detection.meta_architectures.faster_rcnn import (
    detections,
    frames,
    groundtruth,
    proposals,
    regions,
)
from object_detection.meta_architectures.faster_rcnn import losses as stage_losses
from object_detection.predictors.convolutional_box_predictor import ConvolutionalBoxPredictor
from object_detection.predictors.heads import box_head, class_head
from object_detection.predictors.heads.head import layer_arg_scope
from object_detection.utils import shape_utils, variables_helper

Predictions = fields.PredictionFields
Detections = fields.DetectionResultFields
# What `predict` gives that has no batch axis.
_NOT_BATCHED = ("image_shape", Predictions.anchors)


class FasterRCNNMetaArch(model.DetectionModel):
    """A two-stage detector put together from its parts."""

    takes_bytes = True

    def __init__(
        self,
        is_training: bool,
        num_classes: int,
        image_resizer_fn: Callable[..., list[tf.Tensor]],
        feature_extractor: FasterRCNNFeatureExtractor,
        number_of_stages: int,
        first_stage_anchor_generator: AnchorGenerator,
        first_stage_target_assigner: TargetAssigner,
        first_stage_atrous_rate: int,
        first_stage_box_predictor_arg_scope_fn: Callable[[], Any],
        first_stage_box_predictor_kernel_size: int,
        first_stage_box_predictor_depth: int,
        first_stage_minibatch_size: int,
        first_stage_sampler: MinibatchSampler,
        first_stage_non_max_suppression_fn: Callable[..., tuple[Any, ...]],
        first_stage_max_proposals: int,
        first_stage_localization_loss_weight: float,
        first_stage_objectness_loss_weight: float,
        crop_and_resize_fn: Callable[..., tf.Tensor],
        initial_crop_size: int | None,
        maxpool_kernel_size: int | None,
        maxpool_stride: int | None,
        second_stage_target_assigner: TargetAssigner,
        second_stage_mask_rcnn_box_predictor: BoxPredictor | None,
        second_stage_batch_size: int,
        second_stage_sampler: MinibatchSampler,
        second_stage_non_max_suppression_fn: Callable[..., tuple[Any, ...]],
        second_stage_score_conversion_fn: Callable[[tf.Tensor], tf.Tensor],
        second_stage_localization_loss_weight: float,
        second_stage_classification_loss_weight: float,
        second_stage_classification_loss: losses.Loss,
        second_stage_mask_prediction_loss_weight: float = 1.0,
        hard_example_miner: losses.HardExampleMiner | None = None,
        parallel_iterations: int = 16,
        add_summaries: bool = True,
        clip_anchors_to_image: bool = False,
        use_static_shapes: bool = False,
        resize_masks: bool = True,
        freeze_batchnorm: bool = False,
        return_raw_detections_during_predict: bool = False,
        output_final_box_features: bool = False,
        output_final_box_rpn_features: bool = False,
    ) -> None:
        """Takes the parts, all built.

        Args:
            is_training: whether the model is built to be trained.
            num_classes: C.
            image_resizer_fn: [H, W, 3] (and masks) -> resized ones and the true shape.
            feature_extractor: the two networks.
            number_of_stages: 1 proposals; 2 boxes and classes too; 3 masks too.
            first_stage_anchor_generator: gives anchors in pixels.
            first_stage_target_assigner: groundtruth -> targets of each anchor.
            first_stage_atrous_rate: of the convolution below the proposals' predictor.
            first_stage_box_predictor_arg_scope_fn: returns the arg scope of that convolution and
                of the predictor.
            first_stage_box_predictor_kernel_size: of that convolution.
            first_stage_box_predictor_depth: of that convolution.
            first_stage_minibatch_size: anchors of a picture that the first stage trains on.
            first_stage_sampler: chooses them.
            first_stage_non_max_suppression_fn: suppresses proposals that overlap.
            first_stage_max_proposals: P in inference, and with a hard example miner.
            first_stage_localization_loss_weight: factor of the proposals' localisation loss.
            first_stage_objectness_loss_weight: factor of the proposals' objectness loss.
            crop_and_resize_fn: (maps, boxes, levels, size) -> crops, such as
                `spatial_transform_ops.multilevel_native_crop_and_resize`.
            initial_crop_size: side of a region's crop.
            maxpool_kernel_size: of the pooling of a crop.
            maxpool_stride: of the pooling of a crop.
            second_stage_target_assigner: groundtruth -> targets of each proposal.
            second_stage_mask_rcnn_box_predictor: regions -> codes, classes and masks.
            second_stage_batch_size: proposals of a picture that the second stage trains on.
            second_stage_sampler: chooses them.
            second_stage_non_max_suppression_fn: see `builders.post_processing_builder`.
            second_stage_score_conversion_fn: class logits -> scores.
            second_stage_localization_loss_weight: factor of the localisation loss.
            second_stage_classification_loss_weight: factor of the classification loss.
            second_stage_classification_loss: of class logits.
            second_stage_mask_prediction_loss_weight: factor of the loss of masks.
            hard_example_miner: chooses the proposals that count, or None for the sampler.
            parallel_iterations: pictures at a time where they are taken one by one.
            add_summaries: whether to write scalar summaries.
            clip_anchors_to_image: in training, anchors that leave the picture are cut, not
                left out.
            use_static_shapes: kept for code that sets it; sizes are known wherever they can be.
            resize_masks: whether groundtruth masks are yet to be resized with the picture.
            freeze_batchnorm: batch norm uses its moving averages also in training.
            return_raw_detections_during_predict: adds decoded boxes to `predict`'s result.
            output_final_box_features: adds the second stage's features of each detection.
            output_final_box_rpn_features: adds the first stage's features of each detection.

        Raises:
            ConfigError: another number of stages, more proposals to train on than there are, or
                heads of a third stage that cannot be trained.
        """
        if number_of_stages not in (1, 2, 3):
            raise ConfigError(f"number_of_stages is {number_of_stages}; allowed: 1, 2, 3.")
        if is_training and second_stage_batch_size > first_stage_max_proposals:
            raise ConfigError(
                f"second_stage_batch_size {second_stage_batch_size} should be no greater than "
                f"first_stage_max_proposals {first_stage_max_proposals}."
            )
        super().__init__(num_classes=num_classes)
        del use_static_shapes
        self._is_training = is_training
        self._image_resizer_fn = image_resizer_fn
        self._feature_extractor = feature_extractor
        self._number_of_stages = number_of_stages
        self._anchor_generator = first_stage_anchor_generator
        self._proposal_assigner = first_stage_target_assigner
        self._box_coder = first_stage_target_assigner.box_coder
        self._atrous_rate = first_stage_atrous_rate
        self._rpn_arg_scope_fn = first_stage_box_predictor_arg_scope_fn
        self._rpn_kernel_size = first_stage_box_predictor_kernel_size
        self._rpn_depth = first_stage_box_predictor_depth
        self._rpn_predictor = _proposal_predictor(
            is_training, self._box_coder.code_size, first_stage_box_predictor_arg_scope_fn
        )
        self._first_stage_minibatch_size = first_stage_minibatch_size
        self._first_stage_sampler = first_stage_sampler
        self._first_stage_nms_fn = first_stage_non_max_suppression_fn
        self._first_stage_max_proposals = first_stage_max_proposals
        self._first_stage_location_weight = first_stage_localization_loss_weight
        self._first_stage_objectness_weight = first_stage_objectness_loss_weight
        self._crop_and_resize_fn = crop_and_resize_fn
        self._initial_crop_size = initial_crop_size
        self._maxpool_kernel_size = maxpool_kernel_size
        self._maxpool_stride = maxpool_stride
        self._detector_assigner = second_stage_target_assigner
        self._box_predictor = second_stage_mask_rcnn_box_predictor
        self._second_stage_batch_size = second_stage_batch_size
        self._second_stage_sampler = second_stage_sampler
        self._second_stage_nms_fn = second_stage_non_max_suppression_fn
        self._score_conversion_fn = second_stage_score_conversion_fn
        self._second_stage_location_weight = second_stage_localization_loss_weight
        self._second_stage_class_weight = second_stage_classification_loss_weight
        self._second_stage_class_loss = second_stage_classification_loss
        self._second_stage_mask_loss_weight = second_stage_mask_prediction_loss_weight
        self._location_loss = losses.WeightedSmoothL1LocalizationLoss()
        self._objectness_loss = losses.WeightedSoftmaxClassificationLoss()
        self._mask_loss = losses.WeightedSigmoidClassificationLoss()
        self._hard_example_miner = hard_example_miner
        self._parallel_iterations = parallel_iterations
        self._add_summaries = add_summaries
        self._clip_anchors_to_image = clip_anchors_to_image
        self._resize_masks = resize_masks
        self._freeze_batchnorm = freeze_batchnorm
        self._return_raw_detections_during_predict = return_raw_detections_during_predict
        self._output_final_box_features = output_final_box_features
        self._output_final_box_rpn_features = output_final_box_rpn_features
        self._anchors: box_list.BoxList | None = None
        self._batched_prediction_tensor_names: list[str] | None = None
        self._check_third_stage()

    def _check_third_stage(self) -> None:
        if self._number_of_stages < 3:
            return
        heads = list(getattr(self._box_predictor, "get_third_stage_prediction_heads", list)())
        if heads != [Predictions.mask_predictions]:
            raise ConfigError(
                f"number_of_stages is 3 and the predictor's third stage predicts {heads}; a third "
                "stage predicts masks and nothing else (predict_instance_masks: true). Heat maps of "
                "keypoints cannot be trained here: use an SSD with a keypoint_box_coder."
            )

    @property
    def first_stage_feature_extractor_scope(self) -> str:
        """Variable scope of the first stage's network."""
        return "FirstStageFeatureExtractor"

    @property
    def second_stage_feature_extractor_scope(self) -> str:
        """Variable scope of the second stage's network."""
        return "SecondStageFeatureExtractor"

    @property
    def first_stage_box_predictor_scope(self) -> str:
        """Variable scope of the proposals' predictor."""
        return "FirstStageBoxPredictor"

    @property
    def second_stage_box_predictor_scope(self) -> str:
        """Variable scope of the predictor of regions."""
        return "SecondStageBoxPredictor"

    @property
    def max_num_proposals(self) -> int:
        """P: fewer in training, where the second stage sees a sample only."""
        if self._is_training and self._hard_example_miner is None:
            return self._second_stage_batch_size
        return self._first_stage_max_proposals

    @property
    def anchors(self) -> box_list.BoxList:
        """The [N, 4] anchors of the last `predict`, in pixels; raises `RuntimeError` before it."""
        if self._anchors is None:
            raise RuntimeError("The anchors depend on the feature maps: call predict() first.")
        return self._anchors

    @property
    def batched_prediction_tensor_names(self) -> list[str]:
        """Keys of the last `predict` whose tensors have the batch as their first axis.

        Raises `RuntimeError` before it.
        """
        if self._batched_prediction_tensor_names is None:
            raise RuntimeError("The names depend on the stages: call predict() first.")
        return self._batched_prediction_tensor_names

    @property
    def feature_extractor(self) -> FasterRCNNFeatureExtractor:
        """The networks of both stages."""
        return self._feature_extractor

    def preprocess(self, inputs: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        with tf.name_scope("Preprocessor"):
            resized, true_shapes = shape_utils.resize_images_and_return_shapes(
                inputs, self._image_resizer_fn
            )
            return self._feature_extractor.preprocess(resized), true_shapes

    def predict(
        self, preprocessed_inputs: tf.Tensor, true_image_shapes: tf.Tensor, **side_inputs: Any
    ) -> dict[str, Any]:
        """Predicts with as many stages as the model has.

        A model with a second stage needs its groundtruth before `predict` when it trains: the
        second stage sees a sample of the proposals, balanced between objects and background.

        Args:
            preprocessed_inputs: [B, H, W, 3], as `preprocess` returns them.
            true_image_shapes: [B, 3] sizes before padding.
            **side_inputs: none are known.

        Returns:
            First stage: `rpn_box_predictor_features` and `rpn_features_to_crop` (lists of maps
            [B, h, w, C']; the latter also as `feature_maps`), `image_shape` [4],
            `rpn_box_encodings` [B, N, 4], `rpn_objectness_predictions_with_background` [B, N, 2],
            `anchors` [N, 4] absolute.
            Second stage: `refined_box_encodings` [R, q, 4], `class_predictions_with_background`
            [R, 1 + C], `num_proposals` [B], `proposal_boxes` [B, P, 4] absolute,
            `proposal_boxes_normalized` (also as `final_anchors`), `box_classifier_features`
            [R, h, w, C']; if raw detections are wanted, `raw_detection_boxes` [B, P, q, 4] and
            `raw_detection_feature_map_indices` [B, P, q] int32.
            Third stage: `mask_predictions` [R, 1 or C, h, w] logits; in inference of the
            detections, [B * D, ...], beside what `postprocess` gives of the second stage and
            `detection_masks` [B, D, h, w].
        """
        with slim.arg_scope([batch_norm.batch_norm], frozen=self._freeze_batchnorm):
            predictions = self._predict_first_stage(preprocessed_inputs)
            if self._number_of_stages >= 2:
                predictions |= self._predict_second_stage(
                    predictions, true_image_shapes, **side_inputs
                )
            if self._number_of_stages == 3:
                predictions |= self._predict_third_stage(predictions, true_image_shapes)
        self._batched_prediction_tensor_names = [
            name for name in predictions if name not in _NOT_BATCHED
        ]
        return predictions

    def _predict_first_stage(self, preprocessed_inputs: tf.Tensor) -> dict[str, Any]:
        image_shape = tf.shape(preprocessed_inputs)
        features, _ = self._feature_extractor.extract_proposal_features(
            preprocessed_inputs, scope=self.first_stage_feature_extractor_scope
        )
        features = list(features) if isinstance(features, list | tuple) else [features]
        with layer_arg_scope(self._rpn_arg_scope_fn):
            predictor_features = [
                slim.conv2d(
                    one,
                    self._rpn_depth,
                    [self._rpn_kernel_size, self._rpn_kernel_size],
                    rate=self._atrous_rate,
                    activation_fn=tf.nn.relu6,
                    scope="Conv",
                    reuse=tf.AUTO_REUSE,
                )
                for one in features
            ]
        predicted = self._rpn_predictor.predict(
            predictor_features,
            self._anchor_generator.num_anchors_per_location(),
            scope=self.first_stage_box_predictor_scope,
        )
        codes = tf.squeeze(tf.concat(predicted[Predictions.box_encodings], axis=1), axis=2)
        objectness = tf.concat(predicted[Predictions.class_predictions_with_background], axis=1)
        with tf.name_scope("Anchors"):
            sizes = [
                tuple(shape_utils.combined_static_and_dynamic_shape(one)[1:3]) for one in features
            ]
            anchors = tf.concat(
                [boxes.get() for boxes in self._anchor_generator.generate(sizes)], axis=0
            )
            whole = (
                frames.window(preprocessed_inputs.shape[1:3])
                if (preprocessed_inputs.shape[1:3].is_fully_defined())
                else frames.window(image_shape[1:3])
            )
            if self._is_training and not self._clip_anchors_to_image:
                # Section 3.1.3: in training, anchors that cross the boundary are ignored.
                inside, kept = box_list_ops.prune_outside_window(box_list.BoxList(anchors), whole)
                anchors = inside.get()
                codes, objectness = (
                    tf.gather(codes, kept, axis=1),
                    tf.gather(objectness, kept, axis=1),
                )
            else:
                anchors = box_list_ops.cut(anchors, whole)
        self._anchors = box_list.BoxList(anchors)
        return {
            "rpn_box_predictor_features": predictor_features,
            "rpn_features_to_crop": features,
            "image_shape": image_shape,
            "rpn_box_encodings": codes,
            "rpn_objectness_predictions_with_background": objectness,
            Predictions.anchors: anchors,
            Predictions.feature_maps: features,
        }

    def _proposals(
        self, predictions: dict[str, Any], true_image_shapes: tf.Tensor
    ) -> tuple[proposals.Proposals, proposals.Candidates]:
        """Proposals for the second stage, and what they were chosen from."""
        found = proposals.candidates(
            predictions["rpn_box_encodings"],
            predictions["rpn_objectness_predictions_with_background"],
            predictions[Predictions.anchors],
            self._box_coder,
        )
        best = proposals.suppressed(
            found, frames.window(true_image_shapes), self._first_stage_nms_fn
        )
        if self._is_training:
            best = proposals.Proposals(*(tf.stop_gradient(tensor) for tensor in best))
            if self._hard_example_miner is None:
                truth = self._groundtruth(predictions["image_shape"])
                best = proposals.sampled(
                    best,
                    proposals.assign(best.boxes, truth, self._detector_assigner, self.num_classes),
                    self._second_stage_sampler,
                    self._second_stage_batch_size,
                    self._parallel_iterations,
                )
        return best, found

    def _groundtruth(
        self, image_shape: tf.Tensor, with_masks: bool = False
    ) -> groundtruth.Groundtruth:
        batch = self.groundtruth_batch()
        masks = None
        if with_masks:
            masks = batch.get(fields.BoxListFields.masks)
            if masks is None and self.groundtruth_has_field(fields.BoxListFields.masks):
                masks = self.groundtruth_lists(fields.BoxListFields.masks)
            if masks is None:
                raise ConfigError(
                    "The loss of masks needs groundtruth masks: provide groundtruth_masks_list "
                    "(load_instance_masks: true in the input reader)."
                )
            masks = groundtruth.stacked_masks(
                masks, self._image_resizer_fn if self._resize_masks else None
            )
        return groundtruth.of_batch(batch, image_shape, masks)

    def _predict_second_stage(
        self, predictions: dict[str, Any], true_image_shapes: tf.Tensor, **side_inputs: Any
    ) -> dict[str, Any]:
        del side_inputs
        image_shape = predictions["image_shape"]
        best, _ = self._proposals(predictions, true_image_shapes)
        boxes_normalized = frames.normalized(best.boxes, frames.padded_size(image_shape))
        features, codes, logits = self._predict_regions(predictions, boxes_normalized)
        result = {
            "refined_box_encodings": codes,
            Predictions.class_predictions_with_background: logits,
            "num_proposals": best.count,
            "proposal_boxes": best.boxes,
            "box_classifier_features": features,
            "proposal_boxes_normalized": boxes_normalized,
            "final_anchors": boxes_normalized,
        }
        if self._return_raw_detections_during_predict:
            decoded = self._decoded(codes, best.boxes)
            raw = frames.normalized(decoded, frames.corner_of(true_image_shapes))
            result[Predictions.raw_detection_boxes] = raw
            result[Predictions.raw_detection_feature_map_indices] = tf.zeros_like(
                raw[..., 0], tf.int32
            )
        return result

    def _region_crops(self, predictions: dict[str, Any], boxes_normalized: tf.Tensor) -> tf.Tensor:
        """The first stage's features of regions [B, P, 4] -> [R, h, w, C']."""
        return regions.crops(
            predictions["rpn_features_to_crop"],
            boxes_normalized,
            predictions["image_shape"],
            self._crop_and_resize_fn,
            self._initial_crop_size or 0,
            self._maxpool_kernel_size or 1,
            self._maxpool_stride or 1,
        )

    def _region_features(
        self, predictions: dict[str, Any], boxes_normalized: tf.Tensor
    ) -> tf.Tensor:
        """The second stage's features of regions [B, P, 4] -> [R, h, w, C']."""
        return self._feature_extractor.extract_box_classifier_features(
            self._region_crops(predictions, boxes_normalized),
            scope=self.second_stage_feature_extractor_scope,
        )

    def _predict_regions(
        self, predictions: dict[str, Any], boxes_normalized: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        """Features, codes [R, q, 4] and class logits [R, 1 + C] of proposals [B, P, 4]."""
        features = self._region_features(predictions, boxes_normalized)
        predicted = self._head_predictions(features, prediction_stage=2)
        return features, *self._codes_and_logits(predicted)

    def _head_predictions(self, features: tf.Tensor, **params: Any) -> dict[str, Any]:
        if self._box_predictor is None:
            raise ConfigError("A second stage needs second_stage_mask_rcnn_box_predictor.")
        return self._box_predictor.predict(
            [features],
            num_predictions_per_location=[1],
            scope=self.second_stage_box_predictor_scope,
            **params,
        )

    @staticmethod
    def _codes_and_logits(predicted: dict[str, Any]) -> tuple[tf.Tensor, tf.Tensor]:
        return (
            regions.rows_of(
                predicted[Predictions.box_encodings], 2, name="all_refined_box_encodings"
            ),
            regions.rows_of(
                predicted[Predictions.class_predictions_with_background],
                1,
                name="all_class_predictions_with_background",
            ),
        )

    def _predict_masks(self, features: tf.Tensor) -> tf.Tensor:
        """[R, h, w, C'] -> mask logits [R, 1 or C, h, w]."""
        predicted = self._head_predictions(features, prediction_stage=3)
        return regions.rows_of(predicted[Predictions.mask_predictions], 3, name="mask_predictions")

    def _predict_third_stage(
        self, predictions: dict[str, Any], true_image_shapes: tf.Tensor
    ) -> dict[str, Any]:
        if self._is_training:
            features = predictions["box_classifier_features"]
            return {Predictions.mask_predictions: self._predict_masks(features)}
        found = self._postprocess_second_stage(predictions, true_image_shapes)
        boxes = frames.from_true_to_padded(
            found[Detections.detection_boxes], true_image_shapes, predictions["image_shape"]
        )
        logits = self._predict_masks(self._region_features(predictions, boxes))
        classes = tf.cast(tf.reshape(found[Detections.detection_classes], [-1]), tf.int32)
        masks = tf.sigmoid(tf.cast(regions.of_class(logits, classes), tf.float32))
        batch, count = shape_utils.combined_static_and_dynamic_shape(boxes)[:2]
        return {
            **found,
            Predictions.mask_predictions: logits,
            Detections.detection_masks: tf.reshape(
                masks, [batch, count, *logits.shape.as_list()[2:]]
            ),
        }

    def _by_picture(self, tensor: tf.Tensor, boxes: tf.Tensor) -> tf.Tensor:
        """[R, ...] -> [B, P, ...], B and P those of boxes [B, P, 4]."""
        sizes = shape_utils.combined_static_and_dynamic_shape(boxes)[:2]
        return shape_utils.expand_first_dimension(tensor, sizes)

    def _decoded(self, codes: tf.Tensor, proposal_boxes: tf.Tensor) -> tf.Tensor:
        """Codes [R, q, 4] of proposals [B, P, 4] -> boxes [B, P, q, 4]."""
        by_picture = self._by_picture(codes, proposal_boxes)
        coder = self._detector_assigner.box_coder
        return coder.decode_tensors(by_picture, proposal_boxes[:, :, tf.newaxis])[0]

    def postprocess(
        self, prediction_dict: dict[str, Any], true_image_shapes: tf.Tensor, **params: Any
    ) -> dict[str, tf.Tensor]:
        """Detections of the last stage.

        Args:
            prediction_dict: as `predict` returns it.
            true_image_shapes: [B, 3] sizes of the pictures before padding; boxes are cut there.
            **params: none are known.

        Returns:
            One stage: `detection_boxes` [B, P, 4] (normalised to the padded picture),
            `detection_scores` [B, P], `detection_multiclass_scores` [B, P, 2], `num_detections`
            [B] float, `raw_detection_boxes` [B, N, 4] and `raw_detection_scores` [B, N, 2].
            Two stages: `detection_boxes` [B, D, 4] (normalised to the true picture),
            `detection_scores` and `detection_classes` [B, D] (float, 0 is the first class),
            `detection_multiclass_scores` [B, D, 1 + C], `detection_anchor_indices` [B, D] int32
            (row of the proposal), `num_detections` [B] float, `raw_detection_boxes` [B, P, 4],
            `raw_detection_scores` [B, P, 1 + C]; `detection_masks` [B, D, h, w] if the
            predictions have masks; `detection_features` and `cropped_rpn_box_features`
            [B, D, h, w, C'] if they are wanted.
            Three stages: all tensors of `prediction_dict`, which has the detections already.

        Raises:
            ValueError: features of detections are wanted, but `rpn_features_to_crop` is missing.
        """
        del params
        with tf.name_scope(
            "FirstStagePostprocessor" if self._number_of_stages == 1 else "SecondStagePostprocessor"
        ):
            if self._number_of_stages == 1:
                return self._postprocess_first_stage(prediction_dict, true_image_shapes)
            if self._number_of_stages == 2:
                found = self._postprocess_second_stage(prediction_dict, true_image_shapes)
                return found | self._features_of_detections(
                    prediction_dict, found, true_image_shapes
                )
            return {name: value for name, value in prediction_dict.items() if tf.is_tensor(value)}

    def _postprocess_first_stage(
        self, predictions: dict[str, Any], true_image_shapes: tf.Tensor
    ) -> dict[str, tf.Tensor]:
        best, found = self._proposals(predictions, true_image_shapes)
        size = frames.padded_size(predictions["image_shape"])
        return {
            Detections.detection_boxes: frames.normalized(best.boxes, size),
            Detections.detection_scores: best.scores,
            Detections.detection_multiclass_scores: best.multiclass_scores,
            Detections.num_detections: tf.cast(best.count, tf.float32),
            Detections.raw_detection_boxes: frames.normalized(found.boxes, size),
            Detections.raw_detection_scores: found.scores,
        }

    def _postprocess_second_stage(
        self, predictions: dict[str, Any], true_image_shapes: tf.Tensor
    ) -> dict[str, tf.Tensor]:
        boxes = predictions["proposal_boxes"]
        masks = predictions.get(Predictions.mask_predictions)
        if masks is not None:
            masks = tf.sigmoid(tf.cast(self._by_picture(masks, boxes), tf.float32))
        logits = self._by_picture(predictions[Predictions.class_predictions_with_background], boxes)
        refined = detections.Refined(
            self._decoded(predictions["refined_box_encodings"], boxes),
            self._score_conversion_fn(logits),
            masks,
        )
        return detections.suppressed(
            refined, predictions["num_proposals"], true_image_shapes, self._second_stage_nms_fn
        )

    def _features_of_detections(
        self,
        predictions: dict[str, Any],
        found: dict[str, tf.Tensor],
        true_image_shapes: tf.Tensor,
    ) -> dict[str, tf.Tensor]:
        wanted = {
            Detections.detection_features: (self._output_final_box_features, self._region_features),
            "cropped_rpn_box_features": (self._output_final_box_rpn_features, self._region_crops),
        }
        result = {}
        for name, (is_wanted, features_of) in wanted.items():
            if not is_wanted:
                continue
            if "rpn_features_to_crop" not in predictions:
                raise ConfigError(f"{name} needs rpn_features_to_crop in the prediction_dict.")
            boxes = frames.from_true_to_padded(
                found[Detections.detection_boxes], true_image_shapes, predictions["image_shape"]
            )
            result[name] = self._by_picture(features_of(predictions, boxes), boxes)
        return result

    def loss(
        self, prediction_dict: dict[str, Any], true_image_shapes: tf.Tensor, scope: Any = None
    ) -> dict[str, tf.Tensor]:
        """The losses of all stages.

        Args:
            prediction_dict: as `predict` returns it.
            true_image_shapes: [B, 3] sizes of the pictures before padding.
            scope: name scope.

        Returns:
            Scalars `Loss/RPNLoss/localization_loss`, `Loss/RPNLoss/objectness_loss`; from two
            stages on `Loss/BoxClassifierLoss/localization_loss` and
            `Loss/BoxClassifierLoss/classification_loss`; with masks
            `Loss/BoxClassifierLoss/mask_loss`.

        Raises:
            ValueError: masks are predicted, but there are none in the groundtruth.
        """
        has_masks = prediction_dict.get(Predictions.mask_predictions) is not None
        with tf.name_scope(scope, "Loss"):
            truth = self._groundtruth(
                prediction_dict["image_shape"],
                with_masks=has_masks and self._number_of_stages > 1,
            )
            result = self._loss_rpn(prediction_dict, truth)
            if self._number_of_stages > 1:
                result |= self._loss_box_classifier(prediction_dict, truth, true_image_shapes)
            return result

    def _loss_rpn(
        self, predictions: dict[str, Any], truth: groundtruth.Groundtruth
    ) -> dict[str, tf.Tensor]:
        with tf.name_scope("RPNLoss"):
            targets = self._proposal_assigner.assign_batch(
                predictions[Predictions.anchors],
                truth.boxes,
                tf.ones_like(truth.weights)[..., tf.newaxis],
                unmatched_class_label=tf.zeros([1]),
                groundtruth_weights=truth.weights,
            )
            sampled = proposals.sampled_rows(
                self._first_stage_sampler,
                self._first_stage_minibatch_size,
                targets.class_weights[..., 0] > 0,
                targets.classes[..., 0] > 0,
                self._parallel_iterations,
            )
            found = stage_losses.rpn_losses(
                predictions["rpn_box_encodings"],
                predictions["rpn_objectness_predictions_with_background"],
                targets,
                sampled,
                self._location_loss,
                self._objectness_loss,
                truth.annotated,
            )
            if self._add_summaries:
                positive = tf.cast(targets.match >= 0, tf.float32)
                tf.summary.scalar(
                    "AvgNumPositiveAnchorsPerImage",
                    tf.reduce_mean(tf.reduce_sum(positive, axis=1)),
                    family="TargetAssignment",
                )
            return {
                "Loss/RPNLoss/localization_loss": tf.multiply(
                    self._first_stage_location_weight, found.location, name="localization_loss"
                ),
                "Loss/RPNLoss/objectness_loss": tf.multiply(
                    self._first_stage_objectness_weight,
                    found.classification,
                    name="objectness_loss",
                ),
            }

    def _loss_box_classifier(
        self,
        predictions: dict[str, Any],
        truth: groundtruth.Groundtruth,
        true_image_shapes: tf.Tensor,
    ) -> dict[str, tf.Tensor]:
        with tf.name_scope("BoxClassifierLoss"):
            boxes, count = predictions["proposal_boxes"], predictions["num_proposals"]
            targets = proposals.assign(boxes, truth, self._detector_assigner, self.num_classes)
            found = stage_losses.box_classifier_losses(
                self._by_picture(predictions["refined_box_encodings"], boxes),
                self._by_picture(predictions[Predictions.class_predictions_with_background], boxes),
                targets,
                boxes,
                count,
                self._location_loss,
                self._second_stage_class_loss,
                self._hard_example_miner,
                truth.annotated,
            )
            if self._hard_example_miner is not None and self._add_summaries:
                self._hard_example_miner.summarize()
            result = {
                "Loss/BoxClassifierLoss/localization_loss": tf.multiply(
                    self._second_stage_location_weight, found.location, name="localization_loss"
                ),
                "Loss/BoxClassifierLoss/classification_loss": tf.multiply(
                    self._second_stage_class_weight,
                    found.classification,
                    name="classification_loss",
                ),
            }
            if truth.masks is not None:
                result["Loss/BoxClassifierLoss/mask_loss"] = tf.multiply(
                    self._second_stage_mask_loss_weight,
                    self._loss_of_masks(predictions, truth, true_image_shapes),
                    name="mask_loss",
                )
            return result

    def _loss_of_masks(
        self,
        predictions: dict[str, Any],
        truth: groundtruth.Groundtruth,
        true_image_shapes: tf.Tensor,
    ) -> tf.Tensor:
        """Of the proposals in training; of the detections, whose masks these are, in evaluation."""
        size = frames.padded_size(predictions["image_shape"])
        if self._is_training:
            boxes, count = predictions["proposal_boxes"], predictions["num_proposals"]
        else:
            boxes = size * frames.from_true_to_padded(
                predictions[Detections.detection_boxes],
                true_image_shapes,
                predictions["image_shape"],
            )
            count = predictions[Detections.num_detections]
        targets = proposals.assign(boxes, truth, self._detector_assigner, self.num_classes)
        logits = self._by_picture(predictions[Predictions.mask_predictions], boxes)
        wanted = stage_losses.cropped_masks(
            truth.masks, targets.match, frames.normalized(boxes, size), logits.shape.as_list()[3:]
        )
        real = proposals.real_rows(count, tf.shape(boxes)[1])
        return stage_losses.mask_loss(
            logits, wanted, targets, real, self._mask_loss, truth.annotated
        )

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
                `detection` for one of another detector.
            load_all_detection_checkpoint_vars: with `detection`, not the networks' variables only.

        Raises:
            ConfigError: any other type.
        """
        scopes = (
            self.first_stage_feature_extractor_scope,
            self.second_stage_feature_extractor_scope,
        )
        if fine_tune_checkpoint_type == "classification":
            return dict(self._feature_extractor.restore_from_classification_checkpoint_fn(*scopes))
        if fine_tune_checkpoint_type == "detection":
            return {
                variable.op.name: variable
                for variable in variables_helper.get_global_variables_safely()
                if load_all_detection_checkpoint_vars or variable.op.name.startswith(scopes)
            }
        raise ConfigError(
            f"fine_tune_checkpoint_type is {fine_tune_checkpoint_type!r}; a two-stage model restores "
            "from 'classification' or 'detection' checkpoints."
        )

    def updates(self) -> list[tf.Operation]:
        return list(tf.get_collection(tf.GraphKeys.UPDATE_OPS))


def _proposal_predictor(
    is_training: bool, code_size: int, arg_scope_fn: Callable[[], Any]
) -> ConvolutionalBoxPredictor:
    """The predictor of the first stage: a box and an object score of each anchor (section 3.1)."""
    return ConvolutionalBoxPredictor(
        is_training=is_training,
        num_classes=1,
        box_prediction_head=box_head.ConvolutionalBoxHead(
            is_training=is_training, box_code_size=code_size, kernel_size=1
        ),
        class_prediction_head=class_head.ConvolutionalClassHead(
            is_training=is_training,
            num_class_slots=2,
            use_dropout=False,
            dropout_keep_prob=1.0,
            kernel_size=1,
        ),
        other_heads={},
        conv_hyperparams_fn=arg_scope_fn,
        num_layers_before_predictor=0,
        min_depth=0,
        max_depth=0,
    )
