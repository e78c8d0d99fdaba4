"""Flips and turns that undo each other give labels and pixels back bit for bit.

Float32 has more numbers near 0 than near 1, so 1 - (1 - x) is not x for most small x; labels are
therefore on a grid (`geometry.on_grid`) from the first step on. The numbers here are any floats.
"""

import numpy as np
import pytest
import tensorflow.compat.v1 as tf

from object_detection.core import preprocessor
from object_detection.core import standard_fields as fields
from object_detection.keypoints import geometry

Inputs = fields.InputDataFields
LABELS = (
    Inputs.groundtruth_boxes,
    Inputs.groundtruth_keypoints,
    Inputs.groundtruth_keypoint_visibilities,
    Inputs.groundtruth_keypoint_flags,
    Inputs.groundtruth_instance_masks,
)
HEIGHT, WIDTH, COUNT = 12, 18, 400


def _numbers(shape):
    """Floats of all sizes: pixels by lengths, tiny ones, some beyond the picture."""
    rng = np.random.default_rng(5)
    pixels = rng.integers(0, 1000, shape) / rng.integers(1000, 1100, shape)
    tiny = np.exp(rng.uniform(-40, 0, shape))
    beyond = rng.uniform(-1.5, 2.5, shape)
    kind = rng.integers(0, 3, shape)
    return np.choose(kind, [pixels, tiny, beyond]).astype(np.float32)


def _sample(height=HEIGHT, width=WIDTH):
    rng = np.random.default_rng(6)
    corners = np.sort(_numbers([COUNT, 2, 2]), axis=1).reshape(COUNT, 4)
    points = _numbers([COUNT, 4, 2])
    points[rng.random([COUNT, 4]) < 0.2] = np.nan
    return {
        Inputs.image: tf.constant(rng.uniform(0, 255, [1, height, width, 3]), tf.float32),
        Inputs.groundtruth_boxes: tf.constant(corners),
        Inputs.groundtruth_classes: tf.constant(rng.integers(1, 5, COUNT)),
        Inputs.groundtruth_keypoints: tf.constant(points),
        Inputs.groundtruth_keypoint_visibilities: tf.constant(~np.isnan(points).any(-1)),
        Inputs.groundtruth_keypoint_flags: tf.constant(rng.integers(0, 3, [COUNT, 4]), tf.int32),
        Inputs.groundtruth_instance_masks: tf.constant(
            rng.integers(0, 2, [COUNT, height, width]), tf.uint8
        ),
    }


PERMUTED = {"keypoint_flip_permutation": (1, 0, 2, 3), "probability": 1.0}
FLIP = (preprocessor.random_horizontal_flip, PERMUTED)
FLIP_DOWN = (preprocessor.random_vertical_flip, PERMUTED)
TURN = (preprocessor.random_rotation90, {"probability": 1.0})


def rotation(angle, **settings):
    return (
        preprocessor.random_rotation,
        {"min_angle": angle, "max_angle": angle, "overlap_thresh": 0.0, **settings},
    )


def _bits(value):
    return value.tobytes(), value.shape, value.dtype


@pytest.mark.parametrize(
    "steps",
    [
        pytest.param([FLIP] * 2, id="horizontal flip twice"),
        pytest.param([FLIP_DOWN] * 2, id="vertical flip twice"),
        pytest.param([FLIP, FLIP_DOWN, FLIP, FLIP_DOWN], id="both flips, each twice"),
        pytest.param([FLIP] * 6, id="six flips"),
        pytest.param([TURN] * 4, id="four quarter turns"),
        pytest.param([rotation(0.0)], id="rotation by 0"),
        pytest.param([rotation(360.0)], id="rotation by 360"),
        pytest.param([rotation(-720.0)], id="rotation by -720"),
        pytest.param([rotation(180.0)] * 2, id="rotation by 180 twice"),
        pytest.param([rotation(90.0, expand=True)] * 4, id="rotation by 90 four times"),
        pytest.param([rotation(-90.0, expand=True)] * 4, id="rotation by -90 four times"),
        pytest.param([rotation(90.0, expand=True), rotation(-90.0, expand=True)], id="90, -90"),
        pytest.param([rotation(270.0, expand=True), TURN], id="270 and a quarter turn"),
    ],
)
def test_back_bit_for_bit(steps, run):
    before = preprocessor.preprocess(_sample(), [])
    after = preprocessor.preprocess(_sample(), steps)
    before, after = run([before, after])
    for key in (Inputs.image, Inputs.groundtruth_classes, *LABELS):
        assert _bits(after[key]) == _bits(before[key]), key


def test_a_square_picture_turns_in_its_own_frame(run):
    before = preprocessor.preprocess(_sample(15, 15), [])
    after = preprocessor.preprocess(_sample(15, 15), [rotation(90.0)] * 4)
    once = preprocessor.preprocess(_sample(15, 15), [rotation(90.0)])
    turned = preprocessor.preprocess(_sample(15, 15), [TURN])
    before, after, once, turned = run([before, after, once, turned])
    for key in (Inputs.image, *LABELS):
        assert _bits(after[key]) == _bits(before[key]), key
        assert _bits(once[key]) == _bits(turned[key]), key


def test_a_flip_after_any_other_step_is_undone(run):
    crop = (preprocessor.random_crop_to_aspect_ratio, {"aspect_ratio": 0.7, "center_crop": True})
    pad = (preprocessor.random_pad_to_aspect_ratio, {"max_padded_size_ratio": (1.0, 1.0)})
    steps = [crop, rotation(7.0), pad]
    once = preprocessor.preprocess(_sample(), steps)
    after = preprocessor.preprocess(_sample(), [*steps, FLIP, FLIP_DOWN, FLIP, FLIP_DOWN])
    once, after = run([once, after])
    assert len(once[Inputs.groundtruth_boxes]) > 50
    for key in (Inputs.image, *LABELS):
        assert _bits(after[key]) == _bits(once[key]), key


def test_the_grid_moves_labels_by_less_than_floats_of_that_size_are_apart(run):
    given = _numbers([100_000])
    rounded = run(geometry.on_grid(given))
    moved = np.abs(np.float64(rounded) - given)
    assert moved[given >= 0].max() == 2.0**-25
    assert moved[given < 0].max() == 2.0**-23
    assert (moved[given >= 0.5] == 0).all()
    # The truth in double precision: on the grid, 1 - x has no rounding.
    mirrored = np.float32(1) - rounded
    np.testing.assert_array_equal(np.float64(mirrored), 1 - np.float64(rounded))
    np.testing.assert_array_equal(np.float32(1) - mirrored, rounded)
    # And without the grid it has: else this test would show nothing.
    assert (np.float32(1) - (np.float32(1) - given) != given).mean() > 0.2


def test_the_grid_keeps_what_is_no_number(run):
    kept = run(geometry.on_grid(tf.constant([np.nan, np.inf, -np.inf, 0.0, 1.0])))
    np.testing.assert_array_equal(kept, [np.nan, np.inf, -np.inf, 0, 1])
    assert run(geometry.on_grid(tf.zeros([0, 4]))).shape == (0, 4)
