import numpy as np
import pytest
import tensorflow.compat.v1 as tf
import tf_slim as slim

from object_detection.predictors.heads import (
    box_head,
    class_head,
    head,
    keypoint_head,
    mask_head,
)


def _ones_scope():
    """Weights of one and no activation, so that sums can be done by hand."""
    with slim.arg_scope(
        [slim.conv2d, slim.separable_conv2d, slim.conv2d_transpose, slim.fully_connected],
        weights_initializer=tf.ones_initializer(),
        activation_fn=None,
    ) as scope:
        return scope


def _counting(shape, dtype=None, partition_info=None):
    """0, 1, 2, ... over the last axis."""
    return tf.broadcast_to(tf.range(float(shape[-1])), shape)


def _names():
    return {variable.op.name: variable.shape.as_list() for variable in tf.global_variables()}


# Two cells with the values 1 and 10; channel k of the layer is k times that.
CELLS = np.array([1.0, 10.0], np.float32).reshape([1, 1, 2, 1])
HEADS = {
    "box": (box_head.ConvolutionalBoxHead(True, 2, 1), [1, 4, 1, 2]),
    "shared box": (box_head.WeightSharedConvolutionalBoxHead(2, 1), [1, 4, 2]),
    "class": (class_head.ConvolutionalClassHead(True, 2, False, 1.0, 1), [1, 4, 2]),
    "shared class": (class_head.WeightSharedConvolutionalClassHead(2, 1), [1, 4, 2]),
    "mask": (mask_head.ConvolutionalMaskHead(True, 1, False, 1.0, 1, False, 1, 2), [1, 4, 1, 1, 2]),
    "shared mask": (
        mask_head.WeightSharedConvolutionalMaskHead(1, 1, mask_height=2, mask_width=1),
        [1, 4, 1, 2, 1],
    ),
}


@pytest.mark.parametrize("name", sorted(HEADS))
def test_rows_are_cells_then_anchors(name, run):
    part, shape = HEADS[name]
    with slim.arg_scope([slim.conv2d], weights_initializer=_counting):
        found = part.predict(tf.constant(CELLS), 2)
    assert found.shape.as_list() == shape
    # (cell, anchor) in rows, the two numbers of a prediction in columns.
    np.testing.assert_array_equal(run(found).reshape([4, 2]), [[0, 1], [2, 3], [0, 10], [20, 30]])


@pytest.mark.parametrize("name", sorted(HEADS))
def test_open_sizes_and_no_pictures(name, run):
    part, shape = HEADS[name]
    features = tf.placeholder(tf.float32, [None, None, None, 1])
    found = part.predict(features, 2)
    assert found.shape.as_list() == [None, None, *shape[2:]]
    assert run(found, {features: np.zeros([0, 3, 2, 1])}).shape == (0, 12, *shape[2:])


@pytest.mark.parametrize(
    ("part", "expected"),
    [
        pytest.param(
            box_head.ConvolutionalBoxHead(True, 4, 3, use_depthwise=True),
            {
                "BoxEncodingPredictor_depthwise/depthwise_weights": [3, 3, 5, 1],
                "BoxEncodingPredictor_depthwise/biases": [5],
                "BoxEncodingPredictor/weights": [1, 1, 5, 8],
                "BoxEncodingPredictor/biases": [8],
            },
            id="box",
        ),
        pytest.param(
            box_head.WeightSharedConvolutionalBoxHead(4, 3, use_depthwise=True),
            {
                "BoxPredictor/depthwise_weights": [3, 3, 5, 1],
                "BoxPredictor/pointwise_weights": [1, 1, 5, 8],
                "BoxPredictor/biases": [8],
            },
            id="shared box",
        ),
        pytest.param(
            class_head.WeightSharedConvolutionalClassHead(3, 3, use_depthwise=True, scope="Mine"),
            {
                "Mine/depthwise_weights": [3, 3, 5, 1],
                "Mine/pointwise_weights": [1, 1, 5, 6],
                "Mine/biases": [6],
            },
            id="shared class",
        ),
        pytest.param(
            mask_head.ConvolutionalMaskHead(True, 3, False, 1.0, 3, True, 2, 2, True),
            {
                "MaskPredictor_depthwise/depthwise_weights": [3, 3, 5, 1],
                "MaskPredictor_depthwise/biases": [5],
                "MaskPredictor/weights": [1, 1, 5, 8],
                "MaskPredictor/biases": [8],
            },
            id="mask, one for all classes",
        ),
    ],
)
def test_variables_of_depthwise_heads(part, expected):
    part.predict(tf.zeros([1, 2, 2, 5]), 2)
    assert _names() == expected


def test_maps_can_stay_maps(run):
    features = tf.zeros([2, 3, 4, 5])
    boxes = box_head.WeightSharedConvolutionalBoxHead(4, return_flat_predictions=False)
    classes = class_head.WeightSharedConvolutionalClassHead(7, return_flat_predictions=False)
    assert boxes.predict(features, 2).shape.as_list() == [2, 3, 4, 8]
    assert classes.predict(features, 2).shape.as_list() == [2, 3, 4, 14]


class _Limits:
    min, max = -1.0, 12.0


@pytest.mark.parametrize("limits", [_Limits, (-1.0, 12.0)], ids=["message", "pair"])
def test_codes_are_cut(limits, run):
    with slim.arg_scope([slim.conv2d], weights_initializer=_counting):
        codes = box_head.ConvolutionalBoxHead(True, 4, 1, False, limits).predict(
            tf.constant(CELLS), 1
        )
    np.testing.assert_array_equal(run(codes)[0, :, 0], [[0, 1, 2, 3], [0, 10, 12, 12]])


def test_scores_and_initial_biases(run):
    with slim.arg_scope([slim.conv2d], weights_initializer=tf.zeros_initializer()):
        scores = class_head.ConvolutionalClassHead(
            True, 2, False, 1.0, 1, apply_sigmoid_to_scores=True, class_prediction_bias_init=-2.0
        ).predict(tf.constant(CELLS), 1)
        converted = class_head.WeightSharedConvolutionalClassHead(
            2, 1, class_prediction_bias_init=3.0, score_converter_fn=tf.exp, scope="Shared"
        ).predict(tf.constant(CELLS), 1)
    found = run([scores, converted])
    np.testing.assert_allclose(found[0], np.full([1, 2, 2], 1 / (1 + np.exp(2))), rtol=1e-5)
    np.testing.assert_allclose(found[1], np.full([1, 2, 2], np.exp(3)), rtol=1e-5)


@pytest.mark.parametrize("is_training", [True, False])
def test_dropout_is_for_training(is_training, run):
    with slim.arg_scope([slim.conv2d], weights_initializer=tf.ones_initializer()):
        logits = class_head.ConvolutionalClassHead(is_training, 1, True, 0.5, 1).predict(
            tf.ones([1, 20, 20, 1]), 1
        )
    values = set(np.unique(run(logits)))
    assert values == ({0.0, 2.0} if is_training else {1.0})


REGIONS = np.arange(2 * 2 * 2 * 2, dtype=np.float32).reshape([2, 2, 2, 2])


def test_boxes_and_classes_of_regions_come_from_mean_features(run):
    boxes = box_head.MaskRCNNBoxHead(False, 3, _ones_scope, True, 0.5, 4)
    shared = box_head.MaskRCNNBoxHead(False, 3, _ones_scope, False, 0.5, 6, True)
    classes = class_head.MaskRCNNClassHead(False, 4, _ones_scope, True, 0.5)
    with tf.variable_scope("first"):
        results = [boxes.predict(REGIONS), classes.predict(REGIONS)]
    with tf.variable_scope("second"):
        results.append(shared.predict(REGIONS))
    # The channels' means are 3 and 4 in the first region, 11 and 12 in the second.
    for found, shape in zip(run(results), [(2, 1, 3, 4), (2, 1, 4), (2, 1, 1, 6)], strict=True):
        assert found.shape == shape
        np.testing.assert_allclose(found[0], 7.0)
        np.testing.assert_allclose(found[1], 23.0)
    assert _names() == {
        "first/BoxEncodingPredictor/weights": [2, 12],
        "first/BoxEncodingPredictor/biases": [12],
        "first/ClassPredictor/weights": [2, 4],
        "first/ClassPredictor/biases": [4],
        "second/BoxEncodingPredictor/weights": [2, 6],
        "second/BoxEncodingPredictor/biases": [6],
    }


def test_heads_of_regions_share_their_weights_between_calls():
    boxes = box_head.MaskRCNNBoxHead(True, 3, _ones_scope, False, 0.5, 4)
    boxes.predict(REGIONS)
    boxes.predict(REGIONS)
    assert len(tf.global_variables()) == 2


@pytest.mark.parametrize(
    "part",
    [
        box_head.MaskRCNNBoxHead(True, 3, _ones_scope, False, 0.5, 4),
        class_head.MaskRCNNClassHead(True, 3, _ones_scope, False, 0.5),
        mask_head.MaskRCNNMaskHead(3, _ones_scope),
        keypoint_head.MaskRCNNKeypointHead(),
    ],
    ids=lambda part: type(part).__name__,
)
def test_heads_of_regions_predict_once(part):
    with pytest.raises(ValueError, match="num_predictions_per_location is 2"):
        part.predict(tf.zeros([1, 2, 2, 2]), 2)


def test_keypoints_of_regions():
    heatmaps = keypoint_head.MaskRCNNKeypointHead(conv_hyperparams_fn=_ones_scope).predict(
        tf.zeros([6, 14, 14, 3])
    )
    assert heatmaps.shape.as_list() == [6, 1, 17, 56, 56]
    names = _names()
    assert names["conv_1/weights"] == [3, 3, 3, 512]
    assert names["conv_8/weights"] == [3, 3, 512, 512]
    assert "conv_9/weights" not in names
    assert names["deconv1/weights"] == [2, 2, 17, 512]


def test_keypoint_maps_are_enlarged_corner_to_corner(run):
    part = keypoint_head.MaskRCNNKeypointHead(
        num_keypoints=5,
        conv_hyperparams_fn=_ones_scope,
        keypoint_heatmap_height=4,
        keypoint_heatmap_width=7,
        keypoint_prediction_num_conv_layers=1,
        keypoint_prediction_conv_depth=1,
    )
    heatmaps = run(part.predict(tf.ones([1, 2, 2, 1])))
    assert heatmaps.shape == (1, 1, 5, 4, 7)
    # Each cell of 2 x 2 sees all four ones; a 2x2 transposed convolution of ones then adds one,
    # two or four cells of value 4.
    corners = heatmaps[0, 0, 0][[0, 0, -1, -1], [0, -1, 0, -1]]
    np.testing.assert_allclose(sorted(corners), [4, 8, 8, 16])


@pytest.mark.parametrize(
    ("more", "shape", "variables"),
    [
        pytest.param({}, [3, 1, 20, 14, 14], {"Conv/weights": [3, 3, 8, 256]}, id="defaults"),
        pytest.param(
            {"masks_are_class_agnostic": True, "mask_height": 6, "mask_width": 5},
            [3, 1, 1, 6, 5],
            {"Conv_1/weights": [3, 3, 256, 1]},
            id="one mask for all classes",
        ),
        pytest.param(
            # 2^((2 log2(8) + 3 log2(20)) / 5) = 13.9, nearest power of two 2^round(3.79) = 16.
            {"mask_prediction_conv_depth": 0},
            [3, 1, 20, 14, 14],
            {"Conv/weights": [3, 3, 8, 16]},
            id="depth between features and classes",
        ),
        pytest.param(
            {"mask_prediction_num_conv_layers": 3, "mask_prediction_conv_depth": 4},
            [3, 1, 20, 14, 14],
            {"Conv_1/weights": [3, 3, 4, 4], "Conv_2/weights": [3, 3, 4, 20]},
            id="more layers",
        ),
        pytest.param(
            {"convolve_then_upsample": True, "mask_height": 6, "mask_width": 9},
            [3, 1, 20, 6, 9],
            {"Conv/weights": [3, 3, 8, 256], "Conv_2/weights": [3, 3, 256, 20]},
            id="enlarged after the convolutions",
        ),
    ],
)
def test_masks_of_regions(more, shape, variables):
    part = mask_head.MaskRCNNMaskHead(20, _ones_scope, **more)
    assert part.predict(tf.zeros([3, 3, 3, 8])).shape.as_list() == shape
    assert variables.items() <= _names().items()


def test_masks_that_repetition_does_not_reach_are_refused():
    part = mask_head.MaskRCNNMaskHead(20, _ones_scope, convolve_then_upsample=True)
    with pytest.raises(ValueError, match="multiples"):
        part.predict(tf.zeros([3, 3, 3, 8]))


def test_masks_of_regions_need_an_arg_scope():
    with pytest.raises(ValueError, match="conv_hyperparams"):
        mask_head.MaskRCNNMaskHead(20)


def test_a_head_must_predict():
    with pytest.raises(TypeError):
        head.Head()
