"""The readers of strangers' data, each with good inputs and with what is to come of any input."""

import io
import json
import math
import pathlib
import random
import re
from typing import Any

import engine
import mutation
import numpy as np
from PIL import Image

from object_detection.dataset_tools import example_encoding, retinaface_tf_record
from object_detection.errors import DataError
from object_detection.inference import wider_face
from object_detection.keypoints import schema
from object_detection.protos import example_pb2, pipeline_pb2
from object_detection.utils import config_check, config_util, export_manifest, label_map_util
from object_detection.utils.records import framing, scan
from object_detection.utils.records.rules import Rules

REPO = pathlib.Path(__file__).resolve().parents[2]
ACCEPTED = engine.ACCEPTED
_K = 5


def _picture(kind: str, seed: int, size: tuple[int, int] = (40, 30), **options: Any) -> bytes:
    pixels = np.random.default_rng(seed).integers(0, 255, (size[1], size[0], 3), np.uint8)
    stored = io.BytesIO()
    Image.fromarray(pixels).save(stored, kind, **options)
    return stored.getvalue()


_LABELS = """# a.jpg
5 4 10 12 7.5 8 0 11 8.1 0 9 10 1 7.5 13 0 -1 -1 -1 0.8
20 10 15 18
# b.png
0 0 0 0
# deep/er/c d.jpg
1 2 8.5 9
3 4 20 20 4 5 0.0 6 7 1.0 8 9 -1 10 11 0 12 13 0 0.5
"""


class Labels:
    """RetinaFace labels through the whole converter; what it writes, the scanner has to like."""

    name = "labels"
    _most = 1 << 13  # each picture takes a millisecond, converted and scanned
    _rules = Rules(num_keypoints=_K, num_classes=1)
    _mutators = (
        *mutation.OF_BYTES,
        *mutation.OF_TEXT,
        *mutation.OF_TEXT,
        mutation.set_word(
            [b"#", b"# a.jpg\n", b"# ../a.jpg\n", b"# /etc/passwd\n", b"\xff", b"\n"]
        ),
    )

    def __init__(self, folder: pathlib.Path) -> None:
        images = folder / "images" / "deep" / "er"
        images.mkdir(parents=True)
        for place, kind in (("a.jpg", "JPEG"), ("b.png", "PNG"), ("deep/er/c d.jpg", "JPEG")):
            (folder / "images" / place).write_bytes(_picture(kind, 0))
        (folder / "a.jpg").write_bytes(_picture("JPEG", 1))
        self._folder = folder
        self._path = folder / "label.txt"
        self._record = folder / "out" / "a.record"

    @property
    def place(self) -> str:
        # Either the label file, or the report beside the record that names pictures and lines.
        return str(self._folder)

    def corpus(self) -> list[bytes]:
        return [_LABELS.encode(), _LABELS.replace("\n", "\r\n").encode(), b"# a.jpg\n"]

    def damage(self, rng: random.Random) -> bytes:
        return mutation.damaged(self.corpus(), self._mutators, rng, self._most)

    def check(self, data: bytes) -> str:
        self._path.write_bytes(data)
        report_path = pathlib.Path(f"{self._record}.report.json")
        self._record.unlink(missing_ok=True)
        report_path.unlink(missing_ok=True)
        settings = retinaface_tf_record.Settings(
            str(self._path),
            str(self._folder / "images"),
            str(self._record),
            thres=0.0,
            small_faces="drop",
            num_workers=1,
            progress=False,
        )
        refused: DataError | None = None
        try:
            retinaface_tf_record.convert(settings)
        except DataError as error:
            refused = error
        if self._record.exists() == (refused is not None):
            raise engine.Broken("a record was written of what was refused, or none of what was not")
        self._check_report(report_path, data)
        if refused is not None:
            raise refused
        content = json.loads(report_path.read_bytes())
        (found,) = scan.scan_files([str(self._record)], self._rules, 0)
        bad = [one for one in found.findings if one.action != "noted"]
        if bad:
            # Boxes may begin left of a picture or above it, as genuine labels do.
            bad = [one for one in bad if one.reason not in ("box_cut", "box_outside")]
        if bad:
            raise engine.Broken(f"the converter wrote what the scanner finds bad: {bad[0]}")
        if found.num_records != content["pictures"]["written"]:
            raise engine.Broken("the report counts other pictures than the record has")
        return ACCEPTED if not content["pictures_left_out"] else "left out: some pictures"

    def _check_report(self, path: pathlib.Path, data: bytes) -> None:
        if not path.exists():
            return  # refused as a whole
        content = json.loads(path.read_bytes())
        lines = max(len(data.splitlines()), 1)
        lines = max(lines, len(re.split(rb"\r\n|\r|\n", data)))
        for entry in content["pictures_left_out"] + content["faces_left_out"]:
            if not (entry["reason"] and entry["detail"] and 1 <= entry["line"] <= lines):
                raise engine.Broken(f"left out without a reason and a place: {entry}")
            if entry["picture"] and entry["reason"] != "path_outside":
                inside = (self._folder / "images" / entry["picture"]).resolve()
                if not inside.is_relative_to(self._folder / "images"):
                    raise engine.Broken(f"a path that leads out was followed: {entry}")
        for kind in ("pictures", "faces"):
            count = content[kind]
            if count["seen"] != count["written"] + count["left_out"]:
                raise engine.Broken(f"{kind} do not add up: {count}")

    def finish(self) -> list[str]:
        return []


def _names_of_fields(descriptor: Any, seen: set[str]) -> set[str]:
    if descriptor.full_name in seen:
        return set()
    seen.add(descriptor.full_name)
    names = set()
    for field in descriptor.fields:
        names.add(field.name)
        if field.message_type is not None:
            names |= _names_of_fields(field.message_type, seen)
        if field.enum_type is not None:
            names |= {value.name for value in field.enum_type.values}
    return names


class _TextFile:
    """Inputs of one file, made of good ones by a set of mutators."""

    _path: pathlib.Path
    _corpus: list[bytes]
    _mutators: tuple[Any, ...]

    @property
    def place(self) -> str:
        return str(self._path)

    def corpus(self) -> list[bytes]:
        return self._corpus

    def damage(self, rng: random.Random) -> bytes:
        return mutation.damaged(self._corpus, self._mutators, rng)


class Configs(_TextFile):
    """Pipeline configs through all that a training checks before TensorFlow starts."""

    name = "configs"

    def __init__(self, folder: pathlib.Path) -> None:
        self._path = folder / "x.config"
        self._corpus = [
            self._usable(path, folder)
            for path in sorted((REPO / "keypoint_examples").glob("*.config"))
        ]
        names = _names_of_fields(pipeline_pb2.TrainEvalPipelineConfig.DESCRIPTOR, set())
        words = [name.encode() for name in sorted(names)]
        syntax = [b"{", b"}", b"[", b"]", b":", b'"', b"'", b"#", b"<", b">", b",", b";", b"\\"]
        self._mutators = (
            *mutation.OF_BYTES,
            *mutation.OF_TEXT * 2,
            *(mutation.set_word([*words, *syntax]),) * 4,
            lambda data, rng: data + rng.choice(syntax) * rng.choice((1, 100, 100_000)),
        )

    def _usable(self, path: pathlib.Path, folder: pathlib.Path) -> bytes:
        """The example with files that are there."""
        text = path.read_text()
        (folder / "some.record").write_bytes(framing.framed(b""))
        (folder / "model.ckpt.index").write_bytes(b"")
        (folder / "model.ckpt.data-00000-of-00001").write_bytes(b"")
        (folder / "map.pbtxt").write_text("item { id: 1 name: 'face' }")
        text = re.sub(r'"[^"\n]*record[^"\n]*"', f'"{folder}/some.record"', text)
        text = re.sub(
            r'label_map_path: "(keypoint_examples/[^"]*)"', rf'label_map_path: "{REPO}/\1"', text
        )
        text = re.sub(
            r'label_map_path: "(?!/)[^"]*"', f'label_map_path: "{folder}/map.pbtxt"', text
        )
        return re.sub(
            r'fine_tune_checkpoint: "[^"]*"', f'fine_tune_checkpoint: "{folder}/model.ckpt"', text
        ).encode()

    def check(self, data: bytes) -> str:
        self._path.write_bytes(data)
        configs = config_util.get_configs_from_pipeline_file(str(self._path))
        config_check.check_pipeline(configs, str(self._path), for_training=True, for_eval=True)
        return ACCEPTED

    def finish(self) -> list[str]:
        return []


class LabelMaps(_TextFile):
    """Label maps through all that programs ask of them."""

    name = "label_maps"
    _text = b"""item {
  id: 1 name: 'face' display_name: "a face"
  keypoints { id: 0 label: "left_eye" } keypoints { id: 1 label: "right_eye" }
}
item { name: "person" id: 2 ancestor_ids: 1 }
"""
    _words = (
        b"item id name display_name keypoints label ancestor_ids descendant_ids frequency "
        b"instance_count LVIS background { } : ' \" # < >"
    ).split()

    def __init__(self, folder: pathlib.Path) -> None:
        self._path = folder / "map.pbtxt"
        path = folder / "good.pbtxt"
        path.write_bytes(self._text)
        stored: bytes = label_map_util.load_labelmap(str(path)).SerializeToString()
        self._corpus = [self._text, stored]
        self._mutators = (
            *mutation.OF_BYTES,
            *mutation.OF_TEXT,
            *(mutation.set_word(self._words),) * 3,
            lambda data, rng: data + rng.choice((b"item {", b"{", b"item <")) * 20_000,
        )

    def check(self, data: bytes) -> str:
        self._path.write_bytes(data)
        path = str(self._path)
        index = label_map_util.create_category_index_from_labelmap(path)
        for names in (
            label_map_util.get_label_map_dict(path),
            label_map_util.get_label_map_dict(path, True, fill_in_gaps_and_background=True),
        ):
            if not all(isinstance(number, int) for number in names.values()):
                raise engine.Broken(f"ids that are no integers: {names}")
        if not all(number == row["id"] for number, row in index.items()):
            raise engine.Broken(f"ids that are not those of their rows: {index}")
        return ACCEPTED

    def finish(self) -> list[str]:
        return []


_SCHEMA = {
    "source": "somewhere",
    "keypoints": [
        {"name": "left", "mirror": "right", "sigma": 0.025, "color": "#1f77b4"},
        {"name": "right"},
        {"name": "nose"},
    ],
    "limbs": [["left", "nose"], ["right", "nose"]],
}
_DETECTIONS = {
    "pictures": [
        {
            "picture": "val/0--Parade/a.jpg",
            "detections": [{"box": [1, 2.5, 3, 4], "score": 0.5}],
        },
        {"picture": "val/0--Parade/b.jpg", "error": "broken"},
    ]
}
_MANIFEST = {"format": 1, "files": {"a.pb": {"bytes": 3, "sha256": "0" * 64}}, "step": 7}


class JsonFiles:
    """Sets of keypoints, lists of detections and of the files of an export."""

    name = "json_files"
    _words = (b"null", b"true", b"[]", b"{}", b'"', b"[", b"{", b"NaN", b"-Infinity", b'"../x"')
    _mutators = (*mutation.OF_BYTES, *mutation.OF_TEXT, *(mutation.set_word(_words),) * 4)

    def __init__(self, folder: pathlib.Path) -> None:
        self._folder = folder
        self._checks: dict[str, tuple[Any, str, Any]] = {
            "s": (_SCHEMA, "set.json", schema.load),
            "d": (_DETECTIONS, "detections.json", wider_face.read_detections),
            "m": (_MANIFEST, "export.json", lambda _: export_manifest.read(str(folder))),
        }

    @property
    def place(self) -> str:
        return str(self._folder)

    def corpus(self) -> list[bytes]:
        return [
            kind.encode() + json.dumps(good, indent=1).encode()
            for kind, (good, _, _) in self._checks.items()
        ]

    def damage(self, rng: random.Random) -> bytes:
        good = rng.choice(self.corpus())
        return good[:1] + mutation.damaged([good[1:]], self._mutators, rng)

    def check(self, data: bytes) -> str:
        _, name, read = self._checks[data[:1].decode()]
        path = self._folder / name
        path.write_bytes(data[1:])
        read(str(path))
        return ACCEPTED

    def finish(self) -> list[str]:
        return []


def _example(encoded: bytes, kind: str, faces: int, without: str = "") -> bytes:
    """A record like the converter's; one of its features may be left out."""
    with Image.open(io.BytesIO(encoded)) as image:
        width, height = image.size
    drawn = np.random.default_rng(faces)
    low, high = drawn.uniform(0, 0.4, (2, faces)), drawn.uniform(0.5, 1, (2, faces))
    points = drawn.uniform(0, 1, (2, faces * _K))
    points[:, ::3] = np.nan
    features: dict[str, Any] = {
        "image/encoded": [encoded],
        "image/format": [kind.encode()],
        "image/source_id": [b"some picture"],
        "image/height": np.array([height]),
        "image/width": np.array([width]),
        "image/object/bbox/ymin": low[0],
        "image/object/bbox/xmin": low[1],
        "image/object/bbox/ymax": high[0],
        "image/object/bbox/xmax": high[1],
        "image/object/class/label": np.ones(faces, int),
        "image/object/difficult": np.zeros(faces, int),
        "image/object/keypoint/y": points[0],
        "image/object/keypoint/x": points[1],
        "image/object/keypoint/visibility": np.full(faces * _K, 2),
    }
    features.pop(without, None)
    return example_encoding.example(features)


_FLOATS = (math.nan, math.inf, -math.inf, 0.0, -0.0, 1.0, 0.5, -1e-4, 1.0005, 2.0, -3.0, 1e30)
_INTEGERS = (0, 1, 2, -1, 3, 2**31, 2**63 - 1, -(2**63))


def _with_other_features(content: bytes, rng: random.Random) -> bytes:
    """A record of which some features hold something else, or more, or less, or nothing."""
    message = example_pb2.Example.FromString(content)
    entries = message.features.feature
    for _ in range(rng.choice((1, 1, 2))):
        entry = rng.choice(entries)
        kind = entry.value.WhichOneof("kind")
        if kind is None or rng.random() < 0.1:
            entry.value.CopyFrom(rng.choice(entries).value)
            continue
        values = getattr(entry.value, kind).value
        change = rng.random()
        if kind == "bytes_list" and len(values) and change < 0.8:
            values[0] = mutation.damaged([values[0]], mutation.OF_BYTES, rng)
        elif change < 0.2:
            del values[rng.randrange(len(values) + 1) :]
        elif change < 0.4:
            values.extend(list(values)[: rng.choice((1, 2, 100))])
        elif change < 0.5:
            getattr(
                entry.value, rng.choice(("float_list", "int64_list", "bytes_list"))
            ).SetInParent()
        elif len(values):
            some: Any = {"float_list": _FLOATS, "int64_list": _INTEGERS, "bytes_list": (b"", b"x")}
            for _ in range(rng.choice((1, 1, 3))):
                values[rng.randrange(len(values))] = rng.choice(some[kind])
    return bytes(message.SerializeToString())


class Records:
    """TFRecord files through the scanner; what it lets pass, TensorFlow has to decode."""

    name = "records"
    _rules = Rules(num_keypoints=_K, num_classes=1)
    _most_kept = 20_000  # contents that TensorFlow is shown

    def __init__(self, folder: pathlib.Path) -> None:
        self._folder = folder
        self._path = folder / "a.record"
        pictures = [
            (_picture("JPEG", 0), "jpeg"),
            (_picture("JPEG", 1, progressive=True), "jpeg"),
            (_picture("JPEG", 2, (17, 9), subsampling=2), "jpeg"),
            (_picture("PNG", 3, (9, 7)), "png"),
            (_picture("GIF", 4, (9, 7)), "gif"),
            (_picture("BMP", 5, (9, 7)), "bmp"),
        ]
        self._contents = [
            _example(encoded, kind, number % 3) for number, (encoded, kind) in enumerate(pictures)
        ]
        self._contents.append(
            _example(pictures[0][0], "jpeg", 2, without="image/object/keypoint/visibility")
        )
        self._kept: dict[bytes, None] = {}

    @property
    def place(self) -> str:
        return str(self._path)

    def corpus(self) -> list[bytes]:
        framed = [framing.framed(content) for content in self._contents]
        return [b"".join(framed), b"".join(framed[:2]), framed[3], b"".join(framed[3:])]

    def damage(self, rng: random.Random) -> bytes:
        """In the file, in contents (checksums do not tell), or in what features hold."""
        if rng.random() < 0.4:
            return mutation.damaged(self.corpus(), mutation.OF_BYTES, rng)
        contents = rng.sample(self._contents, rng.choice((1, 2, 3)))
        at = rng.randrange(len(contents))
        if rng.random() < 0.3:
            contents[at] = mutation.damaged([contents[at]], mutation.OF_BYTES, rng)
        else:
            contents[at] = _with_other_features(contents[at], rng)
        return b"".join(map(framing.framed, contents))

    def check(self, data: bytes) -> str:
        self._path.write_bytes(data)
        (found,) = scan.scan_files([str(self._path)], self._rules, 0)
        for one in found.findings:
            placed = one.number >= 0 and 0 <= one.offset <= len(data)
            if not (one.reason and one.detail and placed and one.path == self.place):
                raise engine.Broken(f"a finding without reason and place: {one}")
        spans = found.good
        ends = spans.sum(axis=1)
        if (spans < 0).any() or (ends > len(data)).any() or (ends[:-1] > spans[1:, 0]).any():
            raise engine.Broken(f"records outside of the file or within each other: {spans}")
        if found.num_skipped and not any(one.action == "skipped" for one in found.findings):
            raise engine.Broken(f"{found.num_skipped} records are skipped and none is named")
        for begin, length in spans.tolist():
            content = data[begin : begin + length]
            if content not in self._contents and len(self._kept) < self._most_kept:
                self._kept[content] = None
        reasons = sorted({one.reason for one in found.findings})
        return " ".join(reasons) if reasons else ACCEPTED

    def finish(self) -> list[str]:
        """Decodes what the scanner let pass; it has to reach the end of a reader, boxes mended."""
        import decoding

        return decoding.problems(list(self._kept), self._folder, _K)
