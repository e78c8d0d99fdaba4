"""`InputReader` message -> tf.data.Dataset of samples or batches."""

from collections.abc import Callable
from typing import Any

import tensorflow.compat.v1 as tf

from object_detection.builders import decoder_builder
from object_detection.errors import ConfigError, DataError

Sample = dict[str, tf.Tensor]

# Files read at the same time; more only costs memory on the machines that this runs on.
_MAX_READERS = 8


def _files(config: Any) -> list[str]:
    if config.WhichOneof("input_reader") != "tf_record_input_reader":
        raise ConfigError("input_reader: set tf_record_input_reader { input_path: ... }.")
    patterns = list(config.tf_record_input_reader.input_path)
    if not patterns:
        raise ConfigError("tf_record_input_reader.input_path is empty.")
    files: list[str] = []
    for pattern in patterns:
        found = sorted(tf.gfile.Glob(pattern))
        if not found:
            raise DataError(f"tf_record_input_reader.input_path: no file matches {pattern!r}.")
        files += found
    if not any(tf.io.gfile.stat(name).length for name in files):
        # Repeated without end, they would be read without end, too.
        raise DataError(f"tf_record_input_reader.input_path: {files} hold no record.")
    return files


def make_initializable_iterator(dataset: tf.data.Dataset) -> Any:
    """An iterator that is initialised together with the tables of the graph."""
    iterator = tf.data.make_initializable_iterator(dataset)
    tf.add_to_collection(tf.GraphKeys.TABLE_INITIALIZERS, iterator.initializer)
    return iterator


def read_dataset(
    file_read_func: Callable[[tf.Tensor], tf.data.Dataset],
    input_files: list[str],
    config: Any,
    filename_shard_fn: Callable[[tf.data.Dataset], tf.data.Dataset] | None = None,
    *,
    seed: int | None = None,
) -> tf.data.Dataset:
    """Records of several files, interleaved, repeated and shuffled as the reader says.

    Args:
        file_read_func: name of a file -> dataset of its records.
        input_files: names of the files.
        config: `InputReader` message.
        filename_shard_fn: takes this worker's part of the names.
        seed: of the order.
    """
    names = tf.data.Dataset.from_tensor_slices(input_files)
    if config.shuffle:
        names = names.shuffle(max(len(input_files), 1), seed=seed)
    if filename_shard_fn:
        names = filename_shard_fn(names)
    names = names.repeat(config.num_epochs or None)
    readers = max(min(config.num_readers, len(input_files), _MAX_READERS), 1)
    records = names.interleave(
        file_read_func, cycle_length=readers, block_length=max(config.read_block_length, 1)
    )
    if config.shuffle and config.shuffle_buffer_size > 1:
        # What waits here are encoded pictures, so the buffer is as small as it can be.
        records = records.shuffle(config.shuffle_buffer_size, seed=seed)
    return records


def shard_function_for_context(
    input_context: Any,
) -> Callable[[tf.data.Dataset], tf.data.Dataset] | None:
    """Takes this pipeline's part of a dataset; None without a context.

    Args:
        input_context: `tf.distribute.InputContext` or None.
    """
    if input_context is None:
        return None
    return lambda dataset: dataset.shard(
        input_context.num_input_pipelines, input_context.input_pipeline_id
    )


def build(
    input_reader_config: Any,
    batch_size: int | None = None,
    transform_input_data_fn: Callable[[Sample], Sample] | None = None,
    input_context: Any = None,
    reduce_to_frame_fn: Callable[..., tf.data.Dataset] | None = None,
    *,
    drop_remainder: bool | None = None,
    seed: int | None = None,
) -> tf.data.Dataset:
    """Builds the dataset of an `InputReader` message.

    Args:
        input_reader_config: the message.
        batch_size: samples a batch, padded to the largest; None for single samples.
        transform_input_data_fn: sample -> sample, run in parallel.
        input_context: `tf.distribute.InputContext`; this pipeline reads its part of the files.
        reduce_to_frame_fn: not available; it belongs to sequences.
        drop_remainder: whether a last batch that is not full is left out; by default as the
            message says.
        seed: of the order; with one, the order is the same in each run.

    Raises:
        ConfigError: something is not set or not available.
        DataError: a pattern matches no file.
    """
    for name, asked in (
        ("reduce_to_frame_fn", reduce_to_frame_fn is not None),
        ("sample_from_datasets_weights", bool(input_reader_config.sample_from_datasets_weights)),
    ):
        if asked:
            raise ConfigError(f"input_reader: {name} is not available; leave it out.")
    if drop_remainder is None:
        drop_remainder = input_reader_config.drop_remainder
    decoder = decoder_builder.build(input_reader_config)
    dataset = read_dataset(
        tf.data.TFRecordDataset,
        _files(input_reader_config),
        input_reader_config,
        shard_function_for_context(input_context),
        seed=seed,
    )
    if input_reader_config.sample_1_of_n_examples > 1:
        dataset = dataset.shard(input_reader_config.sample_1_of_n_examples, 0)

    def make_sample(record: tf.Tensor) -> Sample:
        sample = decoder.decode(record)
        return transform_input_data_fn(sample) if transform_input_data_fn else sample

    dataset = dataset.map(
        make_sample,
        num_parallel_calls=tf.data.AUTOTUNE,
        deterministic=seed is not None or not input_reader_config.shuffle,
    )
    if batch_size:
        dataset = dataset.padded_batch(
            batch_size,
            padded_shapes=tf.data.get_output_shapes(dataset),
            drop_remainder=drop_remainder,
        )
    return dataset.prefetch(max(input_reader_config.num_prefetch_batches, 1))
