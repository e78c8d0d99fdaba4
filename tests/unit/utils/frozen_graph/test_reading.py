"""Graphs of strangers: what is refused before anything of it runs."""

import os
import re

import pytest
import tensorflow.compat.v1 as tf
from tensorflow.core.framework import op_def_pb2
from tensorflow.python.client import pywrap_tf_session
from tensorflow.python.framework import op_def_registry

from object_detection.errors import CheckpointError
from object_detection.utils.frozen_graph import reading


def _known_operations():
    listed = op_def_pb2.OpList()
    listed.ParseFromString(pywrap_tf_session.TF_GetBuffer(pywrap_tf_session.TF_GetAllOpList()))
    return listed.op


def _is_refused(kind):
    graph = tf.GraphDef()
    graph.node.add(name="x", op=kind)
    try:
        reading.refuse_foreign(graph, "somewhere.pb")
    except CheckpointError:
        return True
    return False


def test_no_graph(tmp_path):
    for content in (b"\xff\xff", b"no graph at all"):
        with pytest.raises(CheckpointError, match=r"a\.pb: is not a frozen graph"):
            reading.parse_graph(content, "a.pb")
    with pytest.raises(CheckpointError, match=r"absent\.pb: No such file or directory\. Look"):
        reading.read_bounded(str(tmp_path / "absent.pb"), " Look.")
    with pytest.raises(CheckpointError, match="Is a directory"):
        reading.read_bounded(str(tmp_path))


def test_a_file_too_large_for_a_graph_is_not_read(tmp_path, monkeypatch):
    path = tmp_path / "large.pb"
    with open(path, "wb") as file:
        os.truncate(file.fileno(), (1 << 31) + 1)  # takes no room on the disk
    monkeypatch.setattr("builtins.open", lambda *_, **__: pytest.fail("it is opened"))
    with pytest.raises(CheckpointError, match="has 2147483649 bytes"):
        reading.read_bounded(str(path))


@pytest.mark.parametrize(
    "kind",
    [
        "ReadFile", "WriteFile", "MatchingFiles", "PyFunc", "EagerPyFunc", "PyFuncStateless",
        "SaveV2", "RestoreV2", "Save", "Restore", "MergeV2Checkpoints", "PrintV2", "ImmutableConst",
        "TextLineDataset", "CacheDataset", "DatasetFromGraph", "WholeFileReaderV2", "SqlDataset",
        "InitializeTableFromTextFileV2", "LoadAndRemapMatrix", "GenerateVocabRemapping",
        "CreateSummaryFileWriter", "DebugIdentity", "DebugNumericSummary", "DecodeProtoV2",
        "RpcClient", "RpcCall", "_Send", "_Recv", "RemoteCall", "DataServiceDatasetV4",
        "XlaCustomCall", "XlaLaunch", "FileSystemSetConfiguration", "SleepOp", "RecordInput",
        "CollectiveReduceV2", "GetSessionHandleV2", "DumpTensor", "TPUExecute",
    ],
)  # fmt: skip
def test_what_reaches_outside_is_refused(kind):
    assert op_def_registry.get(kind) is not None  # this TensorFlow has it
    assert _is_refused(kind)


def test_whatever_takes_a_name_of_a_file_or_an_address_is_refused():
    """By the names of inputs and attributes, which TensorFlow gave them."""
    outside = re.compile(
        r"file|(^|_)path(s|$|_)|address|(^|_)urls?$|directory|(^|_)host(s|name)?$|server|program"
        r"|^prefix|_prefix$|shared_object|library|plugin|module|executable|descriptor"
    )
    harmless = {"CTCBeamSearchDecoder"}  # top_paths: of its search
    checked = 0
    for one in _known_operations():
        names = [entry.name for entry in (*one.input_arg, *one.attr)]
        if one.name in harmless or not any(outside.search(name) for name in names):
            continue
        checked += 1
        assert _is_refused(one.name), f"{one.name}: {names}"
    assert checked > 60


def test_an_operation_that_nobody_knows():
    graph = tf.GraphDef()
    graph.node.add(name="a/b", op="OpenTheDoor")
    with pytest.raises(CheckpointError, match=r"x\.pb: operation OpenTheDoor \(node 'a/b'\): Tens"):
        reading.refuse_foreign(graph, "x.pb")


def test_what_hides_in_a_function():
    graph = tf.GraphDef()
    function = graph.library.function.add()
    function.signature.name = "harmless"
    graph.node.add(name="call", op="harmless")
    reading.refuse_foreign(graph, "x.pb")
    function.node_def.add(name="inside", op="WriteFile")
    with pytest.raises(CheckpointError, match=r"WriteFile \(node 'inside'\)"):
        reading.refuse_foreign(graph, "x.pb")


def test_it_does_not_run(tmp_path):
    path = tmp_path / "made"
    with tf.Graph().as_default() as graph:
        with tf.control_dependencies([tf.io.write_file(str(path), "x")]):
            tf.constant(1.0, name="detection_boxes")
    with pytest.raises(CheckpointError, match="WriteFile"):
        reading.parse_graph(graph.as_graph_def().SerializeToString(), "x.pb")
    assert not path.exists()


def test_a_saved_model(tmp_path):
    folder = tmp_path / "saved_model"
    with tf.Graph().as_default(), tf.Session() as session:
        tf.io.read_file(tf.constant("/a"))
        builder = tf.saved_model.builder.SavedModelBuilder(str(folder))
        builder.add_meta_graph_and_variables(session, ["serve"])
        builder.save()
    with pytest.raises(CheckpointError, match="ReadFile"):
        reading.check_saved_model(str(folder))
    path = folder / "saved_model.pb"
    path.write_bytes(path.read_bytes()[:-7])
    with pytest.raises(CheckpointError, match="is not a SavedModel, or is damaged"):
        reading.check_saved_model(str(folder))
    path.write_bytes(b"")
    with pytest.raises(CheckpointError, match="holds no graph"):
        reading.check_saved_model(str(folder))


def test_published_graphs_of_the_od_api_are_taken(shared_data):
    paths = sorted((shared_data / "checkpoints").rglob("*.pb"))
    assert paths
    for path in paths:
        assert len(reading.parse_graph(path.read_bytes(), str(path)).node) > 100
