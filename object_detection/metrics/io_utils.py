"""Metrics as a CSV file."""

import csv
from typing import Any, TextIO


def write_csv(fid: TextIO, metrics: dict[str, Any]) -> None:
    """Writes a line `name,value` for each metric, in their order.

    Args:
        fid: open for text.
        metrics: by name.
    """
    csv.writer(fid).writerows([name, str(value)] for name, value in metrics.items())
