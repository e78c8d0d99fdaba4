"""`InputReader` message -> tf.data.Dataset of samples or batches.

With a seed, what a dataset gives is a function of the seed and the number of the sample: each epoch
has an order of its own, drawn from its number, and each sample draws from a key of its own. So a
dataset can start at any sample, and gives from there on what it would have given anyway.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import tensorflow.compat.v1 as tf

from object_detection.builders import decoder_builder
from object_detection.core import encoded_image, randomness
from object_detection.core import standard_fields as fields
from object_detection.data_decoders import tf_example_decoder
from object_detection.errors import ConfigError, DataError
from object_detection.protos import input_reader_pb2
from object_detection.utils import tfrecord_files
from object_detection.utils.as_written import as_written

Inputs = fields.InputDataFields
Sample = dict[str, tf.Tensor]

# Files read at the same time where the order does not matter; more would only cost memory.
_MAX_READERS = 8

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


def make_initializable_iterator(dataset: tf.data.Dataset) -> Any:
    """An iterator that is initialised together with the tables of the graph."""
    iterator = tf.data.make_initializable_iterator(dataset)
    tf.add_to_collection(tf.GraphKeys.TABLE_INITIALIZERS, iterator.initializer)
    return iterator


def _interleaved(
    names: tf.data.Dataset,
    file_read_func: Callable[[tf.Tensor], tf.data.Dataset],
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
    file_read_func: Callable[[tf.Tensor], tf.data.Dataset],
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


def _read_alike(
    file_read_func: Callable[[tf.Tensor], tf.data.Dataset],
    input_files: str | Sequence[str],
    config: Any,
    filename_shard_fn: Callable[[tf.data.Dataset], tf.data.Dataset] | None,
    seed: int | None,
    source: int = 0,
    start: int = 0,
) -> tf.data.Dataset:
    """Records of files that are read alike, from record number `start` on."""
    files = _files(input_files)
    epoch = 0
    # Files that are read side by side without shuffling run from one epoch into the next.
    apart = (config.shuffle and seed is not None) or _num_readers(len(files), config) == 1
    if start and apart and not filename_shard_fn and file_read_func is tf.data.TFRecordDataset:
        # Whole epochs are passed by without reading them.
        epoch, start = divmod(start, max(tfrecord_files.count_records(files), 1))
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
    file_read_func: Callable[[tf.Tensor], tf.data.Dataset],
    input_files: str | Sequence[str],
    config: Any,
    filename_shard_fn: Callable[[tf.data.Dataset], tf.data.Dataset] | None = None,
    *,
    seed: int | None = None,
    start: int = 0,
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

    Raises:
        NoInputFilesError: a pattern matches no file.
        DataError: all files are empty.
        ConfigError: there are not as many weights as patterns, or none is positive.
    """
    weights = list(config.sample_from_datasets_weights)
    if not weights:
        return _read_alike(
            file_read_func, input_files, config, filename_shard_fn, seed, start=start
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
        return _read_alike(file_read_func, pattern, config, filename_shard_fn, seed, source, first)

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


def _with_whole_rows(sample: Sample) -> Sample:
    """The sample, refused if one of its lists is not as long as that of its boxes.

    A decoder takes such a record, because it cannot know which of the lists will be used. What a
    record lacks altogether may stay absent, unless it is the classes.
    """
    names = [name for name in tf_example_decoder.PER_BOX if name in sample]
    rows = tf.stack([tf.shape(sample[name])[0] for name in names])
    boxes = sample[Inputs.groundtruth_boxes]
    optional = tf.constant([name != Inputs.groundtruth_classes for name in names])
    absent = optional & tf.equal(rows, 0)
    check = tf.Assert(
        tf.reduce_all(absent | tf.equal(rows, tf.shape(boxes)[0])),
        [
            f"{', '.join(names)}: each should have as many rows. Record, rows of each:",
            sample[Inputs.source_id],
            rows,
        ],
        summarize=len(names),
    )
    with tf.control_dependencies([check]):
        return {**sample, Inputs.groundtruth_boxes: tf.identity(boxes)}


def _elements(
    config: Any, input_context: Any, seed: int | None, start: int, mosaic: Any
) -> tf.data.Dataset:
    """What each sample is made of, from sample `start` on: a record, or a place in a pool of some."""
    # Pools lie at the same records wherever reading starts.
    first = start - start % mosaic.pool_size if mosaic else start
    records = read_dataset(
        tf.data.TFRecordDataset,
        list(config.tf_record_input_reader.input_path),
        config,
        shard_function_for_context(input_context),
        seed=seed,
        start=first * max(config.sample_1_of_n_examples, 1),
    )
    if config.sample_1_of_n_examples > 1:
        records = records.shard(config.sample_1_of_n_examples, 0)
    return mosaic.pools(records).skip(start - first) if mosaic else records


def build(
    input_reader_config: Any,
    batch_size: int | None = None,
    transform_input_data_fn: Callable[[Sample], Sample] | None = None,
    input_context: Any = None,
    reduce_to_frame_fn: Callable[..., tf.data.Dataset] | None = None,
    *,
    drop_remainder: bool | None = None,
    seed: int | None = None,
    start: int = 0,
    in_order: bool | None = None,
    mosaic: Any = None,
    read_image: Callable[[tf.Tensor], encoded_image.Image] | None = None,
) -> tf.data.Dataset:
    """Builds the dataset of an `InputReader` message.

    Args:
        input_reader_config: the message.
        batch_size: samples a batch, padded to the largest; None for single samples. With an
            `input_context` it is the size over all its replicas.
        transform_input_data_fn: sample -> sample, run in parallel.
        input_context: `tf.distribute.InputContext`; this pipeline reads its part of the files.
        reduce_to_frame_fn: (dataset of clips, map function, batch size, message) -> dataset of
            frames, for sequence examples; the map function takes (dataset, function, batch size,
            message).
        drop_remainder: whether a last batch that is not full is left out; by default as the
            message says.
        seed: of the order, and of what draws from `core.randomness` in `transform_input_data_fn`;
            with one, both are the same in each run.
        start: number of the first sample to give, counted over all epochs. Those before are not
            decoded, and whole epochs are not even read.
        in_order: whether samples come in the order of their records however long each takes; by
            default with a seed or without shuffling.
        mosaic: makes one sample of several records; see `inputs.mosaic`. None: one of each.
        read_image: gives the picture of a file, [] string; by default it is decoded.

    Raises:
        ConfigError: something is not set, contradicts itself or is not a message; a mosaic of
            sequences.
        DataError: a pattern matches no file, or there is no record.
    """
    decoder = decoder_builder.build(input_reader_config, read_image)
    if not input_reader_config.tf_record_input_reader.input_path:
        raise ConfigError("tf_record_input_reader.input_path is empty.")
    if drop_remainder is None:
        drop_remainder = input_reader_config.drop_remainder
    if batch_size and input_context is not None:
        batch_size = input_context.get_per_replica_batch_size(batch_size)
    if in_order is None:
        in_order = seed is not None or not input_reader_config.shuffle
    of_frames = input_reader_config.input_type == input_reader_pb2.TF_SEQUENCE_EXAMPLE
    if mosaic is not None and (of_frames or reduce_to_frame_fn):
        raise ConfigError("data_augmentation_options: mosaic joins no frames of sequences.")
    dataset = _elements(input_reader_config, input_context, seed, start, mosaic)

    @as_written
    def decode(record: tf.Tensor) -> Sample:
        sample = decoder.decode(record)
        return sample if of_frames else _with_whole_rows(sample)

    def map_samples(
        samples: tf.data.Dataset,
        fn_to_map: Callable[..., Any],
        batch_size: int | None = None,
        input_reader_config: Any = None,
    ) -> tf.data.Dataset:
        # How many samples are worked on at a time is TensorFlow's choice, not the message's.
        del batch_size, input_reader_config
        return samples.map(fn_to_map, num_parallel_calls=tf.data.AUTOTUNE, deterministic=in_order)

    if reduce_to_frame_fn:
        clips = map_samples(dataset, decode)
        dataset = reduce_to_frame_fn(clips, map_samples, batch_size, input_reader_config)
        if transform_input_data_fn:
            dataset = map_samples(dataset, transform_input_data_fn)
    else:
        transform = transform_input_data_fn or (lambda sample: sample)

        def sample_of(*element: tf.Tensor) -> Sample:
            return transform(mosaic.sample(*element, decode) if mosaic else decode(*element))

        if seed is None:
            dataset = map_samples(dataset, sample_of)
        else:

            def prepare(number: tf.Tensor, element: Any) -> Sample:
                with randomness.keyed(randomness.key(seed, randomness.SAMPLES, number)):
                    return sample_of(*(element if mosaic else (element,)))

            dataset = map_samples(dataset.enumerate(start=start), prepare)
    if batch_size:
        dataset = dataset.padded_batch(
            batch_size,
            padded_shapes=tf.data.get_output_shapes(dataset),
            drop_remainder=drop_remainder,
        )
    return dataset.prefetch(max(input_reader_config.num_prefetch_batches, 1))
