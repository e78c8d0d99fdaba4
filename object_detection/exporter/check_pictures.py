"""Pictures on which an export is compared with its checkpoint, and how a graph is fed with them."""

import glob
import io
import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import tensorflow.compat.v1 as tf
from PIL import Image, ImageDraw

from object_detection.errors import DataError
from object_detection.exporter.graph_inputs import Shape
from object_detection.utils.pictures.reading import read_rgb

Array = np.ndarray[Any, Any]

# Of pictures whose size is open: upright, lying, and small.
_SIZES = ((301, 199), (240, 320), (64, 96))  # height, width
_DRAWN = 4  # pictures at least


class Pictures(NamedTuple):
    """Where pictures to check come from; `batches` gives them in the shape of an input."""

    said: str  # for people: "5 drawn pictures"
    make: Callable[[Shape], Iterator[Array]]


def _noise(random: np.random.RandomState, height: int, width: int) -> Image.Image:
    coarse = random.randint(0, 256, [height // 8 + 2, width // 8 + 2, 3]).astype(np.uint8)
    return Image.fromarray(coarse).resize((width, height), Image.Resampling.BILINEAR)


def _gradient(random: np.random.RandomState, height: int, width: int) -> Image.Image:
    corners = random.randint(0, 256, [2, 2, 3]).astype(np.uint8)
    return Image.fromarray(corners).resize((width, height), Image.Resampling.BICUBIC)


def _faces(random: np.random.RandomState, height: int, width: int) -> Image.Image:
    """Ellipses with eyes, nose and mouth, of several sizes."""
    image = _gradient(random, height, width)
    draw = ImageDraw.Draw(image)
    for _ in range(5):
        size = random.uniform(0.1, 0.6) * min(height, width)
        left, top = random.uniform(0, width - 0.8 * size), random.uniform(0, height - size)
        skin = tuple(int(value) for value in random.randint(60, 256, 3))

        def ellipse(
            place: tuple[float, float, float, float],
            colour: Any,
            origin: tuple[float, float] = (left, top),
            scale: float = size,
        ) -> None:
            y, x, radius_y, radius_x = (scale * value for value in place)
            x, y = origin[0] + x, origin[1] + y
            draw.ellipse((x - radius_x, y - radius_y, x + radius_x, y + radius_y), colour)

        ellipse((0.5, 0.4, 0.5, 0.38), skin)
        for eye in (0.25, 0.55):
            ellipse((0.4, eye, 0.06, 0.09), "white")
            ellipse((0.4, eye, 0.04, 0.04), "black")
        ellipse((0.58, 0.4, 0.07, 0.04), tuple(value // 2 for value in skin))
        ellipse((0.78, 0.4, 0.04, 0.16), "darkred")
    return image


_KINDS = (_faces, _noise, _gradient)


def _drawn(number: int, height: int, width: int) -> Array:
    """[H, W, 3] uint8; the same for the same number, on every machine."""
    random = np.random.RandomState(number)
    return np.array(_KINDS[number % len(_KINDS)](random, height, width))


def _in_batches(pictures: Iterator[Array], size: int) -> Iterator[Array]:
    """Batches of pictures of one size; the last is filled up with its own pictures."""
    while batch := list(itertools.islice(pictures, size)):
        yield np.stack([batch[index % len(batch)] for index in range(size)])


def drawn() -> Pictures:
    """Faces, noise and gradients, drawn anew in each place and alike in all."""

    def make(shape: Shape) -> Iterator[Array]:
        batch, height, width = shape[:3]
        if batch is not None:
            count = batch * -(-_DRAWN // batch)
            one = (height or _SIZES[1][0], width or _SIZES[1][1])
            sizes = itertools.repeat(one, count)
            yield from _in_batches(
                (_drawn(number, *size) for number, size in enumerate(sizes)), batch
            )
            return
        for number, size in enumerate(_SIZES):
            yield _drawn(number, height or size[0], width or size[1])[np.newaxis]
        # Several pictures take another way through the graph than one.
        number, size = len(_SIZES), _SIZES[1]
        yield np.stack(
            [_drawn(number + more, height or size[0], width or size[1]) for more in range(2)]
        )

    return Pictures("drawn faces, noise and gradients", make)


def of_files(patterns: Sequence[str]) -> Pictures:
    """The user's pictures, as stored; resized where an input has a fixed size.

    Args:
        patterns: names of files, or patterns of names.

    Raises:
        DataError: no file has such a name, or there is only one picture.
    """
    paths: list[str] = []
    for pattern in patterns:
        found = sorted(glob.glob(pattern))
        if not found:
            raise DataError(
                f"{pattern}: no picture has such a name. Give a name or 'folder/*.jpg'."
            )
        paths += found
    if len(paths) < 2:
        raise DataError(
            f"{paths[0]}: one picture alone cannot show that the results depend on the picture; "
            "give two or more."
        )

    def make(shape: Shape) -> Iterator[Array]:
        batch, height, width = shape[:3]

        def sized() -> Iterator[Array]:
            for path in paths:
                image = read_rgb(path)
                wanted = (height or image.shape[0], width or image.shape[1])
                if batch is not None and batch > 1:
                    # They share a batch: all like the first, where the size is open.
                    wanted = (height or common[0], width or common[1])
                if wanted != image.shape[:2]:
                    image = np.array(Image.fromarray(image).resize(wanted[::-1]))
                yield image

        common = read_rgb(paths[0]).shape[:2]
        if batch is not None:
            yield from _in_batches(sized(), batch)
            return
        for number, image in enumerate(sized()):
            yield image[np.newaxis]
            if number == 0:
                yield np.stack([image, image[:, ::-1]])

    named = " ".join(patterns[:2]) + (" ..." if len(patterns) > 2 else "")
    return Pictures(named, make)


class Input(NamedTuple):
    """What a graph is fed with."""

    input_type: str
    shape: Shape  # [batch, height, width, channels], None for what is open
    side_inputs: Mapping[str, tuple[Sequence[int | None], tf.DType]]  # name -> shape, type

    def feed(self, images: Array) -> dict[str, Any]:
        """Placeholder -> value for a batch of pictures [B, H, W, 3] uint8."""
        fed: Any
        if self.input_type == "image_tensor":
            fed = images[..., : self.shape[3] or 3]
        else:
            fed = [_encoded(image, self.input_type) for image in images]
        side = {
            f"{name}:0": _side_input(shape, kind, len(images))
            for name, (shape, kind) in self.side_inputs.items()
        }
        return {f"{self.input_type}:0": fed, **side}


def _encoded(image: Array, input_type: str) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(image).save(stream, "PNG")  # without loss: both graphs see the same pixels
    if input_type == "encoded_image_string_tensor":
        return stream.getvalue()
    feature = {
        name: tf.train.Feature(bytes_list=tf.train.BytesList(value=[value]))
        for name, value in (("image/encoded", stream.getvalue()), ("image/format", b"png"))
    }
    example = tf.train.Example(features=tf.train.Features(feature=feature))
    return bytes(example.SerializeToString())


def _side_input(shape: Sequence[int | None], kind: tf.DType, batch: int) -> Array:
    """Some value of a shape: its first size, if open, is that of the batch; others are 1 then."""
    sizes = [
        size if size is not None else (batch if axis == 0 else 1) for axis, size in enumerate(shape)
    ]
    if kind == tf.string:
        return np.full(sizes, b"x", object)
    values = np.random.RandomState(0).uniform(0.0, 1.0, sizes)
    return (values if kind.is_floating else np.ones(sizes)).astype(kind.as_numpy_dtype)
