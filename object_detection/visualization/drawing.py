"""Draws boxes, labels and keypoints on pictures, with Pillow.

Axes:   N boxes, K keypoints, H x W pixels.
Frames: boxes are [ymin, xmin, ymax, xmax] and keypoints (y, x), normalised to the picture unless
        `use_normalized_coordinates` is False. NaN keypoints are not drawn.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from object_detection.errors import ShapeError
from object_detection.visualization import blending, colors

Array = np.ndarray[Any, Any]
CategoryIndex = dict[int, dict[str, Any]]


def on_array(image: Array, draw: Callable[[Image.Image], None]) -> None:
    """Changes an array as `draw` changes a colour picture.

    Args:
        image: [H, W, 3], values up to 255; or grey, [H, W, 1] or [H, W]; or [H, W, 4], whose last
            channel stays. Changed in place.
        draw: takes the picture.

    Raises:
        ShapeError: another shape.
    """
    channels = image.shape[2] if image.ndim == 3 else 1
    if image.ndim not in (2, 3) or channels not in (1, 3, 4):
        raise ShapeError(
            f"image should be [height, width, channels], with 1, 3 or 4 channels, got "
            f"{list(image.shape)}."
        )
    flat = image if image.ndim == 2 else image[..., 0] if channels == 1 else image[..., :3]
    canvas = Image.fromarray(np.ascontiguousarray(flat).astype(np.uint8)).convert("RGB")
    draw(canvas)
    drawn = canvas.convert("L") if channels == 1 else canvas
    flat[...] = np.asarray(drawn)


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
    """Draws a box with lines of text above it; below it, where there is no room above.

    Args:
        image: changed in place.
        ymin: top edge.
        xmin: left edge.
        ymax: bottom edge.
        xmax: right edge.
        color: name or `#rrggbb`; also the ground of the text.
        thickness: of the lines, in pixels; 0 for text alone.
        display_str_list: lines of text, the last one nearest to the box.
        use_normalized_coordinates: whether edges are shares of the picture, not pixels.
    """
    scale = _scale(image, use_normalized_coordinates)
    (top, left), (bottom, right) = scale * (ymin, xmin), scale * (ymax, xmax)
    if not np.isfinite([top, left, bottom, right]).all():
        return
    left, right = sorted((float(left), float(right)))
    top, bottom = sorted((float(top), float(bottom)))
    if thickness > 0:
        # The edge is the middle of its line.
        before = thickness // 2
        after = thickness - 1 - before
        ImageDraw.Draw(image).rectangle(
            (left - before, top - before, right + after, bottom + after),
            outline=color,
            width=int(thickness),
        )
    if display_str_list:
        _write(image, (left, top, bottom), display_str_list, color)


def _write(
    image: Image.Image,
    box: tuple[float, float, float],
    lines: Sequence[str],
    color: str,
) -> None:
    """Writes lines at the (left, top, bottom) of a box, on a ground of its colour."""
    left, top, bottom = box
    draw, font = ImageDraw.Draw(image), ImageFont.load_default()
    extents = [font.getbbox(text) for text in lines]
    heights = [int(extent[3]) + 4 for extent in extents]
    total = sum(heights)
    # A box from edge to edge leaves room only inside.
    fits_below = bottom + total <= image.size[1]
    baseline = top if top >= total else (bottom if fits_below else top) + total
    for text, extent, height in reversed(list(zip(lines, extents, heights, strict=True))):
        draw.rectangle((left, baseline - height, left + extent[2] + 4, baseline), fill=color)
        draw.text(
            (left + 2, baseline - height + 1), text, fill=colors.readable_on(color), font=font
        )
        baseline -= height


def draw_bounding_box_on_image_array(
    image: Array,
    ymin: float,
    xmin: float,
    ymax: float,
    xmax: float,
    color: str = "red",
    thickness: int = 4,
    display_str_list: Sequence[str] = (),
    use_normalized_coordinates: bool = True,
) -> None:
    """As `draw_bounding_box_on_image`, on an array.

    Args:
        image: [H, W, 3], changed in place.
        ymin: top edge.
        xmin: left edge.
        ymax: bottom edge.
        xmax: right edge.
        color: name or `#rrggbb`.
        thickness: of the lines, in pixels.
        display_str_list: lines of text, the last one nearest to the box.
        use_normalized_coordinates: whether edges are shares of the picture, not pixels.
    """
    on_array(
        image,
        lambda canvas: draw_bounding_box_on_image(
            canvas,
            ymin,
            xmin,
            ymax,
            xmax,
            color,
            thickness,
            display_str_list,
            use_normalized_coordinates,
        ),
    )


def draw_bounding_boxes_on_image(
    image: Image.Image,
    boxes: Array,
    color: str = "red",
    thickness: int = 4,
    display_str_list_list: Sequence[Sequence[str]] = (),
) -> None:
    """Draws boxes of one colour.

    Args:
        image: changed in place.
        boxes: [N, 4], normalised.
        color: name or `#rrggbb`.
        thickness: of the lines, in pixels.
        display_str_list_list: lines of text of each box, or nothing.

    Raises:
        ShapeError: boxes are not [N, 4], or their number is not that of the texts.
    """
    boxes = np.asarray(boxes)
    if boxes.ndim != 2 or boxes.shape[1] != 4:
        raise ShapeError(f"boxes should be [N, 4], got {list(boxes.shape)}.")
    if display_str_list_list and len(display_str_list_list) != len(boxes):
        raise ShapeError(
            f"display_str_list_list has {len(display_str_list_list)} entries for {len(boxes)} "
            "boxes; give one a box, or none."
        )
    texts = display_str_list_list or [()] * len(boxes)
    for (ymin, xmin, ymax, xmax), lines in zip(boxes.tolist(), texts, strict=True):
        draw_bounding_box_on_image(image, ymin, xmin, ymax, xmax, color, thickness, lines)


def draw_bounding_boxes_on_image_array(
    image: Array,
    boxes: Array,
    color: str = "red",
    thickness: int = 4,
    display_str_list_list: Sequence[Sequence[str]] = (),
) -> None:
    """As `draw_bounding_boxes_on_image`, on an array.

    Args:
        image: [H, W, 3], changed in place.
        boxes: [N, 4], normalised.
        color: name or `#rrggbb`.
        thickness: of the lines, in pixels.
        display_str_list_list: lines of text of each box, or nothing.
    """
    on_array(
        image,
        lambda canvas: draw_bounding_boxes_on_image(
            canvas, boxes, color, thickness, display_str_list_list
        ),
    )


def draw_keypoints_on_image(
    image: Image.Image,
    keypoints: Array,
    keypoint_scores: Array | None = None,
    min_score_thresh: float = 0.5,
    color: str | Sequence[str] | None = "red",
    radius: float = 2,
    use_normalized_coordinates: bool = True,
    keypoint_edges: Iterable[tuple[int, int]] | None = None,
    keypoint_edge_color: str = "green",
    keypoint_edge_width: int = 2,
) -> None:
    """Draws the keypoints of one object as discs, and the lines between them.

    Args:
        image: changed in place.
        keypoints: [K, 2].
        keypoint_scores: [K]; only points above `min_score_thresh` are drawn.
        min_score_thresh: see `keypoint_scores`.
        color: of all discs, or one for each keypoint; None gives each its own.
        radius: of a disc, in pixels.
        use_normalized_coordinates: whether coordinates are shares of the picture.
        keypoint_edges: pairs of numbers of keypoints to join, where both are drawn.
        keypoint_edge_color: of the lines.
        keypoint_edge_width: in pixels.
    """
    points = np.asarray(keypoints, np.float64).reshape(-1, 2)
    points = points * _scale(image, use_normalized_coordinates)
    shown: Array = np.isfinite(points.sum(axis=-1))
    if keypoint_scores is not None:
        shown &= np.asarray(keypoint_scores).reshape(-1) > min_score_thresh
    fills = (
        colors.KEYPOINT_COLORS if color is None else [color] if isinstance(color, str) else color
    )
    draw = ImageDraw.Draw(image)
    for start, end in keypoint_edges or ():
        if min(start, end) >= 0 and max(start, end) < len(points) and shown[start] and shown[end]:
            draw.line(
                (*points[start, ::-1], *points[end, ::-1]),
                fill=keypoint_edge_color,
                width=int(keypoint_edge_width),
            )
    for number, (y, x) in enumerate(points):
        if shown[number]:
            fill = fills[number % len(fills)]
            draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=fill)


def draw_keypoints_on_image_array(
    image: Array,
    keypoints: Array,
    keypoint_scores: Array | None = None,
    min_score_thresh: float = 0.5,
    color: str | Sequence[str] | None = "red",
    radius: float = 2,
    use_normalized_coordinates: bool = True,
    keypoint_edges: Iterable[tuple[int, int]] | None = None,
    keypoint_edge_color: str = "green",
    keypoint_edge_width: int = 2,
) -> None:
    """As `draw_keypoints_on_image`, on an array.

    Args:
        image: [H, W, 3], changed in place.
        keypoints: [K, 2].
        keypoint_scores: [K]; only points above `min_score_thresh` are drawn.
        min_score_thresh: see `keypoint_scores`.
        color: of all discs, or one for each keypoint; None gives each its own.
        radius: of a disc, in pixels.
        use_normalized_coordinates: whether coordinates are shares of the picture.
        keypoint_edges: pairs of numbers of keypoints to join.
        keypoint_edge_color: of the lines.
        keypoint_edge_width: in pixels.
    """
    on_array(
        image,
        lambda canvas: draw_keypoints_on_image(
            canvas,
            keypoints,
            keypoint_scores,
            min_score_thresh,
            color,
            radius,
            use_normalized_coordinates,
            keypoint_edges,
            keypoint_edge_color,
            keypoint_edge_width,
        ),
    )


def label(
    class_id: int,
    score: float,
    category_index: CategoryIndex,
    track_id: int | None = None,
    skip_scores: bool = False,
    skip_labels: bool = False,
) -> str:
    """What is written at a detection: `face: 87%: ID 3`, or parts of it; "N/A" without a name.

    Args:
        class_id: of the label map.
        score: in [0, 1].
        category_index: id -> category.
        track_id: None for none.
        skip_scores: leave the score out.
        skip_labels: leave the name out.
    """
    parts = []
    if not skip_labels:
        parts.append(str(category_index[class_id]["name"]) if class_id in category_index else "N/A")
    if not skip_scores:
        parts.append(f"{round(100 * score)}%")
    if track_id is not None:
        parts.append(f"ID {track_id}")
    return ": ".join(parts)


def visualize_boxes_and_labels_on_image_array(
    image: Array,
    boxes: Array,
    classes: Array,
    scores: Array | None,
    category_index: CategoryIndex,
    instance_masks: Array | None = None,
    instance_boundaries: Array | None = None,
    keypoints: Array | None = None,
    keypoint_scores: Array | None = None,
    keypoint_edges: Iterable[tuple[int, int]] | None = None,
    track_ids: Array | None = None,
    use_normalized_coordinates: bool = False,
    max_boxes_to_draw: int | None = 20,
    min_score_thresh: float = 0.5,
    agnostic_mode: bool = False,
    line_thickness: int = 4,
    mask_alpha: float = 0.4,
    groundtruth_box_visualization_color: str = "black",
    skip_boxes: bool = False,
    skip_scores: bool = False,
    skip_labels: bool = False,
    skip_track_ids: bool = False,
    *,
    keypoint_color: str | Sequence[str] | None = "box",
    keypoint_radius: float | None = None,
) -> Array:
    """Draws detections or groundtruth of a picture.

    Boxes with the same corners are one object with several labels.

    Args:
        image: [H, W, 3] uint8, changed in place.
        boxes: [N, 4].
        classes: [N], ids of the label map.
        scores: [N]; None for groundtruth, of which all is drawn in one colour, without labels.
        category_index: id -> category.
        instance_masks: [N, H, W] uint8 of 0 and 1, or None.
        instance_boundaries: [N, H, W] uint8 of 0 and 1, drawn in red, or None.
        keypoints: [N, K, 2] or None.
        keypoint_scores: [N, K] or None.
        keypoint_edges: pairs of numbers of keypoints to join.
        track_ids: [N]; boxes have the colours of their tracks. Or None.
        use_normalized_coordinates: whether coordinates are shares of the picture.
        max_boxes_to_draw: at most so many, in the order given; None for all.
        min_score_thresh: only detections above it are drawn, and only their keypoints above it.
        agnostic_mode: all classes look alike and are not named.
        line_thickness: in pixels; discs of keypoints follow it.
        mask_alpha: how much masks cover, from 0 to 1.
        groundtruth_box_visualization_color: of groundtruth.
        skip_boxes: draw no boxes.
        skip_scores: write no scores.
        skip_labels: write no names.
        skip_track_ids: write no ids of tracks.
        keypoint_color: "box" for the colour of the box; another colour; or one for each keypoint.
            None gives each its own.
        keypoint_radius: of the discs, in pixels; if None, half the thickness of lines, at least 1.

    Returns:
        `image`.
    """
    boxes = np.asarray(boxes)
    chosen = np.arange(len(boxes))
    if scores is not None:
        chosen = chosen[np.asarray(scores)[: len(boxes)] > min_score_thresh]
    objects: dict[tuple[float, ...], list[int]] = {}
    for row in chosen.tolist():
        box = tuple(boxes[row].tolist())
        if box in objects or max_boxes_to_draw is None or len(objects) < max_boxes_to_draw:
            objects.setdefault(box, []).append(row)
    # The first are the best: they are drawn last, on top.
    drawn = [(box, rows, rows[-1]) for box, rows in reversed(objects.items())]
    if scores is None:
        box_colors = [groundtruth_box_visualization_color] * len(drawn)
    else:
        box_colors = [_color_of(row, classes, track_ids, agnostic_mode) for _, _, row in drawn]
    for color, (_, _, row) in zip(box_colors, drawn, strict=True):
        if instance_masks is not None:
            blending.draw_mask_on_image_array(image, instance_masks[row], color, mask_alpha)
        if instance_boundaries is not None:
            blending.draw_mask_on_image_array(image, instance_boundaries[row], "red", 1.0)

    def words(rows: list[int]) -> list[str]:
        if scores is None:
            return []
        lines = [
            label(
                int(classes[row]),
                float(scores[row]),
                category_index,
                None if track_ids is None or skip_track_ids else int(track_ids[row]),
                skip_scores,
                skip_labels or agnostic_mode,
            )
            for row in rows
        ]
        return [line for line in lines if line]

    def draw(canvas: Image.Image) -> None:
        for color, (box, rows, _) in zip(box_colors, drawn, strict=True):
            ymin, xmin, ymax, xmax = box
            draw_bounding_box_on_image(
                canvas,
                ymin,
                xmin,
                ymax,
                xmax,
                color=color,
                thickness=0 if skip_boxes else line_thickness,
                display_str_list=words(rows),
                use_normalized_coordinates=use_normalized_coordinates,
            )
            if keypoints is None:
                continue
            for one in rows:
                draw_keypoints_on_image(
                    canvas,
                    keypoints[one],
                    None if keypoint_scores is None else keypoint_scores[one],
                    min_score_thresh=min_score_thresh,
                    color=color if keypoint_color == "box" else keypoint_color,
                    radius=max(line_thickness / 2, 1)
                    if keypoint_radius is None
                    else keypoint_radius,
                    use_normalized_coordinates=use_normalized_coordinates,
                    keypoint_edges=keypoint_edges,
                    keypoint_edge_color=color,
                    keypoint_edge_width=max(line_thickness // 2, 1),
                )

    if drawn:
        on_array(image, draw)
    return image


def _color_of(row: int, classes: Array, track_ids: Array | None, agnostic_mode: bool) -> str:
    if agnostic_mode:
        return colors.AGNOSTIC_COLOR
    if track_ids is not None:
        return colors.of_track(int(track_ids[row]))
    return colors.of_class(int(classes[row]))


def enlarged_to_read(image: Array, shortest: int = 480) -> Array:
    """The picture, its pixels repeated until its longer side is at least `shortest`.

    Text and discs have a least size, and would cover a very small picture.
    """
    times = -(-shortest // max(image.shape[:2]))
    return image.repeat(times, axis=0).repeat(times, axis=1)


def line_thickness_for(image: Array) -> int:
    """Pixels that look alike on small and large pictures."""
    return max(round(max(image.shape[:2]) / 320), 1)
