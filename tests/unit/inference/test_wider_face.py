import json

import numpy as np
import pytest

from object_detection.errors import DataError
from object_detection.inference import wider_face
from object_detection.metrics import wider_evaluation


def test_detections_of_the_program(tmp_path):
    path = tmp_path / "detections.json"
    pictures = [
        {"picture": "val/0--Parade/a_1.jpg", "detections": [{"box": [2, 1, 12, 6], "score": 0.5}]},
        {"picture": "val/0--Parade/b.jpg", "error": "broken"},
    ]
    path.write_text(json.dumps({"pictures": pictures}))
    found = wider_face.read_detections(str(path))
    assert sorted(found) == ["0--Parade/a_1", "0--Parade/b"]
    np.testing.assert_array_equal(found["0--Parade/a_1"], [[1, 2, 5, 10, 0.5]])
    assert found["0--Parade/b"].shape == (0, 5)


@pytest.mark.parametrize(
    "content",
    [
        "[1]",
        "{",
        "[" * 100_000,
        "\0",
        '{"pictures": 3}',
        '{"pictures": [3]}',
        '{"pictures": [{"picture": 3}]}',
        '{"pictures": [{"picture": "a", "detections": [{}]}]}',
        '{"pictures": [{"picture": "a", "detections": [{"box": [1, 2, 3], "score": 1}]}]}',
        '{"pictures": [{"picture": "a", "detections": [{"box": ["x", 2, 3, 4], "score": 1}]}]}',
        '{"pictures": [{"picture": "a", "detections": [{"box": [1, 2, 3, 4], "score": "x"}]}]}',
    ],
)
def test_another_file_is_refused(tmp_path, content):
    path = tmp_path / "x.json"
    path.write_text(content)
    with pytest.raises(DataError, match=r"x\.json: "):
        wider_face.read_detections(str(path))


def test_the_program_says_ap_and_what_is_absent(shared_data, tmp_path):
    pytest.importorskip("scipy")
    folder = shared_data / "widerface_val_ground_truth"
    first = wider_evaluation.load_ground_truth(folder)[0]
    detections = [
        {"box": [y, x, y + h, x + w], "score": 0.9} for x, y, w, h in first.boxes.tolist()
    ]
    path = tmp_path / "detections.json"
    path.write_text(
        json.dumps({"pictures": [{"picture": f"{first.name}.jpg", "detections": detections}]})
    )
    said = wider_face.run([f"--detections={path}", f"--ground_truth={folder}"])
    # All faces of one picture are found, nothing else: recall is their share.
    expected = first.counted["hard"].sum() / 31958
    assert f"hard    AP {expected:.4f}" in said
    assert "3225 of 3226 pictures have no entry" in said
