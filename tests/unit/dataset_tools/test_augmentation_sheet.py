import numpy as np
import pytest
from PIL import Image

from object_detection.core import standard_fields as fields
from object_detection.dataset_tools import augmentation_sheet
from object_detection.errors import ConfigError
from object_detection.keypoints import schema as keypoint_schema
from object_detection.protos import preprocessor_pb2

Inputs = fields.InputDataFields
FACE = keypoint_schema.load("face5")


@pytest.fixture(scope="module")
def cells():
    samples = [augmentation_sheet.drawn_sample(number) for number in range(4)]
    return augmentation_sheet.every_step(samples, seed=3)


def test_every_step_of_the_preprocessor_has_a_cell(cells):
    oneof = preprocessor_pb2.PreprocessingStep.DESCRIPTOR.oneofs_by_name["preprocessing_step"]
    assert {cell.title for cell in cells} == {field.name for field in oneof.fields}


def test_every_step_changes_what_is_seen(cells):
    for cell in cells:
        raw, augmented = cell.raw, cell.augmented
        assert raw.image.dtype == augmented.image.dtype == np.uint8
        changed = (
            raw.image.shape != augmented.image.shape
            or (raw.image != augmented.image).any()
            or raw.boxes.shape != augmented.boxes.shape
            or not np.allclose(raw.boxes, augmented.boxes, atol=1e-3)
            or (raw.classes != augmented.classes).any()
        )
        # Scores are not drawn, and pixels are what the sheet shows anyway.
        unseen = {"convert_class_logits_to_softmax", "scale_boxes_to_pixel_coordinates"}
        assert changed == (cell.title not in unseen), cell.title


def test_keypoints_have_their_colours_in_the_drawing(cells):
    colors = [tuple(bytes.fromhex(color[1:])) for color in FACE.colors]
    seen = 0
    for cell in cells:
        view = augmentation_sheet.fitted(cell.augmented, 320)
        picture = augmentation_sheet.drawn(view, FACE, radius=3)
        assert picture.shape == view.image.shape
        points = view.keypoints.reshape(-1, 2)
        order = np.tile(np.arange(5), len(view.keypoints))
        for number, (point, color) in enumerate(zip(points, order, strict=True)):
            others = np.delete(points, number, axis=0)
            distances = np.linalg.norm(others - point, axis=1)
            if np.isnan(point).any() or (distances < 8).any() or (point < 2).any():
                continue
            y, x = point.astype(int)
            if y < view.image.shape[0] - 2 and x < view.image.shape[1] - 2:
                # A later box's line may cross it.
                near = picture[y - 1 : y + 2, x - 1 : x + 2].reshape(-1, 3)
                assert (near == colors[color]).all(-1).sum() >= 5, cell.title
                seen += 1
    assert seen > 200


def test_the_drawn_faces_have_labels():
    sample = augmentation_sheet.drawn_sample(0)
    points = sample[Inputs.groundtruth_keypoints]
    assert len(points) == len(sample[Inputs.groundtruth_boxes]) >= 2
    visible = sample[Inputs.groundtruth_keypoint_visibilities]
    assert (points[visible] >= 0).all()
    assert (points[visible] <= 1).all()
    again = augmentation_sheet.drawn_sample(0)
    np.testing.assert_array_equal(sample[Inputs.image], again[Inputs.image])


def test_fitting_keeps_labels_where_they_were():
    view = augmentation_sheet.View(
        np.zeros([50, 200, 3], np.uint8),
        np.array([[10.0, 20.0, 30.0, 40.0]]),
        np.array([1]),
        np.array([[[25.0, 100.0], [np.nan, np.nan]]]),
    )
    fitted = augmentation_sheet.fitted(view, 100)
    assert fitted.image.shape == (25, 100, 3)
    np.testing.assert_allclose(fitted.boxes, [[5, 10, 15, 20]])
    np.testing.assert_allclose(fitted.keypoints[0, 0], [12.5, 50])
    assert np.isnan(fitted.keypoints[0, 1]).all()


def test_a_grid_has_a_place_for_all():
    red = np.full([10, 20, 3], [255, 0, 0], np.uint8)
    sheet = augmentation_sheet.grid([("one", [red, red]), ("two", [red])] * 2, columns=3, side=40)
    pixels = np.asarray(sheet)
    # Each is enlarged to 20 x 40.
    assert (pixels == [255, 0, 0]).all(-1).sum() == 6 * 20 * 40
    assert augmentation_sheet.grid([]).size[1] > 0
    assert np.asarray(augmentation_sheet.legend(FACE)).std() > 0


def test_a_sheet_in_a_file(tmp_path):
    path = tmp_path / "sheet.png"
    augmentation_sheet.write_png(Image.new("RGB", (7, 5)), path)
    with Image.open(path) as stored:
        assert stored.size == (7, 5)
    assert list(tmp_path.iterdir()) == [path]


def test_a_place_that_cannot_be_written_is_named_before_the_work(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match=r"--output=.*: .*file is a file"):
        augmentation_sheet.run([f"--output={tmp_path / 'file' / 'sheet.png'}"])
