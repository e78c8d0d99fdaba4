import numpy as np
import pytest

from object_detection.dataset_tools import seq_example_util
from object_detection.errors import DataError


def rows(feature_list):
    """The values of each frame."""
    return [
        list((one.float_list if one.HasField("float_list") else one.int64_list).value)
        if not one.HasField("bytes_list")
        else list(one.bytes_list.value)
        for one in feature_list.feature
    ]


@pytest.mark.parametrize("values", [np.array([1, 2]), [1, 2], np.array([[1], [2]])])
def test_context_features(values):
    assert list(seq_example_util.context_float_feature(values).float_list.value) == [1, 2]
    assert list(seq_example_util.context_int64_feature(values).int64_list.value) == [1, 2]


def test_context_features_of_nothing_and_of_one():
    assert list(seq_example_util.context_float_feature(np.array([])).float_list.value) == []
    assert list(seq_example_util.context_int64_feature(3).int64_list.value) == [3]
    assert list(seq_example_util.context_bytes_feature("é").bytes_list.value) == ["é".encode()]
    assert list(seq_example_util.context_bytes_feature([b"a", "b"]).bytes_list.value) == [
        b"a",
        b"b",
    ]


def test_sequence_features():
    assert rows(seq_example_util.sequence_float_feature([[0.5], [], [1, 2]])) == [[0.5], [], [1, 2]]
    assert rows(seq_example_util.sequence_int64_feature(np.array([[1], [2]]))) == [[1], [2]]
    assert rows(seq_example_util.sequence_int64_feature([[True], []])) == [[1], []]
    assert rows(seq_example_util.sequence_bytes_feature([["a", b"b"], []])) == [[b"a", b"b"], []]
    assert rows(seq_example_util.sequence_bytes_feature(np.array([[b"x"], [b"y"]]))) == [
        [b"x"],
        [b"y"],
    ]
    assert rows(seq_example_util.sequence_strings_feature(["ab", b"c"])) == [[b"ab"], [b"c"]]
    assert rows(seq_example_util.sequence_float_feature([])) == []


def test_box_components():
    boxes = [[[0, 1, 2, 3], [4, 5, 6, 7]], [], np.zeros([0, 4]), [[8, 9, 10, 11]]]
    components = seq_example_util.boxes_to_box_components(boxes)
    assert [[row.tolist() for row in frames] for frames in components] == [
        [[0, 4], [], [], [8]],
        [[1, 5], [], [], [9]],
        [[2, 6], [], [], [10]],
        [[3, 7], [], [], [11]],
    ]


CLIP = {
    "dataset_name": "animals",
    "video_id": "clip",
    "encoded_images": [b"A", b"B"],
    "image_height": 20,
    "image_width": 30,
}


def test_clip_without_labels():
    clip = seq_example_util.make_sequence_example(
        **CLIP, image_format="JPEG", image_source_ids=["7", "8"], timestamps=[[5], [9]]
    )
    once = clip.context.feature
    assert once["example/dataset_name"].bytes_list.value == [b"animals"]
    assert once["clip/media_id"].bytes_list.value == [b"clip"]
    assert once["image/format"].bytes_list.value == [b"JPEG"]
    assert {
        key: list(once[key].int64_list.value)
        for key in (
            "clip/start/timestamp",
            "clip/end/timestamp",
            "clip/frames",
            "image/channels",
            "image/height",
            "image/width",
        )
    } == {
        "clip/start/timestamp": [5],
        "clip/end/timestamp": [9],
        "clip/frames": [2],
        "image/channels": [3],
        "image/height": [20],
        "image/width": [30],
    }
    per_frame = {key: rows(value) for key, value in clip.feature_lists.feature_list.items()}
    assert per_frame == {
        "image/encoded": [[b"A"], [b"B"]],
        "image/timestamp": [[5], [9]],
        "image/source_id": [[b"7"], [b"8"]],
    }


def test_clip_with_labels_detections_and_context():
    clip = seq_example_util.make_sequence_example(
        **CLIP,
        image_source_ids=["first", "second"],
        use_strs_for_source_id=True,
        bboxes=[[[0, 0.25, 0.5, 1]], []],
        label_strings=[["cat"], []],
        detection_bboxes=[[], [[0, 0, 0.5, 1]]],
        detection_classes=[[], [5]],
        detection_scores=[[], [0.75]],
        context_features=[1.5, 2],
        context_feature_length=2,
        context_features_image_id_list=["x"],
    )
    per_frame = {key: rows(value) for key, value in clip.feature_lists.feature_list.items()}
    assert per_frame == {
        "image/encoded": [[b"A"], [b"B"]],
        "image/timestamp": [[0], [1]],
        "image/source_id": [[b"first"], [b"second"]],
        "region/bbox/ymin": [[0], []],
        "region/bbox/xmin": [[0.25], []],
        "region/bbox/ymax": [[0.5], []],
        "region/bbox/xmax": [[1], []],
        "region/is_annotated": [[1], [1]],
        "region/label/string": [[b"cat"], []],
        "predicted/region/bbox/ymin": [[], [0]],
        "predicted/region/bbox/xmin": [[], [0]],
        "predicted/region/bbox/ymax": [[], [0.5]],
        "predicted/region/bbox/xmax": [[], [1]],
        "predicted/region/label/index": [[], [5]],
        "predicted/region/label/confidence": [[], [0.75]],
    }
    once = clip.context.feature
    assert list(once["image/context_features"].float_list.value) == [1.5, 2]
    assert list(once["image/context_feature_length"].int64_list.value) == [2]
    assert list(once["image/context_features_image_id_list"].bytes_list.value) == [b"x"]
    assert "image/format" not in once


def test_clip_without_a_frame_is_refused():
    with pytest.raises(DataError, match="clip"):
        seq_example_util.make_sequence_example(**{**CLIP, "encoded_images": []})
