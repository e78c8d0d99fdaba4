"""OKS-AP against pycocotools with its own files, and against a twin of COCO's definition."""

import contextlib
import io
import json

import numpy as np
import pytest
import tensorflow.compat.v1 as tf
from pycocotools import coco, cocoeval

from object_detection.core import standard_fields as fields
from object_detection.errors import ConfigError, DataError, ShapeError
from object_detection.keypoints import measures, schema
from object_detection.metrics import coco_evaluation, coco_tools

Inputs = fields.InputDataFields
Detections = fields.DetectionResultFields

COCO17 = schema.load("coco17")
CATEGORIES = [{"id": 1, "name": "person"}]
NAMES = [f"OKS/{name}" for name, *_ in coco_tools.OKS_METRICS]


# Data: one picture is (annotations, results) in COCO's own form.


def _annotation(points, flags, box, area=None, crowd=0, category=1):
    triples = [[x, y, v] if v else [0, 0, 0] for (y, x), v in zip(points, flags, strict=True)]
    return {
        "category_id": category,
        "keypoints": [float(value) for triple in triples for value in triple],
        "num_keypoints": int(np.count_nonzero(flags)),
        "bbox": [float(value) for value in box],
        "area": float(box[2] * box[3] if area is None else area),
        "iscrowd": crowd,
    }


def _result(points, score, category=1):
    return {
        "category_id": category,
        "keypoints": [float(value) for y, x in points for value in (x, y, 1)],
        "score": float(score),
    }


def _random_pictures(random, size, pictures=25):
    """Persons of all sizes, found well, badly or not at all, with crowds, hidden points and ties."""
    data = []
    for _ in range(pictures):
        annotations, results = [], []
        for _ in range(random.randint(0, 6)):
            side = np.exp(random.uniform(np.log(8), np.log(250), 2))
            corner = random.uniform(0, 300, 2)
            points = corner + random.uniform(0, 1, [size, 2]) * side
            flags = random.randint(0, 3, size) * (random.rand() > 0.2)
            area = [None, side.prod() * random.uniform(0.3, 1), 0.0][
                random.choice(3, p=[0.4, 0.5, 0.1])
            ]
            crowd = int(random.rand() < 0.15)
            box = [corner[1], corner[0], side[1], side[0]]
            annotations.append(_annotation(points, flags, box, area, crowd))
            for _ in range(random.randint(0, 3)):
                spread = random.choice([0.0, 0.02, 0.05, 0.2]) * np.sqrt(side.prod())
                found = points + random.randn(size, 2) * spread
                results.append(_result(found, random.choice([0.2, 0.5, 0.9, random.rand()])))
        results += [
            _result(random.uniform(0, 400, [size, 2]), random.choice([0.1, 0.5, 0.8]))
            for _ in range(random.choice([0, 2, 30]))
        ]
        data.append((annotations, results))
    return data


# The same data, as arrays, to our evaluator; as files, to pycocotools.


def _ours(pictures, sigmas, **settings):
    evaluator = coco_evaluation.OksEvaluator(CATEGORIES, sigmas, **settings)
    size = len(sigmas)
    for number, (annotations, results) in enumerate(pictures, start=1):
        triples = np.array([one["keypoints"] for one in annotations]).reshape(-1, size, 3)
        boxes = np.array([one["bbox"] for one in annotations]).reshape(-1, 4)
        truth = {
            Inputs.groundtruth_boxes: np.c_[boxes[:, 1::-1], boxes[:, 1::-1] + boxes[:, :1:-1]],
            Inputs.groundtruth_classes: np.array([one["category_id"] for one in annotations], int),
            Inputs.groundtruth_keypoints: np.where(
                triples[..., 2:] > 0, triples[..., 1::-1], np.nan
            ),
            Inputs.groundtruth_keypoint_visibilities: triples[..., 2],
            Inputs.groundtruth_is_crowd: np.array([one["iscrowd"] for one in annotations]),
            Inputs.groundtruth_area: np.array([one["area"] for one in annotations]),
        }
        evaluator.add_single_ground_truth_image_info(number, truth)
        points = np.array([one["keypoints"] for one in results]).reshape(-1, size, 3)[..., 1::-1]
        found = {
            # Boxes say nothing here.
            Detections.detection_boxes: np.tile([0.0, 0.0, 1.0, 1.0], (len(results), 1)),
            Detections.detection_scores: np.array([one["score"] for one in results]),
            Detections.detection_classes: np.array([one["category_id"] for one in results], int),
            Detections.detection_keypoints: points,
        }
        evaluator.add_single_detected_image_info(number, found)
    metrics = evaluator.evaluate()
    assert list(metrics) == NAMES
    return list(metrics.values())


def _pycocotools(pictures, folder):
    """COCO's ten numbers, of a file of annotations and a file of results."""
    dataset = {
        "images": [{"id": number} for number in range(1, len(pictures) + 1)],
        "categories": [{"id": 1, "name": "person"}],
        "annotations": [],
    }
    results = []
    for number, (annotations, found) in enumerate(pictures, start=1):
        for one in annotations:
            identity = len(dataset["annotations"]) + 1
            dataset["annotations"].append({**one, "id": identity, "image_id": number})
        results += [{**one, "image_id": number} for one in found]
    (folder / "truth.json").write_text(json.dumps(dataset))
    (folder / "found.json").write_text(json.dumps(results))
    with contextlib.redirect_stdout(io.StringIO()):
        truth = coco.COCO(str(folder / "truth.json"))
        evaluation = cocoeval.COCOeval(
            truth, truth.loadRes(str(folder / "found.json")), "keypoints"
        )
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    return list(evaluation.stats)


@pytest.mark.parametrize("seed", range(5))
def test_random_persons_equal_pycocotools(seed, tmp_path):
    pictures = _random_pictures(np.random.RandomState(seed), 17)
    expected = _pycocotools(pictures, tmp_path)
    assert 0 < expected[0] < 1
    np.testing.assert_allclose(_ours(pictures, COCO17.sigmas), expected, rtol=0, atol=1e-12)


_SPREAD = np.random.RandomState(3).uniform(20, 180, [17, 2])
_BOX = [10.0, 10.0, 180.0, 180.0]
_ALL = [2] * 17


def _person(**more):
    return _annotation(_SPREAD, more.pop("flags", _ALL), more.pop("box", _BOX), **more)


_NEAR = [_result(_SPREAD + 3 * shift, 0.5) for shift in range(4)]
_MANY = [
    _result(_SPREAD + 300 + shift, score) for shift, score in enumerate(np.linspace(0.99, 0.6, 25))
]


@pytest.mark.parametrize(
    ("pictures", "what"),
    [
        pytest.param([([_person()], [_result(_SPREAD, 0.9)])], 1.0, id="exact"),
        pytest.param([([_person()], [_result(_SPREAD + 500, 0.9)])], 0.0, id="far away"),
        pytest.param([([], [_result(_SPREAD, 0.9)])], -1, id="no groundtruth"),
        pytest.param(
            [([_person(flags=[0] * 17)], [_result(_SPREAD, 0.9)])], -1, id="no point labelled"
        ),
        pytest.param(
            [([_person(flags=[1] * 17)], [_result(_SPREAD, 0.9)])], 1.0, id="all points hidden"
        ),
        pytest.param(
            [
                ([_person()], [_result(_SPREAD, 0.5)]),
                ([_person(flags=[0] * 17)], [_result(_SPREAD + 9, 0.9)]),
            ],
            1.0,
            id="found where nothing is labelled",
        ),
        pytest.param(
            [
                ([_person()], [_result(_SPREAD, 0.5)]),
                ([_person(flags=[0] * 17)], [_result(_SPREAD + 900, 0.9)]),
            ],
            0.5,
            id="found far from where nothing is labelled",
        ),
        pytest.param(
            [([_person(), _person(crowd=1)], [_result(_SPREAD, 0.9), _result(_SPREAD, 0.8)])],
            1.0,
            id="a second one falls to the crowd",
        ),
        pytest.param([([_person(crowd=1)], [_result(_SPREAD, 0.9)])], -1, id="only a crowd"),
        pytest.param([([_person(), _person()], _NEAR)], None, id="ties"),
        pytest.param([([_person()], _NEAR), ([_person()], _NEAR[::-1])], None, id="ties afar"),
        pytest.param(
            [([_person()], [*_MANY, _result(_SPREAD, 0.1)])], 0.0, id="the 26th is too late"
        ),
        pytest.param([([_person(area=0)], [_result(_SPREAD, 0.9)])], 1.0, id="no area, exact"),
        pytest.param([([_person(area=0)], [_result(_SPREAD + 0.1, 0.9)])], 0.0, id="no area"),
        pytest.param([([_person(area=1e9)], [_result(_SPREAD, 0.9)])], None, id="a large area"),
        pytest.param(
            [([_person()], [_result(np.full([17, 2], 50.0), 0.9)])], None, id="points in one place"
        ),
    ],
)
def test_degenerate_persons_equal_pycocotools(pictures, what, tmp_path):
    expected = _pycocotools(pictures, tmp_path)
    found = _ours(pictures, COCO17.sigmas)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-12)
    if what is not None:
        assert found[0] == pytest.approx(what, abs=1e-9)


@pytest.mark.parametrize(
    "pictures",
    [[([_person()], [])], [([], [])], []],
    ids=["nothing found", "nothing", "no picture"],
)
def test_nothing_found(pictures):
    # pycocotools cannot load an empty file of results; by its definition recall is 0.
    wanted = 0.0 if pictures and pictures[0][0] else -1.0
    assert _ours(pictures, COCO17.sigmas)[0] == wanted


def test_each_class_has_its_own_limit():
    """Twenty-five cats that score better take no person's place."""
    evaluator = coco_evaluation.OksEvaluator([*CATEGORIES, {"id": 2, "name": "cat"}])
    truth, found = _one_person()
    evaluator.add_single_ground_truth_image_info("a", truth)
    cats = {
        name: np.concatenate([value] + [value] * 25) for name, value in found.items()
    }  # fmt: skip
    cats[Detections.detection_classes] = np.array([1] + [2] * 25)
    cats[Detections.detection_scores] = np.array([0.1] + [0.9] * 25)
    evaluator.add_single_detected_image_info("a", cats)
    assert evaluator.evaluate()["OKS/AP"] == pytest.approx(1.0)


def test_a_larger_limit_reaches_the_26th():
    pictures = [([_person()], [*_MANY, _result(_SPREAD, 0.1)])]
    # One hit after 25 misses: precision 1/26 at every recall.
    assert _ours(pictures, COCO17.sigmas, max_detections=26)[0] == pytest.approx(1 / 26)
    assert _ours(pictures, COCO17.sigmas, max_detections=25)[0] == 0


# A twin of COCO's definition: cocodataset.org/#keypoints-eval, "all" areas.


def _twin(pictures, sigmas, max_detections=20):
    """AP, AP@.50, AP@.75 and AR, AR@.50, AR@.75, in plain loops."""
    sigmas = np.array(sigmas)
    precisions, recalls = [], []
    for threshold in [0.5 + 0.05 * step for step in range(10)]:
        rows, wanted = [], 0
        for annotations, results in pictures:
            taken = set()
            ignored = [one["iscrowd"] or one["num_keypoints"] == 0 for one in annotations]
            wanted += sum(not one for one in ignored)
            best = sorted(results, key=lambda one: -one["score"])[:max_detections]
            for result in best:
                choices = []
                for number, one in enumerate(annotations):
                    if number in taken and not one["iscrowd"]:
                        continue
                    oks = _twin_oks(one, result, sigmas)
                    if oks >= min(threshold, 1 - 1e-10):
                        choices.append((not ignored[number], oks, number))
                # One that counts before one that is ignored, then the likest, then the last.
                real = [choice for choice in choices if choice[0]]
                match = max(real or choices, key=lambda one: one[1:], default=None)
                if match is None:
                    rows.append((result["score"], False))
                else:
                    taken.add(match[2])
                    if match[0]:
                        rows.append((result["score"], True))
        if not wanted:
            return [-1.0] * 6
        rows.sort(key=lambda row: -row[0])
        hits = np.cumsum([hit for _, hit in rows])
        recall = hits / wanted
        precision = hits / np.arange(1, len(rows) + 1)
        at = [
            max((p for p, r in zip(precision, recall, strict=True) if r >= level), default=0.0)
            for level in np.linspace(0, 1, 101)
        ]
        precisions.append(np.mean(at))
        recalls.append(recall[-1] if len(rows) else 0.0)
    return [
        value
        for values in (precisions, recalls)
        for value in (np.mean(values), values[0], values[5])
    ]


def _twin_oks(annotation, result, sigmas):
    truth = np.reshape(annotation["keypoints"], [-1, 3])
    found = np.reshape(result["keypoints"], [-1, 3])[:, :2]
    labelled = truth[:, 2] > 0
    variances = 2 * (annotation["area"] + np.spacing(1)) * (2 * sigmas) ** 2
    if labelled.any():
        squares = ((truth[:, :2] - found) ** 2).sum(axis=1)[labelled]
        return np.exp(-squares / variances[labelled]).mean()
    x, y, width, height = annotation["bbox"]
    low, high = np.array([x - width, y - height]), np.array([x + 2 * width, y + 2 * height])
    outside = np.maximum(low - found, 0) + np.maximum(found - high, 0)
    return np.exp(-(outside**2).sum(axis=1) / variances).mean()


@pytest.mark.parametrize(
    ("name", "seed"), [("face5", 0), ("face5", 1), ("face68", 2), ("coco17", 3)]
)
def test_any_number_of_keypoints_equals_the_twin(name, seed):
    sigmas = schema.load(name).sigmas
    pictures = _random_pictures(np.random.RandomState(seed), len(sigmas))
    found = dict(zip(NAMES, _ours(pictures, sigmas), strict=True))
    ours = [found[f"OKS/{one}"] for one in ("AP", "AP@.50", "AP@.75", "AR", "AR@.50", "AR@.75")]
    expected = _twin(pictures, sigmas)
    assert 0 < expected[0] < 1
    np.testing.assert_allclose(ours, expected, rtol=0, atol=1e-9)


def test_all_detections_at_once_is_pair_by_pair():
    random = np.random.RandomState(0)
    sigmas = np.array(COCO17.sigmas)
    pictures = _random_pictures(random, 17, 30)
    compared = 0
    for annotations, results in pictures:
        dataset = {
            "images": [{"id": 1}],
            "categories": CATEGORIES,
            "annotations": [
                {**one, "id": number, "image_id": 1} for number, one in enumerate(annotations, 1)
            ],
        }
        truth = coco_tools.COCOWrapper(dataset, "keypoints")
        found = truth.LoadAnnotations([{**one, "image_id": 1} for one in results])
        evaluation = coco_tools.COCOEvalWrapper(
            truth, found, iou_type="keypoints", oks_sigmas=sigmas
        )
        evaluation._prepare()
        expected = cocoeval.COCOeval.computeOks(evaluation, 1, 1)
        np.testing.assert_array_equal(evaluation.computeOks(1, 1), expected)
        compared += np.size(expected)
    assert compared > 500


def test_similarity_by_hand():
    # d = 5, area 100, sigma 0.25: exp(-25 / (2 * 100 * 0.25)) = exp(-1/2); the other is absent.
    found = measures.object_keypoint_similarity(
        np.array([[[3.0, 4.0], [0.0, 0.0]], [[0.0, 0.0], [9.0, 9.0]]]),
        np.array([[0.0, 0.0], [np.nan, 1.0]]),
        100.0,
        np.array([0.25, 0.1]),
    )
    np.testing.assert_allclose(found, [np.exp(-0.5), 1.0])


def test_the_area_of_the_box_where_there_is_none():
    # d = 2 of one point, box 10 x 10, sigma 0.1: exp(-4 / (2 * 100 * 0.04)) = 0.6065: 3 of 10.
    evaluator = coco_evaluation.OksEvaluator(CATEGORIES, [0.1])
    truth = {
        Inputs.groundtruth_boxes: np.array([[0.0, 0.0, 10.0, 10.0]]),
        Inputs.groundtruth_classes: np.array([1]),
        Inputs.groundtruth_keypoints: np.array([[[5.0, 5.0]]]),
    }
    found = {
        Detections.detection_boxes: np.array([[0.0, 0.0, 10.0, 10.0]]),
        Detections.detection_scores: np.array([0.9]),
        Detections.detection_classes: np.array([1]),
        Detections.detection_keypoints: np.array([[[5.0, 7.0]]]),
    }
    evaluator.add_single_ground_truth_image_info("a", truth)
    evaluator.add_single_detected_image_info("a", found)
    assert evaluator.evaluate()["OKS/AP"] == pytest.approx(0.3)
    evaluator.clear()
    evaluator.add_single_ground_truth_image_info("a", {**truth, Inputs.groundtruth_area: [1e4]})
    evaluator.add_single_detected_image_info("a", found)
    assert evaluator.evaluate()["OKS/AP"] == pytest.approx(1.0)


def _one_person():
    return _ours_dicts(_person(), _result(_SPREAD, 0.9))


def _ours_dicts(annotation, result):
    x, y, width, height = annotation["bbox"]
    return {
        Inputs.groundtruth_boxes: np.array([[y, x, y + height, x + width]]),
        Inputs.groundtruth_classes: np.array([1]),
        Inputs.groundtruth_keypoints: _SPREAD[None],
    }, {
        Detections.detection_boxes: np.array([[y, x, y + height, x + width]]),
        Detections.detection_scores: np.array([result["score"]]),
        Detections.detection_classes: np.array([1]),
        Detections.detection_keypoints: _SPREAD[None],
    }


def test_in_the_graph(run):
    truth, found = _one_person()
    evaluator = coco_evaluation.OksEvaluator(CATEGORIES)
    ops = evaluator.get_estimator_eval_metric_ops(
        {
            "key": tf.constant("a"),
            **{name: tf.constant(one) for name, one in (truth | found).items()},
        }
    )
    assert list(ops) == NAMES
    run(next(iter(ops.values()))[1])
    assert run([ops["OKS/AP"][0]]) == [pytest.approx(1.0)]


def test_what_it_refuses_or_ignores(caplog):
    truth, found = _one_person()
    evaluator = coco_evaluation.OksEvaluator(CATEGORIES, COCO17.sigmas)
    with pytest.raises(DataError, match="came before its groundtruth"):
        evaluator.add_single_detected_image_info("a", found)
    with pytest.raises(DataError, match="num_keypoints"):
        evaluator.add_single_ground_truth_image_info("a", {Inputs.groundtruth_boxes: []})
    few = {**truth, Inputs.groundtruth_keypoints: _SPREAD[None, :5]}
    with pytest.raises(ShapeError, match=r"should be \[N, K=17, 2\], got \[1, 5, 2\]"):
        evaluator.add_single_ground_truth_image_info("a", few)
    evaluator.add_single_ground_truth_image_info("a", truth)
    few = {**found, Detections.detection_keypoints: _SPREAD[None, :5]}
    with pytest.raises(ShapeError, match="detection_keypoints of picture a"):
        evaluator.add_single_detected_image_info("a", few)
    more = {**found, Detections.detection_scores: np.ones(2)}
    with pytest.raises(ShapeError, match="2 scores, 1 classes and keypoints of 1"):
        evaluator.add_single_detected_image_info("a", more)
    for _ in range(2):
        evaluator.add_single_ground_truth_image_info("a", truth)
        evaluator.add_single_detected_image_info("a", found)
    assert caplog.text.count("added before") == 3
    assert evaluator.evaluate()["OKS/AP"] == pytest.approx(1.0)
    with pytest.raises(ConfigError, match="at least 1"):
        coco_evaluation.OksEvaluator(CATEGORIES, max_detections=0)
