import numpy as np
import pytest
from PIL import Image

from object_detection.errors import ShapeError
from object_detection.visualization import drawing, side_by_side

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


def test_groundtruth_has_one_colour():
    drawn = _draw(scores=None, groundtruth_box_visualization_color="#102030")
    colours = {tuple(int(value) for value in pixel) for pixel in drawn[drawn.any(axis=-1)]}
    assert colours == {(16, 32, 48)}


def test_a_label_above_the_frame_is_moved_inside():
    top = np.array([[0.0, 0.0, 0.9, 0.9]])
    assert _draw(boxes=top, skip_labels=False, skip_scores=False).any()


def test_pictures_that_cannot_be_drawn_on():
    with pytest.raises(ShapeError, match="uint8"):
        _draw(np.zeros([4, 4, 3], np.float32))


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
        drawing.save_image(np.full([4, 6, 3], value, np.uint8), str(path))
    with Image.open(path) as image:
        assert image.size == (6, 4)
        assert image.getpixel((0, 0)) == (200, 200, 200)
    assert len(list(path.parent.iterdir())) == 1
