"""Training samples of files that are decoded in part, against those of whole decoded pictures."""

import io
import types

import numpy as np
import PIL.Image
import pytest
import tensorflow.compat.v1 as tf
from google.protobuf import text_format

from object_detection import inputs
from object_detection.core import encoded_image
from object_detection.core.standard_fields import InputDataFields as F
from object_detection.errors import ConfigError
from object_detection.protos import input_reader_pb2, model_pb2, train_pb2
from object_detection.utils.dataset_util import (
    bytes_feature,
    float_list_feature,
    int64_list_feature,
)

pytestmark = pytest.mark.filterwarnings("ignore:Seed .* from outer graph")

MODEL = "ssd { num_classes: 1 image_resizer { fixed_shape_resizer { height: 24 width: 32 } } }"


@pytest.fixture(scope="module")
def record(tmp_path_factory):
    path = str(tmp_path_factory.mktemp("records") / "some.record")
    rng = np.random.RandomState(0)
    with tf.python_io.TFRecordWriter(path) as writer:
        for number, (kind, size) in enumerate(
            [("JPEG", (97, 70)), ("JPEG", (64, 120)), ("PNG", (80, 60)), ("JPEG", (150, 101))]
        ):
            stream = io.BytesIO()
            small = rng.randint(0, 255, [9, 9, 3]).astype(np.uint8)
            PIL.Image.fromarray(small).resize(size).save(stream, kind)
            corners = np.sort(rng.uniform(0, 1, [2, 2, 5]), axis=0).astype(np.float32)
            points = rng.uniform(0, 1, [2, 10]).astype(np.float32)
            content = {
                "image/encoded": bytes_feature(stream.getvalue()),
                "image/source_id": bytes_feature(b"%d" % number),
                "image/object/class/label": int64_list_feature([1] * 5),
                "image/object/bbox/ymin": float_list_feature(corners[0, 0]),
                "image/object/bbox/xmin": float_list_feature(corners[0, 1]),
                "image/object/bbox/ymax": float_list_feature(corners[1, 0]),
                "image/object/bbox/xmax": float_list_feature(corners[1, 1]),
                "image/object/keypoint/y": float_list_feature(points[0]),
                "image/object/keypoint/x": float_list_feature(points[1]),
            }
            example = tf.train.Example(features=tf.train.Features(feature=content))
            writer.write(example.SerializeToString())
    return path


def _batches(record, steps, count=4, fast=False, takes_bytes=True, seen=None):
    options = "".join(f"data_augmentation_options {{ {step} }} " for step in steps)

    def preprocess(images):
        if seen is not None:
            seen.append(images.dtype)
        return tf.image.resize_images(images, [24, 32]), tf.constant([[24, 32, 3]])

    model = types.SimpleNamespace(preprocess=preprocess, takes_bytes=takes_bytes)
    reader = text_format.Parse(
        f"num_keypoints: 2 fast_jpeg_scaling: {str(fast).lower()} tf_record_input_reader {{ input_path: '{record}' }}",
        input_reader_pb2.InputReader(),
    )
    with tf.Graph().as_default(), tf.Session() as session:
        dataset = inputs.training_dataset(
            text_format.Parse(f"batch_size: 3 {options}", train_pb2.TrainConfig()),
            reader,
            text_format.Parse(MODEL, model_pb2.DetectionModel()),
            model,
            seed=5,
        )
        operations = {
            node.op
            for function in tf.get_default_graph().as_graph_def().library.function
            for node in function.node_def
        }
        iterator = tf.data.make_initializable_iterator(dataset)
        batch = iterator.get_next()
        session.run([iterator.initializer, tf.tables_initializer()])
        return [session.run(batch) for _ in range(count)], operations


FLIP = "random_horizontal_flip { keypoint_flip_permutation: [1, 0] }"
UPSIDE_DOWN = "random_vertical_flip { keypoint_flip_permutation: [0, 1] }"


@pytest.mark.parametrize(
    "steps",
    [
        pytest.param([FLIP, "ssd_random_crop {}"], id="as in the example"),
        pytest.param(
            [
                "random_crop_image { random_coef: 0.3 }",
                UPSIDE_DOWN,
                "random_crop_to_aspect_ratio { aspect_ratio: 1.5 }",
                FLIP,
                "ssd_random_crop_fixed_aspect_ratio {}",
            ],
            id="several crops and flips",
        ),
        pytest.param(
            [
                "ssd_random_crop {}",
                "random_adjust_brightness {}",
                FLIP,
                "random_pad_image {}",
                "random_crop_image {}",
            ],
            id="pixels are needed in between",
        ),
        pytest.param([FLIP, "mosaic { probability: 0.5 }"], id="mosaic"),
    ],
)
def test_samples_are_those_of_whole_pictures(steps, record, monkeypatch):
    in_part, operations = _batches(record, steps)
    assert "DecodeAndCropJpeg" in operations
    monkeypatch.setattr(encoded_image, "from_file", encoded_image.decode)
    whole, operations = _batches(record, steps)
    assert "DecodeAndCropJpeg" not in operations
    for ours, theirs in zip(in_part, whole, strict=True):
        assert set(ours) == set(theirs)
        for name, value in theirs.items():
            np.testing.assert_array_equal(ours[name], value, err_msg=name)
    assert len({batch[F.image].tobytes() for batch in whole}) == len(whole)


@pytest.mark.parametrize(
    ("takes_bytes", "steps", "expected"),
    [
        pytest.param(True, [FLIP, "ssd_random_crop {}"], tf.uint8, id="as they were decoded"),
        pytest.param(True, ["random_adjust_brightness {}"], tf.float32, id="changed before"),
        pytest.param(False, [FLIP, "ssd_random_crop {}"], tf.float32, id="a model of numbers"),
    ],
)
def test_models_get_bytes_if_they_take_them(takes_bytes, steps, expected, record):
    seen, numbers = [], []
    found, _ = _batches(record, steps, 1, takes_bytes=takes_bytes, seen=seen)
    assert set(seen) == {expected}
    of_numbers, _ = _batches(record, steps, 1, takes_bytes=False, seen=numbers)
    assert set(numbers) == {tf.float32}
    np.testing.assert_array_equal(found[0][F.image], of_numbers[0][F.image])


def test_fast_scaling_changes_the_pixels_a_little_and_nothing_else(record):
    steps = [FLIP, "ssd_random_crop {}", "random_adjust_brightness {}"]
    slow, fast = (_batches(record, steps, fast=choice)[0] for choice in (False, True))
    for ours, theirs in zip(fast, slow, strict=True):
        for name in set(theirs) - {F.image}:
            np.testing.assert_array_equal(ours[name], theirs[name], err_msg=name)
    pictures, expected = (np.concatenate([one[F.image] for one in it]) for it in (fast, slow))
    difference = np.abs(pictures - expected).mean(axis=(1, 2, 3))
    # Some files are PNG, and some crops too small to be reduced.
    assert 0 < np.count_nonzero(difference) < len(difference)
    spread = expected.std(axis=(1, 2, 3))
    assert (difference < 0.25 * spread).all()


def test_fast_scaling_is_refused_where_pixels_are_counted(record):
    with pytest.raises(ConfigError, match="random_pad_image counts in pixels"):
        _batches(record, ["random_pad_image {}"], fast=True)
