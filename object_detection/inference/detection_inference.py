"""Records in, records with detections out: the parts of `infer_detections`.

Axes: D detections.
"""

from collections.abc import Sequence

import tensorflow.compat.v1 as tf

from object_detection.core import standard_fields as fields
from object_detection.errors import CheckpointError
from object_detection.inference import detector

Keys = fields.TfExampleFields


def build_input(tfrecord_paths: Sequence[str] | str) -> tuple[tf.Tensor, tf.Tensor]:
    """Tensors of the next record; each run moves on, and `OutOfRangeError` ends it.

    Nothing has to be initialised.

    Args:
        tfrecord_paths: files of tf.train.Example, read in this order.

    Returns:
        The serialised record, scalar, and its picture, [1, H, W, 3] uint8.
    """
    records = tf.data.TFRecordDataset(tfrecord_paths)
    serialized = tf.data.make_one_shot_iterator(records.prefetch(1)).get_next()
    wanted = {Keys.image_encoded: tf.io.FixedLenFeature([], tf.string)}
    encoded = tf.io.parse_single_example(serialized, wanted)[Keys.image_encoded]
    image = tf.io.decode_image(encoded, channels=3, expand_animations=False)
    image.set_shape([None, None, 3])
    return serialized, image[tf.newaxis]


def build_inference_graph(
    image_tensor: tf.Tensor, inference_graph_path: str
) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """Puts an exported detector behind a picture.

    Args:
        image_tensor: [1, H, W, 3] uint8.
        inference_graph_path: frozen graph, or the directory that holds it.

    Returns:
        Of the D detections in the picture: boxes [D, 4], scores [D], classes [D] int64.

    Raises:
        CheckpointError: the file cannot be read as the graph of a detector.
    """
    graph_def = detector.load_frozen_graph(inference_graph_path)
    outputs = ("detection_boxes", "detection_scores", "detection_classes", "num_detections")
    detector.require_nodes({node.name for node in graph_def.node}, outputs, inference_graph_path)
    try:
        boxes, scores, classes, count = tf.import_graph_def(
            graph_def,
            input_map={"image_tensor": image_tensor},
            return_elements=[f"{name}:0" for name in outputs],
            name="",
        )
    except ValueError as error:
        raise CheckpointError(f"{inference_graph_path}: is no valid graph: {error}") from error
    found = tf.cast(count[0], tf.int32)
    return boxes[0, :found], scores[0, :found], tf.cast(classes[0, :found], tf.int64)


def infer_detections_and_add_to_example(
    serialized_example_tensor: tf.Tensor,
    detected_boxes_tensor: tf.Tensor,
    detected_scores_tensor: tf.Tensor,
    detected_labels_tensor: tf.Tensor,
    discard_image_pixels: bool,
) -> tf.train.Example:
    """Runs the detector once, in the default session, and adds what it finds to the record.

    Args:
        serialized_example_tensor: scalar string.
        detected_boxes_tensor: [D, 4], [ymin, xmin, ymax, xmax], normalised.
        detected_scores_tensor: [D].
        detected_labels_tensor: [D] int64.
        discard_image_pixels: whether `image/encoded` is left out of the result.

    Returns:
        The record with `image/detection/{bbox/...,score,label}`.
    """
    session = tf.get_default_session()
    serialized, boxes, scores, labels = session.run(
        [
            serialized_example_tensor,
            detected_boxes_tensor,
            detected_scores_tensor,
            detected_labels_tensor,
        ]
    )
    example = tf.train.Example.FromString(serialized)
    feature = example.features.feature
    for key, values in (
        (Keys.detection_bbox_ymin, boxes[:, 0]),
        (Keys.detection_bbox_xmin, boxes[:, 1]),
        (Keys.detection_bbox_ymax, boxes[:, 2]),
        (Keys.detection_bbox_xmax, boxes[:, 3]),
        (Keys.detection_score, scores),
    ):
        feature[key].float_list.value[:] = values
    feature[Keys.detection_class_label].int64_list.value[:] = labels
    if discard_image_pixels:
        feature.pop(Keys.image_encoded, None)
    return example
