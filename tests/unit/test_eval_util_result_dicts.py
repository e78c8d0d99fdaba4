"""Frames, offsets and sizes of what evaluators read."""

import numpy as np
import pytest
import tensorflow.compat.v1 as tf
from google.protobuf import text_format

from object_detection import eval_util
from object_detection.core import standard_fields as fields
from object_detection.protos import eval_pb2

Inputs = fields.InputDataFields
Detections = fields.DetectionResultFields

CATEGORIES = [{"id": 1, "name": "person"}, {"id": 2, "name": "dog"}]


def _detections(batch=2, **more):
    box = [0.25, 0.5, 0.75, 1.0]
    return {
        Detections.detection_boxes: tf.constant([[box, [0.0] * 4]] * batch),
        Detections.detection_scores: tf.constant([[0.75, 0.0]] * batch),
        Detections.detection_classes: tf.constant([[0.0, 1.0]] * batch),
        Detections.num_detections: tf.constant([1.0] * batch),
        **more,
    }


def _groundtruth(batch=2, **more):
    return {
        Inputs.groundtruth_boxes: tf.constant([[[0.25, 0.25, 0.5, 0.5]]] * batch),
        Inputs.groundtruth_classes: tf.constant([[2]] * batch, tf.int64),
        Inputs.groundtruth_keypoints: tf.constant([[[[0.5, 0.25], [np.nan, np.nan]]]] * batch),
        **more,
    }


KEYS = np.array(["a", "b"])
IMAGES = np.zeros([2, 20, 40, 3], np.uint8)


def test_detections_alone(run):
    keypoints = tf.constant([[[[0.5, 0.25]], [[0.0, 0.0]]]] * 2)
    result = run(
        eval_util.result_dict_for_batched_example(
            IMAGES, KEYS, _detections(**{Detections.detection_keypoints: keypoints})
        )
    )
    assert result["key"].tolist() == [b"a", b"b"]
    assert result["original_image"].shape == (2, 20, 40, 3)
    assert result["original_image_spatial_shape"].tolist() == [[20, 40]] * 2
    assert result["true_image_shape"].tolist() == [[20, 40, 3]] * 2
    assert result["detection_boxes"][0].tolist() == [[0.25, 0.5, 0.75, 1.0], [0.0] * 4]
    assert result["detection_classes"].tolist() == [[1, 2]] * 2
    assert result["detection_classes"].dtype == np.int64
    assert result["num_detections"].tolist() == [1, 1]
    assert result["detection_keypoints"].shape == (2, 2, 1, 2)
    assert (result["detection_keypoint_scores"] == 1).all()
    assert not any(name.startswith("groundtruth") for name in result)


def test_pixels_of_the_picture_as_recorded(run):
    # The second picture fills a quarter of the input: 10 x 20 of 20 x 40; it was 100 x 100.
    keypoints = tf.constant([[[[0.5, 0.25]], [[0.0, 0.0]]]] * 2)
    scores = tf.constant([[[0.5], [0.25]]] * 2)
    settings = {
        "original_image_spatial_shapes": tf.constant([[20, 40], [100, 100]]),
        "true_image_shapes": tf.constant([[20, 40, 3], [10, 20, 3]]),
        "max_gt_boxes": tf.constant([1, 1]),
    }
    detections = _detections(
        **{
            Detections.detection_keypoints: keypoints,
            Detections.detection_keypoint_scores: scores,
        }
    )
    shares, pixels = run(
        [
            eval_util.result_dict_for_batched_example(
                IMAGES, KEYS, detections, _groundtruth(), scale_to_absolute=absolute, **settings
            )
            for absolute in (False, True)
        ]
    )
    assert shares["detection_boxes"][:, 0].tolist() == [[0.25, 0.5, 0.75, 1.0]] * 2
    assert shares["groundtruth_boxes"][:, 0].tolist() == [
        [0.25, 0.25, 0.5, 0.5],
        [0.5, 0.5, 1.0, 1.0],
    ]
    assert pixels["detection_boxes"][:, 0].tolist() == [[5, 20, 15, 40], [25, 50, 75, 100]]
    assert pixels["detection_keypoints"][:, 0, 0].tolist() == [[10, 10], [50, 25]]
    assert pixels["detection_keypoint_scores"][0].tolist() == [[0.5], [0.25]]
    assert pixels["groundtruth_boxes"][:, 0].tolist() == [[5, 10, 10, 20], [50, 50, 100, 100]]
    assert pixels["groundtruth_keypoints"][:, 0, 0].tolist() == [[10, 10], [100, 50]]
    assert np.isnan(pixels["groundtruth_keypoints"][:, 0, 1]).all()
    assert pixels["groundtruth_classes"].tolist() == [[2], [2]]
    assert pixels["num_groundtruth_boxes"].tolist() == [1, 1]


def test_classes(run):
    agnostic, offset = run(
        [
            eval_util.result_dict_for_batched_example(
                IMAGES, KEYS, _detections(), _groundtruth(), max_gt_boxes=[1, 1], **settings
            )
            for settings in ({"class_agnostic": True}, {"label_id_offset": 5})
        ]
    )
    assert agnostic["detection_classes"].tolist() == [[1, 1]] * 2
    assert agnostic["groundtruth_classes"].tolist() == [[1]] * 2
    assert agnostic["groundtruth_classes"].dtype == np.int64
    assert offset["detection_classes"].tolist() == [[5, 6]] * 2


@pytest.mark.parametrize(
    "settings",
    [
        pytest.param({}, id="number of groundtruth boxes"),
        pytest.param({"max_gt_boxes": [1, 1], "true_image_shapes": [20, 40, 3]}, id="rank"),
        pytest.param(
            {"max_gt_boxes": [1, 1], "true_image_shapes": [[20, 40]] * 2}, id="three numbers"
        ),
        pytest.param(
            {"max_gt_boxes": [1, 1], "original_image_spatial_shapes": [[20, 40, 3]] * 2},
            id="two numbers",
        ),
    ],
)
def test_what_is_missing_or_does_not_fit(settings):
    with pytest.raises(ValueError):
        eval_util.result_dict_for_batched_example(
            IMAGES, KEYS, _detections(), _groundtruth(), **settings
        )


def test_the_number_of_boxes_may_come_with_them(run):
    truth = _groundtruth(num_groundtruth_boxes=tf.constant([0, 1]))
    result = eval_util.result_dict_for_batched_example(IMAGES, KEYS, _detections(), truth)
    assert run(result["num_groundtruth_boxes"]).tolist() == [0, 1]
    assert Inputs.groundtruth_boxes in truth


def test_one_picture(run):
    detections = _detections(1, detection_masks=tf.ones([1, 2, 3, 3]))
    truth = {name: value[0] for name, value in _groundtruth().items()}
    truth[Inputs.groundtruth_instance_masks] = tf.ones([1, 10, 20], tf.uint8)
    result = run(
        eval_util.result_dict_for_single_example(
            IMAGES[:1], tf.constant("a"), detections, truth, scale_to_absolute=True
        )
    )
    assert {name: value.shape for name, value in result.items() if name != "key"} == {
        "original_image": (1, 20, 40, 3),
        "original_image_spatial_shape": (2,),
        "true_image_shape": (3,),
        "detection_boxes": (2, 4),
        "detection_scores": (2,),
        "detection_classes": (2,),
        "detection_masks": (2, 20, 40),
        "groundtruth_boxes": (1, 4),
        "groundtruth_classes": (1,),
        "groundtruth_keypoints": (1, 2, 2),
        "groundtruth_instance_masks": (1, 20, 40),
    }
    assert result["key"] == b"a"
    assert result["detection_boxes"][0].tolist() == [5, 20, 15, 40]
    assert result["groundtruth_boxes"].tolist() == [[5, 10, 10, 20]]
    assert len(detections) == 5
    assert truth[Inputs.groundtruth_boxes].shape == (1, 4)


def test_one_picture_without_groundtruth_of_open_sizes(run):
    image = tf.placeholder(tf.uint8, [1, None, None, 3])
    detections = {name: value[:, :0] for name, value in _detections(1).items() if "num" not in name}
    result = eval_util.result_dict_for_single_example(image, "a", detections)
    values = run(result, {image: IMAGES[:1]})
    assert values["detection_boxes"].shape == (0, 4)


def test_masks_lie_in_their_boxes(run):
    """The first box is a quarter, the second the whole of a picture that is smaller."""
    boxes = tf.constant([[[0.0, 0.0, 0.5, 0.5]], [[0.0, 0.0, 1.0, 1.0]]])
    floats = tf.ones([2, 1, 2, 2]) * tf.reshape([0.8, 0.4], [2, 1, 1, 1])
    parts = tf.constant([[[[3, 3], [3, 3]]], [[[1, 1], [2, 2]]]], tf.uint8)
    sizes = tf.constant([[4, 6], [4, 4]])
    binary, numbered = run(
        [eval_util.resize_detection_masks(boxes, masks, sizes) for masks in (floats, parts)]
    )
    assert binary.dtype == numbered.dtype == np.uint8
    assert binary.shape == numbered.shape == (2, 1, 4, 6)
    # The frame that `crop_and_resize` samples has corners on pixels: of 4 rows 2 lie in the half.
    assert binary[0, 0, :2, :3].all()
    assert binary[0].sum() == 6
    assert not binary[1].any()
    assert set(np.unique(numbered[0])) == {0, 3}
    np.testing.assert_array_equal(numbered[1, 0, :, :4], [[1] * 4] * 2 + [[2] * 4] * 2)
    assert not numbered[1, 0, :, 4:].any()


def test_groundtruth_masks_leave_the_padding(run):
    masks = np.zeros([2, 1, 20, 40], np.uint8)
    masks[:, :, :10, :20] = 1
    result = run(
        eval_util.result_dict_for_batched_example(
            IMAGES,
            KEYS,
            _detections(),
            _groundtruth(**{Inputs.groundtruth_instance_masks: tf.constant(masks)}),
            original_image_spatial_shapes=tf.constant([[40, 80], [60, 60]]),
            true_image_shapes=tf.constant([[20, 40, 3], [10, 20, 3]]),
            max_gt_boxes=[1, 1],
        )["groundtruth_instance_masks"]
    )
    assert result.shape == (2, 1, 60, 80)
    assert result[0].sum() == 20 * 40
    assert result[1, 0, :60, :60].all()
    assert result[1].sum() == 3600


def test_surface_coordinates_go_with_their_masks(run):
    detections = _detections(
        1,
        detection_masks=tf.ones([1, 2, 2, 2]),
        detection_surface_coords=tf.constant([[[[[0.25, 0.5]] * 2] * 2] * 2]),
    )
    result = eval_util.result_dict_for_batched_example(IMAGES[:1], KEYS[:1], detections)
    assert eval_util.has_densepose(result)
    assert not eval_util.has_densepose({Detections.detection_masks: 0})
    coordinates = run(result[Detections.detection_surface_coords])
    assert coordinates.shape == (1, 2, 20, 40, 2)
    # The first box spans [5, 15) x [20, 40).
    assert coordinates[0, 0, 10, 30].tolist() == [0.25, 0.5]
    assert not coordinates[0, 0, 0].any()


@pytest.mark.parametrize("batch", [1, 8])
@pytest.mark.parametrize("absolute", [False, True])
@pytest.mark.parametrize("max_gt_boxes", [None, [1]])
def test_metrics_of_a_perfect_model(batch, absolute, max_gt_boxes):
    truth = {
        Inputs.groundtruth_boxes: tf.constant([[0.0, 0.0, 1.0, 1.0]]),
        Inputs.groundtruth_classes: tf.constant([1], tf.int64),
        Inputs.groundtruth_instance_masks: tf.ones([1, 10, 10], tf.uint8),
    }
    detections = {
        Detections.detection_boxes: tf.tile([[[0.0, 0.0, 1.0, 1.0]]], [batch, 1, 1]),
        Detections.detection_scores: tf.fill([batch, 1], 0.8),
        Detections.detection_classes: tf.zeros([batch, 1]),
        Detections.detection_masks: tf.ones([batch, 1, 20, 20]),
        Detections.num_detections: tf.ones([batch]),
    }
    images = tf.zeros([batch, 20, 20, 3], tf.uint8)
    if batch == 1:
        eval_dict = eval_util.result_dict_for_single_example(
            images, tf.constant("a"), detections, truth, scale_to_absolute=absolute
        )
    else:
        truth = {name: tf.stack([value] * batch) for name, value in truth.items()}
        truth[Inputs.groundtruth_instance_masks] = tf.ones([batch, 1, 20, 20], tf.uint8)
        eval_dict = eval_util.result_dict_for_batched_example(
            images,
            tf.constant([str(number) for number in range(batch)]),
            detections,
            truth,
            scale_to_absolute=absolute,
            max_gt_boxes=max_gt_boxes or [1] * batch,
        )
    config = text_format.Parse(
        "metrics_set: ['coco_detection_metrics', 'coco_mask_metrics']", eval_pb2.EvalConfig()
    )
    ops = eval_util.get_eval_metric_ops_for_evaluators(config, CATEGORIES, eval_dict)
    with tf.Session() as session:
        session.run({name: update for name, (_, update) in ops.items()})
        metrics = session.run({name: value for name, (value, _) in ops.items()})
    assert metrics["DetectionBoxes_Precision/mAP"] == pytest.approx(1)
    assert metrics["DetectionMasks_Precision/mAP"] == pytest.approx(1)
    assert len(metrics) == 24
