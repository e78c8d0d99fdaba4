"""Drawing in a graph gives what drawing on arrays gives."""

import io

import numpy as np
import pytest
import tensorflow.compat.v1 as tf
from PIL import Image

from object_detection.core import standard_fields as fields
from object_detection.visualization import (
    blending,
    colors,
    drawing,
    metric_pictures,
    plots,
    tensors,
)

Inputs = fields.InputDataFields
Detections = fields.DetectionResultFields

INDEX = {1: {"id": 1, "name": "face"}}
BOXES = np.array([[[0.25, 0.25, 0.75, 0.75], [0.5, 0.1, 0.9, 0.4]]] * 2, np.float32)
CLASSES = np.array([[1, 1], [1, 2]], np.int64)
SCORES = np.array([[0.8, 0.1], [0.6, 0.5]], np.float32)
POINTS = np.full([2, 2, 3, 2], 0.5, np.float32)


def _images(channels=3, height=40, width=60):
    return np.full([2, height, width, channels], 50, np.uint8)


def _by_arrays(images, **more):
    """The twin in numpy."""
    drawn = []
    for row, image in enumerate(images):
        own = {
            key: value[row] if isinstance(value, np.ndarray) else value
            for key, value in more.items()
        }
        drawn.append(
            drawing.visualize_boxes_and_labels_on_image_array(
                image.copy(),
                BOXES[row],
                CLASSES[row],
                SCORES[row],
                INDEX,
                use_normalized_coordinates=True,
                min_score_thresh=0.2,
                **own,
            )
        )
    return np.array(drawn)


def test_batches_of_pictures(run):
    masks = np.zeros([2, 2, 40, 60], np.uint8)
    masks[:, :, 20:30, 20:30] = 1
    tracks = np.array([[3, 9], [9, 3]])
    open_images = tf.placeholder(tf.uint8, [None, None, None, 3])
    everything = {
        "instance_masks": masks,
        "keypoints": POINTS,
        "keypoint_scores": np.full([2, 2, 3], 0.9, np.float32),
        "track_ids": tracks,
        "keypoint_edges": [(0, 1)],
    }
    arguments = (BOXES, CLASSES, SCORES, INDEX)
    color, none, rest = run(
        [
            tensors.draw_bounding_boxes_on_image_tensors(_images(), *arguments),
            tensors.draw_bounding_boxes_on_image_tensors(
                open_images, BOXES[:, :0], CLASSES[:, :0], SCORES[:, :0], INDEX
            ),
            tensors.draw_bounding_boxes_on_image_tensors(open_images, *arguments, **everything),
        ],
        {open_images: _images()},
    )
    np.testing.assert_array_equal(color, _by_arrays(_images()))
    np.testing.assert_array_equal(none, _images())
    np.testing.assert_array_equal(rest, _by_arrays(_images(), **everything))


@pytest.mark.parametrize("channels", [1, 3, 4, 5])
def test_channels(channels, run):
    drawn = tensors.draw_bounding_boxes_on_image_tensors(
        _images(channels), BOXES, CLASSES, SCORES, INDEX
    )
    assert drawn.shape.as_list() == [2, 40, 60, 3]
    assert drawn.dtype == tf.uint8
    np.testing.assert_array_equal(run(drawn), _by_arrays(_images()))


def test_padding_is_cut_and_the_size_is_that_of_the_record(run):
    images = _images()
    images[:, 20:] = 0
    drawn = run(
        tensors.draw_bounding_boxes_on_image_tensors(
            images,
            BOXES[:, :0],
            CLASSES[:, :0],
            SCORES[:, :0],
            INDEX,
            original_image_spatial_shape=np.array([[80, 90]] * 2),
            true_image_shape=np.array([[20, 60, 3]] * 2),
        )
    )
    assert drawn.shape == (2, 80, 90, 3)
    assert (drawn == 50).all()


def test_two_channels_are_refused():
    with pytest.raises(ValueError, match="channels"):
        tensors.draw_bounding_boxes_on_image_tensors(_images(2), BOXES, CLASSES, SCORES, INDEX)


def test_a_function_for_py_func():
    visualize = tensors.create_visualization_fn(
        INDEX, include_keypoints=True, include_track_ids=True, use_normalized_coordinates=True
    )
    image = _images()[0]
    drawn = visualize(image, BOXES[0], CLASSES[0], SCORES[0], POINTS[0], np.array([1, 2]))
    expected = _by_arrays(_images()[:1], keypoints=POINTS, track_ids=np.array([[1, 2]]))
    np.testing.assert_array_equal(drawn, expected[0])
    assert (image == 50).all()


def test_heat_maps(run):
    heat = np.zeros([2, 20, 30, 2], np.float32)
    heat[:, :10, :, 1] = 1.0
    logits = np.where(heat > 0, 90.0, -90.0).astype(np.float32)
    small, exact, grey = run(
        [
            tensors.draw_heatmaps_on_image_tensors(_images(), heat),
            tensors.draw_heatmaps_on_image_tensors(_images(3, 20, 30), logits, apply_sigmoid=True),
            tensors.draw_heatmaps_on_image_tensors(_images(1, 20, 30), heat),
        ]
    )
    assert small.shape == (2, 40, 60, 3)
    assert tuple(small[0, 5, 5]) == colors.rgb(colors.STANDARD_COLORS[1])
    expected = blending.draw_heatmaps_on_image_array(_images(3, 20, 30)[0], heat[0])
    np.testing.assert_array_equal(exact[1], expected)
    np.testing.assert_array_equal(grey[1], expected)


def _single(**more):
    return {
        Inputs.original_image: tf.constant(_images()[:1]),
        Detections.detection_boxes: tf.constant(BOXES[0]),
        Detections.detection_classes: tf.constant(CLASSES[0]),
        Detections.detection_scores: tf.constant(SCORES[0]),
        Inputs.groundtruth_boxes: tf.constant(BOXES[0, :1] * 0.5),
        Inputs.groundtruth_classes: tf.constant(CLASSES[0, :1]),
        **{key: tf.constant(value) for key, value in more.items()},
    }


def _alone(boxes, **more):
    return drawing.visualize_boxes_and_labels_on_image_array(
        _images()[0],
        boxes,
        [1] * len(boxes),
        more.pop("scores", [1.0] * len(boxes)),
        INDEX,
        use_normalized_coordinates=True,
        **more,
    )


def test_side_by_side_of_one_picture(run):
    (picture,) = tensors.draw_side_by_side_evaluation_image(_single(), INDEX)
    drawn = run(picture)
    assert drawn.shape == (1, 40, 120, 3)
    np.testing.assert_array_equal(drawn[0, :, :60], _alone(BOXES[0, :1], scores=[0.8]))
    np.testing.assert_array_equal(drawn[0, :, 60:], _alone(BOXES[0, :1] * 0.5))


def test_additional_channels_are_a_third_picture(run):
    more = {Inputs.image_additional_channels: np.full([1, 40, 60, 1], 50, np.uint8)}
    (picture,) = tensors.draw_side_by_side_evaluation_image(_single(**more), INDEX)
    drawn = run(picture)
    assert drawn.shape == (1, 40, 180, 3)
    np.testing.assert_array_equal(drawn[0, :, 120:], drawn[0, :, 60:120])


def test_side_by_side_of_a_padded_batch(run):
    batch = {
        Inputs.original_image: tf.constant(_images()),
        Detections.detection_boxes: tf.constant(BOXES),
        Detections.detection_classes: tf.constant(CLASSES),
        Detections.detection_scores: tf.constant(SCORES * 0.1),
        Inputs.groundtruth_boxes: tf.constant(BOXES),
        Inputs.groundtruth_classes: tf.constant(np.ones([2, 2], np.int64)),
        Inputs.groundtruth_keypoints: tf.constant(POINTS),
        Inputs.groundtruth_keypoint_visibilities: tf.constant(
            np.array([[[True, False, False]] * 2] * 2)
        ),
        "num_groundtruth_boxes_per_image": tf.constant([1, 0]),
    }
    first, second = run(tensors.draw_side_by_side_evaluation_image(batch, INDEX))
    np.testing.assert_array_equal(
        first[0, :, 60:], _alone(BOXES[0, :1], keypoints=POINTS[0, :1, :1])
    )
    np.testing.assert_array_equal(second, np.full([1, 40, 120, 3], 50))
    batch[Inputs.original_image] = tf.placeholder(tf.uint8, [None, 40, 60, 3])
    with pytest.raises(ValueError, match="batch size"):
        tensors.draw_side_by_side_evaluation_image(batch, INDEX)


def test_densepose(run):
    masks = np.zeros([1, 2, 4, 6], np.uint8)
    masks[0, 0, :2, :3] = 5
    masks[0, 1] = 1  # below the threshold
    coordinates = np.zeros([1, 2, 4, 6, 2], np.float32)
    coordinates[..., 1] = 1.0
    eval_dict = {
        Inputs.original_image: tf.zeros([1, 4, 6, 3], tf.uint8),
        Detections.detection_classes: tf.ones([1, 2], tf.int64),
        Detections.detection_scores: tf.constant(SCORES[:1]),
        Detections.detection_masks: tf.constant(masks),
        Detections.detection_surface_coords: tf.constant(coordinates),
    }
    (v,), (u,) = run(
        [
            tensors.draw_densepose_visualizations(eval_dict, dp_coord_to_visualize=coordinate)
            for coordinate in (0, 1)
        ]
    )
    assert v.shape == u.shape == (1, 4, 12, 3)
    assert v.any(axis=-1).sum() == 12
    part = np.array(colors.rgb(colors.STANDARD_COLORS[4])) * 0.4
    np.testing.assert_allclose(v[0, 0, 0], part, atol=1)
    np.testing.assert_allclose(v[0, 0, 6], np.array([255, 255, 229]) * 0.9, atol=1)
    np.testing.assert_allclose(u[0, 0, 6], np.array([0, 69, 41]) * 0.9, atol=1)
    with pytest.raises(ValueError, match="dp_coord_to_visualize"):
        tensors.draw_densepose_visualizations(eval_dict, dp_coord_to_visualize=2)
    with pytest.raises(ValueError, match="detection_surface_coords"):
        tensors.draw_densepose_visualizations({key: eval_dict[key] for key in list(eval_dict)[:4]})


def _summary_picture(content):
    (value,) = tf.Summary.FromString(content).value
    with Image.open(io.BytesIO(value.image.encoded_image_string)) as picture:
        return value, np.asarray(picture)


def test_pictures_as_metrics(run):
    """Open sizes, a batch of four: each update keeps the first picture."""
    size = tf.placeholder(tf.int32, [2])
    images = tf.fill([4, size[0], size[1], 3], tf.constant(7, tf.uint8))
    images.set_shape([4, None, None, 3])
    eval_dict = {
        Inputs.original_image: images,
        Inputs.original_image_spatial_shape: tf.tile(size[tf.newaxis], [4, 1]),
        Detections.detection_boxes: tf.zeros([4, 3, 4]),
        Detections.detection_classes: tf.ones([4, 3], tf.int64),
        Detections.detection_scores: tf.zeros([4, 3]),
        Inputs.groundtruth_boxes: tf.zeros([4, 0, 4]),
        Inputs.groundtruth_classes: tf.zeros([4, 0], tf.int64),
    }
    shown = metric_pictures.VisualizeSingleFrameDetections(INDEX, max_examples_to_draw=2)
    ops = shown.get_estimator_eval_metric_ops(eval_dict)
    prefix = "Detections_Left_Groundtruth_Right"
    assert sorted(ops) == [f"{prefix}/0", f"{prefix}/1"]
    values = {name: value for name, (value, _) in ops.items()}
    update = ops[f"{prefix}/0"][1]
    with tf.Session() as session:
        for step in range(3):
            session.run(update, {size: [6 + step, 7 + step]})
        found = session.run(values)
        for number in range(2):
            value, picture = _summary_picture(found[f"{prefix}/{number}"])
            assert value.tag.startswith(f"{prefix}/{number}")
            assert picture.shape == (6 + number, 2 * (7 + number), 3)
            assert (picture == 7).all()
        session.run(update, {size: [9, 9]})
        found = session.run(values)
        assert found[f"{prefix}/0"]
        assert found[f"{prefix}/1"] == b""


def test_no_pictures_as_metrics():
    shown = metric_pictures.VisualizeSingleFrameDetections(INDEX, max_examples_to_draw=0)
    assert shown.get_estimator_eval_metric_ops(_single()) == {}


def test_kept_pictures_are_the_first():
    class Kept(metric_pictures.EvalMetricOpsVisualization):
        def images_from_evaluation_dict(self, eval_dict):
            return []

    kept = Kept(INDEX, max_examples_to_draw=3)
    kept.add_images([np.full([1, 1, 1, 3], number) for number in range(2)])
    kept.add_images([np.full([1, 1, 1, 3], number) for number in range(2, 5)])
    assert [int(image.max()) for image in kept._images] == [0, 1, 2]
    kept.clear()
    assert not kept._images
    with pytest.raises(TypeError):
        metric_pictures.EvalMetricOpsVisualization(INDEX)


def _blue(picture):
    return (picture == colors.rgb("SteelBlue")).all(axis=-1)


def test_plot_of_a_cumulative_distribution():
    # Of (0, 0, 2, 2) the lower half has nothing, and each of the others half of the sum.
    rows, columns = np.nonzero(_blue(plots.cdf_plot(np.array([2.0, 0.0, 2.0, 0.0]))[0]))
    assert columns.min() == pytest.approx(70, abs=2)
    assert columns.max() == pytest.approx(620, abs=2)
    middle = rows[columns == (70 + 620) // 2]
    assert middle.max() == pytest.approx(430, abs=3)
    assert rows[columns == 70 + 550 * 3 // 4].mean() == pytest.approx((430 + 20) / 2, abs=3)


def test_plot_of_a_histogram():
    picture = plots.histogram_plot(np.array([0.5, 1.5, 1.5, 9.0]), np.array([0.0, 1.0, 2.0]))[0]
    height = _blue(picture).sum(axis=0)
    # One in the first half, two in the second, and what lies beyond is not there.
    assert height[200] == pytest.approx(205, abs=2)
    assert height[500] == pytest.approx(410, abs=2)


@pytest.mark.parametrize("values", [[], [0.0], [float("nan"), 1.0], [-1.0, 1.0], [3.0]])
def test_plots_of_odd_values(values):
    assert plots.cdf_plot(np.array(values)).shape == (1, 480, 640, 3)
    assert plots.histogram_plot(np.array(values), np.array([0.0, 1.0])).shape == (1, 480, 640, 3)


def test_plots_as_summaries(run):
    plots.add_cdf_image_summary([0.1, 0.2, 0.3], "PositiveAnchorLoss")
    plots.add_hist_image_summary(tf.constant([0.1, 0.2]), [0.01 * i for i in range(101)], "Scores")
    for content, name in zip(
        run(tf.get_collection(tf.GraphKeys.SUMMARIES)),
        ("PositiveAnchorLoss", "Scores"),
        strict=True,
    ):
        value, picture = _summary_picture(content)
        assert value.tag.startswith(name)
        assert picture.shape == (480, 640, 3)
