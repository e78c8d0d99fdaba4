"""Bounds of gradients, by hand."""

import numpy as np
import pytest
import tensorflow.compat.v1 as tf
from google.protobuf import text_format

from object_detection.errors import ConfigError
from object_detection.legacy import training_graph
from object_detection.protos import train_pb2


def _clipped(text, run):
    config = text_format.Parse(text, train_pb2.TrainConfig())
    gradients = [(tf.constant([3.0, 0.0]), "a"), (None, "b"), (tf.constant([4.0]), "c")]
    found = training_graph._clipped(gradients, config)
    assert [variable for _, variable in found] == ["a", "b", "c"]
    assert found[1][0] is None
    return np.concatenate(run([found[0][0], found[2][0]])).tolist()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("", [3, 0, 4], id="no bound"),
        pytest.param("gradient_clipping_by_norm: 1", [1, 0, 1], id="each by itself"),
        pytest.param("gradient_clipping_by_norm: 3.5", [3, 0, 3.5], id="only the longer one"),
        # The norm of both is 5: the direction stays.
        pytest.param("gradient_clipping_by_global_norm: 1", [0.6, 0, 0.8], id="together"),
        pytest.param("gradient_clipping_by_global_norm: 6", [3, 0, 4], id="short enough"),
    ],
)
def test_bounds_of_gradients(text, expected, run):
    assert _clipped(text, run) == pytest.approx(expected)


def test_two_bounds_exclude_each_other(run):
    with pytest.raises(ConfigError, match="exclude"):
        _clipped("gradient_clipping_by_norm: 1 gradient_clipping_by_global_norm: 1", run)
