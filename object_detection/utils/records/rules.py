"""What a reader asks of its records."""

import dataclasses
from typing import Any

MASKS = ("", "numbers", "png")


@dataclasses.dataclass(frozen=True)
class Rules:
    """Settings of a reader that decide whether a record can be used; a value, it can be a key."""

    num_keypoints: int = 0
    """K; with 0 keypoints are not looked at."""
    num_classes: int | None = None
    """Of the model; None: any id from 1 will do."""
    label_names: frozenset[str] | None = None
    """Names and display names of the classes that the model has; None: there is no label map, and
    names are not looked at."""
    max_megapixels: float = 100
    """Pixels that a picture may have, in millions."""
    keypoint_names: bool = False
    """Whether keypoints are told by names, so that a box may list fewer than K."""
    keypoint_depths: bool = False
    masks: str = ""
    """How masks are stored that are read, one of `MASKS`; "": none are."""
    num_additional_channels: int = 0
    multiclass_scores: bool = False
    track_ids: bool = False
    dense_pose: bool = False
    context_features: bool = False
    examples: bool = True
    """Whether records are of pictures; else only the file is looked at, not what records hold."""

    def to_json(self) -> dict[str, Any]:
        """What `from_json` takes, made of what JSON knows; equal rules give equal content."""
        content = dataclasses.asdict(self)
        if self.label_names is not None:
            content["label_names"] = sorted(self.label_names)
        return content

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> "Rules":
        """The inverse of `to_json`."""
        names = content["label_names"]
        return cls(**{**content, "label_names": None if names is None else frozenset(names)})
