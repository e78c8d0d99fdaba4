"""`InputReader` message -> tf.data.Dataset of samples or batches.

With a seed, what a dataset gives is a function of the seed and the number of the sample: each epoch
has an order of its own (`record_reading`), and each sample draws from a key of its own. So a
dataset can start at any sample, and gives from there on what it would have given anyway.
"""

from collections.abc import Callable
from typing import Any

import tensorflow.compat.v1 as tf

from object_detection.builders import decoder_builder, record_reading
from object_detection.builders.record_selection import Selection
from object_detection.core import encoded_image, randomness
from object_detection.core import standard_fields as fields
from object_detection.data_decoders import tf_example_decoder
from object_detection.errors import ConfigError
from object_detection.protos import input_reader_pb2
from object_detection.utils.as_written import as_written
from object_detection.utils.processors import usable_processors

Inputs = fields.InputDataFields
Sample = dict[str, tf.Tensor]

# Reading is a page of its own; users find these here.
NoInputFilesError = record_reading.NoInputFilesError
read_dataset = record_reading.read_dataset
shuffle_bytes = record_reading.shuffle_bytes


def make_initializable_iterator(dataset: tf.data.Dataset) -> Any:
    """An iterator that is initialised together with the tables of the graph."""
    iterator = tf.data.make_initializable_iterator(dataset)
    tf.add_to_collection(tf.GraphKeys.TABLE_INITIALIZERS, iterator.initializer)
    return iterator


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
    config: Any,
    input_context: Any,
    seed: int | None,
    start: int,
    mosaic: Any,
    selection: Selection | None,
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
        selection=selection,
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
    selection: Selection | None = None,
    mend: Callable[[Sample], Sample] | None = None,
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
        selection: the records that are read; see `record_selection`. None: all.
        mend: decoded sample -> sample, before all that is done to it; not for sequences.

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
    dataset = _elements(input_reader_config, input_context, seed, start, mosaic, selection)

    @as_written
    def decode(record: tf.Tensor) -> Sample:
        sample = decoder.decode(record)
        if of_frames:
            return sample
        sample = _with_whole_rows(sample)
        return mend(sample) if mend else sample

    def map_samples(
        samples: tf.data.Dataset,
        fn_to_map: Callable[..., Any],
        batch_size: int | None = None,
        input_reader_config: Any = None,
    ) -> tf.data.Dataset:
        # How many samples are worked on at a time is the machine's matter, not the message's.
        del batch_size, input_reader_config
        return samples.map(
            fn_to_map, num_parallel_calls=usable_processors(), deterministic=in_order
        )

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
    # All numbers of threads are said. To find better ones, TensorFlow would take the time of each
    # operation of each sample, which costs as much as some of them do.
    options = tf.data.Options()
    options.autotune.enabled = False
    dataset = dataset.prefetch(max(input_reader_config.num_prefetch_batches, 1))
    return dataset.with_options(options)
