"""Fixtures of the suite: a fresh graph for each test, a session to run it, the shared data."""

import os
import pathlib
from collections.abc import Callable, Iterator
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import pytest
import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()
tf.enable_resource_variables()

REPO = pathlib.Path(__file__).resolve().parents[1]


@pytest.fixture(autouse=True)
def fresh_graph() -> Iterator[None]:
    with tf.Graph().as_default():
        tf.set_random_seed(1)
        yield


@pytest.fixture
def run() -> Callable[..., Any]:
    """`run(tensors, feed=None)`: their values, variables and tables initialised first."""

    def evaluate(tensors: Any, feed: dict[Any, Any] | None = None) -> Any:
        with tf.Session() as session:
            session.run([tf.global_variables_initializer(), tf.tables_initializer()])
            return session.run(tensors, feed)

    return evaluate


@pytest.fixture(scope="session")
def shared_data() -> pathlib.Path:
    """The folder of real pictures and checkpoints beside the project; absent for most users."""
    folder = REPO.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("the shared data (../shared/data) is not on this machine")
    return folder


@pytest.fixture(scope="session")
def shared_compat() -> pathlib.Path:
    """The folder of interface facts (schema, variables, golden numbers) beside the project."""
    folder = REPO.parent / "shared" / "compat"
    if not folder.is_dir():
        pytest.skip("the interface facts (../shared/compat) are not on this machine")
    return folder
