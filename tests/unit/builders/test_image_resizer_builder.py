import numpy as np
import pytest
import tensorflow.compat.v1 as tf
from google.protobuf import text_format

from object_detection.builders import image_resizer_builder
from object_detection.errors import ConfigError
from object_detection.protos import image_resizer_pb2


def _build(text):
    return image_resizer_builder.build(text_format.Parse(text, image_resizer_pb2.ImageResizer()))


KEEP = "keep_aspect_ratio_resizer {{ min_dimension: 10 max_dimension: 20 {} }}"
FIXED = "fixed_shape_resizer {{ height: 10 width: 20 {} }}"
CONDITION = "conditional_shape_resizer {{ size_threshold: 30 {} }}"

# Text, size of the picture, shape of the result, true shape.
RESIZERS = [
    (KEEP.format(""), (50, 25), (20, 10, 3), [20, 10, 3]),
    (KEEP.format(""), (17, 17), (10, 10, 3), [10, 10, 3]),
    (KEEP.format("pad_to_max_dimension: true"), (50, 40), (20, 20, 3), [12, 10, 3]),
    (KEEP.format("convert_to_grayscale: true"), (50, 25), (20, 10, 1), [20, 10, 1]),
    (
        KEEP.format("convert_to_grayscale: true pad_to_max_dimension: true"),
        (50, 40),
        (20, 20, 1),
        [12, 10, 1],
    ),
    (FIXED.format(""), (50, 25), (10, 20, 3), [10, 20, 3]),
    (FIXED.format("convert_to_grayscale: true"), (50, 25), (10, 20, 1), [10, 20, 1]),
    ("identity_resizer {}", (50, 25), (50, 25, 3), [50, 25, 3]),
    (CONDITION.format(""), (60, 20), (30, 10, 3), [30, 10, 3]),
    (CONDITION.format(""), (20, 10), (20, 10, 3), [20, 10, 3]),
    (CONDITION.format("condition: SMALLER"), (60, 20), (90, 30, 3), [90, 30, 3]),
    (CONDITION.format("condition: SMALLER"), (60, 40), (60, 40, 3), [60, 40, 3]),
    (CONDITION.format("convert_to_grayscale: true"), (60, 20), (30, 10, 1), [30, 10, 1]),
    ("pad_to_multiple_resizer { multiple: 32 }", (33, 20), (64, 32, 3), [33, 20, 3]),
    (
        "pad_to_multiple_resizer { multiple: 32 convert_to_grayscale: true }",
        (33, 20),
        (64, 32, 1),
        [33, 20, 1],
    ),
]


@pytest.mark.parametrize(("text", "size", "shape", "true_shape"), RESIZERS)
def test_shapes(text, size, shape, true_shape, run):
    resize = _build(text)
    unknown = tf.placeholder_with_default(tf.ones([*size, 3]), [None, None, 3])
    masks = tf.ones([2, *size])
    results = run([resize(unknown), resize(tf.ones([*size, 3]), masks)])
    assert [len(result) for result in results] == [2, 3]
    for result in results:
        assert result[0].shape == shape
        assert result[-1].tolist() == true_shape
    assert results[1][1].shape == (2, *shape[:2])


@pytest.mark.parametrize(
    ("name", "method"),
    [
        ("BILINEAR", tf.image.ResizeMethod.BILINEAR),
        ("NEAREST_NEIGHBOR", tf.image.ResizeMethod.NEAREST_NEIGHBOR),
        ("BICUBIC", tf.image.ResizeMethod.BICUBIC),
        ("AREA", tf.image.ResizeMethod.AREA),
    ],
)
def test_methods(name, method, run):
    image = tf.constant(np.random.RandomState(1).uniform(0, 255, [9, 7, 3]), tf.float32)
    fixed = _build(FIXED.format(f"resize_method: {name}"))(image)[0]
    kept = _build(KEEP.format(f"resize_method: {name}"))(image)[0]
    expected = [tf.image.resize_images(image, size, method=method) for size in ((10, 20), (13, 10))]
    for result, value in zip(run([fixed, kept]), run(expected), strict=True):
        np.testing.assert_allclose(result, value, rtol=1e-6)


def test_colour_of_the_padding(run):
    text = "pad_to_max_dimension: true per_channel_pad_value: [1, 2, 3]"
    image = run(_build(KEEP.format(text))(tf.zeros([20, 10, 3]))[0])
    assert (image[:, :10] == 0).all()
    assert (image[:, 10:] == [1, 2, 3]).all()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "No image_resizer"),
        (
            "keep_aspect_ratio_resizer { min_dimension: 9 max_dimension: 8 }",
            "above max_dimension 8",
        ),
        ("conditional_shape_resizer { condition: INVALID }", "GREATER or SMALLER"),
        ("pad_to_multiple_resizer { multiple: 0 }", "1 or more"),
    ],
)
def test_what_is_refused(text, words):
    with pytest.raises(ConfigError, match=words):
        _build(text)


def test_only_messages_build():
    with pytest.raises(ValueError, match="expected an ImageResizer message"):
        image_resizer_builder.build("fixed_shape_resizer {}")
