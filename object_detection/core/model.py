"""What every detection model offers: preprocess, predict, postprocess, loss.

Axes:  B images, M groundtruth boxes (padded to the batch's largest count), C classes, K keypoints.
Frames: groundtruth is normalised to the picture as the model sees it (resized and padded).

A training step calls, in this order, `preprocess` -> `provide_groundtruth` -> `predict` -> `loss`;
inference calls `preprocess` -> `predict` -> `postprocess`.
"""

import abc
from typing import Any, ClassVar

import tensorflow.compat.v1 as tf

from object_detection.core import standard_fields as fields
from object_detection.errors import ConfigError

# provide_groundtruth's parameters and the field under which each is kept.
_FIELD_OF_ARGUMENT = {
    "groundtruth_boxes_list": fields.BoxListFields.boxes,
    "groundtruth_classes_list": fields.BoxListFields.classes,
    "groundtruth_masks_list": fields.BoxListFields.masks,
    "groundtruth_mask_weights_list": fields.BoxListFields.mask_weights,
    "groundtruth_keypoints_list": fields.BoxListFields.keypoints,
    "groundtruth_keypoint_visibilities_list": fields.BoxListFields.keypoint_visibilities,
    "groundtruth_keypoint_flags_list": fields.BoxListFields.keypoint_flags,
    "groundtruth_dp_num_points_list": fields.BoxListFields.densepose_num_points,
    "groundtruth_dp_part_ids_list": fields.BoxListFields.densepose_part_ids,
    "groundtruth_dp_surface_coords_list": fields.BoxListFields.densepose_surface_coords,
    "groundtruth_track_ids_list": fields.BoxListFields.track_ids,
    "groundtruth_temporal_offsets_list": fields.BoxListFields.temporal_offsets,
    "groundtruth_track_match_flags_list": fields.BoxListFields.track_match_flags,
    "groundtruth_weights_list": fields.BoxListFields.weights,
    "groundtruth_confidences_list": fields.BoxListFields.confidences,
    "groundtruth_is_crowd_list": fields.BoxListFields.is_crowd,
    "groundtruth_group_of_list": fields.BoxListFields.group_of,
    "groundtruth_area_list": fields.InputDataFields.groundtruth_area,
    "is_annotated_list": fields.InputDataFields.is_annotated,
    "groundtruth_labeled_classes": fields.InputDataFields.groundtruth_labeled_classes,
    "groundtruth_verified_neg_classes": fields.InputDataFields.groundtruth_verified_neg_classes,
    "groundtruth_not_exhaustive_classes": fields.InputDataFields.groundtruth_not_exhaustive_classes,
    "groundtruth_keypoint_depths_list": fields.BoxListFields.keypoint_depths,
    "groundtruth_keypoint_depth_weights_list": fields.BoxListFields.keypoint_depth_weights,
    "groundtruth_image_classes": fields.InputDataFields.groundtruth_image_classes,
}


def _pad_rows(rows: list[tf.Tensor], length: tf.Tensor) -> tf.Tensor:
    """Stacks [M_i, ...] tensors to [B, length, ...], zeros below each picture's own rows."""
    padded = []
    for row in rows:
        margin = tf.maximum(length - tf.shape(row)[0], 0)
        paddings = [[0, margin]] + [[0, 0]] * (row.shape.rank - 1)
        padded.append(tf.pad(row, tf.convert_to_tensor(paddings)))
    return tf.stack(padded)


class DetectionModel(abc.ABC):
    """A detector of `num_classes` classes, without its inputs and its training loop."""

    takes_bytes: ClassVar[bool] = False
    """Whether `preprocess` takes uint8 pictures, too, which saves the input converting them."""

    def __init__(self, num_classes: int) -> None:
        self._num_classes = num_classes
        self._groundtruth_lists: dict[str, Any] = {}
        self._groundtruth_batch: dict[str, tf.Tensor] | None = None
        self._training_step: Any = None

    @property
    def num_classes(self) -> int:
        """Number of classes, the background not counted."""
        return self._num_classes

    @property
    def training_step(self) -> Any:
        """The step given with the groundtruth; raises `ValueError` before it was."""
        if self._training_step is None:
            raise ValueError("No training step yet: pass training_step= to provide_groundtruth().")
        return self._training_step

    def groundtruth_lists(self, field: str) -> Any:
        """The list of per-picture tensors that was provided for `field` (a `BoxListFields` name)."""
        if field not in self._groundtruth_lists:
            known = ", ".join(sorted(self._groundtruth_lists)) or "nothing"
            raise RuntimeError(f"Groundtruth {field!r} has not been provided; provided: {known}.")
        return self._groundtruth_lists[field]

    def groundtruth_has_field(self, field: str) -> bool:
        """Whether groundtruth for `field` has been provided."""
        return field in self._groundtruth_lists or field in (self._groundtruth_batch or {})

    @staticmethod
    def get_side_inputs(features: dict[str, Any]) -> dict[str, Any]:
        """Further arguments of `predict` taken from `features`; models that need some override it."""
        del features
        return {}

    @abc.abstractmethod
    def preprocess(self, inputs: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """[B, H, W, 3] float pictures in [0, 255] -> (network input, true shapes [B, 3])."""

    @abc.abstractmethod
    def predict(
        self, preprocessed_inputs: tf.Tensor, true_image_shapes: tf.Tensor, **side_inputs: Any
    ) -> dict[str, Any]:
        """Raw predictions of the network, a dict that `postprocess` and `loss` read."""

    @abc.abstractmethod
    def postprocess(
        self, prediction_dict: dict[str, Any], true_image_shapes: tf.Tensor, **params: Any
    ) -> dict[str, tf.Tensor]:
        """Raw predictions -> detections, a dict keyed by `DetectionResultFields`."""

    @abc.abstractmethod
    def loss(
        self, prediction_dict: dict[str, Any], true_image_shapes: tf.Tensor
    ) -> dict[str, tf.Tensor]:
        """Scalar losses by name, of the predictions against the provided groundtruth."""

    def provide_groundtruth(
        self,
        groundtruth_boxes_list: list[tf.Tensor],
        groundtruth_classes_list: list[tf.Tensor],
        groundtruth_masks_list: list[tf.Tensor] | None = None,
        groundtruth_mask_weights_list: list[tf.Tensor] | None = None,
        groundtruth_keypoints_list: list[tf.Tensor] | None = None,
        groundtruth_keypoint_visibilities_list: list[tf.Tensor] | None = None,
        groundtruth_dp_num_points_list: list[tf.Tensor] | None = None,
        groundtruth_dp_part_ids_list: list[tf.Tensor] | None = None,
        groundtruth_dp_surface_coords_list: list[tf.Tensor] | None = None,
        groundtruth_track_ids_list: list[tf.Tensor] | None = None,
        groundtruth_temporal_offsets_list: list[tf.Tensor] | None = None,
        groundtruth_track_match_flags_list: list[tf.Tensor] | None = None,
        groundtruth_weights_list: list[tf.Tensor] | None = None,
        groundtruth_confidences_list: list[tf.Tensor] | None = None,
        groundtruth_is_crowd_list: list[tf.Tensor] | None = None,
        groundtruth_group_of_list: list[tf.Tensor] | None = None,
        groundtruth_area_list: list[tf.Tensor] | None = None,
        is_annotated_list: list[tf.Tensor] | None = None,
        groundtruth_labeled_classes: list[tf.Tensor] | None = None,
        groundtruth_verified_neg_classes: list[tf.Tensor] | None = None,
        groundtruth_not_exhaustive_classes: list[tf.Tensor] | None = None,
        groundtruth_keypoint_depths_list: list[tf.Tensor] | None = None,
        groundtruth_keypoint_depth_weights_list: list[tf.Tensor] | None = None,
        groundtruth_image_classes: list[tf.Tensor] | None = None,
        training_step: Any = None,
        *,
        groundtruth_keypoint_flags_list: list[tf.Tensor] | None = None,
    ) -> None:
        """Keeps the groundtruth of a batch given as one tensor per picture.

        Args:
            groundtruth_boxes_list: B tensors [M_i, 4], normalised.
            groundtruth_classes_list: B tensors [M_i, C], one-hot without the background.
            groundtruth_masks_list: B tensors [M_i, H, W].
            groundtruth_mask_weights_list: B tensors [M_i].
            groundtruth_keypoints_list: B tensors [M_i, K, 2], normalised (y, x); NaN is absent.
            groundtruth_keypoint_visibilities_list: B boolean tensors [M_i, K].
            groundtruth_dp_num_points_list: B tensors [M_i].
            groundtruth_dp_part_ids_list: B tensors [M_i, points].
            groundtruth_dp_surface_coords_list: B tensors [M_i, points, 4].
            groundtruth_track_ids_list: B tensors [M_i].
            groundtruth_temporal_offsets_list: B tensors [M_i, 2].
            groundtruth_track_match_flags_list: B tensors [M_i].
            groundtruth_weights_list: B tensors [M_i]; a box of weight 0 takes no part in the loss.
            groundtruth_confidences_list: B tensors [M_i, C].
            groundtruth_is_crowd_list: B boolean tensors [M_i].
            groundtruth_group_of_list: B boolean tensors [M_i].
            groundtruth_area_list: B tensors [M_i].
            is_annotated_list: B boolean scalars.
            groundtruth_labeled_classes: B k-hot tensors [C].
            groundtruth_verified_neg_classes: B k-hot tensors [C].
            groundtruth_not_exhaustive_classes: B k-hot tensors [C].
            groundtruth_keypoint_depths_list: B tensors [M_i, K].
            groundtruth_keypoint_depth_weights_list: B tensors [M_i, K].
            groundtruth_image_classes: B k-hot tensors [C].
            training_step: number of the training step, for losses that change with it.
            groundtruth_keypoint_flags_list: B integer tensors [M_i, K]: 0 the annotator placed no
                such keypoint, 1 an occluded one, 2 a visible one.
        """
        given = dict(locals())
        self._groundtruth_batch = None
        self._training_step = training_step
        self._groundtruth_lists = {
            field: given[argument]
            for argument, field in _FIELD_OF_ARGUMENT.items()
            if given[argument] is not None
        }

    def provide_groundtruth_batch(
        self, groundtruth: dict[str, tf.Tensor], training_step: Any = None
    ) -> None:
        """Keeps the groundtruth of a batch given as one padded tensor per field.

        Args:
            groundtruth: `BoxListFields` name -> [B, M, ...]; `boxes` [B, M, 4], `classes`
                [B, M, C] and `weights` [B, M] (0 on padding) are required, `keypoints`
                [B, M, K, 2], `keypoint_visibilities` and `keypoint_flags` [B, M, K] and
                `confidences` [B, M, C] optional; and, under its `InputDataFields` name,
                `is_annotated` [B].
            training_step: number of the training step.

        Raises:
            ValueError: a required field is missing.
        """
        required = (
            fields.BoxListFields.boxes,
            fields.BoxListFields.classes,
            fields.BoxListFields.weights,
        )
        missing = [field for field in required if field not in groundtruth]
        if missing:
            raise ValueError(f"Groundtruth lacks {missing}; given: {sorted(groundtruth)}.")
        self._groundtruth_lists = {}
        self._groundtruth_batch = dict(groundtruth)
        self._training_step = training_step

    def groundtruth_batch(self) -> dict[str, tf.Tensor]:
        """The groundtruth as padded tensors [B, M, ...] by `BoxListFields` name.

        `weights` are always there; `is_annotated` [B] is if it was provided.
        """
        if self._groundtruth_batch is not None:
            return self._groundtruth_batch
        boxes = self.groundtruth_lists(fields.BoxListFields.boxes)
        longest = tf.reduce_max(tf.stack([tf.shape(row)[0] for row in boxes]))
        lists = dict(self._groundtruth_lists)
        if fields.BoxListFields.weights not in lists:
            lists[fields.BoxListFields.weights] = [tf.ones(tf.shape(row)[:1]) for row in boxes]
        per_box = (
            fields.BoxListFields.boxes,
            fields.BoxListFields.classes,
            fields.BoxListFields.weights,
            fields.BoxListFields.keypoints,
            fields.BoxListFields.keypoint_visibilities,
            fields.BoxListFields.keypoint_flags,
            fields.BoxListFields.confidences,
        )
        annotated = fields.InputDataFields.is_annotated
        batch = {
            field: _pad_rows([tf.convert_to_tensor(row) for row in lists[field]], longest)
            for field in per_box
            if field in lists
        }
        if annotated in lists:
            batch[annotated] = tf.stack([tf.cast(one, tf.bool) for one in lists[annotated]])
        self._groundtruth_batch = batch
        return batch

    @abc.abstractmethod
    def regularization_losses(self) -> list[tf.Tensor]:
        """Scalar regularisation losses of the model's variables."""

    @abc.abstractmethod
    def restore_map(
        self,
        fine_tune_checkpoint_type: str = "detection",
        load_all_detection_checkpoint_vars: bool = False,
    ) -> dict[str, tf.Variable]:
        """Name in the checkpoint -> variable, of what a checkpoint of that type can initialise."""

    def restore_from_objects(self, fine_tune_checkpoint_type: str = "detection") -> dict[str, Any]:
        """Objects to restore; only models made of Keras layers have some.

        Raises:
            ConfigError: always: models of a graph restore variables by name, see `restore_map`.
        """
        raise ConfigError(
            f"{type(self).__name__} is a model of a graph and has no objects to restore from a "
            f"{fine_tune_checkpoint_type!r} checkpoint. Use restore_map(), which names its variables."
        )

    @abc.abstractmethod
    def updates(self) -> list[tf.Operation]:
        """Operations to run with each training step, such as batch-norm statistics."""

    def call(self, images: tf.Tensor) -> dict[str, tf.Tensor]:
        """[B, H, W, 3] pictures in [0, 255] -> detections."""
        inputs, shapes = self.preprocess(images)
        return self.postprocess(self.predict(inputs, shapes), shapes)
