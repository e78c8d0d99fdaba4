"""What excludes `fast_jpeg_scaling`, and how large pictures have to be."""

import re

import pytest
from google.protobuf import text_format

from object_detection.core.preprocessor import pipeline
from object_detection.protos import (
    input_reader_pb2,
    model_pb2,
    preprocessor_pb2,
    train_pb2,
)
from object_detection.utils import jpeg_scaling

FIXED = "fixed_shape_resizer { height: 300 width: 200 }"
READER = "fast_jpeg_scaling: true"


def _model(resizer):
    return text_format.Parse(f"ssd {{ image_resizer {{ {resizer} }} }}", model_pb2.DetectionModel())


def _problems(train="", resizer=FIXED, reader=READER):
    return list(
        jpeg_scaling.problems(
            text_format.Parse(train, train_pb2.TrainConfig()),
            _model(resizer),
            text_format.Parse(reader, input_reader_pb2.InputReader()),
        )
    )


def _steps(*names):
    return " ".join(f"data_augmentation_options {{ {name} {{}} }}" for name in names)


@pytest.mark.parametrize(
    ("resizer", "expected"),
    [
        pytest.param(FIXED, (300, 200), id="fixed"),
        pytest.param(
            "keep_aspect_ratio_resizer { min_dimension: 600 max_dimension: 1024 }",
            (600, 600),
            id="the shorter side",
        ),
        pytest.param("identity_resizer {}", None, id="any size"),
    ],
)
def test_size_that_is_enough(resizer, expected):
    assert jpeg_scaling.enough(_model(resizer)) == expected


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        pytest.param({"resizer": "identity_resizer {}"}, "fixed_shape_resizer", id="any size"),
        pytest.param(
            {"reader": READER + " num_additional_channels: 1"}, "num_additional_channels",
            id="more channels",
        ),
        pytest.param(
            {"reader": READER + " input_type: TF_SEQUENCE_EXAMPLE"}, "frames", id="sequences"
        ),
        pytest.param(
            {"train": "retain_original_images: true"}, "retain_original_images", id="kept pictures"
        ),
        pytest.param(
            {"train": _steps("ssd_random_crop", "random_pad_image")},
            r"data_augmentation_options\[1\].random_pad_image counts", id="padding",
        ),
        pytest.param({"train": _steps("mosaic")}, "mosaic counts", id="mosaic"),
        pytest.param(
            {"train": _steps("random_adjust_hue", "ssd_random_crop")},
            r"data_augmentation_options\[1\].ssd_random_crop cuts", id="a crop after a colour",
        ),
    ],
)  # fmt: skip
def test_what_excludes_it(settings, words):
    (problem,) = _problems(**settings)
    assert re.search(words, problem)


@pytest.mark.parametrize(
    "settings",
    [
        pytest.param({}, id="no steps"),
        pytest.param(
            {"train": _steps("random_horizontal_flip", "ssd_random_crop", "random_distort_color")},
            id="crops, then colours",
        ),
        pytest.param(
            {"train": _steps("random_rgb_to_gray", "random_horizontal_flip")},
            id="a flip after a colour",
        ),
        pytest.param({"train": _steps("random_pad_image"), "reader": ""}, id="not asked for"),
    ],
)
def test_what_goes_with_it(settings):
    assert _problems(**settings) == []


def test_steps_that_choose_a_part_are_those_that_take_encoded_pictures():
    taken = {function.__name__ for function in pipeline._TAKE_ENCODED_IMAGES}
    assert set(jpeg_scaling._CHOOSE) == taken


def test_names_are_those_of_steps():
    names = {field.name for field in preprocessor_pb2.PreprocessingStep.DESCRIPTOR.fields}
    assert {*jpeg_scaling._CHOOSE, *jpeg_scaling._COLOR, *jpeg_scaling._BOXES} <= names
