"""Fixtures of the suite: a fresh graph for each test, a session to run it, the shared data."""

import os
import pathlib
import signal
from collections.abc import Callable, Iterator
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import numpy as np
import pytest
import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()
tf.enable_resource_variables()

REPO = pathlib.Path(__file__).resolve().parents[1]

# A shell ignores Ctrl-C for what it starts in the background, nohup the end of the terminal; both
# would be inherited by the programs that tests interrupt.
for number, handler in (
    (signal.SIGINT, signal.default_int_handler),
    (signal.SIGHUP, signal.SIG_DFL),
):
    if signal.getsignal(number) == signal.SIG_IGN:
        signal.signal(number, handler)


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


def _statistics_of_the_batch(graph: tf.Graph) -> dict[str, tf.Tensor]:
    """Name of each moving mean or variance -> that of the batch, in a graph of training."""
    found = {}
    for update in graph.get_operations():
        if update.type != "AssignSubVariableOp":
            continue
        waiting, seen = [update.inputs[1]], set()
        while waiting:
            tensor = waiting.pop()
            if tensor.op.type.startswith("FusedBatchNorm"):
                found[update.inputs[0].op.name] = tensor
                break
            if tensor.op.name not in seen:
                seen.add(tensor.op.name)
                waiting += tensor.op.inputs
    return found


def save_lively_checkpoint(pipeline: Any, prefix: str, size: int, seed: int = 1) -> str:
    """A checkpoint of a network that was not trained, whose results depend on the picture.

    Initial statistics of batch normalisation let the activations die away, so that any two
    pictures give the same to the last place, and comparing them shows nothing. Here they are those
    of pictures of noise.

    Args:
        pipeline: config; stays as it is.
        prefix: of the checkpoint.
        size: of the pictures, as the network's input.
        seed: of weights and pictures.
    """
    from object_detection.builders import model_builder

    settings = type(pipeline)()
    settings.CopyFrom(pipeline)
    settings.model.ssd.freeze_batchnorm = False
    random = np.random.RandomState(seed)
    coarse = random.randint(0, 256, [8 if size < 100 else 2, size // 8, size // 8, 3])
    pictures = np.repeat(np.repeat(coarse, 8, axis=1), 8, axis=2).astype(np.float32)
    with tf.Graph().as_default(), tf.Session() as session:
        tf.set_random_seed(seed)
        model = model_builder.build(settings.model, is_training=True)
        inputs, shapes = model.preprocess(tf.constant(pictures))
        model.predict(inputs, shapes)
        tf.train.get_or_create_global_step()
        statistics = _statistics_of_the_batch(session.graph)
        assert statistics
        session.run(tf.global_variables_initializer())
        for variable in tf.trainable_variables():
            if variable.op.name.endswith("gamma"):
                variable.load(random.uniform(0.5, 1.5, variable.shape.as_list()), session)
        variables = {variable.op.name: variable for variable in tf.global_variables()}
        for name, value in session.run(statistics).items():
            # A channel that hardly moves would be blown up, with all its rounding.
            least = 0.1 * value.mean() if name.endswith("variance") else -np.inf
            variables[name].load(np.maximum(value, least), session)
        tf.train.Saver().save(session, prefix, write_meta_graph=False)
    return prefix


@pytest.fixture(scope="session")
def lively_checkpoint() -> Callable[..., str]:
    """See `save_lively_checkpoint`."""
    return save_lively_checkpoint
