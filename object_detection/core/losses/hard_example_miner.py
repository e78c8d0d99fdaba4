"""The choice of the anchors that count: those of the highest losses.

Axes: B images, N anchors.
"""

from typing import Any

import tensorflow.compat.v1 as tf

from object_detection.errors import ConfigError


class HardExampleMiner:
    """Keeps the anchors of highest loss that do not overlap, with few negatives a positive.

    Source: SSD, arXiv:1512.02325, section 2.2; online hard example mining, arXiv:1604.03540.
    """

    LOSS_TYPES = ("both", "cls", "loc")

    def __init__(
        self,
        num_hard_examples: int | None = 64,
        iou_threshold: float = 0.7,
        loss_type: str = "both",
        cls_loss_weight: float = 0.05,
        loc_loss_weight: float = 0.06,
        max_negatives_per_positive: float | None = None,
        min_negatives_per_image: int = 0,
    ) -> None:
        """Takes the settings.

        Args:
            num_hard_examples: anchors to keep of each picture; None for all.
            iou_threshold: decoded boxes that overlap more than this with one of higher loss are
                left out.
            loss_type: what ranks the anchors: `both`, `cls` or `loc`.
            cls_loss_weight: factor of the classification loss in the ranking.
            loc_loss_weight: factor of the localisation loss in the ranking.
            max_negatives_per_positive: bound of the negatives; None for none.
            min_negatives_per_image: negatives to keep even without positives.

        Raises:
            ConfigError: another loss type.
        """
        if loss_type not in self.LOSS_TYPES:
            raise ConfigError(f"loss_type is {loss_type!r}; allowed: {', '.join(self.LOSS_TYPES)}.")
        self._num_hard_examples = num_hard_examples
        self._iou_threshold = iou_threshold
        self._loss_type = loss_type
        self._cls_loss_weight = cls_loss_weight
        self._loc_loss_weight = loc_loss_weight
        self._max_negatives_per_positive = max_negatives_per_positive
        self._min_negatives_per_image = min_negatives_per_image
        self._kept: tuple[tf.Tensor, tf.Tensor] | None = None

    def _rank(self, location_losses: tf.Tensor, cls_losses: tf.Tensor) -> tf.Tensor:
        if self._loss_type == "loc":
            return location_losses
        if self._loss_type == "cls":
            return cls_losses
        return self._loc_loss_weight * location_losses + self._cls_loss_weight * cls_losses

    def mine(
        self,
        location_losses: tf.Tensor,
        cls_losses: tf.Tensor,
        decoded_boxes: tf.Tensor,
        match: tf.Tensor | None = None,
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Sums of the losses of the chosen anchors.

        Args:
            location_losses: [B, N], or [B, N, code_size] to be summed.
            cls_losses: [B, N].
            decoded_boxes: [B, N, 4].
            match: [B, N]; without it `max_negatives_per_positive` has no effect.

        Returns:
            Localisation loss and classification loss, scalars.
        """
        if location_losses.shape.rank == 3:
            location_losses = tf.reduce_sum(location_losses, axis=2)
        anchors = location_losses.shape.as_list()[1]
        count = tf.shape(location_losses)[1]
        wanted = count if self._num_hard_examples is None else self._num_hard_examples
        limit = tf.minimum(wanted, count)
        bounded = False
        positive = tf.ones_like(location_losses, tf.bool)
        negative = tf.zeros_like(positive)
        if self._max_negatives_per_positive is not None and match is not None:
            bounded, positive, negative = True, match >= 0, tf.equal(match, -1)
        scores = tf.stop_gradient(self._rank(location_losses, cls_losses))
        scores = tf.where(tf.math.is_finite(scores), scores, tf.zeros_like(scores))

        def select(row: tuple[tf.Tensor, ...]) -> tf.Tensor:
            boxes, score, is_positive, is_negative = row
            chosen = tf.image.non_max_suppression(boxes, score, limit, self._iou_threshold)
            hard = tf.scatter_nd(chosen[:, tf.newaxis], tf.ones_like(chosen), [count]) > 0
            if not bounded:
                return hard
            positives = tf.reduce_sum(tf.cast(is_positive & hard, tf.int32))
            allowed = tf.maximum(
                tf.cast(
                    tf.cast(positives, tf.float32) * float(self._max_negatives_per_positive or 0),
                    tf.int32,
                ),
                self._min_negatives_per_image,
            )
            # In the order of falling loss, the first `allowed` negatives stay.
            ordered = tf.gather(is_negative, chosen)
            place = tf.cumsum(tf.cast(ordered, tf.int32))
            kept = tf.gather(is_positive, chosen) | (ordered & (place <= allowed))
            kept_indices = tf.boolean_mask(chosen, kept)
            return (
                tf.scatter_nd(kept_indices[:, tf.newaxis], tf.ones_like(kept_indices), [count]) > 0
            )

        mask = tf.map_fn(
            select, (decoded_boxes, scores, positive, negative), fn_output_signature=tf.bool
        )
        mask.set_shape([None, anchors])
        if bounded:
            self._kept = (_mean_count(mask & positive), _mean_count(mask & negative))
        zeros = tf.zeros_like(location_losses)
        return (
            tf.reduce_sum(tf.where(mask, location_losses, zeros)),
            tf.reduce_sum(tf.where(mask, cls_losses, zeros)),
        )

    def __call__(
        self,
        location_losses: Any,
        cls_losses: Any,
        decoded_boxlist_list: list[Any],
        match_list: list[Any] | None = None,
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """`mine` for lists with one entry a picture.

        Args:
            location_losses: [B, N], or B tensors [N].
            cls_losses: [B, N], or B tensors [N].
            decoded_boxlist_list: B BoxLists of N decoded boxes.
            match_list: B `Match`es; without them `max_negatives_per_positive` has no effect.

        Raises:
            ValueError: `match_list` is no list, or the arguments are not of equally many pictures.
        """
        location_losses = tf.convert_to_tensor(location_losses)
        cls_losses = tf.convert_to_tensor(cls_losses)
        if match_list and not isinstance(match_list, list):
            raise ValueError(f"match_list should be a list, got {type(match_list).__name__}.")
        pictures = len(decoded_boxlist_list)
        for name, count in (
            ("location_losses", location_losses.shape.as_list()[0]),
            ("cls_losses", cls_losses.shape.as_list()[0]),
            ("match_list", len(match_list) if match_list else None),
        ):
            if count not in (None, pictures):
                raise ValueError(f"{name} has {count} entries for {pictures} pictures.")
        boxes = tf.stack([boxlist.get() for boxlist in decoded_boxlist_list])
        match = tf.stack([one.match_results for one in match_list]) if match_list else None
        return self.mine(location_losses, cls_losses, boxes, match)

    def summarize(self) -> None:
        """Adds scalars of the kept positives and negatives, as means of the batch's pictures.

        There are none unless `max_negatives_per_positive` told them apart.
        """
        if self._kept is None:
            return
        for name, value in zip(("NumPositives", "NumNegatives"), self._kept, strict=True):
            tf.summary.scalar(f"HardExampleMiner/{name}", value)


def _mean_count(mask: tf.Tensor) -> tf.Tensor:
    """True entries a picture, of [B, N]."""
    return tf.reduce_mean(tf.reduce_sum(tf.cast(mask, tf.float32), axis=1))
