"""Operations on boxes against numbers by hand; degenerate lists first."""

import numpy as np
import pytest
import tensorflow.compat.v1 as tf

from object_detection.core import box_list_ops
from object_detection.core.box_list import BoxList

NAN = float("nan")


def _list(*boxes, **more):
    boxlist = BoxList(tf.constant(np.array(boxes, np.float32).reshape(-1, 4)))
    for name, value in more.items():
        boxlist.add_field(name, tf.constant(value))
    return boxlist


UNIT, RIGHT, FAR = [0, 0, 1, 1], [0, 0.5, 1, 1.5], [2, 2, 4, 4]


@pytest.mark.parametrize(
    ("a", "b", "iou", "giou", "ioa"),
    [
        pytest.param([0, 0, 0, 0], [0, 0, 0, 0], 0, 0, 0, id="two empty boxes"),
        pytest.param([0, 0, 0, 0], UNIT, 0, 0, 0, id="an empty corner of the other"),
        pytest.param(UNIT, [1, 1, 2, 2], 0, -0.5, 0, id="touch at a corner"),
        pytest.param(UNIT, UNIT, 1, 1, 1, id="the same"),
        pytest.param(UNIT, RIGHT, 1 / 3, 1 / 3, 0.5, id="half covered"),
        pytest.param(UNIT, FAR, 0, -(16 - 5) / 16, 0, id="far apart"),
        pytest.param([0, 0, 2, 2], [0.5, 0.5, 1.5, 1.5], 0.25, 0.25, 1, id="one inside"),
    ],
)
def test_overlaps(a, b, iou, giou, ioa, run):
    first, second = _list(a), _list(b)
    assert run(box_list_ops.iou(first, second)) == pytest.approx(iou)
    assert run(box_list_ops.giou(first, second)) == pytest.approx(giou)
    assert run(box_list_ops.ioa(first, second)) == pytest.approx(ioa)


def test_pairs_of_lists_of_different_length(run):
    values = run(box_list_ops.iou(_list(UNIT, FAR), _list(UNIT, RIGHT, FAR)))
    np.testing.assert_allclose(values, [[1, 1 / 3, 0], [0, 0, 1]], atol=1e-6)
    assert run(box_list_ops.iou(_list(), _list(UNIT))).shape == (0, 1)


def test_distances(run):
    np.testing.assert_allclose(
        run(box_list_ops.sq_dist(_list(UNIT), _list(RIGHT, FAR))), [[0.5, 26]]
    )
    # Centres (0.5, 0.5) and (3, 3), sizes 1 and 2.
    np.testing.assert_allclose(run(box_list_ops.l1(_list(UNIT), _list(FAR))), [[2.5 * 2 + 2]])


def test_areas_and_sizes(run):
    boxes = _list(UNIT, [0, 0, 2, 0.5], [1, 1, 0, 0])
    np.testing.assert_allclose(run(box_list_ops.area(boxes)), [1, 1, 0])
    heights, widths = run(box_list_ops.height_width(boxes))
    np.testing.assert_allclose(heights[:2], [1, 2])
    np.testing.assert_allclose(widths[:2], [1, 0.5])


def test_scaling(run):
    boxes = _list([0, 0, 2, 4], scores=[0.5])
    scaled = box_list_ops.scale(boxes, 2.0, 0.5)
    np.testing.assert_allclose(run(scaled.get()), [[0, 0, 4, 2]])
    np.testing.assert_allclose(run(scaled.get_field("scores")), [0.5])
    sized = box_list_ops.scale_height_width(boxes, 2.0, 0.5)
    np.testing.assert_allclose(run(sized.get()), [[-1, 1, 3, 3]])


@pytest.mark.parametrize(
    ("filtered", "expected"),
    [
        (True, [[0, 0, 1, 1], [0.5, 0.5, 1, 1]]),
        (False, [[0, 0, 1, 1], [1, 1, 1, 1], [0.5, 0.5, 1, 1]]),
    ],
)
def test_clipping(filtered, expected, run):
    boxes = _list([-1, -1, 2, 2], FAR, [0.5, 0.5, 3, 3], scores=[1.0, 2.0, 3.0])
    clipped = box_list_ops.clip_to_window(boxes, [0, 0, 1, 1], filter_nonoverlapping=filtered)
    np.testing.assert_allclose(run(clipped.get()), expected)
    assert clipped.has_field("scores")


def test_pruning(run):
    window = tf.constant([0.0, 0.0, 1.0, 1.0])
    boxes = _list(UNIT, RIGHT, FAR)
    kept, indices = box_list_ops.prune_outside_window(boxes, window)
    assert indices.dtype == tf.int64
    assert run(indices).tolist() == [0]
    kept, indices = box_list_ops.prune_completely_outside_window(boxes, window)
    assert run(indices).tolist() == [0, 1]
    np.testing.assert_allclose(run(kept.get()), [UNIT, RIGHT])
    small = box_list_ops.prune_small_boxes(_list(UNIT, [0, 0, 1, 0.1], [0, 0, NAN, 1]), 0.5)
    np.testing.assert_allclose(run(small.get()), [UNIT])
    _, indices = box_list_ops.prune_non_overlapping_boxes(
        _list(UNIT, FAR), _list(RIGHT), min_overlap=0.4
    )
    assert run(indices).tolist() == [0]


def test_frames(run):
    moved = box_list_ops.change_coordinate_frame(
        _list([0.25, 0.5, 0.75, 0.75]), tf.constant([0.25, 0.5, 0.75, 1.0])
    )
    np.testing.assert_allclose(run(moved.get()), [[0, 0, 1, 0.5]])
    absolute = box_list_ops.to_absolute_coordinates(_list([0, 0, 0.5, 1]), 10, 20)
    np.testing.assert_allclose(run(absolute.get()), [[0, 0, 5, 20]])
    back = box_list_ops.to_normalized_coordinates(absolute, 10, 20)
    np.testing.assert_allclose(run(back.get()), [[0, 0, 0.5, 1]])


def test_frames_that_are_mixed_up(run):
    with pytest.raises(tf.errors.InvalidArgumentError, match="normalised already"):
        run(box_list_ops.to_normalized_coordinates(_list([0, 0, 0.5, 1]), 10, 20).get())
    with pytest.raises(tf.errors.InvalidArgumentError, match="not normalised"):
        run(box_list_ops.to_absolute_coordinates(_list([0, 0, 5, 1]), 10, 20).get())
    assert run(box_list_ops.to_normalized_coordinates(_list(), 10, 20).get()).shape == (0, 4)
    assert run(box_list_ops.to_absolute_coordinates(_list(), 10, 20).get()).shape == (0, 4)


def test_filters(run):
    boxes = _list(UNIT, RIGHT, FAR, scores=[0.2, 0.9, 0.5], classes=[1, 2, 1])
    above = box_list_ops.filter_greater_than(boxes, 0.5)
    np.testing.assert_allclose(run(above.get()), [RIGHT])
    ones = box_list_ops.filter_field_value_equals(boxes, "classes", 1)
    np.testing.assert_allclose(run(ones.get_field("scores")), [0.2, 0.5])
    with pytest.raises(ValueError, match="no field 'weights'"):
        box_list_ops.filter_field_value_equals(boxes, "weights", 1)
    with pytest.raises(ValueError, match="no field 'scores'"):
        box_list_ops.filter_greater_than(_list(UNIT), 0.5)
    masked = box_list_ops.boolean_mask(boxes, tf.constant([False, True, True]))
    np.testing.assert_allclose(run(masked.get_field("classes")), [2, 1])


@pytest.mark.parametrize(
    ("count", "expected"),
    [
        pytest.param(1, [RIGHT], id="more than the sum"),
        pytest.param(2, [RIGHT, FAR], id="exactly"),
        pytest.param(3, [RIGHT, FAR, UNIT], id="fewer: the first box fills up"),
    ],
)
def test_masks_of_known_length(count, expected, run):
    masked = box_list_ops.boolean_mask(
        _list(UNIT, RIGHT, FAR),
        tf.constant([False, True, True]),
        use_static_shapes=True,
        indicator_sum=count,
    )
    assert masked.num_boxes_static() == count
    np.testing.assert_allclose(run(masked.get()), expected)


def test_masks_that_cannot_be():
    boxes = _list(UNIT)
    for indicator in (tf.constant([1]), tf.constant([[True]])):
        with pytest.raises(ValueError, match="boolean"):
            box_list_ops.boolean_mask(boxes, indicator)
    for count in (None, 0, 2.0):
        with pytest.raises(ValueError, match="indicator_sum"):
            box_list_ops.boolean_mask(
                boxes, tf.constant([True]), use_static_shapes=True, indicator_sum=count
            )


def test_sorting(run):
    boxes = _list(UNIT, RIGHT, FAR, scores=[0.5, 0.9, 0.5])
    falling = box_list_ops.sort_by_field(boxes, "scores")
    np.testing.assert_allclose(run(falling.get()), [RIGHT, UNIT, FAR])
    rising = box_list_ops.sort_by_field(boxes, "scores", box_list_ops.SortOrder.ascend)
    np.testing.assert_allclose(run(rising.get()), [FAR, UNIT, RIGHT])
    boxes.add_field("short", tf.constant([1.0]))
    with pytest.raises(tf.errors.InvalidArgumentError, match="one value for each box"):
        run(box_list_ops.sort_by_field(boxes, "short").get())
    boxes.add_field("pairs", tf.zeros([3, 2]))
    with pytest.raises(ValueError, match="one axis"):
        box_list_ops.sort_by_field(boxes, "pairs")
    with pytest.raises(ValueError, match="No field"):
        box_list_ops.sort_by_field(boxes, "area")
    with pytest.raises(ValueError, match="SortOrder"):
        box_list_ops.sort_by_field(boxes, "scores", 3)


def test_concatenation(run):
    both = box_list_ops.concatenate([_list(UNIT, scores=[0.1]), _list(scores=np.zeros(0, np.float32)),
                                     _list(FAR, scores=[0.2])])  # fmt: skip
    np.testing.assert_allclose(run(both.get_field("scores")), [0.1, 0.2])
    with pytest.raises(ValueError, match="at least one"):
        box_list_ops.concatenate([])


@pytest.mark.parametrize("length", [1, 3])
def test_padding(length, run):
    padded = box_list_ops.pad_or_clip_box_list(_list(FAR, UNIT, scores=[0.1, 0.2]), length)
    assert padded.get().shape == (length, 4)
    expected = [FAR, UNIT, [0] * 4][:length]
    np.testing.assert_allclose(run(padded.get()), expected)
    np.testing.assert_allclose(run(padded.get_field("scores")), [0.1, 0.2, 0][:length])


def test_voting_by_hand(run):
    pool = _list([0, 0, 1, 1], [0, 0, 1, 0.8], FAR, scores=[0.75, 0.25, 0.9])
    moved = box_list_ops.box_voting(_list(UNIT, FAR), pool, 0.5)
    np.testing.assert_allclose(run(moved.get()), [[0, 0, 1, 0.95], FAR], atol=1e-6)
    np.testing.assert_allclose(run(moved.get_field("scores")), [0.5, 0.9], atol=1e-6)
    with pytest.raises(tf.errors.InvalidArgumentError, match="overlap one of the pool"):
        run(box_list_ops.box_voting(_list([9, 9, 10, 10]), pool).get())
    with pytest.raises(ValueError, match=r"\[0, 1\]"):
        box_list_ops.box_voting(_list(UNIT), pool, 1.5)


def test_refining(run):
    pool = _list([0, 0, 1, 1], [0, 0, 1, 0.8], FAR, scores=[0.75, 0.25, 0.9], classes=[0, 0, 1])
    refined = box_list_ops.refine_boxes(pool, 0.5, 10)
    np.testing.assert_allclose(run(refined.get()), [FAR, [0, 0, 1, 0.95]], atol=1e-6)
    # At most one box of each class, and of all classes the best first.
    by_class = box_list_ops.refine_boxes_multi_class(pool, 3, 0.5, 1)
    assert run(by_class.get_field("classes")).tolist() == [1, 0]
    np.testing.assert_allclose(run(by_class.get()), [FAR, [0, 0, 1, 0.95]], atol=1e-6)
    np.testing.assert_allclose(run(by_class.get_field("scores")), [0.9, 0.5])


def test_random_boxes(run):
    box, there = run(box_list_ops.select_random_box(_list()))
    assert box.tolist() == [[-1] * 4]
    assert not there
    seen = {tuple(run(box_list_ops.select_random_box(_list(UNIT, FAR))[0])[0]) for _ in range(12)}
    assert seen == {tuple(UNIT), tuple(FAR)}
    box = [0.2, 0.3, 0.6, 0.5]
    jittered = run(box_list_ops.sample_boxes_by_jittering(_list(box), 400, 0.05).get())
    assert jittered.shape == (400, 4)
    np.testing.assert_allclose(jittered.mean(axis=0), box, atol=0.01)
    # The corners move by 0.05 of the sides 0.4 and 0.2.
    np.testing.assert_allclose(jittered.std(axis=0), [0.02, 0.01, 0.02, 0.01], rtol=0.2)
    wild = run(box_list_ops.sample_boxes_by_jittering(_list(UNIT), 100, 2.0).get())
    assert wild.min() == 0.0
    assert wild.max() == 1.0
    assert (wild[:, 2:] >= wild[:, :2]).all()


@pytest.mark.parametrize(
    ("boxes", "expected"),
    [([], [0, 0, 1, 1]), ([UNIT], UNIT), ([UNIT, FAR], [0, 0, 4, 4])],
    ids=["none", "one", "two"],
)
def test_minimal_coverage(boxes, expected, run):
    np.testing.assert_allclose(
        run(box_list_ops.get_minimal_coverage_box(_list(*boxes))), [expected]
    )


def test_drawing_in_the_graph(run):
    image = tf.zeros([8, 8, 3])
    drawn = run(box_list_ops.visualize_boxes_in_image(image, _list([0.25, 0.25, 0.75, 0.75]), True))
    assert drawn.shape == (8, 8, 3)
    assert drawn.max() > 0
    assert drawn[0].max() == 0
