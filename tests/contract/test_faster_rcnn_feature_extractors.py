"""Every feature extractor of two-stage detectors: sizes, variables of the bare backbone, refusals."""

import numpy as np
import pytest
import tensorflow.compat.v1 as tf
import tf_slim as slim
from tf_slim.nets import inception_v2

from object_detection.builders import model_builder
from object_detection.core.batch_norm import batch_norm
from object_detection.models.backbones import mobilenet_v1, resnet_v1
from object_detection.models.faster_rcnn_mobilenet_v1_feature_extractor import (
    FasterRCNNMobilenetV1FeatureExtractor,
)
from object_detection.models.faster_rcnn_resnet_v1_feature_extractor import (
    FasterRCNNResnet50FeatureExtractor,
    FasterRCNNResnetV1FeatureExtractor,
)

EXTRACTORS = model_builder.FASTER_RCNN_FEATURE_EXTRACTOR_CLASS_MAP
# Name in the config -> scope of the backbone, channels of the features, and a crop and its result.
CASES = {
    "faster_rcnn_inception_resnet_v2": ("InceptionResnetV2", 1088, (17, 8), 1536),
    "faster_rcnn_inception_v2": ("InceptionV2", 576, (14, 7), 1024),
    "faster_rcnn_mobilenet_v1": ("MobilenetV1", 512, (14, 7), 1024),
    "faster_rcnn_resnet50": ("resnet_v1_50", 1024, (7, 7), 2048),
    "faster_rcnn_resnet101": ("resnet_v1_101", 1024, (7, 7), 2048),
    "faster_rcnn_resnet152": ("resnet_v1_152", 1024, (7, 7), 2048),
}
SCOPES = ("First", "Second")
# The networks of one family differ in depth only.
SHALLOW = [
    "faster_rcnn_inception_v2",
    "faster_rcnn_mobilenet_v1",
    "faster_rcnn_resnet50",
]


def test_every_extractor_has_a_case():
    assert set(CASES) == set(EXTRACTORS)


def _extractor(name, **more):
    settings = {"is_training": False, "first_stage_features_stride": 16} | more
    return EXTRACTORS[name](**settings)


def _both(extractor, images, crops):
    features, end_points = extractor.extract_proposal_features(images, scope=SCOPES[0])
    return features, extractor.extract_box_classifier_features(crops, scope=SCOPES[1]), end_points


@pytest.mark.parametrize("name", sorted(CASES))
def test_shapes_known_beforehand(name):
    scope, channels, (before, after), depth = CASES[name]
    features, regions, end_points = _both(
        _extractor(name), tf.zeros([1, 224, 112, 3]), tf.zeros([3, before, before, channels])
    )
    assert features.shape.as_list() == [1, 14, 7, channels]
    assert regions.shape.as_list() == [3, after, after, depth]
    assert end_points
    names = [variable.op.name for variable in tf.global_variables()]
    assert len(set(names)) == len(names)
    assert all(one.startswith((f"First/{scope}/", f"Second/{scope}/")) for one in names)
    assert not tf.get_collection(tf.GraphKeys.UPDATE_OPS)


@pytest.mark.parametrize("name", SHALLOW)
def test_pictures_of_any_size(name, run):
    _, channels, (before, after), depth = CASES[name]
    images = tf.placeholder(tf.float32, [None, None, None, 3])
    crops = tf.placeholder(tf.float32, [None, before, before, channels])
    extractor = _extractor(name)
    features, regions, _ = _both(extractor, extractor.preprocess(images), crops)
    feed = {images: np.full([2, 65, 40, 3], 100.0), crops: np.zeros([3, before, before, channels])}
    found = run([features, regions], feed)
    assert found[0].shape == (2, 5, 3, channels)
    assert found[1].shape == (3, after, after, depth)
    assert np.isfinite(found[0]).all()
    with pytest.raises(tf.errors.InvalidArgumentError, match="33"):
        run(features, feed | {images: np.zeros([1, 32, 40, 3])})


@pytest.mark.parametrize("name", SHALLOW)
@pytest.mark.parametrize("trainable", [True, False], ids=["trained", "frozen"])
def test_batch_norm_is_trained_if_so_asked(name, trainable):
    extractor = _extractor(name, is_training=True, batch_norm_trainable=trainable)
    extractor.extract_proposal_features(tf.zeros([1, 64, 64, 3]), scope="First")
    assert bool(tf.get_collection(tf.GraphKeys.UPDATE_OPS)) == trainable


def test_weight_decay():
    extractor = _extractor("faster_rcnn_resnet50", weight_decay=0.1)
    extractor.extract_box_classifier_features(tf.zeros([1, 7, 7, 1024]), scope="Second")
    # Three units of three convolutions, and one shortcut.
    assert len(tf.get_collection(tf.GraphKeys.REGULARIZATION_LOSSES)) == 10


def _bare_backbone(name, images):
    """The network that classifies, as its own module builds it."""
    if name.startswith("faster_rcnn_resnet"):
        with slim.arg_scope(resnet_v1.resnet_arg_scope()):
            getattr(resnet_v1, f"resnet_v1_{name.removeprefix('faster_rcnn_resnet')}")(images)
    elif name == "faster_rcnn_mobilenet_v1":
        with slim.arg_scope(mobilenet_v1.mobilenet_v1_arg_scope()):
            mobilenet_v1.mobilenet_v1_base(images)
    else:
        with (
            slim.arg_scope([batch_norm], scale=True),
            slim.arg_scope([slim.conv2d, slim.separable_conv2d], normalizer_fn=batch_norm),
        ):
            inception_v2.inception_v2_base(images)


def _shapes(variables):
    return {name: tuple(variable.shape.as_list()) for name, variable in variables.items()}


@pytest.mark.parametrize("name", SHALLOW)
def test_a_checkpoint_of_the_bare_backbone_goes_into_both_stages(name):
    _, channels, (before, _), _ = CASES[name]
    with tf.Graph().as_default():
        _bare_backbone(name, tf.zeros([1, 64, 64, 3]))
        bare = _shapes({variable.op.name: variable for variable in tf.global_variables()})
    extractor = _extractor(name)
    _both(extractor, tf.zeros([1, 64, 64, 3]), tf.zeros([1, before, before, channels]))
    tf.get_variable("another", [])
    wanted = extractor.restore_from_classification_checkpoint_fn(*SCOPES)
    of_regions = [one for one in wanted.values() if one.op.name.startswith("Second/")]
    assert of_regions
    if name == "faster_rcnn_mobilenet_v1":
        # The two layers of regions are depthwise and pointwise in one; in the bare network in two.
        wanted = {one: var for one, var in wanted.items() if var not in of_regions}
        assert _shapes(wanted).items() <= bare.items()
    else:
        assert _shapes(wanted) == bare


def test_an_inception_resnet_has_the_published_size_and_names():
    """54,336,736 numbers without the classifier, as Keras's own table of applications says."""
    extractor = _extractor("faster_rcnn_inception_resnet_v2", first_stage_features_stride=8)
    features, _, _ = _both(extractor, tf.zeros([1, 64, 64, 3]), tf.zeros([1, 17, 17, 1088]))
    assert features.shape.as_list() == [1, 8, 8, 1088]
    wanted = extractor.restore_from_classification_checkpoint_fn(*SCOPES)
    assert sum(int(np.prod(variable.shape.as_list())) for variable in wanted.values()) == 54336736
    assert len(wanted) == len(tf.global_variables())
    for name, shape in (
        ("Conv2d_1a_3x3/weights", [3, 3, 3, 32]),
        ("Conv2d_1a_3x3/BatchNorm/beta", [32]),
        ("Mixed_5b/Branch_1/Conv2d_0b_5x5/weights", [5, 5, 48, 64]),
        ("Repeat/block35_10/Conv2d_1x1/biases", [320]),
        ("Mixed_6a/Branch_1/Conv2d_1a_3x3/weights", [3, 3, 256, 384]),
        ("Repeat_1/block17_20/Branch_1/Conv2d_0b_1x7/weights", [1, 7, 128, 160]),
        ("Mixed_7a/Branch_2/Conv2d_1a_3x3/weights", [3, 3, 288, 320]),
        ("Repeat_2/block8_9/Branch_1/Conv2d_0c_3x1/weights", [3, 1, 224, 256]),
        ("Block8/Conv2d_1x1/weights", [1, 1, 448, 2080]),
        ("Conv2d_7b_1x1/weights", [1, 1, 2080, 1536]),
    ):
        assert wanted[f"InceptionResnetV2/{name}"].shape.as_list() == shape, name


def test_stride_eight_of_a_resnet_is_made_by_dilation(run):
    """At every other pixel dilated kernels see what they would see after a stride."""
    layers = 50
    images = tf.random.uniform([1, 96, 96, 3], seed=3)
    finer, _, ends = _both(
        _extractor(f"faster_rcnn_resnet{layers}", first_stage_features_stride=8),
        images,
        tf.zeros([1, 7, 7, 1024]),
    )
    assert finer.shape.as_list() == [1, 12, 12, 1024]
    coarser, coarse_ends = _extractor(
        f"faster_rcnn_resnet{layers}", reuse_weights=True
    ).extract_proposal_features(images, scope="First")
    blocks, coarse_blocks = resnet_v1.blocks_of(ends), resnet_v1.blocks_of(coarse_ends)
    found = run(
        [
            finer[:, ::2, ::2],
            coarser,
            blocks["block1"],
            coarse_blocks["block1"],
            blocks["block2"][:, ::2, ::2],
            coarse_blocks["block2"],
        ]
    )
    for one, other in zip(found[::2], found[1::2], strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-3, atol=1e-3 * np.abs(other).max())


def test_the_network_of_tf_slim_works_too(run):
    from tf_slim.nets import resnet_v1 as of_slim

    extractor = FasterRCNNResnetV1FeatureExtractor(
        "resnet_v1_50", of_slim.resnet_v1_50, False, first_stage_features_stride=16
    )
    images = tf.random.uniform([1, 64, 64, 3], seed=3)
    features, _ = extractor.extract_proposal_features(images, scope="First")
    own, _ = FasterRCNNResnet50FeatureExtractor(
        False, 16, reuse_weights=True
    ).extract_proposal_features(images, scope="First")
    features, own = run([features, own])
    np.testing.assert_allclose(features, own, rtol=1e-3, atol=1e-3 * np.abs(own).max())


def test_activations_of_a_resnet(run):
    extractor = _extractor("faster_rcnn_resnet50", activation_fn=tf.nn.relu6)
    extractor.extract_box_classifier_features(tf.zeros([1, 7, 7, 1024]), scope="Second")
    kinds = {operation.type for operation in tf.get_default_graph().get_operations()}
    assert "Relu6" in kinds


def test_a_mobilenet_without_its_last_stride():
    extractor = FasterRCNNMobilenetV1FeatureExtractor(
        False, 16, skip_last_stride=True, conv_depth_ratio_in_percentage=50
    )
    features, regions, _ = _both(extractor, tf.zeros([1, 224, 224, 3]), tf.zeros([2, 14, 14, 256]))
    assert features.shape.as_list() == [1, 14, 14, 256]
    assert regions.shape.as_list() == [2, 7, 7, 512]
    with pytest.raises(ValueError, match="25, 50, 75, 100"):
        FasterRCNNMobilenetV1FeatureExtractor(
            False, 16, skip_last_stride=True, conv_depth_ratio_in_percentage=60
        )


@pytest.mark.parametrize("name", sorted(CASES))
def test_refused(name):
    with pytest.raises(ValueError, match="first_stage_features_stride is 99"):
        _extractor(name, first_stage_features_stride=99)
    with pytest.raises(ValueError, match=r"\[B, H, W, 3\]"):
        _extractor(name).extract_proposal_features(tf.zeros([224, 224, 3]), scope="First")


@pytest.mark.parametrize("name", sorted(CASES))
def test_preprocess(name, run):
    found = run(_extractor(name).preprocess(tf.constant([[[[0.0, 127.5, 255.0]]]])))
    if "resnet" in name and "inception" not in name:
        np.testing.assert_allclose(found, [[[[-123.68, 10.721, 151.061]]]], rtol=1e-5)
    else:
        np.testing.assert_allclose(found, [[[[-1, 0, 1]]]], atol=1e-6)
