"""Settings that callers of the OD API make with `ops.EqualizationLossConfig(...)`."""

from collections.abc import Sequence
from typing import NamedTuple


class EqualizationLossConfig(NamedTuple):
    """Settings of the loss that evens out the ranges of a layer's channels."""

    weight: float
    exclude_prefixes: Sequence[str]  # kernels whose names start with one take no part
