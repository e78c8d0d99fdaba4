"""What each number of a config may be. Needs no TensorFlow.

The ranges let everything pass that has some use, however odd; they keep out what cannot be meant:
negative sizes, shares above 1, NaN, and sizes that would take all memory.
"""

import math
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from google.protobuf.descriptor import FieldDescriptor

_NUMBERS = (
    FieldDescriptor.CPPTYPE_INT32,
    FieldDescriptor.CPPTYPE_INT64,
    FieldDescriptor.CPPTYPE_UINT32,
    FieldDescriptor.CPPTYPE_UINT64,
    FieldDescriptor.CPPTYPE_FLOAT,
    FieldDescriptor.CPPTYPE_DOUBLE,
)

# Message, then each field with its range; "|" separates fields of different ranges. Where a range
# begins at 0 although 0 makes no sense, 0 is the default and stands for "not set".
_TABLE = """
TrainEvalPipelineConfig  max_boxes_per_image [0,100000]
FasterRcnn  number_of_stages [1,3] | num_classes [1,100000] | first_stage_atrous_rate [1,64]
  | first_stage_box_predictor_kernel_size [1,64] | first_stage_box_predictor_depth [1,65536]
  | first_stage_minibatch_size second_stage_batch_size first_stage_max_proposals [1,100000]
  | first_stage_positive_balance_fraction second_stage_balance_fraction [0,1]
  | first_stage_nms_score_threshold finite | first_stage_nms_iou_threshold [0,1]
  | first_stage_localization_loss_weight first_stage_objectness_loss_weight [0,inf)
  | second_stage_localization_loss_weight second_stage_classification_loss_weight [0,inf)
  | second_stage_mask_prediction_loss_weight [0,inf)
  | initial_crop_size [0,512] | maxpool_kernel_size maxpool_stride [0,64]
KeepAspectRatioResizer  min_dimension max_dimension [1,16384] | per_channel_pad_value finite
FixedShapeResizer  height width [1,16384]
ConditionalShapeResizer  size_threshold [1,16384]
PadToMultipleResizer  multiple [1,4096]
FasterRcnnFeatureExtractor  first_stage_features_stride [1,64] | pad_to_multiple [0,4096]
L1Regularizer  weight [0,inf)
L2Regularizer  weight [0,inf)
TruncatedNormalInitializer  mean finite | stddev [0,inf)
VarianceScalingInitializer  factor (0,inf)
RandomNormalInitializer  mean finite | stddev [0,inf)
BatchNorm  decay [0,1] | epsilon [0,inf)
FeaturePyramidNetworks  min_level max_level [1,16] | additional_layer_depth [1,65536]
BidirectionalFeaturePyramidNetworks  min_level max_level [1,16] | num_iterations [0,100]
  | num_filters [0,65536]
GridAnchorGenerator  height width height_stride width_stride [1,16384]
  | height_offset width_offset [-16384,16384] | scales aspect_ratios (0,1000]
SsdAnchorGenerator  num_layers [1,64] | min_scale max_scale scales aspect_ratios (0,1000]
  | interpolated_scale_aspect_ratio [0,1000] | base_anchor_height base_anchor_width (0,1000]
  | height_stride width_stride [1,16384] | height_offset width_offset [-16384,16384]
MultiscaleAnchorGenerator  min_level max_level [1,16] | anchor_scale aspect_ratios (0,1000]
  | scales_per_octave [1,64]
AnchorGrid  base_sizes (0,16384] | aspect_ratios (0,1000] | height_stride width_stride [1,16384]
  | height_offset width_offset [0,16384]
ConvolutionalBoxPredictor  min_depth max_depth [0,65536] | num_layers_before_predictor [0,100]
  | dropout_keep_probability (0,1] | kernel_size [1,64] | box_code_size [1,100000]
  | class_prediction_bias_init finite
ConvolutionalBoxPredictor.BoxEncodingsClipRange  min max finite
WeightSharedConvolutionalBoxPredictor  num_layers_before_predictor [0,100] | depth [0,65536]
  | kernel_size [1,64] | box_code_size [1,100000] | class_prediction_bias_init finite
  | dropout_keep_probability (0,1]
WeightSharedConvolutionalBoxPredictor.BoxEncodingsClipRange  min max finite
MaskRCNNBoxPredictor  dropout_keep_probability (0,1] | box_code_size [1,100000]
  | mask_prediction_conv_depth [0,65536] | mask_height mask_width [1,1024]
  | mask_prediction_num_conv_layers [0,100]
RfcnBoxPredictor  num_spatial_bins_height num_spatial_bins_width [1,64] | depth [1,65536]
  | box_code_size [1,100000] | crop_height crop_width [1,1024]
PostProcessing  logit_scale (0,inf)
BatchNonMaxSuppression  score_threshold finite | iou_threshold [0,1]
  | max_detections_per_class max_total_detections max_classes_per_detection [1,100000]
  | soft_nms_sigma [0,inf)
BlendOverlapping  iou_threshold (0,1] | score_power [0,inf) | max_candidates [1,1000000]
XYPairs.XYPair  x y finite
ClassIdFunctionApproximations.ClassIdXyPairsMapEntry  key [0,100000]
SigmoidParameters  a b finite
ClassIdSigmoidCalibrations.ClassIdSigmoidParametersMapEntry  key [0,100000]
TemperatureScalingCalibration  scaler (0,inf)
HardExampleMiner  num_hard_examples min_negatives_per_image max_negatives_per_positive [0,10000000]
  | iou_threshold [0,1]
WeightedSoftmaxClassificationLoss  logit_scale (0,inf)
WeightedSoftmaxClassificationAgainstLogitsLoss  logit_scale (0,inf)
BootstrappedSigmoidClassificationLoss  alpha [0,1]
SigmoidFocalClassificationLoss  gamma [0,inf) | alpha [0,1]
PenaltyReducedLogisticFocalLoss  alpha beta [0,inf)
Context  max_num_context_features attention_bottleneck_dimension [0,1000000]
  | context_feature_length num_attention_heads num_attention_layers [0,1000000]
  | attention_temperature (0,inf)
Ssd  num_classes [1,100000] | negative_class_weight implicit_example_weight [0,inf)
SsdFeatureExtractor  depth_multiplier (0,100] | min_depth [0,65536] | pad_to_multiple [1,4096]
  | num_layers [1,64]
FasterRcnnBoxCoder  y_scale x_scale height_scale width_scale (0,inf)
MeanStddevBoxCoder  stddev (0,inf)
SquareBoxCoder  y_scale x_scale length_scale (0,inf)
KeypointBoxCoder  num_keypoints [1,2000] | y_scale x_scale height_scale width_scale (0,inf)
ArgMaxMatcher  matched_threshold unmatched_threshold (-inf,1]
ThresholdedIouSimilarity  iou_threshold [0,1]
Loss  classification_weight localization_weight min_num_negative_samples [0,inf)
  | desired_negative_sampling_ratio [0,inf)
Loss.EqualizationLoss  weight [0,inf)
WeightedSmoothL1LocalizationLoss  delta (0,inf)
RandomExampleSampler  positive_sample_fraction [0,1]
KeypointLoss  weight (0,inf) | per_keypoint_weights occluded_weight [0,inf)
HuberKeypointLoss  delta (0,inf)
WingKeypointLoss  width curvature (0,inf)
OksKeypointLoss  sigmas (0,1)
KeypointVisibility  weight (0,inf)
Ssd.MaskHead  mask_height mask_width initial_crop_size [1,1024] | mask_loss_weight [0,inf)
  | mask_prediction_conv_depth [0,65536] | mask_prediction_num_conv_layers [0,100]
  | mask_loss_sample_size [0,100000]
TrainConfig  batch_size [1,65536] | keep_checkpoint_every_n_hours (0,inf]
  | gradient_clipping_by_norm gradient_clipping_by_global_norm bias_grad_multiplier [0,inf)
  | num_steps any | startup_delay_steps finite | replicas_to_aggregate any
  | batch_queue_capacity prefetch_queue_capacity [0,1000000] | num_batch_queue_threads [0,1000]
  | max_number_of_boxes [0,100000]
NormalizeImage  original_minval original_maxval target_minval target_maxval finite
RandomHorizontalFlip  keypoint_flip_permutation [0,1999] | probability [0,1]
RandomVerticalFlip  keypoint_flip_permutation [0,1999] | probability [0,1]
RandomRotation90  keypoint_rot_permutation [0,1999] | probability [0,1]
RandomPixelValueScale  minval maxval [0,inf)
RandomImageScale  min_scale_ratio max_scale_ratio (0,100]
RandomRGBtoGray  probability [0,1]
RandomAdjustBrightness  max_delta [0,1]
RandomAdjustContrast  min_delta max_delta [0,inf)
RandomAdjustHue  max_delta [0,1]
RandomAdjustSaturation  min_delta max_delta [0,inf)
RandomDistortColor  color_ordering [0,1]
RandomJitterBoxes  ratio [0,10]
RandomCropImage  min_object_covered min_area max_area overlap_thresh random_coef [0,1]
  | min_aspect_ratio max_aspect_ratio (0,1000]
RandomPadImage  min_image_height min_image_width max_image_height max_image_width [0,16384]
  | pad_color finite
RandomCropPadImage  min_object_covered min_area max_area overlap_thresh random_coef [0,1]
  | min_aspect_ratio max_aspect_ratio (0,1000]
  | min_padded_size_ratio max_padded_size_ratio (0,100] | pad_color finite
RandomCropToAspectRatio  aspect_ratio (0,1000] | overlap_thresh [0,1]
RandomBlackPatches  max_black_patches [0,10000] | probability size_to_image_ratio [0,1]
RandomResizeMethod  target_height target_width [1,16384]
ResizeImage  new_height new_width [1,16384]
SubtractChannelMean  means finite
SSDRandomCropOperation  min_object_covered min_area max_area overlap_thresh random_coef [0,1]
  | min_aspect_ratio max_aspect_ratio (0,1000]
SSDRandomCropPadOperation  min_object_covered min_area max_area overlap_thresh random_coef [0,1]
  | min_aspect_ratio max_aspect_ratio (0,1000]
  | min_padded_size_ratio max_padded_size_ratio (0,100]
  | pad_color_r pad_color_g pad_color_b finite
SSDRandomCropFixedAspectRatio  aspect_ratio (0,1000]
SSDRandomCropFixedAspectRatioOperation  min_object_covered min_area max_area overlap_thresh
  random_coef [0,1]
SSDRandomCropPadFixedAspectRatio  aspect_ratio (0,1000]
  | min_padded_size_ratio max_padded_size_ratio (0,100]
SSDRandomCropPadFixedAspectRatioOperation  min_object_covered min_area max_area overlap_thresh
  random_coef [0,1] | min_aspect_ratio max_aspect_ratio (0,1000]
ConvertClassLogitsToSoftmax  temperature (0,inf)
RandomAbsolutePadImage  max_height_padding max_width_padding [0,16384] | pad_color finite
RandomSelfConcatImage  concat_vertical_probability concat_horizontal_probability [0,1]
DropLabelProbabilistically  label [0,100000] | drop_probability [0,1]
RemapLabels  original_labels new_label [0,100000]
RandomJpegQuality  random_coef [0,1] | min_jpeg_quality max_jpeg_quality [0,100]
RandomDownscaleToTargetPixels  random_coef [0,1]
  | min_target_pixels max_target_pixels [1,268435456]
RandomPatchGaussian  random_coef [0,1] | min_patch_size max_patch_size [1,16384]
  | min_gaussian_stddev max_gaussian_stddev [0,inf)
RandomSquareCropByScale  max_border [0,16384] | scale_min scale_max (0,100] | num_scales [1,1000]
RandomScaleCropAndPadToSquare  output_size [1,16384] | scale_min scale_max (0,100]
AdjustGamma  gamma gain [0,inf)
RandomRotation  min_angle max_angle [-36000,36000] | probability overlap_thresh [0,1]
  | pad_color finite
RandomSquareCrop  factor min_factor max_factor (0,1000] | max_attempts [1,100000]
  | probability [0,1] | pad_color finite
Mosaic  probability min_center max_center overlap_thresh [0,1] | min_scale max_scale (0,100]
  | pad_color finite | pool_size [4,10000] | height width [0,16384]
Optimizer  moving_average_decay [0,1]
RMSPropOptimizer  momentum_optimizer_value decay [0,1] | epsilon [0,inf)
MomentumOptimizer  momentum_optimizer_value [0,1]
AdamOptimizer  epsilon [0,inf)
LearningRate  warmup_steps any | warmup_start_factor [0,1]
ConstantLearningRate  learning_rate [0,inf)
ExponentialDecayLearningRate  initial_learning_rate burnin_learning_rate min_learning_rate [0,inf)
  | decay_steps [1,inf) | decay_factor [0,inf) | burnin_steps any
ManualStepLearningRate  initial_learning_rate [0,inf)
ManualStepLearningRate.LearningRateSchedule  step any | learning_rate [0,inf)
CosineDecayLearningRate  learning_rate_base warmup_learning_rate [0,inf) | total_steps [1,inf)
  | warmup_steps hold_base_rate_steps any
TrainingEvaluation  every_steps [1,inf)
EarlyStopping  patience [1,inf) | min_change [0,inf)
BadRecords  max_share [0,1] | max_megapixels (0,10000]
NonFinite  max_times any
InputReader  shuffle_buffer_size [0,10000000] | filenames_shuffle_buffer_size any | num_epochs any
  | sample_1_of_n_examples any | num_readers [0,100000] | num_parallel_batches any
  | num_prefetch_batches [-1,1000] | queue_capacity min_after_dequeue prefetch_size any
  | read_block_length [0,1000000] | num_parallel_map_calls any
  | num_additional_channels [0,1000] | num_keypoints [0,2000] | keypoint_type_weight finite
  | max_number_of_boxes [0,100000] | frame_index any | sample_from_datasets_weights [0,inf)
EvalConfig  batch_size [1,65536] | num_visualizations num_examples eval_interval_secs any
  | max_evals any | min_score_threshold recall_lower_bound recall_upper_bound [0,1]
  | max_num_boxes_to_visualize [0,100000] | min_object_width [0,inf) | oks_sigmas (0,1)
  | oks_max_detections max_detections [1,100000]
  | pck_thresholds keypoint_failure_threshold (0,inf)
CocoKeypointMetrics.KeypointLabelToSigmasEntry  value (0,inf)
KeypointEdge  start end [0,1999]
Quantization  delay [0,inf) | weight_bits activation_bits [2,16]
SchemaKeypoint  sigma (0,1)
"""

# Ends of a range of which the first may not be above the second.
_IN_ORDER = {
    "KeepAspectRatioResizer": [("min_dimension", "max_dimension")],
    "FeaturePyramidNetworks": [("min_level", "max_level")],
    "MultiscaleAnchorGenerator": [("min_level", "max_level")],
    "SsdAnchorGenerator": [("min_scale", "max_scale")],
    "ArgMaxMatcher": [("unmatched_threshold", "matched_threshold")],
    "BatchNonMaxSuppression": [("max_detections_per_class", "max_total_detections")],
    "ConvolutionalBoxPredictor.BoxEncodingsClipRange": [("min", "max")],
    "WeightSharedConvolutionalBoxPredictor.BoxEncodingsClipRange": [("min", "max")],
    "RandomPixelValueScale": [("minval", "maxval")],
    "RandomImageScale": [("min_scale_ratio", "max_scale_ratio")],
    "RandomAdjustContrast": [("min_delta", "max_delta")],
    "RandomAdjustSaturation": [("min_delta", "max_delta")],
    "RandomCropImage": [("min_aspect_ratio", "max_aspect_ratio"), ("min_area", "max_area")],
    "RandomCropPadImage": [("min_aspect_ratio", "max_aspect_ratio"), ("min_area", "max_area")],
    "RandomJpegQuality": [("min_jpeg_quality", "max_jpeg_quality")],
    "RandomDownscaleToTargetPixels": [("min_target_pixels", "max_target_pixels")],
    "RandomPatchGaussian": [
        ("min_patch_size", "max_patch_size"),
        ("min_gaussian_stddev", "max_gaussian_stddev"),
    ],
    "RandomSquareCropByScale": [("scale_min", "scale_max")],
    "RandomScaleCropAndPadToSquare": [("scale_min", "scale_max")],
    "CosineDecayLearningRate": [("warmup_steps", "total_steps")],
    "EvalConfig": [("recall_lower_bound", "recall_upper_bound")],
}


class Range(NamedTuple):
    """Numbers from `low` to `high`; an end may not belong to it."""

    low: float
    high: float
    low_belongs: bool
    high_belongs: bool

    def holds(self, value: float) -> bool:
        """Whether a number is in the range; NaN is in none."""
        above = value >= self.low if self.low_belongs else value > self.low
        below = value <= self.high if self.high_belongs else value < self.high
        return above and below

    def __str__(self) -> str:
        """In words, for messages."""
        low, high = (f"{end:.10g}" for end in (self.low, self.high))
        if math.isinf(self.high):
            if math.isinf(self.low):
                return "must be a finite number"
            return f"must be {low} or more" if self.low_belongs else f"must be above {low}"
        if math.isinf(self.low):
            return f"must be {high} or less" if self.high_belongs else f"must be below {high}"
        above = "" if self.low_belongs else "above "
        below = "" if self.high_belongs else "below "
        return f"must be from {above}{low} to {below}{high}"


def _range(text: str) -> Range:
    if text in ("finite", "any"):
        return Range(-math.inf, math.inf, False, False)
    low, high = text[1:-1].split(",")
    return Range(float(low), float(high), text[0] == "[", text[-1] == "]")


def _ranges() -> dict[str, Range]:
    found: dict[str, Range] = {}
    message = ""
    for line in re.sub(r"\n +(?!\|)", " ", _TABLE).replace("\n  |", " |").strip().splitlines():
        message, _, fields = line.partition("  ")
        for group in fields.split(" | "):
            *names, allowed = group.split()
            found.update({f"{message}.{name}": _range(allowed) for name in names})
    return found


RANGES = _ranges()
"""`Message.field` -> what its values may be."""


def is_number(field: Any) -> bool:
    """Whether the field of a descriptor holds numbers, not messages, names or an enumeration."""
    return not field.enum_type and field.cpp_type in _NUMBERS


def short_name(descriptor: Any) -> str:
    """Name of a message without that of the package."""
    return str(descriptor.full_name).removeprefix("object_detection.protos.")


def problems(message: Any, where: str) -> Iterator[str]:
    """Numbers of a message, and of those within it, that are out of their range.

    Only what is set is looked at.

    Args:
        message: any of a pipeline's.
        where: its path in the pipeline; "" for the pipeline itself.
    """
    kind = short_name(message.DESCRIPTOR)
    for field, value in message.ListFields():
        path = f"{where}.{field.name}" if where else field.name
        repeated = isinstance(field.default_value, list)
        if field.message_type and field.message_type.GetOptions().map_entry:
            yield from _of_a_map(field, value, path)
        elif field.message_type:
            for number, one in enumerate(value if repeated else [value]):
                yield from problems(one, f"{path}[{number}]" if repeated else path)
        elif is_number(field):
            for number, one in enumerate(value if repeated else [value]):
                at = f"{path}[{number}]" if repeated else path
                yield from out_of_range(f"{kind}.{field.name}", one, f"{at}: is")
    for low, high in _IN_ORDER.get(kind, ()):
        least, most = getattr(message, low), getattr(message, high)
        if least > most and (message.HasField(low) or message.HasField(high)):
            yield (
                f"{where}.{low}: is {_shown(least)}, above {high}, which is {_shown(most)}; give "
                "them in order."
            )


def _of_a_map(field: Any, entries: Any, path: str) -> Iterator[str]:
    kind = short_name(field.message_type)
    parts = field.message_type.fields_by_name
    for key, value in entries.items():
        if is_number(parts["key"]):
            yield from out_of_range(f"{kind}.key", key, f"{path}: has the key")
        if parts["value"].message_type:
            for problem in problems(value, path):
                yield f"{problem[:-1]} (of key {key})."
        elif is_number(parts["value"]):
            yield from out_of_range(f"{kind}.value", value, f"{path}: has for {key!r}")


def out_of_range(name: str, value: float, found: str) -> Iterator[str]:
    """A problem, if a number is out of its range.

    Args:
        name: `Message.field`.
        value: what was found.
        found: how the problem begins, before the number.
    """
    allowed = RANGES.get(name)
    if allowed is not None and not allowed.holds(value):
        yield f"{found} {_shown(value)}, {allowed}."


def _shown(value: float) -> str:
    return str(value) if isinstance(value, int) else f"{value:g}"
