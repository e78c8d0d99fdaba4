"""The program behind `scripts/evaluate_wider.py`: detections of WIDER FACE validation -> AP."""

import argparse
import pathlib
from collections.abc import Sequence
from typing import Any

import numpy as np

from object_detection.errors import DataError
from object_detection.metrics import wider_evaluation
from object_detection.utils import flag_checks, untrusted


def parse_flags(arguments: Sequence[str]) -> argparse.Namespace:
    """The command line of `scripts/evaluate_wider.py`."""
    parser = flag_checks.Parser(
        prog="evaluate_wider.py",
        description="Average precision on WIDER FACE validation, by the official protocol.",
    )
    parser.add_argument(
        "--detections",
        required=True,
        help="detections.json of scripts/detect.py, run with --min_score 0 on WIDER_val/images",
    )
    parser.add_argument(
        "--ground_truth", required=True, help="folder of wider_{face,easy,medium,hard}_val.mat"
    )
    return parser.parse_args(arguments)


def read_detections(path: str) -> dict[str, np.ndarray[Any, Any]]:
    """event/file of each picture -> [D, 5] detections (x, y, width, height, score) in pixels.

    Raises:
        DataError: the file is absent or of another form.
    """
    content = untrusted.read_json(path)
    try:
        found = {}
        for picture in content["pictures"]:
            place = pathlib.PurePath(picture["picture"])
            rows = [
                [xmin, ymin, xmax - xmin, ymax - ymin, float(detection["score"])]
                for detection in picture.get("detections", ())
                for ymin, xmin, ymax, xmax in [detection["box"]]
            ]
            found[f"{place.parent.name}/{place.stem}"] = np.array(rows, float).reshape(-1, 5)
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError) as error:
        raise DataError(f"{path}: not the detections.json of scripts/detect.py: {error}") from error
    return found


def run(arguments: Sequence[str]) -> str:
    """Evaluates as the command line says; returns what to tell the user.

    Raises:
        DataError: a file cannot be used.
    """
    options = parse_flags(arguments)
    flag_checks.input_file("detections", options.detections)
    flag_checks.input_folder("ground_truth", options.ground_truth)
    truth = wider_evaluation.load_ground_truth(options.ground_truth)
    detections = read_detections(options.detections)
    lines = [
        f"{name:8s}AP {value:.4f}"
        for name, value in wider_evaluation.evaluate(truth, detections).items()
    ]
    absent = sum(picture.name not in detections for picture in truth)
    if absent:
        lines.append(f"{absent} of {len(truth)} pictures have no entry in {options.detections}.")
    return "\n".join(lines)
