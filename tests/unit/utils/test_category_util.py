import pytest

from object_detection.utils import category_util


def test_load(tmp_path):
    path = tmp_path / "categories.csv"
    path.write_text('0,"cat"\n\n2,"dog, small"\n1,bird\n')
    assert category_util.load_categories_from_csv_file(str(path)) == [
        {"id": 0, "name": "cat"},
        {"id": 2, "name": "dog, small"},
        {"id": 1, "name": "bird"},
    ]


@pytest.mark.parametrize("line", ["1", "1,cat,animal", "cat,1"])
def test_load_refuses(tmp_path, line):
    path = tmp_path / "categories.csv"
    path.write_text(f"0,dog\n{line}\n")
    with pytest.raises(ValueError, match=r"categories\.csv:2"):
        category_util.load_categories_from_csv_file(str(path))


def test_save(tmp_path):
    path = tmp_path / "categories.csv"
    categories = [{"id": 5, "name": "dog"}, {"id": 0, "name": "café, small"}]
    category_util.save_categories_to_csv_file(categories, str(path))
    assert path.read_bytes().decode() == '0,"café, small"\r\n5,dog\r\n'
    assert [category["id"] for category in categories] == [5, 0]
    assert category_util.load_categories_from_csv_file(str(path)) == categories[::-1]


def test_none(tmp_path):
    path = str(tmp_path / "none.csv")
    category_util.save_categories_to_csv_file([], path)
    assert category_util.load_categories_from_csv_file(path) == []
