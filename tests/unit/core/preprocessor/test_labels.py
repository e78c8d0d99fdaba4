import numpy as np
import pytest
import tensorflow.compat.v1 as tf

from object_detection.core import preprocessor
from object_detection.core.preprocessor.labels import JITTER_MODES
from object_detection.errors import ConfigError

BOX = [[0.3, 0.2, 0.5, 0.8]]


@pytest.mark.parametrize("mode", JITTER_MODES)
def test_jitter_moves_edges_as_its_name_says(mode, run):
    boxes = tf.tile(tf.constant(BOX), [200, 1])
    moves = run(preprocessor.random_jitter_boxes(boxes, 0.1, mode)) - np.array(BOX)
    shares = moves / [0.2, 0.6, 0.2, 0.6]
    assert np.abs(shares).max() <= 0.1 + 1e-5
    assert np.abs(shares).max() > 0.05
    outwards = shares * [-1, -1, 1, 1]
    if mode == "default":
        assert outwards.min() < -0.02
        assert outwards.max() > 0.02
        return
    sign = 1 if mode.startswith("expand") else -1
    assert (sign * outwards >= -1e-5).all()
    if "symmetric" in mode:
        np.testing.assert_allclose(outwards[:, 0], outwards[:, 2], atol=1e-5)
    alike = np.allclose(outwards[:, 0], outwards[:, 1], atol=1e-5)
    assert alike == mode.endswith("_xy")


def test_jitter_stays_in_the_picture(run):
    boxes = run(preprocessor.random_jitter_boxes(tf.constant([[0.0, 0.0, 1.0, 1.0]] * 50), 0.5))
    assert boxes.min() >= 0
    assert boxes.max() <= 1
    with pytest.raises(ConfigError, match="expand_symmetric"):
        preprocessor.random_jitter_boxes(tf.constant(BOX), 0.1, "wobble")


def test_boxes_above_a_weight(run):
    kept = preprocessor.retain_boxes_above_threshold(
        tf.constant(BOX * 3), tf.constant([1, 2, 3]), tf.constant([0.5, 0.6, float("nan")]),
        keypoints=tf.zeros([3, 5, 2]), threshold=0.5,
    )  # fmt: skip
    boxes, labels, weights, keypoints = run(kept)
    # A missing weight keeps its box.
    assert labels.tolist() == [2, 3]
    assert boxes.shape == (2, 4)
    assert keypoints.shape == (2, 5, 2)
    np.testing.assert_allclose(weights, [0.6, np.nan])


@pytest.mark.parametrize(("probability", "expected"), [(0.0, [1, 2, 1]), (1.0, [2])])
def test_labels_that_are_dropped(probability, expected, run):
    dropped = preprocessor.drop_label_probabilistically(
        tf.constant(BOX * 3), tf.constant([1, 2, 1]), tf.ones([3]), dropped_label=1,
        drop_probability=probability,
    )  # fmt: skip
    assert run(dropped[1]).tolist() == expected


def test_labels_that_are_renamed(run):
    renamed = preprocessor.remap_labels(tf.constant([1, 2, 3, 1]), [1, 3], 9)
    assert run(renamed).tolist() == [9, 2, 9, 9]
    assert run(preprocessor.remap_labels(tf.constant([1, 2]), [], 9)).tolist() == [1, 2]


def test_one_hot_and_softmax(run):
    assert run(preprocessor.one_hot_encoding(tf.constant([1, 4]), 5)).tolist() == [0, 1, 0, 0, 1]
    empty = preprocessor.one_hot_encoding(tf.zeros([0], tf.int32), 3)
    assert run(empty).tolist() == [0, 0, 0]
    soft = run(preprocessor.convert_class_logits_to_softmax(tf.constant([[0.0, 2.0]]), 2.0))
    np.testing.assert_allclose(soft, [[1 / (1 + np.e), np.e / (1 + np.e)]], rtol=1e-5)


def test_pixel_coordinates(run):
    _, boxes, points = preprocessor.scale_boxes_to_pixel_coordinates(
        tf.zeros([10, 20, 3]), tf.constant([[0.1, 0.1, 0.5, 0.5]]), tf.constant([[[0.5, 0.5]]])
    )
    np.testing.assert_allclose(run(boxes), [[1, 2, 5, 10]])
    np.testing.assert_allclose(run(points), [[[5, 10]]])


def test_no_jitter(run):
    boxes = tf.placeholder_with_default(np.array(BOX, np.float32), [None, 4])
    np.testing.assert_allclose(run(preprocessor.random_jitter_boxes(boxes, 0.0)), BOX, rtol=1e-6)
    assert run(preprocessor.random_jitter_boxes(tf.zeros([0, 4]))).shape == (0, 4)


def test_all_that_belongs_to_a_dropped_box(run):
    rows = tf.range(3.0)
    dropped = preprocessor.drop_label_probabilistically(
        tf.constant(BOX * 3), tf.constant([1, 2, 1], tf.int64), rows, rows, rows[:, tf.newaxis],
        tf.ones([3, 4, 4]), tf.zeros([3, 5, 2]), dropped_label=2, drop_probability=1.0,
        keypoint_visibilities=tf.ones([3, 5], tf.bool), more_rows={"mine": rows},
    )  # fmt: skip
    assert isinstance(dropped, list)
    results = run(dropped)
    assert [len(result) for result in results] == [2] * 9
    assert results[2].tolist() == results[8].tolist() == [0, 2]


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda boxes: preprocessor.one_hot_encoding(tf.range(2)), "num_classes"),
        (
            lambda boxes: preprocessor.retain_boxes_above_threshold(boxes, tf.range(1), None),
            "label_weights",
        ),
        (
            lambda boxes: preprocessor.drop_label_probabilistically(
                boxes, tf.range(1), tf.ones([1])
            ),
            "dropped_label",
        ),
    ],
)
def test_what_is_missing(call, words):
    with pytest.raises(ValueError, match=words):
        call(tf.constant(BOX))


def test_pixel_coordinates_without_keypoints(run):
    results = preprocessor.scale_boxes_to_pixel_coordinates(tf.zeros([10, 20, 3]), tf.constant(BOX))
    assert isinstance(results, tuple)
    np.testing.assert_allclose(run(results[1]), [[3, 4, 5, 16]], rtol=1e-6)


@pytest.mark.parametrize(
    ("function", "settings", "shape", "true_shape"),
    [
        (preprocessor.resize_to_min_dimension, {"min_dimension": 20}, (20, 40, 3), [20, 40, 3]),
        (preprocessor.resize_to_min_dimension, {"min_dimension": 5}, (10, 20, 3), [10, 20, 3]),
        (preprocessor.resize_to_max_dimension, {"max_dimension": 10}, (5, 10, 3), [5, 10, 3]),
        (preprocessor.resize_to_max_dimension, {"max_dimension": 90}, (10, 20, 3), [10, 20, 3]),
        (preprocessor.resize_pad_to_multiple, {"multiple": 16}, (16, 32, 3), [10, 20, 3]),
        (
            preprocessor.resize_to_range,
            {"min_dimension": 20, "max_dimension": 30},
            (15, 30, 3),
            [15, 30, 3],
        ),
        (
            preprocessor.resize_to_range,
            {"min_dimension": 20, "max_dimension": 30, "pad_to_max_dimension": True},
            (30, 30, 3),
            [15, 30, 3],
        ),
    ],
)
def test_sizes(function, settings, shape, true_shape, run):
    image, masks, true = run(function(tf.ones([10, 20, 3]), tf.ones([2, 10, 20]), **settings))
    assert image.shape == shape
    assert masks.shape == (2, *shape[:2])
    assert true.tolist() == true_shape


def test_linear_ranges(run):
    moved = preprocessor.normalize_image(tf.constant([[[0.0, 255.0]]]), 0, 255, -1, 1)
    np.testing.assert_allclose(run(moved), [[[-1, 1]]])
    less = preprocessor.subtract_channel_mean(tf.ones([1, 1, 3]), [1.0, 0.5, 0.0])
    np.testing.assert_allclose(run(less), [[[0, 0.5, 1]]])
    with pytest.raises(ValueError, match="one number for each channel"):
        preprocessor.subtract_channel_mean(tf.ones([1, 1, 3]), [1.0])
