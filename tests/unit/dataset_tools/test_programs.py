"""The programs as people start them: as files, from anywhere."""

import pathlib
import subprocess
import sys

import pytest

PACKAGE = pathlib.Path(__file__).resolve().parents[3] / "object_detection"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("program", "flag"),
    [
        ("dataset_tools/create_coco_tf_record.py", "--train_image_dir"),
        ("dataset_tools/create_kitti_tf_record.py", "--data_dir"),
        ("dataset_tools/create_pascal_tf_record.py", "--data_dir"),
        ("dataset_tools/create_pet_tf_record.py", "--data_dir"),
        ("inference/infer_detections.py", "--input_tfrecord_paths"),
    ],
)
def test_without_flags_the_first_absent_one_is_named(program, flag, tmp_path):
    done = subprocess.run(
        [sys.executable, str(PACKAGE / program)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 1
    (line,) = [line for line in done.stderr.splitlines() if "required" in line]
    assert line.startswith(f"{pathlib.Path(program).stem}: {flag}")
    assert "Traceback" not in done.stderr


def test_their_flags_live_together():
    """Converters have flags of the same names, and some code imports several of them."""
    from object_detection.dataset_tools import (
        create_coco_tf_record,
        create_kitti_tf_record,
        create_pascal_tf_record,
        create_pet_tf_record,
    )

    assert (
        create_coco_tf_record.FLAGS
        is create_kitti_tf_record.FLAGS
        is create_pascal_tf_record.FLAGS
        is create_pet_tf_record.FLAGS
    )
