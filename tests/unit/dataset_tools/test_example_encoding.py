import math

import numpy as np
import pytest
import tensorflow.compat.v1 as tf

from object_detection.dataset_tools import example_encoding

BYTES = ("bytes_list", tf.train.BytesList)
FLOATS = ("float_list", tf.train.FloatList)
INTEGERS = ("int64_list", tf.train.Int64List)


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        pytest.param(BYTES, [], id="no bytes"),
        pytest.param(BYTES, [b""], id="empty bytes"),
        pytest.param(BYTES, [b"face", b"", b"face", b"x" * 300], id="bytes"),
        pytest.param(FLOATS, np.zeros(0), id="no floats"),
        pytest.param(FLOATS, np.array([0.1, math.nan, -2.5e-9, math.inf]), id="floats"),
        pytest.param(FLOATS, np.array([0.1, 1e20], np.float32), id="single precision"),
        pytest.param(INTEGERS, np.zeros(0, int), id="no integers"),
        pytest.param(INTEGERS, np.array([0, 1, 127], np.uint8), id="small integers"),
        pytest.param(INTEGERS, np.array([1, 128, 16384, 2**40, 2**63 - 1]), id="large integers"),
        pytest.param(INTEGERS, np.array([-1, -(2**63)]), id="negative integers"),
    ],
)
def test_bytes_are_those_of_tensorflow(kind, values):
    field, message = kind
    feature = tf.train.Feature(**{field: message(value=list(values))})
    names = ("z", "image/encoded", "a" * 200)
    expected = tf.train.Example(
        features=tf.train.Features(feature=dict.fromkeys(names, feature))
    ).SerializeToString(deterministic=True)
    assert example_encoding.example(dict.fromkeys(names, values)) == expected
