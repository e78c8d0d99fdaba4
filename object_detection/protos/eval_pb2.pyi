from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Iterable as _Iterable, Mapping as _Mapping, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class CocoKeypointMetrics(_message.Message):
    __slots__ = ["class_label", "keypoint_label_to_sigmas"]
    class KeypointLabelToSigmasEntry(_message.Message):
        __slots__ = ["key", "value"]
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: float
        def __init__(self, key: _Optional[str] = ..., value: _Optional[float] = ...) -> None: ...
    CLASS_LABEL_FIELD_NUMBER: _ClassVar[int]
    KEYPOINT_LABEL_TO_SIGMAS_FIELD_NUMBER: _ClassVar[int]
    class_label: str
    keypoint_label_to_sigmas: _containers.ScalarMap[str, float]
    def __init__(self, class_label: _Optional[str] = ..., keypoint_label_to_sigmas: _Optional[_Mapping[str, float]] = ...) -> None: ...

class EvalConfig(_message.Message):
    __slots__ = ["all_metrics_per_category", "batch_size", "eval_instance_masks", "eval_interval_secs", "eval_master", "export_path", "force_no_resize", "groundtruth_box_visualization_color", "ignore_groundtruth", "image_classes_field_map_empty_to_ones", "include_metrics_per_category", "keep_image_id_for_visualization_export", "keypoint_edge", "keypoint_failure_threshold", "keypoint_names", "keypoint_size_between", "max_detections", "max_evals", "max_num_boxes_to_visualize", "metrics_set", "min_object_width", "min_score_threshold", "num_examples", "num_visualizations", "oks_max_detections", "oks_sigmas", "parameterized_metric", "pck_thresholds", "recall_lower_bound", "recall_upper_bound", "retain_original_image_additional_channels", "retain_original_images", "save_graph", "skip_labels", "skip_predictions_for_unlabeled_class", "skip_scores", "super_categories", "use_dummy_loss_in_eval", "use_moving_averages", "visualization_export_dir", "visualize_groundtruth_boxes"]
    class SuperCategoriesEntry(_message.Message):
        __slots__ = ["key", "value"]
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    ALL_METRICS_PER_CATEGORY_FIELD_NUMBER: _ClassVar[int]
    BATCH_SIZE_FIELD_NUMBER: _ClassVar[int]
    EVAL_INSTANCE_MASKS_FIELD_NUMBER: _ClassVar[int]
    EVAL_INTERVAL_SECS_FIELD_NUMBER: _ClassVar[int]
    EVAL_MASTER_FIELD_NUMBER: _ClassVar[int]
    EXPORT_PATH_FIELD_NUMBER: _ClassVar[int]
    FORCE_NO_RESIZE_FIELD_NUMBER: _ClassVar[int]
    GROUNDTRUTH_BOX_VISUALIZATION_COLOR_FIELD_NUMBER: _ClassVar[int]
    IGNORE_GROUNDTRUTH_FIELD_NUMBER: _ClassVar[int]
    IMAGE_CLASSES_FIELD_MAP_EMPTY_TO_ONES_FIELD_NUMBER: _ClassVar[int]
    INCLUDE_METRICS_PER_CATEGORY_FIELD_NUMBER: _ClassVar[int]
    KEEP_IMAGE_ID_FOR_VISUALIZATION_EXPORT_FIELD_NUMBER: _ClassVar[int]
    KEYPOINT_EDGE_FIELD_NUMBER: _ClassVar[int]
    KEYPOINT_FAILURE_THRESHOLD_FIELD_NUMBER: _ClassVar[int]
    KEYPOINT_NAMES_FIELD_NUMBER: _ClassVar[int]
    KEYPOINT_SIZE_BETWEEN_FIELD_NUMBER: _ClassVar[int]
    MAX_DETECTIONS_FIELD_NUMBER: _ClassVar[int]
    MAX_EVALS_FIELD_NUMBER: _ClassVar[int]
    MAX_NUM_BOXES_TO_VISUALIZE_FIELD_NUMBER: _ClassVar[int]
    METRICS_SET_FIELD_NUMBER: _ClassVar[int]
    MIN_OBJECT_WIDTH_FIELD_NUMBER: _ClassVar[int]
    MIN_SCORE_THRESHOLD_FIELD_NUMBER: _ClassVar[int]
    NUM_EXAMPLES_FIELD_NUMBER: _ClassVar[int]
    NUM_VISUALIZATIONS_FIELD_NUMBER: _ClassVar[int]
    OKS_MAX_DETECTIONS_FIELD_NUMBER: _ClassVar[int]
    OKS_SIGMAS_FIELD_NUMBER: _ClassVar[int]
    PARAMETERIZED_METRIC_FIELD_NUMBER: _ClassVar[int]
    PCK_THRESHOLDS_FIELD_NUMBER: _ClassVar[int]
    RECALL_LOWER_BOUND_FIELD_NUMBER: _ClassVar[int]
    RECALL_UPPER_BOUND_FIELD_NUMBER: _ClassVar[int]
    RETAIN_ORIGINAL_IMAGES_FIELD_NUMBER: _ClassVar[int]
    RETAIN_ORIGINAL_IMAGE_ADDITIONAL_CHANNELS_FIELD_NUMBER: _ClassVar[int]
    SAVE_GRAPH_FIELD_NUMBER: _ClassVar[int]
    SKIP_LABELS_FIELD_NUMBER: _ClassVar[int]
    SKIP_PREDICTIONS_FOR_UNLABELED_CLASS_FIELD_NUMBER: _ClassVar[int]
    SKIP_SCORES_FIELD_NUMBER: _ClassVar[int]
    SUPER_CATEGORIES_FIELD_NUMBER: _ClassVar[int]
    USE_DUMMY_LOSS_IN_EVAL_FIELD_NUMBER: _ClassVar[int]
    USE_MOVING_AVERAGES_FIELD_NUMBER: _ClassVar[int]
    VISUALIZATION_EXPORT_DIR_FIELD_NUMBER: _ClassVar[int]
    VISUALIZE_GROUNDTRUTH_BOXES_FIELD_NUMBER: _ClassVar[int]
    all_metrics_per_category: bool
    batch_size: int
    eval_instance_masks: bool
    eval_interval_secs: int
    eval_master: str
    export_path: str
    force_no_resize: bool
    groundtruth_box_visualization_color: str
    ignore_groundtruth: bool
    image_classes_field_map_empty_to_ones: bool
    include_metrics_per_category: bool
    keep_image_id_for_visualization_export: bool
    keypoint_edge: _containers.RepeatedCompositeFieldContainer[KeypointEdge]
    keypoint_failure_threshold: float
    keypoint_names: _containers.RepeatedScalarFieldContainer[str]
    keypoint_size_between: _containers.RepeatedScalarFieldContainer[str]
    max_detections: int
    max_evals: int
    max_num_boxes_to_visualize: int
    metrics_set: _containers.RepeatedScalarFieldContainer[str]
    min_object_width: float
    min_score_threshold: float
    num_examples: int
    num_visualizations: int
    oks_max_detections: int
    oks_sigmas: _containers.RepeatedScalarFieldContainer[float]
    parameterized_metric: _containers.RepeatedCompositeFieldContainer[ParameterizedMetric]
    pck_thresholds: _containers.RepeatedScalarFieldContainer[float]
    recall_lower_bound: float
    recall_upper_bound: float
    retain_original_image_additional_channels: bool
    retain_original_images: bool
    save_graph: bool
    skip_labels: bool
    skip_predictions_for_unlabeled_class: bool
    skip_scores: bool
    super_categories: _containers.ScalarMap[str, str]
    use_dummy_loss_in_eval: bool
    use_moving_averages: bool
    visualization_export_dir: str
    visualize_groundtruth_boxes: bool
    def __init__(self, batch_size: _Optional[int] = ..., num_visualizations: _Optional[int] = ..., num_examples: _Optional[int] = ..., eval_interval_secs: _Optional[int] = ..., max_evals: _Optional[int] = ..., save_graph: bool = ..., visualization_export_dir: _Optional[str] = ..., eval_master: _Optional[str] = ..., metrics_set: _Optional[_Iterable[str]] = ..., parameterized_metric: _Optional[_Iterable[_Union[ParameterizedMetric, _Mapping]]] = ..., export_path: _Optional[str] = ..., ignore_groundtruth: bool = ..., use_moving_averages: bool = ..., eval_instance_masks: bool = ..., min_score_threshold: _Optional[float] = ..., max_num_boxes_to_visualize: _Optional[int] = ..., skip_scores: bool = ..., skip_labels: bool = ..., visualize_groundtruth_boxes: bool = ..., groundtruth_box_visualization_color: _Optional[str] = ..., keep_image_id_for_visualization_export: bool = ..., retain_original_images: bool = ..., include_metrics_per_category: bool = ..., all_metrics_per_category: bool = ..., super_categories: _Optional[_Mapping[str, str]] = ..., recall_lower_bound: _Optional[float] = ..., recall_upper_bound: _Optional[float] = ..., retain_original_image_additional_channels: bool = ..., force_no_resize: bool = ..., use_dummy_loss_in_eval: bool = ..., keypoint_edge: _Optional[_Iterable[_Union[KeypointEdge, _Mapping]]] = ..., skip_predictions_for_unlabeled_class: bool = ..., image_classes_field_map_empty_to_ones: bool = ..., min_object_width: _Optional[float] = ..., oks_sigmas: _Optional[_Iterable[float]] = ..., keypoint_names: _Optional[_Iterable[str]] = ..., oks_max_detections: _Optional[int] = ..., pck_thresholds: _Optional[_Iterable[float]] = ..., keypoint_failure_threshold: _Optional[float] = ..., keypoint_size_between: _Optional[_Iterable[str]] = ..., max_detections: _Optional[int] = ...) -> None: ...

class KeypointEdge(_message.Message):
    __slots__ = ["end", "start"]
    END_FIELD_NUMBER: _ClassVar[int]
    START_FIELD_NUMBER: _ClassVar[int]
    end: int
    start: int
    def __init__(self, start: _Optional[int] = ..., end: _Optional[int] = ...) -> None: ...

class ParameterizedMetric(_message.Message):
    __slots__ = ["coco_keypoint_metrics"]
    COCO_KEYPOINT_METRICS_FIELD_NUMBER: _ClassVar[int]
    coco_keypoint_metrics: CocoKeypointMetrics
    def __init__(self, coco_keypoint_metrics: _Optional[_Union[CocoKeypointMetrics, _Mapping]] = ...) -> None: ...
