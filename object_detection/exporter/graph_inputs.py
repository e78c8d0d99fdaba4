"""Placeholders of an exported graph, and the pictures behind them."""

from collections.abc import Sequence

import tensorflow.compat.v1 as tf

from object_detection.builders import decoder_builder
from object_detection.core import standard_fields as fields
from object_detection.errors import ConfigError
from object_detection.protos import input_reader_pb2
from object_detection.registry import Table

Shape = Sequence[int | None]
INPUTS = Table("input_type")


def _spatial_shape(input_shape: Shape | None) -> list[int | None]:
    if input_shape is None:
        return [None, None, None, 3]
    if len(input_shape) != 4:
        raise ConfigError(
            f"input_shape should be 4 numbers (batch, height, width, 3), got {input_shape}; "
            "-1 stands for a size that is not known."
        )
    return list(input_shape)


@INPUTS.entry("image_tensor")
def _image_tensor(input_shape: Shape | None) -> tuple[tf.Tensor, tf.Tensor]:
    images = tf.placeholder(tf.uint8, _spatial_shape(input_shape), name="image_tensor")
    return images, images


def _decode_images(encoded: tf.Tensor, shape: Shape) -> tf.Tensor:
    def decode(one: tf.Tensor) -> tf.Tensor:
        image = tf.image.decode_image(one, channels=3, expand_animations=False)
        image.set_shape([None, None, 3])
        return image

    images = tf.map_fn(decode, encoded, fn_output_signature=tf.uint8)
    images.set_shape(shape)
    return images


@INPUTS.entry("encoded_image_string_tensor")
def _encoded_image_string_tensor(
    input_shape: Shape | None,
) -> tuple[tf.Tensor, tf.Tensor]:
    shape = _spatial_shape(input_shape)
    encoded = tf.placeholder(tf.string, [shape[0]], name="encoded_image_string_tensor")
    return encoded, _decode_images(encoded, shape)


@INPUTS.entry("tf_example")
def _tf_example(input_shape: Shape | None) -> tuple[tf.Tensor, tf.Tensor]:
    shape = _spatial_shape(input_shape)
    serialized = tf.placeholder(tf.string, [shape[0]], name="tf_example")
    decoder = decoder_builder.build(
        input_reader_pb2.InputReader(tf_record_input_reader=input_reader_pb2.TFRecordInputReader())
    )

    def decode(one: tf.Tensor) -> tf.Tensor:
        image = decoder.decode(one)[fields.InputDataFields.image]
        image.set_shape([None, None, 3])
        return image

    images = tf.map_fn(decode, serialized, fn_output_signature=tf.uint8)
    images.set_shape(shape)
    return serialized, images
