"""What strangers send is never run: the package's source has nothing that would."""

import ast
import pathlib
from collections.abc import Iterator

import pytest

REPO = pathlib.Path(__file__).resolve().parents[2]
FILES = sorted(
    path.relative_to(REPO).as_posix()
    for folder in ("object_detection", "scripts")
    for path in (REPO / folder).rglob("*.py")
    if not path.name.endswith("_pb2.py")
)

# Modules that run, or can be made to run, what a file says; and XML that expands entities.
MODULES = {
    *("pickle", "cPickle", "_pickle", "dill", "cloudpickle", "joblib", "marshal", "shelve"),
    *("yaml", "code", "codeop", "xmlrpc", "xml", "ctypes.util", "ftplib", "urllib", "http"),
}
BUILTINS = {"eval", "exec", "compile", "__import__"}
CALLS = {"os.system", "os.popen", "runpy.run_path", "tf.keras.models.load_model"}
ARGUMENTS = {"allow_pickle", "shell", "resolve_entities", "load_dtd", "huge_tree"}

# Python in graphs: it works on numbers of this process, and no graph with it is ever exported.
PYTHON_IN_GRAPHS = {"tf.py_func", "tf.py_function", "tf.numpy_function"}
MAY_USE_PYTHON_IN_GRAPHS = {
    "object_detection/matchers/hungarian_matcher.py",
    "object_detection/metrics/in_graph.py",
    "object_detection/visualization/metric_pictures.py",
    "object_detection/visualization/plots.py",
    "object_detection/visualization/tensors.py",
}
# Where strangers' pictures are opened, with formats and sizes bounded; and one of our own.
MAY_OPEN_PICTURES = {
    "object_detection/utils/untrusted.py",
    "object_detection/utils/pictures/decodable.py",
    "object_detection/eval_util/report_files.py",
}
# Programs of ours, with words that are ours.
MAY_START_PROGRAMS = {
    "object_detection/legacy/kill_test.py",
    "object_detection/metrics/wider_files.py",
    "object_detection/utils/records/scan.py",
}


def _dotted(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        return f"{_dotted(node.value)}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else ""


def _modules(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [one.name for one in node.names]
    if isinstance(node, ast.ImportFrom):
        return [node.module or "", *(f"{node.module}.{one.name}" for one in node.names)]
    return []


def dangers(source: str, path: str) -> Iterator[str]:
    """What a source has that could run, or be made to open, what a stranger's file says."""
    for node in ast.walk(ast.parse(source)):
        for module in _modules(node):
            if module.split(".")[0] in MODULES or module in MODULES:
                yield f"imports {module}"
            if module == "subprocess" and path not in MAY_START_PROGRAMS:
                yield "imports subprocess"
        if not isinstance(node, ast.Call):
            continue
        called = _dotted(node.func)
        if called in BUILTINS or called in CALLS:
            yield f"calls {called}"
        if called in PYTHON_IN_GRAPHS and path not in MAY_USE_PYTHON_IN_GRAPHS:
            yield f"calls {called}"
        if called.endswith("Image.open") and path not in MAY_OPEN_PICTURES:
            yield f"calls {called}"
        keywords = {one.arg: one.value for one in node.keywords}
        for name in ARGUMENTS & set(keywords):
            value = keywords[name]
            if not (isinstance(value, ast.Constant) and value.value is False):
                yield f"passes {name}"
        if called in ("np.load", "numpy.load") and "allow_pickle" not in keywords:
            yield "np.load without allow_pickle=False"
        if called.endswith("XMLParser") and not {"resolve_entities", "no_network"} <= set(keywords):
            yield "an XML parser that resolves entities"


@pytest.mark.parametrize("path", FILES)
def test_source_runs_nothing_that_is_read(path):
    assert list(dangers((REPO / path).read_text(encoding="utf-8"), path)) == []


@pytest.mark.parametrize(
    "source",
    [
        "import pickle",
        "from yaml import load",
        "import xml.etree.ElementTree as ElementTree",
        "from xml import etree",
        "eval('1')",
        "exec(text)",
        "np.load(path)",
        "np.load(path, allow_pickle=True)",
        "np.load(path, allow_pickle=flag)",
        "subprocess.run(words, shell=True)",
        "import subprocess",
        "os.system(words)",
        "tf.py_func(f, [x], tf.float32)",
        "PIL.Image.open(path)",
        "etree.XMLParser()",
        "etree.XMLParser(resolve_entities=True, no_network=True)",
    ],
)
def test_what_is_looked_for_is_found(source):
    assert list(dangers(source, "object_detection/x.py"))


def test_what_may_use_something_exists():
    assert set(FILES) >= MAY_USE_PYTHON_IN_GRAPHS | MAY_OPEN_PICTURES | MAY_START_PROGRAMS
