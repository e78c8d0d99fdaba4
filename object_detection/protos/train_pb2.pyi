from object_detection.protos import optimizer_pb2 as _optimizer_pb2
from object_detection.protos import preprocessor_pb2 as _preprocessor_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Iterable as _Iterable, Mapping as _Mapping, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor
UNKNOWN: CheckpointVersion
V1: CheckpointVersion
V2: CheckpointVersion

class EarlyStopping(_message.Message):
    __slots__ = ["min_change", "patience"]
    MIN_CHANGE_FIELD_NUMBER: _ClassVar[int]
    PATIENCE_FIELD_NUMBER: _ClassVar[int]
    min_change: float
    patience: int
    def __init__(self, patience: _Optional[int] = ..., min_change: _Optional[float] = ...) -> None: ...

class NonFinite(_message.Message):
    __slots__ = ["max_times", "policy"]
    class Policy(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = []
    MAX_TIMES_FIELD_NUMBER: _ClassVar[int]
    POLICY_FIELD_NUMBER: _ClassVar[int]
    ROLL_BACK: NonFinite.Policy
    SKIP: NonFinite.Policy
    STOP: NonFinite.Policy
    max_times: int
    policy: NonFinite.Policy
    def __init__(self, policy: _Optional[_Union[NonFinite.Policy, str]] = ..., max_times: _Optional[int] = ...) -> None: ...

class TrainConfig(_message.Message):
    __slots__ = ["add_regularization_loss", "batch_queue_capacity", "batch_size", "bias_grad_multiplier", "data_augmentation_options", "deterministic_input", "evaluation", "fine_tune_checkpoint", "fine_tune_checkpoint_type", "fine_tune_checkpoint_version", "freeze_variables", "from_detection_checkpoint", "gradient_clipping_by_global_norm", "gradient_clipping_by_norm", "keep_checkpoint_every_n_hours", "load_all_detection_checkpoint_vars", "max_number_of_boxes", "merge_multiple_label_boxes", "non_finite", "num_batch_queue_threads", "num_steps", "optimizer", "prefetch_queue_capacity", "replicas_to_aggregate", "retain_original_images", "run_fine_tune_checkpoint_dummy_computation", "startup_delay_steps", "summarize_gradients", "sync_replicas", "unpad_groundtruth_tensors", "update_trainable_variables", "use_bfloat16", "use_multiclass_scores"]
    ADD_REGULARIZATION_LOSS_FIELD_NUMBER: _ClassVar[int]
    BATCH_QUEUE_CAPACITY_FIELD_NUMBER: _ClassVar[int]
    BATCH_SIZE_FIELD_NUMBER: _ClassVar[int]
    BIAS_GRAD_MULTIPLIER_FIELD_NUMBER: _ClassVar[int]
    DATA_AUGMENTATION_OPTIONS_FIELD_NUMBER: _ClassVar[int]
    DETERMINISTIC_INPUT_FIELD_NUMBER: _ClassVar[int]
    EVALUATION_FIELD_NUMBER: _ClassVar[int]
    FINE_TUNE_CHECKPOINT_FIELD_NUMBER: _ClassVar[int]
    FINE_TUNE_CHECKPOINT_TYPE_FIELD_NUMBER: _ClassVar[int]
    FINE_TUNE_CHECKPOINT_VERSION_FIELD_NUMBER: _ClassVar[int]
    FREEZE_VARIABLES_FIELD_NUMBER: _ClassVar[int]
    FROM_DETECTION_CHECKPOINT_FIELD_NUMBER: _ClassVar[int]
    GRADIENT_CLIPPING_BY_GLOBAL_NORM_FIELD_NUMBER: _ClassVar[int]
    GRADIENT_CLIPPING_BY_NORM_FIELD_NUMBER: _ClassVar[int]
    KEEP_CHECKPOINT_EVERY_N_HOURS_FIELD_NUMBER: _ClassVar[int]
    LOAD_ALL_DETECTION_CHECKPOINT_VARS_FIELD_NUMBER: _ClassVar[int]
    MAX_NUMBER_OF_BOXES_FIELD_NUMBER: _ClassVar[int]
    MERGE_MULTIPLE_LABEL_BOXES_FIELD_NUMBER: _ClassVar[int]
    NON_FINITE_FIELD_NUMBER: _ClassVar[int]
    NUM_BATCH_QUEUE_THREADS_FIELD_NUMBER: _ClassVar[int]
    NUM_STEPS_FIELD_NUMBER: _ClassVar[int]
    OPTIMIZER_FIELD_NUMBER: _ClassVar[int]
    PREFETCH_QUEUE_CAPACITY_FIELD_NUMBER: _ClassVar[int]
    REPLICAS_TO_AGGREGATE_FIELD_NUMBER: _ClassVar[int]
    RETAIN_ORIGINAL_IMAGES_FIELD_NUMBER: _ClassVar[int]
    RUN_FINE_TUNE_CHECKPOINT_DUMMY_COMPUTATION_FIELD_NUMBER: _ClassVar[int]
    STARTUP_DELAY_STEPS_FIELD_NUMBER: _ClassVar[int]
    SUMMARIZE_GRADIENTS_FIELD_NUMBER: _ClassVar[int]
    SYNC_REPLICAS_FIELD_NUMBER: _ClassVar[int]
    UNPAD_GROUNDTRUTH_TENSORS_FIELD_NUMBER: _ClassVar[int]
    UPDATE_TRAINABLE_VARIABLES_FIELD_NUMBER: _ClassVar[int]
    USE_BFLOAT16_FIELD_NUMBER: _ClassVar[int]
    USE_MULTICLASS_SCORES_FIELD_NUMBER: _ClassVar[int]
    add_regularization_loss: bool
    batch_queue_capacity: int
    batch_size: int
    bias_grad_multiplier: float
    data_augmentation_options: _containers.RepeatedCompositeFieldContainer[_preprocessor_pb2.PreprocessingStep]
    deterministic_input: bool
    evaluation: TrainingEvaluation
    fine_tune_checkpoint: str
    fine_tune_checkpoint_type: str
    fine_tune_checkpoint_version: CheckpointVersion
    freeze_variables: _containers.RepeatedScalarFieldContainer[str]
    from_detection_checkpoint: bool
    gradient_clipping_by_global_norm: float
    gradient_clipping_by_norm: float
    keep_checkpoint_every_n_hours: float
    load_all_detection_checkpoint_vars: bool
    max_number_of_boxes: int
    merge_multiple_label_boxes: bool
    non_finite: NonFinite
    num_batch_queue_threads: int
    num_steps: int
    optimizer: _optimizer_pb2.Optimizer
    prefetch_queue_capacity: int
    replicas_to_aggregate: int
    retain_original_images: bool
    run_fine_tune_checkpoint_dummy_computation: bool
    startup_delay_steps: float
    summarize_gradients: bool
    sync_replicas: bool
    unpad_groundtruth_tensors: bool
    update_trainable_variables: _containers.RepeatedScalarFieldContainer[str]
    use_bfloat16: bool
    use_multiclass_scores: bool
    def __init__(self, batch_size: _Optional[int] = ..., data_augmentation_options: _Optional[_Iterable[_Union[_preprocessor_pb2.PreprocessingStep, _Mapping]]] = ..., sync_replicas: bool = ..., keep_checkpoint_every_n_hours: _Optional[float] = ..., optimizer: _Optional[_Union[_optimizer_pb2.Optimizer, _Mapping]] = ..., gradient_clipping_by_norm: _Optional[float] = ..., fine_tune_checkpoint: _Optional[str] = ..., fine_tune_checkpoint_type: _Optional[str] = ..., fine_tune_checkpoint_version: _Optional[_Union[CheckpointVersion, str]] = ..., from_detection_checkpoint: bool = ..., load_all_detection_checkpoint_vars: bool = ..., run_fine_tune_checkpoint_dummy_computation: bool = ..., num_steps: _Optional[int] = ..., startup_delay_steps: _Optional[float] = ..., bias_grad_multiplier: _Optional[float] = ..., update_trainable_variables: _Optional[_Iterable[str]] = ..., freeze_variables: _Optional[_Iterable[str]] = ..., replicas_to_aggregate: _Optional[int] = ..., batch_queue_capacity: _Optional[int] = ..., num_batch_queue_threads: _Optional[int] = ..., prefetch_queue_capacity: _Optional[int] = ..., merge_multiple_label_boxes: bool = ..., use_multiclass_scores: bool = ..., add_regularization_loss: bool = ..., max_number_of_boxes: _Optional[int] = ..., unpad_groundtruth_tensors: bool = ..., retain_original_images: bool = ..., use_bfloat16: bool = ..., summarize_gradients: bool = ..., gradient_clipping_by_global_norm: _Optional[float] = ..., evaluation: _Optional[_Union[TrainingEvaluation, _Mapping]] = ..., deterministic_input: bool = ..., non_finite: _Optional[_Union[NonFinite, _Mapping]] = ...) -> None: ...

class TrainingEvaluation(_message.Message):
    __slots__ = ["best_metric", "best_reader", "better", "early_stopping", "every_steps"]
    class Better(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = []
    BEST_METRIC_FIELD_NUMBER: _ClassVar[int]
    BEST_READER_FIELD_NUMBER: _ClassVar[int]
    BETTER_FIELD_NUMBER: _ClassVar[int]
    BY_NAME: TrainingEvaluation.Better
    EARLY_STOPPING_FIELD_NUMBER: _ClassVar[int]
    EVERY_STEPS_FIELD_NUMBER: _ClassVar[int]
    HIGHER: TrainingEvaluation.Better
    LOWER: TrainingEvaluation.Better
    best_metric: str
    best_reader: str
    better: TrainingEvaluation.Better
    early_stopping: EarlyStopping
    every_steps: int
    def __init__(self, every_steps: _Optional[int] = ..., best_metric: _Optional[str] = ..., better: _Optional[_Union[TrainingEvaluation.Better, str]] = ..., best_reader: _Optional[str] = ..., early_stopping: _Optional[_Union[EarlyStopping, _Mapping]] = ...) -> None: ...

class CheckpointVersion(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = []
