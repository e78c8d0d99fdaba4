"""The program behind `scripts/inspect_dataset.py`: what training will see, before it starts."""

import argparse
import base64
import html
import io
import itertools
import math
import os
import pathlib
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import tqdm
from PIL import Image

from object_detection.builders import record_scans
from object_detection.builders.record_selection import Selection
from object_detection.dataset_tools import anchor_suggestion, augmentation_sheet
from object_detection.dataset_tools.augmentation_sheet import View
from object_detection.errors import ConfigError, DataError
from object_detection.keypoints.schema import KeypointSchema
from object_detection.utils import (
    config_check,
    config_util,
    crowd_config,
    files,
    flag_checks,
    keypoint_config,
    label_map_util,
    startup,
)
from object_detection.utils.cut_boxes import CutBoxes

if TYPE_CHECKING:
    from object_detection.metrics import dataset_statistics

Array = np.ndarray[Any, Any]
Rows = list[tuple[str, ...]]
Section = tuple[str, Rows]  # a title, and a table whose first row is the heading


def parse_flags(arguments: Sequence[str]) -> argparse.Namespace:
    """The command line of `scripts/inspect_dataset.py`."""
    parser = flag_checks.Parser(
        prog="inspect_dataset.py",
        description="Counts and draws what a config's training reader gives, raw and augmented.",
    )
    parser.add_argument("--pipeline_config_path", required=True, help="pipeline config")
    parser.add_argument("--output", required=True, help="folder for the report")
    parser.add_argument("--max_pictures", type=int, default=0, help="pictures counted; 0: all")
    parser.add_argument("--num_drawn", type=int, default=12, help="pictures drawn")
    parser.add_argument(
        "--num_augmented", type=int, default=3, help="times that each of them is augmented"
    )
    parser.add_argument("--seed", type=int, default=0, help="seed of the augmentations drawn")
    return parser.parse_args(arguments)


class Geometry(NamedTuple):
    """Where anchors lie, by the config and with other settings."""

    input_size: tuple[int, int]
    feature_map_shapes: list[tuple[int, int]]
    anchors: Array  # [N, 4] in pixels of the input


def views(
    configs: dict[str, Any], seed: int | None, selection: Selection | None = None
) -> Iterator[View]:
    """Pictures of the training reader, in the order of the records: as recorded, once.

    With a seed they are augmented, without end: the n-th is made of the n-th record, and of others
    only if the config has a mosaic.

    Args:
        configs: as `config_util.get_configs_from_pipeline_file` returns them.
        seed: of the augmentations; or None.
        selection: the records that are read; None: all.

    Raises:
        DataError: a record cannot be read.
    """
    import tensorflow.compat.v1 as tf

    from object_detection import inputs
    from object_detection.builders import dataset_builder, image_resizer_builder
    from object_detection.core import standard_fields as fields
    from object_detection.inputs import batches, mosaic
    from object_detection.utils import graph_errors

    Inputs = fields.InputDataFields
    resizer = config_util.get_image_resizer_config(configs["model"])
    resize = image_resizer_builder.build(resizer)
    reader = type(configs["train_input_config"])()
    reader.CopyFrom(configs["train_input_config"])
    reader.shuffle = False
    reader.num_epochs = 1 if seed is None else 0
    options = [] if seed is None else configs["train_config"].data_augmentation_options
    joiner, steps = mosaic.build(options, configs["model"])

    def transform(sample: dict[str, Any]) -> dict[str, Any]:
        sample[Inputs.image] = tf.cast(sample[Inputs.image], tf.float32)
        sample = inputs.prune_unusable_boxes(inputs.augment_input_data(sample, steps))
        image, true_shape, *_ = resize(sample[Inputs.image])
        size = tf.cast(true_shape[:2], tf.float32)
        seen = {
            "image": tf.saturate_cast(tf.round(image), tf.uint8),
            "boxes": sample[Inputs.groundtruth_boxes] * tf.tile(size, [2]),
            "classes": sample[Inputs.groundtruth_classes],
        }
        if Inputs.groundtruth_keypoints in sample:
            seen["keypoints"] = sample[Inputs.groundtruth_keypoints] * size
        return seen

    with tf.Graph().as_default():
        if seed is not None:
            tf.set_random_seed(seed)
        num_classes = config_util.get_number_of_classes(configs["model"])
        dataset = dataset_builder.build(
            reader,
            None,
            transform,
            seed=seed,
            mosaic=joiner,
            selection=selection,
            mend=batches.cleaning(selection, num_classes),
        )
        following = dataset_builder.make_initializable_iterator(dataset).get_next()
        with tf.Session() as session:
            session.run(tf.tables_initializer())
            while True:
                try:
                    found = session.run(following)
                except tf.errors.OutOfRangeError:
                    return
                except (tf.errors.InvalidArgumentError, tf.errors.DataLossError) as error:
                    paths = reader.tf_record_input_reader.input_path
                    changes = selection.changes if selection else None
                    raise DataError(graph_errors.reason(error, paths, changes)) from error
                yield View(found["image"], found["boxes"], found["classes"], found.get("keypoints"))


def geometry(configs: dict[str, Any]) -> Geometry:
    """Input size, feature maps and anchors of the config's model.

    Raises:
        ConfigError: the input has no fixed size, so that anchors are not known beforehand.
    """
    import tensorflow.compat.v1 as tf

    from object_detection.builders import model_builder

    resizer = config_util.get_image_resizer_config(configs["model"])
    height, width = config_util.get_spatial_image_size(resizer)
    if height < 1 or width < 1:
        raise ConfigError(
            "The image resizer gives pictures of different sizes, so anchors are not known before "
            "training. Use fixed_shape_resizer, or pad_to_max_dimension."
        )
    with tf.Graph().as_default(), tf.Session() as session:
        model = model_builder.build(configs["model"], is_training=False, add_summaries=False)
        shapes = tf.constant([[height, width, 3]])
        predictions = model.predict(tf.zeros([1, height, width, 3]), shapes)
        maps = [tuple(one.shape.as_list()[1:3]) for one in predictions["feature_maps"]]
        anchors = session.run(predictions["anchors"]) * [height, width, height, width]
    return Geometry((height, width), maps, anchors)


def suggested_anchors(suggestion: anchor_suggestion.Suggestion, place: Geometry) -> Array:
    """The [N, 4] anchors in pixels that a suggestion gives on the model's feature maps."""
    import tensorflow.compat.v1 as tf

    from object_detection.anchor_generators import multiple_grid_anchor_generator

    height, width = place.input_size
    with tf.Graph().as_default(), tf.Session() as session:
        generator = multiple_grid_anchor_generator.create_ssd_anchors(
            num_layers=len(suggestion.scales),
            scales=list(suggestion.scales),
            aspect_ratios=suggestion.aspect_ratios,
            reduce_boxes_in_lowest_layer=False,
        )
        maps = generator.generate(place.feature_map_shapes, im_height=height, im_width=width)
        boxes = session.run([boxlist.get() for boxlist in maps])
    return np.asarray(np.concatenate(boxes) * [height, width, height, width])


def _suggest(
    configs: dict[str, Any], place: Geometry, sizes: Array
) -> anchor_suggestion.Suggestion | None:
    generator = configs["model"].ssd.anchor_generator
    if not generator.HasField("ssd_anchor_generator"):
        return None
    ratios = max(len(set(generator.ssd_anchor_generator.aspect_ratios)), 1)
    try:
        return anchor_suggestion.suggest(
            sizes, place.input_size, len(place.feature_map_shapes), ratios
        )
    except DataError:
        return None  # too few objects to say anything


def _matched(sizes: Array, anchors: Array, threshold: float) -> float:
    """Share of boxes of these sizes that some anchor of the same centre would match."""
    if not len(sizes):
        return math.nan

    def centered(extents: Array) -> Array:
        return np.concatenate([-extents / 2, extents / 2], axis=1)

    extents = np.unique((anchors[:, 2:] - anchors[:, :2]).round(2), axis=0)
    from object_detection.metrics import dataset_statistics

    best = dataset_statistics.best_overlaps(centered(sizes), centered(extents))
    return float((best >= threshold).mean())


def _percent(share: float) -> str:
    return "-" if math.isnan(share) else f"{100 * share:.1f} %"


def tables(
    summary: "dataset_statistics.Summary", names: dict[int, str], points: Sequence[str]
) -> list[Section]:
    """The summary as titled tables of text, the first row a heading."""
    counts: Rows = [
        ("", "number"),
        ("pictures", str(summary.pictures)),
        ("pictures without objects", str(summary.pictures_without_objects)),
        ("objects", str(summary.objects)),
        ("most objects in a picture", str(summary.most_objects)),
        ("objects cut, beyond the limit of a picture", str(summary.objects_cut)),
    ]
    counts += [
        (f"objects of class {names.get(one, one)}", str(number))
        for one, number in summary.objects_of_class.items()
    ]
    widths: Rows = [("width in the network's input", "objects", "matched by an anchor")]
    for row in summary.width_rows:
        high = "" if math.isinf(row.high) else f"{row.high:g}"
        widths.append((f"{row.low:g} - {high} px", str(row.objects), _percent(row.matched)))
    widths.append(("all", str(summary.objects), _percent(summary.matched)))
    ranks: Rows = [("percentile of widths", "pixels")]
    ranks += [(f"{rank} %", f"{width:.1f}") for rank, width in summary.width_percentiles.items()]
    ranks.append(("median of height / width", f"{summary.height_to_width:.2f}"))
    result = [("Counts", counts), ("Sizes and anchors", widths), ("Widths", ranks)]
    if points:
        shares: Rows = [("keypoint", "labelled")]
        shares += [
            (name, _percent(share))
            for name, share in zip(points, summary.keypoint_shares, strict=True)
        ]
        shares.append(("objects without any", str(summary.objects_without_keypoints)))
        result.append(("Keypoints", shares))
    return result


def as_text(sections: list[Section]) -> str:
    """Tables for the console."""
    lines = []
    for title, rows in sections:
        lines.append(title)
        first = max(len(row[0]) for row in rows)
        lines += [
            "  " + row[0].ljust(first) + "".join(cell.rjust(22) for cell in row[1:]) for row in rows
        ]
    return "\n".join(lines)


_STYLE = (
    "body{font:15px sans-serif;margin:2em;max-width:80em}table{border-collapse:collapse}"
    "td,th{padding:.2em .8em;text-align:right;border-bottom:1px solid #ccc}"
    "td:first-child,th:first-child{text-align:left}img{height:15em;margin:.2em}"
    "pre{background:#f4f4f4;padding:1em}"
)


def as_html(
    title: str,
    sections: list[Section],
    notes: Sequence[str],
    pictures: dict[str, list[Array]],
) -> str:
    """One page with everything in it."""
    body = [f"<h1>{html.escape(title)}</h1>"]
    for heading, rows in sections:
        body.append(f"<h2>{html.escape(heading)}</h2><table>")
        for number, row in enumerate(rows):
            tag = "td" if number else "th"
            cells = "".join(f"<{tag}>{html.escape(cell)}</{tag}>" for cell in row)
            body.append(f"<tr>{cells}</tr>")
        body.append("</table>")
    body += [f"<pre>{html.escape(note)}</pre>" for note in notes]
    for heading, images in pictures.items():
        body.append(f"<h2>{html.escape(heading)}</h2>")
        for image in images:
            stored = io.BytesIO()
            Image.fromarray(image).save(stored, "JPEG", quality=85)
            data = base64.b64encode(stored.getvalue()).decode()
            body.append(f'<img src="data:image/jpeg;base64,{data}">')
    content = "\n".join(body)
    return (
        f'<!doctype html><html><head><meta charset="utf-8"><title>{html.escape(title)}</title>'
        f"<style>{_STYLE}</style></head><body>{content}</body></html>\n"
    )


def _pictures(
    seen: Sequence[Sequence[View]], schema: KeypointSchema | None
) -> dict[str, list[Array]]:
    """For each picture a heading, and it as recorded and augmented."""
    return {
        f"Picture {number + 1}: as recorded, then augmented": [
            augmentation_sheet.drawn(view, schema) for view in group
        ]
        for number, group in enumerate(seen)
    }


def _sheet(seen: Sequence[Sequence[View]], schema: KeypointSchema | None) -> Image.Image:
    """The same pictures in one, with the names of the keypoints' colours."""
    rows = []
    for number, group in enumerate(seen):
        fitted = [augmentation_sheet.fitted(view, augmentation_sheet.SIDE) for view in group]
        pictures = [
            augmentation_sheet.drawn(view, schema, augmentation_sheet.RADIUS) for view in fitted
        ]
        rows.append((f"{number + 1}: as recorded, augmented", pictures))
    grid = augmentation_sheet.grid(rows, columns=1)
    return (
        grid
        if schema is None
        else augmentation_sheet.below([augmentation_sheet.legend(schema), grid])
    )


def _label_map_points(categories: dict[int, dict[str, Any]], num_keypoints: int) -> list[str]:
    """Names of the keypoints that the label map has, numbers of the others."""
    names = {
        number: name
        for category in categories.values()
        for name, number in category.get("keypoints", {}).items()
    }
    return [names.get(number, str(number)) for number in range(num_keypoints)]


def run(arguments: Sequence[str]) -> str:
    """Inspects as the command line says; returns what to tell the user.

    Raises:
        ConfigError: a flag or the config has no sense.
        DataError: the records cannot be read.
    """
    options = parse_flags(arguments)
    flag_checks.input_file("pipeline_config_path", options.pipeline_config_path)
    flag_checks.output_folder("output", options.output)
    flag_checks.number("max_pictures", options.max_pictures, 0)
    # Drawn pictures are kept until the page is written.
    flag_checks.number("num_drawn", options.num_drawn, 0, 1000)
    flag_checks.number("num_augmented", options.num_augmented, 0, 100)
    flag_checks.number("seed", options.seed, 0, flag_checks.MOST_SEED)
    configs = config_util.get_configs_from_pipeline_file(options.pipeline_config_path)
    config_check.check_pipeline(configs, options.pipeline_config_path, for_training=True)
    # Before the work: what cannot be written should not come out after it.
    os.makedirs(options.output, exist_ok=True)
    reader = configs["train_input_config"]
    num_classes = config_util.get_number_of_classes(configs["model"])
    with record_scans.RecordScans() as scans:
        scans.begin(reader, num_classes, options.output)
        # Loaded late: --help and mistakes in flags should not wait for TensorFlow.
        startup.prepare_tensorflow()
        notes: list[str] = []
        selection = scans.selection(
            reader, num_classes, options.output, notes.append, "train_input_reader"
        )
    return _inspected(configs, options, selection, notes)


def _inspected(
    configs: dict[str, Any],
    options: argparse.Namespace,
    selection: Selection | None,
    notes: list[str],
) -> str:
    """See `run`; `notes` is what has been found already."""
    from object_detection.metrics import dataset_statistics

    categories = label_map_util.create_category_index_from_labelmap(
        configs["train_input_config"].label_map_path
    )
    ssd = configs["model"].ssd
    num_keypoints = config_check.num_keypoints(ssd)
    place = geometry(configs)
    threshold = ssd.matcher.argmax_matcher.matched_threshold
    limit, field = crowd_config.training_limit(
        configs["train_config"], configs["train_input_config"]
    )
    crowds = [
        CutBoxes(limit, field),
        CutBoxes(
            *crowd_config.detection_limit(configs["model"], configs["eval_config"]),
            fate="cannot be found",
        ),
    ]
    statistics = dataset_statistics.DatasetStatistics(
        place.anchors, threshold, num_keypoints, limit
    )
    schema = keypoint_config.schema_of(configs["keypoints"]) if "keypoints" in configs else None
    seen: list[list[View]] = []
    most = options.max_pictures or None
    for view in tqdm.tqdm(
        itertools.islice(views(configs, None, selection), most),
        "counting",
        unit=" pictures",
        disable=None,
    ):
        statistics.add(view.boxes, view.classes, view.keypoints)
        for crowd in crowds:
            crowd.count([len(view.boxes)])
        if len(seen) < options.num_drawn:
            seen.append([view])
    for number in range(options.num_augmented):
        augmented = views(configs, options.seed + number, selection)
        for group, view in zip(seen, augmented, strict=False):
            group.append(view)
    summary = statistics.summary()
    names = {one: row["name"] for one, row in categories.items()}
    points = list(schema.names) if schema else _label_map_points(categories, num_keypoints)
    sections = tables(summary, names, points)
    suggestion = _suggest(configs, place, statistics.sizes)
    if suggestion:
        notes.append(
            "Share of objects whose size some anchor fits: "
            f"{_percent(_matched(statistics.sizes, place.anchors, threshold))} with the config's "
            "anchors, "
            f"{_percent(_matched(statistics.sizes, suggested_anchors(suggestion, place), threshold))}"
            f" with these, found by k-means:\n{suggestion.as_config()}"
        )
    notes += [crowd.words() for crowd in crowds if crowd.lost]
    report = os.path.join(options.output, "report.html")
    title = f"What training sees: {pathlib.Path(options.pipeline_config_path).name}"
    files.write_text(
        report,
        as_html(title, sections, notes, _pictures(seen, schema)),
    )
    sheet = os.path.join(options.output, "augmentations.png")
    augmentation_sheet.write_png(_sheet(seen, schema), sheet)
    files.write_json(
        os.path.join(options.output, "summary.json"),
        {**summary._asdict(), "width_rows": [row._asdict() for row in summary.width_rows]},
    )
    return "\n".join([as_text(sections), *notes, f"report: {report}", f"pictures: {sheet}"])
