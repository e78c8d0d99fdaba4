#!/usr/bin/env python3
"""Converts RetinaFace label files and their pictures to TFRecords; see `--help`.

scripts/txt_to_tfr_retface_v2.py --itxt=label.txt --idir=images --opath=faces.record
"""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from object_detection.dataset_tools import retinaface_tf_record
from object_detection.utils import startup

if __name__ == "__main__":
    startup.run_program("txt_to_tfr_retface_v2", lambda: retinaface_tf_record.run(sys.argv[1:]))
