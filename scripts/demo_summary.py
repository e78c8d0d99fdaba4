#!/usr/bin/env python3
"""Says what the demo reached and where its results lie; fails below what it should reach."""

import json
import pathlib
import sys

EXPECTED = (
    ("AP50", "DetectionBoxes_Precision/mAP@.50IOU", lambda value: value >= 0.9, "at least 0.90"),
    ("NME", "Keypoints/NME", lambda value: value <= 0.05, "at most 0.05"),
)
PLACES = (
    ("drawn faces and labels", "pictures"),
    ("checkpoints, TensorBoard", "train"),
    ("metrics", "eval/metrics.json"),
    ("truth beside detections", "eval/pictures"),
    ("frozen graph, SavedModel", "exported"),
    ("detections drawn", "detected/pictures"),
    ("detections as JSON", "detected/detections.json"),
)


def main() -> int:
    out = pathlib.Path(sys.argv[1])
    short = "--short" in sys.argv[2:]
    metrics = json.loads((out / "eval/metrics.json").read_text())["metrics"]
    missed = False
    for label, name, enough, words in EXPECTED:
        value = metrics[name]
        good = value is not None and enough(value)
        missed |= not good
        shown = "none" if value is None else f"{value:.3f}"
        print(f"{label:<26} {shown}  (expected after the whole training: {words})")
    for label, place in PLACES:
        print(f"{label:<26} {out / place}")
    return int(missed and not short)


if __name__ == "__main__":
    sys.exit(main())
