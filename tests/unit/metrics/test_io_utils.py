import io

import numpy as np

from object_detection.metrics import io_utils


def test_lines():
    file = io.StringIO()
    io_utils.write_csv(file, {"b/AP@0.5IOU/cat, small": np.float64(0.25), "a": float("nan")})
    assert file.getvalue() == '"b/AP@0.5IOU/cat, small",0.25\r\na,nan\r\n'


def test_nothing():
    file = io.StringIO()
    io_utils.write_csv(file, {})
    assert file.getvalue() == ""
