"""The time that a step waits for its batch, measured in the step's own graph."""

import time

import numpy as np
import pytest
import tensorflow.compat.v1 as tf

from object_detection.legacy import step_guard, training_graph
from object_detection.protos import train_pb2

ONE_THREAD = tf.ConfigProto(intra_op_parallelism_threads=1, inter_op_parallelism_threads=1)


def _seconds(dataset, runs=3):
    """Whole time and waited time of steps of a network that takes a while."""
    iterator = tf.data.make_one_shot_iterator(dataset)
    batch, waited = training_graph.timed(lambda: {"matrix": iterator.get_next()})
    branches = [batch["matrix"] * (1.0 + number) for number in range(8)]
    network = tf.add_n([tf.matmul(branch, tf.matmul(branch, branch)) for branch in branches])
    whole, all_waited = 0.0, 0.0
    with tf.Session(config=ONE_THREAD) as session:
        session.run([network.op, waited])
        for _ in range(runs):
            begin = time.perf_counter()
            _, seconds = session.run([network.op, waited])
            whole += time.perf_counter() - begin
            all_waited += float(seconds)
    return whole, all_waited


@pytest.fixture
def matrix():
    return np.random.RandomState(0).rand(600, 600).astype(np.float32)


def test_the_network_itself_is_no_waiting_even_on_one_thread(matrix):
    whole, waited = _seconds(tf.data.Dataset.from_tensors(matrix).cache().repeat().prefetch(4))
    assert 0 <= waited < 0.5 * whole


def test_a_slow_reader_is_waited_for(matrix):
    def slow(value):
        time.sleep(1.0)  # longer than the network: one batch may be read ahead
        return value

    dataset = tf.data.Dataset.from_tensors(matrix).repeat()
    dataset = dataset.map(
        lambda value: tf.ensure_shape(tf.py_func(slow, [value], tf.float32), [600, 600])
    )
    _, waited = _seconds(dataset, runs=2)
    assert waited > 0.5


@pytest.mark.parametrize(
    ("gradient", "expected"),
    [
        ([0.0, 0.0], [0.0, 0.0]),
        ([0.3, -0.4], [0.3, -0.4]),
        ([3.0, -4.0], [1.2, -1.6]),
        ([0.0, 2.0], [0.0, 2.0]),
    ],
    ids=["nothing", "short", "long", "just so long"],
)
def test_each_gradient_is_shortened_to_the_norm(gradient, expected, run):
    variable = tf.get_variable("v", [2])
    config = train_pb2.TrainConfig(gradient_clipping_by_norm=2.0)
    pairs = [(tf.constant(gradient), variable), (None, variable)]
    half_squares = [step_guard.half_square(pairs[0][0]), None]
    (clipped, of), (absent, _) = training_graph._clipped(pairs, half_squares, config)
    assert of is variable
    assert absent is None
    np.testing.assert_allclose(run(clipped), expected, rtol=1e-6)


def test_the_gradient_of_some_rows_is_shortened_too(run):
    rows = tf.IndexedSlices(tf.constant([[3.0, 4.0]]), tf.constant([1]), tf.constant([2, 2]))
    config = train_pb2.TrainConfig(gradient_clipping_by_norm=1.0)
    pairs = [(rows, tf.get_variable("v", [2, 2]))]
    ((clipped, _),) = training_graph._clipped(pairs, [step_guard.half_square(rows)], config)
    np.testing.assert_allclose(run(clipped.values), [[0.6, 0.8]], rtol=1e-6)
