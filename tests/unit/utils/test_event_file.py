"""Events for TensorBoard, read by TensorFlow; a disk that is full."""

import os
import resource

import pytest
import tensorflow.compat.v1 as tf

from object_detection.utils import event_file


def _summary(number):
    return tf.Summary(value=[tf.Summary.Value(tag="loss", simple_value=number)])


def _events(folder):
    return [
        event
        for path in sorted(folder.glob("events.out.tfevents.*"))
        for event in tf.train.summary_iterator(str(path))
    ]


def test_events_are_there_at_once(tmp_path):
    events = event_file.EventFile(str(tmp_path / "made"))
    assert not (tmp_path / "made").exists()
    events.add_summary(_summary(0.5), 3)
    events.add_summary(_summary(0.25).SerializeToString(), 4)
    with tf.Graph().as_default() as graph:
        tf.constant(1.0, name="one")
    events.add_graph(graph)
    first, *found, last = _events(tmp_path / "made")
    assert first.file_version == "brain.Event:2"
    assert [(event.step, event.summary.value[0].simple_value) for event in found] == [
        (3, 0.5),
        (4, 0.25),
    ]
    assert tf.GraphDef.FromString(last.graph_def).node[0].name == "one"
    assert all(event.wall_time > 1e9 for event in (first, *found, last))
    events.close()
    events.close()


def test_a_folder_has_one_file(tmp_path):
    for number in range(2):
        event_file.of_folder(str(tmp_path)).add_summary(_summary(number), number)
    assert len(list(tmp_path.iterdir())) == 1


@pytest.fixture
def small_files():
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limits[1]))
    yield lambda: resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    resource.setrlimit(resource.RLIMIT_FSIZE, limits)


def test_a_full_disk_is_said_once_and_ends_nothing(tmp_path, small_files):
    said = []
    events = event_file.EventFile(str(tmp_path), said.append)
    large = _summary(1.0)
    large.value[0].tag = "x" * 2000
    for step in range(3):
        events.add_summary(large, step)
    (line,) = said
    assert "cannot be written" in line
    assert "File too large" in line
    small_files()
    events.add_summary(_summary(0.75), 4)
    newest = max(tmp_path.iterdir(), key=lambda path: int(path.suffix[1:]))
    found = list(tf.train.summary_iterator(str(newest)))
    assert found[-1].summary.value[0].simple_value == 0.75


def test_a_folder_that_cannot_be_made(tmp_path):
    (tmp_path / "file").touch()
    said = []
    events = event_file.EventFile(os.path.join(tmp_path, "file", "below"), said.append)
    events.add_summary(_summary(1.0), 1)
    assert len(said) == 1
