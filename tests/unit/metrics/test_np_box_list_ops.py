import numpy as np
import pytest

from object_detection.metrics import np_box_list_ops as ops
from object_detection.metrics import np_box_mask_list_ops as mask_ops
from object_detection.metrics.np_box_lists import BoxList, BoxMaskList


def boxes(*rows):
    return BoxList(np.array(rows, np.float64).reshape(-1, 4))


def with_fields(boxlist, **fields):
    for name, values in fields.items():
        boxlist.add_field(name, np.array(values))
    return boxlist


# As strips one above the other, 10 wide; the masks are 1 x 4 pictures of them.
def instances(rows, masks, **fields):
    data = np.array(rows, np.float64).reshape(-1, 4)
    pixels = np.array(masks, np.uint8).reshape(len(data), 1, 4)
    return with_fields(BoxMaskList(data, pixels), **fields)


@pytest.fixture
def three():
    return with_fields(
        boxes([0, 0, 1, 1], [0, 0, 2, 2], [5, 5, 6, 7]),
        scores=[0.2, 0.9, 0.5],
        classes=[7, 8, 9],
    )


def test_overlaps_of_lists():
    a, b = boxes([0, 0, 2, 2]), boxes([1, 1, 3, 3], [0, 0, 1, 1])
    np.testing.assert_array_equal(ops.area(b), [4, 1])
    np.testing.assert_array_equal(ops.intersection(a, b), [[1, 1]])
    np.testing.assert_allclose(ops.iou(a, b), [[1 / 7, 1 / 4]])
    np.testing.assert_allclose(ops.ioa(a, b), [[1 / 4, 1]])


class TestGather:
    def test_order_and_fields(self, three):
        chosen = ops.gather(three, np.array([2, 0, 2]))
        np.testing.assert_array_equal(chosen.get()[:, 3], [7, 1, 7])
        np.testing.assert_array_equal(chosen.get_field("classes"), [9, 7, 9])
        assert ops.gather(three, np.array([1]), fields=["scores"]).get_extra_fields() == ["scores"]
        assert ops.gather(three, np.array([1]), fields=[]).get_extra_fields() == []

    def test_nothing(self, three):
        chosen = ops.gather(three, np.array([]))
        assert chosen.get().shape == (0, 4)
        assert chosen.get_field("scores").shape == (0,)

    @pytest.mark.parametrize("indices", [[3], [-1], [0, 5]])
    def test_out_of_range(self, three, indices):
        with pytest.raises(ValueError):
            ops.gather(three, np.array(indices))

    def test_absent_field(self, three):
        with pytest.raises(ValueError):
            ops.gather(three, np.array([0]), fields=["masks"])


class TestSort:
    def test_orders(self, three):
        down = ops.sort_by_field(three, "scores")
        np.testing.assert_array_equal(down.get_field("classes"), [8, 9, 7])
        up = ops.sort_by_field(three, "scores", ops.SortOrder.ASCEND)
        np.testing.assert_array_equal(up.get_field("classes"), [7, 9, 8])
        np.testing.assert_array_equal(up.get()[:, 2], [1, 6, 2])

    def test_equals(self):
        tied = with_fields(boxes(*[[0, 0, 1, 1]] * 3), scores=[0.5] * 3, classes=[0, 1, 2])
        down = ops.sort_by_field(tied, "scores").get_field("classes")
        up = ops.sort_by_field(tied, "scores", ops.SortOrder.ASCEND).get_field("classes")
        np.testing.assert_array_equal(up, [0, 1, 2])
        np.testing.assert_array_equal(down, [2, 1, 0])

    def test_refused(self, three):
        with pytest.raises(ValueError):
            ops.sort_by_field(three, "objectness")
        with pytest.raises(ValueError):
            ops.sort_by_field(three, "scores", "descending")
        with pytest.raises(ValueError):
            ops.sort_by_field(with_fields(three, wide=np.zeros([3, 2])), "wide")


# IoU of neighbours: the second is 9/11 with the first, the third 8/12 with it and 9/11 with the
# second; the last is apart.
CHAIN = [[0, 0, 10, 1], [1, 0, 11, 1], [2, 0, 12, 1], [50, 0, 60, 1]]


@pytest.mark.parametrize(
    ("scores", "options", "kept"),
    [
        pytest.param([0.9, 0.8, 0.7, 0.6], {}, [0, 1, 2, 3], id="threshold 1 keeps all"),
        pytest.param([0.6, 0.7, 0.8, 0.9], {}, [3, 2, 1, 0], id="sorted, best first"),
        pytest.param([0.9, 0.8, 0.7, 0.6], {"max_output_size": 2}, [0, 1], id="two of all"),
        pytest.param([0.9, 0.8, 0.7, 0.6], {"max_output_size": 0}, [], id="none wanted"),
        pytest.param([0.9, 0.8, 0.7, 0.6], {"iou_threshold": 0.5}, [0, 3], id="chain from an end"),
        pytest.param([0.8, 0.9, 0.7, 0.6], {"iou_threshold": 0.5}, [1, 3], id="from the middle"),
        # 8/12 is kept at 0.7, though both overlap the dropped second by 9/11.
        pytest.param([0.9, 0.8, 0.7, 0.6], {"iou_threshold": 0.7}, [0, 2, 3], id="ends"),
        pytest.param([0.9, 0.8, 0.7, 0.6], {"iou_threshold": 9 / 11}, [0, 1, 2, 3], id="equal"),
        pytest.param([0.9, 0.8, 0.7, 0.6], {"iou_threshold": 0.0}, [0, 3], id="threshold 0"),
        pytest.param(
            [0.9, 0.8, 0.7, 0.6], {"iou_threshold": 0.5, "max_output_size": 1}, [0], id="only one"
        ),
        pytest.param([0.9, 0.8, 0.7, 0.6], {"score_threshold": 0.7}, [0, 1], id="equal score goes"),
        pytest.param([0.9, 0.8, 0.7, -10.0], {}, [0, 1, 2], id="default score threshold"),
        pytest.param([0.1, 0.1, 0.1, 0.1], {"score_threshold": 0.5}, [], id="no score is enough"),
    ],
)
def test_non_max_suppression(scores, options, kept):
    boxlist = with_fields(boxes(*CHAIN), scores=scores, classes=[0, 1, 2, 3])
    result = ops.non_max_suppression(boxlist, **options)
    np.testing.assert_array_equal(result.get_field("classes"), kept)
    np.testing.assert_array_equal(result.get(), np.reshape([CHAIN[row] for row in kept], [-1, 4]))
    assert boxlist.num_boxes() == 4


@pytest.mark.parametrize(
    ("fields", "options"),
    [
        pytest.param({}, {}, id="no scores"),
        pytest.param({"scores": [0.5] * 4}, {"iou_threshold": 1.1}, id="IoU above 1"),
        pytest.param({"scores": [0.5] * 4}, {"iou_threshold": -0.1}, id="IoU below 0"),
        pytest.param({"scores": [0.5] * 4}, {"max_output_size": -1}, id="negative size"),
        pytest.param({"scores": np.zeros([4, 2])}, {}, id="scores of two classes"),
    ],
)
def test_non_max_suppression_refuses(fields, options):
    with pytest.raises(ValueError):
        ops.non_max_suppression(with_fields(boxes(*CHAIN), **fields), **options)
    masks = instances(CHAIN, np.eye(4), **fields)
    with pytest.raises(ValueError):
        mask_ops.non_max_suppression(masks, **options)


def test_multi_class_non_max_suppression():
    scores = [[0.9, 0.1], [0.8, 0.7], [0.7, 0.75], [0.2, 0.95]]
    result = ops.multi_class_non_max_suppression(
        with_fields(boxes(*CHAIN), scores=scores, weights=[1, 1, 1, 1]), 0.15, 0.5, 3
    )
    # Class 0: the first removes two; the last stays. Class 1: the last, the third; 0.1 is too low.
    np.testing.assert_allclose(result.get_field("scores"), [0.95, 0.9, 0.75, 0.2])
    np.testing.assert_array_equal(result.get_field("classes"), [1, 0, 1, 0])
    np.testing.assert_array_equal(result.get(), [CHAIN[row] for row in (3, 0, 2, 3)])
    assert result.get_extra_fields() == ["scores", "classes"]


def test_multi_class_suppression_limits_each_class_and_takes_one_column():
    both = with_fields(boxes(*CHAIN), scores=[[0.9, 0.1], [0.1, 0.2], [0.1, 0.3], [0.8, 0.4]])
    result = ops.multi_class_non_max_suppression(both, 0.0, 0.5, 1)
    np.testing.assert_allclose(result.get_field("scores"), [0.9, 0.4])
    one = with_fields(boxes(*CHAIN), scores=[0.9, 0.1, 0.1, 0.8])
    result = ops.multi_class_non_max_suppression(one, 0.0, 0.5, 10)
    np.testing.assert_array_equal(result.get_field("classes"), [0, 0])
    empty = ops.multi_class_non_max_suppression(both, 2.0, 0.5, 10)
    assert empty.num_boxes() == 0


@pytest.mark.parametrize(
    ("boxlist", "iou_thresh"),
    [
        pytest.param(np.zeros([1, 4]), 0.5, id="an array"),
        pytest.param(boxes([0, 0, 1, 1]), 0.5, id="no scores"),
        pytest.param(with_fields(boxes([0, 0, 1, 1]), scores=[0.5]), 1.5, id="threshold"),
        pytest.param(
            with_fields(boxes([0, 0, 1, 1]), scores=[[[0.5]]]), 0.5, id="scores of three axes"
        ),
    ],
)
def test_multi_class_non_max_suppression_refuses(boxlist, iou_thresh):
    with pytest.raises(ValueError):
        ops.multi_class_non_max_suppression(boxlist, 0.1, iou_thresh, 10)
    with pytest.raises(ValueError):
        mask_ops.multi_class_non_max_suppression(boxlist, 0.1, iou_thresh, 10)


def test_scale(three):
    scaled = ops.scale(three, 2.0, 0.5)
    np.testing.assert_array_equal(scaled.get()[2], [10, 2.5, 12, 3.5])
    np.testing.assert_array_equal(scaled.get_field("scores"), [0.2, 0.9, 0.5])


@pytest.mark.parametrize(
    ("box", "clipped", "remains"),
    [
        pytest.param([2, 2, 4, 4], [2, 2, 4, 4], True, id="within"),
        pytest.param([0, 0, 10, 14], [0, 0, 9, 14], True, id="the window and more"),
        pytest.param([-3, 1, 3, 20], [0, 1, 3, 14], True, id="over two edges"),
        pytest.param([9, 1, 12, 3], [9, 1, 9, 3], False, id="touches an edge"),
        pytest.param([20, 20, 30, 30], [9, 14, 9, 14], False, id="outside"),
    ],
)
def test_clip_to_window(box, clipped, remains):
    window = np.array([0.0, 0, 9, 14])
    boxlist = with_fields(boxes(box), classes=[3])
    kept = ops.clip_to_window(boxlist, window)
    assert kept.num_boxes() == remains
    everything = ops.clip_to_window(boxlist, window, filter_nonoverlapping=False)
    np.testing.assert_array_equal(everything.get(), [clipped])
    np.testing.assert_array_equal(everything.get_field("classes"), [3])


def test_prune_outside_window():
    boxlist = with_fields(
        boxes([0, 0, 1, 1], [0.5, 0.5, 1.1, 1], [-0.1, 0, 1, 1], [0.2, 0.2, 0.3, 0.3]),
        classes=[0, 1, 2, 3],
    )
    kept, indices = ops.prune_outside_window(boxlist, np.array([0.0, 0, 1, 1]))
    np.testing.assert_array_equal(indices, [0, 3])
    np.testing.assert_array_equal(kept.get_field("classes"), [0, 3])


def test_window_ends_where_a_box_of_lower_precision_ends():
    # 0.1 is 0.100000001 in float32.
    boxlist = BoxList(np.array([[0, 0, 0.1, 0.1]], np.float32))
    kept, _ = ops.prune_outside_window(boxlist, np.array([0.0, 0.0, 0.1, 0.1]))
    assert kept.num_boxes() == 1
    assert ops.clip_to_window(boxlist, np.array([0.0, 0, 1, 1])).get().dtype == np.float32


@pytest.mark.parametrize(
    ("minoverlap", "kept"), [(0.0, [0, 1, 2]), (0.1, [0, 1]), (0.25, [0, 1]), (0.6, [0])]
)
def test_prune_non_overlapping_boxes(three, minoverlap, kept):
    # The second list's box covers the first wholly and a quarter of the second.
    pruned = ops.prune_non_overlapping_boxes(three, boxes([0, 0, 1, 1]), minoverlap)
    np.testing.assert_array_equal(pruned.get_field("classes"), np.array([7, 8, 9])[kept])


def test_prune_by_nothing(three):
    assert ops.prune_non_overlapping_boxes(three, boxes(), 0.1).num_boxes() == 0


def test_concatenate(three):
    other = with_fields(boxes([8, 8, 9, 9]), scores=[0.1], classes=[1])
    joined = ops.concatenate([three, other])
    assert joined.num_boxes() == 4
    np.testing.assert_array_equal(joined.get_field("classes"), [7, 8, 9, 1])
    assert ops.concatenate([three, other], fields=["scores"]).get_extra_fields() == ["scores"]
    np.testing.assert_array_equal(ops.concatenate([three]).get(), three.get())


@pytest.mark.parametrize(
    "lists",
    [
        pytest.param([], id="none"),
        pytest.param(boxes([0, 0, 1, 1]), id="not a list"),
        pytest.param([np.zeros([1, 4])], id="an array"),
        pytest.param(
            [with_fields(boxes([0, 0, 1, 1]), scores=[1.0]), boxes([0, 0, 1, 1])], id="absent"
        ),
        pytest.param(
            [
                with_fields(boxes([0, 0, 1, 1]), scores=[1.0]),
                with_fields(boxes([0, 0, 1, 1]), scores=[[1.0, 2.0]]),
            ],
            id="shapes",
        ),
    ],
)
def test_concatenate_refuses(lists):
    with pytest.raises(ValueError):
        ops.concatenate(lists)


def test_filter_scores(three):
    np.testing.assert_array_equal(
        ops.filter_scores_greater_than(three, 0.5).get_field("classes"), [8]
    )
    column = with_fields(boxes(*CHAIN), scores=[[0.1], [0.6], [0.2], [0.9]])
    kept = ops.filter_scores_greater_than(column, 0.5)
    np.testing.assert_array_equal(kept.get_field("scores"), [[0.6], [0.9]])


@pytest.mark.parametrize(
    "boxlist",
    [
        pytest.param(np.zeros([1, 4]), id="an array"),
        pytest.param(boxes([0, 0, 1, 1]), id="no scores"),
        pytest.param(with_fields(boxes([0, 0, 1, 1]), scores=[[0.1, 0.2]]), id="two classes"),
        pytest.param(with_fields(boxes([0, 0, 1, 1]), scores=[[[0.1]]]), id="three axes"),
    ],
)
def test_filter_scores_refuses(boxlist):
    with pytest.raises(ValueError):
        ops.filter_scores_greater_than(boxlist, 0.0)
    with pytest.raises(ValueError):
        mask_ops.filter_scores_greater_than(boxlist, 0.0)


def test_change_coordinate_frame():
    boxlist = with_fields(boxes([0.25, 0.5, 0.75, 0.75]), classes=[2])
    moved = ops.change_coordinate_frame(boxlist, np.array([0.25, 0.25, 0.75, 1.25]))
    np.testing.assert_allclose(moved.get(), [[0, 0.25, 1, 0.5]])
    np.testing.assert_array_equal(moved.get_field("classes"), [2])


class TestMasks:
    """The boxes are all alike, so that masks alone decide."""

    ROWS = [[0, 0, 1, 1]] * 3
    MASKS = ((1, 1, 1, 0), (1, 1, 0, 0), (0, 0, 1, 1))  # IoU 2/3, 1/4, 0

    def test_conversion(self):
        plain = with_fields(boxes(*self.ROWS), classes=[0, 1, 2])
        with pytest.raises(ValueError, match="masks"):
            mask_ops.box_list_to_box_mask_list(plain)
        plain.add_field("masks", np.array(self.MASKS, np.uint8)[:, None])
        converted = mask_ops.box_list_to_box_mask_list(plain)
        assert isinstance(converted, BoxMaskList)
        np.testing.assert_array_equal(converted.get_field("classes"), [0, 1, 2])

    def test_overlaps(self):
        one = instances(self.ROWS, self.MASKS)
        np.testing.assert_array_equal(mask_ops.area(one), [3, 2, 2])
        np.testing.assert_array_equal(
            mask_ops.intersection(one, one), [[3, 2, 1], [2, 2, 0], [1, 0, 2]]
        )
        np.testing.assert_allclose(mask_ops.iou(one, one)[0], [1, 2 / 3, 1 / 4])
        np.testing.assert_allclose(mask_ops.ioa(one, one)[0], [1, 1, 1 / 2], rtol=1e-6)

    @pytest.mark.parametrize(
        ("threshold", "size", "kept"),
        [(1.0, 9, [0, 1, 2]), (0.5, 9, [0, 2]), (0.2, 9, [0]), (0.5, 1, [0]), (1.0, 2, [0, 1])],
    )
    def test_suppression(self, threshold, size, kept):
        found = instances(self.ROWS, self.MASKS, scores=[0.9, 0.8, 0.7], classes=[0, 1, 2])
        result = mask_ops.non_max_suppression(found, size, threshold)
        np.testing.assert_array_equal(result.get_field("classes"), kept)
        np.testing.assert_array_equal(result.get_masks()[:, 0], np.array(self.MASKS)[kept])

    def test_suppression_of_classes(self):
        found = instances(self.ROWS, self.MASKS, scores=[[0.9, 0.1], [0.8, 0.7], [0.6, 0.2]])
        result = mask_ops.multi_class_non_max_suppression(found, 0.15, 0.5, 10)
        assert isinstance(result, BoxMaskList)
        np.testing.assert_allclose(result.get_field("scores"), [0.9, 0.7, 0.6, 0.2])
        np.testing.assert_array_equal(result.get_field("classes"), [0, 1, 0, 1])

    def test_choice_and_order_keep_masks(self):
        found = instances(self.ROWS, self.MASKS, scores=[0.1, 0.9, 0.5], classes=[0, 1, 2])
        fields = ["scores"]
        chosen = mask_ops.gather(found, np.array([2, 0]), fields)
        assert fields == ["scores"]
        np.testing.assert_array_equal(chosen.get_masks()[0, 0], [0, 0, 1, 1])
        assert set(chosen.get_extra_fields()) == {"scores", "masks"}
        ranked = mask_ops.sort_by_field(found, "scores")
        np.testing.assert_array_equal(ranked.get_field("classes"), [1, 2, 0])
        high = mask_ops.filter_scores_greater_than(found, 0.5)
        np.testing.assert_array_equal(high.get_masks()[:, 0], [[1, 1, 0, 0]])
        joined = mask_ops.concatenate([found, high], fields=["classes"])
        assert isinstance(joined, BoxMaskList)
        np.testing.assert_array_equal(joined.get_field("classes"), [0, 1, 2, 1])

    def test_prune(self):
        found = instances(self.ROWS, self.MASKS, classes=[0, 1, 2])
        # Covers 1/3, none and 1/2 of the three.
        by = instances([[0, 0, 1, 1]], [[0, 0, 1, 0]])
        for minimum, kept in ((0.0, [0, 1, 2]), (0.3, [0, 2]), (0.45, [2]), (0.6, [])):
            pruned = mask_ops.prune_non_overlapping_masks(found, by, minimum)
            np.testing.assert_array_equal(pruned.get_field("classes"), kept)
