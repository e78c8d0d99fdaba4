"""KITTI object detection -> TFRecord.

    python object_detection/dataset_tools/create_kitti_tf_record.py --data_dir=kitti \
        --output_path=records/kitti --label_map_path=kitti_label_map.pbtxt

Writes <output_path>_train.tfrecord and <output_path>_val.tfrecord. Pictures lie in
<data_dir>/data_object_image_2/training/image_2, labels in <data_dir>/training/label_2.
"""

import os
import sys

if __name__ == "__main__":
    # Run as a file, this folder would shadow top-level modules; the repository is what is meant.
    sys.path[0] = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from absl import flags

from object_detection.errors import ConfigError, DataError, PictureError
from object_detection.utils import flag_checks, startup

Annotations = dict[str, np.ndarray[Any, Any]]

# Other converters have flags of the same names; each program uses its own.
flags.DEFINE_string(
    "data_dir", "", "Folder with training/ and data_object_image_2/.", allow_override=True
)
flags.DEFINE_string(
    "output_path", "", "What the names of the records begin with.", allow_override=True
)
flags.DEFINE_string(
    "classes_to_use",
    "car,pedestrian,dontcare",
    "Classes, by commas; with dontcare, what touches such a region is left out.",
    allow_override=True,
)
flags.DEFINE_string(
    "label_map_path", "data/kitti_label_map.pbtxt", "Label map.", allow_override=True
)
flags.DEFINE_integer(
    "validation_set_size", 500, "Pictures with smaller numbers validate.", allow_override=True
)
FLAGS = flags.FLAGS


def _check_flags() -> None:
    flag_checks.input_folder("data_dir", FLAGS.data_dir)
    flag_checks.output_file("output_path", FLAGS.output_path)
    if not all(FLAGS.classes_to_use.split(",")):
        raise ConfigError(
            f"--classes_to_use={FLAGS.classes_to_use!r}: names by commas are wanted, such as "
            "car,pedestrian."
        )
    flag_checks.input_file("label_map_path", FLAGS.label_map_path)
    flag_checks.number("validation_set_size", FLAGS.validation_set_size, 0)


if __name__ == "__main__":
    # The imports below bring TensorFlow, which mistakes in flags should not wait for.
    startup.prepare_program("create_kitti_tf_record", _check_flags)

from object_detection.dataset_tools import conversion, left_out, tf_record_creation_util
from object_detection.metrics import np_boxes
from object_detection.utils import dataset_util, label_map_util, untrusted

if TYPE_CHECKING:
    import tensorflow.compat.v1 as tf

_DONT_CARE = "dontcare"
_MOST_METRES = 1e9  # or pixels


def _finite(word: str) -> float:
    number = float(word)
    # Beyond that no street goes; far beyond, float32 has no such numbers. NaN compares as false.
    if not abs(number) <= _MOST_METRES:
        raise ValueError(f"{word} is no place")
    return number


# Columns of a label file, in order (readme of KITTI's object development kit).
_COLUMNS: tuple[tuple[str, Callable[[str], Any]], ...] = (
    ("type", str.lower),
    ("truncated", _finite),
    ("occluded", int),
    ("alpha", _finite),
    ("2d_bbox_left", _finite),
    ("2d_bbox_top", _finite),
    ("2d_bbox_right", _finite),
    ("2d_bbox_bottom", _finite),
    ("3d_bbox_height", _finite),
    ("3d_bbox_width", _finite),
    ("3d_bbox_length", _finite),
    ("3d_bbox_x", _finite),
    ("3d_bbox_y", _finite),
    ("3d_bbox_z", _finite),
    ("3d_bbox_rot_y", _finite),
)


def read_annotation_file(filename: str) -> Annotations:
    """The objects of a label file, column by column.

    Returns:
        Arrays of one entry an object: `type` (lower case), `truncated`, `occluded`, `alpha`,
        `2d_bbox_{left,top,right,bottom}` in pixels, `3d_bbox_{height,width,length,x,y,z,rot_y}`.

    Raises:
        PictureError: the file cannot be read, or a line has too few columns or no numbers.
    """
    rows = []
    for number, line in enumerate(conversion.read_text(filename).splitlines(), 1):
        words = line.split()
        if not words:
            continue
        try:
            # A detector's output has a 16th column, the score.
            rows.append([read(word) for (_, read), word in zip(_COLUMNS, words[:15], strict=True)])
        except ValueError as error:
            raise PictureError(
                f"{filename}, line {number}: {len(_COLUMNS)} columns are wanted, a word and "
                f"finite numbers; found {untrusted.shortened(line)!r}.",
                "bad_annotation",
            ) from error
    return {
        name: np.array([row[column] for row in rows], None if rows else float)
        for column, (name, _) in enumerate(_COLUMNS)
    }


def _boxes(annotations: Mapping[str, Any]) -> np.ndarray[Any, Any]:
    """[M, 4], in pixels."""
    sides = ("top", "left", "bottom", "right")
    return np.stack([np.asarray(annotations[f"2d_bbox_{side}"], float) for side in sides], axis=1)


def filter_annotations(
    img_all_annotations: Mapping[str, Any], used_classes: Sequence[str]
) -> Annotations:
    """The objects of some classes.

    Args:
        img_all_annotations: see `read_annotation_file`.
        used_classes: names in lower case. With `dontcare`, everything that overlaps such a region,
            and these regions themselves, are left out.
    """
    kinds = np.asarray(img_all_annotations["type"])
    kept = np.isin(kinds, list(used_classes))
    ignored = kinds == _DONT_CARE
    if _DONT_CARE in used_classes and ignored.any():
        boxes = _boxes(img_all_annotations)
        touches = np_boxes.intersection(boxes, boxes[ignored]).max(axis=1) > 0
        kept &= ~touches & ~ignored
    return {name: np.asarray(values)[kept] for name, values in img_all_annotations.items()}


def prepare_example(
    image_path: str, annotations: Mapping[str, Any], label_map_dict: Mapping[str, int]
) -> "tf.train.Example":
    """One picture and its objects as a record.

    Args:
        image_path: of a PNG; it is the record's `source_id`.
        annotations: see `read_annotation_file`.
        label_map_dict: name -> id.

    Raises:
        DataError: the picture cannot be read, or a class is not in the label map.
    """
    picture = conversion.read_picture(image_path, "png")
    names = [str(name) for name in annotations["type"]]
    scale = np.tile([picture.height, picture.width], 2)
    boxes = [tuple(box) for box in (_boxes(annotations) / scale).tolist()]
    features = conversion.picture_features(
        picture, picture.height, picture.width, image_path, image_path
    )
    features |= conversion.box_features(boxes, names)
    features |= {
        "image/object/class/label": dataset_util.int64_list_feature(
            conversion.class_ids(names, label_map_dict, image_path)
        ),
        "image/object/difficult": dataset_util.int64_list_feature([0] * len(names)),
    }
    for key, column in (
        ("truncated", "truncated"),
        ("alpha", "alpha"),
        *(
            (column.replace("3d_bbox_", "3d_bbox/"), column)
            for column, _ in _COLUMNS
            if column.startswith("3d_bbox_")
        ),
    ):
        features[f"image/object/{key}"] = dataset_util.float_list_feature(annotations[column])
    return conversion.example(features)


def convert_kitti_to_tfrecords(
    data_dir: str,
    output_path: str,
    classes_to_use: Sequence[str],
    label_map_path: str,
    validation_set_size: int,
) -> str:
    """Writes both records; returns what to tell the user.

    Args:
        data_dir: folder of the data set.
        output_path: what the names of the records begin with.
        classes_to_use: see `filter_annotations`.
        label_map_path: label map.
        validation_set_size: pictures whose numbers are below go to the validation set.

    Raises:
        DataError: there are no pictures, a name is no number, or a class is not in the label map;
            what is wrong with single pictures leaves them out.
    """
    label_map_dict = label_map_util.get_label_map_dict(label_map_path)
    image_dir = os.path.join(data_dir, "data_object_image_2", "training", "image_2")
    annotation_dir = os.path.join(data_dir, "training", "label_2")
    if not os.path.isdir(image_dir):
        raise DataError(f"{image_dir}: there is no such folder. Check --data_dir.")
    counts = {"train": 0, "val": 0}
    os.makedirs(os.path.dirname(os.path.abspath(output_path)), exist_ok=True)
    report = left_out.LeftOut()
    with (
        tf_record_creation_util.records_appearing_whole(f"{output_path}_train.tfrecord") as train,
        tf_record_creation_util.records_appearing_whole(f"{output_path}_val.tfrecord") as val,
    ):
        for name in sorted(os.listdir(image_dir)):
            stem = name.split(".")[0]
            if not stem.isdecimal():
                raise DataError(
                    f"{os.path.join(image_dir, name)}: a number is wanted as name. Move it away."
                )
            labels = os.path.join(annotation_dir, f"{int(stem):06d}.txt")
            try:
                annotations = filter_annotations(read_annotation_file(labels), classes_to_use)
                record = prepare_example(os.path.join(image_dir, name), annotations, label_map_dict)
            except PictureError as error:
                report.add(name, error)
                continue
            split, writers = ("val", val) if int(stem) < validation_set_size else ("train", train)
            writers[0].write(conversion.serialized(record))
            counts[split] += 1
            report.count_written()
        more = report.finish(f"{output_path}.report.json")
    return (
        f"{output_path}_{{train,val}}.tfrecord: {counts['train']} and {counts['val']} "
        f"pictures{more}."
    )


def main(_: Sequence[str] | None) -> str:
    """Converts as the flags say; returns what to tell the user.

    Raises:
        ConfigError: a flag makes no sense.
        DataError: see `convert_kitti_to_tfrecords`.
    """
    _check_flags()
    return convert_kitti_to_tfrecords(
        data_dir=FLAGS.data_dir,
        output_path=FLAGS.output_path,
        classes_to_use=FLAGS.classes_to_use.split(","),
        label_map_path=FLAGS.label_map_path,
        validation_set_size=FLAGS.validation_set_size,
    )


if __name__ == "__main__":
    conversion.run_program(main, "create_kitti_tf_record")
