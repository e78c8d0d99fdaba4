"""An evaluation: one graph and its evaluators, run on one checkpoint after the other."""

import dataclasses
import os
from typing import Any

import numpy as np
import tensorflow.compat.v1 as tf
import tqdm

from object_detection import eval_util
from object_detection.builders import keypoint_loss_builder
from object_detection.builders.record_selection import Selection
from object_detection.core import standard_fields as fields
from object_detection.errors import DataError
from object_detection.legacy import evaluation_graph, evaluation_reports, restoring
from object_detection.legacy.evaluation_graph import Picture
from object_detection.legacy.evaluation_reports import Result
from object_detection.metrics.coco_evaluation import OksEvaluator
from object_detection.metrics.detection_evaluator import DetectionEvaluator
from object_detection.metrics.keypoint_evaluation import KeypointErrorEvaluator
from object_detection.metrics.size_evaluation import SizeEvaluator
from object_detection.utils import crowd_config, files, keypoint_config, label_map_util
from object_detection.utils.cut_boxes import CutBoxes
from object_detection.visualization import encoding

Inputs = fields.InputDataFields
Detections = fields.DetectionResultFields


class Evaluation:
    """A graph and its evaluators, run on one checkpoint after the other."""

    def __init__(
        self,
        configs: dict[str, Any],
        reader: Any,
        eval_dir: str,
        selection: Selection | None = None,
    ) -> None:
        """Builds the graph.

        Args:
            configs: as `config_util.get_configs_from_pipeline_file` returns them.
            reader: `InputReader` message of the pictures.
            eval_dir: where `metrics.json`, `report/`, `pictures/` and TensorBoard files go.
            selection: the records that are read; None: all.
        """
        self._eval_config = configs["eval_config"]
        self._eval_dir = eval_dir
        self._pictures_dir = self._eval_config.visualization_export_dir or os.path.join(
            eval_dir, "pictures"
        )
        self._record_files = list(reader.tf_record_input_reader.input_path)
        self._selection = selection
        categories = label_map_util.create_categories_from_labelmap(reader.label_map_path)
        self._category_index = label_map_util.create_category_index(categories)
        self._keypoint_colors = (
            keypoint_config.schema_of(configs["keypoints"]).colors
            if "keypoints" in configs
            else None
        )
        self._limit = crowd_config.detection_limit(configs["model"], self._eval_config)
        self._evaluators = self._make_evaluators(
            categories, int(reader.num_keypoints), configs["model"]
        )
        self._reporters = _with_sizes(self._evaluators, categories, self._eval_config)
        self._tf_graph = tf.Graph()
        with self._tf_graph.as_default():
            self._graph = evaluation_graph.build_graph(configs, reader, selection)
            self._restore = restoring.restorer(self._eval_config)

    def _make_evaluators(
        self, categories: list[dict[str, Any]], num_keypoints: int, model: Any
    ) -> list[DetectionEvaluator]:
        config = type(self._eval_config)()
        config.CopyFrom(self._eval_config)
        if not config.metrics_set:
            config.metrics_set.append(eval_util.EVAL_DEFAULT_METRIC)
        if num_keypoints:
            names = [eval_util.KEYPOINT_ERROR_METRIC, eval_util.KEYPOINT_OKS_METRIC]
            if keypoint_loss_builder.predicts_visibility(model.ssd.loss):
                names.append(eval_util.KEYPOINT_VISIBILITY_METRIC)
            for name in names:
                if name not in config.metrics_set:
                    config.metrics_set.append(name)
            if not config.keypoint_names:
                config.keypoint_names.extend(_label_map_names(categories, num_keypoints))
        return eval_util.get_evaluators(
            config, categories, eval_util.evaluator_options_from_eval_config(config)
        )

    def run(self, checkpoint: str) -> Result:
        """Evaluates a checkpoint.

        Raises:
            CheckpointError: it does not fit the model.
            DataError: a record cannot be used, or there is none.
            StorageError: the disk is full.
        """
        with files.work_folder(self._pictures_dir) as work:
            return self._run(checkpoint, work)

    def _run(self, checkpoint: str, work: str) -> Result:
        """See `run`; pictures are drawn into a folder for work."""
        for evaluator in self._reporters:
            evaluator.clear()
        losses: list[dict[str, float]] = []
        drawn: list[str] = []
        config = self._eval_config
        limit = config.num_examples if config.HasField("num_examples") else 0
        count = 0
        not_finite = 0
        beyond = CutBoxes(*self._limit, fate="cannot be found")
        with tf.Session(
            graph=self._tf_graph, config=tf.ConfigProto(allow_soft_placement=True)
        ) as session:
            self._restore(session, checkpoint)
            with self._tf_graph.as_default():
                session.run(tf.get_collection(tf.GraphKeys.TABLE_INITIALIZERS))
            step = int(session.run(self._graph.step))
            stream = evaluation_graph.pictures(
                session,
                self._graph,
                config.num_visualizations,
                losses,
                self._record_files,
                self._selection,
            )
            # disable=None: a bar on a terminal, nothing in a log.
            for picture in tqdm.tqdm(stream, "evaluating", unit=" pictures", disable=None):
                self._count(picture, count)
                not_finite += picture.num_not_finite
                beyond.count([len(picture.truth[Inputs.groundtruth_boxes])])
                if count < config.num_visualizations and picture.image is not None:
                    name = evaluation_reports.file_name(picture, count)
                    encoding.save_image(
                        evaluation_reports.draw(
                            picture, self._category_index, config, self._keypoint_colors
                        ),
                        os.path.join(work, name),
                    )
                    drawn.append(name)
                count += 1
                if limit and count >= limit:
                    break
        if not count:
            raise DataError("The reader gave no picture; see eval_input_reader.input_path.")
        metrics = self._metrics(losses)
        result = self._write(checkpoint, step, count, metrics, work, drawn, beyond.words())
        return dataclasses.replace(result, num_not_finite=not_finite)

    def _metrics(self, losses: list[dict[str, float]]) -> dict[str, float]:
        """What the evaluators found, and the mean losses of the batches."""
        metrics: dict[str, float] = {}
        for evaluator in self._evaluators:
            metrics |= evaluator.evaluate()
        for name in losses[0]:
            metrics[name.replace("Loss/", "Losses/", 1)] = float(
                np.mean([batch[name] for batch in losses])
            )
        return metrics

    def rehearse(self) -> list[str]:
        """Evaluates one batch with weights that nobody trained, and writes nothing.

        So what would end an evaluation, ends a long training before it begins.

        Returns:
            The names of the metrics.

        Raises:
            DataError: a record cannot be used, or there is none.
        """
        losses: list[dict[str, float]] = []
        with (
            self._tf_graph.as_default(),
            tf.Session(config=tf.ConfigProto(allow_soft_placement=True)) as session,
        ):
            session.run(
                [
                    tf.variables_initializer(tf.global_variables()),
                    tf.get_collection(tf.GraphKeys.TABLE_INITIALIZERS),
                ]
            )
            stream = evaluation_graph.pictures(
                session, self._graph, 0, losses, self._record_files, self._selection
            )
            for number, picture in enumerate(stream):
                self._count(picture, number)
                if number + 1 == max(self._eval_config.batch_size, 1):
                    break
        if not losses:
            raise DataError("The reader gave no picture; see eval_input_reader.input_path.")
        names = list(self._metrics(losses))
        for evaluator in self._reporters:
            evaluator.clear()
        return names

    def _count(self, picture: Picture, number: int) -> None:
        # Names may repeat; each picture counts.
        image_id = f"{number}:{picture.name}"
        for evaluator in self._reporters:
            if (
                isinstance(evaluator, KeypointErrorEvaluator | OksEvaluator)
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
        warning: str,
    ) -> Result:
        pictures = self._pictures_dir
        if drawn:
            os.makedirs(pictures, exist_ok=True)
            for name in drawn:
                os.replace(os.path.join(work, name), os.path.join(pictures, name))
        sheets = eval_util.collect_sheets(self._reporters)
        eval_util.write_metrics(metrics, step, self._eval_dir)
        content: dict[str, Any] = {
            "checkpoint": checkpoint,
            "step": step,
            "pictures": count,
            "metrics": metrics,
        }
        content |= {sheet.name: sheet.records() for sheet in sheets if not sheet.is_curve}
        metrics_file = eval_util.write_metrics_file(content, self._eval_dir)
        return Result(
            checkpoint=checkpoint,
            step=step,
            num_pictures=count,
            metrics=metrics,
            pictures=[os.path.join(pictures, name) for name in drawn],
            metrics_file=metrics_file,
            sheets=sheets,
            files=eval_util.write_sheets(sheets, step, self._eval_dir),
            warning=warning,
        )


def _with_sizes(
    evaluators: list[DetectionEvaluator], categories: list[dict[str, Any]], eval_config: Any
) -> list[DetectionEvaluator]:
    """The evaluators, and one by sizes, for the reports, if it is not among them."""
    if any(isinstance(one, SizeEvaluator) for one in evaluators):
        return evaluators
    return [*evaluators, SizeEvaluator(categories, max_detections=eval_config.max_detections)]


def _label_map_names(categories: list[dict[str, Any]], num_keypoints: int) -> list[str]:
    """The names of the K keypoints, if the label map has one set of so many; else none."""
    sets = {
        tuple(sorted((number, name) for name, number in category["keypoints"].items()))
        for category in categories
        if category.get("keypoints")
    }
    if len(sets) != 1:
        return []
    (points,) = sets
    numbers = [number for number, _ in points]
    return [name for _, name in points] if numbers == list(range(num_keypoints)) else []
