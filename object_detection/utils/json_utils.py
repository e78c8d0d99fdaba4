"""JSON whose floats have a chosen number of decimals."""

import json
import re
from typing import Any, TextIO

# A text, or a number with decimals. Texts are named so that digits in them stay as they are.
_TEXT_OR_DECIMAL = re.compile(r'"(?:[^"\\]|\\.)*"|\d+\.\d+')


def FormatFloat(json_str: str, float_digits: int) -> str:
    """Rounds the floats in a JSON text; integers and texts stay.

    Args:
        json_str: JSON.
        float_digits: decimals of each float; below 0 they stay as they are.
    """
    if float_digits < 0:
        return json_str

    def rounded(match: re.Match[str]) -> str:
        found = match.group()
        return found if found.startswith('"') else f"{float(found):.{float_digits}f}"

    return _TEXT_OR_DECIMAL.sub(rounded, json_str)


def Dump(obj: Any, fid: TextIO, float_digits: int = -1, **params: Any) -> None:
    """Writes `obj` as JSON into an open file.

    Args:
        obj: what `json.dumps` takes.
        fid: open for text.
        float_digits: as in `FormatFloat`.
        **params: for `json.dumps`.
    """
    fid.write(Dumps(obj, float_digits, **params))


def Dumps(obj: Any, float_digits: int = -1, **params: Any) -> str:
    """`obj` as JSON.

    Args:
        obj: what `json.dumps` takes.
        float_digits: as in `FormatFloat`.
        **params: for `json.dumps`.
    """
    return FormatFloat(json.dumps(obj, **params), float_digits)


def PrettyParams(**params: Any) -> dict[str, Any]:
    """Arguments of `Dump` and `Dumps` for people who read: sorted, indented, four decimals.

    Args:
        **params: further arguments; these four cannot be chosen.
    """
    return {
        **params,
        "float_digits": 4,
        "sort_keys": True,
        "indent": 2,
        "separators": (",", ": "),
    }
