#!/usr/bin/env python3
"""Finds what is wrong with TFRecord files, before training; see `--help`.

scripts/validate_tfrecord.py --pipeline_config_path=keypoint_examples/X.config --report=found.json
scripts/validate_tfrecord.py --records 'data/train.record*' --label_map=map.pbtxt --num_keypoints=5
"""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from object_detection.dataset_tools import record_validation

if __name__ == "__main__":
    record_validation.main(sys.argv[1:])
