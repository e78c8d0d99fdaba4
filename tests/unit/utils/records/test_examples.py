import struct

import numpy as np
import pytest
import tensorflow.compat.v1 as tf

from object_detection.protos import example_pb2
from object_detection.utils.records.examples import (
    BYTES,
    FLOATS,
    INTS,
    Features,
    RefusedRecord,
)

KINDS = {"b": BYTES, "f": FLOATS, "i": INTS}
VALUES = {
    "b": [b"", b"a", b"x" * 200, b"y" * 70_000],
    "f": [0.0, -1.5, float("nan"), float("inf"), 2.0**100],
    "i": [0, 1, -1, 127, 128, 2**63 - 1, -(2**63)],
}


def example(**features):
    lists = {
        "b": lambda values: tf.train.Feature(bytes_list=tf.train.BytesList(value=values)),
        "f": lambda values: tf.train.Feature(float_list=tf.train.FloatList(value=values)),
        "i": lambda values: tf.train.Feature(int64_list=tf.train.Int64List(value=values)),
    }
    made = {name: lists[name[0]](values) for name, values in features.items()}
    return tf.train.Example(features=tf.train.Features(feature=made)).SerializeToString()


def field(tag, content):
    length, encoded = len(content), b""
    while length > 127:
        encoded += bytes([length & 127 | 128])
        length >>= 7
    return bytes([tag]) + encoded + bytes([length]) + content


def entry(name, value):
    return field(0x0A, field(0x0A, name) + field(0x12, value))


def refuses(content, name="f", kind=FLOATS):
    try:
        Features(content).count(name, kind)
    except RefusedRecord as refused:
        return refused.reason
    return None


def tensorflow_refuses(content, dtype):
    features = {"f": tf.io.FixedLenSequenceFeature([], dtype, allow_missing=True)}
    with tf.Graph().as_default(), tf.Session() as session:
        try:
            session.run(tf.io.parse_single_example(content, features))
        except (tf.errors.InvalidArgumentError, UnicodeDecodeError):
            return True
    return False


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("count", [0, 1, None])
def test_values_are_those_that_were_written(kind, count):
    values = VALUES[kind][:count]
    features = Features(example(**{kind: values}))
    found = features.strings("b") if kind == "b" else features.numbers(kind, KINDS[kind])
    np.testing.assert_array_equal(found, values)
    assert kind in features
    assert features.count(kind, KINDS[kind]) == len(values)


def test_the_message_of_our_own_has_the_same_bytes():
    content = example(b=[b"x", b""], f=[1.0, 2.0], i=[1, -2])
    message = example_pb2.Example.FromString(content)
    assert message.SerializeToString() == content
    theirs = tf.train.Example.FromString(content).features.feature
    assert {one.key.decode() for one in message.features.feature} == set(theirs)


def test_names_that_are_absent_or_without_values():
    features = Features(example(f=[]))
    assert "g" not in features
    assert features.count("g", FLOATS) == 0
    assert features.strings("g") == ()
    assert features.one("g", BYTES, b"other") == b"other"
    with pytest.raises(RefusedRecord, match="f holds 0 values instead of 1"):
        features.one("f", FLOATS, 0.0)
    with pytest.raises(RefusedRecord, match="f holds floats instead of integers"):
        features.numbers("f", INTS)


FLOATS_OF = {
    "packed": field(0x0A, struct.pack("<2f", 1, 2)),
    "not packed": b"".join(b"\x0d" + struct.pack("<f", one) for one in (1, 2)),
}


@pytest.mark.parametrize("kind", FLOATS_OF)
def test_floats_of_both_encodings(kind):
    content = field(0x0A, entry(b"f", field(0x12, FLOATS_OF[kind])))
    assert Features(content).numbers("f", FLOATS).tolist() == [1.0, 2.0]
    assert not tensorflow_refuses(content, tf.float32)


@pytest.mark.parametrize("packed", [True, False])
def test_integers_of_both_encodings(packed):
    varints = [b"\x05", b"\xac\x02", b"\xff" * 9 + b"\x01"]
    body = field(0x0A, b"".join(varints)) if packed else b"".join(b"\x08" + v for v in varints)
    content = field(0x0A, entry(b"f", field(0x1A, body)))
    assert Features(content).numbers("f", INTS).tolist() == [5, 300, -1]
    assert not tensorflow_refuses(content, tf.int64)


PACKED = field(0x12, FLOATS_OF["packed"])
ODD = {
    "a field that is not known in an entry": field(
        0x0A, field(0x0A, field(0x7A, b"f") + field(0x12, PACKED))
    ),
    "three fields in an entry": field(
        0x0A, field(0x0A, field(0x0A, b"f") + field(0x12, PACKED) + field(0x12, PACKED))
    ),
    "one field in an entry": field(0x0A, field(0x0A, field(0x0A, b"f"))),
    "another field beside the entries": field(0x0A, entry(b"f", PACKED) + field(0x12, b"x")),
    "an unknown list": field(0x0A, entry(b"f", field(0x22, b""))),
    "an element of another type": field(0x0A, entry(b"f", field(0x12, b"\x08\x01"))),
    "cut off": field(0x0A, entry(b"f", PACKED))[:-3],
    "a length without end": b"\x0a" + b"\xff" * 12,
    "a tag alone": b"\x0a",
}


@pytest.mark.parametrize("name", ODD)
def test_what_tensorflow_refuses_is_refused(name):
    assert tensorflow_refuses(ODD[name], tf.float32)
    assert refuses(ODD[name]) == "not_an_example"


@pytest.mark.parametrize(
    ("content", "values"),
    [
        pytest.param(
            field(0x0A, field(0x0A, field(0x12, PACKED) + field(0x0A, b"f"))), 2, id="order"
        ),
        pytest.param(
            field(0x0A, entry(b"f", field(0x12, b"")) + entry(b"f", PACKED)), 2, id="last"
        ),
        pytest.param(
            field(0x0A, entry(b"f", PACKED) + entry(b"f", field(0x12, b""))), 0, id="last, 2"
        ),
        pytest.param(field(0x0A, entry(b"f", PACKED) + entry(b"f", b"")), 2, id="last is no list"),
        pytest.param(
            field(0x0A, entry(b"a", b"")) + field(0x0A, entry(b"f", PACKED)), 2, id="parts"
        ),
        pytest.param(
            field(0x0A, entry(b"\xff\xfe", PACKED) + entry(b"f", PACKED)), 2, id="no text"
        ),
        pytest.param(b"", 0, id="nothing"),
    ],
)
def test_what_is_unusual_but_read(content, values):
    features = {"f": tf.io.FixedLenSequenceFeature([], tf.float32, allow_missing=True)}
    with tf.Graph().as_default(), tf.Session() as session:
        theirs = session.run(tf.io.parse_single_example(content, features)["f"])
    assert len(theirs) == values
    assert Features(content).count("f", FLOATS) == values


def test_a_list_longer_than_its_place_is_refused_though_tensorflow_takes_it():
    assert refuses(field(0x0A, entry(b"f", b"\x12\x20" + FLOATS_OF["packed"]))) == "not_an_example"
