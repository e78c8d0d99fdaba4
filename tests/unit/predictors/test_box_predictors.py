import numpy as np
import pytest
import tensorflow.compat.v1 as tf
import tf_slim as slim
from google.protobuf import text_format

from object_detection.builders import hyperparams_builder
from object_detection.predictors import convolutional_box_predictor as convolutional
from object_detection.predictors import mask_rcnn_box_predictor, rfcn_box_predictor
from object_detection.predictors.heads import (
    box_head,
    class_head,
    keypoint_visibility_head,
    mask_head,
)
from object_detection.protos import hyperparams_pb2

SHARED = "WeightSharedConvolutionalBoxPredictor"


def _hyperparams(more=""):
    text = f"initializer {{ truncated_normal_initializer {{}} }} activation: RELU_6 {more}"
    config = text_format.Parse(text, hyperparams_pb2.Hyperparams())
    return hyperparams_builder.build(config, is_training=True)


def _convolutional(other_heads=None, layers=1, min_depth=0, max_depth=32, **more):
    return convolutional.ConvolutionalBoxPredictor(
        is_training=False,
        num_classes=0,
        box_prediction_head=box_head.ConvolutionalBoxHead(False, 4, 1),
        class_prediction_head=class_head.ConvolutionalClassHead(False, 1, False, 0.8, 1),
        other_heads=other_heads or {},
        conv_hyperparams_fn=_hyperparams(),
        num_layers_before_predictor=layers,
        min_depth=min_depth,
        max_depth=max_depth,
        **more,
    )


def _shared(other_heads=None, hyperparams="", **more):
    settings = {"depth": 8, "num_layers_before_predictor": 1, **more}
    return convolutional.WeightSharedConvolutionalBoxPredictor(
        is_training=False,
        num_classes=2,
        box_prediction_head=box_head.WeightSharedConvolutionalBoxHead(
            4, use_depthwise=settings.get("use_depthwise", False)
        ),
        class_prediction_head=class_head.WeightSharedConvolutionalClassHead(
            3, use_depthwise=settings.get("use_depthwise", False)
        ),
        other_heads=other_heads or {},
        conv_hyperparams_fn=_hyperparams(hyperparams),
        **settings,
    )


def _names():
    return [variable.op.name for variable in tf.global_variables()]


def test_one_map_needs_no_scope_of_its_own():
    predictions = _convolutional().predict([tf.zeros([4, 8, 8, 64])], [5], scope="BoxPredictor")
    assert predictions["box_encodings"][0].shape.as_list() == [4, 320, 1, 4]
    assert predictions["class_predictions_with_background"][0].shape.as_list() == [4, 320, 1]
    assert _names() == [
        "BoxPredictor/Conv2d_0_1x1_32/weights",
        "BoxPredictor/Conv2d_0_1x1_32/biases",
        "BoxPredictor/BoxEncodingPredictor/weights",
        "BoxPredictor/BoxEncodingPredictor/biases",
        "BoxPredictor/ClassPredictor/weights",
        "BoxPredictor/ClassPredictor/biases",
    ]


def test_each_map_has_its_own_variables_and_other_heads_come_first():
    masks = mask_head.ConvolutionalMaskHead(False, 2, False, 1.0, 1, mask_height=3, mask_width=3)
    predictions = _convolutional({"mask_predictions": masks}, layers=0).predict(
        [tf.zeros([1, 2, 2, 4]), tf.zeros([1, 1, 1, 6])], [3, 1]
    )
    assert [one.shape.as_list() for one in predictions["mask_predictions"]] == [
        [1, 12, 2, 3, 3],
        [1, 1, 2, 3, 3],
    ]
    assert _names()[:4] == [
        "BoxPredictor_0/MaskPredictor/weights",
        "BoxPredictor_0/MaskPredictor/biases",
        "BoxPredictor_0/BoxEncodingPredictor/weights",
        "BoxPredictor_0/BoxEncodingPredictor/biases",
    ]
    assert sum(name.startswith("BoxPredictor_1/") for name in _names()) == 6


@pytest.mark.parametrize(
    ("channels", "min_depth", "max_depth", "depth"),
    [
        pytest.param(8, 0, 0, None, id="no layers"),
        pytest.param(8, 0, 32, 8, id="as the map"),
        pytest.param(64, 0, 32, 32, id="at most"),
        pytest.param(8, 16, 32, 16, id="at least"),
    ],
)
def test_depth_of_the_layers_before(channels, min_depth, max_depth, depth):
    predictor = _convolutional(min_depth=min_depth, max_depth=max_depth)
    predictor.predict([tf.zeros([1, 1, 1, channels])], [1])
    layers = {name.split("/")[0] for name in _names() if name.startswith("Conv2d")}
    assert layers == (set() if depth is None else {f"Conv2d_0_1x1_{depth}"})


def test_open_sizes(run):
    images = tf.placeholder(tf.float32, [4, None, None, 64])
    predictions = _convolutional().predict([images], [5])
    boxes = predictions["box_encodings"][0]
    assert boxes.shape.as_list() == [4, None, 1, 4]
    assert run(boxes, {images: np.zeros([4, 16, 16, 64])}).shape == (4, 1280, 1, 4)


def test_as_many_numbers_of_anchors_as_maps():
    for predictor in (_convolutional(), _shared()):
        with pytest.raises(ValueError, match="1 feature maps"):
            predictor.predict([tf.zeros([1, 1, 1, 8])], [1, 1])


TOWERS = ["BoxPredictionTower/conv2d_0", "ClassPredictionTower/conv2d_0"]


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        pytest.param(
            {},
            {f"{tower}/{part}" for tower in TOWERS for part in ("weights", "biases")},
            id="with biases",
        ),
        pytest.param(
            {"apply_batch_norm": True, "hyperparams": "batch_norm { train: true }"},
            {f"{tower}/weights" for tower in TOWERS}
            | {
                f"{tower}/BatchNorm/feature_{index}/{part}"
                for tower in TOWERS
                for index in range(2)
                for part in ("beta", "moving_mean", "moving_variance")
            },
            id="normalised",
        ),
        pytest.param(
            {"share_prediction_tower": True},
            {"PredictionTower/conv2d_0/weights", "PredictionTower/conv2d_0/biases"},
            id="one tower",
        ),
        pytest.param(
            {"use_depthwise": True},
            {
                f"{tower}/{part}"
                for tower in TOWERS
                for part in ("depthwise_weights", "pointwise_weights", "biases")
            },
            id="depthwise",
        ),
    ],
)
def test_variables_of_the_shared_predictor(more, expected):
    predictions = _shared(**more).predict([tf.zeros([2, 4, 4, 8]), tf.zeros([2, 2, 2, 8])], [3, 3])
    assert [one.shape.as_list() for one in predictions["box_encodings"]] == [[2, 48, 4], [2, 12, 4]]
    assert [one.shape.as_list() for one in predictions["class_predictions_with_background"]] == [
        [2, 48, 3],
        [2, 12, 3],
    ]
    heads = {"BoxPredictor", "ClassPredictor"}
    names = {name.removeprefix(f"{SHARED}/") for name in _names()}
    assert {name for name in names if name.split("/")[0] not in heads} == expected


def test_the_shared_predictor_gives_equal_maps_equal_predictions(run):
    features = tf.random_normal([1, 3, 3, 8], seed=1)
    predictions = _shared().predict([features, tf.identity(features)], [2, 2])
    for first, second in run(predictions).values():
        np.testing.assert_array_equal(first, second)


def test_maps_of_other_depths_are_projected_to_the_most_common_one():
    features = [tf.zeros([1, 4, 4, 8]), tf.zeros([1, 2, 2, 16]), tf.zeros([1, 1, 1, 16])]
    _shared(apply_batch_norm=True).predict(features, [1, 1, 1])
    shapes = {variable.op.name: variable.shape.as_list() for variable in tf.global_variables()}
    assert shapes[f"{SHARED}/ProjectionLayer/conv2d_0/weights"] == [1, 1, 8, 16]
    assert shapes[f"{SHARED}/ProjectionLayer/conv2d_2/weights"] == [1, 1, 16, 16]
    assert f"{SHARED}/ProjectionLayer/conv2d_1/BatchNorm/beta" in shapes
    assert f"{SHARED}/ProjectionLayer/conv2d_0/biases" not in shapes
    assert shapes[f"{SHARED}/BoxPredictionTower/conv2d_0/weights"] == [3, 3, 16, 8]


def test_other_heads_of_the_shared_predictor_have_towers():
    masks = mask_head.WeightSharedConvolutionalMaskHead(2, mask_height=3, mask_width=3)
    predictions = _shared({"mask_predictions": masks}).predict([tf.zeros([1, 2, 2, 8])], [1])
    assert predictions["mask_predictions"][0].shape.as_list() == [1, 4, 2, 3, 3]
    assert f"{SHARED}/mask_predictions_PredictionTower/conv2d_0/weights" in _names()


def test_the_shared_predictor_needs_equal_numbers_of_anchors():
    with pytest.raises(ValueError, match="same number of anchors"):
        _shared().predict([tf.zeros([1, 4, 4, 8]), tf.zeros([1, 2, 2, 8])], [3, 6])


@pytest.mark.parametrize("is_training", [False, True])
def test_heads_of_the_shared_predictor_drop_features_in_training_only(is_training, run):
    predictor = convolutional.WeightSharedConvolutionalBoxPredictor(
        is_training=is_training,
        num_classes=1,
        box_prediction_head=box_head.WeightSharedConvolutionalBoxHead(4, 1),
        class_prediction_head=class_head.WeightSharedConvolutionalClassHead(
            1, 1, use_dropout=True, dropout_keep_prob=0.5
        ),
        other_heads={},
        conv_hyperparams_fn=_hyperparams(),
        depth=1,
        num_layers_before_predictor=0,
    )
    predictions = predictor.predict([tf.ones([1, 16, 16, 1])], [1])
    logits = run(predictions["class_predictions_with_background"][0])
    assert len(np.unique(logits)) == (2 if is_training else 1)


def _plain_scope():
    with slim.arg_scope([]) as scope:
        return scope


def _mask_rcnn(heads=None):
    return mask_rcnn_box_predictor.MaskRCNNBoxPredictor(
        is_training=False,
        num_classes=5,
        box_prediction_head=box_head.MaskRCNNBoxHead(False, 5, _plain_scope, False, 0.5, 4),
        class_prediction_head=class_head.MaskRCNNClassHead(False, 6, _plain_scope, False, 0.5),
        third_stage_heads=heads or {},
    )


def test_stages_of_mask_rcnn():
    heads = {
        "mask_predictions": mask_head.MaskRCNNMaskHead(
            5, _plain_scope, mask_prediction_conv_depth=2
        ),
        "another": mask_head.MaskRCNNMaskHead(1, _plain_scope, mask_prediction_conv_depth=2),
    }
    predictor = _mask_rcnn(heads)
    assert predictor.num_classes == 5
    assert predictor.get_second_stage_prediction_heads() == (
        "box_encodings",
        "class_predictions_with_background",
    )
    assert predictor.get_third_stage_prediction_heads() == ["another", "mask_predictions"]
    features = [tf.zeros([2, 3, 3, 4])]
    second = predictor.predict(features, [1], scope="second")
    third = predictor.predict(features, [1], scope="third", prediction_stage=3)
    assert second["box_encodings"].shape.as_list() == [2, 1, 5, 4]
    assert second["class_predictions_with_background"].shape.as_list() == [2, 1, 6]
    assert {key: one.shape.as_list() for key, one in third.items()} == {
        "another": [2, 1, 1, 14, 14],
        "mask_predictions": [2, 1, 5, 14, 14],
    }


@pytest.mark.parametrize(
    ("anchors", "stage", "message"),
    [([2], 2, "once"), ([1], 1, "prediction_stage"), ([1], 4, "prediction_stage")],
)
def test_what_mask_rcnn_refuses(anchors, stage, message):
    with pytest.raises(ValueError, match=message):
        _mask_rcnn().predict([tf.zeros([2, 3, 3, 4])], anchors, prediction_stage=stage)


def _rfcn(bins=(2, 2), classes=2):
    def scope():
        with slim.arg_scope(
            [slim.conv2d], weights_initializer=tf.ones_initializer(), activation_fn=None
        ) as made:
            return made

    return rfcn_box_predictor.RfcnBoxPredictor(False, classes, scope, list(bins), 3, [4, 4], 4)


def test_rfcn_of_a_constant_map(run):
    predictor = _rfcn()
    predictions = predictor.predict(
        [tf.fill([4, 8, 8, 2], 0.5)],
        [1],
        proposal_boxes=tf.tile([[[0.0, 0, 1, 1], [0.25, 0.25, 0.5, 0.75]]], [4, 1, 1]),
    )
    boxes, classes = run(
        [
            predictions["box_encodings"],
            predictions["class_predictions_with_background"],
        ]
    )
    assert boxes[0].shape == (8, 1, 2, 4)
    assert classes[0].shape == (8, 1, 3)
    # 2 channels of 0.5, then 3 channels of their sum.
    np.testing.assert_allclose(boxes[0], 3.0)
    np.testing.assert_allclose(classes[0], 3.0)
    assert _names() == [
        f"{layer}/{part}"
        for layer in ("reduce_depth", "refine_locations", "predict_classes")
        for part in ("weights", "biases")
    ]


@pytest.mark.parametrize(
    ("maps", "anchors"), [(1, [2]), (2, [1, 1])], ids=["two a region", "two maps"]
)
def test_what_rfcn_refuses(maps, anchors):
    with pytest.raises(ValueError, match="rfcn_box_predictor takes one map"):
        _rfcn().predict(
            [tf.zeros([1, 8, 8, 2])] * maps, anchors, proposal_boxes=tf.zeros([1, 1, 4])
        )


def test_visibilities_come_last_and_each_map_has_its_own():
    predictor = _convolutional(
        layers=0,
        keypoint_visibility_head=keypoint_visibility_head.ConvolutionalKeypointVisibilityHead(5, 1),
    )
    predictions = predictor.predict([tf.zeros([1, 2, 2, 4]), tf.zeros([1, 1, 1, 6])], [3, 1])
    visibilities = predictions["keypoint_visibilities"]
    assert [one.shape.as_list() for one in visibilities] == [[1, 12, 5], [1, 1, 5]]
    assert [name.split("/", 1)[1] for name in _names() if name.startswith("BoxPredictor_1")] == [
        "BoxEncodingPredictor/weights",
        "BoxEncodingPredictor/biases",
        "ClassPredictor/weights",
        "ClassPredictor/biases",
        "KeypointVisibilityPredictor/weights",
        "KeypointVisibilityPredictor/biases",
    ]


@pytest.mark.parametrize("one_tower", [False, True])
def test_shared_visibilities_read_the_tower_of_the_boxes(one_tower, run):
    head = keypoint_visibility_head.WeightSharedConvolutionalKeypointVisibilityHead(5)
    predictor = _shared(keypoint_visibility_head=head, share_prediction_tower=one_tower)
    maps = [tf.random_normal([1, 4, 4, 8], seed=1), tf.random_normal([1, 2, 2, 8], seed=2)]
    visibilities = predictor.predict(maps, [3, 3])["keypoint_visibilities"]
    assert [one.shape.as_list() for one in visibilities] == [[1, 48, 5], [1, 12, 5]]
    own = [name for name in _names() if "Visibility" in name]
    assert own == [f"{SHARED}/KeypointVisibilityPredictor/{kind}" for kind in ("weights", "biases")]
    towers = {name.split("/")[1] for name in _names() if "Tower" in name}
    if one_tower:
        assert towers == {"PredictionTower"}
    else:
        assert towers == {"BoxPredictionTower", "ClassPredictionTower"}
    gradients = tf.gradients(tf.add_n([tf.reduce_sum(one) for one in visibilities]), maps)
    assert all(value.any() for value in run(gradients))
