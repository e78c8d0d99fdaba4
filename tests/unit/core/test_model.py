"""What every detection model keeps of its groundtruth."""

import numpy as np
import pytest
import tensorflow.compat.v1 as tf

from object_detection.core import standard_fields as fields
from object_detection.core.model import DetectionModel
from object_detection.errors import ConfigError

Boxes = fields.BoxListFields


class _Model(DetectionModel):
    def __init__(self):
        super().__init__(num_classes=3)

    def preprocess(self, inputs):
        return inputs + 1.0, tf.tile([tf.shape(inputs)[1:]], [tf.shape(inputs)[0], 1])

    def predict(self, preprocessed_inputs, true_image_shapes, **side_inputs):
        return {"sum": tf.reduce_sum(preprocessed_inputs, axis=[1, 2, 3])}

    def postprocess(self, prediction_dict, true_image_shapes, **params):
        return {"boxes": prediction_dict["sum"] * 2.0}

    def loss(self, prediction_dict, true_image_shapes):
        return {}

    def regularization_losses(self):
        return []

    def restore_map(
        self, fine_tune_checkpoint_type="detection", load_all_detection_checkpoint_vars=False
    ):
        return {}

    def updates(self):
        return []


def test_a_model_from_pictures_to_detections(run):
    model = _Model()
    assert model.num_classes == 3
    assert model.get_side_inputs({"anything": 1}) == {}
    assert run(model.call(tf.ones([2, 2, 2, 1])))["boxes"].tolist() == [16, 16]
    with pytest.raises(ConfigError, match="restore_map"):
        model.restore_from_objects("classification")


def test_models_lack_nothing():
    with pytest.raises(TypeError, match="abstract"):
        DetectionModel(num_classes=1)


# Each argument of provide_groundtruth, and the name under which it is kept.
FIELDS = {
    "groundtruth_masks_list": "masks",
    "groundtruth_mask_weights_list": "mask_weights",
    "groundtruth_keypoints_list": "keypoints",
    "groundtruth_keypoint_visibilities_list": "keypoint_visibilities",
    "groundtruth_keypoint_flags_list": "keypoint_flags",
    "groundtruth_dp_num_points_list": "densepose_num_points",
    "groundtruth_dp_part_ids_list": "densepose_part_ids",
    "groundtruth_dp_surface_coords_list": "densepose_surface_coords",
    "groundtruth_track_ids_list": "track_ids",
    "groundtruth_temporal_offsets_list": "temporal_offsets",
    "groundtruth_track_match_flags_list": "track_match_flags",
    "groundtruth_weights_list": "weights",
    "groundtruth_confidences_list": "confidences",
    "groundtruth_is_crowd_list": "is_crowd",
    "groundtruth_group_of_list": "group_of",
    "groundtruth_area_list": "groundtruth_area",
    "is_annotated_list": "is_annotated",
    "groundtruth_labeled_classes": "groundtruth_labeled_classes",
    "groundtruth_verified_neg_classes": "groundtruth_verified_neg_classes",
    "groundtruth_not_exhaustive_classes": "groundtruth_not_exhaustive_classes",
    "groundtruth_keypoint_depths_list": "keypoint_depths",
    "groundtruth_keypoint_depth_weights_list": "keypoint_depth_weights",
    "groundtruth_image_classes": "groundtruth_image_classes",
}


def test_groundtruth_is_kept_by_field():
    model = _Model()
    values = {name: [tf.constant(float(index))] for index, name in enumerate(FIELDS)}
    boxes, classes = [tf.zeros([1, 4])], [tf.zeros([1, 3])]
    model.provide_groundtruth(boxes, classes, **values, training_step=5)
    assert model.groundtruth_lists("boxes") is boxes
    assert model.groundtruth_lists("classes") is classes
    for name, field in FIELDS.items():
        assert model.groundtruth_has_field(field)
        assert model.groundtruth_lists(field) is values[name]
    assert model.training_step == 5
    model.provide_groundtruth(boxes, classes)
    assert not model.groundtruth_has_field("masks")
    with pytest.raises(RuntimeError, match="masks"):
        model.groundtruth_lists("masks")
    with pytest.raises(ValueError, match="training_step"):
        _ = model.training_step


def test_lists_become_one_padded_batch(run):
    model = _Model()
    model.provide_groundtruth(
        [tf.ones([2, 4]), tf.zeros([0, 4])],
        [tf.ones([2, 3]), tf.zeros([0, 3])],
        groundtruth_confidences_list=[tf.fill([2, 3], 0.5), tf.zeros([0, 3])],
        is_annotated_list=[tf.constant(True), tf.constant(False)],
    )
    batch = run(model.groundtruth_batch())
    np.testing.assert_array_equal(batch[Boxes.boxes], [np.ones([2, 4]), np.zeros([2, 4])])
    assert batch[Boxes.weights].tolist() == [[1, 1], [0, 0]]
    assert batch[Boxes.confidences].shape == (2, 2, 3)
    assert batch["is_annotated"].tolist() == [True, False]
    with pytest.raises(ValueError, match="weights"):
        model.provide_groundtruth_batch(
            {Boxes.boxes: tf.zeros([1, 1, 4]), Boxes.classes: tf.zeros([1, 1, 3])}
        )
