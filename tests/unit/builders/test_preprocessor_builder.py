"""Each message gives the function and keyword arguments that the OD API's gives."""

import numpy as np
import pytest
import tensorflow.compat.v1 as tf
from google.protobuf import text_format

from object_detection.builders import preprocessor_builder
from object_detection.core import preprocessor
from object_detection.errors import ConfigError
from object_detection.protos import preprocessor_pb2

Method = tf.image.ResizeMethod
CROP = (
    "min_object_covered: 0.75 min_aspect_ratio: 0.75 max_aspect_ratio: 1.5 min_area: 0.25 "
    "max_area: 0.875 overlap_thresh: 0.5 clip_boxes: false random_coef: 0.125"
)
CROP_ARGUMENTS = {
    "min_object_covered": 0.75,
    "aspect_ratio_range": (0.75, 1.5),
    "area_range": (0.25, 0.875),
    "overlap_thresh": 0.5,
    "clip_boxes": False,
    "random_coef": 0.125,
}
CROP_DEFAULTS = {
    "min_object_covered": 1.0,
    "aspect_ratio_range": (0.75, 1.33),
    "area_range": (0.1, 1.0),
    "overlap_thresh": 0.3,
    "clip_boxes": True,
    "random_coef": 0.0,
}
OTHER_CROP = CROP.replace("0.875", "1.0").replace("false", "true")
OTHER_ARGUMENTS = CROP_ARGUMENTS | {"area_range": (0.25, 1.0), "clip_boxes": True}
TWO_CROPS = {name: [CROP_ARGUMENTS[name], OTHER_ARGUMENTS[name]] for name in CROP_ARGUMENTS}
WITHOUT_RATIO = CROP.replace("min_aspect_ratio: 0.75 max_aspect_ratio: 1.5 ", "")

STEPS = [
    (
        "random_rotation",
        (
            "min_angle: -30 max_angle: 45 probability: 0.5 expand: true box_shape: RECTANGLE "
            "overlap_thresh: 0.25 pad_color: [1, 2, 3]"
        ),
        {
            "min_angle": -30.0,
            "max_angle": 45.0,
            "probability": 0.5,
            "expand": True,
            "box_shape": "rectangle",
            "overlap_thresh": 0.25,
            "pad_color": (1.0, 2.0, 3.0),
        },
    ),
    (
        "random_rotation",
        "",
        {
            "min_angle": -15.0,
            "max_angle": 15.0,
            "probability": 1.0,
            "expand": False,
            "box_shape": "ellipse",
            "overlap_thresh": 0.3,
            "pad_color": None,
        },
    ),
    (
        "random_square_crop",
        "factor: [0.5, 1.5] max_attempts: 7 probability: 0.75",
        {
            "factors": (0.5, 1.5),
            "min_factor": 0.3,
            "max_factor": 2.0,
            "max_attempts": 7,
            "probability": 0.75,
            "pad_color": None,
        },
    ),
    (
        "random_square_crop",
        "min_factor: 0.5 max_factor: 1.5 pad_color: 7",
        {
            "factors": (),
            "min_factor": 0.5,
            "max_factor": 1.5,
            "max_attempts": 50,
            "probability": 1.0,
            "pad_color": (7.0,),
        },
    ),
    (
        "normalize_image",
        "original_minval: 0 original_maxval: 255 target_minval: -1 target_maxval: 1",
        {"original_minval": 0, "original_maxval": 255, "target_minval": -1, "target_maxval": 1},
    ),
    (
        "normalize_image",
        "original_maxval: 255",
        {"original_minval": 0, "original_maxval": 255, "target_minval": 0, "target_maxval": 1},
    ),
    (
        "random_horizontal_flip",
        "keypoint_flip_permutation: [1, 0, 2] probability: 0.75",
        {"keypoint_flip_permutation": (1, 0, 2), "probability": 0.75},
    ),
    ("random_horizontal_flip", "", {"keypoint_flip_permutation": None, "probability": 0.5}),
    (
        "random_vertical_flip",
        "keypoint_flip_permutation: [1, 0]",
        {"keypoint_flip_permutation": (1, 0), "probability": 0.5},
    ),
    ("random_vertical_flip", "", {"keypoint_flip_permutation": None, "probability": 0.5}),
    (
        "random_rotation90",
        "keypoint_rot_permutation: [3, 0, 1, 2]",
        {"keypoint_rot_permutation": (3, 0, 1, 2), "probability": 0.5},
    ),
    ("random_rotation90", "probability: 1", {"keypoint_rot_permutation": None, "probability": 1}),
    ("random_pixel_value_scale", "minval: 0.5 maxval: 1.25", {"minval": 0.5, "maxval": 1.25}),
    ("random_pixel_value_scale", "", {}),
    (
        "random_image_scale",
        "min_scale_ratio: 0.75 max_scale_ratio: 2.25",
        {"min_scale_ratio": 0.75, "max_scale_ratio": 2.25},
    ),
    ("random_rgb_to_gray", "probability: 0.75", {"probability": 0.75}),
    ("random_adjust_brightness", "max_delta: 0.25", {"max_delta": 0.25}),
    ("random_adjust_brightness", "", {}),
    (
        "random_adjust_contrast",
        "min_delta: 0.5 max_delta: 1.5",
        {"min_delta": 0.5, "max_delta": 1.5},
    ),
    ("random_adjust_hue", "max_delta: 0.125", {"max_delta": 0.125}),
    (
        "random_adjust_saturation",
        "min_delta: 0.75 max_delta: 1.125",
        {"min_delta": 0.75, "max_delta": 1.125},
    ),
    ("random_distort_color", "color_ordering: 1", {"color_ordering": 1}),
    ("random_jitter_boxes", "ratio: 0.25", {"ratio": 0.25, "jitter_mode": "default"}),
    (
        "random_jitter_boxes",
        "ratio: 0.25 jitter_mode: SHRINK_SYMMETRIC_XY",
        {"ratio": 0.25, "jitter_mode": "shrink_symmetric_xy"},
    ),
    ("random_crop_image", CROP, CROP_ARGUMENTS),
    ("random_crop_image", "", CROP_DEFAULTS),
    (
        "random_pad_image",
        "",
        {"min_image_size": None, "max_image_size": None, "pad_color": None},
    ),
    (
        "random_pad_image",
        "min_image_height: 10 min_image_width: 20 max_image_height: 30 max_image_width: 40",
        {"min_image_size": (10, 20), "max_image_size": (30, 40), "pad_color": None},
    ),
    (
        "random_absolute_pad_image",
        "max_height_padding: 50 max_width_padding: 100",
        {"max_height_padding": 50, "max_width_padding": 100, "pad_color": None},
    ),
    (
        "random_absolute_pad_image",
        "",
        {"max_height_padding": 1, "max_width_padding": 1, "pad_color": None},
    ),
    ("random_crop_pad_image", CROP, CROP_ARGUMENTS | {"pad_color": None}),
    (
        "random_crop_pad_image",
        f"{CROP} min_padded_size_ratio: [0.5, 0.75] max_padded_size_ratio: [0.5, 0.75]",
        CROP_ARGUMENTS
        | {
            "min_padded_size_ratio": (0.5, 0.75),
            "max_padded_size_ratio": (0.5, 0.75),
            "pad_color": None,
        },
    ),
    (
        "random_crop_to_aspect_ratio",
        "aspect_ratio: 0.75 overlap_thresh: 0.25 clip_boxes: false",
        {"aspect_ratio": 0.75, "overlap_thresh": 0.25, "clip_boxes": False},
    ),
    (
        "random_black_patches",
        "max_black_patches: 20 probability: 0.875 size_to_image_ratio: 0.125",
        {"max_black_patches": 20, "probability": 0.875, "size_to_image_ratio": 0.125},
    ),
    (
        "random_jpeg_quality",
        "random_coef: 0.5 min_jpeg_quality: 40 max_jpeg_quality: 90",
        {"random_coef": 0.5, "min_jpeg_quality": 40, "max_jpeg_quality": 90},
    ),
    (
        "random_downscale_to_target_pixels",
        "random_coef: 0.5 min_target_pixels: 200000 max_target_pixels: 900000",
        {"random_coef": 0.5, "min_target_pixels": 200000, "max_target_pixels": 900000},
    ),
    (
        "random_patch_gaussian",
        (
            "random_coef: 0.5 min_patch_size: 10 max_patch_size: 300 min_gaussian_stddev: 0.25 "
            "max_gaussian_stddev: 1.5"
        ),
        {
            "random_coef": 0.5,
            "min_patch_size": 10,
            "max_patch_size": 300,
            "min_gaussian_stddev": 0.25,
            "max_gaussian_stddev": 1.5,
        },
    ),
    ("autoaugment_image", "", {"policy_name": "v0"}),
    ("autoaugment_image", "policy_name: 'v3'", {"policy_name": "v3"}),
    (
        "drop_label_probabilistically",
        "label: 2 drop_probability: 0.5",
        {"dropped_label": 2, "drop_probability": 0.5},
    ),
    (
        "remap_labels",
        "original_labels: 1 original_labels: 2 new_label: 3",
        {"original_labels": [1, 2], "new_label": 3},
    ),
    ("random_resize_method", "target_height: 75 target_width: 100", {"target_size": [75, 100]}),
    ("scale_boxes_to_pixel_coordinates", "", {}),
    (
        "resize_image",
        "new_height: 75 new_width: 100 method: BICUBIC",
        {"new_height": 75, "new_width": 100, "method": Method.BICUBIC},
    ),
    (
        "resize_image",
        "new_height: 75 new_width: 100",
        {"new_height": 75, "new_width": 100, "method": Method.BILINEAR},
    ),
    ("rgb_to_gray", "", {}),
    ("subtract_channel_mean", "means: [1.0, 2.0, 3.0]", {"means": [1.0, 2.0, 3.0]}),
    (
        "random_self_concat_image",
        "concat_vertical_probability: 0.5 concat_horizontal_probability: 0.25",
        {"concat_vertical_probability": 0.5, "concat_horizontal_probability": 0.25},
    ),
    ("ssd_random_crop", "", {}),
    ("ssd_random_crop", f"operations {{ {CROP} }} operations {{ {OTHER_CROP} }}", TWO_CROPS),
    ("ssd_random_crop_pad", "", {}),
    (
        "ssd_random_crop_pad",
        (
            f"operations {{ {CROP} min_padded_size_ratio: [1.0, 1.5] max_padded_size_ratio: [2.0, 3.0] "
            f"pad_color_r: 0.5 pad_color_g: 0.25 pad_color_b: 0.75 }} operations {{ {OTHER_CROP} }}"
        ),
        TWO_CROPS
        | {
            "min_padded_size_ratio": [(1.0, 1.5), (1.0, 1.0)],
            "max_padded_size_ratio": [(2.0, 3.0), (2.0, 2.0)],
            "pad_color": [(0.5, 0.25, 0.75), (0.0, 0.0, 0.0)],
        },
    ),
    (
        "ssd_random_crop_fixed_aspect_ratio",
        f"operations {{ {WITHOUT_RATIO} }} aspect_ratio: 0.875",
        {name: [value] for name, value in CROP_ARGUMENTS.items() if name != "aspect_ratio_range"}
        | {"aspect_ratio": 0.875},
    ),
    ("ssd_random_crop_fixed_aspect_ratio", "", {}),
    ("ssd_random_crop_fixed_aspect_ratio", "aspect_ratio: 0.5", {"aspect_ratio": 0.5}),
    (
        "ssd_random_crop_pad_fixed_aspect_ratio",
        (
            f"operations {{ {CROP} }} operations {{ {OTHER_CROP} }} aspect_ratio: 0.875 "
            "min_padded_size_ratio: [1, 1] max_padded_size_ratio: [2, 2]"
        ),
        TWO_CROPS
        | {
            "aspect_ratio": 0.875,
            "min_padded_size_ratio": (1.0, 1.0),
            "max_padded_size_ratio": (2.0, 2.0),
        },
    ),
    ("ssd_random_crop_pad_fixed_aspect_ratio", "", {"aspect_ratio": 1.0}),
    ("convert_class_logits_to_softmax", "temperature: 2", {"temperature": 2.0}),
    (
        "random_square_crop_by_scale",
        "scale_min: 0.25 scale_max: 2.0 num_scales: 4 max_border: 64",
        {"scale_min": 0.25, "scale_max": 2.0, "num_scales": 4, "max_border": 64},
    ),
    (
        "random_scale_crop_and_pad_to_square",
        "scale_min: 0.25 scale_max: 2.0 output_size: 512",
        {"scale_min": 0.25, "scale_max": 2.0, "output_size": 512},
    ),
    ("adjust_gamma", "gamma: 2.25 gain: 1.5", {"gamma": 2.25, "gain": 1.5}),
    ("adjust_gamma", "", {"gamma": 1.0, "gain": 1.0}),
]


def _build(text):
    return preprocessor_builder.build(text_format.Parse(text, preprocessor_pb2.PreprocessingStep()))


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [pytest.param(*step, id=f"{step[0]}-{bool(step[1])}") for step in STEPS],
)
def test_function_and_arguments(name, text, expected):
    function, arguments = _build(f"{name} {{ {text} }}")
    assert function is getattr(preprocessor, name)
    assert set(arguments) == set(expected)
    for key, value in expected.items():
        if value is None or isinstance(value, str):
            assert arguments[key] == value
            continue
        tf.nest.assert_same_structure(arguments[key], value, check_types=True)
        assert tf.nest.flatten(arguments[key]) == pytest.approx(tf.nest.flatten(value)), key


def test_each_step_of_the_schema_is_tested_here():
    fields = preprocessor_pb2.PreprocessingStep.DESCRIPTOR.fields_by_name
    # A mosaic is no step of one sample: tests/unit/inputs/test_mosaic.py.
    assert {name for name, *_ in STEPS} == set(fields) - {"mosaic"}


@pytest.mark.parametrize(
    "name", ["random_pad_image", "random_absolute_pad_image", "random_crop_pad_image"]
)
def test_colour_of_the_margin(name, run):
    _, arguments = _build(f"{name} {{ pad_color: [1, 2.5, 3] }}")
    color = run(arguments["pad_color"])
    assert color.dtype == np.float32
    assert color.tolist() == [1, 2.5, 3]


def test_a_step_is_built_in_one_graph_and_used_in_another():
    function, arguments = _build("random_pad_image { pad_color: [1, 2.5, 3] }")
    with tf.Graph().as_default(), tf.Session() as session:
        image, _ = function(tf.zeros([4, 4, 3]), tf.zeros([0, 4]), **arguments | {
            "min_image_size": (5, 5), "max_image_size": (5, 5)
        })  # fmt: skip
        values = session.run(image)
    assert {tuple(pixel) for pixel in values.reshape(-1, 3)} == {(0, 0, 0), (1, 2.5, 3)}


def test_tables():
    methods = preprocessor_builder.RESIZE_METHOD_MAP
    message = preprocessor_pb2.ResizeImage
    assert methods == {
        message.AREA: Method.AREA,
        message.BICUBIC: Method.BICUBIC,
        message.BILINEAR: Method.BILINEAR,
        message.NEAREST_NEIGHBOR: Method.NEAREST_NEIGHBOR,
    }
    for name, function in preprocessor_builder.PREPROCESSING_FUNCTION_MAP.items():
        assert function is getattr(preprocessor, name)


def test_users_replace_a_function(monkeypatch):
    def mine(image, max_delta):
        return image + max_delta

    monkeypatch.setitem(
        preprocessor_builder.PREPROCESSING_FUNCTION_MAP, "random_adjust_brightness", mine
    )
    assert _build("random_adjust_brightness { max_delta: 0.5 }") == (mine, {"max_delta": 0.5})


@pytest.mark.parametrize(
    ("text", "words"),
    [
        pytest.param("", "No data_augmentation_options", id="nothing is set"),
        pytest.param("mosaic { pool_size: 8 }", "several samples.*pool_size: 8", id="mosaic"),
        pytest.param("random_pad_image { min_image_height: 4 }", "or neither", id="half a size"),
        pytest.param(
            "random_crop_pad_image { min_padded_size_ratio: 1 }",
            "height and width",
            id="half a ratio",
        ),
        pytest.param(
            "ssd_random_crop_pad_fixed_aspect_ratio { max_padded_size_ratio: [1, 2, 3] }",
            "height and width",
            id="three ratios",
        ),
    ],
)
def test_what_is_refused(text, words):
    with pytest.raises(ConfigError, match=words):
        _build(text)
