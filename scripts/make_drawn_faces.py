#!/usr/bin/env python3
"""Draws a set of face pictures with landmarks: OUT/train and OUT/val, each images/ and label.txt.

scripts/make_drawn_faces.py --out data/drawn --train 600 --val 100
"""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from object_detection.dataset_tools import drawn_faces
from object_detection.utils import flag_checks, startup


def draw() -> str:
    parser = flag_checks.Parser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", required=True, help="folder to write")
    parser.add_argument("--train", type=int, default=600, help="pictures to train on")
    parser.add_argument("--val", type=int, default=100, help="pictures held out")
    parser.add_argument("--seed", type=int, default=0, help="the same seed draws the same set")
    parser.add_argument("--workers", type=int, default=2, help="processes that draw")
    options = parser.parse_args()
    flag_checks.output_folder("out", options.out)
    for name in ("train", "val"):
        flag_checks.number(name, getattr(options, name), 0, 1_000_000)
    flag_checks.number("seed", options.seed, 0, flag_checks.MOST_SEED)
    flag_checks.number("workers", options.workers, 1, 256)
    for part, (split, count) in enumerate((("train", options.train), ("val", options.val))):
        drawn_faces.write_pictures(
            pathlib.Path(options.out) / split,
            count,
            seed=2 * options.seed + part,
            workers=options.workers,
        )
    return f"{options.train} + {options.val} pictures in {options.out}"


if __name__ == "__main__":
    startup.run_program("make_drawn_faces", draw)
