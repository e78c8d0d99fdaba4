import pathlib
import time

import numpy as np
import pytest
from google.protobuf import text_format

from object_detection.errors import ConfigError
from object_detection.protos import string_int_label_map_pb2
from object_detection.utils import label_map_util

TWO = "item { id: 2 name: 'n2' display_name: 'cat' } item { id: 1 name: 'n1' display_name: 'dog' }"


def proto(text):
    return text_format.Parse(text, string_int_label_map_pb2.StringIntLabelMap())


@pytest.fixture(params=["path", "pathlib", "serialised", "proto"])
def given(request, tmp_path):
    """Label maps in each form that the functions take."""

    def give(text):
        path = tmp_path / "map.pbtxt"
        if request.param == "proto":
            return proto(text)
        if request.param == "serialised":
            path.write_bytes(proto(text).SerializeToString())
        else:
            path.write_text(text)
        return path if request.param == "pathlib" else str(path)

    return give


def test_names_to_ids(given):
    assert label_map_util.get_label_map_dict(given(TWO)) == {"n2": 2, "n1": 1}
    assert label_map_util.get_label_map_dict(given(TWO), True) == {"cat": 2, "dog": 1}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("", {"background": 0}, id="empty"),
        pytest.param(TWO, {"background": 0, "n1": 1, "n2": 2}, id="no gap"),
        pytest.param(
            "item { id: 5 name: 'e' } item { id: 2 name: 'b' }",
            {"background": 0, "1": 1, "b": 2, "3": 3, "4": 4, "e": 5},
            id="gaps",
        ),
        pytest.param(
            "item { id: 0 name: 'background' } item { id: 2 name: 'b' }",
            {"background": 0, "1": 1, "b": 2},
            id="with background",
        ),
    ],
)
def test_gaps_are_filled(text, expected):
    found = label_map_util.get_label_map_dict(proto(text), fill_in_gaps_and_background=True)
    assert found == expected


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("item { id: -1 name: 'a' }", "item 0 .*'a'.* has id -1"),
        ("item { id: 1 name: 'b' } item { id: 0 name: 'a' }", "item 1 .*'a'.* has id 0"),
        ("item { id: 0 name: 'a' display_name: 'b' }", "Renumber"),
    ],
)
def test_wrong_ids_are_refused(given, text, words):
    with pytest.raises(ConfigError, match=words):
        label_map_util.get_label_map_dict(given(text))


@pytest.mark.parametrize("field", ["name", "display_name"])
def test_background_may_have_id_0(field):
    assert (
        0
        in label_map_util.get_label_map_dict(
            proto(f"item {{ id: 0 {field}: 'background' }}")
        ).values()
    )


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"item { id: 'one' }", r"bad\.pbtxt:1: item\[0\]\.id: is \"'one'\"; give a whole number"),
        (b"\xff\xfe\x00", r"bad\.pbtxt: neither text nor a serialised label map"),
        (b"garbage", r"bad\.pbtxt:1: 'garbage' is no field of StringIntLabelMap"),
    ],
)
def test_damaged_file_is_named(tmp_path, content, words):
    path = tmp_path / "bad.pbtxt"
    path.write_bytes(content)
    with pytest.raises(ConfigError, match=words):
        label_map_util.load_labelmap(str(path))
    with pytest.raises(ConfigError, match="no file"):
        label_map_util.load_labelmap(str(tmp_path / "none"))


def test_without_a_label_map_classes_are_numbered():
    assert label_map_util.convert_label_map_to_categories(None, 0) == []
    assert label_map_util.convert_label_map_to_categories(None, 2) == [
        {"id": 1, "name": "category_1"},
        {"id": 2, "name": "category_2"},
    ]


@pytest.mark.parametrize(
    ("text", "most", "use_display_name", "expected"),
    [
        pytest.param("", 3, True, [], id="empty"),
        pytest.param(TWO, 0, True, [], id="no class wanted"),
        pytest.param(TWO, 1, True, [(1, "dog")], id="only up to the largest"),
        pytest.param(TWO, 5, True, [(2, "cat"), (1, "dog")], id="order of the map"),
        pytest.param(TWO, 5, False, [(2, "n2"), (1, "n1")], id="names"),
        pytest.param(
            "item { id: 1 name: 'a' } item { id: 1 name: 'b' }",
            5,
            True,
            [(1, "a")],
            id="first wins",
        ),
        pytest.param(
            "item { id: 0 name: 'background' } item { id: 3 name: 'c' }",
            3,
            True,
            [(3, "c")],
            id="no background",
        ),
    ],
)
def test_categories(text, most, use_display_name, expected):
    found = label_map_util.convert_label_map_to_categories(proto(text), most, use_display_name)
    assert found == [{"id": number, "name": name} for number, name in expected]


def test_categories_tell_keypoints_frequency_and_count():
    text = """
        item { id: 1 name: 'a' frequency: FREQUENT instance_count: 7
               keypoints { id: 4 label: 'nose' } keypoints { id: 2 label: 'hip' } }
        item { id: 2 name: 'b' frequency: COMMON }
        item { id: 3 name: 'c' frequency: RARE instance_count: 0 }
        item { id: 4 name: 'd' frequency: UNSPECIFIED }
    """
    assert label_map_util.convert_label_map_to_categories(proto(text), 9) == [
        {
            "id": 1,
            "name": "a",
            "frequency": "f",
            "instance_count": 7,
            "keypoints": {"nose": 4, "hip": 2},
        },
        {"id": 2, "name": "b", "frequency": "c"},
        {"id": 3, "name": "c", "frequency": "r", "instance_count": 0},
        {"id": 4, "name": "d"},
    ]


def test_keypoints_of_one_id_are_refused():
    text = "item { id: 1 name: 'a' keypoints { id: 4 label: 'x' } keypoints { id: 4 label: 'y' } }"
    with pytest.raises(ConfigError, match="'a' gives the id 4"):
        label_map_util.convert_label_map_to_categories(proto(text), 9)


def test_indices_of_a_file(tmp_path):
    path = tmp_path / "map.pbtxt"
    path.write_text(TWO)
    assert label_map_util.create_categories_from_labelmap(str(path)) == [
        {"id": 2, "name": "cat"},
        {"id": 1, "name": "dog"},
    ]
    index = label_map_util.create_category_index_from_labelmap(str(path), use_display_name=False)
    assert index == {1: {"id": 1, "name": "n1"}, 2: {"id": 2, "name": "n2"}}
    assert label_map_util.create_category_index([]) == {}
    assert label_map_util.create_class_agnostic_category_index() == {1: {"id": 1, "name": "object"}}
    assert label_map_util.get_max_label_map_index(proto(TWO)) == 2
    with pytest.raises(ConfigError, match="no item"):
        label_map_util.get_max_label_map_index(proto(""))


def test_keypoints_of_all_classes(given):
    text = """
        item { id: 1 name: 'a' keypoints { id: 0 label: 'nose' } }
        item { id: 2 name: 'b' keypoints { id: 2 label: 'wheel' } keypoints { id: 1 label: 'x' } }
    """
    assert label_map_util.get_keypoint_label_map_dict(given(text)) == {
        "nose": 0,
        "wheel": 2,
        "x": 1,
    }


@pytest.mark.parametrize("second", ["{ id: 0 label: 'x' }", "{ id: 1 label: 'nose' }"])
def test_keypoints_of_two_classes_may_not_clash(second):
    first = "item { id: 1 name: 'a' keypoints { id: 0 label: 'nose' } }"
    text = f"{first} item {{ id: 2 name: 'b' keypoints {second} }}"
    with pytest.raises(ConfigError, match="twice"):
        label_map_util.get_keypoint_label_map_dict(proto(text))


HIERARCHY = """
    item { id: 1 name: 'a' descendant_ids: [2, 4] }
    item { id: 2 name: 'b' ancestor_ids: 1 descendant_ids: 4 }
    item { id: 4 name: 'd' ancestor_ids: [1, 2] }
"""


def test_hierarchy(given):
    ancestors, descendants = label_map_util.get_label_map_hierarchy_lut(given(HIERARCHY))
    np.testing.assert_array_equal(
        ancestors, [[0, 0, 0, 0], [1, 0, 0, 0], [0, 0, 0, 0], [1, 1, 0, 0]]
    )
    np.testing.assert_array_equal(
        descendants, [[0, 1, 0, 1], [0, 0, 0, 1], [0, 0, 0, 0], [0, 0, 0, 0]]
    )


def test_hierarchy_with_identity_and_without_relations():
    ancestors, descendants = label_map_util.get_label_map_hierarchy_lut(proto(TWO), True)
    np.testing.assert_array_equal(ancestors, np.eye(2))
    np.testing.assert_array_equal(descendants, np.eye(2))
    with pytest.raises(ConfigError, match="ancestor_ids of 'a' holds 9"):
        label_map_util.get_label_map_hierarchy_lut(
            proto("item { id: 1 name: 'a' ancestor_ids: 9 }")
        )


def test_path_objects_are_paths(tmp_path):
    path = pathlib.Path(tmp_path) / "map.pbtxt"
    path.write_text("item { id: 1 name: 'é' }", encoding="utf-8")
    assert label_map_util.get_label_map_dict(path) == {"é": 1}


def test_an_empty_file_is_named(tmp_path):
    path = tmp_path / "empty.pbtxt"
    path.touch()
    with pytest.raises(ConfigError, match=r"empty\.pbtxt: has no item"):
        label_map_util.create_category_index_from_labelmap(str(path))


def test_the_line_of_a_mistake_is_named(tmp_path):
    path = tmp_path / "typo.pbtxt"
    path.write_text("item { id: 1 }\nitme { id: 2 }\n")
    with pytest.raises(ConfigError, match=r"typo\.pbtxt:2: 'itme' .* mean 'item'\? An item reads"):
        label_map_util.load_labelmap(str(path))


def test_ids_that_would_fill_the_memory_are_refused(tmp_path):
    path = tmp_path / "map.pbtxt"
    path.write_text("item {\n  name: 'a'\n  id: 2000000000\n}")
    with pytest.raises(ConfigError, match=r"map\.pbtxt:3: item 0 .* has id 2000000000; ids go up"):
        label_map_util.get_label_map_dict(str(path), fill_in_gaps_and_background=True)
    path.write_text("item { name: 'a' id: 900000 }")
    with pytest.raises(ConfigError, match="largest id is 900000"):
        label_map_util.get_label_map_hierarchy_lut(str(path))


def test_many_keypoints_are_compared_in_a_moment(tmp_path):
    path = tmp_path / "map.pbtxt"
    points = " ".join(
        f"keypoints {{ id: {number} label: 'k{number}' }}" for number in range(20_000)
    )
    path.write_text(f"item {{ name: 'a' id: 1 {points} }}")
    began = time.process_time()
    assert len(label_map_util.get_keypoint_label_map_dict(str(path))) == 20_000
    (category,) = label_map_util.create_categories_from_labelmap(str(path))
    assert len(category["keypoints"]) == 20_000
    # Each with each would take minutes.
    assert time.process_time() - began < 20


def test_a_file_whose_keypoints_contradict_each_other_is_named(tmp_path):
    path = tmp_path / "map.pbtxt"
    path.write_text("item { name: 'a' id: 1 keypoints { id: 1 } keypoints { id: 1 label: 'x' } }")
    with pytest.raises(ConfigError, match=r"map\.pbtxt: .* gives the id 1 to several keypoints"):
        label_map_util.create_categories_from_labelmap(str(path))
