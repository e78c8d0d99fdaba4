"""Changes of tone that `autoaugment_image` is made of (arXiv:1805.09501, table 6).

Images are [H, W, 3] float32 in [0, 255]; a magnitude is a number of 0 to 1, or a scalar tensor.
"""

import numpy as np
import tensorflow.compat.v1 as tf


def _blend(dull: tf.Tensor, image: tf.Tensor, magnitude: tf.Tensor) -> tf.Tensor:
    """From `dull`, at a factor of 0, over the picture, at 1, to the contrary of dull."""
    factor = magnitude * 1.8 + 0.1
    return tf.clip_by_value(dull + factor * (image - dull), 0.0, 255.0)


def color(image: tf.Tensor, magnitude: tf.Tensor) -> tf.Tensor:
    """Less colour, or more."""
    gray = tf.image.grayscale_to_rgb(tf.image.rgb_to_grayscale(image))
    return _blend(gray, image, magnitude)


def contrast(image: tf.Tensor, magnitude: tf.Tensor) -> tf.Tensor:
    """Nearer to the mean grey, or further from it."""
    mean = tf.reduce_mean(tf.image.rgb_to_grayscale(image))
    return _blend(tf.fill(tf.shape(image), mean), image, magnitude)


def brightness(image: tf.Tensor, magnitude: tf.Tensor) -> tf.Tensor:
    """Darker, or brighter."""
    return _blend(tf.zeros_like(image), image, magnitude)


def sharpness(image: tf.Tensor, magnitude: tf.Tensor) -> tf.Tensor:
    """Smoother, or sharper; the outermost pixels have no neighbours and stay."""
    kernel = np.ones([3, 3], np.float32)
    kernel[1, 1] = 5.0
    kernel = np.tile((kernel / 13.0)[..., np.newaxis, np.newaxis], [1, 1, 3, 1])
    smooth = tf.nn.depthwise_conv2d(image[tf.newaxis], kernel, [1, 1, 1, 1], "SAME")[0]
    shape = tf.shape(image)
    inner = tf.pad(
        tf.ones(tf.maximum(shape[:2] - 2, 0), tf.bool),
        tf.minimum([[1, 1], [1, 1]], shape[:2, None] - 1),
    )
    inner = inner[: shape[0], : shape[1], tf.newaxis]
    smooth = tf.where(tf.broadcast_to(inner, shape), smooth, image)
    return _blend(smooth, image, magnitude)


def solarize(image: tf.Tensor, magnitude: tf.Tensor) -> tf.Tensor:
    """Inverts what is bright."""
    threshold = tf.floor(256.0 * magnitude)
    return tf.where(image < threshold, image, 255.0 - image)


def solarize_add(image: tf.Tensor, magnitude: tf.Tensor) -> tf.Tensor:
    """Brightens what is dark."""
    brighter = tf.clip_by_value(image + tf.floor(110.0 * magnitude), 0.0, 255.0)
    return tf.where(image < 128, brighter, image)


def posterize(image: tf.Tensor, magnitude: tf.Tensor) -> tf.Tensor:
    """Keeps up to four leading bits of each number, and at least one."""
    step = tf.pow(2.0, 8.0 - tf.maximum(tf.floor(4.0 * magnitude), 1.0))
    return tf.floor(image / step) * step


def autocontrast(image: tf.Tensor, magnitude: tf.Tensor) -> tf.Tensor:
    """Stretches each channel to the full range."""
    del magnitude
    least = tf.reduce_min(image, axis=[0, 1])
    span = tf.reduce_max(image, axis=[0, 1]) - least
    stretched = (image - least) * tf.math.divide_no_nan(255.0, span)
    flat = tf.broadcast_to(span <= 0.0, tf.shape(image))
    return tf.where(flat, image, tf.clip_by_value(stretched, 0.0, 255.0))


def equalize(image: tf.Tensor, magnitude: tf.Tensor) -> tf.Tensor:
    """Spreads the tones of each channel so that all are about as frequent."""
    del magnitude
    levels = tf.cast(tf.clip_by_value(image, 0.0, 255.0), tf.int32)
    channels = [_equalized(channel) for channel in tf.unstack(levels, num=3, axis=-1)]
    return tf.cast(tf.stack(channels, axis=-1), tf.float32)


def _equalized(levels: tf.Tensor) -> tf.Tensor:
    """[H, W] whole numbers of 0 to 255, replaced by their rank on the same scale."""
    counts = tf.cast(tf.math.bincount(tf.reshape(levels, [-1]), minlength=256), tf.int32)
    occupied = tf.boolean_mask(counts, counts > 0)
    # The highest tone becomes 255; the others share what is below it.
    step = (tf.reduce_sum(occupied) - occupied[-1]) // 255
    below = tf.cumsum(counts, exclusive=True)
    table = tf.clip_by_value((below + step // 2) // tf.maximum(step, 1), 0, 255)
    return tf.where(tf.equal(step, 0), levels, tf.gather(table, levels))
