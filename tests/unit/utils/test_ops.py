"""Small tensor operations against numbers by hand."""

import io

import numpy as np
import pytest
import tensorflow.compat.v1 as tf
from PIL import Image

from object_detection.core import standard_fields as fields
from object_detection.utils import ops

Inputs = fields.InputDataFields
NAN = float("nan")


@pytest.mark.parametrize(
    ("start", "count", "expected"),
    [(0, 2, [1, 1, 4, 5]), (1, 1, [4, 1, 5]), (2, 3, [4, 5, 1, 1, 1]), (1, 0, [4, 5])],
)
def test_expanded_shape(start, count, expected, run):
    assert run(ops.expanded_shape(tf.constant([4, 5]), start, count)).tolist() == expected


def test_meshgrid(run):
    x, y = np.array([1, 2, 3]), np.array([[10, 20], [30, 40]])
    grid_x, grid_y = run(ops.meshgrid(tf.constant(x), tf.constant(y)))
    assert grid_x.shape == grid_y.shape == (2, 2, 3)
    for index in np.ndindex(2, 2, 3):
        assert grid_x[index] == x[index[2:]]
        assert grid_y[index] == y[index[:2]]


@pytest.mark.parametrize(
    ("indices", "options", "expected"),
    [
        pytest.param([], {}, [0, 0, 0], id="none"),
        pytest.param([2, 0], {}, [1, 0, 1], id="two"),
        pytest.param([1, 1], {}, [0, 1, 0], id="twice the same"),
        pytest.param([1], {"indices_value": 7, "default_value": 3, "dtype": tf.int32}, [3, 7, 3], id="values"),
    ],
)  # fmt: skip
def test_dense_vector(indices, options, expected, run):
    dense = ops.indices_to_dense_vector(tf.constant(indices, tf.int32), 3, **options)
    assert run(dense).tolist() == expected


def test_padded_one_hot(run):
    encoded = ops.padded_one_hot_encoding(tf.constant([1, 0, 5]), depth=2, left_pad=1)
    assert run(encoded).tolist() == [[0, 0, 1], [0, 1, 0], [0, 0, 0]]
    assert ops.padded_one_hot_encoding(tf.constant([1]), depth=0, left_pad=1) is None
    assert run(ops.padded_one_hot_encoding(tf.zeros([0], tf.int32), 2, 0)).shape == (0, 2)
    for depth, pad in ((-1, 0), (1, -1), (0.5, 0), (1, 1.0)):
        with pytest.raises(ValueError, match="whole number"):
            ops.padded_one_hot_encoding(tf.constant([1]), depth, pad)
    with pytest.raises(ValueError, match="one-dimensional"):
        ops.padded_one_hot_encoding(tf.constant([[1]]), 2, 0)


def test_gathering(run):
    table = tf.constant(np.arange(12, dtype=np.float32).reshape(3, 2, 2))
    picked, plain = run([
        ops.matmul_gather_on_zeroth_axis(table, tf.constant([2, 0, 2])),
        tf.gather(table, [2, 0, 2]),
    ])  # fmt: skip
    np.testing.assert_array_equal(picked, plain)
    padded = ops.gather_with_padding_values(
        tf.constant([[1.0, 2.0], [3.0, 4.0]]), tf.constant([1, -1]), tf.constant([NAN, 9.0])
    )
    np.testing.assert_array_equal(run(padded), [[3, 4], [NAN, 9]])


def test_sums_over_trailing_axes(run):
    assert run(ops.reduce_sum_trailing_dimensions(tf.ones([2, 3, 4]), 1)).tolist() == [12, 12]
    assert run(ops.reduce_sum_trailing_dimensions(tf.ones([2, 3]), 2)).shape == (2, 3)


def _sample():
    return {
        Inputs.image: tf.zeros([4, 4, 3]),
        Inputs.groundtruth_boxes: tf.constant([[0, 0, 1, 1], [0, NAN, 1, 1], [0, 0, 0.5, 0.5]]),
        Inputs.groundtruth_classes: tf.constant([1, -1, 0]),
        Inputs.groundtruth_is_crowd: tf.constant([False, False, True]),
        Inputs.groundtruth_keypoints: tf.reshape(tf.range(12.0), [3, 2, 2]),
        Inputs.groundtruth_area: tf.zeros([0]),
    }


@pytest.mark.parametrize(
    ("change", "rows"),
    [
        pytest.param(
            lambda s: ops.retain_groundtruth(s, tf.constant([[2], [0]])), [2, 0], id="rows"
        ),
        pytest.param(lambda s: ops.retain_groundtruth(s, tf.zeros([0], tf.int64)), [], id="none"),
        pytest.param(ops.retain_groundtruth_with_positive_classes, [0], id="positive classes"),
        pytest.param(ops.filter_groundtruth_with_crowd_boxes, [0, 1], id="no crowd"),
        pytest.param(ops.filter_groundtruth_with_nan_box_coordinates, [0, 2], id="no NaN"),
        pytest.param(ops.filter_unrecognized_classes, [0, 2], id="known classes"),
    ],
)
def test_filters_of_groundtruth(change, rows, run):
    sample = _sample()
    before, after = run([sample, change(sample)])
    assert after[Inputs.groundtruth_area].shape == (0,)
    for key in (
        Inputs.groundtruth_boxes,
        Inputs.groundtruth_classes,
        Inputs.groundtruth_is_crowd,
        Inputs.groundtruth_keypoints,
    ):
        np.testing.assert_array_equal(after[key], before[key][rows])
    np.testing.assert_array_equal(after[Inputs.image], before[Inputs.image])


def test_filters_that_lack_what_they_need():
    with pytest.raises(ValueError, match="groundtruth_boxes"):
        ops.retain_groundtruth({}, tf.constant([0]))
    with pytest.raises(ValueError, match=r"\[N\] or \[N, 1\]"):
        ops.retain_groundtruth(_sample(), tf.constant([[0, 1]]))
    with pytest.raises(ValueError, match="groundtruth_classes"):
        ops.filter_unrecognized_classes({})
    assert ops.filter_groundtruth_with_crowd_boxes({}) == {}


def test_nan_scores_become_one(run):
    scores = ops.replace_nan_groundtruth_label_scores_with_ones(tf.constant([0.5, NAN]))
    assert run(scores).tolist() == [0.5, 1]


def test_box_frames(run):
    boxes = tf.constant([[[0.0, 0.5, 1.0, 1.0]]])
    absolute = ops.normalized_to_image_coordinates(boxes, tf.constant([1, 10, 20, 3]))
    np.testing.assert_allclose(run(absolute), [[[0, 10, 10, 20]]])
    corners = ops.center_to_corner_coordinate(tf.constant([[5.0, 5.0, 10.0, 4.0]]))
    np.testing.assert_allclose(run(corners), [[0, 3, 10, 7]])


def test_generalised_iou_of_partners(run):
    first = tf.constant([[0.0, 0.0, 1.0, 1.0], [0.0, 0.0, 1.0, 1.0], [0.0, 0.0, 0.0, 0.0]])
    second = tf.constant([[0.0, 0.0, 1.0, 1.0], [2.0, 2.0, 4.0, 4.0], [0.0, 0.0, 0.0, 0.0]])
    np.testing.assert_allclose(run(ops.giou(first, second)), [1, -11 / 16, 0], atol=1e-6)


def test_dense_to_sparse(run):
    boxes, classes = run(
        ops.dense_to_sparse_boxes(
            tf.constant(np.arange(16, dtype=np.float32).reshape(4, 4)), tf.constant([0, 1, 2]), 3
        )
    )
    assert boxes[:, 0].tolist() == [0, 4, 8]
    assert classes.tolist() == [1, 2, 2]


@pytest.mark.parametrize(
    ("size", "ratio", "expected"),
    [(1.0, 1.0, 2), (0.5, 1.0, 1), (0.49, 1.0, 0), (1.0, 2.0, 3), (0.001, 1.0, 0), (1.0, 99.0, 3)],
)
def test_levels_of_a_pyramid(size, ratio, expected, run):
    level = ops.fpn_feature_levels(4, 2, ratio, tf.constant([[0.0, 0.0, size, size]]))
    assert run(level).tolist() == [expected]


def test_merging_boxes_of_several_labels(run):
    boxes = [[0.25, 0.25, 0.75, 0.75], [0.0, 0.0, 0.5, 0.75], [0.25, 0.25, 0.75, 0.750001]]
    merged, classes, confidences, rows = run(
        ops.merge_boxes_with_multiple_labels(
            tf.constant(boxes), tf.constant([0, 4, 2]), tf.constant([0.8, 0.2, 0.1]), 5
        )
    )
    np.testing.assert_allclose(merged, boxes[:2])
    assert classes.tolist() == [[1, 0, 1, 0, 0], [0, 0, 0, 0, 1]]
    np.testing.assert_allclose(confidences, [[0.8, 0, 0.1, 0, 0], [0, 0, 0, 0, 0.2]])
    assert rows.tolist() == [0, 1]
    empty = ops.merge_boxes_with_multiple_labels(
        tf.zeros([0, 4]), tf.zeros([0], tf.int32), tf.zeros([0]), 5
    )
    assert [value.shape for value in run(empty)] == [(0, 4), (0, 5), (0, 5), (0,)]


def test_masks_in_the_frame_of_the_picture(run):
    mask = tf.ones([1, 2, 2])
    box = tf.constant([[0.25, 0.5, 0.75, 1.0]])
    whole = run(ops.reframe_box_masks_to_image_masks(mask, box, 8, 8))[0] > 0.5
    rows, columns = np.nonzero(whole)
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (2, 5, 4, 7)
    none = ops.reframe_box_masks_to_image_masks(tf.zeros([0, 2, 2]), tf.zeros([0, 4]), 8, 6)
    assert run(none).shape == (0, 8, 6)
    corners = ops.reframe_image_corners_relative_to_boxes(tf.constant([[0.25, 0.5, 0.75, 1.0]]))
    np.testing.assert_allclose(run(corners), [[-0.5, -1, 1.5, 1]])


def test_position_sensitive_regions(run):
    # Channel k holds the number k: each bin answers with its own.
    image = tf.constant(np.broadcast_to(np.arange(6, dtype=np.float32), [1, 9, 9, 6]).copy())
    boxes = tf.constant([[[0.0, 0.0, 1.0, 1.0], [0.25, 0.25, 0.5, 0.75]]])
    crops = run(ops.batch_position_sensitive_crop_regions(image, boxes, [4, 6], [2, 3], False))
    assert crops.shape == (1, 2, 4, 6, 1)
    expected = [[0, 0, 1, 1, 2, 2]] * 2 + [[3, 3, 4, 4, 5, 5]] * 2
    np.testing.assert_allclose(crops[0, 0, :, :, 0], expected)
    for size in ([4, 6], [6, 3]):
        pooled = run(ops.position_sensitive_crop_regions(image[0], boxes[0], size, [2, 3], True))
        np.testing.assert_allclose(pooled, np.full([2, 1, 1, 1], 2.5))
    for size, bins, words in (
        ([5, 6], [2, 3], "multiple"),
        ([4, 6], [0, 3], "at least 1"),
        ([6, 3], [2, 3], "square"),
        ([4, 4], [2, 2], "6 channels"),
    ):
        with pytest.raises(ValueError, match=words):
            ops.position_sensitive_crop_regions(image[0], boxes[0], size, bins, False)


def test_upsampling_and_padding(run):
    pixels = tf.constant(np.arange(4, dtype=np.float32).reshape(1, 2, 2, 1))
    doubled = run(ops.nearest_neighbor_upsampling(pixels, scale=2))
    np.testing.assert_array_equal(doubled[0, :, :, 0], np.kron([[0, 1], [2, 3]], np.ones([2, 2])))
    wide = run(ops.nearest_neighbor_upsampling(pixels, height_scale=1, width_scale=3))
    assert wide.shape == (1, 2, 6, 1)
    with pytest.raises(ValueError, match="Give scale"):
        ops.nearest_neighbor_upsampling(pixels, height_scale=2)
    assert run(ops.fixed_padding(pixels, 3)).shape == (1, 4, 4, 1)
    assert run(ops.fixed_padding(pixels, 3, rate=2)).shape == (1, 6, 6, 1)
    assert run(ops.pad_to_multiple(tf.zeros([1, 5, 8, 1]), 4)).shape == (1, 8, 8, 1)


def test_normalising_to_a_length(run):
    inputs = tf.constant(np.array([[[[3.0, 4.0]]]], np.float32))
    normalized = run(ops.normalize_to_target(inputs, 10.0, 3, summarize=False))
    np.testing.assert_allclose(normalized, [[[[6, 8]]]], rtol=1e-5)
    assert [v.op.name for v in tf.trainable_variables()] == ["NormalizeToTarget/weights"]
    with pytest.raises(ValueError, match="3 lengths for 2"):
        ops.normalize_to_target(inputs, [1.0, 2.0, 3.0], 3, scope="other")
    with pytest.raises(ValueError, match="not an axis"):
        ops.normalize_to_target(inputs, 1.0, 4, scope="third")
    with pytest.raises(ValueError, match="should be numbers"):
        ops.normalize_to_target(inputs, None, 3, scope="fourth")


def test_types_of_nested_tensors():
    nested = ops.bfloat16_to_float32_nested(
        {"a": tf.zeros([1], tf.bfloat16), "b": [tf.zeros([1], tf.int32)]}
    )
    assert nested["a"].dtype == tf.float32
    assert nested["b"][0].dtype == tf.int32


def test_context_of_each_frame(run):
    sample = {
        Inputs.image: tf.zeros([3, 2, 2, 3]),
        Inputs.groundtruth_boxes: tf.zeros([3, 1, 4]),
        Inputs.context_features: tf.ones([4, 5]),
        Inputs.context_feature_length: tf.constant(5),
        Inputs.key: tf.constant("a"),
    }
    tiled = run(ops.tile_context_tensors(sample))
    assert tiled[Inputs.context_features].shape == (3, 4, 5)
    assert tiled[Inputs.context_feature_length].tolist() == [5, 5, 5]
    assert tiled[Inputs.key].tolist() == [b"a"] * 3
    assert tiled[Inputs.image].shape == (3, 2, 2, 3)
    assert tiled[Inputs.groundtruth_boxes].shape == (3, 1, 4)


def test_decoding_a_picture(run):
    buffer = io.BytesIO()
    Image.fromarray(np.full([3, 5, 3], 7, np.uint8)).save(buffer, "PNG")
    decoded = ops.decode_image({Inputs.image: tf.constant(buffer.getvalue())})
    assert run(decoded[Inputs.image]).tolist() == np.full([3, 5, 3], 7).tolist()
