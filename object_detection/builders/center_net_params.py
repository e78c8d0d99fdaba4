"""Settings of CenterNet's tasks (arXiv:1904.07850) from their messages.

The architecture itself is not part of this package; code that brings its own reads these.
"""

from typing import Any, NamedTuple

from object_detection.builders import losses_builder
from object_detection.core.losses import Loss
from object_detection.errors import ConfigError
from object_detection.protos import losses_pb2

# The ids of a label map start at 1; classes start at 0.
CLASS_ID_OFFSET = 1
KEYPOINT_STD_DEV_DEFAULT = 1.0

# A prediction head whose message says nothing: one layer.
_FILTERS, _KERNELS = (256,), (3,)


class KeypointEstimationParams(NamedTuple):
    """Keypoints of one class."""

    task_name: str
    class_id: int
    keypoint_indices: list[int]
    classification_loss: Loss
    localization_loss: Loss
    keypoint_labels: list[str]
    keypoint_std_dev: list[float]
    keypoint_heatmap_loss_weight: float
    keypoint_offset_loss_weight: float
    keypoint_regression_loss_weight: float
    keypoint_candidate_score_threshold: float
    heatmap_bias_init: float
    num_candidates_per_keypoint: int
    task_loss_weight: float
    peak_max_pool_kernel_size: int
    unmatched_keypoint_score: float
    box_scale: float
    candidate_search_scale: float
    candidate_ranking_mode: str
    offset_peak_radius: int
    per_keypoint_offset: bool
    predict_depth: bool
    per_keypoint_depth: bool
    keypoint_depth_loss_weight: float
    score_distance_offset: float
    clip_out_of_frame_keypoints: bool
    rescore_instances: bool
    heatmap_head_num_filters: list[int]
    heatmap_head_kernel_sizes: list[int]
    offset_head_num_filters: list[int]
    offset_head_kernel_sizes: list[int]
    regress_head_num_filters: list[int]
    regress_head_kernel_sizes: list[int]
    score_distance_multiplier: float
    std_dev_multiplier: float
    rescoring_threshold: float
    gaussian_denom_ratio: float
    argmax_postprocessing: bool


class ObjectDetectionParams(NamedTuple):
    """Sizes and offsets of boxes."""

    localization_loss: Loss
    scale_loss_weight: float
    offset_loss_weight: float
    task_loss_weight: float
    scale_head_num_filters: list[int]
    scale_head_kernel_sizes: list[int]
    offset_head_num_filters: list[int]
    offset_head_kernel_sizes: list[int]


class ObjectCenterParams(NamedTuple):
    """The heat map of centres."""

    classification_loss: Loss
    object_center_loss_weight: float
    heatmap_bias_init: float
    min_box_overlap_iou: float
    max_box_predictions: int
    use_labeled_classes: bool
    keypoint_weights_for_center: list[float]
    center_head_num_filters: list[int]
    center_head_kernel_sizes: list[int]
    peak_max_pool_kernel_size: int


class MaskParams(NamedTuple):
    """Segmentation by class."""

    classification_loss: Loss
    task_loss_weight: float
    mask_height: int
    mask_width: int
    score_threshold: float
    heatmap_bias_init: float
    mask_head_num_filters: list[int]
    mask_head_kernel_sizes: list[int]


class DensePoseParams(NamedTuple):
    """Parts and surface coordinates of one class."""

    class_id: int
    classification_loss: Loss
    localization_loss: Loss
    part_loss_weight: float
    coordinate_loss_weight: float
    num_parts: int
    task_loss_weight: float
    upsample_to_input_res: bool
    upsample_method: str
    heatmap_bias_init: float


class TrackParams(NamedTuple):
    """Embeddings that tell individuals apart."""

    num_track_ids: int
    reid_embed_size: int
    classification_loss: Loss
    num_fc_layers: int
    task_loss_weight: float


class TemporalOffsetParams(NamedTuple):
    """Movement since the frame before."""

    localization_loss: Loss
    task_loss_weight: float


def _classification_loss(config: Any) -> Loss:
    loss = losses_pb2.Loss(classification_loss=config)
    # Only one half is wanted; the builder wants both.
    loss.localization_loss.weighted_l2.SetInParent()
    built: Loss = losses_builder.build(loss)[0]
    return built


def _localization_loss(config: Any) -> Loss:
    loss = losses_pb2.Loss(localization_loss=config)
    loss.classification_loss.weighted_sigmoid.SetInParent()
    built: Loss = losses_builder.build(loss)[1]
    return built


def _both_losses(config: Any) -> tuple[Loss, Loss]:
    """Classification and localisation loss of a `Loss` message."""
    if config.HasField("keypoint_loss"):
        raise ConfigError("loss.keypoint_loss: is for an SSD's box codes; leave it out.")
    classification, localization = losses_builder.build(config)[:2]
    return classification, localization


def _head(config: Any, name: str) -> tuple[list[int], list[int]]:
    """Filters and kernel sizes of the layers of a head."""
    if not config.HasField(name):
        return list(_FILTERS), list(_KERNELS)
    head = getattr(config, name)
    return list(head.num_filters), list(head.kernel_sizes)


def _same(config: Any, names: tuple[str, ...]) -> dict[str, Any]:
    return {name: getattr(config, name) for name in names}


def keypoint_proto_to_params(
    kp_config: Any, keypoint_map_dict: dict[str, Any]
) -> KeypointEstimationParams:
    """Settings of a `KeypointEstimation` message.

    Args:
        kp_config: the message.
        keypoint_map_dict: name of a class -> its item in the label map, with `keypoints`.

    Raises:
        ConfigError: the class is not in the label map, or a loss is not set.
    """
    name = kp_config.keypoint_class_name
    if name not in keypoint_map_dict:
        raise ConfigError(
            f"keypoint_class_name {name!r} is not in the keypoint label map; it has "
            f"{sorted(keypoint_map_dict)}."
        )
    item = keypoint_map_dict[name]
    labels = [keypoint.label for keypoint in item.keypoints]
    deviations = dict(kp_config.keypoint_label_to_std)
    classification_loss, localization_loss = _both_losses(kp_config.loss)
    heatmap, offset, regress = (
        _head(kp_config, f"{part}_head_params") for part in ("heatmap", "offset", "regress")
    )
    return KeypointEstimationParams(
        class_id=item.id - CLASS_ID_OFFSET,
        keypoint_indices=[keypoint.id for keypoint in item.keypoints],
        classification_loss=classification_loss,
        localization_loss=localization_loss,
        keypoint_labels=labels,
        keypoint_std_dev=[deviations.get(label, KEYPOINT_STD_DEV_DEFAULT) for label in labels],
        heatmap_head_num_filters=heatmap[0],
        heatmap_head_kernel_sizes=heatmap[1],
        offset_head_num_filters=offset[0],
        offset_head_kernel_sizes=offset[1],
        regress_head_num_filters=regress[0],
        regress_head_kernel_sizes=regress[1],
        **_same(
            kp_config,
            (
                "task_name",
                "keypoint_heatmap_loss_weight",
                "keypoint_offset_loss_weight",
                "keypoint_regression_loss_weight",
                "keypoint_candidate_score_threshold",
                "heatmap_bias_init",
                "num_candidates_per_keypoint",
                "task_loss_weight",
                "peak_max_pool_kernel_size",
                "unmatched_keypoint_score",
                "box_scale",
                "candidate_search_scale",
                "candidate_ranking_mode",
                "offset_peak_radius",
                "per_keypoint_offset",
                "predict_depth",
                "per_keypoint_depth",
                "keypoint_depth_loss_weight",
                "score_distance_offset",
                "clip_out_of_frame_keypoints",
                "rescore_instances",
                "score_distance_multiplier",
                "std_dev_multiplier",
                "rescoring_threshold",
                "gaussian_denom_ratio",
                "argmax_postprocessing",
            ),
        ),
    )


def object_detection_proto_to_params(od_config: Any) -> ObjectDetectionParams:
    """Settings of an `ObjectDetection` message; `ConfigError` without a loss."""
    scale, offset = _head(od_config, "scale_head_params"), _head(od_config, "offset_head_params")
    return ObjectDetectionParams(
        localization_loss=_localization_loss(od_config.localization_loss),
        scale_head_num_filters=scale[0],
        scale_head_kernel_sizes=scale[1],
        offset_head_num_filters=offset[0],
        offset_head_kernel_sizes=offset[1],
        **_same(od_config, ("scale_loss_weight", "offset_loss_weight", "task_loss_weight")),
    )


def object_center_proto_to_params(oc_config: Any) -> ObjectCenterParams:
    """Settings of an `ObjectCenterParams` message; `ConfigError` without a loss."""
    filters, kernels = _head(oc_config, "center_head_params")
    return ObjectCenterParams(
        classification_loss=_classification_loss(oc_config.classification_loss),
        keypoint_weights_for_center=list(oc_config.keypoint_weights_for_center),
        center_head_num_filters=filters,
        center_head_kernel_sizes=kernels,
        **_same(
            oc_config,
            (
                "object_center_loss_weight",
                "heatmap_bias_init",
                "min_box_overlap_iou",
                "max_box_predictions",
                "use_labeled_classes",
                "peak_max_pool_kernel_size",
            ),
        ),
    )


def mask_proto_to_params(mask_config: Any) -> MaskParams:
    """Settings of a `MaskEstimation` message; `ConfigError` without a loss."""
    filters, kernels = _head(mask_config, "mask_head_params")
    return MaskParams(
        classification_loss=_classification_loss(mask_config.classification_loss),
        mask_head_num_filters=filters,
        mask_head_kernel_sizes=kernels,
        **_same(
            mask_config,
            (
                "task_loss_weight",
                "mask_height",
                "mask_width",
                "score_threshold",
                "heatmap_bias_init",
            ),
        ),
    )


def densepose_proto_to_params(densepose_config: Any) -> DensePoseParams:
    """Settings of a `DensePoseEstimation` message; `ConfigError` without losses."""
    classification_loss, localization_loss = _both_losses(densepose_config.loss)
    return DensePoseParams(
        classification_loss=classification_loss,
        localization_loss=localization_loss,
        upsample_method="bilinear",
        **_same(
            densepose_config,
            (
                "class_id",
                "part_loss_weight",
                "coordinate_loss_weight",
                "num_parts",
                "task_loss_weight",
                "upsample_to_input_res",
                "heatmap_bias_init",
            ),
        ),
    )


def tracking_proto_to_params(tracking_config: Any) -> TrackParams:
    """Settings of a `TrackEstimation` message; `ConfigError` without a loss."""
    return TrackParams(
        classification_loss=_classification_loss(tracking_config.classification_loss),
        **_same(
            tracking_config,
            ("num_track_ids", "reid_embed_size", "num_fc_layers", "task_loss_weight"),
        ),
    )


def temporal_offset_proto_to_params(temporal_offset_config: Any) -> TemporalOffsetParams:
    """Settings of a `TemporalOffsetEstimation` message; `ConfigError` without a loss."""
    return TemporalOffsetParams(
        localization_loss=_localization_loss(temporal_offset_config.localization_loss),
        task_loss_weight=temporal_offset_config.task_loss_weight,
    )
