"""Batches of samples whose tensors differ in size, through queues of the graph."""

import tensorflow.compat.v1 as tf

from object_detection.core import prefetcher

# Added to a key: the entry that holds the true shape of that key's tensor.
rt_shape_str = "_runtime_shapes"


class BatchQueue:
    """Pads samples to the largest of a batch, and undoes it when they come out.

    The queues are filled by runners of the graph: start them with `tf.train.start_queue_runners`.
    """

    def __init__(
        self,
        tensor_dict: dict[str, tf.Tensor],
        batch_size: int,
        batch_queue_capacity: int,
        num_batch_queue_threads: int,
        prefetch_queue_capacity: int,
    ) -> None:
        """Makes the queues.

        Args:
            tensor_dict: a sample; its tensors' ranks must be known, their sizes need not be.
            batch_size: samples of a batch.
            batch_queue_capacity: samples that wait to be batched.
            num_batch_queue_threads: threads that fill the batches.
            prefetch_queue_capacity: batches that wait to be taken.

        Raises:
            ValueError: a tensor of unknown rank.
        """
        for key, tensor in tensor_dict.items():
            if tensor.shape.rank is None:
                raise ValueError(f"The rank of {key!r} should be known, got {tensor}.")
        self._batch_size = batch_size
        self._static_shapes = {key: tensor.shape for key, tensor in tensor_dict.items()}
        shapes = {
            key + rt_shape_str: tf.shape(tensor, out_type=tf.int32)
            for key, tensor in tensor_dict.items()
        }
        batches = tf.train.batch(
            {**tensor_dict, **shapes},
            batch_size=batch_size,
            capacity=batch_queue_capacity,
            num_threads=num_batch_queue_threads,
            dynamic_pad=True,
            name="batch_queue",
        )
        self._queue = prefetcher.prefetch(batches, prefetch_queue_capacity)

    def dequeue(self) -> list[dict[str, tf.Tensor]]:
        """The samples of the next batch, each with its own sizes and the static shapes it had."""
        batch = self._queue.dequeue()

        def sample(index: int) -> dict[str, tf.Tensor]:
            tensors = {}
            for key, static in self._static_shapes.items():
                size = batch[key + rt_shape_str][index]
                tensors[key] = tf.slice(batch[key][index], tf.zeros_like(size), size)
                tensors[key].set_shape(static)
            return tensors

        return [sample(index) for index in range(self._batch_size)]
