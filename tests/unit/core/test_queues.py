"""Queues of samples: what goes in comes out, whatever its size."""

import contextlib

import numpy as np
import pytest
import tensorflow.compat.v1 as tf

from object_detection.core import batcher, prefetcher
from object_detection.utils import context_manager, tf_version


@contextlib.contextmanager
def _running():
    with tf.Session() as session:
        session.run([tf.global_variables_initializer(), tf.local_variables_initializer()])
        coordinator = tf.train.Coordinator()
        threads = tf.train.start_queue_runners(session, coordinator)
        yield session
        coordinator.request_stop()
        coordinator.join(threads, ignore_live_threads=True)


def _counter(limit):
    return tf.train.range_input_producer(limit, num_epochs=1, shuffle=False).dequeue()


@pytest.mark.parametrize("known", [True, False])
def test_prefetched_samples(known):
    number = _counter(4)
    image = tf.fill([4, 5], number) if known else tf.fill([number, 5], number)
    queue = prefetcher.prefetch({"image": image, "number": number}, capacity=3)
    sample = queue.dequeue()
    assert sample["image"].shape.as_list() == [4 if known else None, 5]
    assert sample["number"].shape.as_list() == []
    with _running() as session:
        for index in range(4):
            values = session.run(sample)
            assert values["number"] == index
            assert values["image"].shape == (4 if known else index, 5)
        with pytest.raises(tf.errors.OutOfRangeError):
            session.run(sample)


def test_batches_of_samples_of_different_sizes():
    number = _counter(7)
    boxes = tf.fill([number, 4], tf.cast(number, tf.float32))
    picture = tf.fill([number + 1, 2 * number], 1.5)
    queue = batcher.BatchQueue(
        {"boxes": boxes, "number": number, "picture": picture},
        batch_size=3,
        batch_queue_capacity=10,
        num_batch_queue_threads=1,
        prefetch_queue_capacity=10,
    )
    samples = queue.dequeue()
    assert len(samples) == 3
    assert sorted(samples[0]) == ["boxes", "number", "picture"]
    assert samples[0]["boxes"].shape.as_list() == [None, 4]
    assert samples[0]["number"].shape.as_list() == []
    with _running() as session:
        for start in (0, 3):
            for index, values in enumerate(session.run(samples), start):
                assert values["number"] == index
                np.testing.assert_array_equal(values["boxes"], np.full([index, 4], index))
                np.testing.assert_array_equal(
                    values["picture"], np.full([index + 1, 2 * index], 1.5)
                )
        with pytest.raises(tf.errors.OutOfRangeError):
            session.run(samples)


def test_ranks_must_be_known():
    with pytest.raises(ValueError, match="'image'"):
        batcher.BatchQueue({"image": tf.placeholder(tf.float32)}, 1, 1, 1, 1)


def test_context_that_changes_nothing():
    with context_manager.IdentityContextManager() as entered:
        assert entered is None
    with pytest.raises(KeyError), context_manager.IdentityContextManager():
        raise KeyError


def test_behaviour_of_tensorflow():
    # The fixtures switch to that of version 1.
    assert tf_version.is_tf1()
    assert not tf_version.is_tf2()
