"""Each contradiction of our augmentations is named with its field, before TensorFlow starts."""

import pytest
from google.protobuf import text_format

from object_detection.errors import ConfigError
from object_detection.protos import input_reader_pb2, model_pb2, train_pb2
from object_detection.utils import config_check
from object_detection.utils.config_check import augmentation_check

FIXED = "ssd { image_resizer { fixed_shape_resizer { height: 320 width: 320 } } }"
VARYING = "ssd { image_resizer { keep_aspect_ratio_resizer {} } }"


def _problems(steps, model=FIXED, reader=""):
    text = "".join(f"data_augmentation_options {{ {step} }}" for step in steps)
    return list(
        augmentation_check.augmentation_problems(
            text_format.Parse(text, train_pb2.TrainConfig()).data_augmentation_options,
            text_format.Parse(model, model_pb2.DetectionModel()),
            text_format.Parse(reader, input_reader_pb2.InputReader()),
        )
    )


@pytest.mark.parametrize(
    ("step", "words"),
    [
        ("random_rotation { min_angle: 20 }", "random_rotation.min_angle: is 20, and max_angle"),
        ("random_rotation { max_angle: inf }", "max_angle is inf; give them in order"),
        ("random_rotation { probability: 1.5 }", "probability: is 1.5, should be 0 to 1"),
        ("random_rotation { overlap_thresh: nan }", "overlap_thresh: is nan, should be 0 to 1"),
        ("random_rotation { pad_color: [1, 2] }", "pad_color: has 2 numbers; give 3, or 1"),
        ("random_square_crop { min_factor: 0 }", "min_factor: is 0, should be above 0"),
        ("random_square_crop { min_factor: 3 }", "min_factor: is 3, and max_factor is 2"),
        ("random_square_crop { factor: [1, -0.5] }", "factor: -0.5 should be above 0"),
        ("random_square_crop { factor: 1 max_factor: 2 }", "factor: excludes min_factor"),
        ("random_square_crop { max_attempts: 0 }", "max_attempts: is 0, should be at least 1"),
        ("mosaic { probability: -0.1 }", "mosaic.probability: is -0.1, should be 0 to 1"),
        ("mosaic { min_center: 0.8 }", "min_center: is 0.8, and max_center is 0.75"),
        ("mosaic { max_center: 1.2 }", "are shares, from 0 to 1"),
        ("mosaic { min_scale: 0 }", "min_scale: is 0, should be above 0"),
        ("mosaic { pool_size: 3 }", "pool_size: is 3; a mosaic has 4 pictures"),
        ("subtract_channel_mean { means: [1, 2] }", "means: has 2 numbers; give one for each of 3"),
        (
            "random_crop_pad_image { min_padded_size_ratio: 1 }",
            "random_crop_pad_image.min_padded_size_ratio: has 1 numbers; give height and width",
        ),
        (
            "ssd_random_crop_pad { operations {} operations { max_padded_size_ratio: [1, 1, 1] } }",
            "ssd_random_crop_pad.operations[1].max_padded_size_ratio: has 3 numbers",
        ),
        (
            "random_pad_image { min_image_height: 30 }",
            "min_image_height: set both of min_image_height and min_image_width, or neither",
        ),
        ("mosaic { height: 300 }", "give height and width, both at least 2, or neither"),
    ],
)
def test_a_problem_is_named(step, words):
    (problem,) = _problems([step])
    assert words in problem
    assert problem.startswith("train_config.data_augmentation_options[0].")


def test_mosaics_and_the_rest_of_the_config():
    assert "fixes no size" in "".join(_problems(["mosaic {}"], VARYING))
    assert not _problems(["mosaic { height: 300 width: 400 }"], VARYING)
    (twice,) = _problems(["mosaic {}", "rgb_to_gray {}", "mosaic {}"])
    assert twice.startswith("train_config.data_augmentation_options[2].mosaic: there is one")
    for field in ("load_multiclass_scores", "load_dense_pose"):
        assert field in "".join(_problems(["mosaic {}"], reader=f"{field}: true"))
    sequences = _problems(["mosaic {}"], reader="input_type: TF_SEQUENCE_EXAMPLE")
    assert "joins no frames" in "".join(sequences)


def test_what_is_fine():
    steps = [
        "random_rotation {}",
        "mosaic {}",
        "random_square_crop { factor: [0.3, 2] }",
        "random_square_crop { pad_color: [1, 2, 3] }",
        "random_crop_image {}",
    ]
    assert not _problems(steps)


def test_the_check_of_the_whole_config_says_it(tmp_path):
    train = text_format.Parse(
        "data_augmentation_options { random_rotation { probability: 2 } }", train_pb2.TrainConfig()
    )
    configs = {
        "model": text_format.Parse(FIXED, model_pb2.DetectionModel()),
        "train_config": train,
        "train_input_config": input_reader_pb2.InputReader(),
    }
    with pytest.raises(ConfigError, match=r"\[0\].random_rotation.probability: is 2"):
        config_check.check_pipeline(configs, "some.config", for_training=True)
