"""The evaluation loop: graph of one batch, metrics of a checkpoint, waiting for the next.

Axes:   B images, M groundtruth boxes (padded), D detections, K keypoints.
Frames: the graph's coordinates are normalised to the network's input; evaluators get pixels of the
        picture as recorded.
"""

import dataclasses
import logging
import os
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import tensorflow.compat.v1 as tf
import tqdm

from object_detection import eval_util, inputs
from object_detection.builders import graph_rewriter_builder, model_builder
from object_detection.core import standard_fields as fields
from object_detection.errors import CheckpointError, ConfigError, DataError
from object_detection.legacy import restoring, sample_evaluation
from object_detection.metrics.detection_evaluator import Array, DetectionEvaluator
from object_detection.metrics.keypoint_evaluation import KeypointErrorEvaluator
from object_detection.utils import crowd_config, graph_errors, keypoint_config, label_map_util
from object_detection.utils.cut_boxes import CutBoxes
from object_detection.visualization import drawing, encoding, side_by_side

logger = logging.getLogger(__name__)

# Evaluation of samples that a function makes is a page of its own; users find it here.
EVAL_METRICS_CLASS_DICT = sample_evaluation.EVAL_METRICS_CLASS_DICT
EVAL_DEFAULT_METRIC = sample_evaluation.EVAL_DEFAULT_METRIC
get_evaluators = sample_evaluation.get_evaluators
evaluate = sample_evaluation.evaluate

Inputs = fields.InputDataFields
Detections = fields.DetectionResultFields

# The class ids of a label map start at 1; the model's classes start at 0.
_LABEL_OFFSET = 1


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


@dataclasses.dataclass(frozen=True)
class Result:
    """What an evaluation found."""

    checkpoint: str
    step: int
    num_pictures: int
    metrics: dict[str, float]
    pictures: list[str]  # paths of drawn pictures
    metrics_file: str
    warning: str = ""  # of objects that no metric can count as found


def build_graph(configs: dict[str, Any], reader: Any) -> EvaluationGraph:
    """Adds the graph of an evaluation batch to the default graph.

    Args:
        configs: as `config_util.get_configs_from_pipeline_file` returns them.
        reader: `InputReader` message of the pictures.
    """
    step = tf.train.get_or_create_global_step()
    model = model_builder.build(configs["model"], is_training=False, add_summaries=False)
    with tf.device("/cpu:0"):
        dataset = inputs.evaluation_dataset(configs["eval_config"], reader, configs["model"], model)
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
        Detections.num_detections,
    )
    pictures = (Inputs.image, Inputs.original_image)
    return EvaluationGraph(
        start=iterator.initializer,
        step=step,
        groundtruth={key: value for key, value in batch.items() if key not in pictures},
        images=batch[Inputs.original_image],
        input_size=tf.shape(images)[1:3],
        detections={key: detections[key] for key in kept if key in detections},
        losses=dict(losses),
    )


def _unbatched(
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
            + _LABEL_OFFSET,
        }
        for key in (
            Inputs.groundtruth_is_crowd,
            Inputs.groundtruth_area,
            Inputs.groundtruth_keypoint_visibilities,
        ):
            if key in groundtruth:
                truth[key] = groundtruth[key][index, :boxes]
        if Inputs.groundtruth_keypoints in groundtruth:
            truth[Inputs.groundtruth_keypoints] = (
                groundtruth[Inputs.groundtruth_keypoints][index, :boxes] * truth_scale
            )
        found = int(detections[Detections.num_detections][index])
        detected: dict[str, Any] = {
            Detections.detection_boxes: detections[Detections.detection_boxes][index, :found]
            * np.tile(size, 2),
            Detections.detection_scores: detections[Detections.detection_scores][index, :found],
            Detections.detection_classes: detections[Detections.detection_classes][
                index, :found
            ].astype(np.int64)
            + _LABEL_OFFSET,
        }
        if Detections.detection_keypoints in detections:
            detected[Detections.detection_keypoints] = (
                detections[Detections.detection_keypoints][index, :found] * size
            )
        height, width = size.astype(int)
        yield Picture(
            name=groundtruth[Inputs.source_id][index].decode("utf-8", "replace"),
            truth=truth,
            detections=detected,
            image=None if images is None else images[index, :height, :width],
        )


def _draw(
    picture: Picture,
    category_index: drawing.CategoryIndex,
    eval_config: Any,
    keypoint_colors: Sequence[str] | None = None,
) -> Array:
    truth, detections = picture.truth, picture.detections
    size = truth[Inputs.original_image_spatial_shape]
    names = Inputs.groundtruth_keypoints, Detections.detection_keypoints
    keypoints: Array | None = truth.get(names[0])
    if keypoints is not None and Inputs.groundtruth_keypoint_visibilities in truth:
        visible = truth[Inputs.groundtruth_keypoint_visibilities]
        keypoints = np.where(visible[..., None] > 0, keypoints, np.nan)
    left = {
        "boxes": truth[Inputs.groundtruth_boxes] / np.tile(size, 2),
        "classes": truth[Inputs.groundtruth_classes],
    }
    right = {
        "boxes": detections[Detections.detection_boxes] / np.tile(size, 2),
        "classes": detections[Detections.detection_classes],
        "scores": detections[Detections.detection_scores],
    }
    if keypoints is not None:
        left["keypoints"] = keypoints / size
    if names[1] in detections:
        right["keypoints"] = detections[names[1]] / size
    return side_by_side.truth_beside_detections(
        picture.image,
        left,
        right,
        category_index,
        max_boxes_to_draw=eval_config.max_num_boxes_to_visualize,
        min_score_thresh=eval_config.min_score_threshold,
        skip_scores=eval_config.skip_scores,
        skip_labels=eval_config.skip_labels,
        keypoint_edges=[(edge.start, edge.end) for edge in eval_config.keypoint_edge],
        keypoint_colors=keypoint_colors,
    )


def _pictures(
    session: tf.Session,
    graph: EvaluationGraph,
    num_drawn: int,
    losses: list[dict[str, float]],
    record_files: Sequence[str],
) -> Iterator[Picture]:
    """All pictures of the reader; the first `num_drawn` with their pixels. Fills `losses`.

    Errors name the damaged one of `record_files`.
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
            raise DataError(
                f"After {count} pictures: {graph_errors.reason(error, record_files)}"
            ) from error
        groundtruth, detections, input_size, batch_losses = values
        losses.append({name: float(value) for name, value in batch_losses.items()})
        for picture in _unbatched(
            groundtruth, detections, input_size, images if with_images else None
        ):
            count += 1
            yield picture


def _file_name(picture: Picture, number: int) -> str:
    stem = os.path.splitext(os.path.basename(picture.name))[0] or "picture"
    return f"{number:03d}_{stem}.jpg"


class Evaluation:
    """A graph and its evaluators, run on one checkpoint after the other."""

    def __init__(self, configs: dict[str, Any], reader: Any, eval_dir: str) -> None:
        """Builds the graph.

        Args:
            configs: as `config_util.get_configs_from_pipeline_file` returns them.
            reader: `InputReader` message of the pictures.
            eval_dir: where `metrics.json`, `pictures/` and TensorBoard files go.
        """
        self._eval_config = configs["eval_config"]
        self._eval_dir = eval_dir
        self._record_files = list(reader.tf_record_input_reader.input_path)
        categories = label_map_util.create_categories_from_labelmap(reader.label_map_path)
        self._category_index = label_map_util.create_category_index(categories)
        self._keypoint_colors = (
            keypoint_config.schema_of(configs["keypoints"]).colors
            if "keypoints" in configs
            else None
        )
        self._limit = crowd_config.detection_limit(configs["model"], self._eval_config)
        self._evaluators = self._make_evaluators(categories, bool(reader.num_keypoints))
        self._tf_graph = tf.Graph()
        with self._tf_graph.as_default():
            self._graph = build_graph(configs, reader)
            self._restore = restoring.restorer(self._eval_config)

    def _make_evaluators(
        self, categories: list[dict[str, Any]], has_keypoints: bool
    ) -> list[DetectionEvaluator]:
        config = type(self._eval_config)()
        config.CopyFrom(self._eval_config)
        if not config.metrics_set:
            config.metrics_set.append(eval_util.EVAL_DEFAULT_METRIC)
        if has_keypoints and eval_util.KEYPOINT_ERROR_METRIC not in config.metrics_set:
            config.metrics_set.append(eval_util.KEYPOINT_ERROR_METRIC)
        return eval_util.get_evaluators(
            config, categories, eval_util.evaluator_options_from_eval_config(config)
        )

    def run(self, checkpoint: str) -> Result:
        """Evaluates a checkpoint.

        Raises:
            CheckpointError: it does not fit the model.
            DataError: a record cannot be used, or there is none.
        """
        for evaluator in self._evaluators:
            evaluator.clear()
        losses: list[dict[str, float]] = []
        drawn: list[str] = []
        config = self._eval_config
        limit = config.num_examples if config.HasField("num_examples") else 0
        os.makedirs(self._eval_dir, exist_ok=True)
        work = os.path.join(self._eval_dir, ".pictures")
        shutil.rmtree(work, ignore_errors=True)
        count = 0
        beyond = CutBoxes(*self._limit, fate="cannot be found")
        with tf.Session(
            graph=self._tf_graph, config=tf.ConfigProto(allow_soft_placement=True)
        ) as session:
            self._restore(session, checkpoint)
            with self._tf_graph.as_default():
                session.run(tf.get_collection(tf.GraphKeys.TABLE_INITIALIZERS))
            step = int(session.run(self._graph.step))
            stream = _pictures(
                session, self._graph, config.num_visualizations, losses, self._record_files
            )
            # disable=None: a bar on a terminal, nothing in a log.
            for picture in tqdm.tqdm(stream, "evaluating", unit=" pictures", disable=None):
                self._count(picture, count)
                beyond.count([len(picture.truth[Inputs.groundtruth_boxes])])
                if count < config.num_visualizations and picture.image is not None:
                    name = _file_name(picture, count)
                    encoding.save_image(
                        _draw(picture, self._category_index, config, self._keypoint_colors),
                        os.path.join(work, name),
                    )
                    drawn.append(name)
                count += 1
                if limit and count >= limit:
                    break
        if not count:
            raise DataError("The reader gave no picture; see eval_input_reader.input_path.")
        metrics: dict[str, float] = {}
        for evaluator in self._evaluators:
            metrics |= evaluator.evaluate()
        for name in losses[0]:
            metrics[name.replace("Loss/", "Losses/", 1)] = float(
                np.mean([batch[name] for batch in losses])
            )
        result = self._write(checkpoint, step, count, metrics, work, drawn)
        return dataclasses.replace(result, warning=beyond.words())

    def _count(self, picture: Picture, number: int) -> None:
        # Names may repeat; each picture counts.
        image_id = f"{number}:{picture.name}"
        for evaluator in self._evaluators:
            if (
                isinstance(evaluator, KeypointErrorEvaluator)
                and Detections.detection_keypoints not in picture.detections
            ):
                continue
            evaluator.add_single_ground_truth_image_info(image_id, picture.truth)
            evaluator.add_single_detected_image_info(image_id, picture.detections)

    def _write(
        self,
        checkpoint: str,
        step: int,
        count: int,
        metrics: dict[str, float],
        work: str,
        drawn: list[str],
    ) -> Result:
        pictures = self._eval_config.visualization_export_dir or os.path.join(
            self._eval_dir, "pictures"
        )
        if drawn:
            os.makedirs(pictures, exist_ok=True)
            for name in drawn:
                os.replace(os.path.join(work, name), os.path.join(pictures, name))
            shutil.rmtree(work, ignore_errors=True)
        eval_util.write_metrics(metrics, step, self._eval_dir)
        path = eval_util.write_metrics_file(
            {"checkpoint": checkpoint, "step": step, "pictures": count, "metrics": metrics},
            self._eval_dir,
        )
        return Result(
            checkpoint,
            step,
            count,
            metrics,
            [os.path.join(pictures, name) for name in drawn],
            path,
        )


def summary_lines(result: Result) -> list[str]:
    """The result as a table for the console."""
    width = max(len(name) for name in result.metrics)
    lines = [f"{result.num_pictures} pictures, {result.checkpoint} (step {result.step}):"]
    lines += [f"  {name:<{width}}  {value:.4f}" for name, value in sorted(result.metrics.items())]
    if result.pictures:
        lines.append(f"  pictures: {os.path.dirname(result.pictures[0])}")
    lines.append(f"  metrics:  {result.metrics_file}")
    return [*lines, result.warning] if result.warning else lines


def evaluate_checkpoints(
    configs: dict[str, Any],
    checkpoint_dir: str,
    eval_dir: str,
    run_once: bool = False,
    eval_training_data: bool = False,
    say: Callable[[str], None] = logger.info,
) -> list[Result]:
    """Evaluates the newest checkpoint of a directory, and each newer one that appears.

    Args:
        configs: as `config_util.get_configs_from_pipeline_file` returns them.
        checkpoint_dir: where training writes its checkpoints.
        eval_dir: where results go.
        run_once: return after the newest checkpoint, instead of waiting for the next.
        eval_training_data: evaluate on the pictures of `train_input_reader`.
        say: takes each line for the user.

    Returns:
        The last evaluation, one result a reader; without `run_once` only `eval_config.max_evals`
        ends the wait.

    Raises:
        CheckpointError: with `run_once`, there is no checkpoint; or it does not fit.
        ConfigError: two readers have one name.
    """
    config = configs["eval_config"]
    if tf.io.gfile.exists(f"{checkpoint_dir}.index"):
        raise CheckpointError(
            f"--checkpoint_dir {checkpoint_dir}: is a checkpoint. Give the folder that it lies in."
        )
    latest = tf.train.latest_checkpoint(checkpoint_dir)
    if run_once and not latest:
        raise CheckpointError(
            f"--checkpoint_dir {checkpoint_dir}: there is no checkpoint (no file 'checkpoint' that "
            "names one). Train first, or leave --run_once out to wait for one."
        )
    evaluations = [
        Evaluation(configs, reader, directory)
        for reader, directory in _readers(configs, eval_dir, eval_training_data)
    ]
    done, previous = 0, None
    while True:
        if latest and latest != previous:
            results = [evaluation.run(latest) for evaluation in evaluations]
            for result in results:
                for line in summary_lines(result):
                    say(line)
            done, previous = done + 1, latest
            if run_once or (config.max_evals and done >= config.max_evals):
                return results
        elif not done:
            say(f"No checkpoint in {checkpoint_dir} yet.")
        say(f"Looking again in {config.eval_interval_secs} s; Ctrl-C ends.")
        time.sleep(config.eval_interval_secs)
        latest = tf.train.latest_checkpoint(checkpoint_dir)


def _readers(
    configs: dict[str, Any], eval_dir: str, eval_training_data: bool
) -> list[tuple[Any, str]]:
    """Each reader with its directory: `eval_dir`, or one below it if there are several."""
    if eval_training_data:
        return [(configs["train_input_config"], eval_dir)]
    readers = list(configs["eval_input_configs"])
    if len(readers) == 1:
        return [(readers[0], eval_dir)]
    names = [reader.name or f"reader_{number}" for number, reader in enumerate(readers)]
    if len(set(names)) < len(names):
        raise ConfigError(f"eval_input_reader.name: {names} should differ; results go to folders.")
    return [
        (reader, os.path.join(eval_dir, name)) for reader, name in zip(readers, names, strict=True)
    ]
