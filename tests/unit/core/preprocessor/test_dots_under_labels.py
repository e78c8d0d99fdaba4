"""Draws a dot of its own colour at each keypoint; after any step the dot is still at its label.

The dots are the truth: they are pixels, which know nothing of labels. Each is found again by its
colour, and the middle of its pixels is compared with the keypoint. Boxes have a truth of the same
kind: the ellipse in each box is filled with a grey of its own, and what is left of it should touch
the box that is left, or lie in it.
"""

import numpy as np
import pytest
import tensorflow.compat.v1 as tf
from google.protobuf import text_format

from object_detection import inputs
from object_detection.builders import preprocessor_builder
from object_detection.core import randomness
from object_detection.core import standard_fields as fields
from object_detection.protos import preprocessor_pb2

Inputs = fields.InputDataFields
HEIGHT, WIDTH, RADIUS = 240, 320, 5
# Far from each other and from the greys, so that no edge between two of them looks like a third.
COLORS = np.array(
    [
        [[255, 0, 0], [0, 255, 0], [0, 0, 255]],
        [[255, 255, 0], [255, 0, 255], [0, 255, 255]],
    ]
)
GREYS = (60, 200)
BOXES = np.array([[20, 30, 120, 150], [110, 170, 220, 290]])
POINTS = np.array(
    [[[50, 60], [50, 120], [95, 90]], [[140.5, 200], [150, 255.5], [195, 230]]], np.float64
)
SWAPPED = [1, 0, 2]

FLIPPED = "keypoint_flip_permutation: [1, 0, 2] probability: 1"
STEPS = {
    "nothing": "random_rotation { probability: 0 }",
    "horizontal flip": f"random_horizontal_flip {{ {FLIPPED} }}",
    "vertical flip": f"random_vertical_flip {{ {FLIPPED} }}",
    "quarter turn": "random_rotation90 { probability: 1 }",
    "rotation": "random_rotation { min_angle: -40 max_angle: 40 }",
    "any rotation": "random_rotation { min_angle: -180 max_angle: 180 }",
    "rotation, frame turns along": "random_rotation { min_angle: -180 max_angle: 180 expand: true }",
    "rotation by 90": "random_rotation { min_angle: 90 max_angle: 90 }",
    "image scale": "random_image_scale { min_scale_ratio: 0.7 max_scale_ratio: 1.6 }",
    "crop": "random_crop_image { min_object_covered: 0.6 }",
    "crop to ratio": "random_crop_to_aspect_ratio { aspect_ratio: 0.9 }",
    "pad": "random_pad_image {}",
    "absolute pad": "random_absolute_pad_image { max_height_padding: 60 max_width_padding: 50 }",
    "crop and pad": "random_crop_pad_image { min_object_covered: 0.6 }",
    "ssd crop": "ssd_random_crop {}",
    "ssd crop, ratio": "ssd_random_crop_fixed_aspect_ratio {}",
    "ssd crop and pad": "ssd_random_crop_pad {}",
    "ssd crop and pad, ratio": "ssd_random_crop_pad_fixed_aspect_ratio {}",
    "concat": "random_self_concat_image { concat_vertical_probability: 0.6 "
    "concat_horizontal_probability: 0.6 }",
    "square by longer side": "random_square_crop_by_scale { max_border: 60 }",
    "scale to square": "random_scale_crop_and_pad_to_square { output_size: 300 scale_min: 0.7 "
    "scale_max: 1.6 }",
    "square": "random_square_crop {}",
    "square of one size": "random_square_crop { factor: 0.8 }",
    "downscale": "random_downscale_to_target_pixels { min_target_pixels: 40000 max_target_pixels: 70000 }",
    "resize": "resize_image { new_height: 300 new_width: 300 }",
    "resize by any method": "random_resize_method { target_height: 200 target_width: 350 }",
    "learned policy": 'autoaugment_image { policy_name: "v0" }',
}
# Steps of one part each; what else they change is colour, which this test looks at.
MIRRORED = {"horizontal flip", "vertical flip"}
# Steps that cut first, and then pad: a dot may be cut far from the frame's edge.
CUT_WITHIN = {"crop and pad", "ssd crop and pad", "ssd crop and pad, ratio"}
# Steps of the preprocessor that move no pixel.
NOT_GEOMETRIC = {
    "normalize_image", "random_pixel_value_scale", "random_rgb_to_gray", "random_adjust_brightness",
    "random_adjust_contrast", "random_adjust_hue", "random_adjust_saturation",
    "random_distort_color", "random_jitter_boxes", "random_black_patches",
    "scale_boxes_to_pixel_coordinates", "subtract_channel_mean", "rgb_to_gray",
    "convert_class_logits_to_softmax", "drop_label_probabilistically", "remap_labels",
    "random_jpeg_quality", "random_patch_gaussian", "adjust_gamma",
}  # fmt: skip
# Of its own: tests/unit/inputs/test_mosaic.py.
OF_SEVERAL_SAMPLES = {"mosaic"}


def drawn():
    """[H, W, 3] float32: two ellipses with three dots each."""
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH] + 0.5
    image = np.full([HEIGHT, WIDTH, 3], 130.0, np.float32)
    for box, grey in zip(BOXES, GREYS, strict=True):
        middle, half = (box[:2] + box[2:]) / 2, (box[2:] - box[:2]) / 2
        image[((y - middle[0]) / half[0]) ** 2 + ((x - middle[1]) / half[1]) ** 2 <= 1] = grey
    for points, colors in zip(POINTS, COLORS, strict=True):
        for point, color in zip(points, colors, strict=True):
            image[(y - point[0]) ** 2 + (x - point[1]) ** 2 <= RADIUS**2] = color
    return image


def sample():
    size = np.array([HEIGHT, WIDTH])
    return {
        Inputs.image: tf.constant(drawn()),
        Inputs.groundtruth_boxes: tf.constant(BOXES / np.tile(size, 2), tf.float32),
        Inputs.groundtruth_classes: tf.constant([1, 2], tf.int64),
        Inputs.groundtruth_weights: tf.ones([2]),
        Inputs.groundtruth_keypoints: tf.constant(POINTS / size, tf.float32),
        Inputs.groundtruth_keypoint_visibilities: tf.ones([2, 3], tf.bool),
        Inputs.groundtruth_keypoint_flags: tf.constant([[0, 1, 2], [2, 1, 0]]),
    }


def distance_to_dot(image, color, point, reach=3 * RADIUS):
    """From a place to the middle of the dot of a colour near it, and the dot's sides, in pixels.

    Args:
        image: [H, W, 3].
        color: [3].
        point: (y, x) in pixels.
        reach: how far from the place is near.

    Returns:
        The distance, infinite without a dot, and height and width.
    """
    y, x = np.mgrid[0 : image.shape[0], 0 : image.shape[1]] + 0.5
    found = np.abs(image - color).max(axis=-1) < 90
    found &= (np.abs(y - point[0]) < reach) & (np.abs(x - point[1]) < reach)
    if not found.any():
        return np.inf, (0, 0)
    distance = float(np.hypot(y[found].mean() - point[0], x[found].mean() - point[1]))
    return distance, (np.ptp(y[found]), np.ptp(x[found]))


def check(after, mirrored=False, cut_within=False):
    """Compares labels with dots; returns how many were looked at."""
    image = after[Inputs.image]
    size = np.array(image.shape[:2])
    looked = 0
    rows = zip(
        after[Inputs.groundtruth_classes],
        after[Inputs.groundtruth_keypoints],
        after[Inputs.groundtruth_keypoint_visibilities],
        after[Inputs.groundtruth_keypoint_flags],
        strict=True,
    )
    for number, points, visible, flags in rows:
        order = SWAPPED if mirrored else [0, 1, 2]
        np.testing.assert_array_equal(flags, np.array([[0, 1, 2], [2, 1, 0]])[number - 1][order])
        for point, shown, color in zip(points, visible, COLORS[number - 1][order], strict=True):
            assert shown == (not np.isnan(point).any())
            # A dot that the frame cuts has its middle elsewhere.
            if shown and (np.minimum(point, 1 - point) * size > 2 * RADIUS).all():
                distance, sides = distance_to_dot(image, color, point * size)
                if not cut_within or sides[0] == sides[1]:
                    assert distance < 1, (number, color)
                    looked += 1
    return looked


@pytest.fixture(scope="module")
def augmented():
    """Name of a step -> pictures and labels after it, six draws."""
    with tf.Graph().as_default():
        number = tf.placeholder(tf.int64, [])
        tensors = {}
        for index, (name, text) in enumerate(STEPS.items()):
            message = text_format.Parse(text, preprocessor_pb2.PreprocessingStep())
            with randomness.keyed(randomness.key(3, index, number)):
                tensors[name] = inputs.augment_input_data(
                    sample(), [preprocessor_builder.build(message)]
                )
        with tf.Session() as session:
            return {
                name: [session.run(of_step, {number: draw}) for draw in range(6)]
                for name, of_step in tensors.items()
            }


@pytest.mark.parametrize("name", sorted(set(STEPS) - {"learned policy"}))
def test_dots_are_at_their_labels(name, augmented):
    looked = [check(after, name in MIRRORED, name in CUT_WITHIN) for after in augmented[name]]
    assert sum(looked) >= 9, looked


def test_dots_of_a_learned_policy(augmented):
    # Its changes of colour hide dots; those that are seen are where they should be.
    distances = []
    for after in augmented["learned policy"]:
        size = np.array(after[Inputs.image].shape[:2])
        points = after[Inputs.groundtruth_keypoints].reshape(-1, 2)
        for point, color in zip(points, COLORS.reshape(-1, 3), strict=True):
            if (np.minimum(point, 1 - point) * size > 2 * RADIUS).all():
                distances.append(distance_to_dot(after[Inputs.image], color, point * size)[0])
    seen = [distance for distance in distances if np.isfinite(distance)]
    assert len(seen) >= 9
    assert max(seen) < 1


def _left_of(image, box, grey):
    """Sides of what is left of an ellipse [4], in pixels; None if that is little."""
    found = np.abs(image - grey).max(axis=-1) < 12
    y, x = np.nonzero(found)
    margin = 6  # of a neighbour's or a copy's pixels, which are further away
    near = (y >= box[0] - margin) & (y < box[2] + margin)
    near &= (x >= box[1] - margin) & (x < box[3] + margin)
    if near.sum() < 200:
        return None
    y, x = y[near], x[near]
    return np.array([y.min(), x.min(), y.max() + 1, x.max() + 1])


@pytest.mark.parametrize(
    "name",
    [
        "horizontal flip", "vertical flip", "quarter turn", "rotation", "any rotation",
        "rotation, frame turns along", "pad", "absolute pad", "concat",
    ],
)  # fmt: skip
def test_boxes_are_those_of_their_ellipses(name, augmented):
    compared = 0
    for after in augmented[name]:
        image = after[Inputs.image]
        size = np.tile(np.array(image.shape[:2]), 2)
        boxes = after[Inputs.groundtruth_boxes] * size
        for number, box in zip(after[Inputs.groundtruth_classes], boxes, strict=True):
            # A box that the frame cuts holds less of its ellipse than the box's corner.
            if (box[:2] < 2).any() or (box[2:] > size[:2] - 2).any():
                continue
            sides = _left_of(image, box, GREYS[number - 1])
            # A pixel at the ellipse's tip is less than half covered, and so may be missing.
            assert np.abs(sides - box).max() < 2.5
            compared += 1
    assert compared >= 3


def test_every_geometric_step_is_here():
    oneof = preprocessor_pb2.PreprocessingStep.DESCRIPTOR.oneofs_by_name["preprocessing_step"]
    known = {field.name for field in oneof.fields}
    tested = {text.split(" ")[0] for text in STEPS.values()}
    assert known == tested | NOT_GEOMETRIC | OF_SEVERAL_SAMPLES
    assert not tested & NOT_GEOMETRIC
