"""The loop over checkpoints, with a model of one variable."""

import json

import pytest
import tensorflow.compat.v1 as tf

from object_detection import eval_util
from object_detection.metrics.coco_evaluation import CocoDetectionEvaluator
from object_detection.metrics.detection_evaluator import DetectionEvaluator

MAP = "DetectionBoxes_Precision/mAP"
BOX = [[10.0, 10.0, 50.0, 50.0]]


class _Count(DetectionEvaluator):
    """Reports how many pictures it was given."""

    def __init__(self):
        super().__init__([])
        self.clear()

    def add_single_ground_truth_image_info(self, image_id, groundtruth_dict):
        self._seen.append(image_id)

    def add_single_detected_image_info(self, image_id, detections_dict):
        assert self._seen[-1] == image_id

    def evaluate(self):
        return {"values": float(len(self._seen))}

    def clear(self):
        self._seen = []


def _graph():
    """A variable, and what writes a checkpoint of it and the step."""
    variable = tf.get_variable("v", initializer=0.0)
    step = tf.train.get_or_create_global_step()
    saver = tf.train.Saver()

    def save(folder, value, number):
        with tf.Session() as session:
            session.run(tf.global_variables_initializer())
            session.run([variable.assign(value), step.assign(number)])
            saver.save(session, str(folder / "model.ckpt"), global_step=number)

    return variable, save


def _run(tmp_path, tensors, evaluators, **more):
    settings = {"max_number_of_evaluations": 1, "eval_interval_secs": 0, **more}
    return eval_util.repeated_checkpoint_run(
        tensors, str(tmp_path / "eval"), evaluators, checkpoint_dirs=[str(tmp_path)], **settings
    )


def _events(folder):
    return [
        (event.step, value.tag, value.simple_value)
        for path in sorted(folder.glob("events*"))
        for event in tf.train.summary_iterator(str(path))
        for value in event.summary.value
    ]


def test_metrics_of_a_checkpoint(tmp_path):
    variable, save = _graph()
    save(tmp_path, 3.0, 7)
    called = []
    truth = {
        "groundtruth_boxes": tf.constant(BOX) * variable / 3.0,
        "groundtruth_classes": tf.constant([1]),
        "detection_boxes": tf.constant(BOX),
        "detection_scores": tf.constant([0.75]),
        "detection_classes": tf.constant([1]),
    }
    export = tmp_path / "found.json"
    metrics = _run(
        tmp_path,
        truth,
        [CocoDetectionEvaluator([{"id": 1, "name": "face"}])],
        num_batches=2,
        losses_dict={"a": variable * 2.0},
        eval_export_path=str(export),
        process_metrics_fn=lambda *arguments: called.append(arguments),
        save_graph=True,
        save_graph_dir=str(tmp_path / "graph"),
    )
    assert metrics[MAP] == pytest.approx(1)
    assert metrics["Losses/a"] == 6
    assert called == [(7, metrics, str(tmp_path / "model.ckpt-7"))]
    assert [row["image_id"] for row in json.loads(export.read_text())] == [0, 1]
    assert (tmp_path / "graph" / "eval.pbtxt").read_text().startswith("node")
    assert (7, MAP, 1.0) in _events(tmp_path / "eval")


def test_each_new_checkpoint_until_a_step(tmp_path):
    variable, save = _graph()
    save(tmp_path, 1.0, 1)
    called = []

    def save_the_next(number, metrics, path):
        called.append((number, metrics["Losses/v"]))
        if number < 5:
            save(tmp_path, 10.0 * number, number + 2)

    metrics = _run(
        tmp_path,
        {"value": variable},
        [_Count()],
        # The limit of looks only guards the test.
        max_number_of_evaluations=20,
        max_evaluation_global_step=5,
        process_metrics_fn=save_the_next,
        num_batches=3,
        losses_dict={"v": variable},
    )
    assert called == [(1, 1), (3, 10), (5, 30)]
    assert metrics == {"values": 3, "Losses/v": 30}
    assert sorted({step for step, _, _ in _events(tmp_path / "eval")}) == [1, 3, 5]


def test_looks_without_a_checkpoint_count(tmp_path):
    _graph()
    assert _run(tmp_path, {}, [_Count()], max_number_of_evaluations=2) == {}


def test_a_batch_processor_may_leave_pictures_out(tmp_path):
    variable, save = _graph()
    save(tmp_path, 4.0, 1)

    def process(tensors, session, batch_index, counters, losses_dict=None):
        if batch_index == 1:
            return {}, {}
        if batch_index == 3:
            raise tf.errors.OutOfRangeError(None, None, "the end")
        arrays, losses = session.run([tensors, losses_dict])
        return arrays, {name: value + batch_index for name, value in losses.items()}

    metrics = _run(
        tmp_path,
        {"value": variable},
        [_Count()],
        batch_processor=process,
        num_batches=10,
        losses_dict={"a": variable},
    )
    assert metrics == {"values": 2, "Losses/a": 5}


def test_damaged_pictures_are_left_out_and_the_end_of_the_input_ends(tmp_path):
    _, save = _graph()
    save(tmp_path, 0.0, 1)
    dataset = tf.data.Dataset.from_tensor_slices([1.0, -1.0, 2.0])
    iterator = tf.data.make_initializable_iterator(dataset)
    tf.add_to_collection(tf.GraphKeys.TABLE_INITIALIZERS, iterator.initializer)
    value = tf.check_numerics(tf.log(iterator.get_next()), "damaged")
    metrics = _run(tmp_path, {"value": value}, [_Count()], num_batches=10)
    assert metrics == {"values": 2}


def test_restoring_by_a_function(tmp_path):
    variable, save = _graph()
    save(tmp_path, 4.0, 1)
    metrics = _run(
        tmp_path,
        {"value": variable},
        [_Count()],
        restore_fn=lambda session: session.run(variable.assign(9.0)),
        losses_dict={"v": variable},
    )
    assert metrics["Losses/v"] == 9


@pytest.mark.parametrize(
    "settings",
    [
        pytest.param({"max_number_of_evaluations": 0}, id="no look"),
        pytest.param({"max_evaluation_global_step": -1}, id="negative step"),
        pytest.param({"save_graph": True}, id="nowhere to save the graph"),
        pytest.param({"evaluators": [_Count(), _Count()]}, id="the same metric twice"),
    ],
)
def test_arguments_without_sense(settings, tmp_path):
    variable, save = _graph()
    save(tmp_path, 0.0, 1)
    settings = dict(settings)
    evaluators = settings.pop("evaluators", [_Count()])
    with pytest.raises(ValueError):
        _run(tmp_path, {"value": variable}, evaluators, **settings)


def test_a_directory_is_needed(tmp_path):
    with pytest.raises(ValueError, match="checkpoint_dirs"):
        eval_util.repeated_checkpoint_run({}, str(tmp_path), [], checkpoint_dirs=[])
