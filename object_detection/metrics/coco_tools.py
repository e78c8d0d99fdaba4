"""Between our arrays and pycocotools.

Axes:   M groundtruth boxes, D detections, K keypoints.
Frames: ours are [ymin, xmin, ymax, xmax] and (y, x) in pixels; COCO's are [x, y, width, height] and
        flat x, y, v triples.

COCO's metrics (cocodataset.org/#detection-eval) use -1 for "there was nothing to find".
"""

import contextlib
import io
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from pycocotools import coco, cocoeval

from object_detection.errors import DataError, ShapeError

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

_IOU_TYPES = {"bbox": "bbox", "segmentation": "segm", "keypoints": "keypoints"}


@contextlib.contextmanager
def _quiet() -> Any:
    """Pycocotools reports its progress on stdout, which belongs to our programs."""
    with contextlib.redirect_stdout(io.StringIO()):
        yield


class COCOWrapper(coco.COCO):
    """A COCO dataset made from a dict instead of a file."""

    def __init__(self, dataset: dict[str, Any], detection_type: str = "bbox") -> None:
        """Indexes the dataset.

        Args:
            dataset: with `images`, `annotations`, `categories`.
            detection_type: `bbox`, `segmentation` or `keypoints`.

        Raises:
            DataError: another type.
        """
        if detection_type not in _IOU_TYPES:
            raise DataError(
                f"detection_type is {detection_type!r}; allowed: {', '.join(_IOU_TYPES)}."
            )
        super().__init__()
        self._detection_type = detection_type
        self.dataset = dataset
        with _quiet():
            self.createIndex()

    def LoadAnnotations(self, annotations: list[dict[str, Any]]) -> coco.COCO:
        """Detections as a COCO dataset over the same pictures.

        Args:
            annotations: COCO results; may be empty.

        Raises:
            DataError: a result is of a picture that the truth does not have.
        """
        unknown = {one["image_id"] for one in annotations} - set(self.imgs)
        if unknown:
            raise DataError(
                f"Detections of pictures without groundtruth: {sorted(map(str, unknown))[:5]}. Add "
                "each picture's groundtruth first, be it empty."
            )
        results = coco.COCO()
        results.dataset = {
            "images": list(self.dataset["images"]),
            "categories": list(self.dataset["categories"]),
            "annotations": [
                {"area": _area(one), "iscrowd": 0, **one, "id": number}
                for number, one in enumerate(annotations, start=1)
            ],
        }
        with _quiet():
            results.createIndex()
        return results


def _area(annotation: dict[str, Any]) -> float:
    if "bbox" in annotation:
        return float(annotation["bbox"][2] * annotation["bbox"][3])
    if "keypoints" in annotation:
        points = np.asarray(annotation["keypoints"], np.float64).reshape(-1, 3)[:, :2]
        return float(np.prod(points.max(axis=0) - points.min(axis=0)))
    return 0.0


class COCOEvalWrapper(cocoeval.COCOeval):
    """COCO's evaluation with its results by name."""

    def __init__(
        self,
        groundtruth: coco.COCO = None,
        detections: coco.COCO = None,
        agnostic_mode: bool = False,
        iou_type: str = "bbox",
        oks_sigmas: Sequence[float] | None = None,
    ) -> None:
        """Prepares the evaluation.

        Args:
            groundtruth: `COCOWrapper` of the truth.
            detections: what its `LoadAnnotations` returned.
            agnostic_mode: all classes are one.
            iou_type: `bbox`, `segmentation` or `keypoints`.
            oks_sigmas: K values, for keypoints other than COCO's 17.
        """
        super().__init__(groundtruth, detections, iouType=_IOU_TYPES[iou_type])
        if oks_sigmas is not None:
            self.params.kpt_oks_sigmas = np.asarray(oks_sigmas, np.float64)
        if agnostic_mode:
            self.params.useCats = 0
        self._names = (
            COCO_KEYPOINT_METRIC_NAMES_AND_INDEX
            if iou_type == "keypoints"
            else COCO_METRIC_NAMES_AND_INDEX
        )

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
        super_categories: dict[str, list[str]] | None = None,
    ) -> tuple[dict[str, float], dict[str, float]]:
        """Runs the evaluation.

        Args:
            include_metrics_per_category: also the AP of each class.
            all_metrics_per_category: also its AP at IoU 0.5 and 0.75 and its recall.
            super_categories: name -> names of classes whose mean AP is wanted too.

        Returns:
            Metrics over all classes; metrics by class (empty unless asked for).
        """
        with _quiet():
            self.evaluate()
            self.accumulate()
            self.summarize()
        summary = {name: float(self.stats[index]) for name, index in self._names}
        per_category: dict[str, float] = {}
        if include_metrics_per_category and not self.GetAgnosticMode():
            precisions: dict[str, float] = {}
            for index, category_id in enumerate(self.GetCategoryIdList()):
                name = self.GetCategory(category_id)["name"]
                values = self._by_category(index)
                precisions[name] = values["Precision mAP ByCategory"]
                kept = values if all_metrics_per_category else list(values)[:1]
                per_category.update({f"{metric}/{name}": values[metric] for metric in kept})
            for group, members in (super_categories or {}).items():
                found = [precisions[name] for name in members if precisions.get(name, -1) > -1]
                per_category[f"Precision mAP BySuperCategory/{group}"] = (
                    float(np.mean(found)) if found else -1.0
                )
        return summary, per_category

    def _by_category(self, index: int) -> dict[str, float]:
        """AP and recall of the category at a position, over all sizes and with most detections."""
        precision = self.eval["precision"][:, :, index, 0, -1]  # [IoU, recall]
        thresholds = self.params.iouThrs

        def mean(values: Array) -> float:
            values = values[values > -1]
            return float(values.mean()) if values.size else -1.0

        return {
            "Precision mAP ByCategory": mean(precision),
            "Precision mAP@.50IOU ByCategory": mean(precision[np.isclose(thresholds, 0.5)]),
            "Precision mAP@.75IOU ByCategory": mean(precision[np.isclose(thresholds, 0.75)]),
            "Recall AR@100 ByCategory": mean(self.eval["recall"][:, index, 0, -1]),
        }


def _to_coco_box(box: Array) -> list[float]:
    ymin, xmin, ymax, xmax = (float(value) for value in box)
    return [xmin, ymin, xmax - xmin, ymax - ymin]


def _check_boxes(name: str, boxes: Array, **others: Array | None) -> None:
    if boxes.ndim != 2 or boxes.shape[1] != 4:
        raise ShapeError(f"{name} should be [N, 4], got {list(boxes.shape)}.")
    for other, values in others.items():
        if values is not None and len(values) != len(boxes):
            raise ShapeError(f"{other} has {len(values)} rows, but {name} has {len(boxes)}.")


def _to_coco_keypoints(keypoints: Array, visible: Array | None) -> tuple[list[float], int]:
    """Flat triples and the number of labelled points; NaN and invisible points become 0, 0, 0."""
    labelled = np.isfinite(keypoints.sum(axis=-1))
    if visible is not None:
        labelled &= np.asarray(visible) > 0
    flat: list[float] = []
    for (y, x), there in zip(keypoints, labelled, strict=True):
        flat += [float(x), float(y), 2.0] if there else [0.0, 0.0, 0.0]
    return flat, int(labelled.sum())


def ExportSingleImageGroundtruthToCoco(
    image_id: Any,
    next_annotation_id: int,
    category_id_set: Iterable[int],
    groundtruth_boxes: Array,
    groundtruth_classes: Array,
    groundtruth_keypoints: Array | None = None,
    groundtruth_keypoint_visibilities: Array | None = None,
    groundtruth_masks: Array | None = None,
    groundtruth_is_crowd: Array | None = None,
    groundtruth_area: Array | None = None,
) -> list[dict[str, Any]]:
    """COCO annotations of a picture's truth.

    Args:
        image_id: identity of the picture.
        next_annotation_id: id of the first annotation.
        category_id_set: classes to keep.
        groundtruth_boxes: [M, 4].
        groundtruth_classes: [M].
        groundtruth_keypoints: [M, K, 2] or None.
        groundtruth_keypoint_visibilities: [M, K] or None.
        groundtruth_masks: not available; None.
        groundtruth_is_crowd: [M] or None.
        groundtruth_area: [M] or None; the box area where it is None or 0.

    Raises:
        DataError: masks are given.
        ShapeError: rows do not fit.
    """
    if groundtruth_masks is not None:
        raise DataError("groundtruth_masks: masks are not available; leave them out.")
    _check_boxes(
        "groundtruth_boxes",
        groundtruth_boxes,
        groundtruth_classes=groundtruth_classes,
        groundtruth_keypoints=groundtruth_keypoints,
        groundtruth_is_crowd=groundtruth_is_crowd,
        groundtruth_area=groundtruth_area,
    )
    allowed = set(category_id_set)
    annotations: list[dict[str, Any]] = []
    for row, (box, category) in enumerate(zip(groundtruth_boxes, groundtruth_classes, strict=True)):
        if int(category) not in allowed:
            continue
        annotation = {
            "id": next_annotation_id + len(annotations),
            "image_id": image_id,
            "category_id": int(category),
            "bbox": _to_coco_box(box),
            "iscrowd": int(groundtruth_is_crowd[row]) if groundtruth_is_crowd is not None else 0,
        }
        given = float(groundtruth_area[row]) if groundtruth_area is not None else 0.0
        annotation["area"] = given if given > 0 else _area(annotation)
        if groundtruth_keypoints is not None:
            visibilities = groundtruth_keypoint_visibilities
            annotation["keypoints"], annotation["num_keypoints"] = _to_coco_keypoints(
                groundtruth_keypoints[row], None if visibilities is None else visibilities[row]
            )
        annotations.append(annotation)
    return annotations


def ExportSingleImageDetectionBoxesToCoco(
    image_id: Any,
    category_id_set: Iterable[int],
    detection_boxes: Array,
    detection_scores: Array,
    detection_classes: Array,
    detection_keypoints: Array | None = None,
    detection_keypoint_visibilities: Array | None = None,
) -> list[dict[str, Any]]:
    """COCO results of a picture's detections.

    Args:
        image_id: identity of the picture.
        category_id_set: classes to keep.
        detection_boxes: [D, 4].
        detection_scores: [D].
        detection_classes: [D].
        detection_keypoints: [D, K, 2] or None.
        detection_keypoint_visibilities: [D, K] or None.

    Raises:
        ShapeError: rows do not fit.
    """
    _check_boxes(
        "detection_boxes",
        detection_boxes,
        detection_scores=detection_scores,
        detection_classes=detection_classes,
        detection_keypoints=detection_keypoints,
    )
    allowed = set(category_id_set)
    results = []
    for row, (box, score, category) in enumerate(
        zip(detection_boxes, detection_scores, detection_classes, strict=True)
    ):
        if int(category) not in allowed:
            continue
        result = {
            "image_id": image_id,
            "category_id": int(category),
            "bbox": _to_coco_box(box),
            "score": float(score),
        }
        if detection_keypoints is not None:
            visibilities = detection_keypoint_visibilities
            result["keypoints"], result["num_keypoints"] = _to_coco_keypoints(
                detection_keypoints[row], None if visibilities is None else visibilities[row]
            )
        results.append(result)
    return results
