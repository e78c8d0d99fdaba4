"""What is said of a bad step, and which files stay."""

import os

import numpy as np
import pytest

from object_detection.legacy import bad_step
from object_detection.legacy.bad_step import BadStep

NAN = float("nan")


def _bad(step=7, losses=None, norms=None, batch=None, variables=()):
    return BadStep(
        step,
        losses or {"Loss/a": NAN, "Loss/b": 0.5, "Loss/TotalLoss": NAN},
        norms or {"x/weights": 2.0, "y/weights": NAN},
        batch or {},
        variables,
    )


@pytest.mark.parametrize(
    ("bad", "parts"),
    [
        (
            _bad(),
            [
                "Step 7: Loss/a, Loss/TotalLoss is not finite (Loss/a nan, Loss/b 0.5, ",
                "1 of 2 are not finite, the first is of y/weights (norm nan).",
            ],
        ),
        (
            _bad(losses={"Loss/a": 0.25}, norms={"x": np.inf, "y": NAN}),
            [
                "a gradient is not finite, though the losses are (Loss/a 0.25)",
                "2 of 2 are not finite, the first is of x (norm inf)",
            ],
        ),
        (
            _bad(norms={"x": 2.0, "y": 3e9, "z": 1.0}),
            ["all 3 are finite, the largest is of y (norm 3e+09)"],
        ),
        (
            _bad(variables=[f"v{number}" for number in range(10)]),
            ["not finite themselves: v0, v1, v2, v3, v4, v5, v6, v7 and 2 more."],
        ),
        (
            _bad(batch={"source_id": np.array(["a.jpg", ""])}),
            ["Pictures: a.jpg, (no source_id)."],
        ),
    ],
)
def test_words(bad, parts):
    words = bad_step.words(bad)
    for part in parts:
        assert part in words


def test_nothing_is_said_of_names_that_nobody_gave():
    assert "Pictures" not in bad_step.words(_bad(batch={"source_id": np.array(["", ""])}))
    assert "Pictures" not in bad_step.words(_bad())


def test_what_of_the_batch_is_not_finite():
    image = np.zeros([3, 2, 2, 3], np.float32)
    boxes = np.zeros([3, 1, 4], np.float32)
    points = np.full([3, 1, 5, 2], NAN, np.float32)  # nothing is labelled
    batch = {"image": image, "groundtruth_boxes": boxes, "groundtruth_keypoints": points}
    batch["groundtruth_classes"] = np.ones([3, 1], np.int64)
    assert bad_step.not_finite_inputs(batch) == []
    image[2, 1, 1, 0] = NAN
    boxes[0, 0, 3] = np.inf
    points[1, 0, 2, 0] = -np.inf
    names = {"source_id": np.array(["p", "q", "r"])}
    assert bad_step.not_finite_inputs(batch | names) == [
        "image of r",
        "groundtruth_boxes of p",
        "groundtruth_keypoints of q",
    ]
    assert bad_step.not_finite_inputs(batch) == [
        "image",
        "groundtruth_boxes",
        "groundtruth_keypoints",
    ]


def test_names_of_samples_through_queues():
    batch = {"0/source_id": np.array("p"), "1/source_id": np.array("q"), "0/image": np.zeros(1)}
    assert bad_step.source_ids(batch) == ["p", "q"]


def test_the_newest_files_stay(tmp_path):
    (tmp_path / bad_step.FOLDER).mkdir()
    (tmp_path / bad_step.FOLDER / "model.ckpt-3.index").touch()
    for count, step in enumerate((40, 3, 11, 5, 20, 8, 9)):
        path = bad_step.save(_bad(step), str(tmp_path))
        os.utime(path, (count, count))
    found = {entry.name for entry in os.scandir(tmp_path / bad_step.FOLDER)}
    assert found == {
        "model.ckpt-3.index",
        *(f"step-{step}.npz" for step in (11, 5, 20, 8, 9)),
    }


def test_texts_are_read_back_without_pickle(tmp_path):
    batch = {"source_id": bad_step._without_objects(np.array([b"a", b"\xff"], object))}
    with np.load(bad_step.save(_bad(batch=batch), str(tmp_path)), allow_pickle=False) as file:
        assert file["source_id"].tolist() == ["a", "�"]
        assert dict(zip(file["gradient_variables"], file["gradient_norms"], strict=True))[
            "x/weights"
        ] == pytest.approx(2)
