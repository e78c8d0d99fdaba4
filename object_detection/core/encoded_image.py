"""Pictures that are decoded when their pixels are needed, and only as far as they are needed.

Flips and crops look at boxes and at the size of the picture, not at its pixels. On an
`EncodedImage` they change which part of the file is wanted; in the end that part is decoded. Its
pixels are those that decoding the whole file and cutting it would give.

`shape`, `cut` and `mirror` take tensors [H, W, C] as well, so an augmentation does not need to know
what it was given.
"""

from typing import NamedTuple, TypeAlias

import tensorflow.compat.v1 as tf

# What a JPEG file ends with that is not cut off (ITU-T T.81, table B.1: end of image).
_END_OF_JPEG = b"\xff\xd9"
# What the sides of a picture can be divided by while it is decoded.
_RATIOS = (1, 2, 4, 8)


class EncodedImage(NamedTuple):
    """A part of a picture file, perhaps mirrored; decoded it is [h, w, 3] uint8."""

    contents: tf.Tensor  # [] string; the file
    decoded: tf.Tensor  # [H, W, 3] uint8; [0, 0, 3] if the file can be decoded in part
    file_size: tf.Tensor  # [2] int32; height and width of the whole picture
    begin: tf.Tensor  # [2] int32; first row and column of the part, counted in the file
    size: tf.Tensor  # [2] int32; height and width of the part
    mirrored: tf.Tensor  # [2] bool; whether rows and columns come in reverse order
    # [2] int32; height and width that are enough, so more may be reduced while it is decoded; [0]
    # where the part is to keep its size.
    enough: tf.Tensor


Image: TypeAlias = tf.Tensor | EncodedImage


def decode(contents: tf.Tensor, channels: int = 3, dct_method: str = "") -> tf.Tensor:
    """A file, [] string, -> [H, W, channels] uint8; the format is told by the content.

    Args:
        contents: [] string.
        channels: 1 or 3.
        dct_method: of JPEG, as `tf.io.decode_jpeg` takes it.
    """
    image = tf.cond(
        tf.io.is_jpeg(contents),
        lambda: tf.io.decode_jpeg(contents, channels=channels, dct_method=dct_method),
        lambda: tf.io.decode_image(contents, channels=channels, expand_animations=False),
    )
    image.set_shape([None, None, channels])
    return image


def from_file(contents: tf.Tensor, enough: tuple[int, int] | None = None) -> EncodedImage:
    """The whole picture of a file.

    Only whole JPEG files can be decoded in part. Others are decoded at once: most formats have no
    parts, and that a file is cut off or damaged should be found whatever part is wanted.

    Args:
        contents: [] string.
        enough: height and width. What is wanted of a JPEG picture is decoded with its sides
            divided by 2, 4 or 8 if it is at least as large as this, then. By default it never is.
    """
    last = tf.maximum(tf.strings.length(contents) - len(_END_OF_JPEG), 0)
    end = tf.strings.substr(contents, last, len(_END_OF_JPEG))
    has_parts = tf.io.is_jpeg(contents) & tf.equal(end, _END_OF_JPEG)

    def of_header() -> list[tf.Tensor]:
        return [tf.zeros([0, 0, 3], tf.uint8), tf.io.extract_jpeg_shape(contents)[:2]]

    def of_pixels() -> list[tf.Tensor]:
        image = decode(contents)
        return [image, tf.shape(image)[:2]]

    decoded, size = tf.cond(has_parts, of_header, of_pixels)
    decoded.set_shape([None, None, 3])
    size.set_shape([2])
    return EncodedImage(
        contents=contents,
        decoded=decoded,
        file_size=size,
        begin=tf.zeros([2], tf.int32),
        size=size,
        mirrored=tf.zeros([2], tf.bool),
        enough=tf.constant(list(enough or ()), tf.int32),
    )


def as_image(image: Image) -> Image:
    """What was given; arrays become tensors."""
    return image if isinstance(image, EncodedImage) else tf.convert_to_tensor(image)


def shape(image: Image) -> tf.Tensor:
    """[3] int32: height, width and number of channels."""
    if isinstance(image, EncodedImage):
        return tf.concat([image.size, [3]], axis=0)
    return tf.shape(image)


def cut(image: Image, begin: tf.Tensor, size: tf.Tensor) -> Image:
    """A window: as for `tf.slice`, but all channels of it.

    Args:
        image: [H, W, C].
        begin: [2] or more, int32; row and column.
        size: [2] or more, int32; height and width.
    """
    begin, size = begin[:2], size[:2]
    if isinstance(image, EncodedImage):
        in_file = tf.where(image.mirrored, image.size - begin - size, begin)
        return image._replace(begin=image.begin + in_file, size=size)
    window = tf.slice(image, tf.concat([begin, [0]], axis=0), tf.concat([size, [-1]], axis=0))
    window.set_shape([None, None, image.shape[2]])
    return window


def mirror(image: Image, axis: int) -> Image:
    """Rows (axis 0) or columns (axis 1) in reverse order."""
    if isinstance(image, EncodedImage):
        turned = tf.constant([axis == 0, axis == 1])
        return image._replace(mirrored=tf.not_equal(image.mirrored, turned))
    return tf.reverse(image, [axis])


def float_pixels(image: Image) -> tf.Tensor:
    """[h, w, 3] float32 of an `EncodedImage`; a tensor stays as it is."""
    return tf.cast(pixels(image), tf.float32) if isinstance(image, EncodedImage) else image


def pixels(image: EncodedImage) -> tf.Tensor:
    """[h, w, 3] uint8."""
    begin, size = image.begin, image.size

    def of_file() -> tf.Tensor:
        if image.enough.shape.as_list() == [0]:
            return _part_of_jpeg(image, 1)
        spare = [tf.reduce_all(size >= ratio * image.enough) for ratio in _RATIOS[1:]]
        reduced = [lambda ratio=ratio: _part_of_jpeg(image, ratio) for ratio in _RATIOS]
        return tf.switch_case(tf.reduce_sum(tf.cast(tf.stack(spare), tf.int32)), reduced)

    part = tf.cond(tf.size(image.decoded) > 0, lambda: cut(image.decoded, begin, size), of_file)
    part = tf.cond(
        tf.reduce_any(image.mirrored),
        lambda: tf.reverse(part, tf.where(image.mirrored)[:, 0]),
        lambda: tf.identity(part),
    )
    part.set_shape([None, None, 3])
    return part


def _part_of_jpeg(image: EncodedImage, ratio: int) -> tf.Tensor:
    """The part, not mirrored, of the file with its sides divided by `ratio`.

    The edges of the part are rounded to whole pixels of the smaller picture.
    """
    y, x = tf.unstack((image.begin + ratio // 2) // ratio, num=2)
    bottom, right = tf.unstack((image.begin + image.size + ratio // 2) // ratio, num=2)
    width = (image.file_size[1] + ratio - 1) // ratio
    # Colours mostly have fewer columns than brightness, and are interpolated. At the edge of what is
    # decoded they would lack a neighbour, that is there in the whole picture. Rows do not lack it.
    first, last = tf.maximum(x - 1, 0), tf.minimum(right + 1, width)
    window = tf.stack([y, first, bottom - y, last - first])
    # TensorFlow's kernel takes the window in pixels of the smaller picture.
    wider = tf.raw_ops.DecodeAndCropJpeg(
        contents=image.contents, crop_window=window, channels=3, ratio=ratio
    )
    return wider[:, x - first : right - first]
