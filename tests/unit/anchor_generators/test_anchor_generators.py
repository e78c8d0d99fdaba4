"""Anchors by hand, with known and unknown sizes."""

import numpy as np
import pytest
import tensorflow.compat.v1 as tf

from object_detection.anchor_generators.flexible_grid_anchor_generator import (
    FlexibleGridAnchorGenerator,
)
from object_detection.anchor_generators.grid_anchor_generator import (
    GridAnchorGenerator,
    tile_anchors,
)
from object_detection.anchor_generators.multiple_grid_anchor_generator import (
    MultipleGridAnchorGenerator,
    create_ssd_anchors,
)
from object_detection.anchor_generators.multiscale_grid_anchor_generator import (
    MultiscaleGridAnchorGenerator,
)


def _unknown(number):
    return tf.placeholder_with_default(np.int32(number), [])


def _run(run, boxlists):
    return [boxes.tolist() for boxes in run([one.get() for one in boxlists])]


# One location: sizes (h, w) are scale * 256 / sqrt(ratio), scale * 256 * sqrt(ratio).
SINGLE = [
    [-121, -35, 135, 29],
    [-249, -67, 263, 61],
    [-505, -131, 519, 125],
    [-57, -67, 71, 61],
    [-121, -131, 135, 125],
    [-249, -259, 263, 253],
    [-25, -131, 39, 125],
    [-57, -259, 71, 253],
    [-121, -515, 135, 509],
]


@pytest.mark.parametrize("size", [int, _unknown], ids=["known", "unknown"])
def test_grid(size, run):
    single = GridAnchorGenerator((0.5, 1.0, 2.0), (0.25, 1.0, 4.0), anchor_offset=(7, -3))
    assert single.num_anchors_per_location() == [9]
    (anchors,) = single.generate([(size(1), size(1))])
    assert anchors.num_boxes_static() == (9 if size is int else None)
    np.testing.assert_allclose(run(anchors.get()), SINGLE)
    grid = GridAnchorGenerator((0.5, 1.0, 2.0), (1.0,), [10, 10], [19, 19], [0, 0])
    (anchors,) = grid.generate([(size(2), size(2))])
    halves = np.array([2.5, 5, 10])
    centres = [(0, 0), (0, 19), (19, 0), (19, 19)]
    expected = [[y - h, x - h, y + h, x + h] for y, x in centres for h in halves]
    np.testing.assert_allclose(run(anchors.get()), expected)


def test_a_grid_without_anchors(run):
    (anchors,) = GridAnchorGenerator(scales=[]).generate([(2, 2)])
    assert run(anchors.get()).shape == (0, 4)


def test_grid_of_tensors(run):
    generator = GridAnchorGenerator(
        (1.0,), (1.0,), tf.constant([4.0, 8.0]), tf.constant([10, 10]), tf.constant([1.0, 2.0])
    )
    (anchors,) = generator.generate([(1, 2)])
    assert _run(run, [anchors]) == [[[-1, -2, 3, 6], [-1, 8, 3, 16]]]


@pytest.mark.parametrize(
    "shapes",
    [[], [(1, 1), (1, 1)], [1], [(1, 1, 3)]],
    ids=["none", "two", "no pair", "three numbers"],
)
def test_what_is_no_list_of_one_pair(shapes):
    with pytest.raises(ValueError, match=r"feature.map"):
        GridAnchorGenerator().generate(shapes)


@pytest.mark.parametrize("size", [int, np.int64, tf.constant], ids=lambda size: size.__name__)
def test_the_number_of_anchors_is_known_where_the_grid_is(size):
    (anchors,) = GridAnchorGenerator().generate([(size(2), size(3))])
    assert anchors.num_boxes_static() == 2 * 3 * 9


def test_tiles(run):
    boxes = tile_anchors(1, 2, [2.0, 4.0], [1.0, 4.0], (1, 1), (5, 5), (0, 0))
    assert _run(run, [boxes]) == [[[-1, -1, 1, 1], [-1, -4, 1, 4], [-1, 4, 1, 6], [-1, 1, 1, 9]]]


@pytest.mark.parametrize("size", [int, _unknown], ids=["known", "unknown"])
def test_multiple_grids(size, run):
    generator = MultipleGridAnchorGenerator(
        [[(1.0, 1.0)], [(1.0, 1.0), (1.0, 0.5)]],
        base_anchor_size=tf.constant([1.0, 1.0]),
        anchor_strides=[(0.25, 0.25), (0.5, 0.5)],
        anchor_offsets=[(0.125, 0.125), (0.25, 0.25)],
    )
    assert generator.num_anchors_per_location() == [1, 2]
    first, second = generator.generate([(size(4), size(4)), (size(2), size(2))])
    assert second.num_boxes_static() == (8 if size is int else None)
    index = run([first.get_field("feature_map_index"), second.get_field("feature_map_index")])
    assert [one.tolist() for one in index] == [[0.0] * 16, [1.0] * 8]
    first, second = run([first.get(), second.get()])
    np.testing.assert_allclose(first[[0, 1, 15]], [[-0.375, -0.375, 0.625, 0.625],
                                                   [-0.375, -0.125, 0.625, 0.875],
                                                   [0.375, 0.375, 1.375, 1.375]])  # fmt: skip
    root = np.sqrt(0.5) / 2
    narrow = [0.25 - 1 / (4 * root), 0.25 - root, 0.25 + 1 / (4 * root), 0.25 + root]
    np.testing.assert_allclose(second[1], narrow, rtol=1e-6)


@pytest.mark.parametrize("size", [int, _unknown], ids=["known", "unknown"])
def test_strides_and_offsets_derived_from_the_maps(size, run):
    # The picture is 320 x 640: a square anchor of the short side is half as wide.
    generator = MultipleGridAnchorGenerator([[(1.0, 1.0)]])
    boxlists = generator.generate([(size(1), size(2))], im_height=size(320), im_width=size(640))
    assert _run(run, boxlists) == [[[0, 0, 1, 0.5], [0, 0.5, 1, 1]]]


def test_strides_and_offsets_in_pixels(run):
    generator = MultipleGridAnchorGenerator(
        [[(0.25, 1.0)]], anchor_strides=[(16, 16)], anchor_offsets=[(8, 0)]
    )
    boxlists = generator.generate([(1, 2)], im_height=64, im_width=64)
    assert _run(run, boxlists) == [[[0, -0.125, 0.25, 0.125], [0, 0.125, 0.25, 0.375]]]


def test_anchors_cut_at_a_window(run):
    generator = MultipleGridAnchorGenerator(
        [[(1.0, 1.0)]], clip_window=tf.constant([0.0, 0.0, 0.5, 1.0])
    )
    # The second row keeps no area, but its places.
    assert _run(run, generator.generate([(2, 1)])) == [[[0, 0, 0.5, 1], [0.25, 0, 0.5, 1]]]


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param({"box_specs_list": [(1.0, 1.0)]}, id="pairs without lists"),
        pytest.param({"box_specs_list": [[1.0, 1.0]]}, id="numbers without pairs"),
        pytest.param({"box_specs_list": []}, id="nothing"),
        pytest.param({"box_specs_list": [[(1.0, 1.0, 1.0)]]}, id="three numbers"),
        pytest.param({"anchor_strides": [(1, 1), (2, 2)]}, id="a stride too many"),
        pytest.param({"anchor_strides": (16,)}, id="a stride without a pair"),
        pytest.param({"anchor_offsets": [(1, 1, 1)]}, id="an offset of three"),
        pytest.param({"anchor_offsets": [(1, 1), (2, 2)]}, id="an offset too many"),
        pytest.param({"clip_window": np.zeros([1, 4], np.float32)}, id="a window too deep"),
    ],
)
def test_multiple_grids_that_cannot_be(arguments):
    with pytest.raises(ValueError, match=r"box_specs_list|anchor_|clip_window"):
        MultipleGridAnchorGenerator(**{"box_specs_list": [[(1.0, 1.0)]], **arguments})


@pytest.mark.parametrize("shapes", [[(1, 1)], [(1, 1), (1,)], [1, 2]])
def test_multiple_grids_need_a_pair_for_each_map(shapes):
    with pytest.raises(ValueError, match=r"feature.map"):
        MultipleGridAnchorGenerator([[(1.0, 1.0)], [(1.0, 1.0)]]).generate(shapes)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        pytest.param({}, [3, 6, 6, 6, 6, 6], id="defaults"),
        pytest.param({"reduce_boxes_in_lowest_layer": False}, [6] * 6, id="a full first map"),
        pytest.param(
            {"interpolated_scale_aspect_ratio": 0.0}, [3, 5, 5, 5, 5, 5], id="nothing between"
        ),
        pytest.param({"num_layers": 2, "aspect_ratios": (1.0,)}, [3, 2], id="two maps"),
        pytest.param({"num_layers": 2, "scales": [0.2, 0.4, 0.8]}, [3, 6], id="scales to spare"),
        pytest.param({"num_layers": 1}, [3], id="one map"),
    ],
)
def test_number_of_ssd_anchors(options, expected):
    assert create_ssd_anchors(**options).num_anchors_per_location() == expected


def test_sizes_of_ssd_anchors(run):
    generator = create_ssd_anchors(
        num_layers=3, min_scale=0.2, max_scale=0.8, aspect_ratios=(1.0, 4.0)
    )
    anchors = run([boxes.get() for boxes in generator.generate([(1, 1)] * 3)])
    sizes = [boxes[:, 2:] - boxes[:, :2] for boxes in anchors]
    half = np.sqrt(0.5)
    expected = [
        [[0.1, 0.1], [0.2 * half, 0.2 / half], [0.2 / half, 0.2 * half]],
        [[0.5, 0.5], [0.25, 1.0], [np.sqrt(0.4)] * 2],
        [[0.8, 0.8], [0.4, 1.6], [np.sqrt(0.8)] * 2],
    ]
    for ours, theirs in zip(sizes, expected, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-5)


@pytest.mark.parametrize("size", [int, _unknown], ids=["known", "unknown"])
def test_multiscale(size, run):
    pixels = MultiscaleGridAnchorGenerator(5, 5, 4.0, [1.0], 1, normalize_coordinates=False)
    boxlists = pixels.generate([(size(2), size(2))], im_height=size(64), im_width=size(64))
    expected = [
        [-48, -48, 80, 80],
        [-48, -16, 80, 112],
        [-16, -48, 112, 80],
        [-16, -16, 112, 112],
    ]
    assert _run(run, boxlists) == [expected]
    shares = MultiscaleGridAnchorGenerator(5, 5, 4.0, [1.0], 1)
    boxlists = shares.generate([(size(2), size(2))], im_height=size(64), im_width=size(64))
    np.testing.assert_allclose(run(boxlists[0].get()), np.array(expected) / 64)


def test_multiscale_octaves_and_ratios(run):
    generator = MultiscaleGridAnchorGenerator(2, 3, 1.0, [1.0, 4.0], 2, False)
    assert generator.num_anchors_per_location() == [4, 4]
    boxes = run([one.get() for one in generator.generate([(1, 1)] * 2)])
    root = np.sqrt(2)
    sizes = np.array([[4, 4], [4 * root, 4 * root], [2, 8], [2 * root, 8 * root]])
    np.testing.assert_allclose(boxes[0][:, 2:] - boxes[0][:, :2], sizes, rtol=1e-6)
    np.testing.assert_allclose(boxes[1][:, 2:] - boxes[1][:, :2], 2 * sizes, rtol=1e-6)


def test_multiscale_centres_of_a_picture_that_is_no_whole_number_of_strides(run):
    generator = MultiscaleGridAnchorGenerator(5, 5, 4.0, [1.0], 1, normalize_coordinates=False)
    (anchors,) = generator.generate([(1, 1)], im_height=65, im_width=64)
    assert _run(run, [anchors]) == [[[-64, -48, 64, 80]]]


@pytest.mark.parametrize(
    "generator",
    [
        MultiscaleGridAnchorGenerator(5, 5, 1.0, [1.0], 1),
        FlexibleGridAnchorGenerator([(32.0,)], [(1.0,)], [(32, 32)], [(16, 16)]),
    ],
    ids=["multiscale", "flexible"],
)
def test_shares_need_the_size_of_the_picture(generator):
    with pytest.raises(ValueError, match="im_height"):
        generator.generate([(2, 2)], im_height=1, im_width=1)


@pytest.mark.parametrize("size", [int, _unknown], ids=["known", "unknown"])
def test_flexible(size, run):
    settings = ([(128.0,), (32.0, 16.0)], [(1.0,), (1.0, 4.0)], [(32, 32), (64, 64)])
    generator = FlexibleGridAnchorGenerator(*settings, [(16, 16), (32, 0)], False)
    assert generator.num_anchors_per_location() == [1, 2]
    first, second = generator.generate(
        [(size(2), size(2)), (size(1), size(1))], im_height=size(64), im_width=size(64)
    )
    assert first.num_boxes_static() == (4 if size is int else None)
    assert _run(run, [first, second]) == [
        [[-48, -48, 80, 80], [-48, -16, 80, 112], [-16, -48, 112, 80], [-16, -16, 112, 112]],
        [[16, -16, 48, 16], [28, -16, 36, 16]],
    ]
    shares = FlexibleGridAnchorGenerator(*settings, [(16, 16), (32, 0)])
    _, second = shares.generate([(2, 2), (1, 1)], im_height=size(64), im_width=size(32))
    assert _run(run, [second]) == [[[0.25, -0.5, 0.75, 0.5], [0.4375, -0.5, 0.5625, 0.5]]]


def test_flexible_settings_of_different_length():
    with pytest.raises(ValueError, match="one entry for each"):
        FlexibleGridAnchorGenerator([(1.0,)], [(1.0,)], [], [(0, 0)])
    with pytest.raises(ValueError, match="one of each"):
        FlexibleGridAnchorGenerator([(1.0, 2.0)], [(1.0,)], [(1, 1)], [(0, 0)])


def test_name_scopes():
    assert [
        GridAnchorGenerator().name_scope(),
        create_ssd_anchors().name_scope(),
        MultiscaleGridAnchorGenerator(3, 7, 4.0, [1.0], 2).name_scope(),
        FlexibleGridAnchorGenerator([], [], [], []).name_scope(),
    ] == [
        "GridAnchorGenerator",
        "MultipleGridAnchorGenerator",
        "MultiscaleGridAnchorGenerator",
        "FlexibleGridAnchorGenerator",
    ]
