import json

import pytest

from object_detection.errors import ConfigError
from object_detection.keypoints import schema
from object_detection.keypoints.schema import KeypointSchema


def test_one_keypoint_is_its_own_partner():
    one = KeypointSchema(names=("centre",))
    assert (one.size, one.flip_permutation, one.edges) == (1, (0,), ())
    assert one.sigmas == (schema.DEFAULT_SIGMA,)
    assert one.colors == ("#f22424",)


@pytest.mark.parametrize("name", schema.shipped())
def test_shipped_sets_are_sound(name):
    one = schema.load(name)
    assert one.size == int("".join(filter(str.isdigit, name)))
    # A flip twice is no flip.
    assert [one.flip_permutation[i] for i in one.flip_permutation] == list(range(one.size))
    # Left goes with right, and with the same part.
    for place, partner in enumerate(one.flip_permutation):
        if one.names[place].startswith("left"):
            assert one.names[partner].startswith("right")
    # Each keypoint but pupils is joined to another.
    joined = {end for edge in one.edges for end in edge}
    loose = {one.names[place] for place in set(range(one.size)) - joined}
    assert loose <= {"left_pupil", "right_pupil"}


@pytest.mark.parametrize(
    ("name", "permutation"),
    [
        ("face5", [1, 0, 2, 4, 3]),
        ("coco17", [0, 2, 1, 4, 3, 6, 5, 8, 7, 10, 9, 12, 11, 14, 13, 16, 15]),
        ("hand21", list(range(21))),
    ],
)
def test_flip_permutations_by_hand(name, permutation):
    assert list(schema.load(name).flip_permutation) == permutation


def test_limbs_of_a_face_mirror_to_limbs():
    """An independent check of the 68 and 98 pairs: mirrored outlines are outlines."""
    for name in ("face5", "face68", "face98", "coco17"):
        one = schema.load(name)
        edges = {frozenset(edge) for edge in one.edges}
        mirrored = {frozenset(one.flip_permutation[end] for end in edge) for edge in edges}
        assert mirrored == edges, name


def test_sigmas_of_coco_are_those_of_pycocotools():
    from pycocotools.cocoeval import Params

    assert schema.load("coco17").sigmas == pytest.approx(list(Params("keypoints").kpt_oks_sigmas))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"names": ()}, "no keypoints"),
        ({"names": ("a", "a")}, "'a' is named more than once"),
        ({"names": ("left", "right"), "mirror": {"left": "rigth"}}, "Did you mean 'right'"),
        ({"names": ("a", "b", "c"), "mirror": {"a": "b", "c": "b"}}, "partner of 'b'"),
        ({"names": ("a", "b"), "limbs": (("a", "x"),)}, "'x', which is no keypoint"),
        ({"names": ("a", "b"), "limbs": (("a", "a"),)}, "joins two keypoints"),
        ({"names": ("a", "b"), "sigmas": (0.1,)}, "1 sigmas for 2 keypoints"),
        ({"names": ("a",), "sigmas": (0.0,)}, "sigma of 'a' is 0.0"),
        ({"names": ("a",), "sigmas": (float("nan"),)}, "sigma of 'a' is nan"),
        ({"names": ("a",), "colors": ("red",)}, "write it as #rrggbb"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_contradictions_are_named(settings, message):
    with pytest.raises(ConfigError, match=message):
        KeypointSchema(**settings)


def test_a_file_of_ones_own(tmp_path):
    path = tmp_path / "tool.json"
    rows = [{"name": "left", "mirror": "right"}, {"name": "tip", "sigma": 0.05}, {"name": "right"}]
    path.write_text(json.dumps({"keypoints": rows, "limbs": [["left", "tip"]]}))
    one = schema.load(str(path))
    assert one.flip_permutation == (2, 1, 0)
    assert one.edges == ((0, 1),)
    assert one.sigmas == (0.025, 0.05, 0.025)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "not a JSON file"),
        ("[]", "a list `keypoints`"),
        ('{"keypoints": [{}]}', "keypoint 0 should be an object with a `name`"),
        ('{"keypoints": [{"name": "a", "sigme": 1}]}', "unknown entry 'sigme'"),
        ('{"keypoints": [{"name": "a"}], "limb": []}', "unknown entry 'limb'"),
        ('{"keypoints": [{"name": "a", "sigma": "x"}]}', "sigma of 'a' is 'x'"),
        ('{"keypoints": [{"name": "a"}], "limbs": ["a"]}', "list of pairs"),
        # What only a damaged file, or a malicious one, holds.
        ("[" * 100_000, "not a JSON file"),
        ('{"keypoints": [{"name": "a", "sigma": ' + "9" * 5000 + "}]}", "not a JSON file"),
        ('{"keypoints": [{"name": "a", "sigma": ' + "9" * 400 + "}]}", "sigma of 'a' is '999"),
        ('{"keypoints": [{"name": "a", "sigma": NaN}]}', "sigma of 'a' is nan"),
        ('{"keypoints": [{"name": "a", "mirror": ["b"]}]}', "mirror of 'a' should be a name"),
        ('{"keypoints": [{"name": "a"}], "limbs": [[["a"], {}]]}', "list of pairs"),
        (json.dumps({"keypoints": [{"name": str(n)} for n in range(2001)]}), "at most 2000"),
    ],
)
def test_a_bad_file_is_named(tmp_path, content, message):
    path = tmp_path / "mine.json"
    path.write_text(content)
    with pytest.raises(ConfigError, match=message) as caught:
        schema.load(str(path))
    assert str(path) in str(caught.value)


def test_unknown_names(tmp_path):
    with pytest.raises(ConfigError, match="Did you mean 'face5'"):
        schema.load("face_5")
    with pytest.raises(ConfigError, match="cannot be read"):
        schema.load(str(tmp_path / "none.json"))


def test_label_maps():
    one = schema.from_labels({"nose": 1, "eye": 0}, "map.pbtxt")
    assert one.names == ("eye", "nose")
    schema.check_same_names(one, KeypointSchema(names=("eye", "nose")))
    with pytest.raises(ConfigError, match=r"numbered 0 to 1, got \[1, 2\]"):
        schema.from_labels({"nose": 1, "eye": 2}, "map.pbtxt")
    with pytest.raises(ConfigError, match=r"Keypoint 0 is 'eye' in .*, but 'nose' in "):
        schema.check_same_names(one, KeypointSchema(names=("nose", "eye"), where="x.json"))
    with pytest.raises(ConfigError, match=r"map\.pbtxt has 2 keypoints, but x\.json has 1"):
        schema.check_same_names(one, KeypointSchema(names=("nose",), where="x.json"))
