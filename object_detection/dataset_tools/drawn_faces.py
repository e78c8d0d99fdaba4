"""Draws pictures of faces with five landmarks, labelled as RetinaFace labels WIDER FACE.

A data set that needs no download: the demo trains on it, and tests run the whole way through it.

Frames:  face   (x right, y down, z out of the face), the head is the unit ball stretched by the
                half width and the half height of the face;
         canvas (x, y) in pixels of the picture; drawn at twice the size and reduced at the end.
Points:  left eye, right eye, nose tip, left mouth corner, right mouth corner, left as in the picture.
Labels:  x y w h (kx ky kv) * 5 sharpness; kv is 0 visible, 1 hidden, -1 missing (kx = ky = -1).
"""

import dataclasses
import functools
import multiprocessing
import pathlib
from collections.abc import Callable, Iterator

import numpy as np
from PIL import Image, ImageDraw, ImageFilter
from tqdm import tqdm

from object_detection.dataset_tools import worker_processes

Colour = tuple[int, int, int]

NUM_LANDMARKS = 5
_OVERSAMPLING = 2

# Height over width of a face: the median of WIDER FACE's boxes.
_FACE_ASPECT = 1.27

# Where the landmarks sit in the face frame, and how far each stands out of the head's surface.
_LANDMARKS = np.array([[-0.40, -0.20], [0.40, -0.20], [0.0, 0.17], [-0.30, 0.50], [0.30, 0.50]])
_STANDS_OUT = np.array([1.0, 1.0, 1.22, 1.0, 1.0])

_SKINS = (
    (255, 224, 196),
    (241, 194, 160),
    (224, 172, 132),
    (198, 134, 96),
    (160, 104, 68),
    (116, 74, 50),
    (82, 52, 38),
)
_HAIRS = ((30, 24, 20), (62, 42, 28), (110, 72, 38), (190, 150, 90), (130, 130, 132), (150, 60, 30))


@dataclasses.dataclass(frozen=True)
class Settings:
    """How the pictures vary; sizes in pixels, `*_share` are probabilities."""

    shortest_side: int = 200
    longest_side: int = 320
    most_faces: int = 4
    smallest_face: int = 40
    largest_face: float = 0.6  # width over the shorter side of the picture
    faceless_share: float = 0.06
    unlabelled_share: float = 0.08
    missing_point_share: float = 0.02
    occluded_share: float = 0.22
    largest_yaw: float = 0.60  # radians; the far eye stays in sight
    largest_pitch: float = 0.30
    largest_roll: float = 0.45


@dataclasses.dataclass(frozen=True)
class Face:
    """What the label says about one face, in pixels of the picture."""

    box: tuple[float, float, float, float]  # x, y, width, height
    points: np.ndarray  # [5, 2] of x, y
    states: np.ndarray  # [5]: 0 visible, 1 hidden, -1 missing
    sharpness: float

    def label_line(self) -> str:
        """The face as a line of `label.txt`."""
        fields = [f"{value:.2f}" for value in self.box]
        for (x, y), state in zip(self.points, self.states, strict=True):
            fields += (
                ["-1", "-1", "-1.0"] if state < 0 else [f"{x:.3f}", f"{y:.3f}", f"{state:.1f}"]
            )
        return " ".join([*fields, f"{self.sharpness:.2f}"])


@dataclasses.dataclass(frozen=True)
class _Pose:
    """Where a head is on the canvas; `on_canvas` takes points of the face frame there."""

    centre: np.ndarray
    half_width: float
    yaw: float
    pitch: float
    roll: float

    def on_canvas(self, points: np.ndarray, stands_out: np.ndarray | float = 1.0) -> np.ndarray:
        """[..., 2] on the face -> [..., 2] in pixels.

        Points inside the head's outline lie on the ball, so they slide when the head turns; those
        outside (hair, hat) have no depth and only follow the roll.
        """
        points = np.asarray(points, dtype=float)
        z = np.sqrt(np.maximum(0.0, 1.0 - np.sum(points**2, axis=-1))) * stands_out
        x = points[..., 0] * np.cos(self.yaw) + z * np.sin(self.yaw)
        y = points[..., 1] * np.cos(self.pitch) + z * np.sin(self.pitch)
        return self._to_plane(x, y)

    def flat(self, points: np.ndarray) -> np.ndarray:
        """Like `on_canvas` for what does not turn with the head: its outline, hair, hats."""
        points = np.asarray(points, dtype=float)
        return self._to_plane(points[..., 0], points[..., 1])

    def _to_plane(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        x, y = x * self.half_width, y * self.half_width * _FACE_ASPECT
        cos, sin = np.cos(self.roll), np.sin(self.roll)
        return self.centre + np.stack([x * cos - y * sin, x * sin + y * cos], axis=-1)


def _ellipse(
    cx: float, cy: float, rx: float, ry: float, start: float = 0.0, end: float = 2 * np.pi
) -> np.ndarray:
    angles = np.linspace(start, end, 40)
    return np.stack([cx + rx * np.cos(angles), cy + ry * np.sin(angles)], axis=-1)


def _shaded(colour: Colour, factor: float) -> Colour:
    red, green, blue = (int(np.clip(value * factor, 0, 255)) for value in colour)
    return red, green, blue


def _any_colour(rng: np.random.Generator) -> Colour:
    red, green, blue = (int(value) for value in rng.integers(0, 256, 3))
    return red, green, blue


def _pick(rng: np.random.Generator, colours: tuple[Colour, ...]) -> Colour:
    return _shaded(colours[rng.integers(len(colours))], rng.uniform(0.88, 1.1))


class _Canvas:
    """A picture under way: polygons and lines in the pixels of the finished picture."""

    def __init__(self, background: Image.Image) -> None:
        self.size = background.size
        self.image = background.resize(
            (background.width * _OVERSAMPLING, background.height * _OVERSAMPLING)
        )
        self._draw = ImageDraw.Draw(self.image)

    def polygon(self, points: np.ndarray, colour: Colour) -> None:
        self._draw.polygon([tuple(point) for point in points * _OVERSAMPLING], fill=colour)

    def line(self, points: np.ndarray, colour: Colour, width: float) -> None:
        self._draw.line(
            [tuple(point) for point in points * _OVERSAMPLING],
            fill=colour,
            width=max(1, round(width * _OVERSAMPLING)),
            joint="curve",
        )

    def finished(self) -> Image.Image:
        return self.image.resize(self.size, Image.Resampling.BOX)


# Backgrounds and things that are no faces.


def _gradient(rng: np.random.Generator, width: int, height: int) -> np.ndarray:
    along = np.linspace(0, 1, width)[None, :, None] * rng.uniform(-1, 1)
    down = np.linspace(0, 1, height)[:, None, None] * rng.uniform(-1, 1)
    share = along + down
    share = (share - share.min()) / max(float(np.ptp(share)), 1e-6)
    return np.array(_any_colour(rng)) * share + np.array(_any_colour(rng)) * (1 - share)


def _cloud(rng: np.random.Generator, width: int, height: int) -> np.ndarray:
    cells = int(rng.integers(4, 40))
    coarse = rng.integers(0, 256, (cells, cells, 3)).astype(np.uint8)
    smooth = Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC)
    mix = rng.uniform(0.2, 0.7)
    return np.asarray(smooth) * mix + np.array(_any_colour(rng)) * (1 - mix)


def _stripes(rng: np.random.Generator, width: int, height: int) -> np.ndarray:
    angle, period = rng.uniform(0, np.pi), rng.uniform(6, 50)
    rows, columns = np.mgrid[0:height, 0:width]
    phase = (columns * np.cos(angle) + rows * np.sin(angle)) / period
    if rng.random() < 0.4:
        across = (rows * np.cos(angle) - columns * np.sin(angle)) / period
        phase = np.floor(phase) + np.floor(across)
    even = (np.floor(phase) % 2)[..., None]
    return np.array(_any_colour(rng)) * even + np.array(_any_colour(rng)) * (1 - even)


_BACKGROUNDS: tuple[Callable[[np.random.Generator, int, int], np.ndarray], ...] = (
    _gradient,
    _cloud,
    _stripes,
)


def _background(rng: np.random.Generator, width: int, height: int) -> Image.Image:
    pixels = _BACKGROUNDS[rng.integers(len(_BACKGROUNDS))](rng, width, height)
    return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))


def _clutter(rng: np.random.Generator, canvas: _Canvas) -> None:
    width, height = canvas.size
    for _ in range(rng.integers(2, 14)):
        centre = rng.uniform(0, 1, 2) * (width, height)
        size = rng.uniform(0.03, 0.22) * min(width, height)
        colour = _any_colour(rng)
        kind = rng.integers(4)
        if kind == 0:
            corners = rng.integers(3, 8)
            angles = np.sort(rng.uniform(0, 2 * np.pi, corners))
            ring = np.stack([np.cos(angles), np.sin(angles)], axis=-1)
            canvas.polygon(centre + ring * size, colour)
        elif kind == 1:
            half = size * rng.uniform(0.3, 1.2, 2)
            ring = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]])
            canvas.polygon(centre + ring * half, colour)
        elif kind == 2:
            canvas.line(centre + rng.uniform(-2, 2, (4, 2)) * size, colour, rng.uniform(1, 6))
        else:
            # A ball in the colour of skin, sometimes with hair: the outline alone is no face.
            skin = _pick(rng, _SKINS)
            tall = rng.uniform(0.8, 1.4)
            if rng.random() < 0.4:
                hair = _ellipse(0, -0.2, 1.15, 1.1 * tall)
                canvas.polygon(centre + hair * size, _pick(rng, _HAIRS))
            canvas.polygon(centre + _ellipse(0, 0, 1, tall) * size, skin)


# One face.


def _draw_behind(rng: np.random.Generator, canvas: _Canvas, pose: _Pose, skin: Colour) -> None:
    """Shoulders and neck."""
    upright = dataclasses.replace(pose, roll=pose.roll * 0.3)
    shoulders = _ellipse(0, 2.05, 1.9, 1.0)
    neck = np.array([[-0.42, 0.5], [0.42, 0.5], [0.5, 1.4], [-0.5, 1.4]])
    canvas.polygon(upright.flat(shoulders), _any_colour(rng))
    canvas.polygon(upright.flat(neck), _shaded(skin, 0.82))


def _draw_hair_behind(rng: np.random.Generator, canvas: _Canvas, pose: _Pose, hair: Colour) -> None:
    if rng.random() < 0.35:
        canvas.polygon(pose.flat(_ellipse(0, 0.25, 1.28, 1.35)), hair)
    else:
        canvas.polygon(pose.flat(_ellipse(0, -0.17, 1.12, 1.05)), hair)


def _draw_head(rng: np.random.Generator, canvas: _Canvas, pose: _Pose, skin: Colour) -> None:
    for side in (-1, 1):
        visible = 1.0 - side * np.sin(pose.yaw)
        ear = _ellipse(side * 0.98, 0.0, 0.13 * visible, 0.2)
        canvas.polygon(pose.flat(ear), _shaded(skin, 0.85))
    canvas.polygon(pose.flat(_ellipse(0, 0, 1, 1)), skin)
    # The side away from the light: a crescent of the outline, darker.
    side = rng.choice([-1, 1])
    depth = rng.uniform(0.55, 0.95)
    outer = _ellipse(0, 0, 1, 1, -np.pi / 2, np.pi / 2) * (side, 1)
    inner = _ellipse(0, 0, depth, 1, np.pi / 2, -np.pi / 2) * (side, 1)
    canvas.polygon(pose.flat(np.concatenate([outer, inner])), _shaded(skin, rng.uniform(0.7, 0.95)))


def _draw_features(rng: np.random.Generator, canvas: _Canvas, pose: _Pose, skin: Colour) -> None:
    scale = pose.half_width
    brow = _shaded(skin, 0.4)
    open_share = rng.uniform(0.4, 1.0) if rng.random() < 0.9 else 0.1
    iris = _pick(rng, ((70, 45, 25), (60, 100, 140), (70, 110, 70), (40, 40, 40)))
    gaze = rng.uniform(-0.05, 0.05)
    for x, y in _LANDMARKS[:2]:
        canvas.polygon(pose.on_canvas(_ellipse(x, y, 0.21, 0.12)), _shaded(skin, 0.78))
        canvas.polygon(pose.on_canvas(_ellipse(x, y, 0.17, 0.10 * open_share)), (240, 240, 236))
        radius = 0.085
        canvas.polygon(
            pose.on_canvas(_ellipse(x + gaze, y, radius, min(radius, 0.1 * open_share))), iris
        )
        canvas.polygon(
            pose.on_canvas(_ellipse(x + gaze, y, 0.045, min(0.045, 0.1 * open_share))), (12, 12, 12)
        )
        arch = _ellipse(x, y - 0.12, 0.2, 0.1, np.pi * 1.15, np.pi * 1.85)
        canvas.line(pose.on_canvas(arch), brow, 0.07 * scale)

    nose = np.array([[-0.05, -0.1], [0.05, -0.1], [0.13, 0.2], [0.0, 0.27], [-0.13, 0.2]])
    canvas.polygon(
        pose.on_canvas(nose, np.array([1.02, 1.02, 1.1, 1.15, 1.1])), _shaded(skin, 0.88)
    )
    tip = _ellipse(0, _LANDMARKS[2][1], 0.06, 0.05)
    canvas.polygon(pose.on_canvas(tip, _STANDS_OUT[2]), _shaded(skin, 1.12))
    for side in (-1, 1):
        nostril = _ellipse(side * 0.07, 0.25, 0.03, 0.02)
        canvas.polygon(pose.on_canvas(nostril, 1.1), _shaded(skin, 0.45))

    lips = _pick(rng, ((190, 70, 80), (160, 60, 60), (205, 100, 100), (140, 50, 60)))
    smile, opened = rng.uniform(-0.04, 0.12), rng.uniform(0.03, 0.12)
    left, right = _LANDMARKS[3], _LANDMARKS[4]
    share = np.linspace(0, 1, 20)
    bow = 4 * share * (1 - share)
    x = left[0] + (right[0] - left[0]) * share
    upper = np.stack([x, left[1] + bow * (smile - 0.06)], axis=-1)
    lower = np.stack([x, left[1] + bow * (smile + opened)], axis=-1)
    canvas.polygon(pose.on_canvas(np.concatenate([upper, lower[::-1]])), lips)
    canvas.line(pose.on_canvas((upper + lower) / 2), _shaded(lips, 0.4), 0.03 * scale)


def _draw_top(rng: np.random.Generator, canvas: _Canvas, pose: _Pose, hair: Colour) -> None:
    """Fringe, bald head, hat; beard and glasses."""
    kind = rng.random()
    if kind < 0.6:
        line = rng.uniform(-0.72, -0.5)
        start = np.arcsin(line)
        cap = _ellipse(0, 0, 1.04, 1.04, np.pi - start, 2 * np.pi + start)
        wave = np.linspace(1, -1, 12) * np.cos(start)
        fringe = np.stack([wave, line + rng.uniform(-0.1, 0.1, 12)], axis=-1)
        canvas.polygon(pose.flat(np.concatenate([cap, fringe])), hair)
    elif kind < 0.8:
        colour = _any_colour(rng)
        crown = _ellipse(0, -0.6, 1.08, 0.75, np.pi, 2 * np.pi)
        canvas.polygon(pose.flat(crown), colour)
        reach = rng.uniform(1.1, 1.5)
        brim = np.array([[-reach, -0.66], [reach, -0.66], [reach, -0.52], [-reach, -0.52]])
        canvas.polygon(pose.flat(brim), _shaded(colour, 0.7))
    if rng.random() < 0.18:
        rim = _pick(rng, ((20, 20, 20), (120, 90, 40), (150, 30, 40)))
        for x, y in _LANDMARKS[:2]:
            ring = pose.on_canvas(_ellipse(x, y, 0.27, 0.2))
            canvas.line(np.concatenate([ring, ring[:1]]), rim, 0.05 * pose.half_width)
        bridge = np.array([[-0.13, -0.2], [0.13, -0.2]])
        canvas.line(pose.on_canvas(bridge), rim, 0.05 * pose.half_width)


def _occluder(rng: np.random.Generator, pose: _Pose) -> np.ndarray:
    """A polygon over a part of the face, [P, 2] in pixels."""
    angle = rng.uniform(0, 2 * np.pi)
    centre = np.array([np.cos(angle), np.sin(angle)]) * rng.uniform(0.55, 0.9)
    spread = rng.uniform(0.25, 0.5)
    corners = int(rng.integers(4, 9))
    angles = np.sort(rng.uniform(0, 2 * np.pi, corners) * 0.3 + np.linspace(0, 5, corners))
    ring = np.stack([np.cos(angles), np.sin(angles)], axis=-1) * spread * rng.uniform(0.7, 1.3)
    return pose.flat(centre + ring)


def _inside(points: np.ndarray, polygon: np.ndarray) -> np.ndarray:
    """Whether each of [N, 2] lies in the polygon [P, 2]: an odd number of edges to its right."""
    x, y = points[:, None, 0], points[:, None, 1]
    x1, y1 = polygon[None, :, 0], polygon[None, :, 1]
    x2, y2 = np.roll(x1, -1, axis=1), np.roll(y1, -1, axis=1)
    straddles = (y1 > y) != (y2 > y)
    rise = np.where(y2 == y1, 1.0, y2 - y1)
    crossing = x1 + (y - y1) / rise * (x2 - x1)
    return np.sum(straddles & (x < crossing), axis=1) % 2 == 1


@dataclasses.dataclass(frozen=True)
class _Looks:
    """The colours of one person."""

    skin: Colour
    hair: Colour
    bald: bool


def _draw_face(
    rng: np.random.Generator, canvas: _Canvas, pose: _Pose, looks: _Looks, settings: Settings
) -> tuple[np.ndarray, np.ndarray]:
    """Draws one head; returns its points [5, 2] and their states [5]."""
    if not looks.bald:
        _draw_hair_behind(rng, canvas, pose, looks.hair)
    _draw_head(rng, canvas, pose, looks.skin)
    _draw_features(rng, canvas, pose, looks.skin)
    if not looks.bald:
        _draw_top(rng, canvas, pose, looks.hair)

    points = pose.on_canvas(_LANDMARKS, _STANDS_OUT)
    states = np.zeros(NUM_LANDMARKS)
    if rng.random() < settings.occluded_share:
        polygon = _occluder(rng, pose)
        canvas.polygon(polygon, _any_colour(rng))
        states[_inside(points, polygon)] = 1
    states[np.any((points < 0) | (points >= canvas.size), axis=1)] = 1
    if rng.random() < settings.unlabelled_share:
        states[:] = -1
    states[rng.random(NUM_LANDMARKS) < settings.missing_point_share] = -1
    return points, states


def _outline_box(pose: _Pose, size: tuple[int, int]) -> tuple[float, float, float, float]:
    outline = pose.flat(_ellipse(0, 0, 1, 1))
    x1, y1 = np.maximum(outline.min(axis=0), 0)
    x2, y2 = np.minimum(outline.max(axis=0), size)
    return float(x1), float(y1), float(x2 - x1), float(y2 - y1)


def _poses(
    rng: np.random.Generator, size: tuple[int, int], count: int, settings: Settings
) -> Iterator[_Pose]:
    """Up to `count` heads that do not cover one another, the small (far) ones first."""
    shorter = min(size)
    # The more faces, the smaller: otherwise the later ones find no room.
    largest = settings.largest_face * shorter / max(1.0, count**0.5)
    smallest = min(settings.smallest_face, largest)
    widths = np.sort(np.exp(rng.uniform(np.log(smallest), np.log(largest), count)))[::-1]
    placed: list[_Pose] = []
    for width in widths:
        for _ in range(30):
            half = width / 2
            margin = half * rng.choice([0.75, 1.1, 1.3])
            low = np.minimum([margin, margin * _FACE_ASPECT], np.array(size) / 2)
            pose = _Pose(
                centre=rng.uniform(low, np.array(size) - low),
                half_width=half,
                yaw=rng.uniform(-1, 1) * settings.largest_yaw,
                pitch=rng.uniform(-1, 1) * settings.largest_pitch,
                roll=float(np.clip(rng.normal(0, 0.22), -1, 1)) * settings.largest_roll / 0.45,
            )
            apart = (
                np.hypot(*((pose.centre - other.centre) / (1, _FACE_ASPECT)))
                > 1.35 * (half + other.half_width)
                for other in placed
            )
            if all(apart):
                placed.append(pose)
                break
    yield from reversed(placed)


def _photographed(
    rng: np.random.Generator, image: Image.Image, settings: Settings
) -> tuple[Image.Image, float]:
    """Light from one side, soft focus, noise; and the sharpness that the label gives."""
    del settings
    blur = float(rng.choice([0.0, 0.0, rng.uniform(0.3, 1.2)]))
    if blur:
        image = image.filter(ImageFilter.GaussianBlur(blur))
    pixels = np.asarray(image, dtype=np.float32)
    height, width = pixels.shape[:2]
    falloff = np.linspace(-1, 1, width)[None, :] * rng.uniform(-0.3, 0.3)
    falloff = falloff + np.linspace(-1, 1, height)[:, None] * rng.uniform(-0.3, 0.3)
    light = rng.uniform(0.65, 1.15) * (1 + falloff)[..., None] * rng.uniform(0.9, 1.1, 3)
    noise = rng.normal(0, rng.uniform(0, 9), pixels.shape)
    pixels = np.clip(pixels * light + noise, 0, 255).astype(np.uint8)
    return Image.fromarray(pixels), max(0.0, 0.9 - 0.6 * blur)


def draw_picture(
    rng: np.random.Generator, settings: Settings | None = None
) -> tuple[Image.Image, list[Face]]:
    """One picture and the faces in it.

    Args:
        rng: decides everything; the same state gives the same picture.
        settings: how pictures vary; None for the defaults.

    Returns:
        An RGB picture, and its faces, those far away first.
    """
    settings = settings or Settings()
    width, height = (
        int(side) for side in rng.integers(settings.shortest_side, settings.longest_side + 1, 2)
    )
    canvas = _Canvas(_background(rng, width, height))
    _clutter(rng, canvas)
    faces: list[tuple[_Pose, np.ndarray, np.ndarray]] = []
    if rng.random() >= settings.faceless_share:
        count = int(rng.integers(1, settings.most_faces + 1))
        people = [
            (pose, _Looks(_pick(rng, _SKINS), _pick(rng, _HAIRS), rng.random() < 0.1))
            for pose in _poses(rng, canvas.size, count, settings)
        ]
        # All bodies first: a nearer one's shoulders must not hide a head that has a label.
        for pose, looks in people:
            _draw_behind(rng, canvas, pose, looks.skin)
        faces = [(pose, *_draw_face(rng, canvas, pose, looks, settings)) for pose, looks in people]
    image, sharpness = _photographed(rng, canvas.finished(), settings)
    return image, [
        Face(_outline_box(pose, image.size), points, states, sharpness)
        for pose, points, states in faces
    ]


def _write_picture(number: int, *, folder: pathlib.Path, seed: int, settings: Settings) -> str:
    """Draws and saves picture `number`; returns its lines of the label file."""
    rng = np.random.default_rng([seed, number])
    image, faces = draw_picture(rng, settings)
    name = f"{number:04d}.jpg"
    image.save(folder / "images" / name, quality=int(rng.integers(75, 96)))
    return "".join(f"{line}\n" for line in [f"# {name}", *(face.label_line() for face in faces)])


def write_pictures(
    folder: str | pathlib.Path,
    count: int,
    seed: int = 0,
    workers: int = 2,
    settings: Settings | None = None,
) -> pathlib.Path:
    """Writes `folder`/images/NNNN.jpg and `folder`/label.txt.

    Args:
        folder: made if absent.
        count: number of pictures.
        seed: of the whole set; sets with different seeds share no picture.
        workers: processes that draw; 1 draws in this one.
        settings: how pictures vary; None for the defaults.

    Returns:
        The path of the label file.
    """
    folder = pathlib.Path(folder)
    (folder / "images").mkdir(parents=True, exist_ok=True)
    write = functools.partial(
        _write_picture, folder=folder, seed=seed, settings=settings or Settings()
    )
    if workers > 1:
        with worker_processes.deaf_to_ctrl_c():
            started = multiprocessing.get_context("spawn").Pool(workers)
        with started as pool:
            drawn = pool.imap(write, range(count), chunksize=8)
            blocks = list(
                tqdm(
                    drawn, total=count, desc=f"Drawing {folder.name}", unit="picture", disable=None
                )
            )
    else:
        numbers = tqdm(range(count), desc=f"Drawing {folder.name}", unit="picture", disable=None)
        blocks = [write(number) for number in numbers]
    labels = folder / "label.txt"
    labels.write_text("".join(blocks))
    return labels
