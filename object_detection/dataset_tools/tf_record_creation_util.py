"""Writers for records in several files."""

import contextlib

import tensorflow.compat.v1 as tf


def shard_names(base_path: str, num_shards: int) -> list[str]:
    """`base-00000-of-00003`, ...: the names that `base-?????-of-00003` finds again."""
    return [f"{base_path}-{shard:05d}-of-{num_shards:05d}" for shard in range(num_shards)]


def open_sharded_output_tfrecords(
    exit_stack: contextlib.ExitStack, base_path: str, num_shards: int
) -> list[tf.io.TFRecordWriter]:
    """Opens one writer a shard; leaving `exit_stack` closes them all."""
    return [
        exit_stack.enter_context(tf.io.TFRecordWriter(name))
        for name in shard_names(base_path, num_shards)
    ]
