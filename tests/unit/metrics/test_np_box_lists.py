import numpy as np
import pytest

from object_detection.metrics.np_box_lists import BoxList, BoxMaskList

BOXES = np.array([[0, 0, 1, 2], [1, 1, 3, 4]], np.float32)
MASKS = np.array([[[1, 0], [0, 0]], [[1, 1], [0, 1]]], np.uint8)


@pytest.mark.parametrize(
    "data",
    [
        pytest.param([[0.0, 0, 1, 1]], id="a list"),
        pytest.param(np.zeros([4], np.float32), id="one axis"),
        pytest.param(np.zeros([2, 3], np.float32), id="three coordinates"),
        pytest.param(np.zeros([2, 2, 4], np.float32), id="three axes"),
        pytest.param(np.zeros([2, 4], np.int32), id="integers"),
        pytest.param(np.zeros([2, 4], np.float16), id="float16"),
        pytest.param(np.array([[0.0, 0, 1, 1], [2, 0, 1, 1]]), id="ymin above ymax"),
        pytest.param(np.array([[0.0, 3, 1, 1]]), id="xmin above xmax"),
    ],
)
def test_boxes_that_are_refused(data):
    with pytest.raises(ValueError):
        BoxList(data)


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(np.zeros([0, 4], np.float32), id="none"),
        pytest.param(np.zeros([1, 4]), id="a point, float64"),
        pytest.param(np.full([1, 4], np.nan), id="NaN"),
    ],
)
def test_boxes_that_are_taken(data):
    boxlist = BoxList(data)
    assert boxlist.num_boxes() == len(data)
    assert boxlist.get() is data
    assert boxlist.get_extra_fields() == []


def test_coordinates_are_columns():
    ymin, xmin, ymax, xmax = BoxList(BOXES).get_coordinates()
    np.testing.assert_array_equal([ymin, xmin, ymax, xmax], [[0, 1], [0, 1], [1, 3], [2, 4]])


def test_fields():
    boxlist = BoxList(BOXES)
    boxlist.add_field("scores", np.array([0.5, 0.25]))
    boxlist.add_field("keypoints", np.zeros([2, 5, 2]))
    assert boxlist.has_field("scores")
    assert boxlist.has_field("boxes")
    assert not boxlist.has_field("classes")
    assert boxlist.get_extra_fields() == ["scores", "keypoints"]
    np.testing.assert_array_equal(boxlist.get_field("scores"), [0.5, 0.25])
    np.testing.assert_array_equal(boxlist.get_field("boxes"), BOXES)


def test_fields_that_are_refused():
    boxlist = BoxList(BOXES)
    with pytest.raises(ValueError, match="scores"):
        boxlist.get_field("scores")
    boxlist.add_field("scores", np.array([0.5, 0.25]))
    with pytest.raises(ValueError, match="already"):
        boxlist.add_field("scores", np.array([0.5, 0.25]))
    with pytest.raises(ValueError, match="already"):
        boxlist.add_field("boxes", BOXES)
    with pytest.raises(ValueError, match="N=2"):
        boxlist.add_field("short", np.zeros([1]))
    with pytest.raises(ValueError, match="N=2"):
        boxlist.add_field("scalar", np.array(1.0))


def test_masks():
    boxlist = BoxMaskList(BOXES, MASKS)
    assert isinstance(boxlist, BoxList)
    assert boxlist.get_masks() is MASKS
    assert boxlist.get_extra_fields() == ["masks"]
    assert BoxMaskList(BOXES[:0], MASKS[:0]).num_boxes() == 0


@pytest.mark.parametrize(
    "masks",
    [
        pytest.param(MASKS.tolist(), id="a list"),
        pytest.param(MASKS[0], id="two axes"),
        pytest.param(MASKS.astype(bool), id="booleans"),
        pytest.param(MASKS.astype(np.float32), id="floats"),
        pytest.param(MASKS[:1], id="one mask, two boxes"),
    ],
)
def test_masks_that_are_refused(masks):
    with pytest.raises(ValueError):
        BoxMaskList(BOXES, masks)
