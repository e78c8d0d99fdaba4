"""Datasets of (features, labels) and the functions that make them, as programs for the OD API use.

Axes: B images, M groundtruth boxes (padded), C classes, K keypoints.
"""

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import tensorflow.compat.v1 as tf

from object_detection.builders import (
    dataset_builder,
    image_resizer_builder,
    model_builder,
)
from object_detection.core import encoded_image
from object_detection.core import standard_fields as fields
from object_detection.core.model import DetectionModel
from object_detection.data_decoders import tf_example_decoder
from object_detection.inputs import image_reading, mosaic
from object_detection.inputs.static_shapes import pad_input_data_to_static_shapes
from object_detection.inputs.transform import augment_input_data, transform_input_data
from object_detection.protos import (
    eval_pb2,
    image_resizer_pb2,
    input_reader_pb2,
    model_pb2,
    train_pb2,
)
from object_detection.utils import config_util, ops

Inputs = fields.InputDataFields
Sample = dict[str, tf.Tensor]

HASH_KEY = "hash"
HASH_BINS = 1 << 31
SERVING_FED_EXAMPLE_KEY = "serialized_example"

# Users put their own functions in.
INPUT_BUILDER_UTIL_MAP: dict[str, Callable[..., Any]] = {
    "dataset_build": dataset_builder.build,
    "model_build": model_builder.build,
}

_FEATURES = (
    Inputs.image,
    Inputs.true_image_shape,
    Inputs.original_image_spatial_shape,
    Inputs.original_image,
    Inputs.image_additional_channels,
    Inputs.context_features,
    Inputs.valid_context_size,
    Inputs.context_features_image_id_list,
)
_LABELS = (
    Inputs.num_groundtruth_boxes,
    Inputs.groundtruth_boxes,
    Inputs.groundtruth_classes,
    Inputs.groundtruth_weights,
    Inputs.groundtruth_confidences,
    Inputs.groundtruth_labeled_classes,
    Inputs.groundtruth_image_classes,
    Inputs.groundtruth_image_confidences,
    Inputs.groundtruth_verified_neg_classes,
    Inputs.groundtruth_not_exhaustive_classes,
    Inputs.groundtruth_keypoints,
    Inputs.groundtruth_keypoint_visibilities,
    Inputs.groundtruth_keypoint_flags,
    Inputs.groundtruth_keypoint_weights,
    Inputs.groundtruth_keypoint_depths,
    Inputs.groundtruth_keypoint_depth_weights,
    Inputs.groundtruth_instance_masks,
    Inputs.groundtruth_instance_mask_weights,
    Inputs.groundtruth_area,
    Inputs.groundtruth_is_crowd,
    Inputs.groundtruth_group_of,
    Inputs.groundtruth_difficult,
    Inputs.groundtruth_dp_num_points,
    Inputs.groundtruth_dp_part_ids,
    Inputs.groundtruth_dp_surface_coords,
    Inputs.groundtruth_track_ids,
    Inputs.groundtruth_temporal_offset,
    Inputs.groundtruth_track_match_flags,
)


class PredictInput(NamedTuple):
    """Where serving puts in serialised examples, and what the model gets of them."""

    features: dict[str, tf.Tensor]
    receiver_tensors: dict[str, tf.Tensor]


def _check_type(config: Any, kind: type, name: str) -> None:
    if not isinstance(config, kind):
        raise TypeError(f"{name} should be a {kind.__name__} message, got {type(config).__name__}.")


def _features(sample: Sample, include_source_id: bool) -> Sample:
    """What a model predicts from, with a number that tells pictures apart."""
    source_id = sample[Inputs.source_id]
    # Pictures without a name must not all seem to be the same, nor be so in each run: hence an
    # operation that no seed reaches.
    source_id = tf.where(
        tf.equal(source_id, ""),
        tf.as_string(
            tf.raw_ops.RandomUniformInt(
                shape=tf.zeros([0], tf.int32), minval=tf.constant(0, tf.int64), maxval=tf.int64.max
            )
        ),
        source_id,
    )
    features = {key: sample[key] for key in _FEATURES if key in sample}
    features[HASH_KEY] = tf.cast(tf.strings.to_hash_bucket_fast(source_id, HASH_BINS), tf.int32)
    if include_source_id:
        features[Inputs.source_id] = source_id
    return features


def _labels(sample: Sample) -> Sample:
    """What a model is trained towards and evaluated with."""
    labels = {key: sample[key] for key in _LABELS if key in sample}
    if Inputs.groundtruth_difficult in labels:
        labels[Inputs.groundtruth_difficult] = tf.cast(
            labels[Inputs.groundtruth_difficult], tf.int32
        )
    return labels


def _dataset(
    input_config: Any,
    model_config: Any,
    batch_size: int,
    transform: Callable[[Sample], Sample],
    is_training: bool,
    input_context: Any,
    joiner: mosaic.Mosaic | None = None,
    read_image: Callable[[tf.Tensor], encoded_image.Image] | None = None,
) -> tf.data.Dataset:
    resizer_config = config_util.get_image_resizer_config(model_config)

    def features_and_labels(sample: Sample) -> tuple[Sample, Sample]:
        sample = pad_input_data_to_static_shapes(
            transform(sample),
            max_num_boxes=input_config.max_number_of_boxes,
            num_classes=config_util.get_number_of_classes(model_config),
            spatial_image_shape=config_util.get_spatial_image_size(resizer_config),
            max_num_context_features=config_util.get_max_num_context_features(model_config),
            context_feature_length=config_util.get_context_feature_length(model_config),
        )
        return _features(sample, input_config.include_source_id), _labels(sample)

    sequences = input_config.input_type == input_reader_pb2.TF_SEQUENCE_EXAMPLE
    build = INPUT_BUILDER_UTIL_MAP["dataset_build"]
    dataset: tf.data.Dataset = build(
        input_config,
        transform_input_data_fn=features_and_labels,
        batch_size=batch_size,
        input_context=input_context,
        reduce_to_frame_fn=(
            get_reduce_to_frame_fn(input_config, is_training) if sequences else None
        ),
        # Users' functions need not know of mosaics, nor of pictures that are not decoded.
        **({"mosaic": joiner} if joiner else {}),
        **({"read_image": read_image} if build is dataset_builder.build else {}),
    )
    return dataset


def _preprocess_fn(model: DetectionModel | None, model_config: Any, is_training: bool) -> Any:
    if model is None:
        model = INPUT_BUILDER_UTIL_MAP["model_build"](model_config, is_training=is_training)
    return model.preprocess


def train_input(
    train_config: Any,
    train_input_config: Any,
    model_config: Any,
    model: DetectionModel | None = None,
    params: dict[str, Any] | None = None,
    input_context: Any = None,
) -> tf.data.Dataset:
    """Augmented batches for training.

    Args:
        train_config: `TrainConfig` message.
        train_input_config: `InputReader` message.
        model_config: `DetectionModel` message.
        model: gives `preprocess`; built from `model_config` by default.
        params: `batch_size` in it wins over the config's.
        input_context: `tf.distribute.InputContext`; this pipeline reads its part of the files.

    Returns:
        Pairs of features and labels, M boxes a picture. Features: `image` [B, h, w, C], `hash`
        [B] int32, `true_image_shape` [B, 3], `original_image_spatial_shape` [B, 2], on request
        `original_image` and `source_id`. Labels: `num_groundtruth_boxes` [B],
        `groundtruth_boxes` [B, M, 4], `groundtruth_classes` and `groundtruth_confidences`
        [B, M, C], `groundtruth_weights` [B, M], and what else the records hold.

    Raises:
        TypeError: a config of another type.
        ConfigError: `fast_jpeg_scaling` of the reader cannot be done.
    """
    _check_type(train_config, train_pb2.TrainConfig, "train_config")
    _check_type(train_input_config, input_reader_pb2.InputReader, "train_input_config")
    _check_type(model_config, model_pb2.DetectionModel, "model_config")
    joiner, steps = mosaic.build(train_config.data_augmentation_options, model_config)
    transform = functools.partial(
        transform_input_data,
        model_preprocess_fn=_preprocess_fn(model, model_config, is_training=True),
        image_resizer_fn=image_resizer_builder.build(
            config_util.get_image_resizer_config(model_config)
        ),
        num_classes=config_util.get_number_of_classes(model_config),
        data_augmentation_fn=functools.partial(augment_input_data, data_augmentation_options=steps),
        merge_multiple_boxes=train_config.merge_multiple_label_boxes,
        retain_original_image=train_config.retain_original_images,
        use_multiclass_scores=train_config.use_multiclass_scores,
        use_bfloat16=train_config.use_bfloat16,
        keypoint_type_weight=list(train_input_config.keypoint_type_weight) or None,
    )
    return _dataset(
        train_input_config,
        model_config,
        params["batch_size"] if params else train_config.batch_size,
        transform,
        True,
        input_context,
        joiner,
        image_reading.image_reader(train_config, train_input_config, model_config),
    )


def _without_resizing(model_config: Any) -> Any:
    changed = type(model_config)()
    changed.CopyFrom(model_config)
    config_util.get_image_resizer_config(changed).CopyFrom(
        image_resizer_pb2.ImageResizer(identity_resizer=image_resizer_pb2.IdentityResizer())
    )
    return changed


def eval_input(
    eval_config: Any,
    eval_input_config: Any,
    model_config: Any,
    model: DetectionModel | None = None,
    params: dict[str, Any] | None = None,
    input_context: Any = None,
) -> tf.data.Dataset:
    """Batches for evaluation, without augmentation.

    Args:
        eval_config: `EvalConfig` message.
        eval_input_config: `InputReader` message.
        model_config: `DetectionModel` message.
        model: gives `preprocess`; built from `model_config` by default.
        params: `batch_size` in it wins over the config's.
        input_context: `tf.distribute.InputContext`; this pipeline reads its part of the files.

    Returns:
        Pairs of features and labels as of `train_input`.

    Raises:
        TypeError: a config of another type.
    """
    _check_type(eval_config, eval_pb2.EvalConfig, "eval_config")
    _check_type(eval_input_config, input_reader_pb2.InputReader, "eval_input_config")
    _check_type(model_config, model_pb2.DetectionModel, "model_config")
    if eval_config.force_no_resize:
        model_config = _without_resizing(model_config)
    transform = functools.partial(
        transform_input_data,
        # The weights do not matter here, and no detections are made from this model.
        model_preprocess_fn=_preprocess_fn(model, model_config, is_training=True),
        image_resizer_fn=image_resizer_builder.build(
            config_util.get_image_resizer_config(model_config)
        ),
        num_classes=config_util.get_number_of_classes(model_config),
        retain_original_image=eval_config.retain_original_images,
        retain_original_image_additional_channels=(
            eval_config.retain_original_image_additional_channels
        ),
        keypoint_type_weight=list(eval_input_config.keypoint_type_weight) or None,
        image_classes_field_map_empty_to_ones=eval_config.image_classes_field_map_empty_to_ones,
    )
    return _dataset(
        eval_input_config,
        model_config,
        params["batch_size"] if params else eval_config.batch_size,
        transform,
        False,
        input_context,
    )


def create_train_input_fn(
    train_config: Any, train_input_config: Any, model_config: Any
) -> Callable[..., tf.data.Dataset]:
    """A function of `params=None` that gives `train_input` of the configs."""

    def _train_input_fn(params: dict[str, Any] | None = None) -> tf.data.Dataset:
        return train_input(train_config, train_input_config, model_config, params=params)

    return _train_input_fn


def create_eval_input_fn(
    eval_config: Any, eval_input_config: Any, model_config: Any
) -> Callable[..., tf.data.Dataset]:
    """A function of `params=None` that gives `eval_input` of the configs."""

    def _eval_input_fn(params: dict[str, Any] | None = None) -> tf.data.Dataset:
        return eval_input(eval_config, eval_input_config, model_config, params=params)

    return _eval_input_fn


def create_predict_input_fn(
    model_config: Any, predict_input_config: Any
) -> Callable[..., PredictInput]:
    """A function of `params=None` that adds the input of a serving program to the graph.

    Args:
        model_config: `DetectionModel` message.
        predict_input_config: `InputReader` message.

    Returns:
        The function. Its result has `features`: `image` [1, h, w, C] float32 and
        `true_image_shape` [1, 3]; and `receiver_tensors`: `serialized_example`, a scalar
        placeholder for a serialised tf.train.Example.
    """

    def _predict_input_fn(params: dict[str, Any] | None = None) -> PredictInput:
        del params
        example = tf.placeholder(tf.string, [], name="tf_example")
        decoder = tf_example_decoder.TfExampleDecoder(
            load_instance_masks=False,
            num_additional_channels=predict_input_config.num_additional_channels,
        )
        sample = transform_input_data(
            decoder.decode(example),
            model_preprocess_fn=_preprocess_fn(None, model_config, is_training=False),
            image_resizer_fn=image_resizer_builder.build(
                config_util.get_image_resizer_config(model_config)
            ),
            num_classes=config_util.get_number_of_classes(model_config),
        )
        return PredictInput(
            features={
                Inputs.image: tf.cast(sample[Inputs.image], tf.float32)[tf.newaxis],
                Inputs.true_image_shape: sample[Inputs.true_image_shape][tf.newaxis],
            },
            receiver_tensors={SERVING_FED_EXAMPLE_KEY: example},
        )

    return _predict_input_fn


_PER_FRAME = frozenset(fields.SEQUENCE_FIELDS)

MapFunction = Callable[[tf.data.Dataset, Callable[[Sample], Sample], Any, Any], tf.data.Dataset]


def get_reduce_to_frame_fn(
    input_reader_config: Any, is_training: bool
) -> Callable[[tf.data.Dataset, MapFunction, Any, Any], tf.data.Dataset]:
    """What turns sequences into frames, for a reader of sequences; for others nothing changes.

    Training takes one frame of each sequence, `frame_index` or any; evaluation takes that frame,
    or all of them if it is not set.

    Args:
        input_reader_config: `InputReader` message.
        is_training: whether the frames are for training.

    Returns:
        A function of (dataset, dataset_map_fn, batch_size, config) -> dataset;
        `dataset_map_fn(dataset, function, batch_size, config)` maps a function over a dataset.
    """
    if input_reader_config.input_type != input_reader_pb2.TF_SEQUENCE_EXAMPLE:
        return lambda dataset, dataset_map_fn, batch_size, config: dataset
    index = input_reader_config.frame_index

    def one_frame(sample: Sample) -> Sample:
        count = tf.shape(sample[Inputs.groundtruth_boxes])[0]
        frame = (
            tf.random.uniform([], maxval=count, dtype=tf.int32)
            if index == -1
            else tf.constant(index, tf.int32)
        )
        return {key: value[frame] if key in _PER_FRAME else value for key, value in sample.items()}

    def reduce_to_frame(
        dataset: tf.data.Dataset, dataset_map_fn: MapFunction, batch_size: Any, config: Any
    ) -> tf.data.Dataset:
        if is_training or index > -1:
            dataset = dataset_map_fn(dataset, one_frame, batch_size, config)
        else:
            dataset = dataset_map_fn(dataset, ops.tile_context_tensors, batch_size, config)
            dataset = dataset.unbatch()
        # Only the frames that are used are decoded.
        return dataset_map_fn(dataset, ops.decode_image, batch_size, config)

    return reduce_to_frame
