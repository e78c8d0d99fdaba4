"""The program behind `scripts/detect.py`: pictures in, drawn pictures and JSON out."""

import argparse
import logging
import os
import pathlib
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import tqdm

from object_detection.errors import ConfigError, DataError
from object_detection.keypoints import schema as schemas
from object_detection.protos import pipeline_pb2
from object_detection.utils import (
    config_util,
    export_manifest,
    files,
    flag_checks,
    keypoint_config,
    label_map_util,
    startup,
    untrusted,
)
from object_detection.utils.pictures.reading import read_rgb
from object_detection.visualization import drawing, encoding

if TYPE_CHECKING:
    from object_detection.inference.detector import Found

logger = logging.getLogger(__name__)

# What a folder is searched for; a picture that is named itself may end as it likes.
_PICTURES, _DETECTIONS = "pictures", "detections.json"
_EXTENSIONS = {".jpg", ".jpeg", ".png", ".bmp", ".gif", ".webp", ".tif", ".tiff"}


def parse_flags(arguments: Sequence[str]) -> argparse.Namespace:
    """The command line of `scripts/detect.py`."""
    parser = flag_checks.Parser(
        prog="detect.py", description="Detects on pictures with an exported model."
    )
    parser.add_argument("--model", required=True, help="export directory or frozen graph")
    parser.add_argument("--output", required=True, help="folder for drawn pictures and JSON")
    parser.add_argument("--label_map", default="", help="label map, for the names of classes")
    parser.add_argument(
        "--keypoints",
        default="",
        help="keypoint set for names, lines and colours: a shipped name or a .json file (default: "
        "that of the pipeline.config beside the model)",
    )
    parser.add_argument(
        "--min_score", type=float, default=0.5, help="leave out detections below (default 0.5)"
    )
    parser.add_argument(
        "--min_keypoint_score",
        type=float,
        default=0.0,
        help="do not draw keypoints below, if the model scores them (default 0)",
    )
    parser.add_argument("--no_pictures", action="store_true", help="write only the JSON")
    parser.add_argument("pictures", nargs="+", help="pictures, or folders of pictures")
    return parser.parse_args(arguments)


def find_pictures(names: Sequence[str]) -> list[tuple[pathlib.Path, pathlib.Path]]:
    """Each picture with its path below the output folder.

    Raises:
        DataError: a name does not exist, or nothing is a picture.
    """
    found: dict[pathlib.Path, pathlib.Path] = {}
    for name in names:
        if not name:
            raise DataError("pictures: an empty name; give pictures, or folders of pictures.")
        path = pathlib.Path(name)
        if path.is_dir():
            inside = sorted(
                one
                for one in path.rglob("*")
                if one.is_file() and one.suffix.lower() in _EXTENSIONS
            )
            found.update({one: one.relative_to(path) for one in inside})
        elif path.is_file():
            found[path] = pathlib.Path(path.name)
        else:
            raise DataError(f"{path}: there is no such picture or folder.")
    if not found:
        raise DataError(f"{', '.join(names)}: no pictures ({', '.join(sorted(_EXTENSIONS))}).")
    return list(found.items())


def _entry(
    path: pathlib.Path,
    image: np.ndarray[Any, Any],
    found: "Found",
    category_index: drawing.CategoryIndex,
) -> dict[str, Any]:
    detections = []
    for row, (box, score, number) in enumerate(
        zip(found.boxes, found.scores, found.classes, strict=True)
    ):
        detection: dict[str, Any] = {
            "box": [round(float(value), 2) for value in box],
            "score": round(float(score), 5),
            "class": int(number),
        }
        if int(number) in category_index:
            detection["name"] = category_index[int(number)]["name"]
        if found.keypoints is not None:
            detection["keypoints"] = [
                [round(float(y), 2), round(float(x), 2)] for y, x in found.keypoints[row]
            ]
        if found.keypoint_scores is not None:
            detection["keypoint_scores"] = [
                round(float(score), 5) for score in found.keypoint_scores[row]
            ]
        detections.append(detection)
    return {
        "picture": str(path),
        "height": image.shape[0],
        "width": image.shape[1],
        "detections": detections,
    }


def keypoint_schema(named: str, model: str) -> schemas.KeypointSchema | None:
    """The set that is named, or that of the config beside an exported model; None without either.

    Args:
        named: a shipped name, the path of a `.json` file, or "".
        model: export directory or frozen graph.

    Raises:
        CheckpointError: the config is not the one that was exported.
        ConfigError: what is named is no set.
    """
    if named:
        try:
            return schemas.load(named)
        except ConfigError as error:
            raise ConfigError(f"--keypoints={named}: {error}") from error
    folder = model if os.path.isdir(model) else os.path.dirname(model)
    path = os.path.join(folder, "pipeline.config")
    if not os.path.isfile(path):
        return None
    try:
        text = config_util.read_text(path)
        export_manifest.verify_file(path)
        pipeline = config_util.parse_text(text, pipeline_pb2.TrainEvalPipelineConfig(), path)
        if pipeline.HasField(keypoint_config.FIELD):
            return keypoint_config.schema_of(pipeline.keypoints, folder)
    except ConfigError as error:
        # The graph does without; a config of another version should not stop it.
        logger.warning("Keypoints are drawn without their set: %s", error)
    return None


def _check_number(found: "Found", schema: schemas.KeypointSchema, model: str) -> None:
    if found.keypoints is not None and found.keypoints.shape[1] != schema.size:
        raise ConfigError(
            f"{schema.where} has {schema.size} keypoints, but {model} gives "
            f"{found.keypoints.shape[1]}; name their set with --keypoints."
        )


def _draw(
    image: np.ndarray[Any, Any],
    found: "Found",
    category_index: drawing.CategoryIndex,
    schema: schemas.KeypointSchema | None,
    min_keypoint_score: float,
) -> np.ndarray[Any, Any]:
    size = np.array(image.shape[:2], np.float32)
    canvas = drawing.enlarged_to_read(image)
    thickness = drawing.line_thickness_for(canvas)
    points = None if found.keypoints is None else found.keypoints / size
    if points is not None and found.keypoint_scores is not None:
        points = np.where(found.keypoint_scores[..., None] < min_keypoint_score, np.nan, points)
    return drawing.visualize_boxes_and_labels_on_image_array(
        canvas,
        found.boxes / np.tile(size, 2),
        found.classes,
        found.scores,
        category_index,
        keypoints=points,
        keypoint_edges=None if schema is None else schema.edges,
        use_normalized_coordinates=True,
        max_boxes_to_draw=None,
        min_score_thresh=0.0,
        line_thickness=thickness,
        keypoint_color=None if schema is None else schema.colors,
        keypoint_radius=thickness,
    )


def _detections(
    options: argparse.Namespace,
    pictures: list[tuple[pathlib.Path, pathlib.Path]],
    category_index: drawing.CategoryIndex,
    schema: schemas.KeypointSchema | None,
) -> Iterator[dict[str, Any]]:
    # Loaded late: --help and mistakes in flags should not wait for TensorFlow.
    startup.prepare_tensorflow()
    from object_detection.inference import detector

    taken: set[str] = set()
    with detector.Detector(options.model) as model:
        for path, below in tqdm.tqdm(pictures, "detecting", unit=" pictures", disable=None):
            try:
                image = read_rgb(path)
            except DataError as error:
                # One bad file must not cost the work on all others.
                yield {"picture": str(path), "error": str(error)}
                continue
            found = model.detect(image, options.min_score)
            if schema is not None:
                _check_number(found, schema, options.model)
            entry = _entry(path, image, found, category_index)
            if not options.no_pictures:
                entry["drawn"] = _name_of_its_own(os.path.join(_PICTURES, str(below)), taken)
                drawn = _draw(image, found, category_index, schema, options.min_keypoint_score)
                encoding.save_image(drawn, os.path.join(options.output, entry["drawn"]))
            yield entry


def _name_of_its_own(name: str, taken: set[str]) -> str:
    """The name of a JPEG; numbered if several pictures would have it. Adds it to `taken`."""
    stem = os.path.splitext(name)[0]
    free, number = f"{stem}.jpg", 2
    while free in taken:
        free, number = f"{stem}_{number}.jpg", number + 1
    taken.add(free)
    return free


def _remove_drawn(output: str) -> None:
    """Removes the pictures that an earlier run drew into the folder, by its own list.

    They would stand beside those of this run as if they were its own.
    """
    path = os.path.join(output, _DETECTIONS)
    if not os.path.exists(path):
        return
    try:
        content = untrusted.read_json(path)
        names = [entry.get("drawn") for entry in content["pictures"]]
    except (DataError, KeyError, TypeError, AttributeError) as error:
        raise DataError(
            f"{path}: is not the list of an earlier run ({error}), and would be replaced. Move it "
            "away, or name another --output."
        ) from error
    for name in names:
        if isinstance(name, str):
            drawn = untrusted.path_below(output, name)
            if drawn.endswith(".jpg") and os.path.isfile(drawn):
                os.remove(drawn)
    os.remove(path)


def _others(output: str, entries: Sequence[dict[str, Any]]) -> int:
    """How many pictures lie among those that were drawn, but are not of this run."""
    mine = {os.path.join(output, entry["drawn"]) for entry in entries if "drawn" in entry}
    folder = pathlib.Path(output, _PICTURES)
    return sum(str(one) not in mine for one in folder.rglob("*.jpg") if one.is_file())


def run(arguments: Sequence[str]) -> str:
    """Detects as the command line says; returns what to tell the user.

    Raises:
        CheckpointError: the model cannot be used.
        ConfigError: a flag has no sense.
        DataError: there are no pictures.
    """
    options = parse_flags(arguments)
    if not os.path.isdir(flag_checks.required("model", options.model)):
        flag_checks.input_file("model", options.model)
    flag_checks.output_folder("output", options.output)
    for name in ("min_score", "min_keypoint_score"):
        flag_checks.number(name, getattr(options, name), 0, 1)
    if options.label_map:
        flag_checks.input_file("label_map", options.label_map)
    schema = keypoint_schema(options.keypoints, options.model)
    category_index = (
        label_map_util.create_category_index_from_labelmap(options.label_map)
        if options.label_map
        else {}
    )
    pictures = find_pictures(options.pictures)
    # Before the work: what cannot be written should not come out after it.
    os.makedirs(options.output, exist_ok=True)
    _remove_drawn(options.output)
    entries = list(_detections(options, pictures, category_index, schema))
    failed = [entry["error"] for entry in entries if "error" in entry]
    if len(failed) == len(entries):
        raise DataError(f"None of {len(entries)} pictures can be read. The first: {failed[0]}")
    target = os.path.join(options.output, _DETECTIONS)
    files.write_json(
        target,
        {
            "model": options.model,
            "min_score": options.min_score,
            "frame": "pixels; box [ymin, xmin, ymax, xmax], keypoints [y, x]",
            **({"keypoint_names": schema.names} if schema is not None else {}),
            "pictures": entries,
        },
    )
    total = sum(len(entry.get("detections", ())) for entry in entries)
    lines = [f"{total} detections in {len(entries) - len(failed)} pictures: {target}"]
    lines += [f"left out: {error}" for error in failed]
    others = _others(options.output, entries)
    if others:
        lines.append(
            f"{others} older pictures in {os.path.join(options.output, _PICTURES)} are not of this run."
        )
    return "\n".join(lines)
