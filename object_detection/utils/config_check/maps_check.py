"""Whether what is set for an SSD's feature maps is of use to its extractor, and fits its anchors.

Part of `config_check`. Needs no TensorFlow.
"""

from collections.abc import Iterator
from typing import Any

# The finest and the coarsest level of which a pyramid can begin, by the end of its name.
_FIRST_LEVELS = (2, 5)
_PYRAMID = "_fpn"
_ONE_PYRAMID, _ITS_LEVELS = "ssd_mobilenet_v2_mnasfpn", (3, 6)
# Their number of maps follows from another field, or from nothing.
_NAMED, _FIXED = "ssd_spaghettinet", "embedded_ssd_mobilenet_v1"
_ANCHORS = "model.ssd.anchor_generator"

# Field -> the extractors that take it.
TAKEN_BY = {
    "num_layers": (
        "ssd_inception_v2",
        "ssd_inception_v3",
        "ssd_mobilenet_v1",
        "ssd_mobilenet_v1_ppn",
        "ssd_mobilenet_v2",
    ),
    "fpn": (
        "ssd_mobilenet_v1_fpn",
        "ssd_mobilenet_v2_fpn",
        _ONE_PYRAMID,
        "ssd_resnet101_v1_fpn",
        "ssd_resnet152_v1_fpn",
        "ssd_resnet50_v1_fpn",
    ),
    "spaghettinet_arch_name": (_NAMED,),
}


def problems(ssd: Any) -> Iterator[str]:
    """What does not fit of maps and anchors, in an `Ssd` message with an extractor of this package."""
    extractor = ssd.feature_extractor
    useless = [
        field
        for field, names in TAKEN_BY.items()
        if extractor.HasField(field) and extractor.type not in names
    ]
    for field in useless:
        yield (
            f"model.ssd.feature_extractor.{field}: {extractor.type} does not take it; leave it out. It "
            f"is for {', '.join(TAKEN_BY[field])}."
        )
    if useless:
        return
    fpn, where = extractor.fpn, "model.ssd.feature_extractor.fpn"
    if extractor.type.endswith(_PYRAMID):
        least, most = _FIRST_LEVELS
        if not least <= fpn.min_level <= most:
            yield f"{where}.min_level: is {fpn.min_level}; allowed: {least} to {most}."
            return
        if fpn.max_level < fpn.min_level:
            # `config_ranges` says so.
            return
    elif (
        extractor.type == _ONE_PYRAMID
        and extractor.HasField("fpn")
        and (fpn.min_level, fpn.max_level) != _ITS_LEVELS
    ):
        least, most = _ITS_LEVELS
        yield (
            f"{where}: has levels {fpn.min_level} to {fpn.max_level}; {_ONE_PYRAMID} has only "
            f"{least} to {most}."
        )
        return
    maps, (anchors, field) = number_of_maps(extractor), _maps_of_anchors(ssd.anchor_generator)
    if maps is not None and anchors is not None and maps != anchors:
        yield (
            f"{_ANCHORS}.{field}: makes anchors for {anchors} feature maps, but {extractor.type} "
            f"gives {maps}. {_how(extractor)}"
        )


def number_of_maps(extractor: Any) -> int | None:
    """Feature maps that an extractor gives by its `SsdFeatureExtractor` message; None: not known."""
    if extractor.type in (_NAMED, _FIXED):
        return None
    if extractor.type == _ONE_PYRAMID:
        return _ITS_LEVELS[1] - _ITS_LEVELS[0] + 1
    if extractor.type.endswith(_PYRAMID):
        return int(extractor.fpn.max_level - extractor.fpn.min_level + 1)
    # Also where it is not set, by its default.
    return int(extractor.num_layers)


def _maps_of_anchors(generator: Any) -> tuple[int | None, str]:
    """Maps that anchors are made for, and the field that says so."""
    kind = generator.WhichOneof("anchor_generator_oneof") or ""
    if kind == "ssd_anchor_generator":
        return generator.ssd_anchor_generator.num_layers, f"{kind}.num_layers"
    if kind == "multiscale_anchor_generator":
        config = generator.multiscale_anchor_generator
        return config.max_level - config.min_level + 1, f"{kind}.max_level"
    if kind == "flexible_grid_anchor_generator":
        return len(generator.flexible_grid_anchor_generator.anchor_grid), f"{kind}.anchor_grid"
    return (1, kind) if kind else (None, "")


def _how(extractor: Any) -> str:
    if extractor.type.endswith(_PYRAMID):
        return (
            f"Its levels are {extractor.fpn.min_level} to {extractor.fpn.max_level} "
            "(model.ssd.feature_extractor.fpn); make them agree."
        )
    if extractor.type not in TAKEN_BY["num_layers"]:
        return "Their number cannot be set."
    return "Make it agree with model.ssd.feature_extractor.num_layers, which is 6 by default."
