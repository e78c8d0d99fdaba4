#!/usr/bin/env python3
"""Draws what an exported model finds on pictures, and writes it as JSON; see `--help`.

scripts/detect.py --model exported --output found --label_map label_map.pbtxt pictures/
"""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from object_detection.inference import detect_pictures
from object_detection.utils import startup

if __name__ == "__main__":
    startup.run_program("detect", lambda: detect_pictures.run(sys.argv[1:]))
