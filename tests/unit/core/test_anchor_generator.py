import numpy as np
import pytest
import tensorflow.compat.v1 as tf

from object_detection.core.anchor_generator import AnchorGenerator
from object_detection.core.box_list import BoxList


class _OneEach(AnchorGenerator):
    """A user's generator: as many anchors as it is told, one announced for each place."""

    def __init__(self, *counts, check=True):
        self._counts = counts
        self._check = check

    @property
    def check_num_anchors(self):
        return self._check

    def name_scope(self):
        return "OneEach"

    def num_anchors_per_location(self):
        return [1] * len(self._counts)

    def _generate(self, feature_map_shape_list):
        return [BoxList(tf.zeros([count, 4])) for count in self._counts]


def test_the_map_of_each_anchor(run):
    generator = _OneEach(2, 3)
    boxlists = generator.generate([(1, 2), (3, 1)])
    index = generator.anchor_index_to_feature_map_index(boxlists)
    assert index.dtype == tf.int32
    assert run(index).tolist() == [0, 0, 1, 1, 1]
    assert "OneEach/" in boxlists[0].get().name


def test_another_number_of_maps():
    with pytest.raises(ValueError, match="2 feature maps, got 1"):
        _OneEach(2, 3).generate([(1, 2)])


def test_another_number_of_anchors(run):
    (anchors,) = _OneEach(5).generate([(2, 2)])
    with pytest.raises(tf.errors.InvalidArgumentError, match="number of anchors"):
        run(anchors.get())
    # A size that is found out later.
    size = tf.placeholder_with_default(np.int32(2), [])
    (anchors,) = _OneEach(4).generate([(size, size)])
    assert run(anchors.get()).shape == (4, 4)
    (anchors,) = _OneEach(5).generate([(size, size)])
    with pytest.raises(tf.errors.InvalidArgumentError, match="number of anchors"):
        run(anchors.get())


def test_the_check_can_be_left_out(run):
    (anchors,) = _OneEach(5, check=False).generate([(2, 2)])
    assert run(anchors.get()).shape == (5, 4)
