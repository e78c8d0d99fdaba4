"""Learned augmentation policies (arXiv:1906.11172).

Axes: M boxes, K keypoints. Boxes and keypoints are normalised. Geometry is done in pixels, where
pixel i spans [i, i + 1); a matrix [3, 3] takes (x, y, 1) of the old picture to the new one.
"""

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import tensorflow.compat.v1 as tf

from object_detection.core import box_list_ops, randomness
from object_detection.core.preprocessor import tone
from object_detection.core.preprocessor.autoaugment_policies import POLICIES, Policy
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


# An operation takes a scene, a magnitude of 0 to 1 and a probability, and gives a scene.
Operation = Callable[[Scene, tf.Tensor, tf.Tensor], Scene]


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


def _signed(value: tf.Tensor) -> tf.Tensor:
    """The value or its negative, each as likely."""
    return tf.where(chance(0.5), value, -value)


def _matrix(*rows: Any) -> tf.Tensor:
    return tf.stack([tf.stack([tf.cast(v, tf.float32) for v in row]) for row in (*rows, (0, 0, 1))])


def _translation(axis: int, pixels: float) -> Callable[..., tf.Tensor]:
    """By up to so many pixels along an axis, 0 for y."""

    def matrix(magnitude: tf.Tensor, size: tf.Tensor) -> tf.Tensor:
        del size
        moved = _signed(pixels * magnitude)
        return _matrix((1, 0, 0), (0, 1, moved)) if axis == 0 else _matrix((1, 0, moved), (0, 1, 0))

    return matrix


def _shear(axis: int) -> Callable[..., tf.Tensor]:
    """By up to 0.3 pixels a pixel along an axis; the first row or column stays."""

    def matrix(magnitude: tf.Tensor, size: tf.Tensor) -> tf.Tensor:
        del size
        rate = _signed(0.3 * magnitude)
        return _matrix((1, 0, 0), (rate, 1, 0)) if axis == 0 else _matrix((1, rate, 0), (0, 1, 0))

    return matrix


def _rotation(magnitude: tf.Tensor, size: tf.Tensor) -> tf.Tensor:
    """By up to 30 degrees about the middle of the picture."""
    angle = _signed(math.radians(30) * magnitude)
    cos, sin = tf.cos(angle), tf.sin(angle)
    y, x = tf.unstack(size / 2.0)
    return _matrix((cos, -sin, x - cos * x + sin * y), (sin, cos, y - sin * x - cos * y))


def _geometric(draw: Callable[[tf.Tensor, tf.Tensor], tf.Tensor]) -> Operation:
    def operation(scene: Scene, magnitude: tf.Tensor, probability: tf.Tensor) -> Scene:
        del probability
        size = tf.cast(tf.shape(scene.image)[:2], tf.float32)
        return _map_scene(scene, draw(magnitude, size))

    return operation


def _tonal(change: Callable[[tf.Tensor, tf.Tensor], tf.Tensor]) -> Operation:
    return lambda scene, magnitude, _: scene._replace(image=change(scene.image, magnitude))


def _hidden(image: tf.Tensor, middle: tf.Tensor, half: tf.Tensor) -> tf.Tensor:
    """The picture with grey within `half` [2] pixels of a pixel `middle` [2]."""
    inside = [
        tf.abs(tf.range(tf.shape(image)[axis]) * 2 + 1 - 2 * middle[axis]) < 2 * half[axis]
        for axis in (0, 1)
    ]
    mask = (inside[0][:, tf.newaxis] & inside[1][tf.newaxis])[..., tf.newaxis]
    return tf.where(tf.broadcast_to(mask, tf.shape(image)), tf.fill(tf.shape(image), _GRAY), image)


def _cutout(scene: Scene, magnitude: tf.Tensor, probability: tf.Tensor) -> Scene:
    """Hides a square of up to 200 pixels; objects there are still there."""
    del probability
    size = tf.cast(tf.shape(scene.image)[:2], tf.float32)
    middle = tf.cast(randomness.uniform([2]) * size, tf.int32)
    half = tf.cast(100.0 * magnitude, tf.int32)
    return scene._replace(image=_hidden(scene.image, middle, tf.stack([half, half])))


def _box_cutout(scene: Scene, magnitude: tf.Tensor, probability: tf.Tensor) -> Scene:
    """Hides a part of one box, of up to three quarters of its height and width."""
    del probability

    def hide() -> tf.Tensor:
        size = tf.cast(tf.shape(scene.image)[:2], tf.float32)
        number = randomness.uniform([], 0, tf.shape(scene.boxes)[0], tf.int32)
        box = scene.boxes[number]
        middle = box[:2] + randomness.uniform([2]) * (box[2:] - box[:2])
        half = tf.cast((box[2:] - box[:2]) * size * (0.75 * magnitude / 2.0), tf.int32)
        return _hidden(scene.image, tf.cast(middle * size, tf.int32), half)

    some = tf.shape(scene.boxes)[0] > 0
    return scene._replace(image=tf.cond(some, hide, lambda: tf.identity(scene.image)))


def _change_one_box(
    operation: Operation, magnitude: tf.Tensor, box: tf.Tensor, image: tf.Tensor, points: tf.Tensor
) -> list[tf.Tensor]:
    """Picture and keypoints [M, K, 2] after an operation on the inside of a box [4]."""
    size = tf.shape(image)[:2]
    scale = tf.cast(size, tf.float32)
    begin = tf.clip_by_value(tf.cast(box[:2] * scale, tf.int32), 0, size - 1)
    end = tf.clip_by_value(tf.cast(tf.ceil(box[2:] * scale), tf.int32), begin + 1, size)
    window = tf.cast(tf.concat([begin, end], axis=0), tf.float32) / tf.tile(scale, [2])
    part = Scene(
        image[begin[0] : end[0], begin[1] : end[1]],
        tf.zeros([0, 4]),
        geometry.change_coordinate_frame(points, window),
    )
    changed = operation(part, magnitude, tf.constant(1.0))
    around = tf.concat([tf.stack([begin, size - end], axis=1), [[0, 0]]], axis=0)
    inside = tf.pad(tf.ones(tf.shape(part.image), tf.bool), around)
    height, width = tf.unstack(window[2:] - window[:2])
    back = geometry.scale(changed.keypoints, height, width) + window[:2]
    moves = tf.reduce_all((points >= window[:2]) & (points <= window[2:]), axis=-1, keepdims=True)
    return [
        tf.where(inside, tf.pad(changed.image, around), image),
        tf.where(tf.broadcast_to(moves, tf.shape(points)), back, points),
    ]


def _in_boxes(operation: Operation) -> Operation:
    """An operation on the inside of each box, with a probability of its own; boxes stay.

    Keypoints in a box, whosever they are, move with its pixels and are gone beyond its edges.
    """

    def whole(scene: Scene, magnitude: tf.Tensor, probability: tf.Tensor) -> Scene:
        def body(number: tf.Tensor, image: tf.Tensor, points: tf.Tensor) -> Any:
            with randomness.each(number):
                heads = chance(probability)
            changed = apply_if(
                heads,
                lambda *now: _change_one_box(operation, magnitude, scene.boxes[number], *now),
                image,
                points,
            )
            for new, old in zip(changed, (image, points), strict=True):
                new.set_shape(old.shape)
            return [number + 1, *changed]

        count = tf.shape(scene.boxes)[0]
        _, image, points = tf.while_loop(
            lambda number, *_: number < count,
            body,
            [tf.constant(0), scene.image, scene.keypoints],
            parallel_iterations=1,
        )
        return Scene(image, scene.boxes, points)

    return whole


OPERATIONS: dict[str, Operation] = {
    "TranslateX_BBox": _geometric(_translation(1, 250.0)),
    "TranslateY_BBox": _geometric(_translation(0, 250.0)),
    "ShearX_BBox": _geometric(_shear(1)),
    "ShearY_BBox": _geometric(_shear(0)),
    "Rotate_BBox": _geometric(_rotation),
    "Cutout": _cutout,
    "BBox_Cutout": _box_cutout,
    "Color": _tonal(tone.color),
    "Contrast": _tonal(tone.contrast),
    "Brightness": _tonal(tone.brightness),
    "Sharpness": _tonal(tone.sharpness),
    "Solarize": _tonal(tone.solarize),
    "SolarizeAdd": _tonal(tone.solarize_add),
    "Posterize": _tonal(tone.posterize),
    "AutoContrast": _tonal(tone.autocontrast),
    "Equalize": _tonal(tone.equalize),
}
# Operations that concern each box with a third of the stated probability, not the picture.
OPERATIONS_IN_BOXES: dict[str, Operation] = {
    "TranslateY_Only_BBoxes": _in_boxes(_geometric(_translation(0, 120.0))),
    "ShearX_Only_BBoxes": _in_boxes(_geometric(_shear(1))),
    "ShearY_Only_BBoxes": _in_boxes(_geometric(_shear(0))),
    "Equalize_Only_BBoxes": _in_boxes(_tonal(tone.equalize)),
}


def _table(policy: Policy) -> tuple[list[Operation], np.ndarray[Any, Any]]:
    """The operations that a policy uses, and how, as numbers.

    Returns:
        The operations, and for each step of each sub-policy its operation's number, the probability
        for the picture and for a box, and the magnitude: [S, steps, 4]. Steps of probability 0
        are left out; the shorter sub-policies end with steps of probability 0.

    Raises:
        ConfigError: an operation that is not available.
    """
    available = OPERATIONS | OPERATIONS_IN_BOXES
    used = [[step for step in sub_policy if step[1] > 0.0] for sub_policy in policy]
    names = sorted({name for steps in used for name, _, _ in steps})
    for name in names:
        if name not in available:
            raise ConfigError(f"autoaugment_image: the operation {name!r} is not available.")
    table = np.zeros([len(used), max(len(steps) for steps in used), 4], np.float32)
    for row, steps in enumerate(used):
        for column, (name, probability, magnitude) in enumerate(steps):
            per_box = name in OPERATIONS_IN_BOXES
            of_picture = 1.0 if per_box else probability
            table[row, column] = names.index(name), of_picture, probability / 3, magnitude / 10
    return [available[name] for name in names], table


def _apply_policy(policy: Policy, scene: Scene) -> Scene:
    """Applies one sub-policy. Each operation is in the graph once, however often it is named."""
    operations, table = _table(policy)
    steps = tf.gather(table, randomness.uniform([], 0, len(table), tf.int32))

    def body(number: tf.Tensor, *tensors: tf.Tensor) -> Any:
        which, of_picture, of_box, magnitude = tf.unstack(steps[number])
        branches = [
            lambda operation=operation: [
                tf.identity(t) for t in operation(Scene(*tensors), magnitude, of_box)
            ]
            for operation in operations
        ]
        with randomness.each(number):
            results = tf.cond(
                chance(of_picture),
                lambda: list(tf.switch_case(tf.cast(which, tf.int32), branches)),
                lambda: [tf.identity(t) for t in tensors],
            )
        for result, tensor in zip(results, tensors, strict=True):
            result.set_shape(tensor.shape)
        return [number + 1, *results]

    _, *results = tf.while_loop(
        lambda number, *_: number < table.shape[1],
        body,
        [tf.constant(0), *scene],
        parallel_iterations=1,
    )
    return Scene(*results)


def autoaugment_image(
    image: tf.Tensor,
    boxes: tf.Tensor,
    policy_name: str = "v0",
    *,
    keypoints: tf.Tensor | None = None,
    keypoint_visibilities: tf.Tensor | None = None,
    masks: tf.Tensor | None = None,
    densepose_surface_coords: tf.Tensor | None = None,
) -> tuple[tf.Tensor, ...]:
    """Applies a sub-policy, drawn at random, of a learned policy.

    Args:
        image: [H, W, 3] in [0, 255].
        boxes: [M, 4]; their number stays, also where an object leaves the picture.
        policy_name: `v0` to `v3`.
        keypoints: [M, K, 2].
        keypoint_visibilities: [M, K].
        masks: not available; must be None.
        densepose_surface_coords: not available; must be None.

    Returns:
        Image, boxes and, in the order of the arguments, what else was given.

    Raises:
        ConfigError: a policy that does not exist; masks; DensePose.
    """
    if policy_name not in POLICIES:
        raise ConfigError(
            f"autoaugment_image: no policy {policy_name!r}; there are {', '.join(POLICIES)}."
        )
    for name, tensor in (("masks", masks), ("densepose_surface_coords", densepose_surface_coords)):
        if tensor is not None:
            raise ConfigError(f"autoaugment_image does not move {name}; leave it, or them, out.")
    image, boxes = tf.convert_to_tensor(image), tf.ensure_shape(boxes, [None, 4])
    points = tf.zeros([tf.shape(boxes)[0], 0, 2])
    if keypoints is not None:
        points = tf.ensure_shape(tf.cast(keypoints, tf.float32), [None, None, 2])
    scene = Scene(
        tf.clip_by_value(tf.cast(image, tf.float32), 0.0, 255.0), tf.cast(boxes, tf.float32), points
    )
    results = _apply_policy(POLICIES[policy_name], scene)
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
