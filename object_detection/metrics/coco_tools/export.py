"""Arrays of truth and detections as COCO's lists of annotations and results.

Axes:   M groundtruth boxes, D detections, K keypoints, H x W pixels.
Frames: ours are [ymin, xmin, ymax, xmax] and (y, x) in pixels; COCO's are [x, y, width, height] and
        flat x, y, v triples (cocodataset.org/#format-data).
Masks:  uint8 of 0 and 1; COCO's are run lengths (pycocotools.mask).
"""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from pycocotools import mask as coco_mask

from object_detection.errors import DataError, ShapeError
from object_detection.utils import files, json_utils

Array = np.ndarray[Any, Any]
Annotation = dict[str, Any]

# COCO's v of a keypoint: 0 not labelled, 1 labelled but hidden, 2 labelled and visible.
_VISIBLE = 2


def _check_rank(name: str, array: Array, letters: str) -> None:
    """`letters` is the wanted shape, one letter or number an axis."""
    array, wanted = np.asarray(array), letters.split()
    fits = array.ndim == len(wanted) and all(
        not letter.isdigit() or size == int(letter)
        for size, letter in zip(array.shape, wanted, strict=False)
    )
    if not fits:
        raise ShapeError(f"{name} should be [{', '.join(wanted)}], got {list(array.shape)}.")


def _check_rows(where: str, **arrays: Array | None) -> None:
    sizes = {name: len(array) for name, array in arrays.items() if array is not None}
    if len(set(sizes.values())) > 1:
        found = ", ".join(f"{name} has {size} rows" for name, size in sizes.items())
        raise ShapeError(f"{where}: {found}; they should be as many.")


def _to_coco_box(box: Array) -> list[float]:
    ymin, xmin, ymax, xmax = (float(value) for value in box)
    return [xmin, ymin, xmax - xmin, ymax - ymin]


def _to_coco_mask(mask: Array) -> dict[str, Any]:
    """Run lengths of [H, W] uint8, with counts as text, which JSON can hold."""
    # COCO runs go down the columns.
    encoded = coco_mask.encode(np.asfortranarray(mask, np.uint8))
    return {**encoded, "counts": encoded["counts"].decode("ascii")}


def _to_coco_keypoints(keypoints: Array, visibilities: Array | None) -> list[float]:
    """Flat x, y, v triples of [K, 2]; a NaN keypoint is none, so it becomes 0, 0, 0."""
    values = (
        np.full(len(keypoints), _VISIBLE)
        if visibilities is None
        else np.asarray(visibilities).reshape(-1)
    )
    flat: list[float] = []
    for (y, x), value in zip(keypoints, values, strict=True):
        there = np.isfinite(y) and np.isfinite(x)
        flat += [float(x), float(y), int(value)] if there else [0.0, 0.0, 0]
    return flat


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
) -> list[Annotation]:
    """COCO annotations of a picture's truth.

    Args:
        image_id: identity of the picture.
        next_annotation_id: id of the first row; row i gets the id i further, so that ids say which
            row was meant even where rows of other classes are left out.
        category_id_set: classes to keep.
        groundtruth_boxes: [M, 4].
        groundtruth_classes: [M].
        groundtruth_keypoints: [M, K, 2] or None.
        groundtruth_keypoint_visibilities: [M, K], COCO's v or booleans; None means that all can be
            seen.
        groundtruth_masks: [M, H, W] uint8 or None.
        groundtruth_is_crowd: [M] or None.
        groundtruth_area: [M] in square pixels; None for the areas of the boxes.

    Raises:
        ShapeError: rows or axes do not fit.
    """
    boxes, classes = np.asarray(groundtruth_boxes), np.asarray(groundtruth_classes)
    _check_rank("groundtruth_classes", classes, "M")
    _check_rank("groundtruth_boxes", boxes, "M 4")
    _check_rows(
        f"Groundtruth of picture {image_id}",
        groundtruth_boxes=boxes,
        groundtruth_classes=classes,
        groundtruth_keypoints=groundtruth_keypoints,
        groundtruth_keypoint_visibilities=groundtruth_keypoint_visibilities,
        groundtruth_masks=groundtruth_masks,
        groundtruth_is_crowd=groundtruth_is_crowd,
        groundtruth_area=groundtruth_area,
    )
    if groundtruth_is_crowd is not None:
        _check_rank("groundtruth_is_crowd", np.asarray(groundtruth_is_crowd), "M")
    if groundtruth_masks is not None:
        _check_rank("groundtruth_masks", groundtruth_masks, "M H W")
    allowed = set(category_id_set)
    annotations = []
    for row, (box, category) in enumerate(zip(boxes, classes, strict=True)):
        if int(category) not in allowed:
            continue
        coco_box = _to_coco_box(box)
        annotation: Annotation = {
            "id": next_annotation_id + row,
            "image_id": image_id,
            "category_id": int(category),
            "bbox": coco_box,
            "area": float(groundtruth_area[row])
            if groundtruth_area is not None
            else coco_box[2] * coco_box[3],
            "iscrowd": int(groundtruth_is_crowd[row]) if groundtruth_is_crowd is not None else 0,
        }
        if groundtruth_masks is not None:
            annotation["segmentation"] = _to_coco_mask(groundtruth_masks[row])
        if groundtruth_keypoints is not None:
            visibilities = groundtruth_keypoint_visibilities
            flat = _to_coco_keypoints(
                groundtruth_keypoints[row], None if visibilities is None else visibilities[row]
            )
            annotation["keypoints"] = flat
            annotation["num_keypoints"] = sum(value > 0 for value in flat[2::3])
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
) -> list[Annotation]:
    """COCO results of a picture's boxes.

    Args:
        image_id: identity of the picture.
        category_id_set: classes to keep.
        detection_boxes: [D, 4].
        detection_scores: [D].
        detection_classes: [D].
        detection_keypoints: [D, K, 2] or None.
        detection_keypoint_visibilities: [D, K]; None means that all can be seen.

    Raises:
        ShapeError: rows or axes do not fit.
    """
    boxes, scores = np.asarray(detection_boxes), np.asarray(detection_scores)
    classes = np.asarray(detection_classes)
    _check_rank("detection_classes", classes, "D")
    _check_rank("detection_scores", scores, "D")
    _check_rank("detection_boxes", boxes, "D 4")
    _check_rows(
        f"Detections of picture {image_id}",
        detection_boxes=boxes,
        detection_scores=scores,
        detection_classes=classes,
        detection_keypoints=detection_keypoints,
        detection_keypoint_visibilities=detection_keypoint_visibilities,
    )
    allowed = set(category_id_set)
    results = []
    for row, category in enumerate(classes):
        if int(category) not in allowed:
            continue
        result: Annotation = {
            "image_id": image_id,
            "category_id": int(category),
            "bbox": _to_coco_box(boxes[row]),
            "score": float(scores[row]),
        }
        if detection_keypoints is not None:
            visibilities = detection_keypoint_visibilities
            result["keypoints"] = _to_coco_keypoints(
                detection_keypoints[row], None if visibilities is None else visibilities[row]
            )
            result["num_keypoints"] = len(detection_keypoints[row])
        results.append(result)
    return results


def ExportSingleImageDetectionMasksToCoco(
    image_id: Any,
    category_id_set: Iterable[int],
    detection_masks: Array,
    detection_scores: Array,
    detection_classes: Array,
) -> list[Annotation]:
    """COCO results of a picture's instance masks.

    Args:
        image_id: identity of the picture.
        category_id_set: classes to keep.
        detection_masks: [D, H, W] uint8.
        detection_scores: [D].
        detection_classes: [D].

    Raises:
        ShapeError: rows or axes do not fit.
    """
    scores, classes = np.asarray(detection_scores), np.asarray(detection_classes)
    _check_rank("detection_classes", classes, "D")
    _check_rank("detection_scores", scores, "D")
    _check_rows(
        f"Detections of picture {image_id}",
        detection_masks=detection_masks,
        detection_scores=scores,
        detection_classes=classes,
    )
    allowed = set(category_id_set)
    return [
        {
            "image_id": image_id,
            "category_id": int(category),
            "segmentation": _to_coco_mask(mask),
            "score": float(score),
        }
        for mask, score, category in zip(np.asarray(detection_masks), scores, classes, strict=True)
        if int(category) in allowed
    ]


def _category_ids(categories: Iterable[dict[str, Any]]) -> set[int]:
    return {category["id"] for category in categories}


def _check_pictures(**lists: Sequence[Any]) -> None:
    if len({len(one) for one in lists.values()}) > 1:
        found = ", ".join(f"{name} has {len(one)}" for name, one in lists.items())
        raise ShapeError(f"Each list should have one entry a picture: {found}.")


def _plain(value: Any) -> Any:
    """Identities of pictures may come out of numpy or TensorFlow."""
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, np.generic):
        return value.item()
    raise DataError(f"{value!r} ({type(value).__name__}) cannot be written as JSON.")


def write_json(content: Any, output_path: str) -> None:
    """Writes annotations or results as JSON with four decimals."""
    text = json_utils.Dumps(content, float_digits=4, indent=2, default=_plain)
    files.write_text(output_path, text)


def _written(content: Any, output_path: str | None) -> Any:
    if output_path:
        write_json(content, output_path)
    return content


def ExportGroundtruthToCOCO(
    image_ids: Sequence[Any],
    groundtruth_boxes: Sequence[Array],
    groundtruth_classes: Sequence[Array],
    categories: list[dict[str, Any]],
    output_path: str | None = None,
) -> dict[str, Any]:
    """The truth of many pictures as a COCO dataset.

    Args:
        image_ids: one a picture.
        groundtruth_boxes: [M, 4] a picture.
        groundtruth_classes: [M] a picture.
        categories: `{"id", "name"}` each.
        output_path: of a JSON file to write; None for none.

    Returns:
        `annotations`, with ids from 1, `images` and `categories`.

    Raises:
        ShapeError: lists, rows or axes do not fit.
    """
    _check_pictures(
        image_ids=image_ids,
        groundtruth_boxes=groundtruth_boxes,
        groundtruth_classes=groundtruth_classes,
    )
    annotations: list[Annotation] = []
    next_id = 1
    for image_id, boxes, classes in zip(
        image_ids, groundtruth_boxes, groundtruth_classes, strict=True
    ):
        annotations += ExportSingleImageGroundtruthToCoco(
            image_id, next_id, _category_ids(categories), boxes, classes
        )
        next_id += len(classes)
    dataset = {
        "annotations": annotations,
        "images": [{"id": image_id} for image_id in image_ids],
        "categories": categories,
    }
    return dict(_written(dataset, output_path))


def ExportDetectionsToCOCO(
    image_ids: Sequence[Any],
    detection_boxes: Sequence[Array],
    detection_scores: Sequence[Array],
    detection_classes: Sequence[Array],
    categories: list[dict[str, Any]],
    output_path: str | None = None,
) -> list[Annotation]:
    """The detected boxes of many pictures as COCO results.

    Args:
        image_ids: one a picture.
        detection_boxes: [D, 4] a picture.
        detection_scores: [D] a picture.
        detection_classes: [D] a picture.
        categories: `{"id", "name"}` each.
        output_path: of a JSON file to write; None for none.

    Raises:
        ShapeError: lists, rows or axes do not fit.
    """
    _check_pictures(
        image_ids=image_ids,
        detection_boxes=detection_boxes,
        detection_scores=detection_scores,
        detection_classes=detection_classes,
    )
    results: list[Annotation] = []
    for picture in zip(
        image_ids, detection_boxes, detection_scores, detection_classes, strict=True
    ):
        image_id, *arrays = picture
        results += ExportSingleImageDetectionBoxesToCoco(
            image_id, _category_ids(categories), *arrays
        )
    return list(_written(results, output_path))


def ExportSegmentsToCOCO(
    image_ids: Sequence[Any],
    detection_masks: Sequence[Array],
    detection_scores: Sequence[Array],
    detection_classes: Sequence[Array],
    categories: list[dict[str, Any]],
    output_path: str | None = None,
) -> list[Annotation]:
    """The instance masks of many pictures as COCO results.

    Args:
        image_ids: one a picture.
        detection_masks: [D, H, W, 1] uint8 a picture.
        detection_scores: [D] a picture.
        detection_classes: [D] a picture.
        categories: `{"id", "name"}` each.
        output_path: of a JSON file to write; None for none.

    Raises:
        ShapeError: lists, rows or axes do not fit.
    """
    _check_pictures(
        image_ids=image_ids,
        detection_masks=detection_masks,
        detection_scores=detection_scores,
        detection_classes=detection_classes,
    )
    results: list[Annotation] = []
    for image_id, masks, scores, classes in zip(
        image_ids, detection_masks, detection_scores, detection_classes, strict=True
    ):
        _check_rank("detection_masks", masks, "D H W 1")
        results += ExportSingleImageDetectionMasksToCoco(
            image_id, _category_ids(categories), np.asarray(masks)[..., 0], scores, classes
        )
    return list(_written(results, output_path))


def ExportKeypointsToCOCO(
    image_ids: Sequence[Any],
    detection_keypoints: Sequence[Array],
    detection_scores: Sequence[Array],
    detection_classes: Sequence[Array],
    categories: list[dict[str, Any]],
    output_path: str | None = None,
) -> list[Annotation]:
    """The keypoints of many pictures as COCO results, in whole pixels.

    Unlike the other functions here, this one takes keypoints in COCO's own order.

    Args:
        image_ids: one a picture.
        detection_keypoints: [D, K, 2] a picture, (x, y).
        detection_scores: [D] a picture.
        detection_classes: [D] a picture.
        categories: `{"id", "name"}` each; `num_keypoints` says how many of the K the class has.
            Detections of a class without it are left out.
        output_path: of a JSON file to write; None for none.

    Raises:
        DataError: a class that `categories` does not have.
        ShapeError: lists, rows or axes do not fit.
    """
    _check_pictures(
        image_ids=image_ids,
        detection_keypoints=detection_keypoints,
        detection_scores=detection_scores,
        detection_classes=detection_classes,
    )
    counts = {category["id"]: category.get("num_keypoints") for category in categories}
    results: list[Annotation] = []
    for image_id, keypoints, scores, classes in zip(
        image_ids, detection_keypoints, detection_scores, detection_classes, strict=True
    ):
        _check_rank("detection_classes", classes, "D")
        _check_rank("detection_scores", scores, "D")
        _check_rank("detection_keypoints", keypoints, "D K 2")
        _check_rows(
            f"Detections of picture {image_id}",
            detection_keypoints=keypoints,
            detection_scores=scores,
            detection_classes=classes,
        )
        for points, score, category in zip(keypoints, scores, classes, strict=True):
            if int(category) not in counts:
                raise DataError(
                    f"Detections of picture {image_id}: class {int(category)} is not one of the "
                    f"categories {sorted(counts)}."
                )
            if counts[int(category)] is None:
                continue
            points = np.asarray(points)[: counts[int(category)]]
            triples = np.concatenate([points, np.ones([len(points), 1])], axis=1)
            # A keypoint that does not exist is COCO's 0, 0, 0.
            triples[~np.isfinite(triples).all(axis=1)] = 0
            results.append(
                {
                    "image_id": image_id,
                    "category_id": int(category),
                    "keypoints": triples.astype(int).reshape(-1).tolist(),
                    "score": float(score),
                }
            )
    return list(_written(results, output_path))
