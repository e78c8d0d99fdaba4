#!/usr/bin/env python3
"""Compares an export with its export.json and with its checkpoint; see `--help`.

scripts/verify_export.py --model exported --images 'pictures/*.jpg'
"""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from object_detection.inference import export_verification
from object_detection.utils import startup

if __name__ == "__main__":
    startup.run_program("verify_export", lambda: export_verification.run(sys.argv[1:]))
