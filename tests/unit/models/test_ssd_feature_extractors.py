"""What single extractors promise beyond the contract: channels, scopes, counts, arguments."""

import inspect
import math

import numpy as np
import pytest
import tensorflow.compat.v1 as tf
import tf_slim as slim

from object_detection.builders import model_builder
from object_detection.core.batch_norm import batch_norm
from object_detection.models import (
    ssd_mobiledet_feature_extractor,
    ssd_mobilenet_v3_feature_extractor,
    ssd_resnet_v1_fpn_feature_extractor,
    ssd_resnet_v1_ppn_feature_extractor,
)
from object_detection.models.backbones import mobilenet_v3, resnet_v1
from object_detection.models.backbones.spaghettinet import Node, Passthrough, Separable, Stem
from object_detection.models.ssd_mobilenet_v2_mnasfpn_feature_extractor import (
    MNASFPN_DEF,
    Block,
    mnasfpn,
    training_scope,
)
from object_detection.models.ssd_spaghettinet_feature_extractor import (
    SpaghettiNet,
    lookup_spaghetti_arch,
)
from object_detection.protos import ssd_pb2
from object_detection.utils.config_check import maps_check, model_check

EXTRACTORS = model_builder.SSD_FEATURE_EXTRACTOR_CLASS_MAP
OWN_HYPERPARAMS = ("ssd_inception_v2", "ssd_inception_v3")


def _plain_scope():
    with slim.arg_scope([]) as scope:
        return scope


def _extractor(name, scope_fn=_plain_scope, **more):
    settings = {
        "is_training": True,
        "depth_multiplier": 1.0,
        "min_depth": 16,
        "pad_to_multiple": 1,
        "conv_hyperparams_fn": scope_fn,
        "override_base_feature_extractor_hyperparams": name in OWN_HYPERPARAMS,
    }
    if name == "ssd_spaghettinet":
        settings["spaghettinet_arch_name"] = "spaghettinet_edgetpu_s"
    return EXTRACTORS[name](**(settings | more))


def _shapes(maps):
    return [tuple(one.shape.as_list()[1:]) for one in maps]


SSD_128 = (8, 4, 2, 1, 1, 1)
SSD_300 = (19, 10, 5, 3, 2, 1)
TOPS = (512, 256, 256, 128)


@pytest.mark.parametrize(
    ("name", "size", "sides", "depths", "scope", "count"),
    [
        ("ssd_mobilenet_v1", 128, SSD_128, (512, 1024, *TOPS), "MobilenetV1", 27 * 5 + 8 * 2),
        ("ssd_mobilenet_v2", 299, SSD_300, (576, 1280, *TOPS), "MobilenetV2", 52 * 5 + 8 * 2),
        ("ssd_mobilenet_v3_large", 299, SSD_300, (672, 480, *TOPS), "MobilenetV3", None),
        ("ssd_mobilenet_v3_small", 299, SSD_300, (288, 288, *TOPS), "MobilenetV3", None),
        ("ssd_mobilenet_edgetpu", 299, SSD_300, (384, 192, *TOPS), "MobilenetEdgeTPU", None),
        ("ssd_mobilenet_v1_fpn", 256, (32, 16, 8, 4, 2), (256,) * 5, "MobilenetV1", 27 * 5 + 7 * 2),
        ("ssd_mobilenet_v2_fpn", 256, (32, 16, 8, 4, 2), (256,) * 5, "MobilenetV2", 52 * 5 + 7 * 2),
        ("ssd_mobilenet_v1_ppn", 299, SSD_300, (512,) * 6, "MobilenetV1", None),
        ("ssd_mobilenet_v2_mnasfpn", 256, (32, 16, 8, 4), (48,) * 4, "M", None),
        ("ssd_mobiledet_cpu", 320, (20, 10, 5, 3, 2, 1), (72, 144, *TOPS), "MobileDetCPU", None),
        ("ssd_inception_v2", 128, SSD_128, (576, 1024, *TOPS), "InceptionV2", None),
        ("ssd_resnet50_v1_fpn", 256, (32, 16, 8, 4, 2), (256,) * 5, "resnet_v1_50", None),
        ("ssd_resnet50_v1_ppn", 289, (19, 10, 5, 3, 2, 1), (1024,) * 6, "resnet_v1_50", None),
        (
            "ssd_spaghettinet", 320, (20, 10, 5, 3, 2), (120, 168, 136, 136, 64),
            "spaghettinet_edgetpu_s", None,
        ),
    ],
)  # fmt: skip
def test_maps_and_variables_with_a_plain_scope(name, size, sides, depths, scope, count):
    maps = _extractor(name).extract_features(tf.zeros([2, size, size, 3]))
    assert isinstance(maps, list)
    # What configs are checked by, before TensorFlow starts.
    checked = maps_check.number_of_maps(ssd_pb2.SsdFeatureExtractor(type=name))
    assert checked == (None if name == "ssd_spaghettinet" else len(maps))
    assert _shapes(maps) == [(side, side, depth) for side, depth in zip(sides, depths, strict=True)]
    names = [variable.op.name for variable in tf.global_variables()]
    assert all(one.startswith(scope) for one in names)
    if count is not None:
        assert len(names) == count
    if not name.startswith("ssd_inception"):  # its normaliser is what the config says: here none
        types = {operation.type for operation in tf.get_default_graph().get_operations()}
        assert any("FusedBatchNorm" in one for one in types)


@pytest.mark.parametrize(
    ("name", "sides"),
    [
        ("ssd_mobilenet_v1", (20, 10, 5, 3, 2, 1)),
        ("ssd_mobilenet_v2_fpn", (40, 20, 10, 5, 3)),
        ("ssd_mobilenet_v2_mnasfpn", (40, 20, 10, 5)),
    ],
)
def test_padding_to_a_multiple_and_the_least_depth(name, sides):
    extractor = _extractor(name, depth_multiplier=0.5**12, min_depth=32, pad_to_multiple=32)
    maps = extractor.extract_features(tf.zeros([1, 299, 299, 3]))
    assert _shapes(maps) == [(side, side, 32) for side in sides]


@pytest.mark.parametrize(
    "name", ["ssd_mobilenet_v1", "ssd_inception_v2", "ssd_mobilenet_v2", "ssd_mobilenet_v1_ppn"]
)
def test_number_of_maps(name):
    maps = _extractor(name, num_layers=4, depth_multiplier=0.25).extract_features(
        tf.zeros([1, 64, 64, 3])
    )
    message = ssd_pb2.SsdFeatureExtractor(type=name, num_layers=4)
    assert len(maps) == 4 == maps_check.number_of_maps(message)


@pytest.mark.parametrize("name", ["ssd_mobilenet_v1_fpn", "ssd_resnet50_v1_fpn"])
def test_number_of_levels(name):
    extractor = _extractor(name, fpn_min_level=4, fpn_max_level=6)
    message = ssd_pb2.SsdFeatureExtractor(type=name, fpn={"min_level": 4, "max_level": 6})
    maps = extractor.extract_features(tf.zeros([1, 256, 256, 3]))
    assert len(maps) == 3 == maps_check.number_of_maps(message)


@pytest.mark.parametrize(
    ("field", "parameter"),
    [
        ("num_layers", "num_layers"),
        ("fpn", "fpn_min_level"),
        ("spaghettinet_arch_name", "spaghettinet_arch_name"),
    ],
)
def test_who_takes_what(field, parameter):
    takers = [
        name
        for name in sorted(model_check.EXTRACTORS["ssd"])
        if parameter in inspect.signature(EXTRACTORS[name].__init__).parameters
    ]
    assert sorted(maps_check.TAKEN_BY[field]) == takers


@pytest.mark.parametrize("name", sorted(EXTRACTORS))
def test_ranges_after_preprocessing(name, run):
    extractor = _extractor(name)
    ends = extractor.preprocess(tf.constant([0.0, 255.0], shape=[1, 1, 2, 1]) + tf.zeros([3]))
    if "resnet" in name:
        means = np.array([123.68, 116.779, 103.939])
        expected = [[-means, 255.0 - means]]
        other = tf.zeros([1, 1, 1, 4])
        assert run(extractor.preprocess(other)).max() == 0
    else:
        expected = [[[-1.0] * 3, [1.0] * 3]]
    np.testing.assert_allclose(run(ends)[0], expected, rtol=1e-5)
    picture = np.random.RandomState(1).uniform(0, 255, [1, 2, 2, 3]).astype(np.float32)
    np.testing.assert_allclose(
        run(tf.convert_to_tensor(extractor.preprocess(picture))),
        run(extractor.preprocess(tf.constant(picture))),
        rtol=1e-5,
    )


@pytest.mark.parametrize(
    ("name", "least"), [("ssd_mobilenet_v1", 33), ("ssd_resnet50_v1_fpn", 129)]
)
def test_pictures_that_are_too_small(name, least, run):
    extractor = _extractor(name, depth_multiplier=0.1)
    with pytest.raises(ValueError, match=f"{least} pixels"):
        extractor.extract_features(tf.zeros([1, least - 1, 300, 3]))
    images = tf.placeholder(tf.float32, [1, None, None, 3])
    maps = extractor.extract_features(images)
    with pytest.raises(tf.errors.InvalidArgumentError, match=f"{least} pixels"):
        run(maps, {images: np.zeros([1, 300, least - 1, 3])})


@pytest.mark.parametrize("override", [False, True])
def test_settings_of_the_config_reach_the_backbone_only_if_asked(override):
    def scope_fn():
        with slim.arg_scope(
            [slim.conv2d, slim.separable_conv2d],
            weights_regularizer=slim.l2_regularizer(0.5),
            normalizer_fn=None,
        ) as scope:
            return scope

    _extractor(
        "ssd_mobilenet_v1",
        scope_fn,
        depth_multiplier=0.25,
        override_base_feature_extractor_hyperparams=override,
    ).extract_features(tf.zeros([1, 64, 64, 3]))
    biases = {one.op.name for one in tf.global_variables() if one.op.name.endswith("biases")}
    # 27 layers of the backbone and 8 above it; a layer has biases or batch norm.
    assert len(biases) == (35 if override else 8)
    scales = [
        constant.op.inputs[0].op.get_attr("value").float_val[0]
        for constant in tf.losses.get_regularization_losses()
    ]
    assert scales.count(0.5) == (35 if override else 8)
    assert len(scales) == 35


def test_variables_are_used_again():
    images = tf.zeros([1, 64, 64, 3])
    _extractor("ssd_mobilenet_v1", depth_multiplier=0.25).extract_features(images)
    before = tf.global_variables()
    again = _extractor("ssd_mobilenet_v1", depth_multiplier=0.25, reuse_weights=True)
    again.extract_features(images)
    assert tf.global_variables() == before


def _norm_of_slim():
    with (
        slim.arg_scope([slim.conv2d, slim.separable_conv2d], normalizer_fn=slim.batch_norm),
        slim.arg_scope(
            [slim.batch_norm], decay=0.75, epsilon=0.5, scale=True, is_training=False, fused=True
        ) as scope,
    ):
        return scope


def test_arg_scopes_with_the_batch_norm_of_slim():
    extractor = _extractor("ssd_mobilenet_v1", _norm_of_slim, depth_multiplier=0.25)
    extractor.extract_features(tf.zeros([1, 64, 64, 3]))
    added = [one.op.name for one in tf.trainable_variables() if "_2_Conv2d_2" in one.op.name]
    assert {name.partition("256")[2] or name.partition("128")[2] for name in added} == {
        "/weights",
        "/BatchNorm/gamma",
        "/BatchNorm/beta",
    }


def test_settings_that_only_the_layer_of_slim_has_are_refused():
    def scope():
        with slim.arg_scope([slim.batch_norm], renorm=True) as made:
            return made

    with pytest.raises(ValueError, match="renorm=True"):
        _extractor("ssd_mobilenet_v1", scope).extract_features(tf.zeros([1, 64, 64, 3]))


def test_embedded_takes_one_size_only(run):
    with pytest.raises(ValueError, match="pad_to_multiple"):
        _extractor("embedded_ssd_mobilenet_v1", pad_to_multiple=2)
    images = tf.placeholder(tf.float32, [1, None, None, 3])
    maps = _extractor("embedded_ssd_mobilenet_v1", depth_multiplier=0.1).extract_features(images)
    found = run(maps, {images: np.zeros([1, 256, 256, 3])})
    assert [one.shape[1:3] for one in found] == [(side, side) for side in (16, 8, 4, 2, 1)]
    with pytest.raises(tf.errors.InvalidArgumentError, match="256 x 256"):
        run(maps, {images: np.zeros([1, 128, 128, 3])})


def test_a_network_of_ones_own_below_mobilenet_v3():
    extractor = ssd_mobilenet_v3_feature_extractor.SSDMobileNetV3FeatureExtractorBase(
        mobilenet_v3.V3_SMALL_DETECTION,
        ("layer_4", "layer_13/expansion_output".partition("/")[0]),
        False, 1.0, 8, 1, _plain_scope, None, False, False, False, "Mine",
    )  # fmt: skip
    maps = extractor.extract_features(tf.zeros([1, 64, 64, 3]))
    assert _shapes(maps)[:2] == [(8, 8, 24), (2, 2, 288)]
    assert all(one.op.name.startswith("Mine/") for one in tf.global_variables())
    with pytest.raises(ValueError, match="two layers"):
        ssd_mobilenet_v3_feature_extractor.SSDMobileNetV3FeatureExtractorBase(
            mobilenet_v3.V3_SMALL_DETECTION, ("layer_4",), False, 1.0, 8, 1, _plain_scope
        )


def test_end_points_of_mobiledet():
    with tf.variable_scope("net"):
        ends = ssd_mobiledet_feature_extractor.mobiledet_dsp_backbone(tf.zeros([1, 64, 64, 3]), 0.5)
    assert {name: tuple(one.shape.as_list()[1:]) for name, one in ends.items()} == {
        "C1": (32, 32, 16),
        "C2": (16, 16, 16),
        "C3": (8, 8, 32),
        "C4": (4, 4, 72),
        "C5": (2, 2, 120),
    }
    # Every kernel decays: 4e-5 / 2 times the sum of its squares.
    kernels = [one for one in tf.trainable_variables() if one.op.name.endswith("weights")]
    assert len(tf.losses.get_regularization_losses()) == len(kernels)
    assert ssd_mobiledet_feature_extractor.BACKBONE_WEIGHT_DECAY == 4e-5


@pytest.mark.parametrize("error", [NotImplementedError, ValueError])
def test_mobiledet_does_not_pad_by_hand(error):
    with pytest.raises(error, match="use_explicit_padding"):
        _extractor("ssd_mobiledet_gpu", use_explicit_padding=True)


def test_mobiledet_takes_a_backbone():
    def backbone(h, multiplier=1.0):
        assert multiplier == 0.5
        coarse = slim.avg_pool2d(h, [16, 16], stride=16)
        return {"C4": coarse, "C5": slim.avg_pool2d(coarse, [2, 2], stride=2)}

    extractor = ssd_mobiledet_feature_extractor.SSDMobileDetFeatureExtractorBase(
        backbone, False, 0.5, 8, 1, _plain_scope
    )
    maps = extractor.extract_features(tf.zeros([1, 64, 64, 3]))
    assert _shapes(maps) == [
        (4, 4, 3),
        (2, 2, 3),
        (1, 1, 256),
        (1, 1, 128),
        (1, 1, 128),
        (1, 1, 64),
    ]
    assert all(one.op.name.startswith("MobileDet/") for one in tf.global_variables())


class _SmallResnet:
    """Stands for a residual network; records how it was called."""

    def __init__(self):
        self.settings = None

    def __call__(self, inputs, scope, **settings):
        self.settings = settings
        ends = {
            f"{scope.name}/block{block}": slim.avg_pool2d(inputs, [2**level] * 2, stride=2**level)
            for block, level in ((1, 2), (2, 3), (3, 4), (4, 5))
        }
        return ends[f"{scope.name}/block4"], ends


def test_a_network_of_ones_own_below_a_pyramid():
    network = _SmallResnet()
    extractor = ssd_resnet_v1_fpn_feature_extractor.SSDResnetV1FpnFeatureExtractor(
        False, 0.5, 8, 1, _plain_scope, network, "mine", "tower", 2, 6, 32
    )
    maps = extractor.extract_features(tf.zeros([1, 192, 192, 3]))
    assert _shapes(maps) == [(192 // stride, 192 // stride, 16) for stride in (4, 8, 16, 32, 64)]
    assert network.settings == {
        "num_classes": None,
        "is_training": None,
        "global_pool": False,
        "output_stride": None,
        "store_non_strided_activations": True,
        "min_base_depth": 8,
        "depth_multiplier": 0.5,
    }
    names = {one.op.name.split("/weights")[0] for one in tf.global_variables()}
    assert {"mine/tower/projection_4", "mine/tower/smoothing_1", "mine/tower/bottom_up_block5"} <= {
        name for name in names if "biases" not in name
    }


def test_a_network_of_ones_own_below_a_pooling_pyramid():
    extractor = ssd_resnet_v1_ppn_feature_extractor._SSDResnetPpnFeatureExtractor(
        False,
        1.0,
        8,
        1,
        _plain_scope,
        _SmallResnet(),
        "mine",
        base_feature_map_depth=7,
        num_layers=3,
    )
    maps = extractor.extract_features(tf.zeros([1, 192, 192, 3]))
    assert _shapes(maps) == [(12, 12, 7), (6, 6, 7), (3, 3, 7)]


@pytest.mark.parametrize("whole", [False, True])
def test_blocks_before_and_after_their_strides(whole):
    with slim.arg_scope(resnet_v1.resnet_arg_scope()):
        net, ends = resnet_v1.resnet_v1_50(
            tf.zeros([1, 129, 129, 3]),
            store_non_strided_activations=whole,
            depth_multiplier=0.125,
            scope="resnet",
        )
    blocks = resnet_v1.blocks_of(ends)
    sizes = (33, 17, 9, 5) if whole else (17, 9, 5, 5)
    assert [one.shape.as_list() for one in blocks.values()] == [
        [1, size, size, depth] for size, depth in zip(sizes, (32, 64, 128, 256), strict=True)
    ]
    assert net is blocks["block4"]
    with pytest.raises(ValueError, match="num_classes 10"):
        resnet_v1.resnet_v1_50(tf.zeros([1, 129, 129, 3]), num_classes=10)


def test_bounded_activations_of_residual_units(run):
    with slim.arg_scope(
        [slim.conv2d], weights_initializer=tf.ones_initializer(), activation_fn=None
    ):
        with tf.variable_scope("plain"):
            plain = resnet_v1.bottleneck(tf.fill([1, 1, 1, 4], 3.0), 1)
        with tf.variable_scope("bounded"):
            bounded = resnet_v1.bottleneck(tf.fill([1, 1, 1, 4], -3.0), 1, True)
        with tf.variable_scope("projected"):
            projected = resnet_v1.bottleneck(tf.fill([1, 1, 1, 4], 3.0), 2, True)
    # The shortcut is the input, the residual the sum of its four channels, cut at -6 if bounded.
    np.testing.assert_allclose(run(plain), np.full([1, 1, 1, 4], 3.0 + 12.0))
    np.testing.assert_allclose(run(bounded), np.zeros([1, 1, 1, 4]))
    # A shortcut of its own is relu6(12) = 6, the residual 48 cut to 6, their sum cut to 6.
    np.testing.assert_allclose(run(projected), np.full([1, 1, 1, 8], 6.0))


def test_merging_of_two_levels_by_hand(run):
    fine, coarse = tf.fill([1, 4, 4, 1], 1.0), tf.fill([1, 2, 2, 1], 10.0)
    head = {
        "feature_levels": [3, 4],
        "spec": [[Block((0, 1), 3, 1, 1), Block((0, 1), 4, 1, 2)]],
    }
    with (
        slim.arg_scope(
            [slim.conv2d, slim.separable_conv2d], weights_initializer=tf.ones_initializer()
        ),
        slim.arg_scope([batch_norm], is_training=False, epsilon=0.0),
    ):
        maps = run(mnasfpn([fine, coarse], head, output_channel=1))
    # At the fine level 1 + 10, cut at 6, and the fine map again; at the coarse one two channels.
    np.testing.assert_allclose(maps[0], np.full([1, 4, 4, 1], 6.0 + 1.0))
    np.testing.assert_allclose(maps[1], np.full([1, 2, 2, 1], 12.0 + 10.0))


def test_cells_that_change_the_depth_have_no_shortcut():
    maps = mnasfpn(
        [tf.zeros([1, side, side, 3]) for side in (16, 8, 4, 2)],
        MNASFPN_DEF,
        use_explicit_padding=True,
        use_native_resize_op=True,
        multiplier_func=lambda depth: depth // 4,
    )
    assert _shapes(maps) == [(side, side, 12) for side in (16, 8, 4, 2)]
    shapes = {one.op.name: one.shape.as_list() for one in tf.global_variables()}
    assert shapes["cell_0/block_3/SepConv/depthwise_weights"] == [5, 5, 32, 1]
    assert shapes["cell_3/block_4/input_1/Conv1x1/weights"] == [1, 1, 12, 24]


@pytest.mark.parametrize("is_training", [None, True, False])
def test_training_scope(is_training):
    scope = training_scope(0.5, is_training)
    settings = scope[slim.arg_scope_func_key(batch_norm)]
    expected = {"epsilon": 0.01, "decay": 0.99, "center": True, "scale": True}
    if is_training is not None:
        expected["is_training"] = is_training
    assert settings == expected


@pytest.mark.parametrize(
    "more",
    [{"fpn_max_level": 7}, {"fpn_min_level": 2}, {"data_format": "channels_first"}],
    ids=str,
)
def test_what_mnasfpn_refuses(more):
    with pytest.raises(ValueError, match="only"):
        _extractor("ssd_mobilenet_v2_mnasfpn", **more)


@pytest.mark.parametrize("name", ["spaghettinet_edgetpu_m", "spaghettinet_edgetpu_l", "carbonara"])
def test_architectures_that_cannot_be_built(name):
    with pytest.raises(ValueError, match="Available: spaghettinet_edgetpu_s"):
        lookup_spaghetti_arch(name)
    with pytest.raises(ValueError, match=name):
        _extractor("ssd_spaghettinet", spaghettinet_arch_name=name)


def test_nodes_have_the_size_of_their_level():
    nodes, outputs = lookup_spaghetti_arch("spaghettinet_edgetpu_s")
    built = SpaghettiNet(nodes, use_native_resize_op=True).apply(tf.zeros([1, 200, 136, 3]))
    assert set(built) == set(nodes)
    for name, spec in nodes.items():
        sides = [math.ceil(side / 2**spec.level) for side in (200, 136)]
        assert built[name].shape.as_list() == [1, *sides, spec.num_filters]
    assert outputs == ("c0n1", "c0n2", "c0n3", "c0n4", "c0n5")


def test_a_spaghetti_of_ones(run):
    nodes = {
        "stem": Stem(1, 1),
        "n": Node(1, 1, [Separable(1)], [Passthrough("stem"), Passthrough("stem")]),
    }
    network = SpaghettiNet(nodes, activation_fn=tf.nn.relu, normalization_fn=None)
    with slim.arg_scope(
        [slim.conv2d, slim.separable_conv2d], weights_initializer=tf.ones_initializer()
    ):
        built = run(network.apply(tf.ones([1, 2, 2, 3]), scope="mine"))
    # Three channels sum to 3, twice is 6; the layer adds what it gives to what it takes.
    np.testing.assert_allclose(built["stem"], [[[[3.0]]]])
    np.testing.assert_allclose(built["n"], [[[[12.0]]]])
    assert {one.op.name.split("/")[1] for one in tf.global_variables()} == {"stem_node", "n_0"}
