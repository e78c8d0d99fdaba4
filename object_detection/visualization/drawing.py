"""Draws boxes, labels and keypoints on pictures, with Pillow.

Axes:   N boxes, K keypoints.
Frames: boxes are [ymin, xmin, ymax, xmax] and keypoints (y, x), normalised to the picture unless
        `use_normalized_coordinates` is False. NaN keypoints are not drawn.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from PIL import Image, ImageColor, ImageDraw, ImageFont

from object_detection.errors import ShapeError
from object_detection.utils import files

Array = np.ndarray[Any, Any]
CategoryIndex = dict[int, dict[str, Any]]

# Colours of classes: far apart in hue, readable on light and dark.
CLASS_COLORS = (
    "LimeGreen",
    "DodgerBlue",
    "Gold",
    "OrangeRed",
    "MediumOrchid",
    "Turquoise",
    "HotPink",
    "YellowGreen",
    "SandyBrown",
    "SlateBlue",
)
# Colours of keypoints, so that left and right can be told apart at a glance.
KEYPOINT_COLORS = ("Cyan", "Magenta", "Yellow", "DeepSkyBlue", "HotPink", "Lime", "Orange", "Red")


def _check_image(image: Array) -> None:
    if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8:
        raise ShapeError(
            f"image should be [height, width, 3] uint8, got {list(image.shape)} {image.dtype}."
        )


def _scale(image: Image.Image, use_normalized_coordinates: bool) -> Array:
    width, height = image.size
    return np.array([height, width], np.float64) if use_normalized_coordinates else np.ones(2)


def draw_bounding_box_on_image(
    image: Image.Image,
    ymin: float,
    xmin: float,
    ymax: float,
    xmax: float,
    color: str = "red",
    thickness: int = 4,
    display_str_list: Sequence[str] = (),
    use_normalized_coordinates: bool = True,
) -> None:
    """Draws a box with lines of text above it, or inside where there is no room above.

    Args:
        image: changed in place.
        ymin: top edge.
        xmin: left edge.
        ymax: bottom edge.
        xmax: right edge.
        color: name or `#rrggbb`.
        thickness: of the lines, in pixels.
        display_str_list: lines of text, the last one nearest to the box.
        use_normalized_coordinates: whether edges are shares of the picture, not pixels.
    """
    scale = _scale(image, use_normalized_coordinates)
    (top, left), (bottom, right) = scale * (ymin, xmin), scale * (ymax, xmax)
    if not np.isfinite([top, left, bottom, right]).all():
        return
    left, right = sorted((float(left), float(right)))
    top, bottom = sorted((float(top), float(bottom)))
    draw = ImageDraw.Draw(image)
    if thickness > 0:
        draw.rectangle((left, top, right, bottom), outline=color, width=thickness)
    if not display_str_list:
        return
    font = ImageFont.load_default()
    boxes = [font.getbbox(text) for text in display_str_list]
    heights = [int(box[3]) + 4 for box in boxes]
    baseline = top if top >= sum(heights) else top + sum(heights)
    for text, box, height in reversed(list(zip(display_str_list, boxes, heights, strict=True))):
        draw.rectangle((left, baseline - height, left + box[2] + 4, baseline), fill=color)
        draw.text((left + 2, baseline - height + 1), text, fill=_readable_on(color), font=font)
        baseline -= height


def _readable_on(color: str) -> str:
    """Black or white, whichever stands out (luma of ITU-R BT.601)."""
    red, green, blue = ImageColor.getrgb(color)[:3]
    return "black" if 0.299 * red + 0.587 * green + 0.114 * blue > 110 else "white"


def draw_keypoints_on_image(
    image: Image.Image,
    keypoints: Array,
    keypoint_scores: Array | None = None,
    min_score_thresh: float = 0.5,
    color: str | None = "red",
    radius: int = 2,
    use_normalized_coordinates: bool = True,
    keypoint_edges: Sequence[tuple[int, int]] | None = None,
    keypoint_edge_color: str = "green",
    keypoint_edge_width: int = 2,
) -> None:
    """Draws the keypoints of one object as discs, and the lines between them.

    Args:
        image: changed in place.
        keypoints: [K, 2].
        keypoint_scores: [K]; points below `min_score_thresh` are left out.
        min_score_thresh: see `keypoint_scores`.
        color: of all discs; None gives each keypoint its own.
        radius: of a disc, in pixels.
        use_normalized_coordinates: whether coordinates are shares of the picture.
        keypoint_edges: pairs of numbers of keypoints to join.
        keypoint_edge_color: of the lines.
        keypoint_edge_width: in pixels.
    """
    points = np.asarray(keypoints, np.float64) * _scale(image, use_normalized_coordinates)
    shown: Array = np.isfinite(points.sum(axis=-1))
    if keypoint_scores is not None:
        shown &= np.asarray(keypoint_scores) > min_score_thresh
    draw = ImageDraw.Draw(image)
    for start, end in keypoint_edges or ():
        if max(start, end) < len(points) and shown[start] and shown[end]:
            draw.line(
                (*points[start, ::-1], *points[end, ::-1]),
                fill=keypoint_edge_color,
                width=keypoint_edge_width,
            )
    for number, (y, x) in enumerate(points):
        if shown[number]:
            fill = color or KEYPOINT_COLORS[number % len(KEYPOINT_COLORS)]
            draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=fill)


def visualize_boxes_and_labels_on_image_array(
    image: Array,
    boxes: Array,
    classes: Array,
    scores: Array | None,
    category_index: CategoryIndex,
    *,
    keypoints: Array | None = None,
    keypoint_edges: Sequence[tuple[int, int]] | None = None,
    use_normalized_coordinates: bool = False,
    max_boxes_to_draw: int | None = 20,
    min_score_thresh: float = 0.5,
    agnostic_mode: bool = False,
    line_thickness: int = 4,
    groundtruth_box_visualization_color: str = "black",
    skip_boxes: bool = False,
    skip_scores: bool = False,
    skip_labels: bool = False,
) -> Array:
    """Draws detections or groundtruth of a picture.

    Args:
        image: [H, W, 3] uint8, changed in place.
        boxes: [N, 4].
        classes: [N], ids of the label map.
        scores: [N]; None for groundtruth, of which all is drawn in one colour, without labels.
        category_index: id -> category.
        keypoints: [N, K, 2] or None.
        keypoint_edges: pairs of numbers of keypoints to join.
        use_normalized_coordinates: whether coordinates are shares of the picture.
        max_boxes_to_draw: at most so many, best first; None for all.
        min_score_thresh: detections below are left out.
        agnostic_mode: all classes look alike and are not named.
        line_thickness: in pixels; discs of keypoints follow it.
        groundtruth_box_visualization_color: of groundtruth.
        skip_boxes: draw no boxes.
        skip_scores: write no scores.
        skip_labels: write no names.

    Returns:
        `image`.

    Raises:
        ShapeError: `image` is not a colour picture.
    """
    _check_image(image)
    canvas = Image.fromarray(image)
    order = np.arange(len(boxes)) if scores is None else np.argsort(-np.asarray(scores))
    if scores is not None:
        order = order[np.asarray(scores)[order] >= min_score_thresh]
    # The best are drawn last, on top.
    for row in order[:max_boxes_to_draw][::-1]:
        color, words = groundtruth_box_visualization_color, []
        if scores is not None:
            category = int(classes[row])
            color = CLASS_COLORS[0 if agnostic_mode else (category - 1) % len(CLASS_COLORS)]
            if not skip_labels and not agnostic_mode:
                words.append(str(category_index.get(category, {}).get("name", category)))
            if not skip_scores:
                words.append(f"{float(scores[row]):.0%}")
        if not skip_boxes:
            ymin, xmin, ymax, xmax = (float(edge) for edge in boxes[row])
            draw_bounding_box_on_image(
                canvas,
                ymin,
                xmin,
                ymax,
                xmax,
                color=color,
                thickness=line_thickness,
                display_str_list=[" ".join(words)] if words else (),
                use_normalized_coordinates=use_normalized_coordinates,
            )
        if keypoints is not None:
            draw_keypoints_on_image(
                canvas,
                keypoints[row],
                color=None,
                radius=max(line_thickness, 1),
                use_normalized_coordinates=use_normalized_coordinates,
                keypoint_edges=keypoint_edges,
                keypoint_edge_width=max(line_thickness // 2, 1),
            )
    np.copyto(image, np.asarray(canvas))
    return image


def enlarged_to_read(image: Array, shortest: int = 480) -> Array:
    """The picture, its pixels repeated until its longer side is at least `shortest`.

    Text and discs have a least size, and would cover a very small picture.
    """
    times = -(-shortest // max(image.shape[:2]))
    return image.repeat(times, axis=0).repeat(times, axis=1)


def line_thickness_for(image: Array) -> int:
    """Pixels that look alike on small and large pictures."""
    return max(round(max(image.shape[:2]) / 320), 1)


def save_image(image: Array, path: str) -> None:
    """Writes a picture [H, W, 3] uint8; the name's end says the format. It appears whole or not."""
    _check_image(image)
    with files.appearing_whole(path) as temporary:
        Image.fromarray(image).save(temporary, quality=90)
