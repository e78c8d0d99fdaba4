"""`ssd_random_crop` draws with the one setting that was chosen, as if there were no other."""

import numpy as np
import pytest
import tensorflow.compat.v1 as tf

from object_detection.core import preprocessor, randomness

BOXES = np.array([[0.1, 0.2, 0.4, 0.5], [0.5, 0.5, 0.9, 0.8], [0.3, 0.3, 0.3, 0.6]], np.float32)
WINDOW = (0.6, (0.8, 1.2), (0.2, 0.5))
ANY = (0.0, (0.5, 2.0), (0.1, 1.0))


def crops(settings, overlap=0.1):
    """Pictures' shapes and boxes of 20 crops; in a graph of its own."""
    covered, aspect, area = zip(*settings, strict=True)
    count = len(settings)
    with tf.Graph().as_default() as graph, tf.Session(graph=graph) as session:
        number = tf.placeholder(tf.int64, [])
        with randomness.keyed(randomness.key(5, number)):
            image, boxes, _, _ = preprocessor.ssd_random_crop(
                tf.zeros([60, 80, 3]),
                tf.constant(BOXES),
                tf.ones([3], tf.int32),
                tf.ones([3]),
                min_object_covered=covered,
                aspect_ratio_range=aspect,
                area_range=area,
                overlap_thresh=(overlap,) * count,
                clip_boxes=(True,) * count,
                random_coef=(0.0,) * count,
            )
        operations = {operation.type for operation in graph.get_operations()}
        found = [session.run([tf.shape(image), boxes], {number: n}) for n in range(20)]
    return operations, [(tuple(shape), rows.tolist()) for shape, rows in found]


@pytest.mark.parametrize("count", [1, 7])
def test_settings_with_the_same_ranges_need_no_branch(count):
    operations, found = crops([WINDOW] * count)
    assert "StatelessCase" not in operations
    assert "Case" not in operations
    assert len({shape for shape, _ in found}) > 10


def test_the_chosen_setting_alone_decides():
    """Every area is of one of the two ranges, and both are met."""
    small, large = (0.0, (1.0, 1.0), (0.1, 0.15)), (0.0, (1.0, 1.0), (0.4, 0.5))
    _, found = crops([small, large, small])
    areas = np.array([height * width / (60 * 80) for (height, width, _), _ in found])
    is_small, is_large = (areas > 0.08) & (areas < 0.17), (areas > 0.37) & (areas < 0.53)
    assert (is_small | is_large).all()
    assert 0 < is_large.sum() < is_small.sum()


def test_least_cover_is_that_of_the_chosen_setting():
    """A window that has to cover a box leaves one nearly whole; one that need not may leave none."""
    strict, loose = (1.0, *ANY[1:]), (0.0, *ANY[1:])
    for settings, always in (([strict, strict], True), ([loose, loose], False)):
        _, found = crops(settings, overlap=0.9)
        assert all(rows for _, rows in found) == always


def test_each_setting_draws_its_own_numbers():
    """The same setting twice: which of them was chosen shows, as it did with a branch for each."""
    _, once = crops([ANY])
    _, twice = crops([ANY, ANY])
    same = [first == second for first, second in zip(once, twice, strict=True)]
    assert any(same)
    assert not all(same)
