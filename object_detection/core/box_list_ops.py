"""Geometry of boxes: free functions of [..., N, 4] tensors, and their forms for `BoxList`.

Axes:  N and M boxes of two sets.
Boxes: [ymin, xmin, ymax, xmax].
"""

from collections.abc import Callable

import tensorflow.compat.v1 as tf

from object_detection.core import randomness
from object_detection.core import standard_fields as fields
from object_detection.core.box_list import BoxList, center_size
from object_detection.utils import shape_utils


class SortOrder:
    """Orders of `sort_by_field`."""

    ascend = 1
    descend = 2


def box_area(boxes: tf.Tensor) -> tf.Tensor:
    """Areas [...] of [..., 4] boxes; an inverted box has area 0."""
    ymin, xmin, ymax, xmax = tf.unstack(boxes, num=4, axis=-1)
    return tf.maximum(ymax - ymin, 0.0) * tf.maximum(xmax - xmin, 0.0)


def pairwise_intersection(boxes: tf.Tensor, others: tf.Tensor) -> tf.Tensor:
    """Common areas: [..., N, 4], [..., M, 4] -> [..., N, M]."""
    ymin, xmin, ymax, xmax = tf.split(boxes, 4, axis=-1)
    ymin2, xmin2, ymax2, xmax2 = (
        tf.squeeze(t, -1)[..., tf.newaxis, :] for t in tf.split(others, 4, axis=-1)
    )
    heights = tf.maximum(tf.minimum(ymax, ymax2) - tf.maximum(ymin, ymin2), 0.0)
    widths = tf.maximum(tf.minimum(xmax, xmax2) - tf.maximum(xmin, xmin2), 0.0)
    return heights * widths


def pairwise_iou(boxes: tf.Tensor, others: tf.Tensor) -> tf.Tensor:
    """Intersection over union: [..., N, 4], [..., M, 4] -> [..., N, M]; 0 where both are empty."""
    common = pairwise_intersection(boxes, others)
    union = box_area(boxes)[..., tf.newaxis] + box_area(others)[..., tf.newaxis, :] - common
    return tf.where(common > 0.0, tf.math.divide_no_nan(common, union), tf.zeros_like(common))


def pairwise_ioa(boxes: tf.Tensor, others: tf.Tensor) -> tf.Tensor:
    """Share of each second box covered: [..., N, 4], [..., M, 4] -> [..., N, M]."""
    areas = box_area(others)[..., tf.newaxis, :]
    return tf.math.divide_no_nan(pairwise_intersection(boxes, others), areas)


def paired(
    measure: Callable[[tf.Tensor, tf.Tensor], tf.Tensor], boxes: tf.Tensor, others: tf.Tensor
) -> tf.Tensor:
    """A pairwise measure of each box with its partner only: [..., 4], [..., 4] -> [...]."""
    return measure(boxes[..., tf.newaxis, :], others[..., tf.newaxis, :])[..., 0, 0]


def frame_change(boxes: tf.Tensor, window: tf.Tensor) -> tf.Tensor:
    """[..., 4] boxes with the window's corner as origin and its size as unit."""
    ymin, xmin, ymax, xmax = tf.unstack(window, num=4, axis=-1)
    origin = tf.stack([ymin, xmin, ymin, xmin], axis=-1)
    size = tf.stack([ymax - ymin, xmax - xmin, ymax - ymin, xmax - xmin], axis=-1)
    return (boxes - origin) / size


def cut(boxes: tf.Tensor, window: tf.Tensor) -> tf.Tensor:
    """[..., 4] boxes cut at the window's edges; one outside collapses onto an edge."""
    top, left, bottom, right = tf.unstack(window, num=4, axis=-1)
    ymin, xmin, ymax, xmax = tf.unstack(boxes, num=4, axis=-1)
    return tf.stack(
        [
            tf.maximum(tf.minimum(ymin, bottom), top),
            tf.maximum(tf.minimum(xmin, right), left),
            tf.maximum(tf.minimum(ymax, bottom), top),
            tf.maximum(tf.minimum(xmax, right), left),
        ],
        axis=-1,
    )


def _with_boxes(boxlist: BoxList, boxes: tf.Tensor) -> BoxList:
    """The same list with other boxes; all further fields go along."""
    result = BoxList(boxes)
    for field in boxlist.get_extra_fields():
        result.add_field(field, boxlist.get_field(field))
    return result


def area(boxlist: BoxList, scope: str | None = None) -> tf.Tensor:
    """Areas, [N]."""
    with tf.name_scope(scope, "Area"):
        return box_area(boxlist.get())


def height_width(boxlist: BoxList, scope: str | None = None) -> tuple[tf.Tensor, tf.Tensor]:
    """Heights and widths, [N] each."""
    with tf.name_scope(scope, "HeightWidth"):
        ymin, xmin, ymax, xmax = tf.unstack(boxlist.get(), num=4, axis=1)
        return ymax - ymin, xmax - xmin


def scale(boxlist: BoxList, y_scale: float, x_scale: float, scope: str | None = None) -> BoxList:
    """Multiplies the y coordinates and the x coordinates."""
    with tf.name_scope(scope, "Scale"):
        factors = tf.stack([tf.cast(v, tf.float32) for v in (y_scale, x_scale, y_scale, x_scale)])
        return _with_boxes(boxlist, boxlist.get() * factors)


def clip_to_window(
    boxlist: BoxList,
    window: tf.Tensor,
    filter_nonoverlapping: bool = True,
    scope: str | None = None,
) -> BoxList:
    """Cuts boxes at the window's edges; those left without area are dropped if so asked."""
    with tf.name_scope(scope, "ClipToWindow"):
        clipped = _with_boxes(boxlist, cut(boxlist.get(), tf.cast(window, tf.float32)))
        if not filter_nonoverlapping:
            return clipped
        return gather(clipped, _indices(box_area(clipped.get()) > 0.0))


def prune_outside_window(
    boxlist: BoxList, window: tf.Tensor, scope: str | None = None
) -> tuple[BoxList, tf.Tensor]:
    """Keeps the boxes that lie within the window; also gives their indices, int64."""
    with tf.name_scope(scope, "PruneOutsideWindow"):
        ymin, xmin, ymax, xmax = tf.unstack(boxlist.get(), num=4, axis=1)
        top, left, bottom, right = tf.unstack(tf.cast(window, tf.float32), num=4)
        inside = (ymin >= top) & (xmin >= left) & (ymax <= bottom) & (xmax <= right)
        kept = tf.where(inside)[:, 0]
        return gather(boxlist, kept), kept


def prune_completely_outside_window(
    boxlist: BoxList, window: tf.Tensor, scope: str | None = None
) -> tuple[BoxList, tf.Tensor]:
    """Keeps the boxes that overlap the window; also gives their indices, int64."""
    with tf.name_scope(scope, "PruneCompletelyOutsideWindow"):
        ymin, xmin, ymax, xmax = tf.unstack(boxlist.get(), num=4, axis=1)
        top, left, bottom, right = tf.unstack(tf.cast(window, tf.float32), num=4)
        kept = tf.where((ymin < bottom) & (xmin < right) & (ymax > top) & (xmax > left))[:, 0]
        return gather(boxlist, kept), kept


def intersection(boxlist1: BoxList, boxlist2: BoxList, scope: str | None = None) -> tf.Tensor:
    """Pairwise common areas, [N, M]."""
    with tf.name_scope(scope, "Intersection"):
        return pairwise_intersection(boxlist1.get(), boxlist2.get())


def matched_intersection(
    boxlist1: BoxList, boxlist2: BoxList, scope: str | None = None
) -> tf.Tensor:
    """Common area of the i-th boxes of both lists, [N]."""
    with tf.name_scope(scope, "MatchedIntersection"):
        return paired(pairwise_intersection, boxlist1.get(), boxlist2.get())


def iou(boxlist1: BoxList, boxlist2: BoxList, scope: str | None = None) -> tf.Tensor:
    """Pairwise intersection over union, [N, M]."""
    with tf.name_scope(scope, "IOU"):
        return pairwise_iou(boxlist1.get(), boxlist2.get())


def matched_iou(boxlist1: BoxList, boxlist2: BoxList, scope: str | None = None) -> tf.Tensor:
    """Intersection over union of the i-th boxes of both lists, [N]."""
    with tf.name_scope(scope, "MatchedIOU"):
        return paired(pairwise_iou, boxlist1.get(), boxlist2.get())


def ioa(boxlist1: BoxList, boxlist2: BoxList, scope: str | None = None) -> tf.Tensor:
    """Pairwise share of the second list's boxes that is covered, [N, M]."""
    with tf.name_scope(scope, "IOA"):
        return pairwise_ioa(boxlist1.get(), boxlist2.get())


def prune_non_overlapping_boxes(
    boxlist1: BoxList, boxlist2: BoxList, min_overlap: float = 0.0, scope: str | None = None
) -> tuple[BoxList, tf.Tensor]:
    """Keeps the first list's boxes of which some second box covers a share of `min_overlap`.

    Also gives their indices, int64.
    """
    with tf.name_scope(scope, "PruneNonOverlappingBoxes"):
        covered = tf.reduce_max(ioa(boxlist2, boxlist1), axis=0)
        kept = tf.where(covered >= min_overlap)[:, 0]
        return gather(boxlist1, kept), kept


def prune_small_boxes(boxlist: BoxList, min_side: float, scope: str | None = None) -> BoxList:
    """Keeps the boxes of which both sides reach `min_side`."""
    with tf.name_scope(scope, "PruneSmallBoxes"):
        height, width = height_width(boxlist)
        return gather(boxlist, _indices((height >= min_side) & (width >= min_side)))


def change_coordinate_frame(
    boxlist: BoxList, window: tf.Tensor, scope: str | None = None
) -> BoxList:
    """Boxes with the window's corner as origin and its size as unit; fields go along."""
    with tf.name_scope(scope, "ChangeCoordinateFrame"):
        window = tf.cast(window, tf.float32)
        return _with_boxes(boxlist, frame_change(boxlist.get(), window))


def boolean_mask(
    boxlist: BoxList,
    indicator: tf.Tensor,
    fields: list[str] | None = None,
    scope: str | None = None,
    use_static_shapes: bool = False,
    indicator_sum: int | None = None,
) -> BoxList:
    """The boxes where `indicator` [N] is true, in order.

    Args:
        boxlist: N boxes.
        indicator: [N] booleans.
        fields: further fields to carry; all by default.
        scope: name scope.
        use_static_shapes: the result has the known length `indicator_sum`; were there fewer true
            rows, the first box fills up, were there more, the last ones go.
        indicator_sum: number of true rows, needed with `use_static_shapes`.

    Raises:
        ValueError: the indicator is not one-dimensional boolean, or the sum is missing.
    """
    with tf.name_scope(scope, "BooleanMask"):
        indicator = tf.convert_to_tensor(indicator)
        if indicator.shape.rank != 1 or indicator.dtype != tf.bool:
            raise ValueError(f"indicator should be boolean [N], got {indicator}.")
        if use_static_shapes:
            if not isinstance(indicator_sum, int) or indicator_sum < 1:
                raise ValueError(
                    f"use_static_shapes needs indicator_sum, a positive int; got {indicator_sum!r}."
                )
            indices = shape_utils.pad_or_clip_tensor(_indices(indicator), indicator_sum)
            return gather(boxlist, indices, fields)
        return gather(boxlist, _indices(indicator), fields)


def gather(
    boxlist: BoxList,
    indices: tf.Tensor,
    fields: list[str] | None = None,
    scope: str | None = None,
    use_static_shapes: bool = False,
) -> BoxList:
    """The boxes at `indices`, with all further fields or those named.

    Raises:
        ValueError: indices of another rank than 1 or not whole numbers, or an absent field.
    """
    del use_static_shapes
    with tf.name_scope(scope, "Gather"):
        indices = tf.convert_to_tensor(indices)
        if indices.shape.rank != 1:
            raise ValueError(f"indices should be one-dimensional, got {indices.shape}.")
        if indices.dtype not in (tf.int32, tf.int64):
            raise ValueError(f"indices should be int32 or int64, got {indices.dtype.name}.")
        result = BoxList(tf.gather(boxlist.get(), indices))
        for field in boxlist.get_extra_fields() if fields is None else fields:
            result.add_field(field, tf.gather(boxlist.get_field(field), indices))
        return result


def concatenate(
    boxlists: list[BoxList], fields: list[str] | None = None, scope: str | None = None
) -> BoxList:
    """One list after another, with the fields of the first or those named.

    Raises:
        ValueError: no list, something else than lists, or a field that one of them lacks.
    """
    with tf.name_scope(scope, "Concatenate"):
        if not boxlists or type(boxlists) is not list:
            raise ValueError("boxlists should be a list of at least one BoxList.")
        if not all(isinstance(boxlist, BoxList) for boxlist in boxlists):
            raise ValueError("boxlists should hold BoxLists only.")
        result = BoxList(tf.concat([boxlist.get() for boxlist in boxlists], axis=0))
        for field in boxlists[0].get_extra_fields() if fields is None else fields:
            parts = [boxlist.get_field(field) for boxlist in boxlists]
            result.add_field(field, tf.concat(parts, axis=0))
        return result


def sort_by_field(
    boxlist: BoxList, field: str, order: int = SortOrder.descend, scope: str | None = None
) -> BoxList:
    """Sorts by a field [N]; equal values keep their order (rising: reverse it).

    Raises:
        ValueError: an order that does not exist, or a field of another rank.
    """
    with tf.name_scope(scope, "SortByField"):
        if order not in (SortOrder.ascend, SortOrder.descend):
            raise ValueError(f"order should be SortOrder.ascend or .descend, got {order!r}.")
        values = boxlist.get_field(field)
        if values.shape.rank != 1:
            raise ValueError(f"Field {field!r} should have one axis, got {values.shape}.")
        complete = tf.equal(tf.size(values), boxlist.num_boxes())
        values = _checked(values, complete, f"field {field!r} should have one value for each box")
        indices = tf.argsort(values, direction="DESCENDING", stable=True)
        return gather(boxlist, indices if order == SortOrder.descend else indices[::-1])


def non_max_suppression(
    boxlist: BoxList, thresh: float, max_output_size: int, scope: str | None = None
) -> BoxList:
    """Greedy suppression by `scores`; the result is sorted by falling score.

    Raises:
        ValueError: a threshold outside [0, 1], or no `scores`.
    """
    with tf.name_scope(scope, "NonMaxSuppression"):
        if not 0 <= thresh <= 1.0:
            raise ValueError(f"thresh should lie in [0, 1], got {thresh}.")
        scores = boxlist.get_field(fields.BoxListFields.scores)
        selected = tf.image.non_max_suppression(
            boxlist.get(), scores, tf.minimum(max_output_size, boxlist.num_boxes()), thresh
        )
        return gather(boxlist, selected)


def to_normalized_coordinates(
    boxlist: BoxList,
    height: tf.Tensor,
    width: tf.Tensor,
    check_range: bool = True,
    scope: str | None = None,
) -> BoxList:
    """Pixels -> shares of the picture; with `check_range` the input must not be shares already."""
    with tf.name_scope(scope, "ToNormalizedCoordinates"):
        height, width = tf.cast(height, tf.float32), tf.cast(width, tf.float32)
        boxes = boxlist.get()
        if check_range:
            fine = tf.equal(tf.shape(boxes)[0], 0) | (tf.reduce_max(boxes) > 1.01)
            boxes = _checked(boxes, fine, "boxes seem to be normalised already")
        return scale(_with_boxes(boxlist, boxes), 1.0 / height, 1.0 / width)


def to_absolute_coordinates(
    boxlist: BoxList,
    height: tf.Tensor,
    width: tf.Tensor,
    check_range: bool = True,
    maximum_normalized_coordinate: float = 1.1,
    scope: str | None = None,
) -> BoxList:
    """Shares of the picture -> pixels; with `check_range` no share may pass the maximum."""
    with tf.name_scope(scope, "ToAbsoluteCoordinates"):
        height, width = tf.cast(height, tf.float32), tf.cast(width, tf.float32)
        boxes = boxlist.get()
        if check_range:
            largest = tf.reduce_max(tf.pad(boxes, [[0, 1], [0, 0]]))
            boxes = _checked(
                boxes, largest <= maximum_normalized_coordinate, "boxes are not normalised"
            )
        return scale(_with_boxes(boxlist, boxes), height, width)


def pad_or_clip_box_list(
    boxlist: BoxList, num_boxes: int | tf.Tensor, scope: str | None = None
) -> BoxList:
    """Exactly `num_boxes` rows: zeros are added, or rows cut, in every field."""
    with tf.name_scope(scope, "PadOrClipBoxList"):
        return _map_fields(
            boxlist, lambda tensor: shape_utils.pad_or_clip_tensor(tensor, num_boxes)
        )


def scale_height_width(
    boxlist: BoxList, y_scale: float, x_scale: float, scope: str | None = None
) -> BoxList:
    """Scales heights and widths; the centres stay."""
    with tf.name_scope(scope, "ScaleHeightWidth"):
        y, x, height, width = center_size(boxlist.get())
        half_height, half_width = 0.5 * y_scale * height, 0.5 * x_scale * width
        boxes = tf.stack(
            [y - half_height, x - half_width, y + half_height, x + half_width], axis=-1
        )
        return _with_boxes(boxlist, boxes)


def l1(boxlist1: BoxList, boxlist2: BoxList, scope: str | None = None) -> tf.Tensor:
    """[N, M]: sum of the absolute differences of centres and sizes (arXiv:2005.12872, sec. 3.1)."""
    with tf.name_scope(scope, "PairwiseL1"):
        ours, theirs = (
            tf.stack(center_size(boxlist.get()), axis=-1) for boxlist in (boxlist1, boxlist2)
        )
        return tf.reduce_sum(tf.abs(ours[:, tf.newaxis] - theirs[tf.newaxis]), axis=-1)


def pairwise_giou(boxes: tf.Tensor, others: tf.Tensor) -> tf.Tensor:
    """Generalised IoU (arXiv:1902.09630, algorithm 1): [..., N, 4], [..., M, 4] -> [..., N, M].

    IoU less the share of the smallest enclosing box that neither box covers; 0 for that share
    where the enclosing box is empty.
    """
    first, second = boxes[..., tf.newaxis, :], others[..., tf.newaxis, :, :]
    enclosing = box_area(
        tf.concat(
            [
                tf.minimum(first[..., :2], second[..., :2]),
                tf.maximum(first[..., 2:], second[..., 2:]),
            ],
            axis=-1,
        )
    )
    common = pairwise_intersection(boxes, others)
    union = box_area(boxes)[..., tf.newaxis] + box_area(others)[..., tf.newaxis, :] - common
    return tf.math.divide_no_nan(common, union) - tf.math.divide_no_nan(
        enclosing - union, enclosing
    )


def giou(boxlist1: BoxList, boxlist2: BoxList, scope: str | None = None) -> tf.Tensor:
    """[N, M] generalised IoU of all pairs."""
    with tf.name_scope(scope, "PairwiseGIoU"):
        return pairwise_giou(boxlist1.get(), boxlist2.get())


def sq_dist(boxlist1: BoxList, boxlist2: BoxList, scope: str | None = None) -> tf.Tensor:
    """[N, M]: squared Euclidean distance of the boxes as points [ymin, xmin, ymax, xmax]."""
    with tf.name_scope(scope, "SqDist"):
        difference = boxlist1.get()[:, tf.newaxis] - boxlist2.get()[tf.newaxis]
        return tf.reduce_sum(tf.square(difference), axis=-1)


def visualize_boxes_in_image(
    image: tf.Tensor, boxlist: BoxList, normalized: bool = False, scope: str | None = None
) -> tf.Tensor:
    """The picture [H, W, C] with the boxes drawn; `normalized` says in which frame they are."""
    with tf.name_scope(scope, "VisualizeBoxesInImage"):
        image = tf.image.convert_image_dtype(image, tf.float32)
        if not normalized:
            height, width, _ = tf.unstack(tf.shape(image))
            boxlist = scale(
                boxlist, 1.0 / tf.cast(height, tf.float32), 1.0 / tf.cast(width, tf.float32)
            )
        drawn = tf.image.draw_bounding_boxes(image[tf.newaxis], boxlist.get()[tf.newaxis])
        return drawn[0]


def filter_field_value_equals(
    boxlist: BoxList, field: str, value: float, scope: str | None = None
) -> BoxList:
    """The boxes whose field [N] equals a value.

    Raises:
        ValueError: the field is absent.
    """
    with tf.name_scope(scope, "FilterFieldValueEquals"):
        if not boxlist.has_field(field):
            raise ValueError(f"boxlist has no field {field!r}; it has {boxlist.get_all_fields()}.")
        return gather(boxlist, _indices(tf.equal(boxlist.get_field(field), value)))


def filter_greater_than(boxlist: BoxList, thresh: float, scope: str | None = None) -> BoxList:
    """The boxes whose score is above a threshold.

    Raises:
        ValueError: `scores` are absent, or neither [N] nor [N, 1].
    """
    with tf.name_scope(scope, "FilterGreaterThan"):
        scores = _scores(boxlist)
        return gather(boxlist, _indices(scores > thresh))


def _scores(boxlist: BoxList) -> tf.Tensor:
    """[N] scores of a list."""
    name = fields.BoxListFields.scores
    if not boxlist.has_field(name):
        raise ValueError(f"boxlist has no field {name!r}; it has {boxlist.get_all_fields()}.")
    scores = boxlist.get_field(name)
    if scores.shape.rank not in (1, 2) or (scores.shape.rank == 2 and scores.shape[1] != 1):
        raise ValueError(f"{name} should be [N] or [N, 1], got {scores.shape}.")
    return tf.reshape(scores, [-1])


def box_voting(selected_boxes: BoxList, pool_boxes: BoxList, iou_thresh: float = 0.5) -> BoxList:
    """Moves boxes to the score-weighted mean of the pool's boxes that they overlap.

    Source: Gidaris and Komodakis, arXiv:1505.01749, section 4 (box voting).

    Args:
        selected_boxes: to move, [N].
        pool_boxes: with non-negative `scores`, [M].
        iou_thresh: overlap from which a box of the pool votes.

    Returns:
        [N] boxes with `scores`, the mean score of the voters, and the further fields of the
        selected boxes. A box without a voter is an error when the graph runs.

    Raises:
        ValueError: a threshold outside [0, 1], or a pool without scores.
    """
    if not 0.0 <= iou_thresh <= 1.0:
        raise ValueError(f"iou_thresh should lie in [0, 1], got {iou_thresh}.")
    scores = _scores(pool_boxes)
    votes = tf.cast(pairwise_iou(selected_boxes.get(), pool_boxes.get()) >= iou_thresh, tf.float32)
    voters = tf.reduce_sum(votes, axis=1)
    checks = [
        tf.Assert(tf.reduce_all(voters > 0), ["each selected box should overlap one of the pool"]),
        tf.Assert(tf.reduce_all(scores >= 0), ["scores of the pool should not be negative"]),
    ]
    with tf.control_dependencies(checks):
        weights = votes * scores[tf.newaxis]
    total = tf.reduce_sum(weights, axis=1)
    moved = tf.math.divide_no_nan(tf.matmul(weights, pool_boxes.get()), total[:, tf.newaxis])
    result = _with_boxes(selected_boxes, moved)
    result.add_field(fields.BoxListFields.scores, total / voters)
    return result


def refine_boxes(
    pool_boxes: BoxList,
    nms_iou_thresh: float,
    nms_max_detections: int,
    voting_iou_thresh: float = 0.5,
) -> BoxList:
    """Suppression, then voting of the whole pool.

    Args:
        pool_boxes: with `scores`.
        nms_iou_thresh: overlap above which the worse box goes.
        nms_max_detections: boxes to keep at most.
        voting_iou_thresh: overlap from which a box of the pool votes.

    Raises:
        ValueError: a threshold outside [0, 1], or no scores.
    """
    for name, value in (
        ("nms_iou_thresh", nms_iou_thresh),
        ("voting_iou_thresh", voting_iou_thresh),
    ):
        if not 0.0 <= value <= 1.0:
            raise ValueError(f"{name} should lie in [0, 1], got {value}.")
    _scores(pool_boxes)
    selected = non_max_suppression(pool_boxes, nms_iou_thresh, nms_max_detections)
    return box_voting(selected, pool_boxes, voting_iou_thresh)


def refine_boxes_multi_class(
    pool_boxes: BoxList,
    num_classes: int,
    nms_iou_thresh: float,
    nms_max_detections: int,
    voting_iou_thresh: float = 0.5,
) -> BoxList:
    """`refine_boxes` of each class by itself.

    Args:
        pool_boxes: with `scores` and `classes`, from 0.
        num_classes: classes to look for.
        nms_iou_thresh: overlap above which the worse box goes.
        nms_max_detections: boxes of each class to keep at most.
        voting_iou_thresh: overlap from which a box of the pool votes.

    Returns:
        Boxes with `scores` and `classes`, sorted by falling score.

    Raises:
        ValueError: a threshold outside [0, 1], or an absent field.
    """
    classes = fields.BoxListFields.classes
    if not pool_boxes.has_field(classes):
        raise ValueError(f"pool_boxes has no field {classes!r}.")
    refined = []
    for number in range(num_classes):
        own = filter_field_value_equals(pool_boxes, classes, number)
        refined.append(refine_boxes(own, nms_iou_thresh, nms_max_detections, voting_iou_thresh))
    return sort_by_field(concatenate(refined), fields.BoxListFields.scores)


def select_random_box(
    boxlist: BoxList,
    default_box: tf.Tensor | None = None,
    seed: int | None = None,
    scope: str | None = None,
) -> tuple[tf.Tensor, tf.Tensor]:
    """One box [1, 4] at random, and whether there was any; else `default_box` ([-1] * 4)."""
    with tf.name_scope(scope, "SelectRandomBox"):
        if default_box is None:
            default_box = tf.fill([1, 4], -1.0)
        count = boxlist.num_boxes()
        index = randomness.uniform([], 0, tf.maximum(count, 1), tf.int32, seed)
        box = tf.cond(
            count > 0, lambda: boxlist.get()[index][tf.newaxis], lambda: tf.identity(default_box)
        )
        return box, count > 0


def get_minimal_coverage_box(
    boxlist: BoxList, default_box: tf.Tensor | None = None, scope: str | None = None
) -> tf.Tensor:
    """The smallest box [1, 4] around all boxes; without any, `default_box` ([0, 0, 1, 1])."""
    with tf.name_scope(scope, "GetMinimalCoverageBox"):
        if default_box is None:
            default_box = tf.constant([[0.0, 0.0, 1.0, 1.0]])
        boxes = boxlist.get()
        around = tf.concat(
            [
                tf.reduce_min(boxes[:, :2], axis=0, keepdims=True),
                tf.reduce_max(boxes[:, 2:], axis=0, keepdims=True),
            ],
            axis=1,
        )
        return tf.where(tf.fill([1, 4], boxlist.num_boxes() > 0), around, default_box)


def sample_boxes_by_jittering(
    boxlist: BoxList, num_boxes_to_sample: int, stddev: float = 0.1, scope: str | None = None
) -> BoxList:
    """Boxes drawn with repetition, their corners moved at random.

    Args:
        boxlist: at least one box, normalised.
        num_boxes_to_sample: boxes to give.
        stddev: of the normal shifts, as share of the box's own size.
        scope: name scope.

    Returns:
        `num_boxes_to_sample` boxes within [0, 1]. Corners that changed sides make a box without
        area, the rarer the smaller `stddev` is.
    """
    with tf.name_scope(scope, "SampleBoxesByJittering"):
        rows = randomness.uniform([num_boxes_to_sample], 0, boxlist.num_boxes(), tf.int32)
        boxes = tf.gather(boxlist.get(), rows)
        least, most = boxes[:, :2], boxes[:, 2:]
        noise = randomness.normal([2, num_boxes_to_sample, 2], stddev) * (most - least)
        least, most = least + noise[0], most + noise[1]
        moved = tf.concat([least, tf.maximum(least, most)], axis=1)
        return BoxList(tf.clip_by_value(moved, 0.0, 1.0))


def _map_fields(boxlist: BoxList, change: Callable[[tf.Tensor], tf.Tensor]) -> BoxList:
    result = BoxList(change(boxlist.get()))
    for field in boxlist.get_extra_fields():
        result.add_field(field, change(boxlist.get_field(field)))
    return result


def _checked(tensor: tf.Tensor, condition: tf.Tensor, message: str) -> tf.Tensor:
    with tf.control_dependencies([tf.Assert(condition, [message])]):
        return tf.identity(tensor)


def _indices(mask: tf.Tensor) -> tf.Tensor:
    return tf.cast(tf.where(mask)[:, 0], tf.int32)
