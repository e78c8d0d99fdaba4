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

import dataclasses
import functools
import itertools
import os
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from object_detection.dataset_tools import (
    example_encoding,
    picture_files,
    record_writer,
    retinaface_labels,
    tf_record_creation_util,
    worker_processes,
)
from object_detection.dataset_tools.retinaface_report import Report
from object_detection.errors import DataError
from object_detection.utils import files, flag_checks, untrusted
from object_detection.utils.processors import usable_processors

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


def cut_boxes(corners: np.ndarray, height: int, width: int) -> np.ndarray:
    """Boxes [N, 4] in pixels (xmin, ymin, xmax, ymax), as the format's tool cuts them.

    That is at the right and bottom edge.
    """
    cut = corners.copy()
    np.minimum(cut[:, 2:], (width, height), out=cut[:, 2:])
    return cut


def select_faces(
    picture: retinaface_labels.LabelledPicture,
    height: int,
    width: int,
    settings: Settings,
    report: Report,
) -> retinaface_labels.Faces | None:
    """The faces to write, or None if the picture is left out; what goes is in the report.

    A face is unfit because its box has `no_area` inside the picture, or is `too_narrow`.
    """
    faces = picture.faces
    xmin, ymin, xmax, ymax = cut_boxes(faces.corners, height, width).T
    no_area = (xmax <= xmin) | (ymax <= ymin)
    unfit = no_area
    if settings.small_faces != "keep":
        unfit = unfit | ((xmax - xmin) / width < settings.thres)
    if not unfit.any():
        return faces
    least = f"{settings.thres:g}"
    wide, high = (xmax - xmin)[unfit].tolist(), (ymax - ymin)[unfit].tolist()
    why = [
        (line, "no_area", f"{w:g} x {h:g} inside a {width} x {height} picture")
        if empty
        else (line, "too_narrow", f"{w / width:.4f} of the width, at least {least} wanted")
        for line, empty, w, h in zip(
            faces.lines[unfit].tolist(), no_area[unfit].tolist(), wide, high, strict=True
        )
    ]
    if settings.small_faces == "skip_image":
        line, reason, detail = why[0]
        report.leave_picture_out(picture, reason, f"line {line}: {detail}")
        return None
    report.leave_faces_out(picture, why)
    return faces.chosen(~unfit)


def make_example(stored: picture_files.Picture, path: str, faces: retinaface_labels.Faces) -> bytes:
    """One picture and its faces as the OD API lays them out, a serialised `tf.train.Example`.

    Args:
        stored: the encoded picture.
        path: under which it was opened.
        faces: in pixels; everything but the bytes is normalised by the picture's size.
    """
    height, width, count = stored.height, stored.width, len(faces)
    xmin, ymin, xmax, ymax = cut_boxes(faces.corners, height, width).T
    zeros = np.zeros(count, int)
    return example_encoding.example(
        {
            "image/height": np.array([height]),
            "image/width": np.array([width]),
            "image/filename": [os.fsencode(os.path.basename(path))],
            "image/source_id": [os.fsencode(path)],
            "image/key/sha256": [stored.sha256.encode()],
            "image/encoded": [stored.encoded],
            "image/format": [stored.format.encode()],
            "image/object/bbox/xmin": xmin / width,
            "image/object/bbox/xmax": xmax / width,
            "image/object/bbox/ymin": ymin / height,
            "image/object/bbox/ymax": ymax / height,
            "image/object/class/text": [CLASS_NAME.encode()] * count,
            "image/object/class/label": np.full(count, CLASS_ID),
            "image/object/difficult": zeros,
            "image/object/truncated": zeros,
            "image/object/view": [b""] * count,
            "image/object/keypoint/x": faces.points[..., 0].ravel() / width,
            "image/object/keypoint/y": faces.points[..., 1].ravel() / height,
            "image/object/keypoint/visibility": faces.visibility.ravel(),
        }
    )


class _Lines(NamedTuple):
    """Lines of the label file that hold some pictures."""

    lines: list[str]
    first: int  # number of the first one


class _Converted(NamedTuple):
    """What became of some pictures."""

    part: str  # file of their records
    sizes: list[int]  # bytes of each record
    report: Report


def _convert_some(settings: Settings, task: tuple[_Lines, str]) -> _Converted:
    """Reads, checks and encodes pictures, and writes a file of records; in a process of its own."""
    labels, part = task
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
    return _Converted(part, record_writer.write_part(part, records), report.compact())


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
    begins = [
        number for number, line in enumerate(lines) if "#" in line and line.lstrip()[0] == "#"
    ]
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
) -> retinaface_labels.Faces | None:
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


def _convert(settings: Settings) -> Report:
    """Writes record, label map and report; see `convert`."""
    _check(settings)
    report = Report()
    chunks, num_pictures = _read_labels(settings, report)
    from tqdm import tqdm

    num_workers = settings.num_workers or usable_processors()
    num_parts = worker_processes.AHEAD * num_workers + 1
    with (
        files.work_folder(settings.opath) as folder,
        tf_record_creation_util.records_appearing_whole(
            settings.opath,
            settings.num_shards if settings.num_shards > 1 else None,
            record_writer.RecordWriter,
        ) as writers,
        worker_processes.results_in_order(
            functools.partial(_convert_some, settings),
            [
                (chunk, os.path.join(folder, str(number % num_parts)))
                for number, chunk in enumerate(chunks)
            ],
            num_workers,
        ) as converted,
        tqdm(
            total=num_pictures, unit="picture", disable=None if settings.progress else True
        ) as bar,
    ):
        for some in converted:
            records = record_writer.read_part(some.part, some.sizes)
            for number, record in enumerate(records, start=report.pictures_written):
                writers[number % len(writers)].write_framed(record)
            report.add(some.report)
            bar.update(some.report.pictures_seen)
        report.write(settings.report_path, _head(settings))
        if not report.pictures_written:
            # In here, so that no record appears, and one that was there stays.
            raise DataError(_why_empty(report, settings))
    files.write_text(settings.label_map_path, _LABEL_MAP)
    return report


def convert(settings: Settings) -> dict[str, Any]:
    """Writes record, label map and report; returns the report.

    Raises:
        DataError: the label file names no picture, or all of them are left out; then only the
            report is written.
        ConfigError: a setting is out of its range.
    """
    return {**_head(settings), **_convert(settings).as_dict()}


def _head(settings: Settings) -> dict[str, Any]:
    """What the report says besides counts and lists."""
    return {
        "settings": {
            field.name: getattr(settings, field.name) for field in dataclasses.fields(settings)
        },
        "records": _output_names(settings.opath, settings.num_shards),
        "label_map": settings.label_map_path,
    }


def _why_empty(report: Report, settings: Settings) -> str:
    first = report.as_dict()["pictures_left_out"][0]
    reasons = report.reasons["pictures"]
    why = (
        f"All {report.pictures_seen} pictures are left out ("
        f"{', '.join(f'{count} {reason}' for reason, count in reasons.most_common())}), so that "
        f"no record is written; {settings.report_path} has all of them. The first, "
        f"{untrusted.shortened(first['picture'])}: {first['reason']} ({first['detail']})."
    )
    if set(reasons) == {"picture_missing"}:
        why += f" Is --idir={settings.idir} the folder that its path starts from?"
    return why


def _summary(report: Report, settings: Settings) -> str:
    """The counts of a report in a few lines."""
    lines = []
    counts = report.counts()
    for kind, reasons in report.reasons.items():
        count = counts[kind]
        lines.append(
            f"{kind + ':':10}{count['seen']:>8} seen = {count['written']} written "
            f"+ {count['left_out']} left out"
        )
        lines += [f"{'':12}{number:>6}  {reason}" for reason, number in sorted(reasons.items())]
        if kind == "faces" and count["left_out_with_their_picture"]:
            lines.append(f"{'':12}{count['left_out_with_their_picture']:>6}  with their picture")
    records = _output_names(settings.opath, settings.num_shards)
    lines.append(f"record:   {records[0]}" + (f" ... {records[-1]}" if len(records) > 1 else ""))
    lines.append(f"classes:  {settings.label_map_path}")
    lines.append(f"report:   {settings.report_path}")
    return "\n".join(lines)


def parse_flags(arguments: Sequence[str]) -> Settings:
    """The command line as settings; argparse ends the program on a wrong one."""
    parser = flag_checks.Parser(
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
    return _summary(_convert(settings), settings)
