"""Mosaics: four samples of a dataset in one picture (YOLOv4, arXiv:2004.10934, section 3.4).

Axes: M boxes, K keypoints, P records of a pool. Coordinates are normalised.

Other augmentations change a sample; this one needs more of them. Records are pooled before they
are decoded: a pool costs what its files cost, and only records that become a part of the picture
are decoded. All choices come from `core.randomness`, so sample number n is the same however often
a training is stopped.
"""

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

import tensorflow.compat.v1 as tf

from object_detection.builders import preprocessor_builder
from object_detection.core import box_list_ops, randomness
from object_detection.core import standard_fields as fields
from object_detection.core.preprocessor import cropping, padding
from object_detection.errors import ConfigError
from object_detection.inputs.transform import augment_input_data, prune_unusable_boxes
from object_detection.keypoints import geometry
from object_detection.utils import config_util
from object_detection.utils.as_written import as_written
from object_detection.utils.ops.groundtruth import PER_BOX

Inputs = fields.InputDataFields
Sample = dict[str, tf.Tensor]
Decode = Callable[[tf.Tensor], Sample]

# What is said of a whole picture is not true of four; nor are features of other pictures theirs.
_OF_ONE_PICTURE = (
    Inputs.groundtruth_image_classes,
    Inputs.groundtruth_image_confidences,
    Inputs.groundtruth_labeled_classes,
    Inputs.groundtruth_verified_neg_classes,
    Inputs.groundtruth_not_exhaustive_classes,
    Inputs.context_features,
    Inputs.context_feature_length,
    Inputs.valid_context_size,
    Inputs.context_features_image_id_list,
)
_NOT_JOINED = (
    Inputs.multiclass_scores,
    Inputs.groundtruth_dp_num_points,
    Inputs.groundtruth_dp_part_ids,
    Inputs.groundtruth_dp_surface_coords,
)
# Fields that rows have a geometry for, by the name that they have there.
_ROWS = {
    Inputs.groundtruth_keypoints: "keypoints",
    Inputs.groundtruth_keypoint_visibilities: "keypoint_visibilities",
}
_PARTS = 4


@dataclasses.dataclass(frozen=True)
class Mosaic:
    """How samples are put together; see the message `Mosaic`."""

    size: tuple[int, int]  # height and width
    probability: float = 0.5
    center_range: tuple[float, float] = (0.25, 0.75)
    scale_range: tuple[float, float] = (0.4, 1.0)
    overlap_thresh: float = 0.3
    pad_color: Sequence[float] | None = None
    pool_size: int = 16
    steps_before: Sequence[preprocessor_builder.Step] = ()

    def pools(self, records: tf.data.Dataset) -> tf.data.Dataset:
        """Records -> (position, [P] records) of a pool, one for each record, in their order."""

        @as_written
        def positions(pool: tf.Tensor) -> tf.data.Dataset:
            numbers = tf.data.Dataset.range(tf.size(pool, out_type=tf.int64))
            return numbers.map(lambda number: (number, pool))

        return records.batch(self.pool_size).flat_map(positions)

    @as_written
    def sample(self, position: tf.Tensor, pool: tf.Tensor, decode: Decode) -> Sample:
        """The sample of one record of a pool or, with the probability, a mosaic that begins with it.

        Args:
            position: [] int64.
            pool: [P] records.
            decode: record -> sample.

        Returns:
            The sample, without what is known of whole pictures only; its picture is float32.

        Raises:
            ConfigError: fields that cannot be joined.
        """
        wanted = randomness.uniform([]) < self.probability
        partners = _partners(position, tf.size(pool, out_type=tf.int64))
        center = randomness.uniform([2], *self.center_range)
        scales = randomness.uniform([_PARTS], *self.scale_range)
        places = randomness.uniform([_PARTS, 2])

        def prepared(record: tf.Tensor) -> Sample:
            return self._prepared(decode(record))

        # The branches of tf.cond give lists: what is in them is found when they are built.
        names: list[str] = []

        def alone() -> list[tf.Tensor]:
            found = prepared(pool[position])
            names[:] = sorted(found)
            return [tf.identity(found[name]) for name in names]

        def joined() -> list[tf.Tensor]:
            parts = [prepared(pool[position])]
            parts += [prepared(pool[partners[number]]) for number in range(_PARTS - 1)]
            found = self.join(parts, center, scales, places)
            return [found[name] for name in sorted(found)]

        results = tf.cond(wanted, joined, alone)
        return dict(zip(names, results, strict=True))

    def _prepared(self, sample: Sample) -> Sample:
        """A sample that may become a part, whether it does or not."""
        refused = [name for name in _NOT_JOINED if name in sample]
        if refused:
            raise ConfigError(
                f"mosaic cannot join {', '.join(refused)}; leave the step, or these fields, out."
            )
        sample = {key: value for key, value in sample.items() if key not in _OF_ONE_PICTURE}
        sample = prune_unusable_boxes(sample)
        # Also without steps: it makes the picture float32, as that of a mosaic is.
        return augment_input_data(sample, self.steps_before)

    def join(
        self, parts: Sequence[Sample], center: tf.Tensor, scales: tf.Tensor, places: tf.Tensor
    ) -> Sample:
        """Four samples around a centre.

        Each picture keeps its shape. What is larger than its quarter is cut, what is smaller lies
        in it, both at a random place.

        Args:
            parts: samples whose pictures are float32: above left, above right, below left, below
                right.
            center: [2], shares of height and width.
            scales: [4]; with 1 the picture just fits into the whole mosaic.
            places: [4, 2] of [0, 1): where in its quarter a picture lies.

        Returns:
            A sample with the rows of all; what else there is, is that of the first.
        """
        size = tf.constant(self.size, tf.int32)
        middle = tf.clip_by_value(
            tf.cast(tf.round(center * tf.cast(size, tf.float32)), tf.int32), 1, size - 1
        )
        zero = tf.zeros([2], tf.int32)
        tiles, rows = [], []
        for number, part in enumerate(parts):
            below = tf.constant([number // 2, number % 2])
            begin = tf.where(tf.equal(below, 0), zero, middle)
            end = tf.where(tf.equal(below, 0), middle, size)
            tile, of_part = self._tile(part, begin, end, scales[number], places[number])
            tiles.append(tile)
            rows.append(of_part)
        joined = dict(parts[0])
        for name in tiles[0]:
            above, lower = (
                tf.concat([tiles[number][name], tiles[number + 1][name]], axis=1)
                for number in (0, 2)
            )
            joined[name] = tf.concat([above, lower], axis=0)
            joined[name].set_shape([*self.size, parts[0][name].shape[-1]])
        for name in rows[0]:
            joined[name] = tf.concat([of_part[name] for of_part in rows], axis=0)
        if Inputs.original_image_spatial_shape in joined:
            joined[Inputs.original_image_spatial_shape] = size
        return joined

    def _tile(
        self, part: Sample, begin: tf.Tensor, end: tf.Tensor, scale: tf.Tensor, place: tf.Tensor
    ) -> tuple[Sample, Sample]:
        """What of a sample is in pixels `begin` to `end`, [2] each: its pictures, and its rows."""
        whole = tf.constant(self.size, tf.float32)
        own = tf.cast(tf.shape(part[Inputs.image])[:2], tf.float32)
        extent = tf.cast(end - begin, tf.float32)
        factor = scale * tf.reduce_min(whole / own)
        offset = place * (extent - own * factor)
        tile = {
            Inputs.image: _placed(part[Inputs.image], factor, offset, end - begin, self.pad_color)
        }
        if Inputs.image_additional_channels in part:
            channels = part[Inputs.image_additional_channels]
            more = _placed(tf.cast(channels, tf.float32), factor, offset, end - begin)
            tile[Inputs.image_additional_channels] = tf.saturate_cast(
                tf.round(more), channels.dtype
            )
        # The quarter, seen from the picture; then the mosaic, seen from the quarter.
        window = tf.concat([-offset, extent - offset], axis=0) / tf.tile(own * factor, [2])
        corner = tf.cast(begin, tf.float32)
        around = tf.concat([-corner, whole - corner], axis=0) / tf.tile(extent, [2])
        boxes = part[Inputs.groundtruth_boxes]
        count = tf.shape(boxes)[0]
        given = {
            _ROWS.get(name, name): _whole(name, part[name], count)
            for name in sorted(PER_BOX & set(part) - {Inputs.groundtruth_boxes})
        }
        boxes, moved = cropping.crop_rows(boxes, given, window, self.overlap_thresh, clip=True)
        rows = {
            name: moved[_ROWS.get(name, name)]
            for name in PER_BOX & set(part)
            if name != Inputs.groundtruth_boxes
        }
        rows[Inputs.groundtruth_boxes] = box_list_ops.frame_change(boxes, around)
        if Inputs.groundtruth_keypoints in rows:
            rows[Inputs.groundtruth_keypoints] = geometry.change_coordinate_frame(
                rows[Inputs.groundtruth_keypoints], around
            )
        if Inputs.groundtruth_instance_masks in rows:
            masks = rows[Inputs.groundtruth_instance_masks]
            # Masks are the channels of a picture; an empty one makes sure that there is a channel.
            channels = tf.transpose(
                tf.pad(tf.cast(masks, tf.float32), [[0, 1], [0, 0], [0, 0]]), [1, 2, 0]
            )
            placed = _placed(channels, factor, offset, end - begin, 0.0)
            seen = tf.cast(tf.transpose(placed, [2, 0, 1])[:-1] > 0.5, masks.dtype)
            rows[Inputs.groundtruth_instance_masks] = padding.placed_masks(
                seen, begin, tf.constant(self.size)
            )
        return tile, rows


def _partners(position: tf.Tensor, count: tf.Tensor) -> tf.Tensor:
    """[3] positions of a pool: different ones, and others than the given, where there are enough."""
    others = randomness.shuffled(tf.range(1, tf.maximum(count, 2)))
    chosen = tf.gather(others, tf.range(_PARTS - 1) % tf.size(others))
    return (position + chosen) % count


def _placed(
    picture: tf.Tensor, factor: tf.Tensor, offset: tf.Tensor, size: tf.Tensor, color: Any = None
) -> tf.Tensor:
    """A picture [h, w, C] scaled by a factor, its corner at an offset of a frame of a size [2].

    Interpolation is bilinear, without the low pass that shrinking could do with: so do the
    network's resizers, and pictures should look alike in training and afterwards.
    """
    color = tf.cast(padding.margin_color(picture, color), tf.float32)
    placed = tf.raw_ops.ScaleAndTranslate(
        images=(picture - color)[tf.newaxis],
        size=size,
        scale=tf.stack([factor, factor]),
        translation=offset,
        kernel_type="triangle",
        antialias=False,
    )
    return placed[0] + color


def _whole(name: str, rows: tf.Tensor, count: tf.Tensor) -> tf.Tensor:
    """A field with a row for each box; what a record lacks is 0, or no keypoint."""
    missing = count - tf.shape(rows)[0]
    paddings = [[0, missing], *[[0, 0]] * (rows.shape.rank - 1)]
    if name == Inputs.groundtruth_keypoints:
        return tf.pad(rows, paddings, constant_values=float("nan"))
    return tf.pad(rows, paddings)


def build(
    options: Sequence[Any], model_config: Any
) -> tuple[Mosaic | None, list[preprocessor_builder.Step]]:
    """Builds a list of `PreprocessingStep` messages, of which one may be a mosaic.

    Args:
        options: the messages.
        model_config: `DetectionModel` message; its network's size is that of the mosaic, if the
            step does not say it.

    Returns:
        The mosaic with the steps that come before it, or None; and the other steps.

    Raises:
        ConfigError: more than one mosaic, or one of no known size.
    """
    cases = [step.WhichOneof("preprocessing_step") for step in options]
    numbers = [number for number, case in enumerate(cases) if case == "mosaic"]
    if not numbers:
        return None, [preprocessor_builder.build(step) for step in options]
    if len(numbers) > 1:
        raise ConfigError(
            f"data_augmentation_options: mosaic is step {' and '.join(map(str, numbers))}; one is "
            "enough."
        )
    at = numbers[0]
    config = options[at].mosaic
    size = [config.height, config.width]
    if not all(size):
        resizer = config_util.get_image_resizer_config(model_config)
        size = config_util.get_spatial_image_size(resizer)
    if min(size) < 2:
        raise ConfigError(
            f"data_augmentation_options[{at}].mosaic: its size is {size[0]} x {size[1]}; give "
            "height and width, because the image resizer does not fix them."
        )
    mosaic = Mosaic(
        size=(size[0], size[1]),
        probability=config.probability,
        center_range=(config.min_center, config.max_center),
        scale_range=(config.min_scale, config.max_scale),
        overlap_thresh=config.overlap_thresh,
        pad_color=tuple(config.pad_color) or None,
        pool_size=config.pool_size,
        steps_before=[preprocessor_builder.build(step) for step in options[:at]],
    )
    return mosaic, [preprocessor_builder.build(step) for step in options[at + 1 :]]
