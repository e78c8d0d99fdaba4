import numpy as np
import pytest

from object_detection.metrics import np_boxes, np_masks

# Areas 6 and 5; 12, 1 and 400.
BOXES = np.array([[4, 3, 7, 5], [5, 6, 10, 7]], np.float64)
OTHERS = np.array([[3, 4, 6, 8], [14, 14, 15, 15], [0, 0, 20, 20]], np.float64)


def test_boxes():
    np.testing.assert_array_equal(np_boxes.area(BOXES), [6, 5])
    np.testing.assert_array_equal(np_boxes.intersection(BOXES, OTHERS), [[2, 0, 6], [1, 0, 5]])
    np.testing.assert_allclose(
        np_boxes.iou(BOXES, OTHERS), [[2 / 16, 0, 6 / 400], [1 / 16, 0, 5 / 400]]
    )
    np.testing.assert_allclose(
        np_boxes.ioa(BOXES, OTHERS), [[2 / 12, 0, 6 / 400], [1 / 12, 0, 5 / 400]]
    )
    np.testing.assert_allclose(
        np_boxes.ioa(OTHERS, BOXES), [[2 / 6, 1 / 5], [0, 0], [1, 1]], rtol=1e-12
    )


@pytest.mark.parametrize(("n", "m"), [(0, 0), (0, 3), (2, 0)])
@pytest.mark.parametrize("name", ["intersection", "iou", "ioa"])
def test_no_boxes(name, n, m):
    assert getattr(np_boxes, name)(BOXES[:n], OTHERS[:m]).shape == (n, m)


def test_empty_boxes_overlap_nothing():
    point = np.array([[1.0, 1, 1, 1]])
    for name in ("iou", "ioa"):
        np.testing.assert_array_equal(getattr(np_boxes, name)(point, point), [[0]])


def test_precision_stays():
    assert np_boxes.iou(BOXES.astype(np.float32), OTHERS.astype(np.float32)).dtype == np.float32


MASKS = np.array([[[1, 1], [0, 0]], [[1, 1], [1, 0]]], np.uint8)
OTHER_MASKS = np.array([[[0, 1], [0, 1]], [[0, 0], [0, 0]], [[1, 1], [1, 1]]], np.uint8)


def test_masks():
    np.testing.assert_array_equal(np_masks.area(MASKS), [2, 3])
    np.testing.assert_array_equal(np_masks.intersection(MASKS, OTHER_MASKS), [[1, 0, 2], [1, 0, 3]])
    np.testing.assert_allclose(
        np_masks.iou(MASKS, OTHER_MASKS), [[1 / 3, 0, 1 / 2], [1 / 4, 0, 3 / 4]]
    )
    np.testing.assert_allclose(
        np_masks.ioa(MASKS, OTHER_MASKS), [[1 / 2, 0, 1 / 2], [1 / 2, 0, 3 / 4]], rtol=1e-6
    )
    for name in ("intersection", "iou", "ioa"):
        result = getattr(np_masks, name)(MASKS, OTHER_MASKS)
        assert result.dtype == np.float32
        assert getattr(np_masks, name)(MASKS[:0], OTHER_MASKS).shape == (0, 3)
    assert np_masks.area(MASKS).dtype == np.float32


def test_large_masks_do_not_overflow():
    mask = np.ones([1, 300, 300], np.uint8)
    assert np_masks.area(mask) == 90000
    assert np_masks.intersection(mask, mask) == 90000
    assert np_masks.iou(mask, mask) == 1


def test_masks_of_other_types_are_refused():
    with pytest.raises(ValueError, match="uint8"):
        np_masks.area(MASKS.astype(bool))
    for name in ("intersection", "iou", "ioa"):
        with pytest.raises(ValueError, match="uint8"):
            getattr(np_masks, name)(MASKS, OTHER_MASKS.astype(np.int32))
        with pytest.raises(ValueError, match="uint8"):
            getattr(np_masks, name)(MASKS.astype(np.float32), OTHER_MASKS)
