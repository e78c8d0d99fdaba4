"""The reason of an error in a running graph."""

import pytest
import tensorflow.compat.v1 as tf

from object_detection.utils import graph_errors

LONG = """Graph execution error:

Detected at node 'IteratorGetNext' defined at (most recent call last):
    File "train.py", line 132, in <module>
    File "trainer.py", line 79, in _timed
Node: 'IteratorGetNext'
corrupted record at 0 (Is this even a TFRecord file?)
\t [[{{node IteratorGetNext}}]]"""

ASSERTED = """Graph execution error:

Error in user-defined function passed to ParallelMapDatasetV2:5 transformation with iterator: \
Iterator::Root::Prefetch: assertion failed: [keypoint/y: should hold 4. Record, found:] [a/b.jpg] [15]
\t [[{{node Assert_2/Assert}}]]
\t [[IteratorGetNext]]"""


def _record(path, contents):
    with tf.io.TFRecordWriter(str(path)) as writer:
        for content in contents:
            writer.write(content)
    return path


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        pytest.param("", "", id="empty"),
        pytest.param("plain", "plain", id="plain"),
        pytest.param(LONG, "corrupted record at 0 (Is this even a TFRecord file?)", id="stack"),
        pytest.param(
            ASSERTED, "keypoint/y: should hold 4. Record, found: [a/b.jpg] [15]", id="assertion"
        ),
        pytest.param(
            f"{LONG}\n\nOriginal stack trace for 'a':\n  File \"a.py\", line 1, in b\n",
            "corrupted record at 0 (Is this even a TFRecord file?)",
            id="two stacks",
        ),
        pytest.param("\t [[{{node A}}]]", "\t [[{{node A}}]]", id="only a place"),
    ],
)
def test_the_reason_is_one_line(message, expected):
    assert graph_errors.reason(tf.errors.InvalidArgumentError(None, None, message)) == expected


def test_an_assertion_of_a_real_graph(run):
    number = tf.placeholder_with_default(3, [])
    with tf.control_dependencies([tf.Assert(number < 2, ["a.jpg: too many:", number])]):
        checked = tf.identity(number)
    with pytest.raises(tf.errors.InvalidArgumentError) as caught:
        run(checked)
    assert graph_errors.reason(caught.value) == "a.jpg: too many: [3]"


def test_a_damaged_record_is_named(tmp_path):
    whole = _record(tmp_path / "a-0.record", [b"one", b"two"])
    cut = tmp_path / "a-1.record"
    cut.write_bytes(whole.read_bytes()[:-2])
    error = tf.errors.DataLossError(None, None, LONG)
    said = graph_errors.reason(error, [str(tmp_path / "a-*.record")])
    assert said.startswith(f"{cut}: record 2 is damaged, or the file is no TFRecord (")
    assert "\n" not in said


def test_what_is_no_record_at_all_is_named(tmp_path):
    text = tmp_path / "text.record"
    text.write_text("these are words, and many of them")
    assert f"{text}: record 1 is damaged" in graph_errors.damaged_record([str(text)])


def test_whole_and_empty_files_are_not_damaged(tmp_path):
    _record(tmp_path / "a.record", [b"one"])
    _record(tmp_path / "b.record", [])
    assert graph_errors.damaged_record([str(tmp_path / "*.record")]) is None
    error = tf.errors.DataLossError(None, None, LONG)
    assert graph_errors.reason(error, [str(tmp_path / "*.record")]).startswith("corrupted record")


def test_what_has_become_of_the_files_is_the_reason_where_it_is_known(tmp_path):
    (tmp_path / "a.record").write_text("no record at all")
    error = tf.errors.DataLossError(None, None, "corrupted record at 0")
    patterns = [str(tmp_path / "*.record")]
    assert graph_errors.reason(error, patterns, lambda: ["a is new.", "b is gone."]) == (
        "a is new. b is gone."
    )
    # Their bad records were found before, and are not what was met.
    assert graph_errors.reason(error, patterns, list) == "corrupted record at 0"
    assert "a.record: record 1 is damaged" in graph_errors.reason(error, patterns)
