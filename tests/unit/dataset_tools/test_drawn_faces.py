"""The drawn data set: what the labels say is in the pictures, and the set is as varied as claimed."""

import numpy as np
import pytest

from object_detection.dataset_tools import drawn_faces, retinaface_labels


@pytest.fixture(scope="module")
def pictures():
    return [drawn_faces.draw_picture(np.random.default_rng([5, number])) for number in range(60)]


def test_boxes_lie_in_their_pictures(pictures):
    for image, faces in pictures:
        for face in faces:
            x, y, width, height = face.box
            assert width > 0
            assert height > 0
            assert x >= 0
            assert y >= 0
            assert x + width <= image.width + 1e-6
            assert y + height <= image.height + 1e-6


def test_the_set_is_varied(pictures):
    counts = [len(faces) for _, faces in pictures]
    faces = [face for _, faces in pictures for face in faces]
    states = np.concatenate([face.states for face in faces])
    assert min(counts) == 0
    assert max(counts) >= 3
    assert {-1.0, 0.0, 1.0} == set(states)
    assert any((face.states < 0).all() for face in faces)
    widths = [face.box[2] for face in faces]
    assert max(widths) > 2.5 * min(widths)
    assert len({image.size for image, _ in pictures}) > 20


def test_points_of_an_upright_face_are_ordered_as_seen(pictures):
    for _, faces in pictures:
        for face in faces:
            left_eye, right_eye, nose, left_mouth, right_mouth = face.points
            assert left_eye[0] < right_eye[0]
            assert left_mouth[0] < right_mouth[0]
            assert (left_eye[1] + right_eye[1]) / 2 < (left_mouth[1] + right_mouth[1]) / 2
            # The nose lies between eyes and mouth, along the face's own axis.
            axis = (left_mouth + right_mouth - left_eye - right_eye) / 2
            along = (nose - (left_eye + right_eye) / 2) @ axis / (axis @ axis)
            assert 0 < along < 1


def test_the_pupil_is_where_the_label_says():
    """On plain skin without glasses or occlusion the darkest spot of the eye is the pupil."""
    settings = drawn_faces.Settings(
        most_faces=1, faceless_share=0, unlabelled_share=0, occluded_share=0, smallest_face=120
    )
    hits = total = 0
    for number in range(40):
        rng = np.random.default_rng([6, number])
        image, faces = drawn_faces.draw_picture(rng, settings)
        grey = np.asarray(image.convert("L"), float)
        for face in faces:
            width = face.box[2]
            for point in face.points[:2]:
                reach = int(width * 0.12)
                column, row = (round(float(value)) for value in point)
                patch = grey[
                    max(row - reach, 0) : row + reach, max(column - reach, 0) : column + reach
                ]
                if patch.size == 0:
                    continue
                darkest = np.argwhere(patch <= np.percentile(patch, 8)).mean(axis=0)
                total += 1
                hits += np.hypot(*(darkest - reach)) < 0.1 * width
    assert total > 40
    assert hits / total > 0.8


def test_the_same_seed_gives_the_same_set(tmp_path):
    for name in ("a", "b"):
        drawn_faces.write_pictures(tmp_path / name, 3, seed=1, workers=1)
    for relative in ("label.txt", "images/0001.jpg"):
        assert (tmp_path / "a" / relative).read_bytes() == (tmp_path / "b" / relative).read_bytes()
    drawn_faces.write_pictures(tmp_path / "c", 3, seed=2, workers=1)
    assert (tmp_path / "a/label.txt").read_text() != (tmp_path / "c/label.txt").read_text()


def test_labels_read_back(tmp_path):
    labels = drawn_faces.write_pictures(tmp_path, 6, seed=3, workers=1)
    with retinaface_labels.open_labels(str(labels)) as file:
        read = list(retinaface_labels.parse_labels(file))
    assert len(read) == 6
    assert not any(picture.bad_lines for picture in read)
    drawn = drawn_faces.draw_picture(np.random.default_rng([3, 2]))[1]
    assert len(read[2].faces) == len(drawn)
