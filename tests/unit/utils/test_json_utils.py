import io
import json

import pytest

from object_detection.utils import json_utils


@pytest.mark.parametrize(
    ("value", "digits", "expected"),
    [
        pytest.param(1.0, -1, "1.0", id="as it is"),
        pytest.param(1.012345, -1, "1.012345", id="all digits"),
        pytest.param(1.0, 2, "1.00", id="filled up"),
        pytest.param(1.012345, 2, "1.01", id="cut"),
        pytest.param(1.019, 2, "1.02", id="rounded"),
        pytest.param(1.012345, 0, "1", id="no decimals"),
        pytest.param(-1.5678, 1, "-1.6", id="negative"),
        pytest.param(7, 3, "7", id="integer"),
        pytest.param(True, 3, "true", id="boolean"),
        pytest.param("v1.23456", 2, '"v1.23456"', id="text"),
        pytest.param('a "2.345" b', 2, '"a \\"2.345\\" b"', id="text with quotes"),
        pytest.param([1.25, {"1.999": 0.126}], 1, '[1.2, {"1.999": 0.1}]', id="nested"),
    ],
)
def test_dumps(value, digits, expected):
    assert json_utils.Dumps(value, float_digits=digits) == expected
    file = io.StringIO()
    json_utils.Dump(value, file, float_digits=digits)
    assert file.getvalue() == expected


def test_digits_default_to_all():
    assert json_utils.Dumps([0.123456789]) == "[0.123456789]"
    file = io.StringIO()
    json_utils.Dump(0.123456789, file)
    assert file.getvalue() == "0.123456789"


def test_format_float():
    assert json_utils.FormatFloat("[1.23456, 2]", 2) == "[1.23, 2]"
    assert json_utils.FormatFloat("[1.23456, 2]", -1) == "[1.23456, 2]"


def test_pretty():
    text = json_utils.Dumps({"v": 1.012345, "n": 2}, **json_utils.PrettyParams())
    assert text == '{\n  "n": 2,\n  "v": 1.0123\n}'
    assert json_utils.PrettyParams(allow_nan=False) == {
        "allow_nan": False,
        "float_digits": 4,
        "sort_keys": True,
        "indent": 2,
        "separators": (",", ": "),
    }
    with pytest.raises(ValueError):
        json_utils.Dumps(float("nan"), **json_utils.PrettyParams(allow_nan=False))


def test_what_is_written_can_be_read():
    value = {"a": [0.5, -2.25, 1e-7, 3], "text": "1.5"}
    assert json.loads(json_utils.Dumps(value, float_digits=9)) == value
