import math

import pytest
import tensorflow.compat.v1 as tf

from object_detection.dataset_tools import example_encoding

# kind, our encoder, its values, the message of TensorFlow
BYTES = (example_encoding.bytes_feature, "bytes_list", tf.train.BytesList)
FLOATS = (example_encoding.float_feature, "float_list", tf.train.FloatList)
INTEGERS = (example_encoding.int64_feature, "int64_list", tf.train.Int64List)


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        pytest.param(BYTES, [], id="no bytes"),
        pytest.param(BYTES, [b""], id="empty bytes"),
        pytest.param(BYTES, [b"face", b"", b"face", b"x" * 300], id="bytes"),
        pytest.param(FLOATS, [], id="no floats"),
        pytest.param(FLOATS, [0.1, math.nan, -2.5e-9, math.inf], id="floats"),
        pytest.param(INTEGERS, [], id="no integers"),
        pytest.param(INTEGERS, [0, 1, 127], id="small integers"),
        pytest.param(INTEGERS, [1, 128, 16384, 2**40, 2**63 - 1], id="large integers"),
        pytest.param(INTEGERS, [-1, -(2**63)], id="negative integers"),
    ],
)
def test_bytes_are_those_of_tensorflow(kind, values):
    ours, field, message = kind
    feature = tf.train.Feature(**{field: message(value=values)})
    assert ours(values) == feature.SerializeToString()
    names = ("z", "image/encoded", "a" * 200)
    expected = tf.train.Example(
        features=tf.train.Features(feature=dict.fromkeys(names, feature))
    ).SerializeToString(deterministic=True)
    assert example_encoding.example(dict.fromkeys(names, ours(values))) == expected
