"""Settings that callers of the OD API make with `ops.EqualizationLossConfig(...)`."""

from collections.abc import Sequence
from typing import NamedTuple


class EqualizationLossConfig(NamedTuple):
    """Settings of an equalization loss; `SSDMetaArch` takes them with weight 0 only."""

    weight: float
    exclude_prefixes: Sequence[str]
