"""A queue that keeps samples ready while others are worked on."""

import tensorflow.compat.v1 as tf


def prefetch(tensor_dict: dict[str, tf.Tensor], capacity: int) -> tf.PaddingFIFOQueue:
    """A queue of samples, filled by a queue runner of the graph.

    Start the runners with `tf.train.start_queue_runners`. Tensors that come out keep their static
    shapes; sizes may be open, ranks may not.

    Args:
        tensor_dict: a sample.
        capacity: samples the queue holds.

    Returns:
        The queue; its `dequeue()` gives a sample with the keys of `tensor_dict`.
    """
    tensors = {key: tf.convert_to_tensor(value) for key, value in tensor_dict.items()}
    with tf.name_scope("prefetch_queue"):
        queue = tf.PaddingFIFOQueue(
            capacity,
            dtypes=[tensor.dtype for tensor in tensors.values()],
            shapes=[tensor.shape for tensor in tensors.values()],
            names=list(tensors),
            name="prefetch_queue",
        )
        runner = tf.train.QueueRunner(queue, [queue.enqueue(tensors)])
        tf.train.add_queue_runner(runner)
        tf.summary.scalar(
            f"fraction_of_{capacity}_full", tf.cast(queue.size(), tf.float32) / capacity
        )
    return queue
