import numpy as np
import pytest
import tensorflow.compat.v1 as tf
from google.protobuf import text_format

from object_detection.builders import center_net_params, keypoint_loss_builder
from object_detection.core.keypoint_loss import KeypointErrors
from object_detection.core.keypoint_visibility import VisibilityTargets
from object_detection.errors import ConfigError
from object_detection.protos import center_net_pb2, losses_pb2, string_int_label_map_pb2


def _build(text, num_keypoints=2):
    loss = text_format.Parse(f"keypoint_loss {{ {text} }}", losses_pb2.Loss())
    return keypoint_loss_builder.build(loss, num_keypoints)


# One object of 20 x 5 pixels, two keypoints.
ERRORS = KeypointErrors(
    codes=[[[[0.5, 0.0], [0.0, -3.0]]]],
    pixels=[[[[0.3, 0.4], [0.0, 2.0]]]],
    areas=[[100.0]],
    weights=[[[1.0, 1.0]]],
    occluded=[[[True, False]]],
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("", (0.125 + 2.5) / 2, id="huber by default"),
        pytest.param("huber {}", (0.125 + 2.5) / 2, id="huber"),
        pytest.param("huber { delta: 0.5 }", (0.125 + 1.375) / 2, id="huber with delta"),
        pytest.param("l1 {}", 3.5 / 2, id="l1"),
        pytest.param("wing {}", (np.log(3.5) + 2 + np.log(6)) / 2, id="wing"),
        pytest.param(
            "wing { width: 4 curvature: 1 }", (4 * np.log(1.5) + 4 * np.log(4)) / 2, id="wing set"
        ),
        # 2 * area * (2 sigma)^2 = 0.5 with COCO's sigma of an eye.
        pytest.param("oks {}", (1 - np.exp(-0.5) + 1 - np.exp(-8)) / 2, id="oks"),
        pytest.param(
            "oks { sigmas: [0.05, 0.1] }", (1 - np.exp(-1 / 8) + 1 - np.exp(-0.5)) / 2, id="sigmas"
        ),
        pytest.param("l1 {} weight: 4", 3.5 * 2, id="weight"),
        pytest.param("l1 {} per_keypoint_weights: [0, 0.5]", 1.5 / 2, id="weights of keypoints"),
        pytest.param("l1 {} occluded_weight: 0.5", (0.25 + 3) / 1.5, id="weight of occluded ones"),
        pytest.param("l1 {} occluded_weight: 0", 3.0, id="occluded ones do not count"),
        pytest.param("l1 {} visibility {}", 3.5 / 2, id="visibility is another loss"),
    ],
)
def test_kinds_and_their_defaults(text, expected, run):
    errors = KeypointErrors(*(tf.constant(one) for one in ERRORS))
    np.testing.assert_allclose(run(_build(text)(errors)), expected, rtol=1e-5)


def test_without_the_message_there_is_no_loss():
    assert keypoint_loss_builder.build(losses_pb2.Loss(), 5) is None
    assert keypoint_loss_builder.build(losses_pb2.Loss(), 0) is None


def test_every_kind_of_the_message_has_a_builder():
    kinds = losses_pb2.KeypointLoss.DESCRIPTOR.oneofs_by_name["kind"].fields
    assert {kind.name for kind in kinds} == set(keypoint_loss_builder.KEYPOINT_LOSSES)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("weight: 0", r"keypoint_loss\.weight: is 0"),
        ("weight: -1", r"keypoint_loss\.weight: is -1"),
        ("weight: nan", r"keypoint_loss\.weight: is nan"),
        ("weight: inf", r"keypoint_loss\.weight: is inf"),
        ("huber { delta: 0 }", r"keypoint_loss\.huber\.delta: is 0"),
        ("wing { width: 0 }", r"keypoint_loss\.wing\.width: is 0"),
        ("wing { curvature: -2 }", r"keypoint_loss\.wing\.curvature: is -2"),
        ("per_keypoint_weights: 1", r"per_keypoint_weights: has 1 numbers, .* is 2"),
        ("per_keypoint_weights: [1, 1, 1]", r"per_keypoint_weights: has 3 numbers"),
        ("per_keypoint_weights: [1, -1]", r"per_keypoint_weights: \[1.0, -1.0\] should be"),
        ("per_keypoint_weights: [1, nan]", r"per_keypoint_weights: .* should be"),
        ("per_keypoint_weights: [0, 0]", r"per_keypoint_weights: .* not all 0"),
        ("oks { sigmas: 0.1 }", r"oks\.sigmas: has 1 numbers, .* is 2"),
        ("oks { sigmas: [0.1, 0] }", r"oks\.sigmas: \[0.1, 0\] should be"),
        ("occluded_weight: -1", r"keypoint_loss\.occluded_weight: is -1, must be 0 or more"),
        ("occluded_weight: nan", r"keypoint_loss\.occluded_weight: is nan"),
        ("visibility { weight: 0 }", r"keypoint_loss\.visibility\.weight: is 0"),
        ("oks { sigmas: [0.1, 1] }", r"oks\.sigmas: \[0.1, 1\] should be"),
    ],
)
def test_what_cannot_be_used_is_named(text, words):
    with pytest.raises(ConfigError, match=words):
        _build(text)


def test_codes_without_keypoints():
    with pytest.raises(ConfigError, match=r"keypoint_loss: needs .*keypoint_box_coder"):
        _build("", num_keypoints=0)


def test_all_problems_come_together():
    with pytest.raises(ConfigError) as caught:
        _build("weight: 0 per_keypoint_weights: 1")
    assert "weight: is 0" in str(caught.value)
    assert "has 1 numbers" in str(caught.value)


def test_a_message_of_another_kind():
    with pytest.raises(ConfigError, match="Loss message"):
        keypoint_loss_builder.build(losses_pb2.KeypointLoss(), 2)


def test_other_models_refuse_it():
    config = text_format.Parse(
        "keypoint_class_name: 'a' loss { keypoint_loss {} }",
        center_net_pb2.CenterNet.KeypointEstimation(),
    )
    item = string_int_label_map_pb2.StringIntLabelMapItem(id=1, name="a")
    with pytest.raises(ConfigError, match=r"loss\.keypoint_loss"):
        center_net_params.keypoint_proto_to_params(config, {"a": item})


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("", None, id="no message"),
        pytest.param("keypoint_loss {}", None, id="no visibility"),
        pytest.param("keypoint_loss { visibility {} }", np.log(2), id="weight 1"),
        pytest.param("keypoint_loss { visibility { weight: 3 } }", 3 * np.log(2), id="weight 3"),
    ],
)
def test_loss_of_visibility(text, expected, run):
    loss = keypoint_loss_builder.build_visibility(text_format.Parse(text, losses_pb2.Loss()))
    if expected is None:
        assert loss is None
    else:
        targets = VisibilityTargets(tf.ones([1, 2]), tf.ones([1]))
        np.testing.assert_allclose(run(loss(tf.zeros([1, 2]), targets)), expected, rtol=1e-6)
