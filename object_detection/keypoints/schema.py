"""What is known about a set of keypoints: names, mirror partners, limbs, sigmas, colours.

A schema is declared once, by name; the number of keypoints, the flip permutation, the sigmas of
OKS and how to draw follow from it. Shipped sets lie in `schemas/`; a user's own is a file of the
same form:

    {
      "source": "where the set comes from",
      "keypoints": [
        {"name": "left_eye", "mirror": "right_eye", "sigma": 0.025, "color": "#1f77b4"},
        {"name": "right_eye"},
        {"name": "nose"}
      ],
      "limbs": [["left_eye", "nose"], ["right_eye", "nose"]]
    }

Only the names are required. A mirror partner needs to be said on one side only; a keypoint without
one is its own, as on the middle line of a face.
"""

import colorsys
import json
import pathlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from object_detection.errors import ConfigError
from object_detection.utils import small_files
from object_detection.utils.wording import did_you_mean, quoted

SCHEMAS = pathlib.Path(__file__).parent / "schemas"

# Neither COCO nor anybody else gives sigmas for most sets; this is COCO's of an eye, its most
# exactly labelled point.
DEFAULT_SIGMA = 0.025

# Faces have up to 478, bodies with hands and face 543.
MOST_KEYPOINTS = 2000

_COLOR = re.compile(r"#[0-9a-fA-F]{6}")
_KNOWN_OF_A_FILE = ("source", "keypoints", "limbs")
_KNOWN_OF_A_KEYPOINT = ("name", "mirror", "sigma", "color")


@dataclass(frozen=True)
class KeypointSchema:
    """A set of K keypoints.

    >>> FACE = KeypointSchema(
    ...     names=("left_eye", "right_eye", "nose"), mirror={"left_eye": "right_eye"}
    ... )
    >>> FACE.size, FACE.flip_permutation
    (3, (1, 0, 2))
    """

    names: tuple[str, ...]
    mirror: Mapping[str, str] = field(default_factory=dict)
    limbs: tuple[tuple[str, str], ...] = ()
    sigmas: tuple[float, ...] = ()
    colors: tuple[str, ...] = ()
    where: str = "keypoint schema"  # the file or label map, for messages

    def __post_init__(self) -> None:
        """Completes what is left out; refuses what contradicts itself."""
        names = tuple(self.names)
        if not names:
            raise ConfigError(f"{self.where}: there are no keypoints; name at least one.")
        if len(names) > MOST_KEYPOINTS:
            raise ConfigError(
                f"{self.where}: there are {len(names)} keypoints; at most {MOST_KEYPOINTS} are "
                "possible."
            )
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ConfigError(f"{self.where}: keypoint {twice[0]!r} is named more than once.")
        self._set(names=names, mirror=self._both_ways(), limbs=self._checked_limbs())
        self._set(sigmas=self._checked_sigmas(), colors=self._checked_colors())

    def _set(self, **values: Any) -> None:
        for name, value in values.items():
            object.__setattr__(self, name, value)  # a frozen dataclass, not yet finished

    def _known(self, name: str, what: str) -> str:
        if name in self.names:
            return name
        raise ConfigError(
            f"{self.where}: {what} names {quoted(name)}, which is no keypoint."
            f"{did_you_mean(name, self.names)}"
        )

    def _both_ways(self) -> dict[str, str]:
        partner: dict[str, str] = {}
        for one, other in self.mirror.items():
            for name, its in ((one, other), (other, one)):
                self._known(name, "mirror")
                if partner.setdefault(name, its) != its:
                    raise ConfigError(
                        f"{self.where}: the mirror partner of {name!r} is {partner[name]!r} in one "
                        f"place and {its!r} in another."
                    )
        return partner

    def _checked_limbs(self) -> tuple[tuple[str, str], ...]:
        limbs = []
        given: Any = self.limbs  # a file may hold anything
        for limb in given:
            if len(limb) != 2 or limb[0] == limb[1]:
                raise ConfigError(f"{self.where}: a limb joins two keypoints, got {list(limb)}.")
            limbs.append((self._known(limb[0], "a limb"), self._known(limb[1], "a limb")))
        return tuple(limbs)

    def _checked_sigmas(self) -> tuple[float, ...]:
        sigmas = tuple(map(float, self.sigmas)) or (DEFAULT_SIGMA,) * self.size
        if len(sigmas) != self.size:
            raise ConfigError(
                f"{self.where}: {len(sigmas)} sigmas for {self.size} keypoints; give one for each."
            )
        for name, sigma in zip(self.names, sigmas, strict=True):
            if not 0 < sigma < 1:
                raise ConfigError(
                    f"{self.where}: the sigma of {name!r} is {sigma}; it is a share of the "
                    "object's size, above 0 and below 1."
                )
        return sigmas

    def _checked_colors(self) -> tuple[str, ...]:
        colors = tuple(self.colors) or tuple(_color_circle(self.size))
        if len(colors) != self.size:
            raise ConfigError(
                f"{self.where}: {len(colors)} colours for {self.size} keypoints; give one for each."
            )
        for name, color in zip(self.names, colors, strict=True):
            if not _COLOR.fullmatch(color):
                raise ConfigError(
                    f"{self.where}: the colour of {name!r} is {color!r}; write it as #rrggbb."
                )
        return colors

    @property
    def size(self) -> int:
        """K, the number of keypoints."""
        return len(self.names)

    @property
    def flip_permutation(self) -> tuple[int, ...]:
        """For each keypoint the number of its mirror partner; its own inverse."""
        return tuple(self.names.index(self.mirror.get(name, name)) for name in self.names)

    @property
    def edges(self) -> tuple[tuple[int, int], ...]:
        """The limbs by the numbers of their ends."""
        return tuple((self.names.index(one), self.names.index(other)) for one, other in self.limbs)


def _color_circle(size: int) -> Iterable[str]:
    """`size` colours, equally spaced."""
    for index in range(size):
        red, green, blue = colorsys.hsv_to_rgb(index / size, 0.85, 0.95)
        yield f"#{round(255 * red):02x}{round(255 * green):02x}{round(255 * blue):02x}"


def shipped() -> list[str]:
    """Names of the sets that come with this package.

    >>> shipped()
    ['coco17', 'face5', 'face68', 'face98', 'hand21']
    """
    return sorted(path.stem for path in SCHEMAS.glob("*.json"))


def load(name_or_path: str) -> KeypointSchema:
    """The schema of a shipped name, or of a file.

    Args:
        name_or_path: one of `shipped()`, or the path of a JSON file (its name ends in `.json`).

    Raises:
        ConfigError: there is no such name or file, or the file contradicts itself.
    """
    if not name_or_path.endswith(".json"):
        if name_or_path not in shipped():
            raise ConfigError(
                f"Unknown keypoint schema {quoted(name_or_path)}."
                f"{did_you_mean(name_or_path, shipped())} Known: {', '.join(shipped())}; or the path "
                "of a .json file of your own."
            )
        path = SCHEMAS / f"{name_or_path}.json"
    else:
        path = pathlib.Path(name_or_path)
    text = small_files.read_text(str(path), "keypoint schema")
    try:
        content = json.loads(text)
    except (ValueError, RecursionError) as error:
        # A ValueError besides those of JSON: a number of thousands of digits.
        raise ConfigError(f"{path}: not a JSON file: {error}.") from error
    return _from_content(content, str(path))


def _from_content(content: Any, where: str) -> KeypointSchema:
    if not isinstance(content, dict) or not isinstance(content.get("keypoints"), list):
        raise ConfigError(f"{where}: should be an object with a list `keypoints`.")
    _only_known(content, _KNOWN_OF_A_FILE, where)
    rows = []
    for number, row in enumerate(content["keypoints"]):
        if not isinstance(row, dict) or not isinstance(row.get("name"), str):
            raise ConfigError(f"{where}: keypoint {number} should be an object with a `name`.")
        _only_known(row, _KNOWN_OF_A_KEYPOINT, f"{where}: keypoint {row['name']!r}")
        rows.append(row)
        mirror = row.get("mirror", "")
        if not isinstance(mirror, str):
            raise ConfigError(f"{where}: mirror of {row['name']!r} should be a name.")
    limbs = content.get("limbs", [])
    if not isinstance(limbs, list) or not all(_is_names(limb) for limb in limbs):
        raise ConfigError(f"{where}: `limbs` should be a list of pairs of names.")
    return KeypointSchema(
        names=tuple(row["name"] for row in rows),
        mirror={row["name"]: row["mirror"] for row in rows if "mirror" in row},
        limbs=tuple(tuple(limb) for limb in limbs),
        sigmas=_all_or_none(rows, "sigma", DEFAULT_SIGMA, where),
        colors=_all_or_none(rows, "color", "#2ca02c", where),
        where=where,
    )


def _is_names(limb: Any) -> bool:
    return isinstance(limb, list) and all(isinstance(name, str) for name in limb)


def _all_or_none(rows: list[dict[str, Any]], key: str, default: Any, where: str) -> tuple[Any, ...]:
    """The rows' values, the default where only some have one, nothing where none has."""
    if not any(key in row for row in rows):
        return ()
    values = tuple(row.get(key, default) for row in rows)
    kind = type(default)
    for row, value in zip(rows, values, strict=True):
        # Python's whole numbers may be too large for a float.
        is_small = kind is float and isinstance(value, int) and abs(value) < 2**53
        if not isinstance(value, kind) and not is_small:
            raise ConfigError(
                f"{where}: {key} of {row['name']!r} is {quoted(str(value))}, should be a "
                f"{'number' if kind is float else 'text'}."
            )
    return values


def _only_known(row: dict[str, Any], known: tuple[str, ...], where: str) -> None:
    for key in row:
        if key not in known:
            raise ConfigError(f"{where}: unknown entry {key!r}; known are {', '.join(known)}.")


def from_labels(labels: Mapping[str, int], where: str) -> KeypointSchema:
    """The schema of a label map's keypoints: names and order; no mirror partners.

    Args:
        labels: name -> number, from 0, as `label_map_util.get_keypoint_label_map_dict` gives it.
        where: the label map, for messages.

    Raises:
        ConfigError: the numbers are not 0 .. K - 1.
    """
    if sorted(labels.values()) != list(range(len(labels))):
        raise ConfigError(
            f"{where}: keypoints should be numbered 0 to {len(labels) - 1}, got "
            f"{sorted(labels.values())}."
        )
    return KeypointSchema(names=tuple(sorted(labels, key=lambda name: labels[name])), where=where)


def check_same_names(schema: KeypointSchema, other: KeypointSchema) -> None:
    """Refuses two schemas that name or order keypoints differently.

    Raises:
        ConfigError: they do; both places are named.
    """
    if schema.names == other.names:
        return
    if schema.size != other.size:
        raise ConfigError(
            f"{schema.where} has {schema.size} keypoints, but {other.where} has {other.size}."
        )
    place = next(i for i in range(schema.size) if schema.names[i] != other.names[i])
    raise ConfigError(
        f"Keypoint {place} is {schema.names[place]!r} in {schema.where}, but "
        f"{other.names[place]!r} in {other.where}."
    )
