"""`InputReader` message -> tensors of the next sample."""

from typing import Any

import tensorflow.compat.v1 as tf

from object_detection.builders import dataset_builder


def build(input_reader_config: Any) -> dict[str, tf.Tensor]:
    """Tensors of one decoded sample; each run of the graph moves on to the next.

    The iterator is initialised with `tf.tables_initializer()`.

    Args:
        input_reader_config: `InputReader` message.
    """
    dataset = dataset_builder.build(input_reader_config)
    sample: dict[str, tf.Tensor] = dataset_builder.make_initializable_iterator(dataset).get_next()
    return sample
