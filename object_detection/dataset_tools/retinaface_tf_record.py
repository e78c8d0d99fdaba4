"""RetinaFace labels and pictures -> TFRecord, label map, and a report of all that was left out.

`scripts/txt_to_tfr_retface_v2.py` is the command. What becomes of each picture:

* it does not open, is cut off or does not decode, or one of its lines cannot be read: left out as a
  whole (a face without its label would be taught as background);
* x2 and y2 are cut at the picture's right and bottom edge;
* a box that then has no area, or is narrower than `thres` x the picture's width: see SMALL_FACES;
* no faces: written without boxes.

Processes read labels and pictures, check them and make records. This process alone writes, in the
label file's order, so the record does not depend on their number. TensorFlow is not needed.
"""

import argparse
import collections
import concurrent.futures
import contextlib
import dataclasses
import itertools
import multiprocessing
import os
import sys
from collections.abc import Generator, Iterator, Sequence
from typing import Any, NamedTuple

from object_detection.dataset_tools import (
    example_encoding,
    picture_files,
    record_writer,
    retinaface_labels,
    tf_record_creation_util,
    worker_processes,
)
from object_detection.errors import DataError
from object_detection.utils import files, flag_checks, untrusted

CLASS_NAME, CLASS_ID = "face", 1
SMALL_FACES = {
    "skip_image": "a box without area or narrower than thres leaves the whole picture out",
    "drop": "such a box is left out, the rest of the picture is written",
    "keep": "only a box without area is left out, however small the others are",
}
_CHUNK = 16
_MOST_THRES = 0.99
_MOST_SHARDS = 1000  # files that are open at once
_MOST_WORKERS = 256
_LABEL_MAP = f"item {{\n  id: {CLASS_ID}\n  name: '{CLASS_NAME}'\n}}\n"


@dataclasses.dataclass(frozen=True)
class Settings:
    """What the flags say."""

    itxt: str
    idir: str
    opath: str
    thres: float = 0.026
    small_faces: str = "skip_image"
    num_shards: int = 1
    num_workers: int = 0
    """Processes that read pictures; 0 takes one per processor."""
    progress: bool = True

    @property
    def report_path(self) -> str:
        """Where the report goes."""
        return f"{self.opath}.report.json"

    @property
    def label_map_path(self) -> str:
        """Where the label map goes."""
        return f"{os.path.splitext(self.opath)[0]}_label_map.pbtxt"


class Report:
    """Counts, and every picture and face left out with line and reason."""

    def __init__(self) -> None:
        self.pictures_seen = self.pictures_written = 0
        self.faces_seen = self.faces_written = 0
        self.faces_left_out_with_picture = 0
        self.pictures_left_out: list[dict[str, Any]] = []
        self.faces_left_out: list[dict[str, Any]] = []
        self.notes: list[dict[str, Any]] = []

    def leave_picture_out(
        self, picture: retinaface_labels.LabelledPicture, reason: str, detail: str
    ) -> None:
        """Counts and names a picture that is not written, with all its faces."""
        self.faces_left_out_with_picture += picture.num_lines
        self.pictures_left_out.append(
            {
                "picture": picture.path,
                "line": picture.line,
                "reason": reason,
                "detail": detail,
                "faces": picture.num_lines,
            }
        )

    def leave_face_out(
        self, picture: retinaface_labels.LabelledPicture, line: int, reason: str, detail: str
    ) -> None:
        """Counts and names a face of a picture that is written."""
        self.faces_left_out.append(
            {"picture": picture.path, "line": line, "reason": reason, "detail": detail}
        )

    def note(self, line: int, what: str, picture: str = "") -> None:
        """Names something that costs no picture and no face."""
        self.notes.append({"picture": picture, "line": line, "note": what})

    def add(self, other: "Report") -> None:
        """Takes over what another one says."""
        for name, value in vars(other).items():
            setattr(self, name, getattr(self, name) + value)

    def as_dict(self) -> dict[str, Any]:
        """The part of the JSON report that is about the data."""
        reasons = {
            "pictures": collections.Counter(entry["reason"] for entry in self.pictures_left_out),
            "faces": collections.Counter(entry["reason"] for entry in self.faces_left_out),
        }
        return {
            "pictures": {
                "seen": self.pictures_seen,
                "written": self.pictures_written,
                "left_out": len(self.pictures_left_out),
            },
            "faces": {
                "seen": self.faces_seen,
                "written": self.faces_written,
                "left_out": len(self.faces_left_out) + self.faces_left_out_with_picture,
                "left_out_with_their_picture": self.faces_left_out_with_picture,
            },
            "reasons": reasons,
            "pictures_left_out": self.pictures_left_out,
            "faces_left_out": self.faces_left_out,
            "notes": self.notes,
        }


def cut_box(
    face: retinaface_labels.Face, height: int, width: int
) -> tuple[float, float, float, float]:
    """(xmin, ymin, xmax, ymax) in pixels, cut at the right and bottom edge as the format's tool."""
    return face.xmin, face.ymin, min(face.xmax, width), min(face.ymax, height)


def objection(
    face: retinaface_labels.Face, height: int, width: int, thres: float
) -> tuple[str, str] | None:
    """Reason and detail why a box is unfit (`no_area`, `too_narrow`), or None."""
    xmin, ymin, xmax, ymax = cut_box(face, height, width)
    if xmax <= xmin or ymax <= ymin:
        return "no_area", f"{xmax - xmin:g} x {ymax - ymin:g} inside a {width} x {height} picture"
    if (xmax - xmin) / width < thres:
        return "too_narrow", f"{(xmax - xmin) / width:.4f} of the width, at least {thres:g} wanted"
    return None


def select_faces(
    picture: retinaface_labels.LabelledPicture,
    height: int,
    width: int,
    settings: Settings,
    report: Report,
) -> list[retinaface_labels.Face] | None:
    """The faces to write, or None if the picture is left out; what goes is in the report."""
    faces = []
    for face in picture.faces:
        unfit = objection(face, height, width, settings.thres)
        if unfit is None or (settings.small_faces == "keep" and unfit[0] == "too_narrow"):
            faces.append(face)
        elif settings.small_faces == "skip_image":
            report.leave_picture_out(picture, unfit[0], f"line {face.line}: {unfit[1]}")
            return None
        else:
            report.leave_face_out(picture, face.line, *unfit)
    return faces


def make_example(
    stored: picture_files.Picture, path: str, faces: Sequence[retinaface_labels.Face]
) -> bytes:
    """One picture and its faces as the OD API lays them out, a serialised `tf.train.Example`.

    Args:
        stored: the encoded picture.
        path: under which it was opened.
        faces: in pixels; everything but the bytes is normalised by the picture's size.
    """
    of_bytes, of_floats = example_encoding.bytes_feature, example_encoding.float_feature
    of_integers = example_encoding.int64_feature
    height, width = stored.height, stored.width
    boxes = [cut_box(face, height, width) for face in faces]
    points = [point for face in faces for point in face.points]
    zeros = of_integers([0] * len(faces))
    feature = {
        "image/height": of_integers([height]),
        "image/width": of_integers([width]),
        "image/filename": of_bytes([os.fsencode(os.path.basename(path))]),
        "image/source_id": of_bytes([os.fsencode(path)]),
        "image/key/sha256": of_bytes([stored.sha256.encode()]),
        "image/encoded": of_bytes([stored.encoded]),
        "image/format": of_bytes([stored.format.encode()]),
        "image/object/bbox/xmin": of_floats([box[0] / width for box in boxes]),
        "image/object/bbox/xmax": of_floats([box[2] / width for box in boxes]),
        "image/object/bbox/ymin": of_floats([box[1] / height for box in boxes]),
        "image/object/bbox/ymax": of_floats([box[3] / height for box in boxes]),
        "image/object/class/text": of_bytes([CLASS_NAME.encode()] * len(faces)),
        "image/object/class/label": of_integers([CLASS_ID] * len(faces)),
        "image/object/difficult": zeros,
        "image/object/truncated": zeros,
        "image/object/view": of_bytes([b""] * len(faces)),
        "image/object/keypoint/x": of_floats([x / width for x, _, _ in points]),
        "image/object/keypoint/y": of_floats([y / height for _, y, _ in points]),
        "image/object/keypoint/visibility": of_integers([seen for _, _, seen in points]),
    }
    return example_encoding.example(feature)


class _Lines(NamedTuple):
    """Lines of the label file that hold some pictures."""

    lines: list[str]
    first: int  # number of the first one


class _Converted(NamedTuple):
    """What became of some pictures."""

    records: list[bytes]  # framed, as the file holds them
    report: Report


def _convert_some(labels: _Lines, settings: Settings) -> _Converted:
    """Reads, checks and encodes pictures; runs in a process of its own."""
    records, report = [], Report()
    with picture_files.pillow_silent():
        for picture in retinaface_labels.parse_labels(labels.lines, first_line=labels.first):
            path = os.path.join(settings.idir, picture.path)
            stored = picture_files.read_picture_below(settings.idir, picture.path)
            faces = _faces_to_write(picture, stored, settings, report)
            if faces is None or isinstance(stored, picture_files.Unreadable):
                continue
            records.append(record_writer.framed(make_example(stored, path, faces)))
            report.pictures_written += 1
            report.faces_written += len(faces)
    return _Converted(records, report)


def _usable_processors() -> int:
    # Fewer than the machine has where a process is confined; not every system tells.
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@contextlib.contextmanager
def _processes(count: int) -> Iterator[concurrent.futures.Executor]:
    """Processes that are there already, so that no thread of this one can be in their way."""
    # A fork is there at once, but would copy the locks of TensorFlow's threads.
    forks = "tensorflow" not in sys.modules and sys.platform == "linux"
    context = multiprocessing.get_context("fork" if forks else "spawn")
    with concurrent.futures.ProcessPoolExecutor(count, mp_context=context) as workers:
        # An executor starts its processes when there is work for them.
        with worker_processes.deaf_to_ctrl_c():
            for started in [workers.submit(int) for _ in range(count)]:
                started.result()
        yield workers


def _in_order(
    chunks: Sequence[_Lines], settings: Settings, workers: concurrent.futures.Executor
) -> Generator[_Converted, None, None]:
    """What becomes of the chunks, in order; at most a few are read ahead."""
    pending: collections.deque[concurrent.futures.Future[_Converted]] = collections.deque()
    most = 3 * (settings.num_workers or _usable_processors())
    try:
        for chunk in chunks:
            pending.append(workers.submit(_convert_some, chunk, settings))
            if len(pending) > most:
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()
    except concurrent.futures.BrokenExecutor as error:
        raise DataError(
            "A process that reads pictures was killed, probably for want of memory. Use fewer "
            "with --num_workers."
        ) from error
    finally:
        for future in pending:
            future.cancel()


@contextlib.contextmanager
def _converted(chunks: Sequence[_Lines], settings: Settings) -> Iterator[Iterator[_Converted]]:
    """What becomes of the chunks, in order; by processes, where there is work for several."""
    num_workers = min(settings.num_workers or _usable_processors(), len(chunks))
    if num_workers <= 1:
        yield (_convert_some(chunk, settings) for chunk in chunks)
        return
    with (
        _processes(num_workers) as workers,
        contextlib.closing(_in_order(chunks, settings, workers)) as converted,
    ):
        yield converted


def _output_names(opath: str, num_shards: int) -> list[str]:
    if num_shards == 1:
        return [opath]
    return tf_record_creation_util.shard_names(opath, num_shards)


def _check(settings: Settings) -> None:
    flag_checks.input_file("itxt", settings.itxt)
    flag_checks.input_folder("idir", settings.idir)
    flag_checks.output_file("opath", settings.opath)
    flag_checks.number("thres", settings.thres, 0, _MOST_THRES)
    flag_checks.chosen("small_faces", settings.small_faces, list(SMALL_FACES))
    flag_checks.number("num_shards", settings.num_shards, 1, _MOST_SHARDS)
    flag_checks.number("num_workers", settings.num_workers, 0, _MOST_WORKERS)


def _read_labels(settings: Settings, report: Report) -> tuple[list[_Lines], int]:
    """The label file, some pictures at a time, and the number of its pictures."""
    lines = retinaface_labels.read_lines(settings.itxt)
    begins = [number for number, line in enumerate(lines) if line.lstrip().startswith("#")]
    stray: list[retinaface_labels.BadLine] = []
    before = lines[: begins[0]] if begins else lines
    # No picture begins there: nothing comes of it but what is stray.
    list(retinaface_labels.parse_labels(before, stray))
    for line in stray:
        report.note(line.line, f"ignored: {line.why}")
    if not begins:
        raise DataError(
            f"--itxt={settings.itxt} names no picture. In the RetinaFace format each picture "
            "starts with a line '# path/of/picture.jpg'."
        )
    edges = [*begins[::_CHUNK], len(lines)]
    chunks = [_Lines(lines[begin:end], begin + 1) for begin, end in itertools.pairwise(edges)]
    return chunks, len(begins)


def _faces_to_write(
    picture: retinaface_labels.LabelledPicture,
    stored: picture_files.Picture | picture_files.Unreadable,
    settings: Settings,
    report: Report,
) -> list[retinaface_labels.Face] | None:
    report.pictures_seen += 1
    report.faces_seen += picture.num_lines
    if isinstance(stored, picture_files.Unreadable):
        # A path is wrong in the label file, the others in the picture.
        is_label = stored.reason == "path_outside"
        reason = stored.reason if is_label else f"picture_{stored.reason}"
        report.leave_picture_out(picture, reason, stored.detail)
        return None
    if picture.bad_lines:
        detail = "; ".join(f"line {bad.line}: {bad.why}" for bad in picture.bad_lines)
        report.leave_picture_out(picture, "bad_label_line", detail)
        return None
    if picture.placeholder_line:
        report.note(picture.placeholder_line, "a row of zeros: no face", picture.path)
    faces = select_faces(picture, stored.height, stored.width, settings, report)
    if faces is not None and stored.note:
        report.note(picture.line, stored.note, picture.path)
    return faces


def convert(settings: Settings) -> dict[str, Any]:
    """Writes record, label map and report; returns the report.

    Raises:
        DataError: the label file names no picture, or all of them are left out; then only the
            report is written.
        ConfigError: a setting is out of its range.
    """
    _check(settings)
    report = Report()
    chunks, num_pictures = _read_labels(settings, report)
    os.makedirs(os.path.dirname(os.path.abspath(settings.opath)), exist_ok=True)
    from tqdm import tqdm

    with (
        tf_record_creation_util.records_appearing_whole(
            settings.opath,
            settings.num_shards if settings.num_shards > 1 else None,
            record_writer.RecordWriter,
        ) as writers,
        _converted(chunks, settings) as converted,
        tqdm(
            total=num_pictures, unit="picture", disable=None if settings.progress else True
        ) as bar,
    ):
        for records, of_some in converted:
            for number, record in enumerate(records, start=report.pictures_written):
                writers[number % len(writers)].write_framed(record)
            report.add(of_some)
            bar.update(of_some.pictures_seen)
        content = {
            "settings": {
                field.name: getattr(settings, field.name) for field in dataclasses.fields(settings)
            },
            "records": _output_names(settings.opath, settings.num_shards),
            "label_map": settings.label_map_path,
            **report.as_dict(),
        }
        files.write_json(settings.report_path, content)
        if not report.pictures_written:
            # In here, so that no record appears, and one that was there stays.
            raise DataError(_why_empty(content, settings.report_path))
    files.write_text(settings.label_map_path, _LABEL_MAP)
    return content


def _why_empty(content: dict[str, Any], report_path: str) -> str:
    first = content["pictures_left_out"][0]
    reasons = collections.Counter(content["reasons"]["pictures"]).most_common()
    why = (
        f"All {content['pictures']['seen']} pictures are left out ("
        f"{', '.join(f'{count} {reason}' for reason, count in reasons)}), so that no record is "
        f"written; {report_path} has all of them. The first, "
        f"{untrusted.shortened(first['picture'])}: {first['reason']} ({first['detail']})."
    )
    if set(content["reasons"]["pictures"]) == {"picture_missing"}:
        why += f" Is --idir={content['settings']['idir']} the folder that its path starts from?"
    return why


def summarise(content: dict[str, Any], report_path: str) -> str:
    """The counts of a report in a few lines."""
    lines = []
    for kind in ("pictures", "faces"):
        count = content[kind]
        lines.append(
            f"{kind + ':':10}{count['seen']:>8} seen = {count['written']} written "
            f"+ {count['left_out']} left out"
        )
        reasons = content["reasons"][kind]
        lines += [f"{'':12}{number:>6}  {reason}" for reason, number in sorted(reasons.items())]
        if kind == "faces" and count["left_out_with_their_picture"]:
            lines.append(f"{'':12}{count['left_out_with_their_picture']:>6}  with their picture")
    records = content["records"]
    lines.append(f"record:   {records[0]}" + (f" ... {records[-1]}" if len(records) > 1 else ""))
    lines.append(f"classes:  {content['label_map']}")
    lines.append(f"report:   {report_path}")
    return "\n".join(lines)


def parse_flags(arguments: Sequence[str]) -> Settings:
    """The command line as settings; argparse ends the program on a wrong one."""
    parser = argparse.ArgumentParser(
        prog="txt_to_tfr_retface_v2",
        description="RetinaFace labels and pictures -> TFRecord with five face keypoints.",
        allow_abbrev=False,
    )
    parser.add_argument("--itxt", required=True, help="label file, RetinaFace format (or .gz)")
    parser.add_argument("--idir", required=True, help="folder the label file's paths start from")
    parser.add_argument("--opath", required=True, help="record to write")
    parser.add_argument(
        "--thres",
        type=float,
        default=Settings.thres,
        help="least width of a face as a share of the picture's width (%(default)s)",
    )
    parser.add_argument(
        "--small_faces",
        choices=list(SMALL_FACES),
        default=Settings.small_faces,
        help="; ".join(f"{name}: {what}" for name, what in SMALL_FACES.items()) + " (%(default)s)",
    )
    parser.add_argument(
        "--num_shards", type=int, default=1, help="files to spread the record over (%(default)s)"
    )
    parser.add_argument(
        "--num_workers",
        type=int,
        default=0,
        help="processes that read pictures; 0 is one per processor (%(default)s)",
    )
    return Settings(**vars(parser.parse_args(arguments)))


def run(arguments: Sequence[str]) -> str:
    """Converts as the command line says; returns the summary to print."""
    settings = parse_flags(arguments)
    return summarise(convert(settings), settings.report_path)
