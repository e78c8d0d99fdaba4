#!/usr/bin/env python3
"""Counts and draws what a config's training reader gives, raw and augmented; see `--help`.

scripts/inspect_dataset.py --pipeline_config_path=keypoint_examples/X.config --output=inspected
"""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from object_detection.dataset_tools import dataset_inspection
from object_detection.utils import startup

if __name__ == "__main__":
    startup.run_program("inspect_dataset", lambda: dataset_inspection.run(sys.argv[1:]))
