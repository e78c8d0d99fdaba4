"""Boxes, keypoints, masks and numbers on small pictures, pixel by pixel."""

import io

import numpy as np
import pytest
from PIL import Image

from object_detection.visualization import blending, colors, drawing, encoding

NAN = float("nan")
RED, GREEN = (255, 0, 0), (0, 128, 0)


def _picture(height=40, width=60, channels=3, dtype=np.uint8):
    return np.zeros([height, width, channels], dtype)


def _pixels(image, color=RED):
    rows, columns = np.nonzero((image == color).all(axis=-1))
    return set(zip(rows.tolist(), columns.tolist(), strict=True))


def _frame(top, left, bottom, right):
    return {
        (y, x)
        for y in range(top, bottom + 1)
        for x in range(left, right + 1)
        if y in (top, bottom) or x in (left, right)
    }


@pytest.mark.parametrize(
    ("box", "normalized"),
    [((0.25, 0.5, 0.75, 0.75), True), ((10, 30, 30, 45), False), ((30, 45, 10, 30), False)],
    ids=["shares", "pixels", "edges swapped"],
)
def test_a_thin_box(box, normalized):
    image = _picture()
    drawing.draw_bounding_box_on_image_array(
        image, *box, thickness=1, use_normalized_coordinates=normalized
    )
    assert _pixels(image) == _frame(10, 30, 30, 45)


def test_a_thick_box_has_its_edges_in_the_middle_of_the_lines():
    image = _picture()
    drawing.draw_bounding_box_on_image_array(image, 0.25, 0.5, 0.75, 0.75)
    assert _pixels(image) == {
        pixel
        for step in (-2, -1, 0, 1)
        for pixel in _frame(10 + step, 30 + step, 30 - step - 1, 45 - step - 1)
    }


def test_picture_and_array_are_drawn_alike():
    image, canvas = _picture(), Image.new("RGB", (60, 40))
    drawing.draw_bounding_box_on_image_array(image, 0.5, 0.2, 0.9, 0.8, "Gold", 3, ["a", "b"])
    drawing.draw_bounding_box_on_image(canvas, 0.5, 0.2, 0.9, 0.8, "Gold", 3, ["a", "b"])
    np.testing.assert_array_equal(image, np.asarray(canvas))


@pytest.mark.parametrize(
    ("box", "above", "below"),
    [
        pytest.param((0.5, 0.1, 0.8, 0.9), True, False, id="above"),
        pytest.param((0.0, 0.1, 0.5, 0.9), False, True, id="no room above: below"),
        pytest.param((0.0, 0.1, 1.0, 0.9), False, False, id="no room at all: inside"),
    ],
)
def test_where_text_goes(box, above, below):
    image = _picture(100, 100)
    drawing.draw_bounding_box_on_image_array(image, *box, thickness=0, display_str_list=["text"])
    rows = np.nonzero((image == RED).all(axis=-1))[0]
    assert rows.size > 50
    assert (rows.max() <= 100 * box[0]) == above
    assert (rows.min() >= 100 * box[2]) == below
    # Black letters on red.
    assert not image[rows.min() + 1 : rows.max()][:, 10:12].all()


def test_boxes_with_texts():
    image, canvas = _picture(), Image.new("RGB", (60, 40))
    boxes = np.array([[0.25, 0.5, 0.75, 0.75], [0.5, 0.1, 0.9, 0.3]])
    drawing.draw_bounding_boxes_on_image_array(image, boxes, thickness=1)
    assert _pixels(image) == _frame(10, 30, 30, 45) | _frame(20, 6, 36, 18)
    drawing.draw_bounding_boxes_on_image(canvas, boxes, "blue", 1, [("a",), ()])
    assert canvas.getpixel((6, 30)) == (0, 0, 255)
    drawing.draw_bounding_boxes_on_image_array(image, np.zeros([0, 4]))


@pytest.mark.parametrize("boxes", [np.zeros([4]), np.zeros([2, 5])], ids=["rank 1", "five edges"])
def test_boxes_that_are_none(boxes):
    with pytest.raises(ValueError, match=r"\[N, 4\]"):
        drawing.draw_bounding_boxes_on_image_array(_picture(), boxes)


@pytest.mark.parametrize(
    ("shape", "dtype", "expected"),
    [
        pytest.param([40, 60], np.uint8, 76, id="grey"),
        pytest.param([40, 60, 1], np.uint8, 76, id="one channel"),
        pytest.param([40, 60, 4], np.uint8, (255, 0, 0, 9), id="the fourth channel stays"),
        pytest.param([40, 60, 3], np.float32, (255, 0, 0), id="floats"),
        pytest.param([40, 60, 3], np.int64, (255, 0, 0), id="integers"),
    ],
)
def test_other_arrays(shape, dtype, expected):
    image = np.full(shape, 9, dtype)
    drawing.draw_bounding_box_on_image_array(image, 0.25, 0.5, 0.75, 0.75, thickness=1)
    np.testing.assert_array_equal(np.squeeze(image[10, 40]), expected)
    np.testing.assert_array_equal(image[0, 0], np.full(shape[2:], 9))


POINTS = np.array([[0.25, 0.25], [0.75, 0.75], [NAN, 0.5]])


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        pytest.param({}, [True, True], id="NaN is not drawn"),
        pytest.param({"keypoint_scores": np.array([0.5, 0.6, 0.9])}, [False, True], id="scores"),
        pytest.param(
            {"keypoint_scores": np.array([0.2, 0.1, 0]), "min_score_thresh": 0.15},
            [True, False],
            id="threshold",
        ),
    ],
)
def test_keypoints(settings, expected):
    image = _picture()
    drawing.draw_keypoints_on_image_array(image, POINTS, radius=1, **settings)
    spots = _pixels(image)
    discs = [
        {(y, x), (y - 1, x), (y + 1, x), (y, x - 1), (y, x + 1)} for y, x in ((10, 15), (30, 45))
    ]
    for disc, shown in zip(discs, expected, strict=True):
        assert (disc <= spots) == shown
        assert bool(disc & spots) == shown
    assert len(spots) <= 9 * sum(expected)


@pytest.mark.parametrize(
    ("edges", "scores", "expected"),
    [
        pytest.param([(0, 1)], None, True, id="both there"),
        pytest.param([(0, 2), (2, 1)], None, False, id="NaN has no edge"),
        pytest.param([(0, 3), (-3, 1), (5, 7)], None, False, id="no such keypoint"),
        pytest.param([(0, 1)], [0.9, 0.1, 0.9], False, id="one is below the threshold"),
    ],
)
def test_edges_between_keypoints(edges, scores, expected):
    image = _picture()
    drawing.draw_keypoints_on_image_array(
        image,
        POINTS,
        keypoint_scores=None if scores is None else np.array(scores),
        keypoint_edges=edges,
    )
    assert bool(_pixels(image, GREEN)) == expected
    assert ((20, 30) in _pixels(image, GREEN)) == expected


def test_keypoints_in_pixels_on_a_picture():
    canvas = Image.new("RGB", (60, 40))
    drawing.draw_keypoints_on_image(
        canvas, np.array([[10, 15]]), color="blue", use_normalized_coordinates=False
    )
    assert canvas.getpixel((15, 10)) == (0, 0, 255)
    drawing.draw_keypoints_on_image(canvas, np.zeros([0, 2]))


MASK = np.array([[0, 1], [1, 1]], np.uint8)


@pytest.mark.parametrize(
    ("alpha", "ground", "expected"),
    [(0.5, 0, 127), (1.0, 90, 255), (0.0, 90, 90), (0.4, 100, 162)],
)
def test_masks(alpha, ground, expected):
    image = np.full([2, 2, 3], ground, np.uint8)
    blending.draw_mask_on_image_array(image, MASK, color="Blue", alpha=alpha)
    assert image[..., 2].tolist() == [[ground, expected], [expected, expected]]
    assert image[0, 0, 0] == ground


def test_parts_have_the_first_standard_colours():
    image = np.zeros([2, 2, 3], np.uint8)
    parts = np.array([[0, 1], [2, 6]], np.uint8)
    blending.draw_part_mask_on_image_array(image, parts, alpha=1.0)
    expected = [(0, 0, 0)] + [colors.rgb(colors.STANDARD_COLORS[part]) for part in (0, 1, 5)]
    assert [tuple(pixel) for pixel in image.reshape(-1, 3).tolist()] == expected


def test_numbers_as_colours():
    image = np.zeros([1, 4, 3], np.uint8)
    channel = np.array([[0.0, 0.0, 0.5, 1.0]], np.float32)
    blending.draw_float_channel_on_image_array(
        image, channel, np.array([[0, 1, 1, 1]], np.uint8), alpha=1.0
    )
    # The ends and the middle of ColorBrewer's YlGn; the middle lies within one of 256 shades.
    assert image[0, [0, 1, 3]].tolist() == [[0, 0, 0], [255, 255, 229], [0, 69, 41]]
    np.testing.assert_allclose(image[0, 2], [120, 198, 121], atol=2)


@pytest.mark.parametrize(
    "action",
    [
        pytest.param(
            lambda image: blending.draw_mask_on_image_array(image.astype(float), MASK),
            id="image of floats",
        ),
        pytest.param(
            lambda image: blending.draw_mask_on_image_array(image, MASK.astype(np.int64)),
            id="mask of int64",
        ),
        pytest.param(
            lambda image: blending.draw_mask_on_image_array(image, np.zeros([2, 3], np.uint8)),
            id="sizes",
        ),
        pytest.param(
            lambda image: blending.draw_part_mask_on_image_array(image, MASK[:1]), id="part sizes"
        ),
        pytest.param(
            lambda image: blending.draw_part_mask_on_image_array(image, MASK * 3, num_parts=2),
            id="part beyond",
        ),
        pytest.param(
            lambda image: blending.draw_float_channel_on_image_array(
                image, np.full([2, 2], 1.5, np.float32), MASK
            ),
            id="numbers above 1",
        ),
        pytest.param(
            lambda image: blending.draw_float_channel_on_image_array(image, MASK, MASK),
            id="numbers that are integers",
        ),
        pytest.param(
            lambda image: encoding.encode_image_array_as_png_str(image[0, 0]), id="rank 1"
        ),
        pytest.param(
            lambda image: blending.draw_heatmaps_on_image_array(image, np.zeros([3, 2, 1])),
            id="heat map sizes",
        ),
    ],
)
def test_what_does_not_fit_is_a_value_error(action):
    with pytest.raises(ValueError):
        action(np.zeros([2, 2, 3], np.uint8))


def test_other_colour_maps_need_matplotlib(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "matplotlib", None)
    with pytest.raises(ValueError, match="pip install matplotlib"):
        colors.scale("viridis")


def test_heat_maps():
    image = np.full([1, 3, 3], 100, np.uint8)
    heat = np.array([[[0.0, 0.0], [1.0, 0.0], [0.0, 7.0]]])
    drawn = blending.draw_heatmaps_on_image_array(image, heat)
    expected = [(100, 100, 100)] + [colors.rgb(color) for color in colors.STANDARD_COLORS[:2]]
    assert [tuple(pixel) for pixel in drawn[0].tolist()] == expected
    assert (image == 100).all()
    canvas = Image.fromarray(image)
    blending.draw_heatmaps_on_image(canvas, heat)
    np.testing.assert_array_equal(np.asarray(canvas), drawn)


def test_png(tmp_path):
    image = np.arange(24, dtype=np.uint8).reshape(2, 4, 3)
    path = tmp_path / "new" / "a.picture"
    encoding.save_image_array_as_png(image.astype(np.float32), str(path))
    for content in (path.read_bytes(), encoding.encode_image_array_as_png_str(image)):
        with Image.open(io.BytesIO(content)) as picture:
            assert picture.format == "PNG"
            np.testing.assert_array_equal(np.asarray(picture), image)
    with Image.open(io.BytesIO(encoding.encode_image_array_as_png_str(image[..., :1]))) as picture:
        assert picture.mode == "RGB"
