"""Samples made ready for a model, against numbers by hand; datasets of records made here."""

import contextlib
import functools

import numpy as np
import pytest
import tensorflow.compat.v1 as tf
from google.protobuf import text_format

from object_detection import inputs
from object_detection.builders import dataset_builder, image_resizer_builder
from object_detection.core import preprocessor
from object_detection.core.standard_fields import InputDataFields as F
from object_detection.protos import (
    eval_pb2,
    image_resizer_pb2,
    input_reader_pb2,
    pipeline_pb2,
    train_pb2,
)
from object_detection.utils.dataset_util import (
    bytes_feature,
    bytes_list_feature,
    float_list_feature,
    int64_list_feature,
)

pytestmark = pytest.mark.filterwarnings("ignore:Seed .* from outer graph")

NAN = float("nan")


def _padding_model(images):
    """A model that sees pictures at half size, in the corner of twice their own size."""
    height, width = images.shape.as_list()[1:3]
    small = tf.image.resize(images, [height // 2, width // 2])
    padded = tf.image.pad_to_bounding_box(small, 0, 0, height, width)
    return padded, tf.constant([[height // 2, width // 2, images.shape.as_list()[3]]])


def _plain_model(images):
    return images, tf.shape(images)[tf.newaxis, 1:]


def _plain_resizer(image, masks):
    return [image, tf.shape(image)] if masks is None else [image, masks, tf.shape(image)]


def _transform(sample, model=_plain_model, num_classes=3, **settings):
    sample = {key: tf.convert_to_tensor(value) for key, value in sample.items()}
    return inputs.transform_input_data(
        sample, model, settings.pop("resizer", _plain_resizer), num_classes, **settings
    )


def _sample(**more):
    return {
        F.image: np.zeros([4, 8, 3], np.uint8),
        F.groundtruth_boxes: np.array([[0, 0, 0.5, 1], [0.5, 0.5, 1, 1]], np.float32),
        F.groundtruth_classes: np.array([3, 1], np.int64),
        **more,
    }


@pytest.mark.parametrize(
    ("ids", "empty_to_ones", "expected"),
    [
        pytest.param([], False, [0, 0, 0, 0], id="none"),
        pytest.param([], True, [1, 1, 1, 1], id="none stands for all"),
        pytest.param([1, 4, 4], False, [1, 0, 0, 1], id="twice the same"),
        pytest.param([2], True, [0, 1, 0, 0], id="one, though none would stand for all"),
        pytest.param([-1, 5, 3], False, [0, 0, 1, 0], id="ids that there are not"),
    ],
)
def test_k_hot(ids, empty_to_ones, expected, run):
    khot = inputs.convert_labeled_classes_to_k_hot(
        tf.constant(ids, tf.int32), 4, map_empty_to_ones=empty_to_ones
    )
    assert khot.shape == [4]
    assert khot.dtype == tf.float32
    assert run(khot).tolist() == expected


def test_boxes_are_checked(run):
    boxes = tf.placeholder(tf.float32, [None, 4])
    checked = inputs.assert_or_prune_invalid_boxes(boxes)
    for good in ([], [[0, 0, 1, 1], [0.5, 0.5, 0.5, 0.5]]):
        value = np.array(good, np.float32).reshape(-1, 4)
        np.testing.assert_array_equal(run(checked, {boxes: value}), value)
    for bad in ([[0.5, 0, 0.4, 1]], [[0, 0, 1, 1], [0, 0.5, 1, 0.4]]):
        with pytest.raises(tf.errors.InvalidArgumentError):
            run(checked, {boxes: bad})


def test_coordinates_follow_the_padded_picture(run):
    result = run(
        _transform(
            _sample(
                **{
                    F.groundtruth_keypoints: np.array(
                        [[[0.5, 0.5], [NAN, NAN]], [[1, 1], [0, 0.25]]], np.float32
                    )
                }
            ),
            _padding_model,
        )
    )
    assert result[F.true_image_shape].tolist() == [2, 4, 3]
    np.testing.assert_allclose(
        result[F.groundtruth_boxes], [[0, 0, 0.25, 0.5], [0.25, 0.25, 0.5, 0.5]]
    )
    np.testing.assert_allclose(
        result[F.groundtruth_keypoints], [[[0.25, 0.25], [NAN, NAN]], [[0.5, 0.5], [0, 0.125]]]
    )
    # A keypoint that is not there has no weight.
    assert result[F.groundtruth_keypoint_visibilities].tolist() == [[True, False], [True, True]]
    assert result[F.groundtruth_keypoint_weights].tolist() == [[1, 0], [1, 1]]
    assert result[F.groundtruth_classes].tolist() == [[0, 0, 1], [1, 0, 0]]
    assert result[F.groundtruth_confidences].tolist() == [[0, 0, 1], [1, 0, 0]]
    assert result[F.num_groundtruth_boxes] == 2
    assert result[F.image].dtype == np.float32
    assert F.original_image not in result
    assert F.multiclass_scores not in result


def test_weights_of_kinds_of_keypoints(run):
    weights = _transform(
        _sample(
            **{
                F.groundtruth_keypoints: np.full([2, 3, 2], 0.5, np.float32),
                F.groundtruth_keypoint_visibilities: np.array([[1, 1, 0], [0, 1, 1]], bool),
            }
        ),
        keypoint_type_weight=[0.5, 2.0, 3.0],
    )[F.groundtruth_keypoint_weights]
    assert run(weights).tolist() == [[0.5, 2, 0], [0, 2, 3]]


def test_boxes_that_cannot_be_used_go_with_all_that_is_theirs(run):
    keypoints = np.arange(12, dtype=np.float32).reshape(3, 2, 2)
    result = run(
        _transform(
            {
                F.image: np.zeros([4, 4, 3], np.float32),
                F.groundtruth_boxes: np.array(
                    [[0, 0, NAN, 1], [0, 0, 1, 1], [0, 0, 0.5, 1]], np.float32
                ),
                F.groundtruth_classes: np.array([1, 2, -1]),
                F.groundtruth_keypoints: keypoints,
                F.groundtruth_weights: np.array([1, 0.5, 1], np.float32),
                F.groundtruth_is_crowd: np.array([True, False, True]),
                F.groundtruth_confidences: np.array([0.1, 0.25, 0.3], np.float32),
                F.multiclass_scores: np.arange(9, dtype=np.float32),
            },
            use_multiclass_scores=True,
        )
    )
    assert result[F.groundtruth_boxes].tolist() == [[0, 0, 1, 1]]
    assert result[F.groundtruth_keypoints].tolist() == [keypoints[1].tolist()]
    assert result[F.groundtruth_weights].tolist() == [0.5]
    assert result[F.groundtruth_is_crowd].tolist() == [False]
    assert result[F.groundtruth_classes].tolist() == [[3, 4, 5]]
    assert result[F.groundtruth_confidences].tolist() == [[0.75, 1, 1.25]]
    assert result[F.num_groundtruth_boxes] == 1


def test_no_boxes(run):
    result = run(
        _transform(
            {
                F.image: np.zeros([4, 4, 3], np.float32),
                F.groundtruth_boxes: np.zeros([0, 4], np.float32),
                F.groundtruth_classes: np.zeros([0], np.int64),
                F.groundtruth_keypoints: np.zeros([0, 5, 2], np.float32),
            },
            merge_multiple_boxes=True,
        )
    )
    assert result[F.groundtruth_boxes].shape == (0, 4)
    assert result[F.groundtruth_classes].shape == (0, 3)
    assert result[F.groundtruth_keypoint_weights].shape == (0, 5)
    assert result[F.num_groundtruth_boxes] == 0


@pytest.mark.parametrize(
    ("scores", "use", "expected"),
    [
        ([0.2, 0.3, 0.5, 0.1, 0.6, 0.3], True, [[0.2, 0.3, 0.5], [0.1, 0.6, 0.3]]),
        ([0.2, 0.3, 0.5, 0.1, 0.6, 0.3], False, [[1, 0, 0], [0, 1, 0]]),
        # Column i is that of label map id i.
        ([], True, [[0, 1, 0], [0, 0, 1]]),
    ],
)
def test_multiclass_scores(scores, use, expected, run):
    value = tf.placeholder(tf.float32, [None])
    classes = _transform(
        _sample(**{F.multiclass_scores: value, F.groundtruth_classes: np.array([1, 2])}),
        use_multiclass_scores=use,
    )[F.groundtruth_classes]
    np.testing.assert_allclose(run(classes, {value: scores}), expected)


def test_equal_boxes_become_one_with_several_classes(run):
    box, other = [0.25, 0.25, 0.75, 0.75], [0, 0, 0.5, 0.5]
    sample = {
        F.image: np.zeros([4, 4, 3], np.float32),
        F.groundtruth_boxes: np.array([box, other, box], np.float32),
        F.groundtruth_classes: np.array([3, 2, 1]),
        F.groundtruth_confidences: np.array([0.5, 0.75, 1], np.float32),
        F.groundtruth_keypoints: np.array([[[0.5, 0.5]], [[0, 0]], [[0.25, 0.25]]], np.float32),
        F.groundtruth_weights: np.array([0.5, 1, 1], np.float32),
    }
    result = run(_transform(sample, merge_multiple_boxes=True))
    assert result[F.groundtruth_boxes].tolist() == [box, other]
    assert result[F.groundtruth_classes].tolist() == [[1, 0, 1], [0, 1, 0]]
    assert result[F.groundtruth_confidences].tolist() == [[1, 0, 0.5], [0, 0.75, 0]]
    assert result[F.groundtruth_keypoints].tolist() == [[[0.5, 0.5]], [[0, 0]]]
    assert result[F.groundtruth_weights].tolist() == [0.5, 1]
    assert result[F.num_groundtruth_boxes] == 2


def test_pictures_masks_and_channels_that_are_kept(run):
    picture = np.arange(4 * 4 * 3, dtype=np.uint8).reshape(4, 4, 3)
    channels = np.full([4, 4, 2], 7, np.uint8)
    masks = np.zeros([2, 4, 4], np.float32)
    masks[1, 2:, 2:] = 1
    resizer = image_resizer_builder.build(
        image_resizer_pb2.ImageResizer(
            fixed_shape_resizer=image_resizer_pb2.FixedShapeResizer(height=2, width=2)
        )
    )

    def model(images):
        image, shape = resizer(images[0])
        return image[tf.newaxis], shape[tf.newaxis]

    sample = _sample(
        **{
            F.image: picture,
            F.image_additional_channels: channels,
            F.groundtruth_instance_masks: masks,
        }
    )
    transformed = _transform(
        sample,
        model,
        resizer=resizer,
        retain_original_image=True,
        retain_original_image_additional_channels=True,
        use_bfloat16=True,
    )
    assert transformed[F.image].dtype == tf.bfloat16
    assert transformed[F.groundtruth_instance_masks].dtype == tf.bfloat16
    result = run(transformed)
    assert result[F.image].shape == (2, 2, 5)
    assert result[F.true_image_shape].tolist() == [2, 2, 5]
    assert result[F.original_image].shape == (2, 2, 3)
    assert result[F.original_image].dtype == np.uint8
    assert result[F.image_additional_channels].tolist() == np.full([2, 2, 2], 7).tolist()
    assert result[F.groundtruth_instance_masks].astype(float).tolist() == [
        [[0, 0], [0, 0]],
        [[0, 0], [0, 1]],
    ]


def test_classes_of_the_picture(run):
    lists = {
        F.groundtruth_labeled_classes: [],
        F.groundtruth_verified_neg_classes: [2, -1],
        F.groundtruth_not_exhaustive_classes: [],
    }
    lists = {key: np.array(value, np.int64) for key, value in lists.items()}
    result = run(_transform(_sample(**lists)))
    assert result[F.groundtruth_labeled_classes].tolist() == [1, 1, 1]
    assert result[F.groundtruth_verified_neg_classes].tolist() == [0, 1, 0]
    assert result[F.groundtruth_not_exhaustive_classes].tolist() == [0, 0, 0]
    image_classes = {F.groundtruth_image_classes: np.array([], np.int64)}
    for to_ones, expected in ((True, [1, 1, 1]), (False, [0, 0, 0])):
        transformed = _transform(
            _sample(**image_classes), image_classes_field_map_empty_to_ones=to_ones
        )
        assert run(transformed[F.groundtruth_image_classes]).tolist() == expected
    with pytest.raises(KeyError, match="both"):
        _transform(_sample(**lists, **image_classes))


def test_augmentation_takes_keypoints_and_visibilities_along(run):
    options = [
        (
            preprocessor.random_horizontal_flip,
            {"keypoint_flip_permutation": (1, 0), "probability": 1.0},
        )
    ]
    sample = _sample(
        **{
            F.groundtruth_keypoints: np.array(
                [[[0.5, 0.25], [NAN, NAN]], [[0.5, 0.5], [0.25, 0.75]]], np.float32
            ),
            F.groundtruth_keypoint_visibilities: np.array([[1, 0], [1, 1]], bool),
        }
    )
    result = run(
        _transform(
            sample,
            data_augmentation_fn=functools.partial(
                inputs.augment_input_data, data_augmentation_options=options
            ),
        )
    )
    np.testing.assert_allclose(
        result[F.groundtruth_keypoints],
        [[[NAN, NAN], [0.5, 0.75]], [[0.25, 0.25], [0.5, 0.5]]],
    )
    assert result[F.groundtruth_keypoint_visibilities].tolist() == [[False, True], [True, True]]
    assert result[F.groundtruth_boxes].tolist() == [[0, 0, 0.5, 1], [0.5, 0, 1, 0.5]]
    assert sample[F.image].dtype == np.uint8


SHAPES = {
    F.image: ([4, 6, 3], [5, 5, 3]),
    F.original_image: ([4, 6, 3], [5, 5, 3]),
    F.original_image_spatial_shape: ([2], [2]),
    F.true_image_shape: ([3], [3]),
    F.source_id: ([], []),
    F.num_groundtruth_boxes: ([], []),
    F.groundtruth_boxes: ([2, 4], [3, 4]),
    F.groundtruth_classes: ([2, 7], [3, 7]),
    F.groundtruth_confidences: ([2, 7], [3, 7]),
    F.groundtruth_weights: ([2], [3]),
    F.groundtruth_difficult: ([4], [3]),
    F.groundtruth_is_crowd: ([2], [3]),
    F.groundtruth_group_of: ([2], [3]),
    F.groundtruth_area: ([0], [3]),
    F.groundtruth_instance_masks: ([2, 4, 6], [3, 5, 5]),
    F.groundtruth_instance_mask_weights: ([2], [3]),
    F.groundtruth_keypoints: ([2, 5, 2], [3, 5, 2]),
    F.groundtruth_keypoint_visibilities: ([2, 5], [3, 5]),
    F.groundtruth_keypoint_flags: ([2, 5], [3, 5]),
    F.groundtruth_keypoint_weights: ([2, 5], [3, 5]),
    F.groundtruth_keypoint_depths: ([2, 5], [3, 5]),
    F.groundtruth_keypoint_depth_weights: ([2, 5], [3, 5]),
    F.groundtruth_dp_num_points: ([2], [3]),
    F.groundtruth_dp_part_ids: ([2, 3], [3, 9]),
    F.groundtruth_dp_surface_coords: ([2, 3, 4], [3, 9, 4]),
    F.groundtruth_track_ids: ([2], [3]),
    F.groundtruth_temporal_offset: ([2, 2], [3, 2]),
    F.groundtruth_track_match_flags: ([2], [3]),
    F.groundtruth_labeled_classes: ([7], [7]),
    F.groundtruth_verified_neg_classes: ([7], [7]),
    F.groundtruth_not_exhaustive_classes: ([7], [7]),
    F.context_features: ([2, 8], [6, 8]),
    F.context_features_image_id_list: ([2], [6]),
}


def test_static_shapes_of_every_field(run):
    sample = {
        key: tf.placeholder_with_default(
            tf.zeros(before, tf.int32 if not before else tf.float32),
            [None] * len(before) if key not in _WITH_STATIC_END else [None, *before[1:]],
        )
        for key, (before, _) in SHAPES.items()
    }
    sample[F.image] = tf.placeholder_with_default(tf.ones([4, 6, 3]), [None, None, 3])
    sample[F.original_image] = tf.placeholder_with_default(tf.ones([4, 6, 3]), [None, None, 3])
    padded = inputs.pad_input_data_to_static_shapes(sample, 3, 7, [5, 5], 6, 8, max_dp_points=9)
    for key, (_, after) in SHAPES.items():
        assert padded[key].shape.as_list() == after, key
    result = run(padded)
    assert {key: list(value.shape) for key, value in result.items() if key in SHAPES} == {
        key: after for key, (_, after) in SHAPES.items()
    }
    assert result[F.valid_context_size] == 2
    assert result[F.image][:, :, 0].tolist() == [[1] * 5] * 4 + [[0] * 5]
    assert F.valid_context_size not in sample


_WITH_STATIC_END = {
    F.groundtruth_keypoints,
    F.groundtruth_keypoint_visibilities,
    F.groundtruth_keypoint_flags,
    F.groundtruth_keypoint_weights,
    F.groundtruth_keypoint_depths,
    F.groundtruth_keypoint_depth_weights,
}


@pytest.mark.parametrize(("boxes", "expected"), [(0, 0), (2, 2), (3, 3), (5, 3)])
def test_number_of_boxes_after_cutting(boxes, expected, run):
    padded = inputs.pad_input_data_to_static_shapes(
        {
            F.groundtruth_boxes: tf.ones([boxes, 4]),
            F.num_groundtruth_boxes: tf.constant(boxes),
        },
        max_num_boxes=3,
        num_classes=2,
    )
    result = run(padded)
    assert result[F.num_groundtruth_boxes] == expected
    assert result[F.groundtruth_boxes].sum() == 4 * expected


@pytest.mark.parametrize("size", [None, [-1, -1]])
def test_a_picture_of_open_size_stays(size):
    padded = inputs.pad_input_data_to_static_shapes(
        {F.image: tf.placeholder(tf.float32, [None, 6, 3])}, 3, 2, size
    )
    assert padded[F.image].shape.as_list() == [None, 6, 3]


def test_additional_channels_have_to_be_joined():
    pad = functools.partial(
        inputs.pad_input_data_to_static_shapes,
        max_num_boxes=3,
        num_classes=2,
        spatial_image_shape=[5, 6],
    )
    channels = {F.image_additional_channels: tf.zeros([4, 4, 2])}
    padded = pad({F.image: tf.zeros([4, 4, 5]), F.original_image: tf.zeros([4, 4, 3]), **channels})
    assert padded[F.image].shape == [5, 6, 5]
    assert padded[F.image_additional_channels].shape == [5, 6, 2]
    assert padded[F.original_image].shape == [5, 6, 3]
    with pytest.raises(ValueError, match="original_image"):
        pad({F.image: tf.zeros([4, 4, 5]), F.original_image: tf.zeros([4, 4, 5]), **channels})
    with pytest.raises(ValueError, match="join"):
        pad({F.image: tf.zeros([4, 4, 2]), **channels})
    with pytest.raises(ValueError, match="max_num_context_features"):
        pad({F.context_features: tf.zeros([2, 3])})
    with pytest.raises(ValueError, match="mine"):
        pad({"mine": tf.zeros([2, 3])})


PIPELINE = """
model { ssd {
  num_classes: 2
  image_resizer { fixed_shape_resizer { height: 10 width: 12 } }
} }
train_config { batch_size: 2 data_augmentation_options { random_horizontal_flip {
  keypoint_flip_permutation: [1, 0] } } }
train_input_reader { shuffle: false num_epochs: 1 num_keypoints: 2 max_number_of_boxes: 4 }
eval_config { batch_size: 3 }
eval_input_reader { shuffle: false num_epochs: 1 num_keypoints: 2 max_number_of_boxes: 5
  drop_remainder: false include_source_id: true }
"""


class FakeModel:
    """Preprocesses only; stands in for what `model_build` builds."""

    built: tuple = ()
    takes_bytes = False

    def __init__(self, config, is_training, add_summaries=True):
        FakeModel.built += (is_training,)
        self._resize = image_resizer_builder.build(config.ssd.image_resizer)

    def preprocess(self, images):
        image, shape = self._resize(images[0])
        return image[tf.newaxis] / 255.0, shape[tf.newaxis]


@pytest.fixture
def pipeline(tmp_path, monkeypatch):
    """Four records; number n has n boxes, and all but the first a name."""
    FakeModel.built = ()
    monkeypatch.setitem(inputs.INPUT_BUILDER_UTIL_MAP, "model_build", FakeModel)
    (tmp_path / "map.pbtxt").write_text("item { id: 1 name: 'a' } item { id: 2 name: 'b' }")
    with tf.Graph().as_default(), tf.Session() as session:
        png = session.run(tf.io.encode_png(tf.fill([20, 24, 3], tf.constant(255, tf.uint8))))
    with tf.io.TFRecordWriter(str(tmp_path / "a.record")) as writer:
        for number in range(4):
            feature = {
                "image/encoded": bytes_feature(png),
                "image/source_id": bytes_feature(str(number or "").encode()),
                "image/object/class/label": int64_list_feature([2] * number),
                "image/object/class/text": bytes_list_feature([b"b"] * number),
                "image/object/keypoint/y": float_list_feature([0.5, NAN] * number),
                "image/object/keypoint/x": float_list_feature([0.5, NAN] * number),
            }
            for side, value in (("ymin", 0.0), ("xmin", 0.25), ("ymax", 1.0), ("xmax", 0.75)):
                feature[f"image/object/bbox/{side}"] = float_list_feature([value] * number)
            example = tf.train.Example(features=tf.train.Features(feature=feature))
            writer.write(example.SerializeToString())
    pipeline = text_format.Parse(PIPELINE, pipeline_pb2.TrainEvalPipelineConfig())
    for reader in (pipeline.train_input_reader, pipeline.eval_input_reader[0]):
        reader.label_map_path = str(tmp_path / "map.pbtxt")
        reader.tf_record_input_reader.input_path.append(str(tmp_path / "a.record"))
    return pipeline


def _batches(dataset):
    following = dataset_builder.make_initializable_iterator(dataset).get_next()
    found = []
    with tf.Session() as session, contextlib.suppress(tf.errors.OutOfRangeError):
        session.run(tf.tables_initializer())
        while True:
            found.append(session.run(following))
    return found


def test_training_input(pipeline):
    make = inputs.create_train_input_fn(
        pipeline.train_config, pipeline.train_input_reader, pipeline.model
    )
    dataset = make()
    shapes = tf.data.get_output_shapes(dataset)
    assert shapes[0][F.image].as_list() == [2, 10, 12, 3]
    assert shapes[1][F.groundtruth_classes].as_list() == [2, 4, 2]
    (features, labels), (_, later) = _batches(dataset)
    assert FakeModel.built == (True,)
    assert set(features) == {
        F.image,
        inputs.HASH_KEY,
        F.true_image_shape,
        F.original_image_spatial_shape,
    }
    assert features[F.image].shape == (2, 10, 12, 3)
    assert features[F.image].max() == 1.0
    assert features[inputs.HASH_KEY].dtype == np.int32
    assert features[F.true_image_shape].tolist() == [[10, 12, 3]] * 2
    assert features[F.original_image_spatial_shape].tolist() == [[20, 24]] * 2
    assert labels[F.num_groundtruth_boxes].tolist() == [0, 1]
    assert later[F.num_groundtruth_boxes].tolist() == [2, 3]
    assert later[F.groundtruth_boxes][0].tolist() == [[0, 0.25, 1, 0.75]] * 2 + [[0] * 4] * 2
    assert later[F.groundtruth_classes][0].tolist() == [[0, 1]] * 2 + [[0, 0]] * 2
    assert later[F.groundtruth_weights].tolist() == [[1, 1, 0, 0], [1, 1, 1, 0]]
    assert later[F.groundtruth_confidences].shape == (2, 4, 2)
    assert later[F.groundtruth_keypoints].shape == (2, 4, 2, 2)
    # A flip swaps the two keypoints; one of each box is there either way.
    assert later[F.groundtruth_keypoint_visibilities].sum(axis=2).tolist() == [
        [1, 1, 0, 0],
        [1, 1, 1, 0],
    ]
    np.testing.assert_array_equal(
        later[F.groundtruth_keypoint_flags], 2 * later[F.groundtruth_keypoint_visibilities]
    )
    assert later[F.groundtruth_difficult].dtype == np.int32


def test_evaluation_input(pipeline):
    make = inputs.create_eval_input_fn(
        pipeline.eval_config, pipeline.eval_input_reader[0], pipeline.model
    )
    (features, labels), (rest, _) = _batches(make())
    assert features[F.image].shape == (3, 10, 12, 3)
    assert rest[F.image].shape == (1, 10, 12, 3)
    assert features[F.original_image].shape == (3, 10, 12, 3)
    assert features[F.original_image].dtype == np.uint8
    assert features[F.source_id][1:].tolist() == [b"1", b"2"]
    assert features[F.source_id][0] != b""
    assert labels[F.groundtruth_boxes].shape == (3, 5, 4)
    assert labels[F.groundtruth_keypoint_flags][2].tolist() == [[2, 0]] * 2 + [[0, 0]] * 3
    assert labels[F.groundtruth_keypoint_weights][2].tolist() == [[1, 0]] * 2 + [[0, 0]] * 3


def test_batch_size_model_and_resizing_can_be_given(pipeline):
    model = FakeModel(pipeline.model, True)
    dataset = inputs.train_input(
        pipeline.train_config,
        pipeline.train_input_reader,
        pipeline.model,
        model=model,
        params={"batch_size": 1},
    )
    assert tf.data.get_output_shapes(dataset)[0][F.image].as_list() == [1, 10, 12, 3]
    pipeline.eval_config.force_no_resize = True
    dataset = inputs.create_eval_input_fn(
        pipeline.eval_config, pipeline.eval_input_reader[0], pipeline.model
    )({"batch_size": 4})
    ((features, _),) = _batches(dataset)
    assert features[F.image].shape == (4, 20, 24, 3)
    assert pipeline.model.ssd.image_resizer.HasField("fixed_shape_resizer")


def test_the_dataset_builder_can_be_replaced(pipeline, monkeypatch):
    seen = {}

    def fake(config, **settings):
        seen.update(settings, config=config)
        return "dataset"

    monkeypatch.setitem(inputs.INPUT_BUILDER_UTIL_MAP, "dataset_build", fake)
    dataset = inputs.train_input(
        pipeline.train_config, pipeline.train_input_reader, pipeline.model, input_context="context"
    )
    assert dataset == "dataset"
    assert seen["config"] is pipeline.train_input_reader
    assert seen["batch_size"] == 2
    assert seen["input_context"] == "context"


def test_configs_of_another_type(pipeline):
    train, reader, model = pipeline.train_config, pipeline.train_input_reader, pipeline.model
    for wrong in ((reader, reader, model), (train, train, model), (train, reader, train)):
        with pytest.raises(TypeError, match="message"):
            inputs.train_input(*wrong)
    evaluation = eval_pb2.EvalConfig()
    for wrong in ((train, reader, model), (evaluation, train, model), (evaluation, reader, reader)):
        with pytest.raises(TypeError, match="message"):
            inputs.eval_input(*wrong)


def test_names_that_are_equal_have_equal_hashes_and_no_name_has_one_of_its_own(pipeline):
    del pipeline.train_input_reader.tf_record_input_reader.input_path[:]
    path = pipeline.eval_input_reader[0].tf_record_input_reader.input_path[0]
    pipeline.train_input_reader.tf_record_input_reader.input_path.extend([path, path])
    pipeline.train_config.batch_size = 8
    (((features, _)),) = _batches(
        inputs.train_input(pipeline.train_config, pipeline.train_input_reader, pipeline.model)
    )
    hashes = features[inputs.HASH_KEY].tolist()
    assert len(set(hashes)) == 5  # three names, and twice none


def test_serving_input(pipeline, run):
    receiver = inputs.create_predict_input_fn(pipeline.model, pipeline.eval_input_reader[0])()
    assert FakeModel.built == (False,)
    placeholder = receiver.receiver_tensors[inputs.SERVING_FED_EXAMPLE_KEY]
    assert placeholder.dtype == tf.string
    assert placeholder.shape == []
    assert receiver.features[F.image].shape.as_list() == [1, 10, 12, 3]
    path = pipeline.eval_input_reader[0].tf_record_input_reader.input_path[0]
    record = next(tf.io.tf_record_iterator(path))
    result = run(receiver.features, {placeholder: record})
    assert result[F.image].min() == 1.0
    assert result[F.true_image_shape].tolist() == [[10, 12, 3]]


def test_examples_are_frames_already():
    reduce = inputs.get_reduce_to_frame_fn(input_reader_pb2.InputReader(), True)
    assert reduce("dataset", None, 1, None) == "dataset"


def _sequences():
    with tf.Session() as session:
        pngs = session.run(
            [tf.io.encode_png(tf.fill([1, 1, 3], tf.constant(n, tf.uint8))) for n in (10, 20)]
        )
    return tf.data.Dataset.from_tensors(
        {
            F.image: tf.constant(pngs),
            F.groundtruth_boxes: tf.reshape(tf.range(8.0), [2, 1, 4]),
            F.context_features: tf.ones([3, 2]),
            F.context_feature_length: tf.constant(2),
        }
    )


@pytest.mark.parametrize(
    ("index", "is_training", "expected"), [(1, True, [20]), (0, False, [10]), (-1, False, [10, 20])]
)
def test_frames_of_sequences(index, is_training, expected):
    reader = input_reader_pb2.InputReader(
        input_type=input_reader_pb2.TF_SEQUENCE_EXAMPLE, frame_index=index
    )
    reduce = inputs.get_reduce_to_frame_fn(reader, is_training)
    frames = reduce(_sequences(), lambda data, function, *_: data.map(function), 1, reader)
    found = _batches(frames)
    assert [int(frame[F.image][0, 0, 0]) for frame in found] == expected
    assert all(frame[F.image].shape == (1, 1, 3) for frame in found)
    assert all(frame[F.context_features].shape == (3, 2) for frame in found)
    assert found[-1][F.groundtruth_boxes].shape == (1, 4)


def test_any_frame_of_a_sequence():
    reader = input_reader_pb2.InputReader(input_type=input_reader_pb2.TF_SEQUENCE_EXAMPLE)
    reduce = inputs.get_reduce_to_frame_fn(reader, True)
    frames = reduce(
        _sequences().repeat(20), lambda data, function, *_: data.map(function), 1, reader
    )
    assert {int(frame[F.image][0, 0, 0]) for frame in _batches(frames)} == {10, 20}


def test_equal_boxes_are_merged_in_training_too(pipeline):
    model = FakeModel(pipeline.model, True)
    train_config = train_pb2.TrainConfig(batch_size=4, merge_multiple_label_boxes=True)
    (batch,) = _batches(
        inputs.training_dataset(train_config, pipeline.train_input_reader, pipeline.model, model)
    )
    assert batch[F.num_groundtruth_boxes].tolist() == [0, 1, 1, 1]


@pytest.mark.parametrize(
    ("in_reader", "in_training", "expected"), [(2, 1, 2), (None, 1, 1), (None, None, 3)]
)
def test_largest_number_of_boxes_in_training(pipeline, in_reader, in_training, expected):
    reader = pipeline.train_input_reader
    reader.ClearField("max_number_of_boxes")
    train_config = train_pb2.TrainConfig(batch_size=4)
    if in_reader:
        reader.max_number_of_boxes = in_reader
    if in_training:
        train_config.max_number_of_boxes = in_training
    model = FakeModel(pipeline.model, True)
    (batch,) = _batches(inputs.training_dataset(train_config, reader, pipeline.model, model))
    assert batch[F.groundtruth_boxes].shape == (4, expected, 4)
