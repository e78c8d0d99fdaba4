import numpy as np
import pytest
from PIL import Image

from object_detection.errors import ShapeError
from object_detection.visualization import colors, drawing, encoding, side_by_side

NAN = float("nan")
BLACK = np.zeros([60, 80, 3], np.uint8)
INDEX = {1: {"id": 1, "name": "face"}}


def _draw(image=BLACK, **more):
    settings = {
        "boxes": np.array([[0.25, 0.25, 0.75, 0.75]]),
        "classes": np.array([1]),
        "scores": np.array([0.9]),
        "use_normalized_coordinates": True,
        "line_thickness": 1,
        "skip_labels": True,
        "skip_scores": True,
    }
    settings.update(more)
    return drawing.visualize_boxes_and_labels_on_image_array(
        image.copy(), category_index=INDEX, **settings
    )


def _spots(image):
    return {(int(y), int(x)) for y, x in np.argwhere(image.any(axis=-1))}


def test_a_box_lies_where_it_should():
    rows, columns = np.nonzero(_draw().any(axis=-1))
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (15, 45, 20, 60)


def test_keypoints_lie_where_they_should_and_nan_is_not_drawn():
    points = np.array([[[0.5, 0.5], [NAN, NAN]]])
    drawn = _draw(keypoints=points, skip_boxes=True)
    assert _spots(drawn) == {(30, 40), (29, 40), (31, 40), (30, 39), (30, 41)} & _spots(drawn)
    assert (30, 40) in _spots(drawn)


@pytest.mark.parametrize(
    "settings",
    [
        pytest.param({"scores": np.array([0.4])}, id="below the threshold"),
        pytest.param({"boxes": np.array([[NAN, 0, 1, 1]])}, id="NaN"),
        pytest.param({"boxes": np.array([[2.0, 2.0, 3.0, 3.0]])}, id="outside"),
        pytest.param(
            {"boxes": np.zeros([0, 4]), "classes": np.zeros(0), "scores": np.zeros(0)}, id="none"
        ),
        pytest.param({"max_boxes_to_draw": 0}, id="no more than none"),
    ],
)
def test_what_is_not_drawn(settings):
    assert not _draw(**settings).any()


LIMIT_BOXES = np.array([[0.1, 0.1, 0.3, 0.3], [0.5, 0.5, 0.9, 0.9], [0.5, 0.5, 0.9, 0.9]])


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        pytest.param({}, {(6, 8), (30, 40)}, id="both"),
        pytest.param({"scores": np.array([0.5, 0.6, 0.6])}, {(30, 40)}, id="at the threshold"),
        pytest.param({"max_boxes_to_draw": 1}, {(6, 8)}, id="as given, not the best"),
        pytest.param({"max_boxes_to_draw": 2}, {(6, 8), (30, 40)}, id="twice the same is one"),
        pytest.param({"max_boxes_to_draw": None, "scores": None}, {(6, 8), (30, 40)}, id="truth"),
    ],
)
def test_which_boxes_are_drawn(settings, expected):
    drawn = _draw(
        boxes=LIMIT_BOXES,
        classes=np.array([1, 1, 2]),
        groundtruth_box_visualization_color="red",
        **{"scores": np.array([0.7, 0.9, 0.8]), **settings},
    )
    assert _spots(drawn) & {(6, 8), (30, 40)} == expected


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        pytest.param((1, 0.874), "face: 87%", id="name and score"),
        pytest.param((2, 0.876), "N/A: 88%", id="a class without a name"),
        pytest.param((1, np.float32(1.0), None, True), "face", id="no score"),
        pytest.param((1, 0.5, None, False, True), "50%", id="no name"),
        pytest.param((1, 0.5, 7), "face: 50%: ID 7", id="track"),
        pytest.param((1, 0.5, 7, True, True), "ID 7", id="track alone"),
        pytest.param((1, 0.5, None, True, True), "", id="nothing"),
    ],
)
def test_labels(arguments, expected):
    class_id, score, *more = arguments
    assert drawing.label(class_id, score, INDEX, *more) == expected


@pytest.mark.parametrize(
    ("settings", "color"),
    [
        pytest.param({"classes": np.array([5])}, colors.STANDARD_COLORS[5], id="class"),
        pytest.param({"classes": np.array([127])}, colors.STANDARD_COLORS[1], id="around"),
        pytest.param({"agnostic_mode": True}, "DarkOrange", id="agnostic"),
        # 13 is the prime nearest to 12.6, a tenth of the number of colours.
        pytest.param({"track_ids": np.array([2])}, colors.STANDARD_COLORS[26], id="track"),
    ],
)
def test_colours_of_boxes(settings, color):
    pixel = _draw(skip_track_ids=True, **settings)[15, 40]
    assert tuple(int(value) for value in pixel) == colors.rgb(color)


def test_standard_colours_are_known_and_all_different():
    assert len({colors.rgb(color) for color in colors.STANDARD_COLORS}) == 124  # Aqua is Cyan
    assert len(set(colors.STANDARD_COLORS)) == 126


def test_keypoints_have_the_colour_of_their_box_or_their_own():
    points = np.array([[[0.5, 0.4], [0.5, 0.6]]])
    settings = {"keypoints": points, "skip_boxes": True, "line_thickness": 4}
    drawn = _draw(**settings)
    assert tuple(drawn[30, 32]) == tuple(drawn[30, 48]) == colors.rgb(colors.STANDARD_COLORS[1])
    drawn = _draw(**settings, keypoint_color=None)
    assert tuple(drawn[30, 32]) == colors.rgb("Cyan")
    assert tuple(drawn[30, 48]) == colors.rgb("Magenta")
    drawn = _draw(**settings, keypoint_color=("#010203", "#fffefd"))
    assert tuple(drawn[30, 32]) == (1, 2, 3)
    assert tuple(drawn[30, 48]) == (255, 254, 253)
    drawn = _draw(**settings, keypoint_scores=np.array([[0.4, 0.6]]), keypoint_edges=[(0, 1)])
    assert not drawn[30, 30:40].any()
    assert drawn[30, 48].any()


def test_rows_of_one_box_are_one_object_with_the_keypoints_of_all():
    drawn = _draw(
        boxes=np.array([[0.25, 0.25, 0.75, 0.75]] * 2),
        classes=np.array([1, 2]),
        scores=np.array([0.9, 0.8]),
        keypoints=np.array([[[0.5, 0.4]], [[0.5, 0.6]]]),
        max_boxes_to_draw=1,
    )
    color = colors.rgb(colors.STANDARD_COLORS[2])
    assert tuple(drawn[15, 40]) == tuple(drawn[30, 32]) == tuple(drawn[30, 48]) == color


def test_masks_are_blended():
    mask = np.zeros([1, 60, 80], np.uint8)
    mask[0, 20:40, 30:50] = 1
    drawn = _draw(instance_masks=mask, skip_boxes=True, mask_alpha=1.0)
    assert tuple(drawn[30, 40]) == colors.rgb(colors.STANDARD_COLORS[1])
    assert len(_spots(drawn)) == 400
    drawn = _draw(instance_boundaries=mask, skip_boxes=True)
    assert tuple(drawn[30, 40]) == (255, 0, 0)


def test_the_first_boxes_lie_on_top():
    drawn = _draw(
        boxes=np.array([[0.2, 0.2, 0.8, 0.8], [0.2, 0.2, 0.8, 0.7]]),
        classes=[1, 2],
        scores=[0.9, 0.8],
    )
    assert tuple(drawn[12, 30]) == colors.rgb(colors.STANDARD_COLORS[1])


def test_labels_without_boxes():
    drawn = _draw(skip_boxes=True, skip_labels=False)
    assert drawn.any()
    assert not drawn[16:].any()


def test_groundtruth_has_one_colour():
    drawn = _draw(scores=None, groundtruth_box_visualization_color="#102030")
    colours = {tuple(int(value) for value in pixel) for pixel in drawn[drawn.any(axis=-1)]}
    assert colours == {(16, 32, 48)}


def test_a_label_above_the_frame_is_moved_inside():
    top = np.array([[0.0, 0.0, 0.9, 0.9]])
    assert _draw(boxes=top, skip_labels=False, skip_scores=False).any()


def test_pictures_that_cannot_be_drawn_on():
    with pytest.raises(ShapeError, match="channels"):
        _draw(np.zeros([4, 4, 2], np.uint8))


def test_side_by_side_has_truth_left_and_detections_right():
    truth = {"boxes": np.zeros([0, 4]), "classes": np.zeros(0)}
    found = {
        "boxes": np.array([[0.25, 0.25, 0.75, 0.75]]),
        "classes": np.array([1]),
        "scores": np.array([0.9]),
    }
    image = np.zeros([480, 500, 3], np.uint8)
    both = side_by_side.truth_beside_detections(image, truth, found, INDEX)
    assert both.shape == (480, 1008, 3)
    assert not both[:, :500].any()
    assert (both[:, 500:508] == 255).all()
    assert both[:, 508:].any()


def test_small_pictures_are_enlarged_to_read():
    assert drawing.enlarged_to_read(BLACK).shape == (360, 480, 3)
    assert drawing.enlarged_to_read(np.zeros([500, 20, 3], np.uint8)).shape == (500, 20, 3)


def test_saving_replaces_the_file(tmp_path):
    path = tmp_path / "pictures" / "a.png"
    for value in (0, 200):
        encoding.save_image(np.full([4, 6, 3], value, np.uint8), str(path))
    with Image.open(path) as image:
        assert image.size == (6, 4)
        assert image.getpixel((0, 0)) == (200, 200, 200)
    assert len(list(path.parent.iterdir())) == 1
