"""What a JSON file of COCO has to hold before it is converted; needs no TensorFlow.

`pycocotools` takes masks on trust: a polygon far out of the picture takes all memory, a run-length
code that is too short gives what lay in memory before.
"""

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

from object_detection.errors import DataError, PictureError
from object_detection.utils import untrusted

Annotation = Mapping[str, Any]

_REQUIRED = ("area", "bbox", "category_id", "iscrowd")
_MOST_VERTICES = 100_000
_MOST_PIXELS_AROUND = 1_000_000


def _is_number(value: Any, most: float = 1e9) -> bool:
    # NaN compares as false; True and False are integers to Python.
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= most


def _bad(where: str, what: str) -> PictureError:
    return PictureError(f"{where}: {what}", "bad_annotation")


def _is_key(value: Any) -> bool:
    """Whether something may be an id; data sets of COCO's form use text, too."""
    return isinstance(value, int) or _is_text(value)


def _is_text(value: Any) -> bool:
    # JSON can hold halves of characters, which no record of text can.
    return isinstance(value, str) and not re.search("[\ud800-\udfff]", value)


def read(path: str, with_pictures: bool = True) -> dict[str, Any]:
    """A file with `annotations` and, if wanted, `images` and `categories`, each with ids.

    Args:
        path: of the file. Without `annotations` (a test set) it has none.
        with_pictures: whether `images` and `categories` are required.

    Raises:
        DataError: it cannot be read, or is of another form.
    """
    content = untrusted.read_json(path)
    if not isinstance(content, dict):
        raise DataError(f"{path}: is no JSON object. Give a JSON file of COCO.")
    content.setdefault("annotations", [])
    lists: dict[str, tuple[str, ...]] = {"annotations": ("image_id", "id")}
    if with_pictures:
        lists |= {"images": ("id",), "categories": ("id",)}
    for key, ids in lists.items():
        if not isinstance(content.get(key), list):
            raise DataError(f"{path}: has no list {key!r}. Give a JSON file of COCO.")
        for number, row in enumerate(content[key]):
            if not isinstance(row, dict) or not all(_is_key(row.get(one)) for one in ids):
                raise DataError(f"{path}: {key}[{number}] has no {' and '.join(ids)}.")
    for number, category in enumerate(content["categories"] if with_pictures else ()):
        if not isinstance(category["id"], int) or not _is_text(category.get("name")):
            raise DataError(f"{path}: categories[{number}] needs a whole number `id` and a `name`.")
    return content


def check_object(annotation: Annotation, where: str) -> None:
    """Raises `PictureError` for an object without its box, class, area or crowd flag.

    Args:
        annotation: entry of `annotations`.
        where: the picture, for messages.
    """
    where = f"{untrusted.shortened(where)}: annotation {annotation.get('id')}"
    absent = [name for name in _REQUIRED if name not in annotation]
    if absent:
        raise _bad(
            where, f"has no {', '.join(absent)}. Give the JSON file of the objects (`instances_`)."
        )
    box = annotation["bbox"]
    if not isinstance(box, list) or len(box) != 4 or not all(map(_is_number, box)):
        raise _bad(where, "bbox should be 4 finite numbers, x, y, width and height.")
    if not isinstance(annotation["category_id"], int):
        raise _bad(where, "category_id should be a whole number.")
    if not _is_number(annotation["area"], 1e18):
        raise _bad(where, "area should be a finite number.")
    if annotation["iscrowd"] not in (0, 1):
        raise _bad(where, "iscrowd should be 0 or 1.")


def check_keypoints(annotation: Annotation, number: int) -> None:
    """Raises `PictureError` unless `keypoints` are x, y and visibility of each.

    Args:
        annotation: entry of `annotations` of a file of keypoints.
        number: of keypoints.
    """
    where = f"annotation {annotation.get('id')}"
    points = annotation.get("keypoints")
    if not isinstance(points, list) or len(points) != 3 * number:
        count = len(points) if isinstance(points, list) else "no"
        raise _bad(
            where,
            f"has {count} numbers in `keypoints`; x, y and visibility of {number} are wanted.",
        )
    if not all(map(_is_number, points)) or any(seen not in (0, 1, 2) for seen in points[2::3]):
        raise _bad(where, "`keypoints` should be finite numbers, every third of them 0, 1 or 2.")
    labelled = annotation.get("num_keypoints")
    if not isinstance(labelled, int) or not 0 <= labelled <= number:
        raise _bad(where, f"`num_keypoints` should be a number from 0 to {number}.")


def check_densepose(annotation: Annotation) -> None:
    """Raises `PictureError` unless the lists of DensePose are numbers, one a point."""
    where = f"annotation {annotation.get('id')}"
    lists = [annotation.get(f"dp_{name}") for name in ("I", "x", "y", "U", "V")]
    if not all(isinstance(one, list) and all(map(_is_number, one)) for one in lists):
        raise _bad(where, "dp_I, dp_x, dp_y, dp_U and dp_V should be lists of finite numbers.")
    if len({len(one) for one in lists if one is not None}) != 1:
        raise _bad(where, "dp_I, dp_x, dp_y, dp_U and dp_V should be of one length.")


def _runs(code: str) -> list[int]:
    """Lengths in COCO's compressed form: base 32, low digits first, from the third on differences.

    Raises:
        ValueError: it ends within a number, or has other characters.
    """
    lengths: list[int] = []
    value, shift = 0, 0
    for letter in code:
        digit = ord(letter) - 48
        if not 0 <= digit < 64 or shift > 30:
            raise ValueError("no run-length code")
        value |= (digit & 31) << shift
        shift += 5
        if digit & 32:
            continue
        if digit & 16:
            value -= 1 << shift
        lengths.append(value + (lengths[-2] if len(lengths) > 2 else 0))
        value, shift = 0, 0
    if shift:
        raise ValueError("ends within a number")
    return lengths


def _check_runs(segmentation: Mapping[str, Any], height: int, width: int, where: str) -> None:
    if segmentation.get("size") != [height, width]:
        raise _bad(where, f"size of its mask should be that of the picture, [{height}, {width}].")
    counts = segmentation.get("counts")
    if isinstance(counts, str):
        try:
            counts = _runs(counts)
        except ValueError as error:
            raise _bad(where, f"counts of its mask: {error}.") from error
    if not isinstance(counts, list) or not all(
        isinstance(one, int) and 0 <= one <= height * width for one in counts
    ):
        raise _bad(where, "counts of its mask should be lengths of runs.")
    if sum(counts) != height * width:
        raise _bad(
            where,
            f"counts of its mask make {sum(counts)} pixels, the picture has {height * width}.",
        )


def _check_polygons(polygons: Sequence[Any], height: int, width: int, where: str) -> None:
    vertices, around = 0, 0.0
    # Some lie a little beyond the picture's edge; what is far out costs memory by the distance.
    most = 2 * max(height, width)
    for polygon in polygons:
        if not isinstance(polygon, list) or len(polygon) < 6 or len(polygon) % 2:
            raise _bad(where, "a polygon is x, y of at least 3 corners.")
        if not all(_is_number(value, most) for value in polygon):
            raise _bad(where, f"a polygon has corners that are no numbers or beyond {most} pixels.")
        vertices += len(polygon) // 2
        if vertices > _MOST_VERTICES:
            raise _bad(where, f"its polygons have more than {_MOST_VERTICES} corners.")
        around += sum(
            math.dist(polygon[at : at + 2], polygon[at + 2 : at + 4])
            for at in range(0, len(polygon) - 2, 2)
        )
        if around > _MOST_PIXELS_AROUND:
            raise _bad(where, f"its polygons are more than {_MOST_PIXELS_AROUND} pixels long.")


def check_segmentation(annotation: Annotation, height: int, width: int) -> None:
    """Raises `PictureError` for a mask that `pycocotools` had better not see.

    Args:
        annotation: entry of `annotations`.
        height: of the picture, in pixels.
        width: likewise.
    """
    where = f"annotation {annotation.get('id')}"
    segmentation = annotation.get("segmentation")
    if isinstance(segmentation, dict):
        _check_runs(segmentation, height, width, where)
    elif isinstance(segmentation, list) and segmentation:
        _check_polygons(segmentation, height, width, where)
    else:
        raise _bad(where, "has no `segmentation`, polygons or run lengths; leave masks out.")
