"""PASCAL VOC -> TFRecord.

    python object_detection/dataset_tools/create_pascal_tf_record.py --data_dir=VOCdevkit \
        --year=VOC2012 --set=train --label_map_path=pascal_label_map.pbtxt \
        --output_path=pascal_train.record

Pictures and objects are those of <data_dir>/<year>/ImageSets/Main.
"""

import os
import sys

if __name__ == "__main__":
    # Run as a file, this folder would shadow top-level modules; the repository is what is meant.
    sys.path[0] = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from absl import flags

from object_detection.errors import ConfigError, DataError, PictureError
from object_detection.utils import flag_checks, startup

# Other converters have flags of the same names; each program uses its own.
flags.DEFINE_string("data_dir", "", "Folder VOCdevkit.", allow_override=True)
flags.DEFINE_string("set", "train", "train, val, trainval or test.", allow_override=True)
flags.DEFINE_string(
    "annotations_dir", "Annotations", "Folder of the XML files in a year's.", allow_override=True
)
flags.DEFINE_string("year", "VOC2007", "VOC2007, VOC2012 or merged.", allow_override=True)
flags.DEFINE_string("output_path", "", "Record to write.", allow_override=True)
flags.DEFINE_string(
    "label_map_path", "data/pascal_label_map.pbtxt", "Label map.", allow_override=True
)
flags.DEFINE_boolean(
    "ignore_difficult_instances", False, "Leave out difficult objects.", allow_override=True
)
FLAGS = flags.FLAGS

SETS = ["train", "val", "trainval", "test"]
YEARS = ["VOC2007", "VOC2012", "merged"]


def _check_flags() -> None:
    flag_checks.input_folder("data_dir", FLAGS.data_dir)
    flag_checks.chosen("set", FLAGS.set, SETS)
    flag_checks.chosen("year", FLAGS.year, YEARS)
    for year in _years():
        folder = os.path.join(FLAGS.data_dir, year, FLAGS.annotations_dir)
        if not FLAGS.annotations_dir or not os.path.isdir(folder):
            raise ConfigError(
                f"--annotations_dir={FLAGS.annotations_dir}: there is no folder {folder}."
            )
    flag_checks.output_file("output_path", FLAGS.output_path)
    flag_checks.input_file("label_map_path", FLAGS.label_map_path)


def _years() -> list[str]:
    return ["VOC2007", "VOC2012"] if FLAGS.year == "merged" else [FLAGS.year]


if __name__ == "__main__":
    # The imports below bring TensorFlow, which mistakes in flags should not wait for.
    startup.prepare_program("create_pascal_tf_record", _check_flags)

from object_detection.dataset_tools import conversion, left_out, tf_record_creation_util
from object_detection.utils import dataset_util, label_map_util, untrusted

if TYPE_CHECKING:
    import tensorflow.compat.v1 as tf

# Every class has a list of all pictures; this is one of them.
_ANY_CLASS = "aeroplane"


def dict_to_tf_example(
    data: Mapping[str, Any],
    dataset_directory: str,
    label_map_dict: Mapping[str, int],
    ignore_difficult_instances: bool = False,
    image_subdirectory: str = "JPEGImages",
) -> "tf.train.Example":
    """One picture as a record.

    Args:
        data: the `annotation` of its XML file, as `recursive_parse_xml_to_dict` gives it.
        dataset_directory: the picture is `<this>/<folder>/<image_subdirectory>/<filename>`.
        label_map_dict: name -> id.
        ignore_difficult_instances: whether difficult objects are left out.
        image_subdirectory: see `dataset_directory`.

    Raises:
        PictureError: the picture cannot be read, is no JPEG or lies outside of the folder, or the
            annotation lacks something.
        DataError: a class is not in the label map.
    """
    filename = conversion.text_of(data, "filename", "annotation")
    folder = data.get("folder") or ""
    if not isinstance(folder, str):
        raise PictureError(f"{filename}: 'folder' should be text.", "bad_annotation")
    data = conversion.checked_voc(data, filename)
    path = untrusted.path_below(
        dataset_directory, os.path.join(folder, image_subdirectory, filename)
    )
    picture = conversion.read_picture(path, "jpeg")
    height, width = conversion.size_of(data["size"], filename)
    objects = conversion.voc_objects(data, ignore_difficult_instances)
    names = [conversion.text_of(one, "name", filename) for one in objects]
    features = conversion.picture_features(picture, height, width, filename, filename)
    features |= conversion.box_features(
        [conversion.voc_box(one, height, width) for one in objects], names
    )
    features |= conversion.voc_features(objects)
    features["image/object/class/label"] = dataset_util.int64_list_feature(
        conversion.class_ids(names, label_map_dict, path)
    )
    return conversion.example(features)


def _lists() -> list[tuple[str, list[str]]]:
    """Folder of each year, and the names of its pictures."""
    lists = []
    for year in _years():
        folder = os.path.join(FLAGS.data_dir, year)
        path = os.path.join(folder, "ImageSets", "Main", f"{_ANY_CLASS}_{FLAGS.set}.txt")
        if not os.path.isfile(path):
            raise DataError(f"{path}: there is no such list. Check --data_dir and --set.")
        lists.append((folder, dataset_util.read_examples_list(path)))
    return lists


def _convert() -> str:
    """Writes the record that the flags ask for; returns what to tell the user."""
    label_map_dict = label_map_util.get_label_map_dict(FLAGS.label_map_path)
    lists = _lists()
    os.makedirs(os.path.dirname(os.path.abspath(FLAGS.output_path)), exist_ok=True)
    report = left_out.LeftOut()
    with tf_record_creation_util.records_appearing_whole(FLAGS.output_path) as (writer,):
        for folder, names in lists:
            for name in names:
                try:
                    path = untrusted.path_below(
                        os.path.join(folder, FLAGS.annotations_dir), f"{name}.xml"
                    )
                    record = dict_to_tf_example(
                        conversion.read_xml_annotation(path),
                        FLAGS.data_dir,
                        label_map_dict,
                        FLAGS.ignore_difficult_instances,
                    )
                except PictureError as error:
                    report.add(name, error)
                    continue
                writer.write(conversion.serialized(record))
                report.count_written()
        more = report.finish(f"{FLAGS.output_path}.report.json")
    return f"{FLAGS.output_path}: {report.written} pictures{more}."


def main(_: Sequence[str] | None) -> str:
    """Converts as the flags say; returns what to tell the user.

    Raises:
        ConfigError: a flag is absent or not one of its values.
        DataError: see `dict_to_tf_example`; what is wrong with single pictures leaves them out.
    """
    _check_flags()
    return _convert()


if __name__ == "__main__":
    conversion.run_program(main, "create_pascal_tf_record")
