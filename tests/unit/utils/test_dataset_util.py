import contextlib
import math
import xml.etree.ElementTree as ElementTree

import pytest
import tensorflow.compat.v1 as tf
from lxml import etree

from object_detection.dataset_tools.tf_record_creation_util import open_sharded_output_tfrecords
from object_detection.errors import DataError
from object_detection.utils import dataset_util


def test_features_hold_their_values():
    assert list(dataset_util.int64_feature(3).int64_list.value) == [3]
    assert list(dataset_util.int64_list_feature([]).int64_list.value) == []
    assert list(dataset_util.bytes_feature(b"a").bytes_list.value) == [b"a"]
    assert list(dataset_util.bytes_list_feature([b"", b"b"]).bytes_list.value) == [b"", b"b"]
    assert list(dataset_util.float_feature(0.5).float_list.value) == [0.5]
    assert math.isnan(dataset_util.float_list_feature([1, math.nan]).float_list.value[1])


def test_examples_list_takes_the_first_word(tmp_path):
    path = tmp_path / "train.txt"
    path.write_text("a_1 1\nb_2 -1\nc\n")
    assert dataset_util.read_examples_list(str(path)) == ["a_1", "b_2", "c"]


def test_a_list_that_is_no_text_is_named(tmp_path):
    (tmp_path / "rubbish.txt").write_bytes(bytes(range(256)))
    for name in ("rubbish.txt", "none.txt"):
        with pytest.raises(DataError, match=rf"{name}: cannot be read as a list of names"):
            dataset_util.read_examples_list(str(tmp_path / name))


def test_xml_becomes_dicts_with_a_list_of_objects():
    tree = ElementTree.fromstring(
        "<annotation><size><width>5</width></size>"
        "<object><name>a</name></object><object><name>b</name></object><empty/></annotation>"
    )
    assert dataset_util.recursive_parse_xml_to_dict(tree) == {
        "annotation": {
            "size": {"width": "5"},
            "object": [{"name": "a"}, {"name": "b"}],
            "empty": None,
        }
    }


def test_comments_in_xml_are_no_elements():
    tree = etree.fromstring("<a><!-- drawn by hand --><b>1</b><object><c/></object></a>")
    assert dataset_util.recursive_parse_xml_to_dict(tree) == {
        "a": {"b": "1", "object": [{"c": None}]}
    }


def test_shards_are_closed_with_the_stack(tmp_path):
    base = str(tmp_path / "x.record")
    with contextlib.ExitStack() as stack:
        writers = open_sharded_output_tfrecords(stack, base, 2)
        for number in range(5):
            writers[number % 2].write(str(number).encode())
    found = [list(tf.io.tf_record_iterator(f"{base}-0000{n}-of-00002")) for n in range(2)]
    assert found == [[b"0", b"2", b"4"], [b"1", b"3"]]
