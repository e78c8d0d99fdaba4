"""The numbers of an evaluation as plain text for the console.

Metrics are named group/name, with what they are restricted to in brackets at the end:
`Keypoints/NME (width >= 16)`. Each group is a table: a line for each name, a column for each
restriction.
"""

import math
import re
from collections.abc import Iterable, Mapping
from typing import Any

from object_detection.eval_util import sheets as sheets_of
from object_detection.eval_util.sheets import Sheet

_RESTRICTED = re.compile(r"(?P<name>.+?) \((?P<restriction>[^()]*)\)$")
_ALL = "all"
# What stands first, as the name of a group begins; other groups follow, losses come last.
_ORDER = ("DetectionBoxes_Precision", "DetectionBoxes_Recall", "DetectionBoxes", "Pascal", "BySize")
_THEN = ("Keypoints", "OKS", "KeypointVisibility")
_LAST = "Losses"
# Shown as sheets.
_IN_SHEETS = {"BySize": sheets_of.SIZES, "PerKeypoint": sheets_of.KEYPOINTS}


def _cell(value: Any) -> str:
    """A number as people read it; what there is not is a dash."""
    if isinstance(value, str):
        return value
    if isinstance(value, int):
        return str(value)
    # COCO's -1 stands for "nothing to find".
    if math.isnan(value) or value == -1:
        return "-"
    if value == int(value) and abs(value) >= 2:
        return str(int(value))
    return f"{value:.4f}"


def _grid(header: list[str], rows: Iterable[list[Any]]) -> list[str]:
    """Lines of a table; the first column stands left, numbers right."""
    table = [header, *([_cell(value) for value in row] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    lines = []
    for number, (first, *rest) in enumerate(table):
        indent = "  " if number else ""
        cells = [f"{indent}{first}".ljust(widths[0] + 2)]
        cells += [cell.rjust(width) for cell, width in zip(rest, widths[1:], strict=True)]
        lines.append("  ".join(cells).rstrip())
    return lines


def _groups(metrics: Mapping[str, float]) -> dict[str, dict[str, dict[str, float]]]:
    """Group -> name -> restriction -> value, in the order of the metrics."""
    groups: dict[str, dict[str, dict[str, float]]] = {}
    for full, value in metrics.items():
        group, _, name = full.partition("/") if "/" in full else ("Others", "", full)
        match = _RESTRICTED.match(name)
        restriction = match["restriction"] if match else _ALL
        name = match["name"] if match else name
        groups.setdefault(group, {}).setdefault(name, {})[restriction] = value
    return groups


def _place(group: str) -> tuple[int, int]:
    order = (*_ORDER, *_THEN)
    if group == _LAST:
        return (2, 0)
    for number, begin in enumerate(order):
        if group.startswith(begin):
            return (0, number)
    return (1, 0)


def _group_lines(group: str, names: Mapping[str, Mapping[str, float]]) -> list[str]:
    restrictions = list(dict.fromkeys(one for values in names.values() for one in values))
    restrictions.sort(key=lambda one: one != _ALL)  # stable: the rest stays in order
    header = restrictions if len(restrictions) > 1 else [""]
    rows = [
        [name, *(values.get(one, math.nan) for one in restrictions)]
        for name, values in names.items()
    ]
    return _grid([group, *header], rows)


def _sheet_lines(sheet: Sheet) -> list[str]:
    return [
        sheet.title,
        *_grid([f"  {sheet.columns[0]}", *sheet.columns[1:]], map(list, sheet.rows)),
    ]


def results_table(metrics: Mapping[str, float], sheets: Iterable[Sheet] = ()) -> list[str]:
    """Lines of the tables, an empty one between two.

    Args:
        metrics: by name.
        sheets: tables to show as well, after the groups that they belong to; curves are left out.
    """
    tables = {sheet.name: sheet for sheet in sheets if not sheet.is_curve}
    groups = _groups(metrics)
    for group, name in _IN_SHEETS.items():
        if name in tables:
            groups.pop(group, None)
    blocks = [(_place(group), _group_lines(group, names)) for group, names in groups.items()]
    places = {sheets_of.SIZES: _place("BySize"), sheets_of.KEYPOINTS: (0, len(_ORDER + _THEN))}
    blocks += [(places.get(name, (1, 1)), _sheet_lines(sheet)) for name, sheet in tables.items()]
    lines: list[str] = []
    for _, block in sorted(blocks, key=lambda one: one[0]):
        lines += ["", *block] if lines else block
    return lines
