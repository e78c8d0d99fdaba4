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

_DETECTION_TYPES = ("bbox", "segmentation", "keypoints")
# pycocotools says segm; both words are taken.
_IOU_TYPES = {
    "bbox": "bbox",
    "segm": "segm",
    "segmentation": "segm",
    "keypoints": "keypoints",
}


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
    ) -> None:
        """Prepares the evaluation.

        Args:
            groundtruth: `COCOWrapper` of the truth.
            detections: what its `LoadAnnotations` returned.
            agnostic_mode: all classes are one.
            iou_type: `bbox`, `segm` or `keypoints`.
            oks_sigmas: K values, for keypoints other than COCO's 17.

        Raises:
            ConfigError: another `iou_type`.
        """
        if iou_type not in _IOU_TYPES:
            raise ConfigError(f"iou_type is {iou_type!r}; allowed: {', '.join(_IOU_TYPES)}.")
        super().__init__(groundtruth, detections, iouType=_IOU_TYPES[iou_type])
        if oks_sigmas is not None:
            self.params.kpt_oks_sigmas = np.asarray(oks_sigmas, np.float64)
        if agnostic_mode:
            self.params.useCats = 0

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
            self.summarize()
        values = [float(value) for value in self.stats]
        if self.params.iouType == "keypoints":
            name = self.GetCategory(self.GetCategoryIdList()[0])["name"]
            summary = {
                f"{metric} ByCategory/{name}": values[index]
                for metric, index in COCO_KEYPOINT_METRIC_NAMES_AND_INDEX
            }
            # The keypoint metrics have the name of the class already.
            return summary, {}
        summary = {metric: values[index] for metric, index in COCO_METRIC_NAMES_AND_INDEX}
        if not include_metrics_per_category or self.GetAgnosticMode():
            return summary, {}
        per_category: dict[str, float] = {}
        precisions: dict[str, float] = {}
        for position, category_id in enumerate(self.GetCategoryIdList()):
            name = self.GetCategory(category_id)["name"]
            stats = self._stats_of(position)
            precisions[name] = stats[0]
            per_category[f"PerformanceByCategory/mAP/{name}"] = stats[0]
            if all_metrics_per_category:
                for metric, index in COCO_METRIC_NAMES_AND_INDEX:
                    per_category[f"{metric.replace('/', ' ')} ByCategory/{name}"] = stats[index]
        for group, members in (super_categories or {}).items():
            found = [precisions[name] for name in members if precisions.get(name, -1) > -1]
            per_category[f"PerformanceBySuperCategory/{group}"] = (
                float(np.mean(found)) if found else -1.0
            )
        return summary, per_category

    def _stats_of(self, position: int) -> list[float]:
        """The twelve numbers of `stats`, of the category at a position alone."""
        whole = self.eval
        self.eval = {
            **whole,
            "precision": whole["precision"][:, :, position : position + 1],
            "recall": whole["recall"][:, position : position + 1],
        }
        overall = self.stats
        with _quiet():
            self.summarize()
        values = [float(value) for value in self.stats]
        self.eval, self.stats = whole, overall
        return values
