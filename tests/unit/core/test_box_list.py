import numpy as np
import pytest
import tensorflow.compat.v1 as tf

from object_detection.core.box_list import BoxList


def _boxes(*rows):
    return tf.constant(np.array(rows, np.float32).reshape(-1, 4))


@pytest.mark.parametrize(
    "boxes",
    [
        pytest.param(lambda: tf.zeros([4]), id="one axis"),
        pytest.param(lambda: tf.zeros([1, 3]), id="three coordinates"),
        pytest.param(lambda: tf.zeros([1, 2, 4]), id="three axes"),
        pytest.param(lambda: tf.zeros([1, 4], tf.int32), id="whole numbers"),
        pytest.param(lambda: tf.zeros([1, 4], tf.float64), id="float64"),
        pytest.param(lambda: np.zeros([1, 5], np.float32), id="an array of five"),
    ],
)
def test_what_is_no_boxes(boxes):
    with pytest.raises(ValueError, match="Boxes should be"):
        BoxList(boxes())


def test_number_of_boxes(run):
    assert BoxList(_boxes()).num_boxes_static() == 0
    assert BoxList(np.zeros([3, 4], np.float32)).num_boxes_static() == 3
    unknown = BoxList(tf.placeholder_with_default(np.zeros([2, 4], np.float32), [None, 4]))
    assert unknown.num_boxes_static() is None
    assert run(unknown.num_boxes()) == 2


def test_fields(run):
    boxes = BoxList(_boxes([0, 1, 2, 3]))
    boxes.add_field("scores", tf.constant([0.5]))
    assert boxes.has_field("scores")
    assert not boxes.has_field("classes")
    assert sorted(boxes.get_all_fields()) == ["boxes", "scores"]
    assert boxes.get_extra_fields() == ["scores"]
    boxes.set_field("scores", tf.constant([0.7]))
    assert run(boxes.get_field("scores")).tolist() == [np.float32(0.7)]
    for change in (lambda: boxes.get_field("classes"), lambda: boxes.set_field("classes", 1)):
        with pytest.raises(ValueError, match="No field 'classes'"):
            change()


def test_other_boxes_in_the_same_list(run):
    boxes = BoxList(_boxes([0, 1, 2, 3]))
    boxes.set(_boxes([1, 1, 1, 1], [2, 2, 2, 2]))
    assert run(boxes.get()).tolist() == [[1] * 4, [2] * 4]
    with pytest.raises(ValueError, match="Boxes should be"):
        boxes.set(tf.zeros([4]))


def test_centres_and_sizes(run):
    boxes = BoxList(_boxes([10, 10, 20, 15], [0.2, 0.1, 0.5, 0.4]))
    values = boxes.get_center_coordinates_and_sizes()
    assert isinstance(values, list)
    np.testing.assert_allclose(run(values), [[15, 0.35], [12.5, 0.25], [10, 0.3], [5, 0.3]])


def test_transposition_is_in_place(run):
    boxes = BoxList(_boxes([10, 20, 30, 40]))
    assert boxes.transpose_coordinates() is None
    assert run(boxes.get()).tolist() == [[20, 10, 40, 30]]


def test_as_a_dictionary():
    boxes = BoxList(_boxes([0, 1, 2, 3]))
    boxes.add_field("scores", tf.constant([0.5]))
    assert sorted(boxes.as_tensor_dict()) == ["boxes", "scores"]
    assert list(boxes.as_tensor_dict(["scores"])) == ["scores"]
    assert boxes.as_tensor_dict([]) == {}
    with pytest.raises(ValueError, match="classes"):
        boxes.as_tensor_dict(["classes"])
