"""Times several things in turn, so that what drifts on the machine drifts for all of them."""

import json
import statistics
import time
from collections.abc import Callable, Mapping
from typing import Any

from benchmarks.environment import environment
from object_detection.utils import files


def seconds_per_call(call: Callable[[], object], count: int) -> float:
    """Mean time of `count` calls in a row."""
    begin = time.perf_counter()
    for _ in range(count):
        call()
    return (time.perf_counter() - begin) / count


def compare(
    calls: Mapping[str, Callable[[], object]], rounds: int, counts: int | Mapping[str, int]
) -> dict[str, Any]:
    """Rounds of some calls of each; the first round warms up and does not count.

    Args:
        calls: what to time, by name; the first is what the others are divided by.
        rounds: that count.
        counts: calls in a row of each in a round.

    Returns:
        `environment`; `seconds`: name -> seconds per call of each round; `ratios`: name -> its
        seconds by those of the first, round by round; `median_ratios`.
    """
    seconds: dict[str, list[float]] = {name: [] for name in calls}
    for number in range(rounds + 1):
        for name, call in calls.items():
            value = seconds_per_call(call, counts if isinstance(counts, int) else counts[name])
            if number:
                seconds[name].append(value)
    reference, *others = seconds
    ratios = {
        name: [value / base for value, base in zip(seconds[name], seconds[reference], strict=True)]
        for name in others
    }
    return {
        "environment": environment(),
        "seconds": seconds,
        "ratios": ratios,
        "median_ratios": {name: statistics.median(values) for name, values in ratios.items()},
    }


def report(result: Mapping[str, Any], output: str = "") -> None:
    """Prints medians and ratios, and writes all of it as JSON where a file is named."""
    reference = next(iter(result["seconds"]))
    for name, values in result["seconds"].items():
        line = f"{name:<24} {statistics.median(values) * 1000:10.1f} ms"
        if name in result["ratios"]:
            rounds = ", ".join(f"{ratio:.2f}" for ratio in result["ratios"][name])
            line += f"   {result['median_ratios'][name]:.2f} x {reference}  (rounds: {rounds})"
        print(line)
    print(json.dumps(result["environment"]))
    if output:
        files.write_json(output, result)
