"""COCO datasets out of dicts, and pycocotools' evaluation with its results by name.

COCO's metrics (cocodataset.org/#detection-eval) use -1 for "there was nothing to find".
"""

import contextlib
import copy
import io
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from pycocotools import coco, cocoeval
from pycocotools import mask as coco_mask

from object_detection.errors import ConfigError, DataError
from object_detection.keypoints import measures

Array = np.ndarray[Any, Any]

# Name and position in `COCOeval.stats`.
COCO_METRIC_NAMES_AND_INDEX = (
    ("Precision/mAP", 0),
    ("Precision/mAP@.50IOU", 1),
    ("Precision/mAP@.75IOU", 2),
    ("Precision/mAP (small)", 3),
    ("Precision/mAP (medium)", 4),
    ("Precision/mAP (large)", 5),
    ("Recall/AR@1", 6),
    ("Recall/AR@10", 7),
    ("Recall/AR@100", 8),
    ("Recall/AR@100 (small)", 9),
    ("Recall/AR@100 (medium)", 10),
    ("Recall/AR@100 (large)", 11),
)
COCO_KEYPOINT_METRIC_NAMES_AND_INDEX = (
    ("Precision/mAP", 0),
    ("Precision/mAP@.50IOU", 1),
    ("Precision/mAP@.75IOU", 2),
    ("Precision/mAP (medium)", 3),
    ("Precision/mAP (large)", 4),
    ("Recall/AR@1", 5),
    ("Recall/AR@10", 6),
    ("Recall/AR@100", 7),
    ("Recall/AR@100 (medium)", 8),
    ("Recall/AR@100 (large)", 9),
)

# Name, whether it is a precision, threshold of OKS (None: mean of all), range of areas.
OKS_METRICS = (
    ("AP", True, None, "all"),
    ("AP@.50", True, 0.5, "all"),
    ("AP@.75", True, 0.75, "all"),
    ("AP (medium)", True, None, "medium"),
    ("AP (large)", True, None, "large"),
    ("AR", False, None, "all"),
    ("AR@.50", False, 0.5, "all"),
    ("AR@.75", False, 0.75, "all"),
    ("AR (medium)", False, None, "medium"),
    ("AR (large)", False, None, "large"),
)
# COCO's, of boxes; a larger one adds a fourth number to [1, 10, 100].
DEFAULT_MAX_DETECTIONS = 100

_DETECTION_TYPES = ("bbox", "segmentation", "keypoints")
# pycocotools says segm; both words are taken.
_IOU_TYPES = {
    "bbox": "bbox",
    "segm": "segm",
    "segmentation": "segm",
    "keypoints": "keypoints",
}


def _box_metrics(most: int) -> list[tuple[str, str, float | None, str, int]]:
    """Name, kind, threshold, range of areas and number of detections of the metrics of boxes."""
    sizes = ("small", "medium", "large")
    of_all = [("mAP", None), ("mAP@.50IOU", 0.5), ("mAP@.75IOU", 0.75)]
    numbers = sorted({1, 10, DEFAULT_MAX_DETECTIONS, most})
    return [
        *((f"Precision/{name}", "precision", share, "all", most) for name, share in of_all),
        *((f"Precision/mAP ({size})", "precision", None, size, most) for size in sizes),
        *((f"Recall/AR@{number}", "recall", None, "all", number) for number in numbers),
        *(
            (f"Recall/AR@{number} ({size})", "recall", None, size, number)
            for number in numbers
            if number >= DEFAULT_MAX_DETECTIONS
            for size in sizes
        ),
    ]


def box_metric_names(max_detections: int = DEFAULT_MAX_DETECTIONS) -> list[str]:
    """Names of the metrics of boxes and masks that `ComputeMetrics` gives.

    Args:
        max_detections: as `COCOEvalWrapper` takes it; above 100 recalls at that number are added.
    """
    return [name for name, *_ in _box_metrics(max_detections)]


@contextlib.contextmanager
def _quiet() -> Any:
    """Pycocotools reports its progress on stdout, which belongs to our programs."""
    with contextlib.redirect_stdout(io.StringIO()):
        yield


class _Dataset(coco.COCO):
    """A dataset whose run lengths need not be measured against the sizes of its pictures."""

    def annToRLE(self, ann: dict[str, Any]) -> Any:
        """Run lengths of an annotation; those that are there already are taken."""
        runs = ann["segmentation"]
        if isinstance(runs, dict) and isinstance(runs["counts"], str | bytes):
            return runs
        return super().annToRLE(ann)


class COCOWrapper(_Dataset):
    """A COCO dataset made from a dict instead of a file."""

    def __init__(self, dataset: dict[str, Any], detection_type: str = "bbox") -> None:
        """Indexes the dataset.

        Args:
            dataset: with `images`, `annotations`, `categories`.
            detection_type: `bbox`, `segmentation` or `keypoints`.

        Raises:
            DataError: another type.
        """
        if detection_type not in _DETECTION_TYPES:
            raise DataError(
                f"detection_type is {detection_type!r}; allowed: {', '.join(_DETECTION_TYPES)}."
            )
        super().__init__()
        self._detection_type = detection_type
        self.dataset = dataset
        with _quiet():
            self.createIndex()

    def LoadAnnotations(self, annotations: list[dict[str, Any]]) -> coco.COCO:
        """Detections as a COCO dataset over the same pictures.

        Args:
            annotations: COCO results; may be empty. They are not changed.

        Returns:
            A dataset whose annotations have ids from 1, and boxes and areas: of the masks, if the
            type is `segmentation`.

        Raises:
            DataError: no list, or a result is of a picture that the truth does not have.
        """
        if not isinstance(annotations, list):
            raise DataError(f"annotations should be a list, got {type(annotations).__name__}.")
        unknown = {one["image_id"] for one in annotations} - set(self.imgs)
        if unknown:
            raise DataError(
                f"Detections of pictures without groundtruth: {sorted(map(str, unknown))[:5]}. Add "
                "each picture's groundtruth first, be it empty."
            )
        results = _Dataset()
        results.dataset = {
            "images": list(self.dataset["images"]),
            "categories": copy.deepcopy(self.dataset["categories"]),
            "annotations": [
                {**self._extent(one), "iscrowd": 0, **one, "id": number}
                for number, one in enumerate(annotations, start=1)
            ],
        }
        with _quiet():
            results.createIndex()
        return results

    def _extent(self, annotation: dict[str, Any]) -> dict[str, Any]:
        if self._detection_type == "segmentation":
            runs = annotation["segmentation"]
            return {
                "area": float(coco_mask.area(runs)),
                "bbox": coco_mask.toBbox(runs).tolist(),
            }
        if "bbox" in annotation:
            return {"area": float(annotation["bbox"][2] * annotation["bbox"][3])}
        if "keypoints" in annotation:
            points = np.asarray(annotation["keypoints"], np.float64).reshape(-1, 3)[:, :2]
            return {"area": float(np.prod(points.max(axis=0) - points.min(axis=0)))}
        return {"area": 0.0}


class COCOEvalWrapper(cocoeval.COCOeval):
    """COCO's evaluation with its results by name."""

    eval: dict[str, Any]
    stats: Any

    def __init__(
        self,
        groundtruth: coco.COCO = None,
        detections: coco.COCO = None,
        agnostic_mode: bool = False,
        iou_type: str = "bbox",
        oks_sigmas: Sequence[float] | Array | None = None,
        max_detections: int | None = None,
    ) -> None:
        """Prepares the evaluation.

        Args:
            groundtruth: `COCOWrapper` of the truth.
            detections: what its `LoadAnnotations` returned.
            agnostic_mode: all classes are one.
            iou_type: `bbox`, `segm` or `keypoints`.
            oks_sigmas: K values, for keypoints other than COCO's 17.
            max_detections: of a picture that count, best first; 20 for keypoints and 100 for others
                if None. For others it must not be below 100.

        Raises:
            ConfigError: another `iou_type`, or too few detections.
        """
        if iou_type not in _IOU_TYPES:
            raise ConfigError(f"iou_type is {iou_type!r}; allowed: {', '.join(_IOU_TYPES)}.")
        super().__init__(groundtruth, detections, iouType=_IOU_TYPES[iou_type])
        if oks_sigmas is not None:
            self.params.kpt_oks_sigmas = np.asarray(oks_sigmas, np.float64)
        if agnostic_mode:
            self.params.useCats = 0
        if max_detections is not None:
            numbers = [max_detections]
            if self.params.iouType != "keypoints":
                numbers = sorted({*self.params.maxDets, max_detections})
            if max_detections < numbers[-1] or max_detections < 1:
                raise ConfigError(
                    f"max_detections is {max_detections}; it must be at least {numbers[-1]}."
                )
            self.params.maxDets = numbers

    def computeOks(self, imgId: Any, catId: Any) -> Any:
        """OKS of the best detections with each object of a picture, all detections at once.

        A tenth of the time of pycocotools' own, which goes pair by pair, and the same numbers.

        Args:
            imgId: picture.
            catId: class.

        Returns:
            [D, M], detections by falling score; an empty list if D or M is 0.
        """
        truths, found = self._gts[imgId, catId], self._dts[imgId, catId]
        if not truths or not found:
            return []
        order = np.argsort([-one["score"] for one in found], kind="stable")
        best = [found[row] for row in order[: self.params.maxDets[-1]]]
        points = np.array([_points(one)[0] for one in best])
        sigmas = self.params.kpt_oks_sigmas
        return np.stack([_similarity(points, one, sigmas) for one in truths], axis=1)

    def OksSummary(self) -> dict[str, float]:
        """Runs the evaluation of keypoints -> `OKS_METRICS` by name, over all classes.

        -1 stands for "nothing to find".
        """
        with _quiet():
            self.evaluate()
            self.accumulate()
        return {
            name: self._mean("precision" if precision else "recall", threshold, area)
            for name, precision, threshold, area in OKS_METRICS
        }

    def accumulate_at(self, threshold: float, ranges: Sequence[Sequence[float]]) -> None:
        """Runs the evaluation at one overlap, with ranges of areas of one's own.

        `eval` then has `precision` and `scores` [1, R, C, A, M] and `recall` [1, C, A, M].

        Args:
            threshold: of IoU or OKS.
            ranges: [smallest, largest] area of each of the A ranges, both of which belong to it.
        """
        self.params.iouThrs = np.array([threshold])
        self.params.areaRng = [list(one) for one in ranges]
        self.params.areaRngLbl = [f"range {number}" for number in range(len(ranges))]
        self.params.maxDets = self.params.maxDets[-1:]
        with _quiet():
            self.evaluate()
            self.accumulate()

    def _mean(
        self, kind: str, threshold: float | None, area: str, max_detections: int | None = None
    ) -> float:
        """Mean of precisions or recalls, over classes that occur; -1 if none does.

        Args:
            kind: `precision` or `recall`.
            threshold: of overlap or OKS; None for the mean of all.
            area: name of the range.
            max_detections: one of the numbers that were evaluated; the largest if None.
        """
        params = self.params
        numbers = list(params.maxDets)
        position = len(numbers) - 1 if max_detections is None else numbers.index(max_detections)
        values = self.eval[kind][..., params.areaRngLbl.index(area), position]
        if threshold is not None:
            values = values[params.iouThrs == threshold]
        values = values[values > -1]
        return float(values.mean()) if values.size else -1.0

    def _stats(self) -> dict[str, float]:
        """The metrics of boxes or masks, by name, of what was accumulated."""
        most = self.params.maxDets[-1]
        if most == DEFAULT_MAX_DETECTIONS:
            with _quiet():
                self.summarize()
            return {name: float(self.stats[at]) for name, at in COCO_METRIC_NAMES_AND_INDEX}
        return {
            name: self._mean(kind, threshold, area, number)
            for name, kind, threshold, area, number in _box_metrics(most)
        }

    def GetCategory(self, category_id: int) -> dict[str, Any]:
        """The category of an id."""
        return dict(self.cocoGt.cats[category_id])

    def GetAgnosticMode(self) -> bool:
        """Whether all classes are one."""
        return self.params.useCats == 0

    def GetCategoryIdList(self) -> list[int]:
        """Ids of the categories that are evaluated."""
        return list(self.params.catIds)

    def ComputeMetrics(
        self,
        include_metrics_per_category: bool = False,
        all_metrics_per_category: bool = False,
        super_categories: Mapping[str, Sequence[str]] | None = None,
    ) -> tuple[dict[str, float], dict[str, float]]:
        """Runs the evaluation.

        Args:
            include_metrics_per_category: also `PerformanceByCategory/mAP/<name>` of each class.
            all_metrics_per_category: then also all other metrics of each class, named
                `Precision mAP ByCategory/<name>`, `Recall AR@1 ByCategory/<name>`, ...
            super_categories: name -> names of classes; then also the mean AP of each group, as
                `PerformanceBySuperCategory/<name>`. Classes without groundtruth do not count.

        Returns:
            Metrics over all classes, for keypoints named `<metric> ByCategory/<name>` after their
            only class; metrics by class (empty unless asked for, and in agnostic mode).
        """
        with _quiet():
            self.evaluate()
            self.accumulate()
        if self.params.iouType == "keypoints":
            with _quiet():
                self.summarize()
            name = self.GetCategory(self.GetCategoryIdList()[0])["name"]
            summary = {
                f"{metric} ByCategory/{name}": float(self.stats[index])
                for metric, index in COCO_KEYPOINT_METRIC_NAMES_AND_INDEX
            }
            # The keypoint metrics have the name of the class already.
            return summary, {}
        summary = self._stats()
        if not include_metrics_per_category or self.GetAgnosticMode():
            return summary, {}
        per_category: dict[str, float] = {}
        precisions: dict[str, float] = {}
        for position, category_id in enumerate(self.GetCategoryIdList()):
            name = self.GetCategory(category_id)["name"]
            stats = self._stats_of(position)
            precisions[name] = stats["Precision/mAP"]
            per_category[f"PerformanceByCategory/mAP/{name}"] = stats["Precision/mAP"]
            if all_metrics_per_category:
                for metric, value in stats.items():
                    per_category[f"{metric.replace('/', ' ')} ByCategory/{name}"] = value
        for group, members in (super_categories or {}).items():
            found = [precisions[name] for name in members if precisions.get(name, -1) > -1]
            per_category[f"PerformanceBySuperCategory/{group}"] = (
                float(np.mean(found)) if found else -1.0
            )
        return summary, per_category

    def _stats_of(self, position: int) -> dict[str, float]:
        """The metrics of the category at a position alone."""
        whole, overall = self.eval, self.stats
        self.eval = {
            **whole,
            "precision": whole["precision"][:, :, position : position + 1],
            "recall": whole["recall"][:, position : position + 1],
        }
        stats = self._stats()
        self.eval, self.stats = whole, overall
        return stats


def _points(annotation: dict[str, Any]) -> tuple[Array, Array]:
    """COCO's flat x, y, v -> [K, 2] as (y, x), and [K] whether each is labelled."""
    triples = np.array(annotation["keypoints"], np.float64).reshape(-1, 3)
    return triples[:, 1::-1], triples[:, 2] > 0


def _similarity(points: Array, truth: dict[str, Any], sigmas: Array) -> Array:
    """OKS [D] of detected points [D, K, 2] with an annotation."""
    wanted, labelled = _points(truth)
    if labelled.any():
        wanted = np.where(labelled[:, None], wanted, np.nan)
        return measures.object_keypoint_similarity(points, wanted, truth["area"], sigmas)
    # An object without keypoints is ignored, and with it what lies within twice its box.
    x, y, width, height = truth["bbox"]
    corner, size = np.array([y, x]), np.array([height, width])
    beyond = np.maximum(corner - size - points, 0) + np.maximum(points - (corner + size * 2), 0)
    return measures.similarity_of_offsets(beyond, truth["area"], sigmas)
