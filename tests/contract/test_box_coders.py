"""Every box coder: code size, round trip, finite gradients, and the degenerate boxes."""

import numpy as np
import pytest
import tensorflow.compat.v1 as tf
from google.protobuf import text_format

from object_detection.box_coders.faster_rcnn_box_coder import FasterRcnnBoxCoder
from object_detection.box_coders.keypoint_box_coder import KeypointBoxCoder
from object_detection.box_coders.mean_stddev_box_coder import MeanStddevBoxCoder
from object_detection.box_coders.square_box_coder import SquareBoxCoder
from object_detection.builders import box_coder_builder
from object_detection.core import box_coder
from object_detection.core import standard_fields as fields
from object_detection.core.box_list import BoxList
from object_detection.protos import box_coder_pb2

KEYPOINTS = fields.BoxListFields.keypoints

# Case of the config -> coder, code size, number of keypoints.
CASES = {
    "faster_rcnn_box_coder": (FasterRcnnBoxCoder([10.0, 10.0, 5.0, 5.0]), 4, 0),
    "mean_stddev_box_coder": (MeanStddevBoxCoder(0.1), 4, 0),
    "square_box_coder": (SquareBoxCoder([10.0, 10.0, 5.0]), 3, 0),
    "keypoint_box_coder": (KeypointBoxCoder(3, [10.0, 10.0, 5.0, 5.0]), 10, 3),
}


def _boxes(count, seed):
    random = np.random.RandomState(seed)
    corner = random.uniform(0, 0.6, [count, 2])
    return np.concatenate([corner, corner + random.uniform(0.1, 0.4, [count, 2])], 1).astype(
        np.float32
    )


def _for_coder(name, boxes):
    """Squares for the coder that knows nothing else."""
    if name == "square_box_coder":
        boxes = np.concatenate([boxes[:, :2], boxes[:, :2] + (boxes[:, 2:3] - boxes[:, :1])], 1)
    return boxes


def _boxlist(boxes, keypoints):
    boxlist = BoxList(tf.constant(boxes))
    if keypoints:
        points = np.random.RandomState(9).uniform(-0.1, 1.1, [len(boxes), keypoints, 2])
        boxlist.add_field(KEYPOINTS, tf.constant(points, tf.float32))
    return boxlist


def test_every_coder_has_a_case():
    assert set(CASES) == set(box_coder_builder.BOX_CODERS)


@pytest.mark.parametrize("name", CASES)
def test_decode_inverts_encode(name, run):
    coder, size, keypoints = CASES[name]
    boxes = _boxlist(_for_coder(name, _boxes(20, 1)), keypoints)
    anchors = BoxList(tf.constant(_boxes(20, 2)))
    codes = coder.encode(boxes, anchors)
    assert coder.code_size == size
    assert codes.shape.as_list() == [20, size]
    decoded = coder.decode(codes, anchors)
    ours, theirs = run([decoded.get(), boxes.get()])
    np.testing.assert_allclose(ours, theirs, atol=1e-5)
    if keypoints:
        ours, theirs = run([decoded.get_field(KEYPOINTS), boxes.get_field(KEYPOINTS)])
        np.testing.assert_allclose(ours, theirs, atol=1e-5)


@pytest.mark.parametrize("name", CASES)
def test_codes_of_the_anchor_itself_are_zero(name, run):
    coder, _, keypoints = CASES[name]
    anchors = _boxes(4, 3)
    boxes = BoxList(tf.constant(anchors))
    if keypoints:
        middle = (anchors[:, None, :2] + anchors[:, None, 2:]) / 2
        boxes.add_field(KEYPOINTS, tf.constant(np.repeat(middle, keypoints, axis=1)))
    codes = run(coder.encode(boxes, BoxList(tf.constant(anchors))))
    np.testing.assert_allclose(codes, np.zeros_like(codes), atol=1e-4)


@pytest.mark.parametrize("name", CASES)
def test_a_box_without_area_has_finite_codes(name, run):
    coder, _, keypoints = CASES[name]
    boxes = _boxlist(np.full([1, 4], 0.3, np.float32), keypoints)
    assert np.isfinite(run(coder.encode(boxes, BoxList(tf.constant(_boxes(1, 4)))))).all()


@pytest.mark.parametrize("name", CASES)
def test_gradients_of_decoding_are_finite(name, run):
    coder, size, _ = CASES[name]
    codes = tf.zeros([5, size])
    decoded = coder.decode(codes, BoxList(tf.constant(_boxes(5, 5))))
    (gradient,) = tf.gradients(tf.reduce_sum(decoded.get()), codes)
    assert np.isfinite(run(gradient)).all()


def test_codes_by_hand(run):
    # Anchor: centre (0.5, 0.5), size 0.2 x 0.4. Box: centre (0.6, 0.5), size 0.4 x 0.4.
    coder = KeypointBoxCoder(2, [10.0, 10.0, 5.0, 5.0])
    boxes = BoxList(tf.constant([[0.4, 0.3, 0.8, 0.7]]))
    boxes.add_field(KEYPOINTS, tf.constant([[[0.6, 0.5], [0.5, 0.7]]]))
    codes = run(coder.encode(boxes, BoxList(tf.constant([[0.4, 0.3, 0.6, 0.7]]))))
    expected = [10 * 0.1 / 0.2, 0, 5 * np.log(2), 0, 10 * 0.1 / 0.2, 0, 0, 10 * 0.2 / 0.4]
    np.testing.assert_allclose(codes, [expected], atol=1e-4)


def test_an_absent_keypoint_touches_only_its_own_code(run):
    nan = float("nan")
    coder = KeypointBoxCoder(2)
    boxes, anchors = BoxList(tf.constant(_boxes(1, 1))), BoxList(tf.constant(_boxes(1, 2)))
    boxes.add_field(KEYPOINTS, tf.constant([[[nan, nan], [0.5, 0.7]]]))
    codes = run(coder.encode(boxes, anchors))[0]
    assert np.isnan(codes).tolist() == [False] * 4 + [True] * 2 + [False] * 2


def test_keypoints_of_unknown_number(run):
    coder = KeypointBoxCoder(2)
    anchors = BoxList(tf.constant(_boxes(1, 2)))
    boxes = BoxList(tf.constant(_boxes(1, 1)))
    for count in (2, 3):
        points = np.zeros([1, count, 2], np.float32)
        boxes.add_field(KEYPOINTS, tf.placeholder_with_default(points, [None, None, 2]))
        codes = coder.encode(boxes, anchors)
        assert codes.shape.as_list() == [1, 8]
        if count == 2:
            assert run(codes).shape == (1, 8)
        else:
            with pytest.raises(tf.errors.InvalidArgumentError):
                run(codes)
    boxes.add_field(KEYPOINTS, tf.zeros([1, 3, 2]))
    with pytest.raises(ValueError, match="K=2"):
        coder.encode(boxes, anchors)


@pytest.mark.parametrize("factors", [[1.0, 1.0], [1.0, 1.0, 0.0, 1.0]], ids=["two", "a zero"])
def test_scale_factors_are_four_positive_numbers(factors):
    with pytest.raises(ValueError, match="scale_factors"):
        KeypointBoxCoder(2, factors)


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("known", [True, False], ids=["batch known", "batch open"])
def test_decoding_of_a_batch(name, known, run):
    coder, size, keypoints = CASES[name]
    boxes = [_boxlist(_for_coder(name, _boxes(6, seed)), keypoints) for seed in (1, 2)]
    anchors = BoxList(tf.constant(_boxes(6, 3)))
    codes = run(tf.stack([coder.encode(one, anchors) for one in boxes]))
    codes = tf.placeholder_with_default(codes, [2 if known else None, 6, size])
    decoded = box_coder.batch_decode(codes, coder, anchors)
    assert decoded.shape.as_list() == [2 if known else None, 6, 4]
    decoded, expected = run([decoded, [one.get() for one in boxes]])
    np.testing.assert_allclose(decoded, expected, atol=1e-5)


class _Doubling(box_coder.BoxCoder):
    """A user's coder, of lists: twice the boxes; keypoints are the corners."""

    def code_size(self):
        return 4

    def _encode(self, boxes, anchors):
        return 2.0 * boxes.get()

    def _decode(self, rel_codes, anchors):
        result = BoxList(rel_codes / 2.0)
        result.add_field(KEYPOINTS, tf.reshape(rel_codes / 2.0, [-1, 2, 2]))
        return result


def test_a_coder_of_lists(run):
    coder, anchors = _Doubling(), BoxList(tf.zeros([2, 4]))
    codes = np.arange(24, dtype=np.float32).reshape(3, 2, 4)
    decoded = box_coder.batch_decode(tf.constant(codes), coder, anchors)
    assert decoded.shape.as_list() == [3, 2, 4]
    boxes, keypoints = coder.decode_tensors(tf.constant(codes), anchors.get())
    encoded = coder.encode_tensors(boxes, anchors.get()[tf.newaxis], keypoints)
    decoded, keypoints, encoded = run([decoded, keypoints, encoded])
    np.testing.assert_allclose(decoded, codes / 2)
    np.testing.assert_allclose(keypoints, codes.reshape(3, 2, 2, 2) / 2)
    np.testing.assert_allclose(encoded, codes)


@pytest.mark.parametrize("shape", [[3, 1, 4], [2, 4]], ids=["one code too few", "no batch"])
def test_batches_that_do_not_fit(shape):
    with pytest.raises(ValueError, match="encoded_boxes"):
        box_coder.batch_decode(tf.zeros(shape), _Doubling(), BoxList(tf.zeros([2, 4])))


def test_defaults_of_the_config():
    config = text_format.Parse("keypoint_box_coder { num_keypoints: 7 }", box_coder_pb2.BoxCoder())
    assert box_coder_builder.build(config).code_size == 18
