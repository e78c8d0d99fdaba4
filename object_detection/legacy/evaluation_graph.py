"""The graph of an evaluation: tensors of a batch, and the pictures that come out of it.

Axes:   B images, M groundtruth boxes (padded), D detections, K keypoints.
Frames: the graph's coordinates are normalised to the network's input; those of a `Picture` are
        pixels of the picture as recorded.
"""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import tensorflow.compat.v1 as tf

from object_detection import inputs
from object_detection.builders import graph_rewriter_builder, model_builder
from object_detection.builders.record_selection import Selection
from object_detection.core import standard_fields as fields
from object_detection.errors import DataError
from object_detection.metrics.detection_evaluator import Array
from object_detection.utils import graph_errors
from object_detection.utils.label_map_util import LABEL_OFFSET

Inputs = fields.InputDataFields
Detections = fields.DetectionResultFields

# What a box has beside its place and class, if the reader gives it.
_PER_BOX = (
    Inputs.groundtruth_is_crowd,
    Inputs.groundtruth_area,
    Inputs.groundtruth_difficult,
    Inputs.groundtruth_keypoint_visibilities,
    Inputs.groundtruth_keypoint_flags,
)


class EvaluationGraph(NamedTuple):
    """The tensors of one batch."""

    start: tf.Operation  # goes back to the first picture
    step: tf.Variable
    groundtruth: dict[str, tf.Tensor]
    images: tf.Tensor  # [B, H, W, 3] uint8, padded to the batch's largest
    input_size: tf.Tensor  # [2], of the network's input with padding
    detections: dict[str, tf.Tensor]
    losses: dict[str, tf.Tensor]


class Picture(NamedTuple):
    """Truth and detections of one picture, in its own pixels."""

    name: str
    truth: dict[str, Any]  # `InputDataFields` keys
    detections: dict[str, Any]  # `DetectionResultFields` keys
    image: Any  # [H, W, 3] uint8, or None if it is not to be drawn
    num_not_finite: int  # further detections, left out: NaN would pass for a box that fits


def build_graph(
    configs: dict[str, Any], reader: Any, selection: Selection | None = None
) -> EvaluationGraph:
    """Adds the graph of an evaluation batch to the default graph.

    Args:
        configs: as `config_util.get_configs_from_pipeline_file` returns them.
        reader: `InputReader` message of the pictures.
        selection: the records that are read; None: all.
    """
    step = tf.train.get_or_create_global_step()
    model = model_builder.build(configs["model"], is_training=False, add_summaries=False)
    with tf.device("/cpu:0"):
        dataset = inputs.evaluation_dataset(
            configs["eval_config"], reader, configs["model"], model, selection=selection
        )
        iterator = tf.data.make_initializable_iterator(dataset)
        batch = iterator.get_next()
    images, true_shapes = batch[Inputs.image], batch[Inputs.true_image_shape]
    predictions = model.predict(images, true_shapes)
    detections = model.postprocess(predictions, true_shapes)
    inputs.provide_batch(model, batch)
    losses = model.loss(predictions, true_shapes)
    if "graph_rewriter_config" in configs:
        graph_rewriter_builder.build(configs["graph_rewriter_config"], is_training=False)()
    kept = (
        Detections.detection_boxes,
        Detections.detection_scores,
        Detections.detection_classes,
        Detections.detection_keypoints,
        Detections.detection_keypoint_scores,
        Detections.num_detections,
    )
    pixels = (Inputs.image, Inputs.original_image)
    return EvaluationGraph(
        start=iterator.initializer,
        step=step,
        groundtruth={key: value for key, value in batch.items() if key not in pixels},
        images=batch[Inputs.original_image],
        input_size=tf.shape(images)[1:3],
        detections={key: detections[key] for key in kept if key in detections},
        losses=dict(losses),
    )


def unbatched(
    groundtruth: dict[str, Array],
    detections: dict[str, Array],
    input_size: Array,
    images: Array | None,
) -> Iterator[Picture]:
    """The pictures of a batch, without padding."""
    for index in range(len(groundtruth[Inputs.num_groundtruth_boxes])):
        size = groundtruth[Inputs.original_image_spatial_shape][index].astype(np.float64)
        true_shape = groundtruth[Inputs.true_image_shape][index]
        # Groundtruth is a share of the padded input, detections are shares of the picture in it.
        truth_scale = input_size / true_shape[:2] * size
        boxes = int(groundtruth[Inputs.num_groundtruth_boxes][index])
        truth: dict[str, Any] = {
            Inputs.original_image_spatial_shape: size,
            Inputs.true_image_shape: true_shape,
            Inputs.groundtruth_boxes: groundtruth[Inputs.groundtruth_boxes][index, :boxes]
            * np.tile(truth_scale, 2),
            Inputs.groundtruth_classes: groundtruth[Inputs.groundtruth_classes][
                index, :boxes
            ].argmax(axis=-1)
            + LABEL_OFFSET,
        }
        for key in _PER_BOX:
            if key in groundtruth:
                truth[key] = groundtruth[key][index, :boxes]
        if Inputs.groundtruth_keypoints in groundtruth:
            truth[Inputs.groundtruth_keypoints] = (
                groundtruth[Inputs.groundtruth_keypoints][index, :boxes] * truth_scale
            )
        num_found = int(detections[Detections.num_detections][index])
        of_picture = {key: value[index] for key, value in detections.items()}
        found = _finite_rows(of_picture, num_found)
        detected: dict[str, Any] = {
            Detections.detection_boxes: of_picture[Detections.detection_boxes][found]
            * np.tile(size, 2),
            Detections.detection_scores: of_picture[Detections.detection_scores][found],
            Detections.detection_classes: of_picture[Detections.detection_classes][found].astype(
                np.int64
            )
            + LABEL_OFFSET,
        }
        if Detections.detection_keypoints in detections:
            detected[Detections.detection_keypoints] = (
                of_picture[Detections.detection_keypoints][found] * size
            )
        if Detections.detection_keypoint_scores in detections:
            detected[Detections.detection_keypoint_scores] = of_picture[
                Detections.detection_keypoint_scores
            ][found]
        height, width = size.astype(int)
        yield Picture(
            name=groundtruth[Inputs.source_id][index].decode("utf-8", "replace"),
            truth=truth,
            detections=detected,
            image=None if images is None else images[index, :height, :width],
            num_not_finite=num_found - len(found),
        )


def _finite_rows(of_picture: dict[str, Array], num_found: int) -> Array:
    """Which of the first detections of a picture have a finite box, score and points."""
    finite = np.ones([num_found], bool)
    for key in (
        Detections.detection_boxes,
        Detections.detection_scores,
        Detections.detection_keypoints,
    ):
        if key in of_picture:
            values = of_picture[key][:num_found]
            finite &= np.isfinite(values).all(axis=tuple(range(1, values.ndim)))
    return np.flatnonzero(finite)


def pictures(
    session: tf.Session,
    graph: EvaluationGraph,
    num_drawn: int,
    losses: list[dict[str, float]],
    record_files: Sequence[str],
    selection: Selection | None = None,
) -> Iterator[Picture]:
    """All pictures of the reader; the first `num_drawn` with their pixels. Fills `losses`.

    Errors name the damaged one of `record_files`, or what has changed of the `selection`.
    """
    session.run(graph.start)
    count = 0
    fetches = (graph.groundtruth, graph.detections, graph.input_size, graph.losses)
    while True:
        with_images = count < num_drawn
        try:
            values, images = session.run((fetches, graph.images if with_images else ()))
        except tf.errors.OutOfRangeError:
            return
        except (tf.errors.InvalidArgumentError, tf.errors.DataLossError) as error:
            changes = selection.changes if selection else None
            reason = graph_errors.reason(error, record_files, changes)
            raise DataError(f"After {count} pictures: {reason}") from error
        groundtruth, detections, input_size, batch_losses = values
        losses.append({name: float(value) for name, value in batch_losses.items()})
        for picture in unbatched(
            groundtruth, detections, input_size, images if with_images else None
        ):
            count += 1
            yield picture
