"""The program behind `scripts/detect.py`, around the detector."""

import json

import numpy as np
import pytest
import tensorflow.compat.v1 as tf
from PIL import Image

from object_detection.errors import ConfigError, DataError
from object_detection.inference import detect_pictures
from object_detection.visualization import colors


@pytest.fixture
def arguments(tmp_path):
    (tmp_path / "a.jpg").write_bytes(b"no picture")
    (tmp_path / "b.jpg").write_bytes(b"neither")
    (tmp_path / "m").touch()
    return [f"--model={tmp_path / 'm'}", f"--output={tmp_path / 'out'}", str(tmp_path)]


def _give(monkeypatch, *entries):
    monkeypatch.setattr(detect_pictures, "_detections", lambda *_: iter(entries))


def test_a_folder_that_cannot_be_written_is_found_before_the_work(arguments, tmp_path, monkeypatch):
    monkeypatch.setattr(detect_pictures, "_detections", lambda *_: pytest.fail("the work began"))
    (tmp_path / "out").touch()
    with pytest.raises(ConfigError, match=r"--output=.*is a file"):
        detect_pictures.run(arguments)


def test_without_any_readable_picture_nothing_is_written(arguments, tmp_path, monkeypatch):
    _give(monkeypatch, {"picture": "a", "error": "a: bad."}, {"picture": "b", "error": "b: bad."})
    with pytest.raises(DataError, match=r"None of 2 pictures can be read\. The first: a: bad\."):
        detect_pictures.run(arguments)
    assert not list((tmp_path / "out").iterdir())


def test_one_bad_picture_does_not_stop_the_others(arguments, tmp_path, monkeypatch):
    _give(monkeypatch, {"picture": "a", "error": "a: bad."}, {"picture": "b", "detections": [{}]})
    said = detect_pictures.run(arguments)
    assert said.splitlines() == [
        f"1 detections in 1 pictures: {tmp_path / 'out' / 'detections.json'}",
        "left out: a: bad.",
    ]
    written = json.loads((tmp_path / "out" / "detections.json").read_text())
    assert len(written["pictures"]) == 2


def test_flags_are_checked(arguments):
    with pytest.raises(ConfigError, match=r"--min_score is 1\.5"):
        detect_pictures.run([*arguments, "--min_score=1.5"])
    with pytest.raises(DataError, match="no such picture or folder"):
        detect_pictures.run([*arguments, "none.jpg"])


@pytest.fixture
def model(tmp_path):
    """A frozen graph that finds one object with three scored keypoints in any picture."""
    folder = tmp_path / "model"
    folder.mkdir()
    with tf.Graph().as_default() as graph:
        image = tf.placeholder(tf.uint8, [None, None, None, 3], name="image_tensor")
        tf.constant([[[0.0, 0.0, 1.0, 1.0]]], name="detection_boxes")
        tf.constant([[0.9]], name="detection_scores")
        tf.constant([[1.0]], name="detection_classes")
        tf.constant([[[[0.5, 0.25], [0.5, 0.5], [0.5, 0.75]]]], name="detection_keypoints")
        tf.constant([[[0.875, 0.25, 0.75]]], name="detection_keypoint_scores")
        tf.ones_like(image[:, 0, 0, 0], tf.float32, name="num_detections")
    (folder / "frozen_inference_graph.pb").write_bytes(graph.as_graph_def().SerializeToString())
    Image.new("RGB", (480, 480)).save(tmp_path / "black.png")
    return folder


CONFIG = """keypoints {
  keypoint { name: "left" color: "#ff0000" } keypoint { name: "tip" color: "#00ff00" }
  keypoint { name: "right" color: "#0000ff" } limb { start: "left" end: "tip" }
}"""


def _detect(model, *flags):
    folder = model.parent
    out = folder / "out"
    flags = [f"--model={model}", f"--output={out}", *flags, str(folder / "black.png")]
    detect_pictures.run(flags)
    picture = np.asarray(Image.open(out / "pictures" / "black.jpg"))
    return json.loads((out / "detections.json").read_text()), picture


def _is(pixel, color):
    """Whether a pixel of a JPEG is of a colour."""
    return np.abs(pixel.astype(int) - colors.rgb(color)).max() < 60


def test_names_lines_and_colours_are_those_of_the_config_beside_the_model(model):
    (model / "pipeline.config").write_text(CONFIG)
    written, picture = _detect(model)
    assert written["keypoint_names"] == ["left", "tip", "right"]
    found = written["pictures"][0]["detections"][0]
    assert found["keypoints"] == [[240, 120], [240, 240], [240, 360]]
    assert found["keypoint_scores"] == [0.875, 0.25, 0.75]
    for column, color in ((120, "#ff0000"), (240, "#00ff00"), (360, "#0000ff")):
        assert _is(picture[240, column], color)
    assert picture[240, 180].max() > 60  # the line from left to tip
    assert picture[240, 300].max() < 60  # none from tip to right


def test_keypoints_of_low_score_are_not_drawn(model):
    (model / "pipeline.config").write_text(CONFIG)
    written, picture = _detect(model, "--min_keypoint_score=0.5")
    assert len(written["pictures"][0]["detections"][0]["keypoints"]) == 3
    assert _is(picture[240, 120], "#ff0000")
    assert picture[240, 240].max() < 60
    assert picture[240, 180].max() < 60  # a line needs both ends


def test_without_a_set_keypoints_have_colours_all_the_same(model, caplog):
    written, picture = _detect(model)
    assert "keypoint_names" not in written
    assert _is(picture[240, 120], "Cyan")
    (model / "pipeline.config").write_text("model { nonsense: 1 }")
    _detect(model)
    assert "drawn without their set" in caplog.text


def test_a_set_of_another_number_is_refused(model):
    with pytest.raises(ConfigError, match=r"face5.json has 5 keypoints, but .*model gives 3"):
        _detect(model, "--keypoints=face5")
    with pytest.raises(ConfigError, match="Did you mean 'face5'"):
        _detect(model, "--keypoints=face-5")


def test_pictures_of_an_earlier_run_do_not_stay_as_if_they_were_of_this_one(model):
    out = model.parent / "out"
    _detect(model)
    Image.new("RGB", (480, 480)).save(model.parent / "other.png")
    said = detect_pictures.run(
        [f"--model={model}", f"--output={out}", str(model.parent / "other.png")]
    )
    assert [path.name for path in (out / "pictures").iterdir()] == ["other.jpg"]
    assert "older pictures" not in said
    (out / "pictures" / "mine.jpg").touch()
    said = detect_pictures.run(
        [f"--model={model}", f"--output={out}", "--no_pictures", str(model.parent / "other.png")]
    )
    assert [path.name for path in (out / "pictures").iterdir()] == ["mine.jpg"]
    assert "1 older pictures" in said


@pytest.mark.parametrize("drawn", ["../secret.jpg", "{folder}/secret.jpg"])
def test_the_list_of_an_earlier_run_does_not_lead_out_of_its_folder(model, drawn):
    folder = model.parent
    (folder / "secret.jpg").touch()
    (folder / "out").mkdir()
    (folder / "out" / "detections.json").write_text(
        json.dumps({"pictures": [{"drawn": drawn.format(folder=folder)}]})
    )
    with pytest.raises(DataError):
        _detect(model)
    assert (folder / "secret.jpg").exists()


def test_a_list_of_something_else_is_not_replaced(model):
    (model.parent / "out").mkdir()
    (model.parent / "out" / "detections.json").write_text("[1]")
    with pytest.raises(DataError, match="is not the list of an earlier run"):
        _detect(model)
    assert (model.parent / "out" / "detections.json").read_text() == "[1]"


def test_pictures_of_one_name_are_all_drawn(model):
    folder = model.parent
    for name in ("a", "b"):
        (folder / name).mkdir()
        Image.new("RGB", (480, 480)).save(folder / name / "same.png")
    Image.new("RGB", (480, 480)).save(folder / "a" / "same.jpg")
    detect_pictures.run(
        [f"--model={model}", f"--output={folder / 'out'}", str(folder / "a"), str(folder / "b")]
    )
    written = json.loads((folder / "out" / "detections.json").read_text())
    drawn = [entry["drawn"] for entry in written["pictures"]]
    assert sorted(drawn) == [f"pictures/same{end}.jpg" for end in ("", "_2", "_3")]
    assert all((folder / "out" / name).is_file() for name in drawn)


def test_a_picture_too_large_to_decode_is_named_with_its_size(tmp_path):
    path = tmp_path / "a.bmp"
    Image.new("RGB", (8, 8)).save(path)
    content = bytearray(path.read_bytes())
    content[18:26] = (30_000).to_bytes(4, "little") * 2
    path.write_bytes(content)
    with pytest.raises(DataError, match="at most 100 are read"):
        detect_pictures.read_rgb(path)
