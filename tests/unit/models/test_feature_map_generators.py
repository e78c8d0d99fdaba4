import numpy as np
import pytest
import tensorflow.compat.v1 as tf
import tf_slim as slim

from object_detection.models import feature_map_generators as generators

INCEPTION = {
    "from_layer": ["Mixed_3b", "Mixed_3c", "Mixed_4c", "", "", "Mixed_5c", "", ""],
    "layer_depth": [-1, -1, -1, 512, 256, -1, 256, 128],
}


def _shapes(maps):
    return {name: tuple(one.shape.as_list()) for name, one in maps.items()}


def _names():
    return {variable.op.name: variable.shape.as_list() for variable in tf.global_variables()}


def _features(**shapes):
    return {name: tf.zeros(shape) for name, shape in shapes.items()}


def _ones():
    """Convolutions that sum: weights of one, no biases, no activation."""
    return slim.arg_scope(
        [slim.conv2d, slim.separable_conv2d],
        weights_initializer=tf.ones_initializer(),
        biases_initializer=None,
        activation_fn=None,
    )


@pytest.mark.parametrize(
    ("multiplier", "least", "depth", "expected"),
    [
        pytest.param(1.0, 16, 64, 64, id="as it is"),
        pytest.param(0.5, 16, 65, 32, id="rounded down"),
        pytest.param(0.1, 16, 64, 16, id="at least"),
        pytest.param(1.4, 16, 30, 42, id="more"),
    ],
)
def test_depth(multiplier, least, depth, expected):
    assert generators.get_depth_fn(multiplier, least)(depth) == expected


def test_maps_of_the_backbone_and_new_ones():
    maps = generators.multi_resolution_feature_maps(
        {"from_layer": ["A", "B", "", ""], "layer_depth": [-1, -1, 512, 129]},
        depth_multiplier=1,
        min_depth=32,
        insert_1x1_conv=True,
        image_features=_features(A=[4, 28, 28, 16], B=[4, 7, 7, 24]),
    )
    assert list(_shapes(maps).items()) == [
        ("A", (4, 28, 28, 16)),
        ("B", (4, 7, 7, 24)),
        ("B_2_Conv2d_2_3x3_s2_512", (4, 4, 4, 512)),
        ("B_2_Conv2d_3_3x3_s2_129", (4, 2, 2, 129)),
    ]
    assert _names() == {
        "B_1_Conv2d_2_1x1_256/weights": [1, 1, 24, 256],
        "B_1_Conv2d_2_1x1_256/biases": [256],
        "B_2_Conv2d_2_3x3_s2_512/weights": [3, 3, 256, 512],
        "B_2_Conv2d_2_3x3_s2_512/biases": [512],
        "B_1_Conv2d_3_1x1_64/weights": [1, 1, 512, 64],
        "B_1_Conv2d_3_1x1_64/biases": [64],
        "B_2_Conv2d_3_3x3_s2_129/weights": [3, 3, 64, 129],
        "B_2_Conv2d_3_3x3_s2_129/biases": [129],
    }


@pytest.mark.parametrize(
    ("insert", "multiplier", "least", "expected"),
    [
        pytest.param(True, 0.5, 32, [256, 128, 128, 64], id="halved"),
        pytest.param(True, 0.001, 32, [32, 32, 32, 32], id="least depth"),
        pytest.param(False, 1, 32, [512, 256, 256, 128], id="no 1x1 convolutions"),
    ],
)
def test_new_maps_between_those_of_the_backbone(insert, multiplier, least, expected):
    maps = generators.multi_resolution_feature_maps(
        INCEPTION,
        multiplier,
        least,
        insert,
        _features(
            Mixed_3b=[1, 28, 28, 2],
            Mixed_3c=[1, 28, 28, 2],
            Mixed_4c=[1, 14, 14, 2],
            Mixed_5c=[1, 7, 7, 2],
        ),
    )
    made = {name: shape for name, shape in _shapes(maps).items() if "_2_" in name}
    bases = [("Mixed_4c", 3, 7), ("Mixed_4c", 4, 4), ("Mixed_5c", 6, 4), ("Mixed_5c", 7, 2)]
    assert made == {
        f"{base}_2_Conv2d_{index}_3x3_s2_{depth}": (1, size, size, depth)
        for (base, index, size), depth in zip(bases, expected, strict=True)
    }
    assert any("_1_Conv2d" in name for name in _names()) == insert


@pytest.mark.parametrize("explicit", [False, True])
def test_kernel_sizes_and_depthwise_layers(explicit):
    maps = generators.multi_resolution_feature_maps(
        {
            "from_layer": ["A", "", ""],
            "layer_depth": [-1, 8, 4],
            "conv_kernel_size": [-1, 3, 2],
            "use_depthwise": True,
            "use_explicit_padding": explicit,
        },
        1.0,
        1,
        False,
        _features(A=[1, 8, 8, 2]),
    )
    assert _shapes(maps) == {
        "A": (1, 8, 8, 2),
        "A_2_Conv2d_1_3x3_s2_8": (1, 4, 4, 8),
        "A_2_Conv2d_2_2x2_s2_4": (1, 2, 2, 4),
    }
    assert _names()["A_2_Conv2d_1_3x3_s2_8_depthwise/depthwise_weights"] == [3, 3, 2, 1]
    assert _names()["A_2_Conv2d_1_3x3_s2_8/weights"] == [1, 1, 2, 8]
    assert _names()["A_2_Conv2d_2_2x2_s2_4_depthwise/depthwise_weights"] == [2, 2, 8, 1]


@pytest.mark.parametrize("residual", [False, True])
def test_pooled_residuals_where_the_depths_agree(residual, run):
    with _ones():
        maps = generators.multi_resolution_feature_maps(
            {"from_layer": ["A", "", ""], "layer_depth": [-1, 1, 2]},
            1.0,
            1,
            False,
            {"A": tf.fill([1, 4, 4, 1], 2.0)},
            pool_residual=residual,
        )
    first, second = run(list(maps.values()))[1:]
    # A 3x3 kernel of stride 2 on 4 x 4 reaches over the lower and right edge by one.
    sums = np.array([[18.0, 12.0], [12.0, 8.0]])
    np.testing.assert_allclose(first[0, :, :, 0], sums + (2.0 if residual else 0.0))
    np.testing.assert_allclose(second.ravel(), [first.sum()] * 2)


PYRAMID = [("block2", 8, 2), ("block3", 4, 3), ("block4", 2, 4)]


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"use_native_resize_op": True},
        {"use_explicit_padding": True},
        {"use_bounded_activations": True},
        {"scope": "mine"},
    ],
    ids=str,
)
def test_levels_of_a_pyramid(more):
    maps = generators.fpn_top_down_feature_maps(
        [(name, tf.zeros([4, size, size, depth])) for name, size, depth in PYRAMID], 16, **more
    )
    assert list(_shapes(maps).items()) == [
        ("top_down_block2", (4, 8, 8, 16)),
        ("top_down_block3", (4, 4, 4, 16)),
        ("top_down_block4", (4, 2, 2, 16)),
    ]
    assert {name: shape for name, shape in _names().items() if "weights" in name} == {
        "projection_1/weights": [1, 1, 2, 16],
        "projection_2/weights": [1, 1, 3, 16],
        "projection_3/weights": [1, 1, 4, 16],
        "smoothing_1/weights": [3, 3, 16, 16],
        "smoothing_2/weights": [3, 3, 16, 16],
    }


def test_depthwise_smoothing_is_one_layer():
    generators.fpn_top_down_feature_maps(
        [(name, tf.zeros([4, size, size, depth])) for name, size, depth in PYRAMID], 16, True
    )
    assert _names()["smoothing_1/depthwise_weights"] == [3, 3, 16, 1]
    assert _names()["smoothing_1/pointwise_weights"] == [1, 1, 16, 16]


@pytest.mark.parametrize("native", [False, True])
@pytest.mark.parametrize("explicit", [False, True])
def test_values_of_a_pyramid_of_odd_sizes(native, explicit, run):
    with _ones():
        maps = generators.fpn_top_down_feature_maps(
            [
                ("fine", tf.fill([1, 3, 3, 1], 2.0)),
                ("coarse", tf.reshape(tf.constant([10.0, 20.0, 30.0, 40.0]), [1, 2, 2, 1])),
            ],
            1,
            use_native_resize_op=native,
            use_explicit_padding=explicit,
        )
    fine, coarse = run(list(maps.values()))
    np.testing.assert_allclose(coarse[0, :, :, 0], [[10, 20], [30, 40]])
    # [[12, 12, 22], [12, 12, 22], [32, 32, 42]], summed over the neighbours of each cell.
    expected = [[48, 92, 68], [112, 198, 142], [88, 152, 108]]
    np.testing.assert_allclose(fine[0, :, :, 0], expected)


def test_bounded_sums(run):
    with _ones():
        maps = generators.fpn_top_down_feature_maps(
            [("fine", tf.fill([1, 2, 2, 1], 5.0)), ("coarse", tf.fill([1, 1, 1, 1], 50.0))],
            1,
            use_bounded_activations=True,
        )
    fine, coarse = run(list(maps.values()))
    np.testing.assert_allclose(coarse, [[[[6.0]]]])
    np.testing.assert_allclose(fine, np.full([1, 2, 2, 1], 4 * 6.0))


def test_a_pyramid_of_open_sizes(run):
    fine = tf.placeholder(tf.float32, [2, None, None, 3])
    coarse = tf.placeholder(tf.float32, [2, None, None, 3])
    maps = generators.fpn_top_down_feature_maps([("fine", fine), ("coarse", coarse)], 4)
    assert _shapes(maps)["top_down_fine"] == (2, None, None, 4)
    found = run(maps, {fine: np.zeros([2, 5, 7, 3]), coarse: np.zeros([2, 3, 4, 3])})
    assert found["top_down_fine"].shape == (2, 5, 7, 4)


@pytest.mark.parametrize(
    ("depth", "convolve", "names", "channels"),
    [
        pytest.param(
            6, False, ["Base_Conv2d_1x1_6", "MaxPool2d_0_2x2", "MaxPool2d_1_2x2"], 6, id="pooled"
        ),
        pytest.param(
            6, True, ["Base_Conv2d_1x1_6", "Conv2d_0_3x3_s2_6", "Conv2d_1_3x3_s2_6"], 6,
            id="convolved",
        ),
        pytest.param(
            0, False, ["Base_Conv2d_1x1_0", "MaxPool2d_0_2x2", "MaxPool2d_1_2x2"], 2,
            id="no first convolution",
        ),
    ],
)  # fmt: skip
def test_levels_of_a_pooling_pyramid(depth, convolve, names, channels):
    maps = generators.pooling_pyramid_feature_maps(
        depth, 3, _features(image_features=[4, 19, 19, 2]), replace_pool_with_conv=convolve
    )
    assert list(_shapes(maps).items()) == [
        (name, (4, size, size, channels)) for name, size in zip(names, (19, 10, 5), strict=True)
    ]
    scopes = {name.split("/")[0] for name in _names()}
    assert scopes == {name for name in names if "Conv" in name and depth}


def test_a_pooling_pyramid_keeps_the_largest(run):
    features = tf.reshape(tf.range(9.0), [1, 3, 3, 1])
    maps = generators.pooling_pyramid_feature_maps(0, 3, {"map": features})
    first, second = run(list(maps.values()))[1:]
    np.testing.assert_array_equal(first[0, :, :, 0], [[4, 5], [7, 8]])
    np.testing.assert_array_equal(second.ravel(), [8])


@pytest.mark.parametrize("count", [0, 2])
def test_a_pooling_pyramid_stands_on_one_map(count):
    with pytest.raises(ValueError, match="one map"):
        generators.pooling_pyramid_feature_maps(
            8, 2, {str(index): tf.zeros([1, 2, 2, 1]) for index in range(count)}
        )
