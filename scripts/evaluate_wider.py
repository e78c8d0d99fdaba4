#!/usr/bin/env python3
"""Average precision on WIDER FACE validation by the official protocol; see `--help`.

scripts/detect.py --min_score 0 --no_pictures --model=exported --output=found WIDER_val/images
scripts/evaluate_wider.py --detections=found/detections.json --ground_truth=wider_face_split
"""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from object_detection.inference import wider_face
from object_detection.utils import startup

if __name__ == "__main__":
    startup.run_program("evaluate_wider", lambda: wider_face.run(sys.argv[1:]))
