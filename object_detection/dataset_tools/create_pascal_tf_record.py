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

    from object_detection.utils import startup

    # First of all: the imports below bring TensorFlow.
    startup.prepare_tensorflow()

from collections.abc import Mapping, Sequence
from typing import Any

import tensorflow.compat.v1 as tf
from absl import flags

from object_detection.dataset_tools import conversion, tf_record_creation_util
from object_detection.errors import ConfigError, DataError
from object_detection.utils import dataset_util, label_map_util

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

# Every class has a list of all pictures; this is one of them.
_ANY_CLASS = "aeroplane"


def dict_to_tf_example(
    data: Mapping[str, Any],
    dataset_directory: str,
    label_map_dict: Mapping[str, int],
    ignore_difficult_instances: bool = False,
    image_subdirectory: str = "JPEGImages",
) -> tf.train.Example:
    """One picture as a record.

    Args:
        data: the `annotation` of its XML file, as `recursive_parse_xml_to_dict` gives it.
        dataset_directory: the picture is `<this>/<folder>/<image_subdirectory>/<filename>`.
        label_map_dict: name -> id.
        ignore_difficult_instances: whether difficult objects are left out.
        image_subdirectory: see `dataset_directory`.

    Raises:
        DataError: the picture cannot be read or is no JPEG, or a class is not in the label map.
    """
    filename = data["filename"]
    path = os.path.join(dataset_directory, data["folder"], image_subdirectory, filename)
    picture = conversion.read_picture(path, "jpeg")
    height, width = int(data["size"]["height"]), int(data["size"]["width"])
    objects = conversion.voc_objects(data, ignore_difficult_instances)
    names = [one["name"] for one in objects]
    features = conversion.picture_features(picture, height, width, filename, filename)
    features |= conversion.box_features(
        [conversion.voc_box(one, height, width) for one in objects], names
    )
    features |= conversion.voc_features(objects)
    features["image/object/class/label"] = dataset_util.int64_list_feature(
        conversion.class_ids(names, label_map_dict, path)
    )
    return conversion.example(features)


def _convert() -> int:
    """Writes the record that the flags ask for; returns the number of pictures."""
    years = ["VOC2007", "VOC2012"] if FLAGS.year == "merged" else [FLAGS.year]
    label_map_dict = label_map_util.get_label_map_dict(FLAGS.label_map_path)
    os.makedirs(os.path.dirname(os.path.abspath(FLAGS.output_path)), exist_ok=True)
    written = 0
    with tf_record_creation_util.records_appearing_whole(FLAGS.output_path) as (writer,):
        for year in years:
            folder = os.path.join(FLAGS.data_dir, year)
            names = os.path.join(folder, "ImageSets", "Main", f"{_ANY_CLASS}_{FLAGS.set}.txt")
            if not tf.io.gfile.exists(names):
                raise DataError(f"{names}: there is no such list. Check --data_dir and --set.")
            for name in dataset_util.read_examples_list(names):
                path = os.path.join(folder, FLAGS.annotations_dir, f"{name}.xml")
                record = dict_to_tf_example(
                    conversion.read_xml_annotation(path),
                    FLAGS.data_dir,
                    label_map_dict,
                    FLAGS.ignore_difficult_instances,
                )
                writer.write(conversion.serialized(record))
                written += 1
    return written


def main(_: Sequence[str] | None) -> str:
    """Converts as the flags say; returns what to tell the user.

    Raises:
        ConfigError: a flag is absent or not one of its values.
        DataError: see `dict_to_tf_example`.
    """
    for name, value, allowed in (("set", FLAGS.set, SETS), ("year", FLAGS.year, YEARS)):
        if value not in allowed:
            raise ConfigError(f"--{name}={value}: choose one of {', '.join(allowed)}.")
    conversion.require_flags(FLAGS, ["data_dir", "output_path"])
    return f"{FLAGS.output_path}: {_convert()} pictures."


if __name__ == "__main__":
    conversion.run_program(main, "create_pascal_tf_record")
