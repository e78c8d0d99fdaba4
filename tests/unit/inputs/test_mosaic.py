import io

import numpy as np
import pytest
import tensorflow.compat.v1 as tf
from google.protobuf import text_format
from PIL import Image

from object_detection import inputs
from object_detection.builders import dataset_builder
from object_detection.core import randomness
from object_detection.core import standard_fields as fields
from object_detection.errors import ConfigError
from object_detection.inputs import mosaic
from object_detection.protos import (
    input_reader_pb2,
    model_pb2,
    preprocessor_pb2,
    train_pb2,
)

Inputs = fields.InputDataFields
NAN = float("nan")
SIZE = (120, 160)
COLORS = np.array(
    [[[255, 0, 0], [0, 255, 0]], [[0, 0, 255], [255, 255, 0]], [[255, 0, 255], [0, 255, 255]],
     [[255, 255, 255], [255, 128, 0]], [[0, 128, 255], [128, 255, 0]]]
)  # fmt: skip
SHAPES = ((90, 70), (50, 120), (100, 100), (160, 80), (60, 60))
RADIUS = 4


def _picture(number):
    """A grey picture with two dots of its own colours, and their middles in pixels [2, 2]."""
    height, width = SHAPES[number]
    y, x = np.mgrid[0:height, 0:width] + 0.5
    image = np.full([height, width, 3], 20, np.uint8)
    points = np.array([[0.3 * height, 0.35 * width], [0.7 * height, 0.6 * width]])
    for point, color in zip(points, COLORS[number], strict=True):
        image[(y - point[0]) ** 2 + (x - point[1]) ** 2 <= RADIUS**2] = color
    return image, points


def _part(number, masks=True):
    """One box around each dot, with the dot as its first keypoint; the second is absent."""
    image, points = _picture(number)
    size = np.array(image.shape[:2])
    boxes = np.concatenate([points - RADIUS, points + RADIUS], axis=1) / np.tile(size, 2)
    keypoints = np.full([2, 2, 2], NAN)
    keypoints[:, 0] = points / size
    part = {
        Inputs.image: tf.constant(image, tf.float32),
        Inputs.source_id: tf.constant(str(number)),
        Inputs.original_image_spatial_shape: tf.constant(size, tf.int32),
        Inputs.groundtruth_boxes: tf.constant(boxes, tf.float32),
        Inputs.groundtruth_classes: tf.constant([number, number], tf.int64),
        Inputs.groundtruth_weights: tf.constant([0.5, 1.0]),
        Inputs.groundtruth_keypoints: tf.constant(keypoints, tf.float32),
        Inputs.groundtruth_keypoint_visibilities: tf.constant(~np.isnan(keypoints).any(-1)),
        Inputs.groundtruth_keypoint_flags: tf.constant([[2, 0], [1, 0]]),
        # As from a record that lacks the field.
        Inputs.groundtruth_difficult: tf.zeros([0], tf.bool),
    }
    if masks:
        red = (image == 20).all(-1)
        y = np.arange(size[0])[:, None]
        halves = [~red & (y < size[0] / 2), ~red & (y >= size[0] / 2)]
        part[Inputs.groundtruth_instance_masks] = tf.constant(np.stack(halves), tf.float32)
    return part


def _check_dots(sample):
    """Each label lies in the middle of the dot of its colour; returns how many were looked at."""
    image = sample[Inputs.image]
    assert image.shape == (*SIZE, 3)
    y, x = np.mgrid[0 : SIZE[0], 0 : SIZE[1]] + 0.5
    looked = 0
    for row, (number, weight) in enumerate(
        zip(sample[Inputs.groundtruth_classes], sample[Inputs.groundtruth_weights], strict=True)
    ):
        points = sample[Inputs.groundtruth_keypoints][row]
        np.testing.assert_array_equal(
            sample[Inputs.groundtruth_keypoint_visibilities][row], ~np.isnan(points).any(-1)
        )
        flags = sample[Inputs.groundtruth_keypoint_flags][row]
        np.testing.assert_array_equal(flags, [2 if weight == 0.5 else 1, 0])
        box = sample[Inputs.groundtruth_boxes][row] * np.tile(SIZE, 2)
        color = COLORS[number][0 if weight == 0.5 else 1]
        found = np.abs(image - color).max(-1) < 100
        if np.isnan(points[0]).any() or not np.isclose(
            np.ptp(box[::2]), np.ptp(box[1::2]), atol=0.1
        ):
            continue  # the quarter's edge cuts the dot
        place = points[0] * SIZE
        assert (box[:2] <= place).all()
        assert (place <= box[2:]).all()
        near = found & (np.hypot(y - place[0], x - place[1]) < 4 * RADIUS)
        assert near.any(), (number, color)
        middle = np.array([y[near].mean(), x[near].mean()])
        assert np.hypot(*(middle - place)) < 1
        sides = np.array(
            [y[near].min() - 0.5, x[near].min() - 0.5, y[near].max() + 0.5, x[near].max() + 0.5]
        )
        assert np.abs(sides - box).max() < 2
        if Inputs.groundtruth_instance_masks in sample:
            mask = sample[Inputs.groundtruth_instance_masks][row] > 0
            assert mask.shape == SIZE
            assert (mask & near).sum() > 0.5 * (mask | near).sum()
        looked += 1
    return looked


def test_dots_are_at_their_labels_after_joining():
    joiner = mosaic.Mosaic(SIZE, overlap_thresh=0.3)
    center = randomness.uniform([2], 0.3, 0.7)
    scales = randomness.uniform([4], 0.4, 1.2)
    joined = joiner.join(
        [_part(number) for number in range(4)], center, scales, randomness.uniform([4, 2])
    )
    looked, quarters = 0, set()
    with tf.Session() as session:
        for _ in range(15):
            sample = session.run(joined)
            looked += _check_dots(sample)
            quarters |= set(sample[Inputs.groundtruth_classes])
            rows = {len(value) for key, value in sample.items() if key.startswith("groundtruth")}
            assert len(rows) == 1
            assert not sample[Inputs.groundtruth_difficult].any()
            np.testing.assert_array_equal(sample[Inputs.original_image_spatial_shape], SIZE)
    assert looked > 30
    assert quarters == {0, 1, 2, 3}


def test_by_hand(run):
    # Each picture is as large as the mosaic, half as large in it, and so fills its quarter.
    parts = [
        {
            Inputs.image: tf.fill([120, 160, 3], 10.0 * number),
            Inputs.groundtruth_boxes: tf.constant([[0.25, 0.5, 0.75, 1.0]]),
            Inputs.groundtruth_classes: tf.constant([number], tf.int64),
            Inputs.groundtruth_keypoints: tf.constant([[[0.5, 0.75]]]),
        }
        for number in range(4)
    ]
    joined = mosaic.Mosaic(SIZE).join(
        parts, tf.constant([0.5, 0.5]), tf.fill([4], 0.5), tf.zeros([4, 2])
    )
    sample = run(joined)
    expected = [
        [0.125, 0.25, 0.375, 0.5], [0.125, 0.75, 0.375, 1.0],
        [0.625, 0.25, 0.875, 0.5], [0.625, 0.75, 0.875, 1.0],
    ]  # fmt: skip
    np.testing.assert_array_equal(sample[Inputs.groundtruth_classes], [0, 1, 2, 3])
    np.testing.assert_allclose(sample[Inputs.groundtruth_boxes], expected, atol=1e-6)
    points = [[[0.25, 0.375]], [[0.25, 0.875]], [[0.75, 0.375]], [[0.75, 0.875]]]
    np.testing.assert_allclose(sample[Inputs.groundtruth_keypoints], points, atol=1e-6)
    values = np.repeat(np.repeat([[0, 10], [20, 30]], 60, axis=0), 80, axis=1)
    np.testing.assert_allclose(sample[Inputs.image][..., 0], values, atol=1e-3)


def test_what_is_cut(run):
    """A picture twice as large as its quarter shows a half of each side."""
    part = {
        Inputs.image: tf.zeros([120, 160, 3]),
        Inputs.groundtruth_boxes: tf.constant(
            [[0.0, 0.0, 0.5, 0.5], [0.25, 0.0, 0.75, 0.5], [0.45, 0.0, 0.95, 0.5], [0.6, 0.6, 1, 1]]
        ),
        Inputs.groundtruth_classes: tf.constant([1, 2, 3, 4], tf.int64),
        Inputs.groundtruth_keypoints: tf.constant(
            [[[0.25, 0.25]], [[0.6, 0.25]], [[0.45, 0.25]], [[0.7, 0.7]]]
        ),
    }
    joiner = mosaic.Mosaic(SIZE, overlap_thresh=0.3)
    # At place (0, 0) a picture that is too large shows its upper left; at (1, 1) its lower right.
    places = tf.constant([[0.0, 0.0], [1.0, 1.0], [1.0, 1.0], [1.0, 1.0]])
    sample = run(joiner.join([part] * 4, tf.constant([0.5, 0.5]), tf.ones([4]), places))
    classes = sample[Inputs.groundtruth_classes]
    # Above left: shares of 1, 1/2, 1/10 and 0; in the others the last box, and of the second and
    # third nothing, because they end at the middle of the width.
    np.testing.assert_array_equal(classes, [1, 2, 4, 4, 4])
    np.testing.assert_allclose(
        sample[Inputs.groundtruth_boxes][:2], [[0, 0, 0.5, 0.5], [0.25, 0, 0.5, 0.5]], atol=1e-6
    )
    np.testing.assert_allclose(sample[Inputs.groundtruth_keypoints][0, 0], [0.25, 0.25], atol=1e-6)
    assert np.isnan(sample[Inputs.groundtruth_keypoints][1, 0]).all()


@pytest.mark.parametrize("masks", [False, True], ids=["without masks", "with masks"])
def test_no_box_at_all(masks, run):
    empty = {}
    for key, value in _part(0, masks).items():
        empty[key] = value[:0] if key.startswith("groundtruth") else value
    joined = mosaic.Mosaic(SIZE).join(
        [empty] * 4, tf.constant([0.5, 0.5]), tf.ones([4]), tf.zeros([4, 2])
    )
    sample = run(joined)
    assert sample[Inputs.groundtruth_boxes].shape == (0, 4)
    assert sample[Inputs.groundtruth_keypoints].shape == (0, 2, 2)
    if masks:
        assert sample[Inputs.groundtruth_instance_masks].shape == (0, *SIZE)


@pytest.mark.parametrize("center", [0.0, 1.0])
def test_a_centre_at_the_edge_leaves_each_picture_a_pixel(center, run):
    joined = mosaic.Mosaic(SIZE, pad_color=(1.0, 2.0, 3.0)).join(
        [_part(number) for number in range(4)], tf.fill([2], center), tf.ones([4]), tf.zeros([4, 2])
    )
    assert run(joined)[Inputs.image].shape == (*SIZE, 3)


def test_additional_channels_are_pictures_too(run):
    parts = []
    for number in range(4):
        part = _part(number, masks=False)
        part[Inputs.image_additional_channels] = tf.cast(part[Inputs.image], tf.uint8)
        parts.append(part)
    sample = run(
        mosaic.Mosaic(SIZE).join(
            parts, tf.constant([0.4, 0.6]), tf.fill([4], 0.7), tf.fill([4, 2], 0.5)
        )
    )
    channels = sample[Inputs.image_additional_channels]
    assert channels.dtype == np.uint8
    np.testing.assert_allclose(channels, sample[Inputs.image], atol=0.51)


@pytest.mark.parametrize("field", ["multiclass_scores", "groundtruth_dp_num_points"])
def test_fields_that_cannot_be_joined_are_refused(field):
    joiner = mosaic.Mosaic(SIZE)
    with pytest.raises(ConfigError, match=f"mosaic cannot join {field}"):
        joiner._prepared(_part(0) | {field: tf.zeros([2])})


@pytest.mark.parametrize(
    ("count", "position", "different"),
    [
        pytest.param(16, 3, 3, id="many"),
        pytest.param(4, 0, 3, id="as many as needed"),
        pytest.param(2, 1, 1, id="one other"),
        pytest.param(1, 0, 0, id="no other"),
    ],
)
def test_partners(count, position, different):
    partners = mosaic._partners(tf.constant(position, tf.int64), tf.constant(count, tf.int64))
    drawn = set()
    with tf.Session() as session:
        for _ in range(20):
            found = session.run(partners)
            assert found.shape == (3,)
            assert ((found >= 0) & (found < count)).all()
            assert len(set(found) - {position}) == different
            drawn |= set(found)
    assert len(drawn - {position}) == count - 1


# The whole way: records, pools, keys.


def _example(number):
    image, points = _picture(number)
    stored = io.BytesIO()
    Image.fromarray(image).save(stored, "PNG")
    size = np.array(image.shape[:2])
    ends = np.stack([points - RADIUS, points + RADIUS]) / size
    floats = {
        "bbox/ymin": ends[0, :, 0], "bbox/xmin": ends[0, :, 1],
        "bbox/ymax": ends[1, :, 0], "bbox/xmax": ends[1, :, 1],
        "keypoint/y": points[:, 0] / size[0], "keypoint/x": points[:, 1] / size[1],
    }  # fmt: skip
    example = tf.train.Example()
    feature = example.features.feature
    feature["image/encoded"].bytes_list.value.append(stored.getvalue())
    feature["image/source_id"].bytes_list.value.append(str(number).encode())
    feature["image/object/class/label"].int64_list.value.extend([number + 1] * 2)
    for name, values in floats.items():
        feature[f"image/object/{name}"].float_list.value.extend(values)
    return example.SerializeToString()


@pytest.fixture(scope="module")
def reader(tmp_path_factory):
    path = tmp_path_factory.mktemp("records") / "five.record"
    with tf.io.TFRecordWriter(str(path)) as writer:
        for number in range(5):
            writer.write(_example(number))
    return text_format.Parse(
        f'num_keypoints: 1 shuffle: true tf_record_input_reader {{ input_path: "{path}" }}',
        input_reader_pb2.InputReader(),
    )


def _options(text):
    return [
        text_format.Parse(one, preprocessor_pb2.PreprocessingStep()) for one in text.splitlines()
    ]


MODEL = text_format.Parse(
    "ssd { image_resizer { fixed_shape_resizer { height: 120 width: 160 } } }",
    model_pb2.DetectionModel(),
)


def _samples(reader, joiner, count, **settings):
    with tf.Graph().as_default(), tf.Session() as session:
        tf.set_random_seed(2)
        dataset = dataset_builder.build(reader, mosaic=joiner, **settings)
        following = dataset_builder.make_initializable_iterator(dataset).get_next()
        session.run(tf.tables_initializer())
        return [session.run(following) for _ in range(count)]


def _bits(sample):
    return {key: np.asarray(value).tobytes() for key, value in sample.items()}


def test_a_seed_gives_the_same_samples_from_any_start(reader):
    joiner, steps = mosaic.build(_options("mosaic { probability: 0.6 pool_size: 4 }"), MODEL)
    assert steps == []
    first = _samples(reader, joiner, 14, seed=7)
    # In the middle of a pool, and of an epoch.
    later = _samples(reader, joiner, 8, seed=7, start=6)
    assert list(map(_bits, later)) == list(map(_bits, first[6:]))
    shapes = [sample[Inputs.image].shape for sample in first]
    alone = [shape[:2] for shape in shapes if shape[:2] != SIZE]
    assert 0 < len(alone) < 14
    assert set(alone) <= set(SHAPES)
    # Each record begins one sample an epoch, mosaic or not.
    names = [sample[Inputs.source_id] for sample in first]
    assert set(names[:5]) == set(names[5:10]) == {b"0", b"1", b"2", b"3", b"4"}


@pytest.mark.filterwarnings("ignore:Seed 2 from outer graph")
def test_without_a_seed(reader):
    joiner, _ = mosaic.build(_options("mosaic { probability: 1 }"), MODEL)
    samples = _samples(reader, joiner, 4)
    assert {sample[Inputs.image].shape for sample in samples} == {(*SIZE, 3)}
    assert max(len(sample[Inputs.groundtruth_boxes]) for sample in samples) > 2


@pytest.mark.filterwarnings("ignore:Seed 2 from outer graph")
def test_steps_before_change_the_parts_and_steps_after_stay(reader):
    options = _options(
        "random_rgb_to_gray { probability: 1 }\nmosaic { probability: 1 min_scale: 0.5 }\nrandom_adjust_brightness {}"
    )
    joiner, steps = mosaic.build(options, MODEL)
    assert [function.__name__ for function, _ in steps] == ["random_adjust_brightness"]
    image = _samples(reader, joiner, 1)[0][Inputs.image]
    np.testing.assert_allclose(image[..., 0], image[..., 2], atol=0.01)
    assert np.ptp(image) > 20


@pytest.mark.parametrize(
    ("options", "model", "problem"),
    [
        pytest.param("mosaic {}\nmosaic {}", MODEL, "mosaic is step 0 and 1", id="two"),
        pytest.param(
            "mosaic { height: 100 }",
            text_format.Parse(
                "ssd { image_resizer { keep_aspect_ratio_resizer {} } }", model_pb2.DetectionModel()
            ),
            "give height and width",
            id="no size",
        ),
    ],
)
def test_mosaics_that_cannot_be(options, model, problem):
    with pytest.raises(ConfigError, match=problem):
        mosaic.build(_options(options), model)


def test_sizes():
    assert mosaic.build(_options("mosaic {}"), MODEL)[0].size == SIZE
    given = mosaic.build(_options("mosaic { height: 50 width: 60 }"), MODEL)[0]
    assert given.size == (50, 60)
    assert mosaic.build(_options("random_horizontal_flip {}"), MODEL)[0] is None


def test_sequences_have_none(reader):
    with pytest.raises(ConfigError, match="mosaic joins no frames"):
        dataset_builder.build(
            reader, mosaic=mosaic.Mosaic(SIZE), reduce_to_frame_fn=lambda *_: None
        )


class _Model:
    """Gives pictures as they are: mosaics have the network's size already."""

    takes_bytes = False

    def preprocess(self, images):
        return images, tf.tile([tf.shape(images)[1:]], [tf.shape(images)[0], 1])


@pytest.mark.filterwarnings("ignore:Seed 2 from outer graph")
@pytest.mark.parametrize("way", ["training_dataset", "train_input"])
def test_both_ways_of_training_have_mosaics(way, reader):
    train = text_format.Parse(
        "batch_size: 2 data_augmentation_options { mosaic { probability: 1 } } "
        "data_augmentation_options { random_horizontal_flip { keypoint_flip_permutation: 0 } }",
        train_pb2.TrainConfig(),
    )
    config = input_reader_pb2.InputReader()
    config.CopyFrom(reader)
    config.max_number_of_boxes = 5
    model_config = model_pb2.DetectionModel()
    model_config.CopyFrom(MODEL)
    model_config.ssd.num_classes = 5
    tf.set_random_seed(2)
    if way == "training_dataset":
        dataset = inputs.training_dataset(train, config, model_config, _Model(), seed=3)
    else:
        dataset = inputs.train_input(train, config, model_config, model=_Model())
    following = dataset_builder.make_initializable_iterator(dataset).get_next()
    with tf.Session() as session:
        session.run(tf.tables_initializer())
        batches = [session.run(following) for _ in range(3)]
    if way == "train_input":
        batches = [features | labels for features, labels in batches]
    counts = np.concatenate([batch[Inputs.num_groundtruth_boxes] for batch in batches])
    assert counts.max() == 5, "more than fit are cut"
    assert counts.min() > 1
    for batch in batches:
        assert batch[Inputs.image].shape == (2, *SIZE, 3)
        assert batch[Inputs.groundtruth_boxes].shape[1:] in {(number, 4) for number in range(1, 6)}
        for count, boxes in zip(
            batch[Inputs.num_groundtruth_boxes], batch[Inputs.groundtruth_boxes], strict=True
        ):
            assert (boxes[:count] >= 0).all()
            assert (boxes[:count] <= 1).all()
            assert (boxes[:count, 2:] > boxes[:count, :2]).all()
