import numpy as np
import pytest
import tensorflow.compat.v1 as tf

from object_detection import model_lib
from object_detection.core.standard_fields import InputDataFields as F

BATCH = {
    F.image: np.arange(24, dtype=np.float32).reshape(2, 2, 2, 3),
    F.groundtruth_boxes: np.arange(24, dtype=np.float32).reshape(2, 3, 4),
    F.groundtruth_classes: np.arange(12, dtype=np.float32).reshape(2, 3, 2),
    F.groundtruth_keypoints: np.arange(24, dtype=np.float32).reshape(2, 3, 2, 2),
    F.groundtruth_keypoint_visibilities: np.ones([2, 3, 2], bool),
    F.groundtruth_keypoint_flags: np.arange(12, dtype=np.int32).reshape(2, 3, 2),
    F.groundtruth_weights: np.array([[1, 1, 0], [0, 0, 0]], np.float32),
    F.groundtruth_labeled_classes: np.ones([2, 2], np.float32),
    F.num_groundtruth_boxes: np.array([2, 0], np.int32),
}


def _tensors():
    return {key: tf.constant(value) for key, value in BATCH.items()}


def test_padding_goes(run):
    lists = run(model_lib.unstack_batch(_tensors()))
    assert set(lists) == set(BATCH)
    for index, count in enumerate((2, 0)):
        for key, value in BATCH.items():
            whole = key in (F.image, F.groundtruth_labeled_classes, F.num_groundtruth_boxes)
            expected = value[index] if whole else value[index, :count]
            np.testing.assert_array_equal(lists[key][index], expected, err_msg=key)


def test_padding_stays_on_request(run):
    lists = run(model_lib.unstack_batch(_tensors(), unpad_groundtruth_tensors=False))
    for key, value in BATCH.items():
        np.testing.assert_array_equal(np.stack(lists[key]), value)


def test_static_shapes_behind_the_boxes():
    boxes = tf.placeholder(tf.float32, [2, None, 4])
    count = tf.placeholder(tf.int32, [2])
    lists = model_lib.unstack_batch({F.groundtruth_boxes: boxes, F.num_groundtruth_boxes: count})
    assert lists[F.groundtruth_boxes][0].shape.as_list() == [None, 4]


def test_the_number_of_boxes_is_needed():
    features = {F.image: tf.zeros([2, 4, 4, 3])}
    with pytest.raises(ValueError, match="num_groundtruth_boxes"):
        model_lib.unstack_batch(features)
    assert len(model_lib.unstack_batch(features, False)[F.image]) == 2


class _Receiver:
    def provide_groundtruth(self, **given):
        self.given = given


def test_labels_reach_their_parameters():
    receiver = _Receiver()
    labels = model_lib.unstack_batch(_tensors())
    model_lib.provide_groundtruth(receiver, labels, training_step=7)
    expected = {
        "groundtruth_boxes_list": labels[F.groundtruth_boxes],
        "groundtruth_classes_list": labels[F.groundtruth_classes],
        "groundtruth_keypoints_list": labels[F.groundtruth_keypoints],
        "groundtruth_keypoint_visibilities_list": labels[F.groundtruth_keypoint_visibilities],
        "groundtruth_keypoint_flags_list": labels[F.groundtruth_keypoint_flags],
        "groundtruth_weights_list": labels[F.groundtruth_weights],
        "groundtruth_labeled_classes": labels[F.groundtruth_labeled_classes],
        "training_step": 7,
    }
    assert set(receiver.given) == set(expected)
    assert all(receiver.given[name] is value for name, value in expected.items())


def test_boxes_are_required():
    with pytest.raises(KeyError, match="groundtruth_boxes"):
        model_lib.provide_groundtruth(_Receiver(), {F.groundtruth_classes: []})


def test_functions_that_users_replace():
    assert set(model_lib.MODEL_BUILD_UTIL_MAP) == {
        "get_configs_from_pipeline_file",
        "create_pipeline_proto_from_configs",
        "merge_external_params_with_configs",
        "create_train_input_fn",
        "create_eval_input_fn",
        "create_predict_input_fn",
        "detection_model_fn_base",
    }
    assert all(callable(function) for function in model_lib.MODEL_BUILD_UTIL_MAP.values())
