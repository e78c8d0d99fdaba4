"""Categories as lines `id,name` of a CSV file."""

import csv
from typing import Any

from object_detection.errors import DataError
from object_detection.utils import files

Category = dict[str, Any]


def load_categories_from_csv_file(csv_path: str) -> list[Category]:
    """Reads categories.

    Args:
        csv_path: file of lines `id,name`; empty lines are skipped.

    Returns:
        `{"id": int, "name": str}` each, in the file's order.

    Raises:
        DataError: a line that is not a number and a name.
    """
    categories = []
    with open(csv_path, encoding="utf-8", newline="") as file:
        rows = csv.reader(file)
        for row in rows:
            if not row:
                continue
            if len(row) != 2:
                raise DataError(
                    f"{csv_path}:{rows.line_num}: expected id,name, found {len(row)} fields: "
                    f"{','.join(row)}."
                )
            try:
                number = int(row[0])
            except ValueError as error:
                raise DataError(
                    f"{csv_path}:{rows.line_num}: the id {row[0]!r} is not a whole number."
                ) from error
            categories.append({"id": number, "name": row[1]})
    return categories


def save_categories_to_csv_file(categories: list[Category], csv_path: str) -> None:
    """Writes categories by rising id.

    Args:
        categories: with `id` and `name` each.
        csv_path: file to write; it appears whole.
    """
    ranked = sorted(categories, key=lambda category: category["id"])
    with (
        files.appearing_whole(csv_path) as temporary,
        open(temporary, "w", encoding="utf-8", newline="") as file,
    ):
        csv.writer(file).writerows([category["id"], category["name"]] for category in ranked)
