import numpy as np
import pytest
import tensorflow.compat.v1 as tf

from object_detection.core import preprocessor
from object_detection.core import standard_fields as fields
from object_detection.core.preprocessor import rows as row_ops

Inputs = fields.InputDataFields


@pytest.fixture
def sample():
    return {
        Inputs.image: tf.ones([1, 4, 6, 3]) * 10.0,
        Inputs.groundtruth_boxes: tf.constant([[0.0, 0.25, 0.5, 0.5], [0.5, 0.5, 1.0, 1.0]]),
        Inputs.groundtruth_classes: tf.constant([1, 2], tf.int64),
        Inputs.groundtruth_weights: tf.constant([1.0, 0.25]),
    }


@pytest.mark.parametrize(
    "shape", [[4, 6, 3], [2, 4, 6, 3], [4, 6], [1, 1, 4, 6, 3]], ids=["3", "batch", "2", "5"]
)
def test_what_is_no_picture(shape):
    with pytest.raises(ValueError, match=r"\[1, H, W, C\]"):
        preprocessor.preprocess({Inputs.image: tf.zeros(shape)}, [])


def test_nothing_to_do(sample, run):
    before = dict(sample)
    after = preprocessor.preprocess(sample, [])
    assert after[Inputs.image].shape.as_list() == [1, 4, 6, 3]
    assert after.keys() == sample.keys() == before.keys()
    assert all(sample[key] is before[key] for key in before), "the caller's dict stays"


def test_steps_run_in_order(sample, run):
    def add(image, number):
        return image + number

    def double(image):
        return (2.0 * image,)

    after = preprocessor.preprocess(sample, [(add, {"number": 1.0}), (double, {})])
    assert (run(after[Inputs.image]) == 22).all()
    after = preprocessor.preprocess(sample, [(double, {}), (add, {"number": 1.0})])
    assert (run(after[Inputs.image]) == 21).all()


def test_a_map_with_a_function_of_ones_own(sample, run):
    """The names of its parameters mean nothing; the map says what it takes."""

    def swap(a, b, c, factor):
        assert b is None
        return c * factor, a

    mapping = preprocessor.get_default_func_arg_map()
    mapping[swap] = (Inputs.groundtruth_weights, None, Inputs.groundtruth_boxes)
    steps = [(swap, {"factor": 0.5}), (preprocessor.random_adjust_hue, {})]
    after = run(preprocessor.preprocess(sample, steps, func_arg_map=mapping))
    np.testing.assert_allclose(after[Inputs.groundtruth_boxes], [1, 0.25])
    np.testing.assert_allclose(after[Inputs.groundtruth_weights][0], [0, 0.125, 0.25, 0.25])


def test_what_a_map_lacks(sample):
    def mine(image):
        return image

    with pytest.raises(ValueError, match="mine has no entry in func_arg_map"):
        preprocessor.preprocess(sample, [(mine, {})], preprocessor.get_default_func_arg_map())
    mapping = preprocessor.get_default_func_arg_map(include_instance_masks=True)
    with pytest.raises(ValueError, match="'groundtruth_instance_masks', which the sample"):
        preprocessor.preprocess(sample, [(preprocessor.random_image_scale, {})], mapping)


def test_what_a_sample_lacks():
    with pytest.raises(ValueError, match="random_crop_image needs 'groundtruth_boxes'"):
        preprocessor.preprocess(
            {Inputs.image: tf.zeros([1, 4, 4, 3])}, [(preprocessor.random_crop_image, {})]
        )


def test_a_function_that_returns_too_little(sample):
    def forget(image, boxes):
        return image

    with pytest.raises(ValueError, match="returned 1 tensors"):
        preprocessor.preprocess(sample, [(forget, {})])


def test_labels_without_weights(sample, run):
    del sample[Inputs.groundtruth_weights]
    after = run(preprocessor.preprocess(sample, [(preprocessor.ssd_random_crop, {})]))
    assert len(after[Inputs.groundtruth_boxes]) == len(after[Inputs.groundtruth_classes])


def test_resizers_return_more_than_they_take(sample, run):
    steps = [(preprocessor.resize_image, {"new_height": 8, "new_width": 9})]
    mapping = preprocessor.get_default_func_arg_map()
    for used in (None, mapping):
        after = preprocessor.preprocess(sample, steps, used)
        assert after[Inputs.image].shape.as_list() == [1, 8, 9, 3]


def test_classes_of_the_picture(run):
    """They have a field of their own; a sample needs no picture."""
    sample = {Inputs.groundtruth_image_classes: tf.constant([1, 3])}
    steps = [(preprocessor.one_hot_encoding, {"num_classes": 4})]
    for used in (None, preprocessor.get_default_func_arg_map()):
        after = preprocessor.preprocess(sample, steps, used)
        assert run(after)[Inputs.groundtruth_image_classes].tolist() == [0, 1, 0, 1]


def test_the_default_map_by_hand():
    mapping = preprocessor.get_default_func_arg_map()
    assert mapping[preprocessor.normalize_image] == ("image",)
    assert mapping[preprocessor.random_image_scale] == ("image", None)
    assert mapping[preprocessor.random_jitter_boxes] == ("groundtruth_boxes",)
    assert mapping[preprocessor.ssd_random_crop] == (
        "image", "groundtruth_boxes", "groundtruth_classes", "groundtruth_weights", None, None,
        None, None,
    )  # fmt: skip
    everything = preprocessor.get_default_func_arg_map(*[True] * 9)
    assert everything[preprocessor.random_horizontal_flip] == (
        "image", "groundtruth_boxes", "groundtruth_instance_masks", "groundtruth_keypoints",
        "groundtruth_keypoint_visibilities", "groundtruth_dp_part_ids",
        "groundtruth_dp_surface_coords", "groundtruth_keypoint_depths",
        "groundtruth_keypoint_depth_weights",
    )  # fmt: skip
    assert everything[preprocessor.random_scale_crop_and_pad_to_square] == (
        "image", "groundtruth_boxes", "groundtruth_classes", "groundtruth_weights",
        "groundtruth_instance_masks", "groundtruth_keypoints", "groundtruth_confidences",
    )  # fmt: skip


def test_each_augmentation_is_in_the_map():
    helpers = {"get_default_func_arg_map", "preprocess"}
    names = {function.__name__ for function in preprocessor.get_default_func_arg_map()}
    assert names == set(preprocessor.__all__) - helpers


@pytest.mark.parametrize("name", ["random_crop_pad_image", "random_self_concat_image"])
def test_keypoints_that_the_map_has_no_place_for(name, sample, run):
    """The OD API's positions for these functions end before the keypoints; they move all the same."""
    sample[Inputs.groundtruth_keypoints] = sample[Inputs.groundtruth_boxes][:, tf.newaxis, :2]
    sample[Inputs.groundtruth_area] = tf.constant([7.0, 8.0])
    mapping = preprocessor.get_default_func_arg_map(include_keypoints=True)
    settings = {"random_crop_pad_image": {"random_coef": 1.0}}.get(
        name, {"concat_vertical_probability": 1.0}
    )
    steps = [(getattr(preprocessor, name), settings)]
    after = run(preprocessor.preprocess(sample, steps, mapping))
    boxes, points = after[Inputs.groundtruth_boxes], after[Inputs.groundtruth_keypoints]
    np.testing.assert_allclose(points[:, 0], boxes[:, :2], atol=1e-6)
    copies = len(boxes) // 2
    assert after[Inputs.groundtruth_area].tolist() == [7, 8] * copies


@pytest.mark.parametrize("by_map", [False, True])
def test_flags_of_keypoints_follow_boxes_and_partners(by_map, sample, run):
    """A crop of the lower right loses the first box; a flip then changes the partners' places."""
    flags = [[1, 2, 0], [2, 1, 0]]
    sample[Inputs.groundtruth_keypoints] = tf.constant(
        [[[0.1, 0.3], [0.4, 0.4], [np.nan, np.nan]], [[0.9, 0.9], [0.2, 0.6], [np.nan, np.nan]]]
    )
    sample[Inputs.groundtruth_keypoint_visibilities] = tf.constant(flags) > 0
    sample[Inputs.groundtruth_keypoint_flags] = tf.constant(flags)

    def lower_right(image, boxes, keypoints, keypoint_visibilities, more_rows=None):
        rows = row_ops.given(
            more_rows, keypoints=keypoints, keypoint_visibilities=keypoint_visibilities
        )
        gathered = row_ops.gathered(boxes, rows, tf.constant([1]))
        boxes, rows = row_ops.moved(*gathered, tf.constant([0.5, 0.5, 1.0, 1.0]), clip=True)
        return image, boxes, *rows.values()

    flip = {"keypoint_flip_permutation": [1, 0, 2], "probability": 1.0}
    steps = [(lower_right, {}), (preprocessor.random_horizontal_flip, flip)]
    mapping = None
    if by_map:
        mapping = preprocessor.get_default_func_arg_map(
            include_keypoints=True, include_keypoint_visibilities=True
        )
        names = (Inputs.image, Inputs.groundtruth_boxes, Inputs.groundtruth_keypoints)
        mapping[lower_right] = (*names, Inputs.groundtruth_keypoint_visibilities)
    after = run(preprocessor.preprocess(sample, steps, mapping))
    assert after[Inputs.groundtruth_boxes].shape == (1, 4)
    assert after[Inputs.groundtruth_keypoint_flags].tolist() == [[1, 2, 0]]
    # The point that left the picture is not there any longer; that it was placed is still known.
    assert after[Inputs.groundtruth_keypoint_visibilities].tolist() == [[False, True, False]]
