"""After any augmentation, boxes and keypoints lie on the same spot of the scene as before.

The picture is a map: its red channel is y, its green channel is x. Whatever an augmentation does,
the colour under a keypoint tells where in the first picture it was. Each box has a weight of its
own, by which it is known again. Masks are the boxes' pixels; the surface coordinates of DensePose
are the place in the first picture.
"""

import numpy as np
import pytest
import tensorflow.compat.v1 as tf
from google.protobuf import text_format

from object_detection.builders import preprocessor_builder
from object_detection.core import preprocessor
from object_detection.core import standard_fields as fields
from object_detection.errors import ConfigError
from object_detection.protos import preprocessor_pb2

Inputs = fields.InputDataFields
NAN = float("nan")
HEIGHT, WIDTH = 120, 160

STEPS = {
    "flip": "random_horizontal_flip { keypoint_flip_permutation: [1, 0, 2] probability: 1 }",
    "flip down": "random_vertical_flip { keypoint_flip_permutation: [1, 0, 2] probability: 1 }",
    "turn": "random_rotation90 { probability: 1 }",
    "turn with other names": "random_rotation90 { probability: 1 keypoint_rot_permutation: [1, 0, 2] }",
    "downscale": "random_downscale_to_target_pixels { min_target_pixels: 5000 max_target_pixels: 9000 }",
    "drop a label": "drop_label_probabilistically { label: 2 drop_probability: 0.5 }",
    "crop": "random_crop_image { min_object_covered: 0.3 }",
    "crop to ratio": "random_crop_to_aspect_ratio { aspect_ratio: 0.8 }",
    "pad": "random_pad_image {}",
    "pad by pixels": "random_absolute_pad_image { max_height_padding: 9 max_width_padding: 30 }",
    "crop and pad": "random_crop_pad_image { min_object_covered: 0.3 }",
    "ssd crop": "ssd_random_crop {}",
    "ssd crop of one kind": "ssd_random_crop { operations { min_object_covered: 0.5 "
    "min_aspect_ratio: 0.5 max_aspect_ratio: 2 min_area: 0.1 max_area: 0.5 overlap_thresh: 0.5 } }",
    "ssd crop, fixed ratio": "ssd_random_crop_fixed_aspect_ratio { aspect_ratio: 1.2 }",
    "ssd crop and pad": "ssd_random_crop_pad {}",
    "ssd crop and pad, fixed ratio": "ssd_random_crop_pad_fixed_aspect_ratio {}",
    "scale": "random_image_scale {}",
    "concat": "random_self_concat_image { concat_vertical_probability: 0.5 "
    "concat_horizontal_probability: 0.5 }",
    "square": "random_square_crop_by_scale { max_border: 40 }",
    "rotation": "random_rotation { min_angle: -30 max_angle: 30 }",
    "any rotation": "random_rotation { min_angle: -400 max_angle: 400 box_shape: RECTANGLE }",
    "rotation in a larger frame": "random_rotation { min_angle: -180 max_angle: 180 expand: true }",
    "square of the shorter side": "random_square_crop {}",
    "one of three squares": "random_square_crop { factor: [0.45, 1, 1.8] probability: 0.8 "
    "pad_color: [0, 0, 0] }",
    "scale and square": "random_scale_crop_and_pad_to_square { output_size: 150 scale_min: 0.5 }",
}
MIRRORED = {"flip", "flip down", "turn with other names"}
# A surface has no mirror image of its own.
WITHOUT_SURFACE = {"flip", "flip down"}


# Fields whose number is that of the box.
FOLLOWING = (
    Inputs.groundtruth_instance_mask_weights,
    Inputs.groundtruth_confidences,
    Inputs.multiclass_scores,
    Inputs.groundtruth_area,
)
PER_BOX = (
    *FOLLOWING,
    Inputs.groundtruth_boxes,
    Inputs.groundtruth_classes,
    Inputs.groundtruth_weights,
    Inputs.groundtruth_keypoints,
    Inputs.groundtruth_keypoint_visibilities,
    Inputs.groundtruth_keypoint_depths,
    Inputs.groundtruth_instance_masks,
    Inputs.groundtruth_dp_num_points,
    Inputs.groundtruth_dp_part_ids,
    Inputs.groundtruth_dp_surface_coords,
)


def _step(text):
    return preprocessor_builder.build(text_format.Parse(text, preprocessor_pb2.PreprocessingStep()))


def _preprocess(sample, steps, **settings):
    """`preprocess` with one picture [H, W, C]."""
    sample = sample | {Inputs.image: sample[Inputs.image][tf.newaxis]}
    after = preprocessor.preprocess(sample, steps, **settings)
    assert after[Inputs.image].shape.rank == 4
    return after | {Inputs.image: tf.squeeze(after[Inputs.image], 0)}


def _sample(boxes=True, surface=True):
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH]
    image = np.stack([(y + 0.5) / HEIGHT, (x + 0.5) / WIDTH, np.ones([HEIGHT, WIDTH])], -1) * 255
    corners = np.array([[0.1, 0.1, 0.5, 0.4], [0.4, 0.5, 0.9, 0.9], [0.3, 0.3, 0.35, 0.34]])
    points = np.array(
        [
            [[0.2, 0.2], [0.2, 0.3], [0.4, 0.25]],
            [[0.5, 0.6], [NAN, NAN], [0.85, 0.7]],
            [[0.31, 0.31], [0.31, 0.33], [0.34, 0.32]],
        ]
    )
    rows = slice(None) if boxes else slice(0)
    visible = ~np.isnan(points).any(-1)
    inside = (y + 0.5)[None] / HEIGHT, (x + 0.5)[None] / WIDTH
    masks = np.ones([3, HEIGHT, WIDTH], bool)
    for axis in (0, 1):
        least, most = corners[:, axis, None, None], corners[:, axis + 2, None, None]
        masks &= (inside[axis] >= least) & (inside[axis] <= most)
    on_surface = np.where(visible[..., None], points, 0)
    densepose = {
        Inputs.groundtruth_dp_num_points: tf.constant(np.array([3, 1, 3])[rows], tf.int32),
        Inputs.groundtruth_dp_part_ids: tf.constant(np.arange(9).reshape(3, 3)[rows], tf.int32),
        Inputs.groundtruth_dp_surface_coords: tf.constant(
            np.concatenate([on_surface, on_surface], -1)[rows], tf.float32
        ),
    }
    return (densepose if surface else {}) | {
        Inputs.groundtruth_instance_masks: tf.constant(masks[rows], tf.float32),
        Inputs.groundtruth_instance_mask_weights: tf.constant(np.arange(3.0)[rows], tf.float32),
        Inputs.groundtruth_confidences: tf.constant(np.arange(3.0)[rows], tf.float32),
        Inputs.multiclass_scores: tf.constant(np.arange(3.0)[rows, None], tf.float32),
        Inputs.groundtruth_area: tf.constant(np.arange(3.0)[rows], tf.float32),
        # As from a record that lacks the field.
        Inputs.groundtruth_difficult: tf.zeros([0], tf.bool),
        Inputs.groundtruth_keypoint_depths: tf.constant(
            np.arange(9.0).reshape(3, 3)[rows], tf.float32
        ),
        Inputs.image: tf.constant(image, tf.float32),
        Inputs.groundtruth_boxes: tf.constant(corners[rows], tf.float32),
        Inputs.groundtruth_classes: tf.constant(np.array([1, 2, 3])[rows], tf.int64),
        Inputs.groundtruth_weights: tf.constant(np.array([0.1, 0.2, 0.3])[rows], tf.float32),
        Inputs.groundtruth_keypoints: tf.constant(points[rows], tf.float32),
        Inputs.groundtruth_keypoint_visibilities: tf.constant(visible[rows], tf.bool),
    }


def _colours_at(image, point):
    """[2, 3]: on the edge between two pixels, either of them is what is under the point."""
    size = np.array(image.shape[:2])
    pixels = [np.clip((point * size + shift).astype(int), 0, size - 1) for shift in (-0.01, 0.01)]
    return np.array([image[row, column] for row, column in pixels])


def _check(name, before, after):
    image = after[Inputs.image]
    known = {float(w): row for row, w in enumerate(before[Inputs.groundtruth_weights])}
    # One pixel of the smaller picture, on the scale of the map.
    tolerance = 2.5 / min(image.shape[0], image.shape[1], HEIGHT, WIDTH)
    seen = 0
    for row, weight in enumerate(after[Inputs.groundtruth_weights]):
        origin = known[float(weight)]
        assert after[Inputs.groundtruth_classes][row] == origin + 1
        for field in FOLLOWING:
            np.testing.assert_array_equal(after[field][row], origin)
        depths = 3 * origin + (np.array([1, 0, 2]) if name in MIRRORED else np.arange(3))
        np.testing.assert_array_equal(after[Inputs.groundtruth_keypoint_depths][row], depths)
        mask = after[Inputs.groundtruth_instance_masks][row]
        assert mask.shape == image.shape[:2]
        points = after[Inputs.groundtruth_keypoints][row]
        visible = after[Inputs.groundtruth_keypoint_visibilities][row]
        expected = before[Inputs.groundtruth_keypoints][origin]
        if name in MIRRORED:
            expected = expected[[1, 0, 2]]
        for point, shown, spot in zip(points, visible, expected, strict=True):
            assert shown == (not np.isnan(point).any())
            if np.isnan(spot).any():
                assert not shown
            if shown:
                assert (point >= 0).all()
                assert (point <= 1).all()
                colours = _colours_at(image, point)
                errors = np.abs(colours[:, :2] / 255 - spot).max(axis=1)
                assert errors[colours[:, 2] > 250].min() < tolerance
                # Resized masks lose a pixel at their edge.
                y, x = (point * mask.shape).astype(int)
                assert mask[max(y - 2, 0) : y + 3, max(x - 2, 0) : x + 3].max() == 1
                seen += 1
        ymin, xmin, ymax, xmax = after[Inputs.groundtruth_boxes][row]
        assert 0 <= ymin < ymax <= 1
        assert 0 <= xmin < xmax <= 1
        # The middle of what is left of the box lies in the box.
        middle = np.array([(ymin + ymax) / 2, (xmin + xmax) / 2])
        colour = _colours_at(image, middle)[0, :2] / 255
        box = before[Inputs.groundtruth_boxes][origin]
        assert (colour >= box[:2] - tolerance).all()
        assert (colour <= box[2:] + tolerance).all()
        if Inputs.groundtruth_dp_num_points in after:
            count = after[Inputs.groundtruth_dp_num_points][row]
            surface = after[Inputs.groundtruth_dp_surface_coords][row]
            parts = after[Inputs.groundtruth_dp_part_ids][row]
            assert (parts[:count] // 3 == origin).all()
            for point in surface[:count]:
                assert 0 <= point.min() <= point.max() <= 1
                colours = _colours_at(image, point[:2])[:, :2] / 255
                assert np.abs(colours - point[2:]).max(axis=1).min() < tolerance
    lengths = {len(after[field]) for field in PER_BOX if field in after}
    assert len(lengths) == 1
    return seen


@pytest.mark.filterwarnings("ignore:Seed 1 from outer graph")
@pytest.mark.parametrize("inside_dataset", [False, True], ids=["bare", "in tf.data"])
@pytest.mark.parametrize("name", STEPS)
def test_keypoints_stay_where_they_were(name, inside_dataset, run):
    steps = [_step(STEPS[name])]
    sample = _sample(surface=name not in WITHOUT_SURFACE)
    before = run(sample)
    if inside_dataset:
        dataset = tf.data.Dataset.from_tensors(sample).repeat()
        dataset = dataset.map(lambda one: _preprocess(one, steps))
        after = tf.data.make_one_shot_iterator(dataset).get_next()
    else:
        after = _preprocess(sample, steps)
    assert after[Inputs.image].shape.rank == 3
    assert after[Inputs.groundtruth_keypoints].shape.as_list()[1:] == [3, 2]
    seen = 0
    with tf.Session() as session:
        draws = 6 if inside_dataset else 30
        for _ in range(draws):
            seen += _check(name, before, session.run(after))
    assert seen > draws


@pytest.mark.parametrize("name", STEPS)
def test_a_picture_without_boxes(name, run):
    after = run(_preprocess(_sample(False, name not in WITHOUT_SURFACE), [_step(STEPS[name])]))
    assert after[Inputs.groundtruth_boxes].shape == (0, 4)
    assert after[Inputs.groundtruth_keypoints].shape == (0, 3, 2)
    assert min(after[Inputs.image].shape) > 0


def test_each_box_that_stays_is_covered_enough():
    text = "random_crop_image { min_object_covered: 0.3 overlap_thresh: 0.6 clip_boxes: false }"
    sample = _sample()
    after = _preprocess(sample, [_step(text)])
    shares = []
    with tf.Session() as session:
        for _ in range(40):
            for box in session.run(after[Inputs.groundtruth_boxes]):
                inside = np.clip(box, 0, 1)
                shares.append(np.prod(inside[2:] - inside[:2]) / np.prod(box[2:] - box[:2]))
    assert min(shares) > 0.55
    assert min(shares) < 0.999, "no crop ever cut a box"


def test_a_crop_of_coefficient_one_changes_nothing(run):
    sample = _sample()
    step = _step("random_crop_image { random_coef: 1.0 }")
    before, after = run([sample, _preprocess(sample, [step])])
    for key, value in before.items():
        if key in (Inputs.groundtruth_boxes, Inputs.groundtruth_keypoints):
            value = np.round(value * 2.0**24) / 2.0**24
        np.testing.assert_array_equal(after[key], value)


@pytest.mark.parametrize(
    ("ratio", "shape"),
    [pytest.param(0.5, (120, 60), id="narrow"), pytest.param(2.0, (80, 160), id="wide")],
)
def test_size_of_a_crop_to_an_aspect_ratio(ratio, shape, run):
    step = _step(f"random_crop_to_aspect_ratio {{ aspect_ratio: {ratio} }}")
    image = run(_preprocess(_sample(), [step])[Inputs.image])
    assert image.shape[:2] == shape


def test_a_canvas_needs_two_numbers():
    with pytest.raises(ConfigError, match="give height and width"):
        _step("random_crop_pad_image { min_padded_size_ratio: [1, 1, 1] }")
