from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Iterable as _Iterable, Mapping as _Mapping, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class BootstrappedSigmoidClassificationLoss(_message.Message):
    __slots__ = ["alpha", "anchorwise_output", "hard_bootstrap"]
    ALPHA_FIELD_NUMBER: _ClassVar[int]
    ANCHORWISE_OUTPUT_FIELD_NUMBER: _ClassVar[int]
    HARD_BOOTSTRAP_FIELD_NUMBER: _ClassVar[int]
    alpha: float
    anchorwise_output: bool
    hard_bootstrap: bool
    def __init__(self, alpha: _Optional[float] = ..., hard_bootstrap: bool = ..., anchorwise_output: bool = ...) -> None: ...

class ClassificationLoss(_message.Message):
    __slots__ = ["bootstrapped_sigmoid", "penalty_reduced_logistic_focal_loss", "weighted_dice_classification_loss", "weighted_logits_softmax", "weighted_sigmoid", "weighted_sigmoid_focal", "weighted_softmax"]
    BOOTSTRAPPED_SIGMOID_FIELD_NUMBER: _ClassVar[int]
    PENALTY_REDUCED_LOGISTIC_FOCAL_LOSS_FIELD_NUMBER: _ClassVar[int]
    WEIGHTED_DICE_CLASSIFICATION_LOSS_FIELD_NUMBER: _ClassVar[int]
    WEIGHTED_LOGITS_SOFTMAX_FIELD_NUMBER: _ClassVar[int]
    WEIGHTED_SIGMOID_FIELD_NUMBER: _ClassVar[int]
    WEIGHTED_SIGMOID_FOCAL_FIELD_NUMBER: _ClassVar[int]
    WEIGHTED_SOFTMAX_FIELD_NUMBER: _ClassVar[int]
    bootstrapped_sigmoid: BootstrappedSigmoidClassificationLoss
    penalty_reduced_logistic_focal_loss: PenaltyReducedLogisticFocalLoss
    weighted_dice_classification_loss: WeightedDiceClassificationLoss
    weighted_logits_softmax: WeightedSoftmaxClassificationAgainstLogitsLoss
    weighted_sigmoid: WeightedSigmoidClassificationLoss
    weighted_sigmoid_focal: SigmoidFocalClassificationLoss
    weighted_softmax: WeightedSoftmaxClassificationLoss
    def __init__(self, weighted_sigmoid: _Optional[_Union[WeightedSigmoidClassificationLoss, _Mapping]] = ..., weighted_softmax: _Optional[_Union[WeightedSoftmaxClassificationLoss, _Mapping]] = ..., weighted_logits_softmax: _Optional[_Union[WeightedSoftmaxClassificationAgainstLogitsLoss, _Mapping]] = ..., bootstrapped_sigmoid: _Optional[_Union[BootstrappedSigmoidClassificationLoss, _Mapping]] = ..., weighted_sigmoid_focal: _Optional[_Union[SigmoidFocalClassificationLoss, _Mapping]] = ..., penalty_reduced_logistic_focal_loss: _Optional[_Union[PenaltyReducedLogisticFocalLoss, _Mapping]] = ..., weighted_dice_classification_loss: _Optional[_Union[WeightedDiceClassificationLoss, _Mapping]] = ...) -> None: ...

class HardExampleMiner(_message.Message):
    __slots__ = ["iou_threshold", "loss_type", "max_negatives_per_positive", "min_negatives_per_image", "num_hard_examples"]
    class LossType(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = []
    BOTH: HardExampleMiner.LossType
    CLASSIFICATION: HardExampleMiner.LossType
    IOU_THRESHOLD_FIELD_NUMBER: _ClassVar[int]
    LOCALIZATION: HardExampleMiner.LossType
    LOSS_TYPE_FIELD_NUMBER: _ClassVar[int]
    MAX_NEGATIVES_PER_POSITIVE_FIELD_NUMBER: _ClassVar[int]
    MIN_NEGATIVES_PER_IMAGE_FIELD_NUMBER: _ClassVar[int]
    NUM_HARD_EXAMPLES_FIELD_NUMBER: _ClassVar[int]
    iou_threshold: float
    loss_type: HardExampleMiner.LossType
    max_negatives_per_positive: int
    min_negatives_per_image: int
    num_hard_examples: int
    def __init__(self, num_hard_examples: _Optional[int] = ..., iou_threshold: _Optional[float] = ..., loss_type: _Optional[_Union[HardExampleMiner.LossType, str]] = ..., max_negatives_per_positive: _Optional[int] = ..., min_negatives_per_image: _Optional[int] = ...) -> None: ...

class HuberKeypointLoss(_message.Message):
    __slots__ = ["delta"]
    DELTA_FIELD_NUMBER: _ClassVar[int]
    delta: float
    def __init__(self, delta: _Optional[float] = ...) -> None: ...

class KeypointLoss(_message.Message):
    __slots__ = ["huber", "l1", "occluded_weight", "oks", "per_keypoint_weights", "visibility", "weight", "wing"]
    HUBER_FIELD_NUMBER: _ClassVar[int]
    L1_FIELD_NUMBER: _ClassVar[int]
    OCCLUDED_WEIGHT_FIELD_NUMBER: _ClassVar[int]
    OKS_FIELD_NUMBER: _ClassVar[int]
    PER_KEYPOINT_WEIGHTS_FIELD_NUMBER: _ClassVar[int]
    VISIBILITY_FIELD_NUMBER: _ClassVar[int]
    WEIGHT_FIELD_NUMBER: _ClassVar[int]
    WING_FIELD_NUMBER: _ClassVar[int]
    huber: HuberKeypointLoss
    l1: L1KeypointLoss
    occluded_weight: float
    oks: OksKeypointLoss
    per_keypoint_weights: _containers.RepeatedScalarFieldContainer[float]
    visibility: KeypointVisibility
    weight: float
    wing: WingKeypointLoss
    def __init__(self, weight: _Optional[float] = ..., huber: _Optional[_Union[HuberKeypointLoss, _Mapping]] = ..., l1: _Optional[_Union[L1KeypointLoss, _Mapping]] = ..., wing: _Optional[_Union[WingKeypointLoss, _Mapping]] = ..., oks: _Optional[_Union[OksKeypointLoss, _Mapping]] = ..., per_keypoint_weights: _Optional[_Iterable[float]] = ..., occluded_weight: _Optional[float] = ..., visibility: _Optional[_Union[KeypointVisibility, _Mapping]] = ...) -> None: ...

class KeypointVisibility(_message.Message):
    __slots__ = ["weight"]
    WEIGHT_FIELD_NUMBER: _ClassVar[int]
    weight: float
    def __init__(self, weight: _Optional[float] = ...) -> None: ...

class L1KeypointLoss(_message.Message):
    __slots__ = []
    def __init__(self) -> None: ...

class L1LocalizationLoss(_message.Message):
    __slots__ = []
    def __init__(self) -> None: ...

class LocalizationLoss(_message.Message):
    __slots__ = ["l1_localization_loss", "weighted_ciou", "weighted_diou", "weighted_giou", "weighted_iou", "weighted_l2", "weighted_smooth_l1"]
    L1_LOCALIZATION_LOSS_FIELD_NUMBER: _ClassVar[int]
    WEIGHTED_CIOU_FIELD_NUMBER: _ClassVar[int]
    WEIGHTED_DIOU_FIELD_NUMBER: _ClassVar[int]
    WEIGHTED_GIOU_FIELD_NUMBER: _ClassVar[int]
    WEIGHTED_IOU_FIELD_NUMBER: _ClassVar[int]
    WEIGHTED_L2_FIELD_NUMBER: _ClassVar[int]
    WEIGHTED_SMOOTH_L1_FIELD_NUMBER: _ClassVar[int]
    l1_localization_loss: L1LocalizationLoss
    weighted_ciou: WeightedCIOULocalizationLoss
    weighted_diou: WeightedDIOULocalizationLoss
    weighted_giou: WeightedGIOULocalizationLoss
    weighted_iou: WeightedIOULocalizationLoss
    weighted_l2: WeightedL2LocalizationLoss
    weighted_smooth_l1: WeightedSmoothL1LocalizationLoss
    def __init__(self, weighted_l2: _Optional[_Union[WeightedL2LocalizationLoss, _Mapping]] = ..., weighted_smooth_l1: _Optional[_Union[WeightedSmoothL1LocalizationLoss, _Mapping]] = ..., weighted_iou: _Optional[_Union[WeightedIOULocalizationLoss, _Mapping]] = ..., l1_localization_loss: _Optional[_Union[L1LocalizationLoss, _Mapping]] = ..., weighted_giou: _Optional[_Union[WeightedGIOULocalizationLoss, _Mapping]] = ..., weighted_diou: _Optional[_Union[WeightedDIOULocalizationLoss, _Mapping]] = ..., weighted_ciou: _Optional[_Union[WeightedCIOULocalizationLoss, _Mapping]] = ...) -> None: ...

class Loss(_message.Message):
    __slots__ = ["classification_loss", "classification_weight", "desired_negative_sampling_ratio", "equalization_loss", "expected_loss_weights", "hard_example_miner", "keypoint_loss", "localization_loss", "localization_weight", "min_num_negative_samples", "random_example_sampler"]
    class ExpectedLossWeights(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = []
    class EqualizationLoss(_message.Message):
        __slots__ = ["exclude_prefixes", "weight"]
        EXCLUDE_PREFIXES_FIELD_NUMBER: _ClassVar[int]
        WEIGHT_FIELD_NUMBER: _ClassVar[int]
        exclude_prefixes: _containers.RepeatedScalarFieldContainer[str]
        weight: float
        def __init__(self, weight: _Optional[float] = ..., exclude_prefixes: _Optional[_Iterable[str]] = ...) -> None: ...
    CLASSIFICATION_LOSS_FIELD_NUMBER: _ClassVar[int]
    CLASSIFICATION_WEIGHT_FIELD_NUMBER: _ClassVar[int]
    DESIRED_NEGATIVE_SAMPLING_RATIO_FIELD_NUMBER: _ClassVar[int]
    EQUALIZATION_LOSS_FIELD_NUMBER: _ClassVar[int]
    EXPECTED_LOSS_WEIGHTS_FIELD_NUMBER: _ClassVar[int]
    EXPECTED_SAMPLING: Loss.ExpectedLossWeights
    HARD_EXAMPLE_MINER_FIELD_NUMBER: _ClassVar[int]
    KEYPOINT_LOSS_FIELD_NUMBER: _ClassVar[int]
    LOCALIZATION_LOSS_FIELD_NUMBER: _ClassVar[int]
    LOCALIZATION_WEIGHT_FIELD_NUMBER: _ClassVar[int]
    MIN_NUM_NEGATIVE_SAMPLES_FIELD_NUMBER: _ClassVar[int]
    NONE: Loss.ExpectedLossWeights
    RANDOM_EXAMPLE_SAMPLER_FIELD_NUMBER: _ClassVar[int]
    REWEIGHTING_UNMATCHED_ANCHORS: Loss.ExpectedLossWeights
    classification_loss: ClassificationLoss
    classification_weight: float
    desired_negative_sampling_ratio: float
    equalization_loss: Loss.EqualizationLoss
    expected_loss_weights: Loss.ExpectedLossWeights
    hard_example_miner: HardExampleMiner
    keypoint_loss: KeypointLoss
    localization_loss: LocalizationLoss
    localization_weight: float
    min_num_negative_samples: float
    random_example_sampler: RandomExampleSampler
    def __init__(self, localization_loss: _Optional[_Union[LocalizationLoss, _Mapping]] = ..., classification_loss: _Optional[_Union[ClassificationLoss, _Mapping]] = ..., hard_example_miner: _Optional[_Union[HardExampleMiner, _Mapping]] = ..., classification_weight: _Optional[float] = ..., localization_weight: _Optional[float] = ..., random_example_sampler: _Optional[_Union[RandomExampleSampler, _Mapping]] = ..., equalization_loss: _Optional[_Union[Loss.EqualizationLoss, _Mapping]] = ..., expected_loss_weights: _Optional[_Union[Loss.ExpectedLossWeights, str]] = ..., min_num_negative_samples: _Optional[float] = ..., desired_negative_sampling_ratio: _Optional[float] = ..., keypoint_loss: _Optional[_Union[KeypointLoss, _Mapping]] = ...) -> None: ...

class OksKeypointLoss(_message.Message):
    __slots__ = ["sigmas"]
    SIGMAS_FIELD_NUMBER: _ClassVar[int]
    sigmas: _containers.RepeatedScalarFieldContainer[float]
    def __init__(self, sigmas: _Optional[_Iterable[float]] = ...) -> None: ...

class PenaltyReducedLogisticFocalLoss(_message.Message):
    __slots__ = ["alpha", "beta"]
    ALPHA_FIELD_NUMBER: _ClassVar[int]
    BETA_FIELD_NUMBER: _ClassVar[int]
    alpha: float
    beta: float
    def __init__(self, alpha: _Optional[float] = ..., beta: _Optional[float] = ...) -> None: ...

class RandomExampleSampler(_message.Message):
    __slots__ = ["positive_sample_fraction"]
    POSITIVE_SAMPLE_FRACTION_FIELD_NUMBER: _ClassVar[int]
    positive_sample_fraction: float
    def __init__(self, positive_sample_fraction: _Optional[float] = ...) -> None: ...

class SigmoidFocalClassificationLoss(_message.Message):
    __slots__ = ["alpha", "anchorwise_output", "gamma"]
    ALPHA_FIELD_NUMBER: _ClassVar[int]
    ANCHORWISE_OUTPUT_FIELD_NUMBER: _ClassVar[int]
    GAMMA_FIELD_NUMBER: _ClassVar[int]
    alpha: float
    anchorwise_output: bool
    gamma: float
    def __init__(self, anchorwise_output: bool = ..., gamma: _Optional[float] = ..., alpha: _Optional[float] = ...) -> None: ...

class WeightedCIOULocalizationLoss(_message.Message):
    __slots__ = []
    def __init__(self) -> None: ...

class WeightedDIOULocalizationLoss(_message.Message):
    __slots__ = []
    def __init__(self) -> None: ...

class WeightedDiceClassificationLoss(_message.Message):
    __slots__ = ["is_prediction_probability", "squared_normalization"]
    IS_PREDICTION_PROBABILITY_FIELD_NUMBER: _ClassVar[int]
    SQUARED_NORMALIZATION_FIELD_NUMBER: _ClassVar[int]
    is_prediction_probability: bool
    squared_normalization: bool
    def __init__(self, squared_normalization: bool = ..., is_prediction_probability: bool = ...) -> None: ...

class WeightedGIOULocalizationLoss(_message.Message):
    __slots__ = []
    def __init__(self) -> None: ...

class WeightedIOULocalizationLoss(_message.Message):
    __slots__ = []
    def __init__(self) -> None: ...

class WeightedL2LocalizationLoss(_message.Message):
    __slots__ = ["anchorwise_output"]
    ANCHORWISE_OUTPUT_FIELD_NUMBER: _ClassVar[int]
    anchorwise_output: bool
    def __init__(self, anchorwise_output: bool = ...) -> None: ...

class WeightedSigmoidClassificationLoss(_message.Message):
    __slots__ = ["anchorwise_output"]
    ANCHORWISE_OUTPUT_FIELD_NUMBER: _ClassVar[int]
    anchorwise_output: bool
    def __init__(self, anchorwise_output: bool = ...) -> None: ...

class WeightedSmoothL1LocalizationLoss(_message.Message):
    __slots__ = ["anchorwise_output", "delta"]
    ANCHORWISE_OUTPUT_FIELD_NUMBER: _ClassVar[int]
    DELTA_FIELD_NUMBER: _ClassVar[int]
    anchorwise_output: bool
    delta: float
    def __init__(self, anchorwise_output: bool = ..., delta: _Optional[float] = ...) -> None: ...

class WeightedSoftmaxClassificationAgainstLogitsLoss(_message.Message):
    __slots__ = ["anchorwise_output", "logit_scale"]
    ANCHORWISE_OUTPUT_FIELD_NUMBER: _ClassVar[int]
    LOGIT_SCALE_FIELD_NUMBER: _ClassVar[int]
    anchorwise_output: bool
    logit_scale: float
    def __init__(self, anchorwise_output: bool = ..., logit_scale: _Optional[float] = ...) -> None: ...

class WeightedSoftmaxClassificationLoss(_message.Message):
    __slots__ = ["anchorwise_output", "logit_scale"]
    ANCHORWISE_OUTPUT_FIELD_NUMBER: _ClassVar[int]
    LOGIT_SCALE_FIELD_NUMBER: _ClassVar[int]
    anchorwise_output: bool
    logit_scale: float
    def __init__(self, anchorwise_output: bool = ..., logit_scale: _Optional[float] = ...) -> None: ...

class WingKeypointLoss(_message.Message):
    __slots__ = ["curvature", "width"]
    CURVATURE_FIELD_NUMBER: _ClassVar[int]
    WIDTH_FIELD_NUMBER: _ClassVar[int]
    curvature: float
    width: float
    def __init__(self, width: _Optional[float] = ..., curvature: _Optional[float] = ...) -> None: ...
