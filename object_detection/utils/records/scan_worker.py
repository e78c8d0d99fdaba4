"""The part of one process in a scan; `scan` starts it, and talks with it by lines of JSON.

It takes its task from standard input. Of each file it says: nothing, or where its records lie (the
first process does), then what became of each chunk that is its own.
"""

import base64
import dataclasses
import json
import sys
from collections.abc import Iterator
from typing import Any, TextIO

import numpy as np

from object_detection.utils.records import file_scan, framing
from object_detection.utils.records.findings import Finding
from object_detection.utils.records.rules import Rules


def _packed(array: np.ndarray[Any, Any]) -> str:
    return base64.b64encode(array.tobytes()).decode()


def _unpacked(text: str, dtype: str) -> np.ndarray[Any, Any]:
    return np.frombuffer(base64.b64decode(text), dtype)


def outline_to_json(file: file_scan.Outline) -> dict[str, Any]:
    """What `outline_from_json` takes."""
    return {
        **file._asdict(),
        "layout": [
            _packed(file.layout.spans.astype("<i8")),
            [list(gap) for gap in file.layout.gaps],
        ],
        "findings": [dataclasses.asdict(one) for one in file.findings],
    }


def outline_from_json(content: dict[str, Any]) -> file_scan.Outline:
    """The inverse of `outline_to_json`."""
    spans, gaps = content["layout"]
    layout = framing.Layout(
        _unpacked(spans, "<i8").astype(np.int64).reshape(-1, 2),
        tuple(framing.Gap(*gap) for gap in gaps),
    )
    findings = tuple(Finding(**one) for one in content["findings"])
    return file_scan.Outline(**{**content, "layout": layout, "findings": findings})


def judged_to_json(judged: file_scan.Judged) -> dict[str, Any]:
    """What `judged_from_json` takes."""
    return {
        "used": _packed(judged.used),
        "findings": [dataclasses.asdict(one) for one in judged.findings],
    }


def judged_from_json(content: dict[str, Any]) -> file_scan.Judged:
    """The inverse of `judged_to_json`."""
    used = _unpacked(content["used"], "?")
    return file_scan.Judged(used, tuple(Finding(**one) for one in content["findings"]))


def work(paths: list[str], rules: Rules, index: int, count: int) -> Iterator[dict[str, Any]]:
    """What process `index` of `count` has to say.

    Chunks are dealt out in turn, over all files: each process sees about as many bytes.
    """
    turn = 0
    for number, path in enumerate(paths):
        file = file_scan.outline(path)
        if index == 0:
            yield {"file": number, "outline": outline_to_json(file)}
        for place, chunk in enumerate(file_scan.chunks(file)):
            if turn % count == index:
                judged = file_scan.judge_chunk(chunk, rules)
                yield {
                    "file": number,
                    "chunk": place,
                    "bytes": chunk.num_bytes,
                    "judged": judged_to_json(judged),
                }
            turn += 1


def main(task: TextIO, said: TextIO) -> None:
    """Does the task.

    Args:
        task: JSON with what `work` takes.
        said: gets what `work` yields, a line each.
    """
    given = json.load(task)
    rules = Rules.from_json(given["rules"])
    for one in work(given["paths"], rules, given["index"], given["count"]):
        said.write(json.dumps(one) + "\n")
        # A process whose parent is gone ends here, because nobody reads.
        said.flush()


if __name__ == "__main__":
    main(sys.stdin, sys.stdout)
