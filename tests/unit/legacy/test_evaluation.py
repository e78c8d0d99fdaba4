"""A whole evaluation of tensors that are known: which metrics, which files, run after run."""

import csv
import json

import numpy as np
import pytest
import tensorflow.compat.v1 as tf
from google.protobuf import text_format
from PIL import Image

from object_detection import eval_util
from object_detection.core import standard_fields as fields
from object_detection.errors import ConfigError
from object_detection.legacy import evaluation, evaluation_graph, evaluation_reports, evaluator
from object_detection.protos import pipeline_pb2
from object_detection.utils import config_util
from object_detection.visualization import curve_plots

Inputs = fields.InputDataFields
Detections = fields.DetectionResultFields

# Two pictures of 100 x 200, seen as 50 x 100: faces 40 and 20 pixels wide, 20 and 10 as seen. The
# first is found exactly, its points 4 pixels to the right; the second is not found; then there is a
# false alarm. Coordinates are shares of the picture.
_FACE, _SMALL = [0.2, 0.1, 0.6, 0.3], [0.1, 0.6, 0.3, 0.7]
_POINTS = [[0.3, 0.15], [0.3, 0.25]]
_BATCHES = {
    Inputs.source_id: np.array([[b"a/one.jpg"], [b"two"]]),
    Inputs.num_groundtruth_boxes: np.array([[1], [1]]),
    Inputs.original_image_spatial_shape: np.array([[[100, 200]]] * 2),
    Inputs.true_image_shape: np.array([[[50, 100, 3]]] * 2),
    Inputs.groundtruth_boxes: np.array([[[_FACE]], [[_SMALL]]], np.float32),
    Inputs.groundtruth_classes: np.array([[[[1.0]]]] * 2, np.float32),
    Inputs.groundtruth_difficult: np.array([[[False]], [[True]]]),
    Inputs.groundtruth_keypoints: np.array([[[_POINTS]], [[_POINTS]]], np.float32),
    Inputs.groundtruth_keypoint_visibilities: np.array([[[[True, True]]], [[[True, True]]]]),
    Detections.num_detections: np.array([[1.0], [1.0]], np.float32),
    Detections.detection_boxes: np.array([[[_FACE]], [[[0.5, 0.5, 0.9, 0.9]]]], np.float32),
    Detections.detection_scores: np.array([[[0.9]], [[0.4]]], np.float32),
    Detections.detection_classes: np.zeros([2, 1, 1], np.float32),
    Detections.detection_keypoints: np.array([[[_POINTS]]] * 2, np.float32) + [0.0, 0.02],
    Detections.detection_keypoint_scores: np.array([[[[0.75, 0.5]]]] * 2, np.float32),
}


def _graph(without=()):
    def build(configs, reader, selection):
        values = {name: value for name, value in _BATCHES.items() if name not in without}
        following = tf.data.make_initializable_iterator(tf.data.Dataset.from_tensor_slices(values))
        batch = following.get_next()
        step = tf.train.get_or_create_global_step()
        found = {name for name in batch if name.startswith(("detection", "num_detections"))}
        return evaluation_graph.EvaluationGraph(
            start=following.initializer,
            step=step,
            groundtruth={name: value for name, value in batch.items() if name not in found},
            images=tf.zeros([1, 100, 200, 3], tf.uint8),
            input_size=tf.constant([50, 100]),
            detections={name: value for name, value in batch.items() if name in found},
            losses={"Loss/localization_loss": tf.constant(0.25)},
        )

    return build


@pytest.fixture
def evaluate(monkeypatch, tmp_path):
    """`evaluate(text of eval_config, without=(), keypoints=2)`: an `Evaluation`, ready to run."""
    (tmp_path / "map.pbtxt").write_text(
        """item { id: 1 name: "face" keypoints { id: 1 label: "right" }
        keypoints { id: 0 label: "left" } }"""
    )
    monkeypatch.setattr(
        evaluation.restoring,
        "restorer",
        lambda _: (
            lambda session, checkpoint: session.run(
                tf.assign(tf.train.get_global_step(), int(checkpoint))
            )
        ),
    )

    def make(text="", *, without=(), keypoints=2, plots=False):
        if not plots:
            monkeypatch.setattr(curve_plots, "available", lambda: False)
        pipeline = text_format.Parse(
            f"""
            model {{ ssd {{ num_classes: 1 }} }}
            eval_config {{ num_visualizations: 1 {text} }}
            eval_input_reader {{ label_map_path: "{tmp_path}/map.pbtxt" num_keypoints: {keypoints}
              tf_record_input_reader {{ input_path: "x.record" }} }}
            """,
            pipeline_pb2.TrainEvalPipelineConfig(),
        )
        monkeypatch.setattr(evaluation_graph, "build_graph", _graph(without))
        configs = config_util.create_configs_from_pipeline_proto(pipeline)
        return evaluator.Evaluation(configs, pipeline.eval_input_reader[0], str(tmp_path / "eval"))

    return make


# Half of the faces is found, before the false alarm: AP 51 of 101 recalls, where COCO looks; 1/2 by
# area. PASCAL does not count the second face, which is difficult.
@pytest.mark.parametrize(
    ("name", "metric", "expected"),
    [
        ("coco_detection_metrics", "DetectionBoxes_Precision/mAP@.50IOU", 51 / 101),
        ("pascal_voc_detection_metrics", "PascalBoxes_Precision/mAP@0.5IOU", 1.0),
        (
            "weighted_pascal_voc_detection_metrics",
            "WeightedPascalBoxes_Precision/mAP@0.5IOU",
            1.0,
        ),
        ("oid_V2_detection_metrics", "OpenImagesV2_Precision/mAP@0.5IOU", 0.5),
        ("keypoint_error_metrics", "Keypoints/NME", 4 / 40),
        ("keypoint_oks_metrics", "OKS/AP", 0.0),
        ("object_size_metrics", "BySize/AP@.50 (16-32 px)", 1.0),
    ],
)
def test_each_metric_can_be_chosen_by_its_name(name, metric, expected, evaluate):
    metrics = (
        evaluate(f"metrics_set: '{name}'", keypoints=2 if "keypoint" in name else 0)
        .run("5")
        .metrics
    )
    assert metrics[metric] == pytest.approx(expected, abs=1e-5)
    boxes = {one for one in metrics if "Boxes" in one or "OpenImages" in one}
    assert bool(boxes) == ("detection" in name)


def test_several_metrics_at_once(evaluate):
    text = "metrics_set: ['coco_detection_metrics', 'pascal_voc_detection_metrics']"
    metrics = evaluate(text, keypoints=0).run("5").metrics
    assert metrics["DetectionBoxes_Precision/mAP@.50IOU"] == pytest.approx(51 / 101)
    assert metrics["PascalBoxes_Precision/mAP@0.5IOU"] == 1


def test_an_unknown_metric_is_refused(evaluate):
    with pytest.raises(ConfigError, match="Did you mean 'keypoint_oks_metrics'"):
        evaluate("metrics_set: 'keypoint_oks_metric'")


def test_what_is_reported_unasked(evaluate):
    boxes = {f"DetectionBoxes_{name}" for name in (
        "Precision/mAP", "Precision/mAP@.50IOU", "Precision/mAP@.75IOU", "Precision/mAP (small)",
        "Precision/mAP (medium)", "Precision/mAP (large)", "Recall/AR@1", "Recall/AR@10",
        "Recall/AR@100", "Recall/AR@100 (small)", "Recall/AR@100 (medium)", "Recall/AR@100 (large)",
    )}  # fmt: skip
    plain = evaluate(keypoints=0).run("5").metrics
    assert set(plain) == boxes | {"Losses/localization_loss"}
    more = set(evaluate().run("5").metrics) - set(plain)
    assert {one.partition("/")[0] for one in more} == {"Keypoints", "OKS", "PerKeypoint"}
    # The label map numbers them.
    assert {"PerKeypoint/Error/left", "PerKeypoint/Error/right"} <= more
    named = evaluate("keypoint_names: ['a', 'b']").run("5").metrics
    assert "PerKeypoint/Error/a" in named


def test_a_model_without_keypoints_is_judged_by_its_boxes(evaluate):
    lacking = (Detections.detection_keypoints, Detections.detection_keypoint_scores)
    result = evaluate(without=lacking).run("5")
    assert result.metrics["DetectionBoxes_Precision/mAP@.50IOU"] == pytest.approx(51 / 101)
    assert result.metrics["Keypoints/Instances"] == 0
    assert result.metrics["OKS/AP"] == -1
    assert np.isnan(result.metrics["Keypoints/NME"])


def test_settings_reach_the_metrics(evaluate):
    metrics = (
        evaluate(
            """oks_sigmas: [0.5, 0.5] pck_thresholds: 0.12 keypoint_failure_threshold: 0.2
            keypoint_size_between: ['left', 'right'] min_object_width: 16 max_detections: 300"""
        )
        .run("5")
        .metrics
    )
    # exp(-16 / (2 * 1600)) = 0.995 and exp(-16 / (2 * 400)) = 0.98: right at every threshold. The
    # points of the second picture lie well, though the box does not, of which OKS knows nothing.
    assert metrics["OKS/AP"] == pytest.approx(1)
    assert metrics["Keypoints/PCK@.12"] == 1
    assert metrics["Keypoints/AUC@.20"] == pytest.approx(0.5, abs=1e-5)
    assert metrics["Keypoints/FailureRate@.20"] == 0
    # The points are 20 pixels apart.
    assert metrics["Keypoints/NME (by left to right)"] == pytest.approx(0.2, abs=1e-5)
    assert metrics["Keypoints/Instances (width >= 16)"] == 1
    assert metrics["DetectionBoxes_Recall/AR@300"] == 0.5 == metrics["DetectionBoxes_Recall/AR@100"]


def test_files_of_a_run_and_the_next(evaluate, tmp_path):
    pytest.importorskip("matplotlib")
    judged = evaluate(plots=True)
    first, second = judged.run("5"), judged.run("7")
    assert (first.step, second.step) == (5, 7)
    assert {**first.metrics, "step": 0} == pytest.approx({**second.metrics, "step": 0}, nan_ok=True)
    folder = tmp_path / "eval"
    assert {path.name for path in folder.iterdir() if not path.name.startswith("events")} == {
        "metrics.json",
        "pictures",
        "report",
    }
    written = json.loads((folder / "metrics.json").read_text())
    assert (written["step"], written["pictures"], written["checkpoint"]) == (7, 2, "7")
    assert written["metrics"]["Keypoints/NME"] == pytest.approx(0.1, abs=1e-5)
    assert [row["objects"] for row in written["sizes"]] == [0, 1, 1, 0, 0]
    assert written["sizes"][2]["AP@.50"] == pytest.approx(1)
    assert written["sizes"][1]["NME"] is None
    assert [row["keypoint"] for row in written["keypoints"]] == ["left", "right"]
    stems = ("keypoint_errors", "keypoints", "precision_recall", "sizes")
    names = sorted(f"{stem}.{end}" for stem in stems for end in ("csv", "png"))
    assert sorted(path.name for path in (folder / "report").iterdir()) == names
    assert sorted(second.files) == [str(folder / "report" / name) for name in names]
    with (folder / "report" / "keypoint_errors.csv").open() as file:
        assert list(csv.reader(file)) == [["size", "error", "share"], ["box size", "0.1", "1"]]
    (drawn,) = (folder / "pictures").iterdir()
    assert drawn.name == "000_one.jpg"
    tags = {}
    for path in folder.glob("events*"):
        for event in tf.train.summary_iterator(str(path)):
            for value in event.summary.value:
                tags.setdefault(event.step, {})[value.tag] = value
    assert set(tags[5]) == set(tags[7])
    assert {f"Plots/{stem}" for stem in stems} <= set(tags[7])
    assert tags[7]["Keypoints/NME"].simple_value == pytest.approx(0.1, abs=1e-5)
    with Image.open(folder / "report" / "sizes.png") as image:
        size = tags[7]["Plots/sizes"].image
        assert image.size == (size.width, size.height)


def test_a_run_beside_a_training_leaves_its_graph_alone(evaluate):
    with tf.Graph().as_default() as training:
        weight = tf.get_variable("weight", [], initializer=tf.zeros_initializer())
        train = tf.assign_add(weight, 1.0)
        with tf.Session() as session:
            session.run(tf.global_variables_initializer())
            training.finalize()
            judged = evaluate()
            for step in (1, 2):
                session.run(train)
                assert judged.run(str(step)).step == step
                assert tf.get_default_graph() is training
                assert tf.get_default_session() is session
            assert session.run(weight) == 2


def test_without_matplotlib_there_are_the_numbers(evaluate, tmp_path):
    result = evaluate().run("5")
    assert {path.suffix for path in (tmp_path / "eval" / "report").iterdir()} == {".csv"}
    assert f"({eval_util.HOW_TO_GET_PLOTS})" in evaluator.summary_lines(result)


def test_lines_for_the_console(evaluate):
    lines = evaluator.summary_lines(evaluate().run("5"))
    assert lines[0] == "2 pictures, 5 (step 5):"
    assert any(line.split()[:2] == ["mAP@.50IOU", "0.5050"] for line in lines)
    assert any(line.split() == ["16-32", "1", "1.0000", "1.0000", "0.1000", "1"] for line in lines)
    assert any(line.split() == ["left", "1", "0.1000", "0.0000", "1.0000"] for line in lines)
    assert lines[-1].startswith("metrics: ")


@pytest.mark.parametrize("bad", [np.nan, np.inf])
@pytest.mark.parametrize(
    "key",
    [
        Detections.detection_boxes,
        Detections.detection_scores,
        Detections.detection_keypoints,
    ],
)
def test_detections_that_are_not_finite_count_for_nothing(key, bad):
    """A comparison with NaN is false: "overlaps too little" would be, too."""
    batch = {name: value[0].copy() for name, value in _BATCHES.items()}
    batch[key][0].reshape(-1)[-1] = bad
    (picture,) = evaluation_graph.unbatched(batch, batch, np.array([50, 100]), None)
    rows = len(_BATCHES[key][0][0])
    assert picture.num_not_finite == 1
    assert {len(value) for value in picture.detections.values()} == {rows - 1}


def test_scores_of_keypoints_stay_with_their_detection():
    batch = {name: value[0] for name, value in _BATCHES.items()}
    (picture,) = evaluation_graph.unbatched(batch, batch, np.array([50, 100]), None)
    assert picture.num_not_finite == 0
    assert picture.detections[Detections.detection_keypoint_scores].tolist() == [[0.75, 0.5]]
    assert picture.truth[Inputs.groundtruth_difficult].tolist() == [False]
    assert evaluation_reports.file_name(picture, 7) == "007_one.jpg"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("../../a b.jpg", "a b"),
        ("a\0\n\x1b[2J.jpg", "a[2J"),
        ("", "picture"),
        ("..", ".."),
        ("/", "picture"),
        ("x" * 5000, "x" * 60),
        ("\ufffd" * 3, "\ufffd" * 3),
    ],
)
def test_names_of_strangers_pictures_make_names_of_files(name, expected):
    picture = evaluation_graph.Picture(name, {}, {}, None, 0)
    assert evaluation_reports.file_name(picture, 7) == f"007_{expected}.jpg"
