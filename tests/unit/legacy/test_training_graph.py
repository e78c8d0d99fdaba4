"""The time that a step waits for its batch, measured in the step's own graph."""

import time

import numpy as np
import pytest
import tensorflow.compat.v1 as tf

from object_detection.legacy import training_graph

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
