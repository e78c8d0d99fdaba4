"""TFRecord files -> tf.data.Dataset of serialised records, in the order that a reader says.

With a seed, each epoch has an order of its own, drawn from its number, so that reading can begin at
any record.
"""

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import tensorflow.compat.v1 as tf

from object_detection.builders import record_selection
from object_detection.core import randomness
from object_detection.errors import ConfigError, DataError
from object_detection.utils import tfrecord_files
from object_detection.utils.as_written import as_written

Read = Callable[[tf.Tensor], tf.data.Dataset]

# Files read at the same time where the order does not matter; more would only cost memory.
_MAX_READERS = 8

# Bytes of a file that are read at a time, as `tf.data.TFRecordDataset` does.
_READ_AHEAD = 1 << 18

# Sources of samples that are drawn at a time, where there are several with weights.
_BLOCK_OF_CHOICES = 1 << 14


class NoInputFilesError(DataError, RuntimeError):
    """No file matches; also a `RuntimeError`, because code for the OD API catches that."""


def _files(patterns: str | Sequence[str]) -> list[str]:
    """The files that match, in the order of the patterns, then by name."""
    files: list[str] = []
    for pattern in [patterns] if isinstance(patterns, str) else patterns:
        found = sorted(tf.gfile.Glob(pattern))
        if not found:
            raise NoInputFilesError(
                f"tf_record_input_reader.input_path: no file matches {pattern!r}."
            )
        files += found
    if not files:
        raise NoInputFilesError("tf_record_input_reader.input_path is empty.")
    if not any(tf.io.gfile.stat(name).length for name in files):
        # Repeated without end, they would be read without end, too.
        raise DataError(f"tf_record_input_reader.input_path: {files} hold no record.")
    return files


def _selected(selection: record_selection.Selection, files: Sequence[str]) -> Read:
    """Name of one of the files -> the records of it that are used."""
    if selection.all_used(files):
        return tf.data.TFRecordDataset
    scans = [selection.scan_of(path) for path in files]
    all_of_file = np.array([[0, np.iinfo(np.int64).max]])
    rows = [all_of_file if scan is None else record_selection.runs(scan) for scan in scans]
    ends = np.cumsum([len(of_file) for of_file in rows])

    @as_written
    def read(name: tf.Tensor) -> tf.data.Dataset:
        @as_written
        def read_run(run: tf.Tensor) -> tf.data.Dataset:
            # What `tf.data.TFRecordDataset` is made of; that has no argument for where to begin.
            records = tf.raw_ops.TFRecordDatasetV2(
                filenames=name[tf.newaxis],
                compression_type="",
                buffer_size=_READ_AHEAD,
                byte_offsets=run[:1],
            )
            of_strings = tf.TensorSpec([], tf.string)
            return tf.data.experimental.from_variant(records, of_strings).take(run[1])

        number = tf.where(tf.equal(tf.constant(list(files)), name))[0, 0]
        end = tf.constant(ends)[number]
        begin = end - tf.constant([len(of_file) for of_file in rows], tf.int64)[number]
        return tf.data.Dataset.from_tensor_slices(
            tf.constant(np.concatenate(rows))[begin:end]
        ).flat_map(read_run)

    return read


def _interleaved(
    names: tf.data.Dataset,
    file_read_func: Read,
    num_files: int,
    config: Any,
) -> tf.data.Dataset:
    """The records of files, several read at the same time."""
    return names.interleave(
        file_read_func,
        cycle_length=_num_readers(num_files, config),
        block_length=max(config.read_block_length, 1),
    )


def _num_readers(num_files: int, config: Any) -> int:
    most = _MAX_READERS if config.shuffle else num_files
    return max(min(config.num_readers, num_files, most), 1)


def _epochs(
    file_read_func: Read,
    files: list[str],
    config: Any,
    filename_shard_fn: Callable[[tf.data.Dataset], tf.data.Dataset] | None,
    seed: int,
    source: int,
    first: int,
) -> tf.data.Dataset:
    """Shuffled records, epoch by epoch from `first` on; the epoch's number makes its order."""

    @as_written
    def epoch(number: tf.Tensor) -> tf.data.Dataset:
        # Shuffling also counts the graph's seed in; here that is the graph of this function.
        tf.set_random_seed(1)
        seeds = tf.unstack(randomness.key(seed, randomness.ORDER_OF_RECORDS, source, number))
        names = tf.data.Dataset.from_tensor_slices(files).shuffle(
            len(files), seed=seeds[0], reshuffle_each_iteration=False
        )
        if filename_shard_fn:
            names = filename_shard_fn(names)
        records = _interleaved(names, file_read_func, len(files), config)
        if config.shuffle_buffer_size > 1:
            records = records.shuffle(
                config.shuffle_buffer_size, seed=seeds[1], reshuffle_each_iteration=False
            )
        return records

    last = max(config.num_epochs, first) if config.num_epochs else tf.int64.max
    return tf.data.Dataset.range(first, last).flat_map(epoch)


def _count(selection: record_selection.Selection, files: Sequence[str]) -> int:
    """The number of records that are read of the files."""
    scans = [(path, selection.scan_of(path)) for path in files]
    return sum(
        tfrecord_files.count_records([path]) if scan is None else len(scan.good)
        for path, scan in scans
    )


def _read_alike(
    file_read_func: Read,
    input_files: str | Sequence[str],
    config: Any,
    filename_shard_fn: Callable[[tf.data.Dataset], tf.data.Dataset] | None,
    seed: int | None,
    source: int = 0,
    start: int = 0,
    selection: record_selection.Selection | None = None,
) -> tf.data.Dataset:
    """Records of files that are read alike, from record number `start` on."""
    files = _files(input_files)
    count: Callable[[], int] | None = None
    if selection is not None:
        file_read_func = _selected(selection, files)
        count = functools.partial(_count, selection, files)
        if not count():
            # Repeated without end, they would be read without end, too.
            raise DataError(f"tf_record_input_reader.input_path: {files} hold no usable record.")
    elif file_read_func is tf.data.TFRecordDataset:
        count = functools.partial(tfrecord_files.count_records, files)
    epoch = 0
    # Files that are read side by side without shuffling run from one epoch into the next.
    apart = (config.shuffle and seed is not None) or _num_readers(len(files), config) == 1
    if start and apart and not filename_shard_fn and count is not None:
        # Whole epochs are passed by without reading them.
        epoch, start = divmod(start, max(count(), 1))
    if config.shuffle and seed is not None:
        records = _epochs(file_read_func, files, config, filename_shard_fn, seed, source, epoch)
        return records.skip(start) if start else records
    names = tf.data.Dataset.from_tensor_slices(files)
    if config.shuffle:
        names = names.shuffle(len(files))
    if filename_shard_fn:
        names = filename_shard_fn(names)
    names = names.repeat(max(config.num_epochs - epoch, 0) if config.num_epochs else None)
    records = _interleaved(names, file_read_func, len(files), config)
    if config.shuffle and config.shuffle_buffer_size > 1:
        # What waits here are encoded pictures, so the buffer is as small as it can be.
        records = records.shuffle(config.shuffle_buffer_size)
    return records.skip(start) if start else records


def _choices(weights: Sequence[float], seed: int, block: Any) -> tf.Tensor:
    """[_BLOCK_OF_CHOICES] int64: numbers of sources, each as often as its weight says."""
    shares = np.cumsum(np.array(weights) / np.sum(weights))[:-1]
    draws = tf.random.stateless_uniform(
        [_BLOCK_OF_CHOICES],
        randomness.key(seed, randomness.CHOICE_OF_SOURCES, block),
        dtype=tf.float64,
    )
    return tf.cast(tf.searchsorted(shares, draws, side="right"), tf.int64)


def _taken_before(weights: Sequence[float], seed: int, start: int) -> list[int]:
    """How many of the first `start` samples came from each source."""
    taken = np.zeros(len(weights), np.int64)
    with tf.Graph().as_default(), tf.Session() as session:
        number = tf.placeholder(tf.int64, [])
        choices = _choices(weights, seed, number)
        for block in range(-(-start // _BLOCK_OF_CHOICES)):
            of_block = session.run(choices, {number: block})[: start - block * _BLOCK_OF_CHOICES]
            taken += np.bincount(of_block, minlength=len(weights))
    return [int(count) for count in taken]


def _weighted(
    read: Callable[[str, int, int], tf.data.Dataset],
    patterns: Sequence[str],
    weights: Sequence[float],
    seed: int,
    start: int,
    ends: bool,
) -> tf.data.Dataset:
    """Samples of several sources, each drawn from as often as its weight says.

    Args:
        read: (pattern, number of the source, first record) -> its records.
        patterns: of the files of each source.
        weights: of each source, above 0.
        seed: of the choice.
        start: samples that are left out.
        ends: whether a source can end; then all is read from the beginning.
    """
    skipped = 0 if ends else start
    firsts = _taken_before(weights, seed, skipped) if skipped else [0] * len(weights)
    sources = [
        read(pattern, number, first)
        for number, (pattern, first) in enumerate(zip(patterns, firsts, strict=True))
    ]
    block, within = divmod(skipped, _BLOCK_OF_CHOICES)
    choices = tf.data.Dataset.range(block, tf.int64.max).flat_map(
        lambda number: tf.data.Dataset.from_tensor_slices(_choices(weights, seed, number))
    )
    dataset = tf.data.Dataset.choose_from_datasets(
        sources, choices.skip(within), stop_on_empty_dataset=False
    )
    return dataset.skip(start) if ends and start else dataset


def read_dataset(
    file_read_func: Read,
    input_files: str | Sequence[str],
    config: Any,
    filename_shard_fn: Callable[[tf.data.Dataset], tf.data.Dataset] | None = None,
    *,
    seed: int | None = None,
    start: int = 0,
    selection: record_selection.Selection | None = None,
) -> tf.data.Dataset:
    """Records of several files, interleaved, repeated and shuffled as the reader says.

    With `sample_from_datasets_weights` each entry of `input_files` is a source of its own, that is
    drawn from as often as its weight says; one with weight 0 is not opened.

    Args:
        file_read_func: name of a file -> dataset of its records.
        input_files: names of the files, or patterns.
        config: `InputReader` message.
        filename_shard_fn: takes this worker's part of the names.
        seed: of the order.
        start: number of the first record to give; what it is, is sure with a seed only, or without
            shuffling.
        selection: of TFRecord files, those records that are read, in place of `file_read_func`.

    Raises:
        NoInputFilesError: a pattern matches no file.
        DataError: all files are empty, or were changed since the selection was made.
        ConfigError: there are not as many weights as patterns, or none is positive.
    """
    weights = list(config.sample_from_datasets_weights)
    if not weights:
        return _read_alike(
            file_read_func,
            input_files,
            config,
            filename_shard_fn,
            seed,
            start=start,
            selection=selection,
        )
    patterns = [input_files] if isinstance(input_files, str) else list(input_files)
    if len(weights) != len(patterns):
        raise ConfigError(
            f"input_reader.sample_from_datasets_weights has {len(weights)} entries, but there are "
            f"{len(patterns)} input_path; give one weight for each."
        )
    if min(weights) < 0 or not any(weights):
        raise ConfigError(
            f"input_reader.sample_from_datasets_weights is {weights}; weights are 0 or more, one "
            "of them more."
        )
    drawn = [(pattern, weight) for pattern, weight in zip(patterns, weights, strict=True) if weight]

    def read(pattern: str, source: int, first: int) -> tf.data.Dataset:
        return _read_alike(
            file_read_func, pattern, config, filename_shard_fn, seed, source, first, selection
        )

    chosen, positive = [pattern for pattern, _ in drawn], [weight for _, weight in drawn]
    if seed is not None:
        return _weighted(read, chosen, positive, seed, start, ends=bool(config.num_epochs))
    sources = [read(pattern, number, 0) for number, pattern in enumerate(chosen)]
    dataset = tf.data.Dataset.sample_from_datasets(sources, positive)
    return dataset.skip(start) if start else dataset


def shuffle_bytes(config: Any) -> float:
    """About how many bytes of records wait to be shuffled, once reading has gone on for a while.

    Args:
        config: `InputReader` message.

    Raises:
        NoInputFilesError: a pattern matches no file.
    """
    if not config.shuffle or config.shuffle_buffer_size <= 1:
        return 0.0
    patterns = list(config.tf_record_input_reader.input_path)
    weights = list(config.sample_from_datasets_weights)
    sources = [patterns]
    if weights:
        # Each has a buffer of its own.
        sources = [[one] for one, weight in zip(patterns, weights, strict=True) if weight > 0]
    total = 0.0
    for source in sources:
        files = _files(source)
        whole = sum(tf.io.gfile.stat(name).length for name in files)
        total += min(config.shuffle_buffer_size * tfrecord_files.mean_length(files), whole)
    return total
