"""Judges the content of one record: whether a reader can use it, and what has to be mended.

Axes: M boxes, K keypoints. What a reader refuses (`data_decoders/tf_example_decoder.py`,
`keypoint_lists.py`, `builders/dataset_builder.py`) is refused here, with a reason.
"""

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import numpy as np

from object_detection.utils.pictures import decodable
from object_detection.utils.records.examples import BYTES, FLOATS, INTS, Features, RefusedRecord
from object_detection.utils.records.findings import NOTED, REPAIRED, SKIPPED
from object_detection.utils.records.rules import Rules
from object_detection.utils.refusal import Refused

Array = np.ndarray[Any, Any]

ENCODED = "image/encoded"
SOURCE_ID, FILENAME, KEY = "image/source_id", "image/filename", "image/key/sha256"
CORNERS = tuple(f"image/object/bbox/{side}" for side in ("ymin", "xmin", "ymax", "xmax"))
LABEL, TEXT = "image/object/class/label", "image/object/class/text"
_KEYPOINT = "image/object/keypoint/"
_MASK, _MASK_WEIGHT = "image/object/mask", "image/object/mask/weight"
_DENSE_POSE = "image/object/densepose/"

# Lists with one entry a box, if they are there at all.
_ROWS = (
    ("image/object/weight", FLOATS),
    ("image/object/difficult", INTS),
    ("image/object/group_of", INTS),
    ("image/object/is_crowd", INTS),
)
# Of these the first that is there counts.
_AREAS = ("image/object/area", "image/object/segment/area")
# What readers parse besides, whatever its length.
_OF_PICTURE = (
    ("image/class/text", BYTES),
    ("image/class/label", INTS),
    ("image/class/confidence", FLOATS),
    ("image/neg_category_ids", INTS),
    ("image/not_exhaustive_category_ids", INTS),
)

# Boxes may reach out of the picture by this share of it, as rounding makes them do.
EDGE = np.float32(1e-3)
_FORMATS = {"jpg": "jpeg", "jpeg": "jpeg", "png": "png", "gif": "gif", "bmp": "bmp", "webp": "webp"}
_MOST_NAMED = 5  # boxes that a detail names


class Fault(NamedTuple):
    """One thing that is wrong with a record."""

    reason: str
    detail: str
    action: str


class Judgement(NamedTuple):
    """What is known of a record."""

    source_id: str
    faults: tuple[Fault, ...]  # one that is SKIPPED stands alone


def judge(content: bytes, rules: Rules) -> Judgement:
    """Judges a record; whatever it holds, there is no exception.

    Args:
        content: of the record.
        rules: of its reader.
    """
    source_id = ""
    try:
        features = Features(content)
        source_id = _name(features)
        faults = tuple(_faults(features, rules))
    except Refused as refused:
        return Judgement(source_id, (Fault(refused.reason, refused.detail, SKIPPED),))
    return Judgement(source_id, faults)


def _name(features: Features) -> str:
    """What the record calls itself, for people."""
    for name in (SOURCE_ID, FILENAME):
        try:
            found = features.strings(name)
        except RefusedRecord:
            continue
        if len(found) and found[0]:
            return _shown(found[0])
    return ""


def _shown(text: bytes) -> str:
    """Bytes as text for a console: no control characters, and not too long."""
    decoded = text[:200].decode("utf-8", "replace")
    if decoded.isprintable():
        return decoded
    return "".join(one if one.isprintable() else "?" for one in decoded)


def _refuse_unless(holds: bool, reason: str, detail: str) -> None:
    if not holds:
        raise RefusedRecord(reason, detail)


def _faults(features: Features, rules: Rules) -> Iterator[Fault]:
    encoded = _encoded(features)
    corners = [features.numbers(name, FLOATS) for name in CORNERS]
    lengths = [len(one) for one in corners]
    _refuse_unless(
        min(lengths) == max(lengths),
        "unequal_corners",
        "ymin, xmin, ymax, xmax have {}, {}, {} and {} entries".format(*lengths),
    )
    boxes = np.stack(corners, axis=1)
    _check_corners(boxes)
    known, unknown = _known_classes(features, len(boxes), rules)
    _check_rows(features, len(boxes), rules)
    points = _keypoints(features, len(boxes), rules) if rules.num_keypoints else None
    picture = decodable.describe(encoded, rules.max_megapixels * 1e6)
    _check_planes(features, len(boxes), picture, rules)
    yield from _notes(features, picture)
    yield from _mended(boxes, known, unknown, points)


def _encoded(features: Features) -> bytes:
    if ENCODED not in features:
        if features.is_of_sequence():
            raise RefusedRecord(
                "not_an_example",
                "a tf.train.SequenceExample: input_type TF_SEQUENCE_EXAMPLE reads it",
            )
        if not features.is_of_picture():
            raise RefusedRecord("not_an_example", "no feature that begins with image/")
    encoded: bytes = features.one(ENCODED, BYTES, b"")
    _refuse_unless(bool(encoded), "no_picture", f"{ENCODED} is absent or empty")
    for name in (SOURCE_ID, FILENAME, KEY):
        features.one(name, BYTES, b"")
    for name, kind in _OF_PICTURE:
        features.count(name, kind)
    return encoded


def _known_classes(features: Features, count: int, rules: Rules) -> tuple[Array, str]:
    """[M] whether the model has the class, and the code of those that it has not."""
    labels, names = features.numbers(LABEL, INTS), features.strings(TEXT)
    by_name = rules.label_names is not None and len(names) > 0
    found = len(names) if by_name else len(labels)
    name = TEXT if by_name else LABEL
    _refuse_unless(found == count, "unequal_classes", f"{name}: {found} for {count} boxes")
    if by_name and rules.label_names is not None:
        allowed = rules.label_names
        known = [one.decode("utf-8", "backslashreplace") in allowed for one in names]
        return np.array(known, bool), "class_unknown"
    known_ids = labels >= 1
    if rules.num_classes is not None:
        known_ids &= labels <= rules.num_classes
    _refuse_unless(
        bool(known_ids.all()),
        "class_out_of_range",
        f"{LABEL}: {', '.join(map(str, labels[~known_ids][:_MOST_NAMED]))}; "
        f"allowed are 1 to {rules.num_classes or 'any'}",
    )
    return known_ids, ""


def _row(name: str, found: int, count: int) -> None:
    _refuse_unless(found in (0, count), "unequal_rows", f"{name}: {found} for {count} boxes")


def _check_rows(features: Features, count: int, rules: Rules) -> None:
    """Refuses a record if a list has not one entry a box."""
    for name, kind in _ROWS:
        _row(name, features.count(name, kind), count)
    areas = [features.count(name, FLOATS) for name in _AREAS]
    _row(_AREAS[0] if areas[0] else _AREAS[1], areas[0] or areas[1], count)
    if rules.track_ids:
        name = "image/object/track/label"
        _row(name, features.count(name, INTS), count)
    if rules.multiclass_scores:
        name = "image/object/class/multiclass_scores"
        found = features.count(name, FLOATS)
        classes = rules.num_classes or found // max(count, 1)
        _refuse_unless(
            found in (0, count * classes),
            "unequal_rows",
            f"{name}: {found} for {count} boxes of {classes} classes",
        )
    if rules.dense_pose:
        _check_dense_pose(features, count)
    if rules.context_features:
        width = features.one("image/context_feature_length", INTS, 0)
        found = features.count("image/context_features", FLOATS)
        fits = width >= 0 and (found % width == 0 if width else found == 0)
        detail = f"image/context_features: {found} in rows of {width}"
        _refuse_unless(fits, "unequal_lists", detail)


def _check_dense_pose(features: Features, count: int) -> None:
    numbers = features.numbers(f"{_DENSE_POSE}num", INTS)
    _row(f"{_DENSE_POSE}num", len(numbers), count)
    lists = [features.count(f"{_DENSE_POSE}{axis}", FLOATS) for axis in "yxvu"]
    lists.append(features.count(f"{_DENSE_POSE}part_index", INTS))
    fits = not len(numbers) or (min(numbers) >= 0 and sum(numbers.tolist()) == lists[0])
    _refuse_unless(
        fits and min(lists) == max(lists) and (len(numbers) > 0 or lists[0] == 0),
        "unequal_lists",
        f"{_DENSE_POSE}: {sum(numbers.tolist())} points announced, lists of {lists}",
    )


def _keypoints(features: Features, count: int, rules: Rules) -> tuple[Array, Array] | None:
    """[M, P, 2] points, P of each box, and [M, P] whether they are labelled; None without any."""
    y, x = (features.numbers(f"{_KEYPOINT}{axis}", FLOATS) for axis in "yx")
    given = features.numbers(f"{_KEYPOINT}visibility", INTS)
    optional = {"visibility": len(given)}
    if rules.keypoint_depths:
        for name in ("z", "z/weights"):
            optional[name] = features.count(f"{_KEYPOINT}{name}", FLOATS)
    per_box = rules.num_keypoints
    if rules.keypoint_names:
        per_box = len(y) // max(count, 1)
        names = features.count(f"{_KEYPOINT}text", BYTES)
        detail = f"{_KEYPOINT}text: {names} for {len(y)} keypoints"
        _refuse_unless(names == len(y), "unequal_keypoints", detail)
    expected = per_box * count
    found = {"y": len(y), "x": len(x), **{name: size for name, size in optional.items() if size}}
    _refuse_unless(
        all(size == expected for size in found.values()),
        "unequal_keypoints",
        f"{_KEYPOINT}: {_listing(found)} for {count} boxes of {per_box} keypoints",
    )
    if not expected:
        return None
    labelled = (given == 1) | (given == 2) if len(given) else np.ones(expected, bool)
    points = np.stack([y, x], axis=1).reshape(count, per_box, 2)
    return points, labelled.reshape(count, per_box)


def _listing(found: dict[str, int]) -> str:
    return ", ".join(f"{size} {name}" for name, size in found.items())


def _check_planes(
    features: Features, count: int, picture: decodable.Described, rules: Rules
) -> None:
    """Refuses a record if masks or additional channels do not lie over the picture."""
    size = (picture.height, picture.width)
    if rules.masks:
        if rules.masks == "png":
            masks = features.strings(_MASK)
            found = len(masks)
            _check_sizes(masks, size, "unequal_masks", rules)
        else:
            total = features.count(_MASK, FLOATS)
            found, rest = divmod(total, size[0] * size[1])
            detail = f"{_MASK}: {total} numbers, {size[1]} x {size[0]} a box"
            _refuse_unless(not rest, "unequal_masks", detail)
        fits = found in (0, count)
        _refuse_unless(fits, "unequal_masks", f"{_MASK}: {found} for {count} boxes")
        _row(_MASK_WEIGHT, features.count(_MASK_WEIGHT, FLOATS), count)
    if rules.num_additional_channels:
        name = "image/additional_channels/encoded"
        channels = features.strings(name)[: rules.num_additional_channels]
        fits = len(channels) == rules.num_additional_channels
        detail = f"{name}: {len(channels)} instead of {rules.num_additional_channels}"
        _refuse_unless(fits, "unequal_channels", detail)
        _check_sizes(channels, size, "unequal_channels", rules)


def _check_sizes(planes: Iterable[bytes], size: tuple[int, int], reason: str, rules: Rules) -> None:
    for number, plane in enumerate(planes, start=1):
        try:
            found = decodable.describe(plane, rules.max_megapixels * 1e6)
        except decodable.RefusedPicture as refused:
            raise RefusedRecord(reason, f"number {number}: {refused.detail}") from refused
        fits = found.format in ("png", "jpeg") and not found.is_cmyk
        fits = fits and (found.height, found.width) == size
        detail = f"number {number}: a {found.format} of {found.width} x {found.height}"
        _refuse_unless(fits, reason, f"{detail}, the picture has {size[1]} x {size[0]}")


def _notes(features: Features, picture: decodable.Described) -> Iterator[Fault]:
    told = [_told(features, f"image/{side}", INTS) for side in ("width", "height")]
    true = (picture.width, picture.height)
    if any(one not in (None, size) for one, size in zip(told, true, strict=True)):
        detail = f"{told[0]} x {told[1]}, the picture has {true[0]} x {true[1]}"
        yield Fault("size_differs", detail, NOTED)
    kind = _told(features, "image/format", BYTES)
    if kind:
        name = _FORMATS.get(_shown(kind).strip().lower())
        if name != picture.format:
            detail = f"{_shown(kind[:20])!r}, the picture is a {picture.format}"
            yield Fault("format_differs", detail, NOTED)


def _told(features: Features, name: str, kind: str) -> Any:
    """A value that readers do not look at."""
    try:
        return features.one(name, kind, None)
    except RefusedRecord:
        return None


def _check_corners(boxes: Array) -> None:
    """Refuses a record if nobody can know where an object is.

    Without its box it would be taught as background.
    """
    for reason, bad in (
        ("box_not_finite", ~np.isfinite(boxes).all(axis=1)),
        ("box_without_area", (boxes[:, 2:] == boxes[:, :2]).any(axis=1)),
    ):
        if bad.any():
            raise RefusedRecord(reason, _of_boxes(bad, boxes))


def _mended(
    boxes: Array, known: Array, unknown: str, points: tuple[Array, Array] | None
) -> Iterator[Fault]:
    """What is turned, left out or cut; a box that is left out has one reason."""
    low, high = np.minimum(boxes[:, :2], boxes[:, 2:]), np.maximum(boxes[:, :2], boxes[:, 2:])
    inverted = (boxes[:, :2] > boxes[:, 2:]).any(axis=1)
    inside = (np.minimum(high, np.float32(1)) > np.maximum(low, np.float32(0))).all(axis=1)
    outside = (low < -EDGE).any(axis=1) | (high > 1 + EDGE).any(axis=1)
    used = inside & known
    for reason, rows in (
        ("box_not_in_picture", ~inside),
        (unknown, inside & ~known),
        ("box_inverted", used & inverted),
        ("box_outside", used & outside),
    ):
        if rows.any():
            yield Fault(reason, _of_boxes(rows, boxes), REPAIRED)
    if points is None:
        return
    places, labelled = points
    missing = np.isnan(places)
    broken = (missing[..., 0] != missing[..., 1]) | np.isinf(places).any(axis=2)
    halved = (broken & labelled).any(axis=1) & used
    if halved.any():
        yield Fault("keypoint_not_finite", _of_boxes(halved, boxes), REPAIRED)


def _of_boxes(rows: Any, boxes: Array) -> str:
    """Numbers of boxes, from 1, and the first of them."""
    numbers = np.flatnonzero(rows)
    named = ", ".join(str(number + 1) for number in numbers[:_MOST_NAMED])
    more = f" and {len(numbers) - _MOST_NAMED} more" if len(numbers) > _MOST_NAMED else ""
    first = ", ".join(f"{side:.4g}" for side in boxes[numbers[0]])
    kind = "box" if len(numbers) == 1 else "boxes"
    return f"{kind} {named}{more} of {len(boxes)}: ymin, xmin, ymax, xmax = {first}"
