"""Plants faults in a TFRecord file, and says what each should be called.

    plan = faults.plant("clean.record", "bad.record", share=0.05, seed=1)

Each kind of fault falls upon as many records; the rest stay as they are. What is damaged is damaged
by hand here, so that the plan owes nothing to what it is compared with.
"""

import dataclasses
import io
import pathlib
import random
import struct
from collections.abc import Callable, Iterable, Iterator

import numpy as np
from PIL import Image

from object_detection.dataset_tools import example_encoding
from object_detection.protos import example_pb2
from object_detection.utils.records import framing

CORNERS = "image/object/bbox/"
KEYPOINT = "image/object/keypoint/"
NAN = float("nan")


class Record:
    """The features of a serialised tf.train.Example, to be changed."""

    def __init__(self, content: bytes) -> None:
        self.example = example_pb2.Example.FromString(content)

    def __getitem__(self, name: str) -> list:
        """The values of a feature, as a copy."""
        for entry in self.example.features.feature:
            if entry.key == name.encode():
                kind = entry.value.WhichOneof("kind")
                return list(getattr(entry.value, kind).value) if kind else []
        return []

    def __setitem__(self, name: str, values: list) -> None:
        """Sets the values; an absent feature is made after the type of the first value."""
        for entry in self.example.features.feature:
            if entry.key == name.encode():
                break
        else:
            entry = self.example.features.feature.add(key=name.encode())
        entry.value.Clear()
        kind = {bytes: "bytes_list", float: "float_list", int: "int64_list"}[type(values[0])]
        getattr(entry.value, kind).value.extend(values)

    def remove(self, name: str) -> None:
        kept = [one for one in self.example.features.feature if one.key != name.encode()]
        del self.example.features.feature[:]
        self.example.features.feature.extend(kept)

    def serialised(self) -> bytes:
        return self.example.SerializeToString()


def _shortened(*names: str) -> Callable[[Record], None]:
    """Takes the last value of some features."""

    def change(record: Record) -> None:
        for name in names:
            values = record[name]
            if len(values) > 1:
                record[name] = values[:-1]
            elif values:
                record.remove(name)

    return change


def _with_first(name: str, value: float | int | bytes) -> Callable[[Record], None]:
    """Replaces the first value of a feature."""

    def change(record: Record) -> None:
        record[name] = [value, *record[name][1:]]

    return change


def _cut_picture(record: Record) -> None:
    picture = record["image/encoded"][0]
    record["image/encoded"] = [picture[: len(picture) * 2 // 3]]


def _huge_picture(record: Record) -> None:
    """Says of a JPEG in its frame header that it has 60,000 x 60,000 pixels."""
    picture = bytearray(record["image/encoded"][0])
    place = 2
    while picture[place + 1] not in (0xC0, 0xC1, 0xC2):
        place += 2 + struct.unpack_from(">H", picture, place + 2)[0]
    struct.pack_into(">HH", picture, place + 5, 60000, 60000)
    record["image/encoded"] = [bytes(picture)]


def _without_height(record: Record) -> None:
    record[f"{CORNERS}ymax"] = [record[f"{CORNERS}ymin"][0], *record[f"{CORNERS}ymax"][1:]]


def _inverted(record: Record) -> None:
    """Lets the first box end where it begins."""
    for low, high in (("ymin", "ymax"), ("xmin", "xmax")):
        begin, end = record[f"{CORNERS}{low}"], record[f"{CORNERS}{high}"]
        record[f"{CORNERS}{low}"] = [end[0], *begin[1:]]
        record[f"{CORNERS}{high}"] = [begin[0], *end[1:]]


def _outside(record: Record) -> None:
    """Stretches the first box over the edge of the picture that is nearest to it."""
    low = {name: record[f"{CORNERS}{name}"][0] for name in ("ymin", "xmin")}
    high = {name: 1 - record[f"{CORNERS}{name}"][0] for name in ("ymax", "xmax")}
    distances = {**low, **high}
    nearest = min(distances, key=lambda name: distances[name])
    values = record[f"{CORNERS}{nearest}"]
    record[f"{CORNERS}{nearest}"] = [-0.1 if nearest in low else 1.1, *values[1:]]


def _of_another_class(record: Record) -> None:
    record["image/object/class/label"] = [77, *record["image/object/class/label"][1:]]
    if record["image/object/class/text"]:
        record["image/object/class/text"] = [b"nobody", *record["image/object/class/text"][1:]]


def _of_a_class_beyond(record: Record) -> None:
    _of_another_class(record)
    record.remove("image/object/class/text")


def _to_the_edge(record: Record) -> float:
    """How far the first box is from the nearest edge of the picture."""
    ends = {name: record[f"{CORNERS}{name}"][0] for name in ("ymin", "xmin", "ymax", "xmax")}
    return min(ends["ymin"], ends["xmin"], 1 - ends["ymax"], 1 - ends["xmax"])


def _many_weights(record: Record) -> None:
    record["image/object/weight"] = [1.0] * (len(record[f"{CORNERS}ymin"]) + 1)


def _replaced(name: str, values: list) -> Callable[[Record], None]:
    def change(record: Record) -> None:
        record[name] = values

    return change


@dataclasses.dataclass(frozen=True)
class Fault:
    """A kind of fault."""

    name: str
    reason: str  # what a scan should call it
    action: str
    change: Callable[[Record], None] | None = None  # of what the record holds
    # Of what the file holds of a record, beginning with its length.
    damage: Callable[[bytearray], bytes | bytearray] | None = None
    of_boxes: bool = False  # falls on the first box, or its first keypoint
    # Records to prefer: those with the smallest number.
    rank: Callable[[Record], float] | None = None


def _flipped(place: int) -> Callable[[bytearray], bytearray]:
    def damage(framed: bytearray) -> bytearray:
        framed[place] ^= 0x55
        return framed

    return damage


FAULTS = (
    Fault("bits of the content", "checksum", "skipped", damage=_flipped(40)),
    Fault("bits of the length", "damaged_length", "skipped", damage=_flipped(1)),
    Fault(
        "text",
        "not_an_example",
        "skipped",
        damage=lambda framed: framing.framed(b"no Example " * 9),
    ),
    Fault("no picture", "no_picture", "skipped", lambda record: record.remove("image/encoded")),
    Fault("picture cut off", "picture_does_not_decode", "skipped", _cut_picture),
    Fault("huge picture", "picture_too_large", "skipped", _huge_picture),
    Fault(
        "unequal corners", "unequal_corners", "skipped", _shortened(f"{CORNERS}xmax"), of_boxes=True
    ),
    Fault(
        "a class too few",
        "unequal_classes",
        "skipped",
        _shortened("image/object/class/label", "image/object/class/text"),
        of_boxes=True,
    ),
    Fault(
        "a point too few", "unequal_keypoints", "skipped", _shortened(f"{KEYPOINT}x"), of_boxes=True
    ),
    Fault("a weight too many", "unequal_rows", "skipped", _many_weights),
    Fault("picture as numbers", "wrong_feature", "skipped", _replaced("image/encoded", [1, 2, 3])),
    Fault(
        "NaN corner",
        "box_not_finite",
        "skipped",
        _with_first(f"{CORNERS}ymin", NAN),
        of_boxes=True,
    ),
    Fault("corners in the wrong order", "box_inverted", "repaired", _inverted, of_boxes=True),
    Fault("no height", "box_without_area", "skipped", _without_height, of_boxes=True),
    Fault("another class", "class_unknown", "repaired", _of_another_class, of_boxes=True),
    Fault("partly outside", "box_outside", "repaired", _outside, of_boxes=True, rank=_to_the_edge),
    Fault(
        "half a point",
        "keypoint_not_finite",
        "repaired",
        _with_first(f"{KEYPOINT}y", NAN),
        of_boxes=True,
    ),
    Fault("wrong height", "size_differs", "noted", _replaced("image/height", [7])),
    Fault("wrong format", "format_differs", "noted", _replaced("image/format", [b"png"])),
)
# A name that the label map lacks is that of an object of no interest; a number is a mistake.
CLASS_BEYOND = Fault(
    "class beyond the model", "class_out_of_range", "skipped", _of_a_class_beyond, of_boxes=True
)


@dataclasses.dataclass(frozen=True)
class Planted:
    """A record with a fault."""

    number: int  # in its file, from 1
    source_id: str
    fault: Fault

    @property
    def as_found(self) -> tuple[int, str, str]:
        """What a scan should find."""
        return self.number, self.fault.reason, self.fault.action


def contents(path: str | pathlib.Path) -> Iterator[bytes]:
    """The records of an undamaged file."""
    data = pathlib.Path(path).read_bytes()
    place = 0
    while place < len(data):
        (length,) = struct.unpack_from("<Q", data, place)
        yield data[place + 12 : place + 12 + length]
        place += length + 16


def plant(
    clean: str | pathlib.Path,
    damaged: str | pathlib.Path,
    share: float,
    seed: int,
    faults: Iterable[Fault] = FAULTS,
) -> list[Planted]:
    """Copies a file of records, `share` of them with each of the faults.

    Faults of boxes fall on a first box whose first keypoint is there. No record has two faults.

    Returns:
        The records with faults, in the order of the file.
    """
    records = list(contents(clean))
    numbers = list(range(len(records)))
    random.Random(seed).shuffle(numbers)
    with_box = {number for number in numbers if _has_a_whole_box(records[number])}
    able = list(numbers)
    each = max(round(share * len(records)), 1)
    plan: dict[int, Fault] = {}
    damaged_bytes: set[int] = set()
    # Damaged bytes of neighbours could be one damage or two; who can tell.
    # What is particular chooses first, so do damaged bytes.
    for fault in sorted(faults, key=lambda one: (one.rank is None, one.damage is None)):
        if fault.rank:
            ranks = {number: fault.rank(Record(records[number])) for number in with_box}
            able.sort(key=lambda number, ranks=ranks: ranks.get(number, 0.0))
        else:
            # Those without a box first: there is no other use for them.
            able = sorted(
                (number for number in numbers if number not in plan), key=with_box.__contains__
            )
        for _ in range(each):
            fitting = (
                number
                for number in able
                if (not fault.of_boxes or number in with_box)
                and (not fault.damage or not {number - 1, number + 1} & damaged_bytes)
            )
            number = next(fitting, None)
            if number is None:
                raise ValueError(f"{clean}: too few records for {each} with each fault")
            able.remove(number)
            plan[number] = fault
            if fault.damage:
                damaged_bytes.add(number)
    planted = []
    with open(damaged, "wb") as file:
        for number, content in enumerate(records):
            fault = plan.get(number)
            framed = framing.framed(content)
            if fault is not None:
                record = Record(content)
                name = (record["image/source_id"] or record["image/filename"])[0].decode()
                if fault.change:
                    fault.change(record)
                    framed = framing.framed(record.serialised())
                if fault.damage:
                    framed = fault.damage(bytearray(framed))
                planted.append(Planted(number + 1, name, fault))
            file.write(framed)
    return planted


def _has_a_whole_box(content: bytes) -> bool:
    """Whether there is a box, and the first one's first keypoint."""
    record = Record(content)
    labelled = record[f"{KEYPOINT}visibility"]
    return (
        len(record[f"{CORNERS}ymin"]) > 0
        and record[f"{KEYPOINT}y"][:1] == record[f"{KEYPOINT}y"][:1]  # NaN differs from itself
        and (not labelled or labelled[0] > 0)
    )


def picture(rng: np.random.Generator) -> bytes:
    """A JPEG file of 40 x 30 pixels."""
    stream = io.BytesIO()
    pixels = rng.integers(0, 255, [6, 8, 3], dtype=np.uint8)
    Image.fromarray(pixels).resize([40, 30]).save(stream, "JPEG")
    return stream.getvalue()


def write_clean(path: str | pathlib.Path, count: int, boxes: int = 2, keypoints: int = 5) -> None:
    """Records of small pictures, each with `boxes` boxes of class "face" and their keypoints."""
    rng = np.random.default_rng(count)
    with open(path, "wb") as file:
        for number in range(count):
            top_left = rng.uniform(0.05, 0.4, [boxes, 2])
            bottom_right = rng.uniform(0.5, 0.95, [boxes, 2])
            points = rng.uniform(0.4, 0.5, [boxes * keypoints, 2])
            features = {
                "image/encoded": [picture(rng)],
                "image/format": [b"jpeg"],
                "image/height": np.array([30]),
                "image/width": np.array([40]),
                "image/source_id": [b"picture %d" % number],
                "image/object/class/label": np.ones(boxes, np.int64),
                "image/object/class/text": [b"face"] * boxes,
                f"{CORNERS}ymin": top_left[:, 0],
                f"{CORNERS}xmin": top_left[:, 1],
                f"{CORNERS}ymax": bottom_right[:, 0],
                f"{CORNERS}xmax": bottom_right[:, 1],
                f"{KEYPOINT}y": points[:, 0],
                f"{KEYPOINT}x": points[:, 1],
                f"{KEYPOINT}visibility": np.full(boxes * keypoints, 2),
            }
            file.write(framing.framed(example_encoding.example(features)))
