"""Learned augmentation policies (arXiv:1906.11172).

Axes: M boxes, K keypoints. Boxes and keypoints are normalised. Geometry is done in pixels, where
pixel i spans [i, i + 1); a matrix [3, 3] takes (x, y, 1) of the old picture to the new one.
"""

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import tensorflow.compat.v1 as tf

from object_detection.core import box_list_ops
from object_detection.core.preprocessor import tone
from object_detection.core.preprocessor.autoaugment_policies import POLICIES
from object_detection.core.preprocessor.random_calls import apply_if, chance
from object_detection.errors import ConfigError
from object_detection.keypoints import geometry

# Colour of what is hidden, or comes from beyond the picture.
_GRAY = 128.0
# A box that left the picture keeps this much of its edge: the number of boxes does not change.
_LEAST_SIDE = 0.05


class Scene(NamedTuple):
    """What the operations change."""

    image: tf.Tensor  # [H, W, 3] float32, 0 to 255
    boxes: tf.Tensor  # [M, 4]
    keypoints: tf.Tensor  # [M, K, 2]; K is 0 without keypoints


Operation = Callable[[Scene], Scene]


def _warped(image: tf.Tensor, matrix: tf.Tensor) -> tf.Tensor:
    """The picture after a linear map, in its old frame; each pixel is the nearest old one."""
    half = tf.constant([[1.0, 0.0, 0.5], [0.0, 1.0, 0.5], [0.0, 0.0, 1.0]])
    # The operation counts from the middle of the first pixel, and from new to old.
    inverse = tf.matmul(tf.linalg.inv(half), tf.matmul(tf.linalg.inv(matrix), half))
    warped = tf.raw_ops.ImageProjectiveTransformV3(
        images=image[tf.newaxis],
        transforms=tf.reshape(inverse, [1, 9])[:, :8],
        output_shape=tf.shape(image)[:2],
        fill_value=_GRAY,
        interpolation="NEAREST",
        fill_mode="CONSTANT",
    )[0]
    warped.set_shape(image.shape)
    return warped


def _mapped(points: tf.Tensor, matrix: tf.Tensor, size: tf.Tensor) -> tf.Tensor:
    """Normalised (y, x) points [..., 2] of a picture of `size` [2] after a linear map."""
    y, x = tf.unstack(points * size, num=2, axis=-1)
    new_x = matrix[0, 0] * x + matrix[0, 1] * y + matrix[0, 2]
    new_y = matrix[1, 0] * x + matrix[1, 1] * y + matrix[1, 2]
    return tf.stack([new_y, new_x], axis=-1) / size


def _mapped_boxes(boxes: tf.Tensor, matrix: tf.Tensor, size: tf.Tensor) -> tf.Tensor:
    """The boxes around the corners of boxes after a linear map, cut at the edges."""
    corners = tf.stack(
        [tf.gather(boxes, pair, axis=1) for pair in ([0, 1], [0, 3], [2, 1], [2, 3])], axis=1
    )
    corners = _mapped(corners, matrix, size)
    around = tf.concat([tf.reduce_min(corners, 1), tf.reduce_max(corners, 1)], axis=1)
    clipped = box_list_ops.cut(around, tf.constant([0.0, 0.0, 1.0, 1.0]))
    least, most = clipped[:, :2], clipped[:, 2:]
    gone = most <= least
    least = tf.where(gone, tf.minimum(least, 1.0 - _LEAST_SIDE), least)
    most = tf.where(gone, tf.maximum(most, _LEAST_SIDE), most)
    return tf.concat([least, most], axis=1)


def _map_scene(scene: Scene, matrix: tf.Tensor) -> Scene:
    size = tf.cast(tf.shape(scene.image)[:2], tf.float32)
    whole = tf.constant([0.0, 0.0, 1.0, 1.0])
    keypoints = _mapped(scene.keypoints, matrix, size)
    return Scene(
        _warped(scene.image, matrix),
        _mapped_boxes(scene.boxes, matrix, size),
        geometry.prune_outside_window(keypoints, whole),
    )


def _signed(value: float) -> tf.Tensor:
    """The value or its negative, each as likely."""
    return tf.where(chance(0.5), value, -value)


def _matrix(*rows: Any) -> tf.Tensor:
    return tf.stack([tf.stack([tf.cast(v, tf.float32) for v in row]) for row in (*rows, (0, 0, 1))])


def _translation(pixels: float, axis: int) -> Callable[[tf.Tensor], tf.Tensor]:
    def matrix(size: tf.Tensor) -> tf.Tensor:
        del size
        moved = _signed(pixels)
        return _matrix((1, 0, 0), (0, 1, moved)) if axis == 0 else _matrix((1, 0, moved), (0, 1, 0))

    return matrix


def _shear(share: float, axis: int) -> Callable[[tf.Tensor], tf.Tensor]:
    def matrix(size: tf.Tensor) -> tf.Tensor:
        del size
        rate = _signed(share)
        return _matrix((1, 0, 0), (rate, 1, 0)) if axis == 0 else _matrix((1, rate, 0), (0, 1, 0))

    return matrix


def _rotation(degrees: float) -> Callable[[tf.Tensor], tf.Tensor]:
    """About the middle of the picture."""

    def matrix(size: tf.Tensor) -> tf.Tensor:
        angle = _signed(math.radians(degrees))
        cos, sin = tf.cos(angle), tf.sin(angle)
        y, x = tf.unstack(size / 2.0)
        return _matrix((cos, -sin, x - cos * x + sin * y), (sin, cos, y - sin * x - cos * y))

    return matrix


def _geometric(draw: Callable[[tf.Tensor], tf.Tensor]) -> Operation:
    def operation(scene: Scene) -> Scene:
        size = tf.cast(tf.shape(scene.image)[:2], tf.float32)
        return _map_scene(scene, draw(size))

    return operation


def _tonal(change: Callable[[tf.Tensor, float], tf.Tensor], magnitude: float) -> Operation:
    return lambda scene: scene._replace(image=change(scene.image, magnitude))


def _hidden(image: tf.Tensor, middle: tf.Tensor, half: tf.Tensor) -> tf.Tensor:
    """The picture with grey within `half` [2] pixels of a pixel `middle` [2]."""
    inside = [
        tf.abs(tf.range(tf.shape(image)[axis]) * 2 + 1 - 2 * middle[axis]) < 2 * half[axis]
        for axis in (0, 1)
    ]
    mask = (inside[0][:, tf.newaxis] & inside[1][tf.newaxis])[..., tf.newaxis]
    return tf.where(tf.broadcast_to(mask, tf.shape(image)), tf.fill(tf.shape(image), _GRAY), image)


def _cutout(pixels: int) -> Operation:
    """Hides a square of twice so many pixels; objects there are still there."""

    def operation(scene: Scene) -> Scene:
        size = tf.cast(tf.shape(scene.image)[:2], tf.float32)
        middle = tf.cast(tf.random_uniform([2]) * size, tf.int32)
        return scene._replace(image=_hidden(scene.image, middle, tf.constant([pixels, pixels])))

    return operation


def _box_cutout(share: float) -> Operation:
    """Hides a part of one box, of a share of its height and width."""

    def hide(scene: Scene) -> tf.Tensor:
        size = tf.cast(tf.shape(scene.image)[:2], tf.float32)
        number = tf.random_uniform([], 0, tf.shape(scene.boxes)[0], dtype=tf.int32)
        box = scene.boxes[number]
        middle = box[:2] + tf.random_uniform([2]) * (box[2:] - box[:2])
        half = tf.cast((box[2:] - box[:2]) * size * share / 2.0, tf.int32)
        return _hidden(scene.image, tf.cast(middle * size, tf.int32), half)

    def operation(scene: Scene) -> Scene:
        some = tf.shape(scene.boxes)[0] > 0
        image = tf.cond(some, lambda: hide(scene), lambda: tf.identity(scene.image))
        image.set_shape(scene.image.shape)
        return scene._replace(image=image)

    return operation


def _in_boxes(operation: Operation, probability: float) -> Operation:
    """An operation on the inside of each box, with a probability of its own; boxes stay.

    Keypoints in a box, whosever they are, move with its pixels and are gone beyond its edges.
    """

    def one(number: tf.Tensor, image: tf.Tensor, keypoints: tf.Tensor, boxes: tf.Tensor) -> Any:
        size = tf.shape(image)[:2]
        scale = tf.cast(size, tf.float32)
        box = boxes[number]
        begin = tf.clip_by_value(tf.cast(box[:2] * scale, tf.int32), 0, size - 1)
        end = tf.clip_by_value(tf.cast(tf.ceil(box[2:] * scale), tf.int32), begin + 1, size)
        window = tf.concat([begin, end], axis=0)
        window = tf.cast(window, tf.float32) / tf.tile(scale, [2])
        part = Scene(
            image[begin[0] : end[0], begin[1] : end[1]],
            tf.zeros([0, 4]),
            geometry.change_coordinate_frame(keypoints, window),
        )
        changed = operation(part)
        around = tf.stack([begin, size - end], axis=1)
        around = tf.concat([around, [[0, 0]]], axis=0)
        inside = tf.pad(tf.ones(tf.shape(part.image), tf.bool), around)
        image = tf.where(inside, tf.pad(changed.image, around), image)
        height, width = tf.unstack(window[2:] - window[:2])
        back = geometry.scale(changed.keypoints, height, width) + window[:2]
        was_inside = tf.reduce_all(
            (keypoints >= window[:2]) & (keypoints <= window[2:]), axis=-1, keepdims=True
        )
        keypoints = tf.where(tf.broadcast_to(was_inside, tf.shape(keypoints)), back, keypoints)
        return image, keypoints

    def whole(scene: Scene) -> Scene:
        def body(number: tf.Tensor, image: tf.Tensor, keypoints: tf.Tensor) -> Any:
            changed = apply_if(
                chance(probability),
                lambda *inside: one(number, inside[0], inside[1], scene.boxes),
                image,
                keypoints,
            )
            changed[0].set_shape(image.shape)
            changed[1].set_shape(keypoints.shape)
            return [number + 1, *changed]

        count = tf.shape(scene.boxes)[0]
        _, image, keypoints = tf.while_loop(
            lambda number, *_: number < count,
            body,
            [tf.constant(0), scene.image, scene.keypoints],
            parallel_iterations=1,
        )
        return Scene(image, scene.boxes, keypoints)

    return whole


def _operation(name: str, probability: float, magnitude: int) -> tuple[Operation, float]:
    """An operation and the probability of applying it to the picture as a whole."""
    share = magnitude / 10.0
    operations: dict[str, Callable[[], Operation]] = {
        "TranslateX_BBox": lambda: _geometric(_translation(250 * share, 1)),
        "TranslateY_BBox": lambda: _geometric(_translation(250 * share, 0)),
        "ShearX_BBox": lambda: _geometric(_shear(0.3 * share, 1)),
        "ShearY_BBox": lambda: _geometric(_shear(0.3 * share, 0)),
        "Rotate_BBox": lambda: _geometric(_rotation(30 * share)),
        "Cutout": lambda: _cutout(int(100 * share)),
        "BBox_Cutout": lambda: _box_cutout(0.75 * share),
        "Color": lambda: _tonal(tone.color, share),
        "Contrast": lambda: _tonal(tone.contrast, share),
        "Brightness": lambda: _tonal(tone.brightness, share),
        "Sharpness": lambda: _tonal(tone.sharpness, share),
        "Solarize": lambda: _tonal(tone.solarize, share),
        "SolarizeAdd": lambda: _tonal(tone.solarize_add, share),
        "Posterize": lambda: _tonal(tone.posterize, share),
        "AutoContrast": lambda: _tonal(tone.autocontrast, share),
        "Equalize": lambda: _tonal(tone.equalize, share),
    }
    inside_boxes: dict[str, Callable[[], Operation]] = {
        "TranslateY_Only_BBoxes": lambda: _geometric(_translation(120 * share, 0)),
        "ShearX_Only_BBoxes": lambda: _geometric(_shear(0.3 * share, 1)),
        "ShearY_Only_BBoxes": lambda: _geometric(_shear(0.3 * share, 0)),
        "Equalize_Only_BBoxes": lambda: _tonal(tone.equalize, share),
    }
    if name in operations:
        return operations[name](), probability
    if name in inside_boxes:
        # Each box takes its own chance, a third of the stated one.
        return _in_boxes(inside_boxes[name](), probability / 3.0), 1.0
    raise ConfigError(f"autoaugment_image: the operation {name!r} is not available.")


def _apply_sub_policy(sub_policy: Any, scene: Scene) -> list[tf.Tensor]:
    for name, probability, magnitude in sub_policy:
        if probability <= 0.0:
            continue
        operation, share = _operation(name, probability, magnitude)

        def change(*tensors: tf.Tensor, operation: Operation = operation) -> list[tf.Tensor]:
            return list(operation(Scene(*tensors)))

        results = apply_if(chance(share), change, *scene)
        for result, tensor in zip(results, scene, strict=True):
            result.set_shape(tensor.shape)
        scene = Scene(*results)
    return [tf.identity(t) for t in scene]


def autoaugment_image(
    image: tf.Tensor,
    boxes: tf.Tensor,
    policy_name: str = "v0",
    *,
    keypoints: tf.Tensor | None = None,
    keypoint_visibilities: tf.Tensor | None = None,
    masks: tf.Tensor | None = None,
) -> tuple[tf.Tensor, ...]:
    """Applies a sub-policy, drawn at random, of a learned policy.

    Args:
        image: [H, W, 3] in [0, 255].
        boxes: [M, 4]; their number stays, also where an object leaves the picture.
        policy_name: `v0` to `v3`.
        keypoints: [M, K, 2].
        keypoint_visibilities: [M, K].
        masks: not available; must be None.

    Returns:
        Image, boxes and, in the order of the arguments, what else was given.

    Raises:
        ConfigError: a policy that does not exist; masks.
    """
    if policy_name not in POLICIES:
        raise ConfigError(
            f"autoaugment_image: no policy {policy_name!r}; there are {', '.join(POLICIES)}."
        )
    if masks is not None:
        raise ConfigError("autoaugment_image does not move masks; leave it, or the masks, out.")
    image, boxes = tf.convert_to_tensor(image), tf.convert_to_tensor(boxes)
    points = tf.zeros([tf.shape(boxes)[0], 0, 2])
    if keypoints is not None:
        points = tf.cast(keypoints, tf.float32)
    scene = Scene(
        tf.clip_by_value(tf.cast(image, tf.float32), 0.0, 255.0), tf.cast(boxes, tf.float32), points
    )
    branches = [
        lambda sub_policy=sub_policy: _apply_sub_policy(sub_policy, scene)
        for sub_policy in POLICIES[policy_name]
    ]
    chosen = tf.random_uniform([], 0, len(branches), dtype=tf.int32)
    results = Scene(*tf.switch_case(chosen, branches))
    new_image = tf.cast(results.image, image.dtype)
    new_image.set_shape(image.shape)
    new_boxes = tf.cast(results.boxes, boxes.dtype)
    new_boxes.set_shape(boxes.shape)
    given = [new_image, new_boxes]
    if keypoints is not None:
        given.append(tf.cast(results.keypoints, tf.convert_to_tensor(keypoints).dtype))
        given[-1].set_shape(tf.convert_to_tensor(keypoints).shape)
    if keypoint_visibilities is not None:
        visible = keypoint_visibilities
        if keypoints is not None:
            visible = geometry.set_keypoint_visibilities(results.keypoints, visible)
        given.append(visible)
    return tuple(given)
