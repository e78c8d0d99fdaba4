import numpy as np
import pytest
import tensorflow.compat.v1 as tf

from object_detection.utils import patch_ops

# Middle, side, shape, rows and columns of the square.
PATCHES = [
    pytest.param(3, 4, 1, [6, 7], (3, 4), (4, 5), id="one pixel"),
    pytest.param(3, 4, 3, [6, 7], (2, 5), (3, 6), id="odd"),
    pytest.param(3, 4, 4, [6, 7, 3], (1, 5), (2, 6), id="even, with channels"),
    pytest.param(0, 0, 5, [6, 7], (0, 3), (0, 3), id="cut above"),
    pytest.param(5, 6, 5, [6, 7], (3, 6), (4, 7), id="cut below"),
    pytest.param(2, 2, 99, [6, 7], (0, 6), (0, 7), id="all"),
    pytest.param(2, 2, 0, [6, 7], (0, 0), (0, 0), id="nothing"),
]


@pytest.mark.parametrize(("y", "x", "side", "shape", "rows", "columns"), PATCHES)
def test_a_square_around_a_pixel(y, x, side, shape, rows, columns, run):
    expected = np.zeros(shape[:2], bool)
    expected[slice(*rows), slice(*columns)] = True
    known = patch_ops.get_patch_mask(y, x, side, shape)
    assert known.shape.as_list() == shape[:2]
    fed = tf.placeholder_with_default(tf.constant(shape), [len(shape)])
    numbers = [tf.placeholder_with_default(number, []) for number in (y, x, side)]
    results = run([known, patch_ops.get_patch_mask(*numbers, fed)])
    for result in results:
        assert result.dtype == bool
        np.testing.assert_array_equal(result, expected)


@pytest.mark.parametrize(("y", "x"), [(-1, 0), (6, 0), (0, -1), (0, 7)])
def test_the_middle_lies_in_the_picture(y, x, run):
    with pytest.raises(tf.errors.InvalidArgumentError):
        patch_ops.get_patch_mask(y, x, 3, [6, 7])
    fed = [tf.placeholder_with_default(number, []) for number in (y, x)]
    mask = patch_ops.get_patch_mask(*fed, 3, [6, 7])
    with pytest.raises(tf.errors.InvalidArgumentError):
        run(mask)
