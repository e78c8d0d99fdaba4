"""Pictures of the check of an export."""

import io

import numpy as np
import pytest
import tensorflow.compat.v1 as tf
from PIL import Image

from object_detection.errors import DataError
from object_detection.exporter import check_pictures


@pytest.mark.parametrize(
    ("shape", "shapes"),
    [
        ((None, None, None, 3), [(1, 301, 199), (1, 240, 320), (1, 64, 96), (2, 240, 320)]),
        ((None, 48, None, 3), [(1, 48, 199), (1, 48, 320), (1, 48, 96), (2, 48, 320)]),
        ((1, 20, 30, 3), [(1, 20, 30)] * 4),
        ((3, None, None, 3), [(3, 240, 320)] * 2),
        ((8, 16, 16, 3), [(8, 16, 16)]),
    ],
)
def test_drawn_pictures_fit_the_input(shape, shapes):
    batches = list(check_pictures.drawn().make(shape))
    assert [batch.shape[:3] for batch in batches] == shapes
    assert all(batch.dtype == np.uint8 for batch in batches)
    pictures = [picture for batch in batches for picture in batch]
    for number, picture in enumerate(pictures):
        assert np.ptp(picture) > 20
        for other in pictures[:number]:
            assert picture.shape != other.shape or not np.array_equal(picture, other)
    again = list(check_pictures.drawn().make(shape))
    assert all(np.array_equal(a, b) for a, b in zip(batches, again, strict=True))


@pytest.fixture
def folder(tmp_path):
    random = np.random.RandomState(0)
    for number, size in enumerate([(40, 60), (50, 30), (40, 60)]):
        image = random.randint(0, 256, [*size, 3]).astype(np.uint8)
        Image.fromarray(image).save(tmp_path / f"{number}.png")
    return tmp_path


@pytest.mark.parametrize(
    ("shape", "shapes"),
    [
        ((None, None, None, 3), [(1, 40, 60), (2, 40, 60), (1, 50, 30), (1, 40, 60)]),
        ((1, None, None, 3), [(1, 40, 60), (1, 50, 30), (1, 40, 60)]),
        ((2, None, None, 3), [(2, 40, 60), (2, 40, 60)]),
        ((1, 8, 9, 3), [(1, 8, 9)] * 3),
    ],
)
def test_pictures_of_the_user(folder, shape, shapes):
    pictures = check_pictures.of_files([f"{folder}/*.png"])
    batches = list(pictures.make(shape))
    assert [batch.shape[:3] for batch in batches] == shapes
    first = np.array(Image.open(folder / "0.png"))
    if shape[1] is None:
        np.testing.assert_array_equal(batches[0][0], first)
    assert pictures.said == f"{folder}/*.png"


def test_pictures_that_are_none(folder):
    with pytest.raises(DataError, match="no picture has such a name"):
        check_pictures.of_files([f"{folder}/*.jpg"])
    with pytest.raises(DataError, match="two or more"):
        check_pictures.of_files([f"{folder}/0.png"])
    (folder / "0.png").write_bytes(b"no picture")
    with pytest.raises(DataError, match=r"0\.png: (cannot be read as a|is no) picture"):
        list(check_pictures.of_files([f"{folder}/*.png"]).make((None, None, None, 3)))


def test_how_a_graph_is_fed():
    images = np.random.RandomState(0).randint(0, 256, [2, 8, 9, 3]).astype(np.uint8)
    sides = {"a": ((None, 2), tf.float32), "b": ((3,), tf.int32), "c": ((None,), tf.string)}
    fed = check_pictures.Input("image_tensor", (None, None, None, 3), sides).feed(images)
    assert {name: value.shape for name, value in fed.items()} == {
        "image_tensor:0": (2, 8, 9, 3), "a:0": (2, 2), "b:0": (3,), "c:0": (2,)
    }  # fmt: skip
    assert (fed["a:0"].dtype, fed["b:0"].dtype) == (np.float32, np.int32)
    (encoded,) = check_pictures.Input("encoded_image_string_tensor", (None,) * 4, {}).feed(
        images[:1]
    )["encoded_image_string_tensor:0"]
    np.testing.assert_array_equal(np.array(Image.open(io.BytesIO(encoded))), images[0])
    (serialized,) = check_pictures.Input("tf_example", (None,) * 4, {}).feed(images[:1])[
        "tf_example:0"
    ]
    example = tf.train.Example.FromString(serialized)
    assert example.features.feature["image/encoded"].bytes_list.value[0] == encoded
