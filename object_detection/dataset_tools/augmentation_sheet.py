"""Sheets of pictures with their labels, before and after augmentation: what the eye should check.

`python -m object_detection.dataset_tools.augmentation_sheet --output sheet.png` draws every step
of the preprocessor on faces made for it; `scripts/inspect_dataset.py` draws the chain of a config on
its own pictures. Each keypoint has its own colour, so that left and right that changed places, or
failed to, are seen.
"""

import pathlib
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from PIL import Image, ImageDraw, ImageOps

from object_detection.dataset_tools import drawn_faces
from object_detection.keypoints import schema as keypoint_schema
from object_detection.keypoints.schema import KeypointSchema
from object_detection.utils import files, flag_checks, startup

Array = np.ndarray[Any, Any]

SIDE, RADIUS = 320, 3  # of a picture and of a keypoint in a sheet, in pixels
_NUM_CLASSES = 2
_MIRROR = "keypoint_flip_permutation: [1, 0, 2, 4, 3]"
_CROP = (
    "min_object_covered: 0.5 min_aspect_ratio: 0.5 max_aspect_ratio: 2 min_area: 0.2 max_area: 0.6 "
    "overlap_thresh: 0.3"
)

# Each step with settings under which it does something that can be seen.
EXAMPLES = {
    "random_horizontal_flip": f"{_MIRROR} probability: 1",
    "random_vertical_flip": f"{_MIRROR} probability: 1",
    "random_rotation90": "probability: 1",
    "random_rotation": "min_angle: 25 max_angle: 35",
    "random_image_scale": "min_scale_ratio: 0.4 max_scale_ratio: 0.6",
    "random_crop_image": "min_object_covered: 0.5 max_area: 0.6",
    "random_crop_to_aspect_ratio": "aspect_ratio: 0.6",
    "random_pad_image": "",
    "random_absolute_pad_image": "max_height_padding: 120 max_width_padding: 120",
    "random_crop_pad_image": "min_object_covered: 0.5",
    "ssd_random_crop": f"operations {{ {_CROP} }}",
    "ssd_random_crop_fixed_aspect_ratio": "",
    "ssd_random_crop_pad": f"operations {{ {_CROP} }}",
    "ssd_random_crop_pad_fixed_aspect_ratio": "",
    "random_square_crop": "",
    "random_square_crop_by_scale": "max_border: 60",
    "random_scale_crop_and_pad_to_square": "output_size: 250",
    "random_self_concat_image": "concat_vertical_probability: 1 concat_horizontal_probability: 1",
    "mosaic": "probability: 1",
    "random_resize_method": "target_height: 150 target_width: 300",
    "resize_image": "new_height: 300 new_width: 150",
    "random_downscale_to_target_pixels": "min_target_pixels: 6000 max_target_pixels: 9000",
    "random_jitter_boxes": "ratio: 0.2",
    "autoaugment_image": 'policy_name: "v1"',
    "random_black_patches": "probability: 1 size_to_image_ratio: 0.15",
    "random_patch_gaussian": "min_patch_size: 80 min_gaussian_stddev: 0.5",
    "normalize_image": "original_minval: 0 original_maxval: 255 target_minval: 255 target_maxval: 0",
    "random_pixel_value_scale": "minval: 0.5 maxval: 1.5",
    "random_rgb_to_gray": "probability: 1",
    "rgb_to_gray": "",
    "random_adjust_brightness": "max_delta: 0.4",
    "random_adjust_contrast": "min_delta: 0.3 max_delta: 0.5",
    "random_adjust_hue": "max_delta: 0.4",
    "random_adjust_saturation": "min_delta: 0.1 max_delta: 0.3",
    "random_distort_color": "",
    "random_jpeg_quality": "max_jpeg_quality: 5",
    "subtract_channel_mean": "means: [60, 30, 0]",
    "adjust_gamma": "gamma: 2",
    "scale_boxes_to_pixel_coordinates": "",
    "convert_class_logits_to_softmax": "",
    "drop_label_probabilistically": "label: 1 drop_probability: 0.5",
    "remap_labels": "original_labels: 1 new_label: 2",
}


class View(NamedTuple):
    """A picture with its labels."""

    image: Array  # [H, W, 3] uint8
    boxes: Array  # [M, 4] in pixels of `image`
    classes: Array  # [M] label map ids
    keypoints: Array | None  # [M, K, 2] in pixels of `image`


class Cell(NamedTuple):
    """A step of the preprocessor, and what it does to a picture."""

    title: str
    raw: View
    augmented: View


def fitted(view: View, side: int) -> View:
    """The view, scaled so that the picture's longer side has `side` pixels."""
    height, width = view.image.shape[:2]
    factor = side / max(height, width)
    size = max(round(height * factor), 1), max(round(width * factor), 1)
    image = np.asarray(Image.fromarray(view.image).resize(size[::-1], Image.Resampling.BILINEAR))
    scale = np.array(size) / (height, width)
    return View(
        image.copy(),
        view.boxes * np.tile(scale, 2),
        view.classes,
        None if view.keypoints is None else view.keypoints * scale,
    )


def drawn(view: View, schema: KeypointSchema | None, radius: float | None = None) -> Array:
    """The picture, large enough to read, with its boxes, and its keypoints in their colours.

    Args:
        view: what to draw.
        schema: colours and lines of the keypoints.
        radius: of their discs in pixels of the result; by default as thick as the lines of boxes.
    """
    from object_detection.visualization import drawing

    size = np.array(view.image.shape[:2], np.float64)
    canvas = drawing.enlarged_to_read(view.image) if radius is None else view.image.copy()
    thickness = drawing.line_thickness_for(canvas)
    # Lines between the points would hide their colours where discs have a size of their own.
    edges = schema.edges if schema is not None and radius is None else None
    return drawing.visualize_boxes_and_labels_on_image_array(
        canvas,
        view.boxes / np.tile(size, 2),
        view.classes,
        None,
        {},
        keypoints=None if view.keypoints is None else view.keypoints / size,
        use_normalized_coordinates=True,
        max_boxes_to_draw=None,
        line_thickness=thickness,
        groundtruth_box_visualization_color="Gold",
        keypoint_edges=edges,
        keypoint_color=None if schema is None else schema.colors,
        keypoint_radius=thickness if radius is None else radius,
    )


def grid(
    rows: Sequence[tuple[str, Sequence[Array]]], columns: int = 3, side: int = SIDE
) -> Image.Image:
    """Groups of pictures, each group with a title, in columns.

    Args:
        rows: a title, and its pictures [H, W, 3] uint8.
        columns: groups beside each other.
        side: of the square that a picture is fitted into, in pixels.
    """
    most = max((len(pictures) for _, pictures in rows), default=1)
    gap, title_height = 6, 18
    width, height = most * (side + gap) + gap, side + title_height + gap
    lines = -(-len(rows) // columns)
    sheet = Image.new("RGB", (columns * width, max(lines, 1) * height), (40, 40, 40))
    draw = ImageDraw.Draw(sheet)
    for number, (title, pictures) in enumerate(rows):
        x, y = number % columns * width, number // columns * height
        draw.text((x + gap, y + 3), title, fill=(255, 255, 255))
        for place, picture in enumerate(pictures):
            shown = ImageOps.contain(Image.fromarray(picture), (side, side))
            sheet.paste(shown, (x + gap + place * (side + gap), y + title_height))
    return sheet


def legend(schema: KeypointSchema) -> Image.Image:
    """A line with the names of the keypoints in their colours."""
    image = Image.new("RGB", (120 * schema.size, 20), (40, 40, 40))
    draw = ImageDraw.Draw(image)
    for number, (name, color) in enumerate(zip(schema.names, schema.colors, strict=True)):
        draw.ellipse((120 * number + 4, 4, 120 * number + 14, 14), fill=color)
        draw.text((120 * number + 20, 4), name, fill=(255, 255, 255))
    return image


def below(pictures: Sequence[Image.Image]) -> Image.Image:
    """Pictures one below the other."""
    width = max(picture.width for picture in pictures)
    result = Image.new("RGB", (width, sum(picture.height for picture in pictures)), (40, 40, 40))
    y = 0
    for picture in pictures:
        result.paste(picture, (0, y))
        y += picture.height
    return result


def write_png(image: Image.Image, path: str | pathlib.Path) -> None:
    """Saves a picture; it appears whole or not at all."""
    with files.appearing_whole(str(path)) as temporary:
        image.save(temporary, "PNG")


def drawn_sample(seed: int) -> dict[str, Any]:
    """Arrays of a sample, keyed by `InputDataFields`: a picture with at least two faces.

    Points that the label calls hidden are keypoints, too; only missing ones are NaN.
    """
    from object_detection.core import standard_fields as fields

    Inputs = fields.InputDataFields
    rng = np.random.default_rng(seed)
    faces: list[drawn_faces.Face] = []
    while len(faces) < 2:
        image, faces = drawn_faces.draw_picture(
            rng, drawn_faces.Settings(faceless_share=0.0, unlabelled_share=0.0)
        )
    size = np.array([image.height, image.width], np.float32)
    boxes = np.array([(y, x, y + h, x + w) for x, y, w, h in (face.box for face in faces)])
    points = np.array([face.points[:, ::-1] for face in faces], np.float32)
    points[np.array([face.states for face in faces]) < 0] = np.nan
    # Hidden may also mean beyond the picture's edge: there is nothing to see of it.
    points[((points < 0) | (points > size)).any(-1)] = np.nan
    return {
        Inputs.image: np.asarray(image, np.float32),
        Inputs.groundtruth_boxes: (boxes / np.tile(size, 2)).astype(np.float32),
        Inputs.groundtruth_classes: np.ones([len(faces)], np.int64),
        Inputs.groundtruth_weights: np.ones([len(faces)], np.float32),
        Inputs.groundtruth_keypoints: points / size,
        Inputs.groundtruth_keypoint_visibilities: ~np.isnan(points).any(-1),
    }


def _view(sample: dict[str, Any], in_pixels: bool = False) -> View:
    """The picture of a sample as it can be shown: three channels, values cut to [0, 255]."""
    from object_detection.core import standard_fields as fields

    Inputs = fields.InputDataFields
    image = np.clip(np.round(sample[Inputs.image]), 0, 255).astype(np.uint8)
    if image.shape[-1] == 1:
        image = image.repeat(3, axis=-1)
    size = np.ones([2]) if in_pixels else np.array(image.shape[:2])
    return View(
        image,
        sample[Inputs.groundtruth_boxes] * np.tile(size, 2),
        sample[Inputs.groundtruth_classes],
        sample[Inputs.groundtruth_keypoints] * size,
    )


def every_step(samples: Sequence[dict[str, Any]], seed: int = 0) -> list[Cell]:
    """What each step of the preprocessor does to a sample.

    Args:
        samples: arrays keyed by `InputDataFields`, the pictures [H, W, 3] float32, of at least
            four pictures with 5 keypoints; the steps take them in turn.
        seed: of the random choices.
    """
    import tensorflow.compat.v1 as tf
    from google.protobuf import text_format

    from object_detection import inputs
    from object_detection.builders import preprocessor_builder
    from object_detection.core import randomness
    from object_detection.core import standard_fields as fields
    from object_detection.inputs import mosaic
    from object_detection.protos import preprocessor_pb2

    Inputs = fields.InputDataFields
    changed = {}
    with tf.Graph().as_default():
        tensors = [{key: tf.constant(value) for key, value in sample.items()} for sample in samples]
        for number, (name, settings) in enumerate(EXAMPLES.items()):
            sample = dict(tensors[number % len(samples)])
            if name == "convert_class_logits_to_softmax":
                count = tf.shape(sample[Inputs.groundtruth_boxes])[0]
                sample[Inputs.multiclass_scores] = tf.zeros([count, _NUM_CLASSES])
            with randomness.keyed(randomness.key(seed, number)):
                if name == "mosaic":
                    parts = [tensors[(number + one) % len(samples)] for one in range(4)]
                    changed[name] = mosaic.Mosaic((300, 300)).join(
                        parts,
                        randomness.uniform([2], 0.3, 0.7),
                        randomness.uniform([4], 0.4, 1.0),
                        randomness.uniform([4, 2]),
                    )
                    continue
                message = text_format.Parse(
                    f"{name} {{ {settings} }}", preprocessor_pb2.PreprocessingStep()
                )
                changed[name] = inputs.augment_input_data(
                    sample, [preprocessor_builder.build(message)]
                )
        with tf.Session() as session:
            results = session.run(changed)
    return [
        Cell(
            name,
            _view(samples[number % len(samples)]),
            _view(results[name], in_pixels=name == "scale_boxes_to_pixel_coordinates"),
        )
        for number, name in enumerate(EXAMPLES)
    ]


def run(arguments: Sequence[str]) -> str:
    """Draws the sheet of every step as the command line says; returns what to tell the user.

    Raises:
        ConfigError: a flag makes no sense.
    """
    parser = flag_checks.Parser(
        prog="augmentation_sheet",
        description="Draws what every step of the preprocessor does to drawn faces: raw, augmented.",
    )
    parser.add_argument("--output", required=True, help="PNG file to write")
    parser.add_argument("--seed", type=int, default=0, help="of the pictures and the choices")
    options = parser.parse_args(arguments)
    flag_checks.output_file("output", options.output)
    flag_checks.number("seed", options.seed, 0, flag_checks.MOST_SEED)
    startup.prepare_tensorflow()
    face = keypoint_schema.load("face5")
    cells = every_step([drawn_sample(options.seed + number) for number in range(6)], options.seed)
    rows = [
        (
            cell.title,
            [drawn(fitted(view, SIDE), face, RADIUS) for view in (cell.raw, cell.augmented)],
        )
        for cell in cells
    ]
    write_png(below([legend(face), grid(rows)]), options.output)
    return f"{len(rows)} steps: {options.output}"


if __name__ == "__main__":
    import sys

    startup.run_program("augmentation_sheet", lambda: run(sys.argv[1:]))
