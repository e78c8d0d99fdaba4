"""Decoding for losses: pixels, and no overflow in value or gradient."""

import numpy as np
import pytest
import tensorflow.compat.v1 as tf

from object_detection.box_coders.faster_rcnn_box_coder import FasterRcnnBoxCoder
from object_detection.box_coders.keypoint_box_coder import KeypointBoxCoder
from object_detection.box_coders.square_box_coder import SquareBoxCoder
from object_detection.core.box_coder import bounded_boxes

ANCHOR = [0.25, 0.5, 0.75, 0.75]  # 50 x 50 pixels of 100 x 200
SIZE = [100, 200]


def _decode(run, coder, codes):
    codes = tf.constant([codes], tf.float32)
    anchors = tf.constant([ANCHOR] * codes.shape[1])
    boxes = bounded_boxes(codes, anchors, coder, tf.constant(SIZE))
    assert boxes.shape.as_list() == [1, codes.shape[1], 4]
    boxes, gradient = run([boxes, tf.gradients(tf.reduce_sum(boxes[..., 2:]), codes)[0]])
    return boxes[0], gradient[0]


@pytest.mark.parametrize(
    "coder",
    [FasterRcnnBoxCoder([2, 2, 1, 1]), KeypointBoxCoder(2, [2, 2, 1, 1])],
    ids=["box", "keypoints"],
)
def test_pixels_of_the_picture(coder, run):
    codes = np.zeros([2, coder.code_size])
    # Half an anchor down, twice as wide: 50 +- 25 + 25 and 125 +- 50.
    codes[1, :4] = [1, 0, 0, np.log(2)]
    boxes, gradient = _decode(run, coder, codes.tolist())
    np.testing.assert_allclose(boxes, [[25, 100, 75, 150], [50, 75, 100, 175]], rtol=1e-5)
    # Of ymax: half an anchor's 50 pixels a unit of y; half the height for each log.
    np.testing.assert_allclose(gradient[0, :4], [25, 25, 25, 25], rtol=1e-5)
    assert not gradient[:, 4:].any()


@pytest.mark.parametrize(
    "code",
    [
        pytest.param([0, 0, 500, 0], id="overflow"),
        pytest.param([0, 0, 500, 500], id="both"),
        pytest.param([1e30, 0, 0, 0], id="far"),
        pytest.param([1e30, -1e30, 500, -500], id="far and flat"),
        pytest.param([0, 0, 20, 0], id="beyond the bound"),
    ],
)
def test_too_large_codes_end_at_the_bound(code, run):
    boxes, gradient = _decode(run, FasterRcnnBoxCoder(), [code, [0, 0, 0, 0]])
    assert np.isfinite(boxes).all()
    assert np.abs(boxes / (SIZE * 2)).max() == 1e4
    assert not gradient[0].any()
    np.testing.assert_allclose(gradient[1], [50, 50, 25, 25], rtol=1e-5)


def test_a_flat_box_has_a_gradient(run):
    boxes, gradient = _decode(run, FasterRcnnBoxCoder(), [[0, 0, -500, -2]])
    np.testing.assert_allclose(boxes[0, [0, 2]], [50, 50])
    np.testing.assert_allclose(gradient[0], [50, 50, 0, 25 * np.exp(-2)], rtol=1e-5)


def test_nan_is_not_hidden(run):
    boxes, _ = _decode(run, FasterRcnnBoxCoder(), [[0, np.nan, 0, 0], [0, 0, 0, 0]])
    assert np.isnan(boxes[0, [1, 3]]).all()
    assert np.isfinite(boxes[1]).all()


def test_codes_of_three_numbers(run):
    boxes, gradient = _decode(run, SquareBoxCoder(), [[0, 0, 0], [0, 0, 900]])
    assert np.isfinite(boxes).all()
    assert gradient[0].all()
    assert not gradient[1].any()
