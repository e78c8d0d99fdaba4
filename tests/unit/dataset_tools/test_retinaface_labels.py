import gzip
import math
import tracemalloc

import numpy as np
import pytest

from object_detection.dataset_tools import retinaface_labels
from object_detection.dataset_tools.retinaface_labels import (
    NOT_LABELLED,
    OCCLUDED,
    VISIBLE,
    open_labels,
    parse_labels,
    read_lines,
)
from object_detection.errors import DataError

NO_POINTS = " -1.0" * 16


def parse(text):
    return parse_labels(text.split("\n"))


def parse_faces(text):
    (picture,) = parse(f"# a.jpg\n{text}")
    assert not picture.bad_lines
    return picture.faces


@pytest.mark.parametrize(
    ("text", "paths"),
    [
        pytest.param("", [], id="empty file"),
        pytest.param("# a.jpg", ["a.jpg"], id="header without end of line"),
        pytest.param("# a b/c d.jpg\n1 2 3 4", ["a b/c d.jpg"], id="spaces in the path"),
        pytest.param("#a.jpg\r\n1 2 3 4\r\n# b.jpg\r\n", ["a.jpg", "b.jpg"], id="windows lines"),
        pytest.param("\n# a.jpg\n\n# b.jpg\n\n", ["a.jpg", "b.jpg"], id="blank lines"),
    ],
)
def test_pictures_are_found(text, paths):
    assert [picture.path for picture in parse(text)] == paths


def test_lines_before_the_first_picture_are_handed_out():
    stray = []
    pictures = parse_labels(["1 2 3 4", "# a.jpg"], stray)
    assert [picture.path for picture in pictures] == ["a.jpg"]
    assert [line.line for line in stray] == [1]


@pytest.mark.parametrize(
    ("row", "no_face"),
    [
        pytest.param("0 0 0 0" + NO_POINTS, True, id="twenty columns"),
        pytest.param("0 0 0 0", True, id="four columns"),
        pytest.param("5 0 0 0", False, id="placed without area"),
        pytest.param("0 0 0 0\n1 1 5 5", False, id="beside a face"),
    ],
)
def test_one_row_of_zeros_means_no_face(row, no_face):
    (picture,) = parse(f"# a.jpg\n{row}")
    assert (picture.placeholder_line == 2) == no_face
    assert (len(picture.faces) == 0) == no_face


@pytest.mark.parametrize(
    ("line", "why"),
    [
        pytest.param("1 2 3", "3 columns", id="truncated box"),
        pytest.param("1 2 3 4 5", "5 columns", id="one too many"),
        pytest.param("1 2 3 4 5 6 0.0 7 8", "9 columns", id="truncated points"),
        pytest.param("1 2 3 4" + " 0" * 15, "19 columns", id="last column lost"),
        pytest.param("1 2 3 4" + " 0" * 17, "21 columns", id="21"),
        pytest.param("1 2 x 4", "column 3 is 'x'", id="not a number"),
        pytest.param("1 2 nan 4", "column 3 is 'nan'", id="nan"),
        pytest.param("inf 2 3 4", "column 1 is 'inf'", id="infinite"),
        pytest.param("inf 2 3 -inf", "column 1 is 'inf'", id="infinities that add up to nan"),
        pytest.param("1 2 1e308 4", "column 3 is 1e308, which no picture has", id="huge"),
        pytest.param(f"1 {'9' * 99} 3 4", f"column 2 is {'9' * 60}..., which", id="long"),
    ],
)
def test_bad_lines_are_named_and_kept_apart(line, why):
    first, second = parse(f"# a.jpg\n{line}\n1 2 3 4\n# b.jpg\n5 6 7 8")
    assert [bad.line for bad in first.bad_lines] == [2]
    assert why in first.bad_lines[0].why
    np.testing.assert_array_equal(first.faces.corners, [[1, 2, 4, 6]])
    assert first.faces.lines.tolist() == [3]
    assert first.num_lines == 2
    assert not second.bad_lines
    np.testing.assert_array_equal(second.faces.corners, [[5, 6, 12, 14]])
    assert second.faces.lines.tolist() == [5]


def test_a_bad_line_alone_is_no_placeholder():
    (picture,) = parse("# a.jpg\n0 0 0 0\n0 0 0")
    assert picture.placeholder_line is None
    assert len(picture.faces) == 1
    assert picture.num_lines == 2


def test_four_columns_are_a_box_without_points():
    faces = parse_faces("10 20.5 30 40")
    np.testing.assert_array_equal(faces.corners, [[10, 20.5, 40, 60.5]])
    assert faces.points.shape == (1, 5, 2)
    assert np.isnan(faces.points).all()
    np.testing.assert_array_equal(faces.visibility, [[NOT_LABELLED] * 5])


def test_lines_of_both_lengths_stand_side_by_side():
    faces = parse_faces(f"1 2 3 4\n5 6 7 8{' 9' * 16}\n\n1 1 1 1")
    np.testing.assert_array_equal(faces.corners, [[1, 2, 4, 6], [5, 6, 12, 14], [1, 1, 2, 2]])
    assert np.isnan(faces.points).all(axis=(1, 2)).tolist() == [True, False, True]
    assert faces.lines.tolist() == [2, 3, 5]


@pytest.mark.parametrize(
    "number", ["0x10", "1,5", "[1]", "1.5.", '"1"', "true", "null", "1d3", "-"]
)
def test_only_what_python_calls_a_number_is_one(number):
    (picture,) = parse(f"# a.jpg\n1 2 3 {number}")
    assert [bad.why for bad in picture.bad_lines] == [
        f"column 4 is {number!r}, not a finite number"
    ]


@pytest.mark.parametrize(
    ("number", "value"),
    [("+1", 1), ("1.", 1), (".5", 0.5), ("1e2", 100), ("007", 7), ("1_0", 10), ("0.1e-3", 1e-4)],
)
def test_whatever_python_calls_a_number_is_one(number, value):
    faces = parse_faces(f"{number} 0 0 1\n1 2 3 4")
    assert faces.corners[0, 0] == value


def test_a_zero_keeps_its_sign():
    faces = parse_faces("-0 0 5 5\n-0.0 1 2 3")
    assert np.signbit(faces.corners).tolist() == [[True, False, False, False]] + [
        [True, False, False, False]
    ]


def test_a_point_is_missing_only_if_all_three_say_so():
    points = "-1 -1 -1  -1 -1 0  -1 8 1  -3.5 8 0  7 8 -1"
    faces = parse_faces(f"1 2 3 4 {points} 0.5")
    np.testing.assert_array_equal(
        np.dstack([faces.points, faces.visibility]),
        [
            [
                [math.nan, math.nan, NOT_LABELLED],
                [-1, -1, VISIBLE],
                [-1, 8, OCCLUDED],
                [-3.5, 8, VISIBLE],
                [7, 8, OCCLUDED],
            ]
        ],
    )


def test_gzip_and_foreign_bytes(tmp_path):
    path = tmp_path / "label.txt.gz"
    path.write_bytes(gzip.compress(b"\xef\xbb\xbf# caf\xe9.jpg\n1 2 3 4\n"))
    with open_labels(str(path)) as lines:
        (picture,) = parse_labels(lines)
    assert picture.path.encode("utf-8", "surrogateescape") == b"caf\xe9.jpg"


@pytest.mark.parametrize(
    ("name", "content", "why"),
    [
        ("a.txt", b"# a.jpg\n1 2 3 4\n\0\0\0", "line 3 is no text"),
        ("a.txt", b"# a.jpg\n" + b"x" * 10_001, "line 2 is no text"),
        ("a.txt.gz", b"no gzip", "cannot be read"),
        ("a.txt.gz", gzip.compress(b"# a.jpg\n1 2 3 4\n" * 99, mtime=0)[:-12], "cannot be read"),
        ("a.txt.gz", gzip.compress(b"# a.jpg\n", mtime=0)[:-9] + b"\xff" * 9, "cannot be read"),
        ("none.txt", None, "cannot be read"),
    ],
)
def test_what_is_no_label_file_gets_one_message(tmp_path, name, content, why):
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match=why) as error:
        read_lines(str(tmp_path / name))
    assert len(str(error.value)) < 300


def test_a_file_that_unpacks_without_end_is_not_read_to_its_end(tmp_path, monkeypatch):
    monkeypatch.setattr(retinaface_labels, "MOST_BYTES", 1 << 20)
    bomb = tmp_path / "a.txt.gz"
    bomb.write_bytes(gzip.compress(b"1 2 3 4\n" * (8 << 20)))
    tracemalloc.start()
    try:
        with pytest.raises(DataError, match="more than 1 MB of text"):
            read_lines(str(bomb))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    # Python's text of a line is several times as large as the line.
    assert peak < 24 << 20


def test_lines_are_those_of_the_file(tmp_path):
    text = "# a.jpg\n1 2 3 4\r\n\n# b.jpg\n1 2 3 4"
    (tmp_path / "a.txt").write_bytes(text.encode())
    assert read_lines(str(tmp_path / "a.txt")) == text.replace("\r", "").splitlines()


@pytest.mark.parametrize("block", [1, 2, 7, 64])
def test_lines_are_whole_however_the_file_is_read(tmp_path, monkeypatch, block):
    monkeypatch.setattr(retinaface_labels, "_BLOCK", block)
    lines = ["# a.jpg", "1 2 3 4", "", "# b.jpg", "", "", "5 6 7 8"]
    for end in ("", "\n"):
        (tmp_path / "a.txt").write_text("\n".join(lines) + end)
        assert read_lines(str(tmp_path / "a.txt")) == lines
    (tmp_path / "a.txt").write_text("\n".join([*lines, "x" * 10_001, "# c.jpg"]))
    with pytest.raises(DataError, match="line 8 is no text"):
        read_lines(str(tmp_path / "a.txt"))


@pytest.mark.parametrize(
    ("name", "pictures", "faces"),
    [
        ("widerface_labels_genuine_parts/train_label_genuine_excerpt.txt", 4, 32),
        ("widerface_labels_genuine_parts/val_label.txt.gz", 3226, 39708),
        ("widerface_fullsize/label.txt", 32, 1245),
    ],
)
def test_genuine_files_are_read_in_full(shared_data, name, pictures, faces):
    with open_labels(str(shared_data / name)) as lines:
        found = list(parse_labels(lines))
    assert len(found) == pictures
    assert not [picture for picture in found if picture.bad_lines]
    placeholders = sum(picture.placeholder_line is not None for picture in found)
    assert sum(picture.num_lines for picture in found) + placeholders == faces
