"""Oxford-IIIT Pets -> TFRecord: faces, or whole animals with masks.

    python object_detection/dataset_tools/create_pet_tf_record.py --data_dir=pets \
        --output_dir=records --label_map_path=pet_label_map.pbtxt

The folder holds images/ and annotations/ (xmls/, trimaps/, trainval.txt). Seven tenths of the
pictures, by lot, train, the others validate.
"""

import os
import sys

if __name__ == "__main__":
    # Run as a file, this folder would shadow top-level modules; the repository is what is meant.
    sys.path[0] = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

import io
import random
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import PIL.Image
from absl import flags

from object_detection.errors import ConfigError, DataError, PictureError
from object_detection.utils import flag_checks, startup

Mask = np.ndarray[Any, Any]

# Other converters have flags of the same names; each program uses its own.
flags.DEFINE_string("data_dir", "", "Folder of the data set.", allow_override=True)
flags.DEFINE_string("output_dir", "", "Folder of the records.", allow_override=True)
flags.DEFINE_string("label_map_path", "data/pet_label_map.pbtxt", "Label map.", allow_override=True)
flags.DEFINE_boolean(
    "faces_only", True, "Boxes of the faces; else of the animals, with masks.", allow_override=True
)
flags.DEFINE_string(
    "mask_type", "png", "How masks are stored: png or numerical.", allow_override=True
)
flags.DEFINE_integer("num_shards", 10, "Files of each record.", allow_override=True)
FLAGS = flags.FLAGS

_MASK_TYPES = ("png", "numerical")
_MOST_SHARDS = 1000  # files that are open at once


def _check_flags() -> None:
    flag_checks.input_folder("data_dir", FLAGS.data_dir)
    flag_checks.output_folder("output_dir", FLAGS.output_dir)
    flag_checks.input_file("label_map_path", FLAGS.label_map_path)
    flag_checks.chosen("mask_type", FLAGS.mask_type, _MASK_TYPES)
    flag_checks.number("num_shards", FLAGS.num_shards, 1, _MOST_SHARDS)


if __name__ == "__main__":
    # The imports below bring TensorFlow, which mistakes in flags should not wait for.
    startup.prepare_program("create_pet_tf_record", _check_flags)

from object_detection.dataset_tools import conversion, left_out, tf_record_creation_util
from object_detection.utils import dataset_util, label_map_util, untrusted

if TYPE_CHECKING:
    import tensorflow.compat.v1 as tf

# Values of a trimap: 1 animal, 2 background, 3 border, which counts as animal.
_BACKGROUND = 2

_TRAINING_SHARE = 0.7
_SEED = 42


def get_class_name_from_filename(file_name: str) -> str:
    """The breed: `Abyssinian` of `Abyssinian_12.jpg`.

    Raises:
        PictureError: the name is not built like that.
    """
    match = re.match(r"([A-Za-z_]+)_[0-9]+\.jpg", file_name, re.IGNORECASE)
    if not match:
        raise PictureError(
            f"{untrusted.shortened(file_name)}: a name like Abyssinian_12.jpg is wanted.",
            "bad_annotation",
        )
    return match[1]


def _read_animal(mask_path: str) -> Mask:
    """[H, W] of 0 and 1: where the animal is."""
    picture = conversion.read_picture(mask_path, "png")
    with untrusted.opened_picture(picture.encoded) as trimap:
        return (np.asarray(trimap) != _BACKGROUND).astype(np.uint8)


def _box_of(animal: Mask, height: int, width: int, where: str) -> tuple[float, float, float, float]:
    """(ymin, xmin, ymax, xmax) from the first to the last row and column of the animal."""
    rows, columns = (np.flatnonzero(animal.any(axis=axis)) for axis in (1, 0))
    if not rows.size:
        raise PictureError(
            f"{where}: the whole picture is background. Leave it out.", "bad_annotation"
        )
    return rows[0] / height, columns[0] / width, rows[-1] / height, columns[-1] / width


def _mask_feature(animal: Mask, count: int, mask_type: str) -> "tf.train.Feature":
    if mask_type == "numerical":
        return dataset_util.float_list_feature(np.tile(animal.ravel(), count).astype(float))
    stream = io.BytesIO()
    PIL.Image.fromarray(animal).save(stream, format="PNG")
    return dataset_util.bytes_list_feature([stream.getvalue()] * count)


def dict_to_tf_example(
    data: Mapping[str, Any],
    mask_path: str,
    label_map_dict: Mapping[str, int],
    image_subdirectory: str,
    ignore_difficult_instances: bool = False,
    faces_only: bool = True,
    mask_type: str = "png",
) -> "tf.train.Example":
    """One picture as a record.

    Args:
        data: the `annotation` of its XML file, as `recursive_parse_xml_to_dict` gives it.
        mask_path: PNG of the trimap.
        label_map_dict: breed -> id.
        image_subdirectory: folder of the picture.
        ignore_difficult_instances: whether difficult objects are left out.
        faces_only: whether boxes are those of the XML file (faces); else they, and masks, are those
            of the trimap (whole animals).
        mask_type: `png` or `numerical`.

    Raises:
        PictureError: a file cannot be read, is not as documented, or lies outside of its folder.
        DataError: a class is not in the label map.
        ConfigError: `mask_type` is another one.
    """
    if mask_type not in _MASK_TYPES:
        raise ConfigError(f"mask_type {mask_type!r}: choose one of {', '.join(_MASK_TYPES)}.")
    filename = conversion.text_of(data, "filename", "annotation")
    data = conversion.checked_voc(data, filename)
    path = untrusted.path_below(image_subdirectory, filename)
    picture = conversion.read_picture(path, "jpeg")
    animal = _read_animal(mask_path)
    height, width = conversion.size_of(data["size"], filename)
    objects = conversion.voc_objects(data, ignore_difficult_instances)
    names = [get_class_name_from_filename(filename)] * len(objects)
    if faces_only:
        boxes = [conversion.voc_box(one, height, width) for one in objects]
    else:
        boxes = [_box_of(animal, height, width, mask_path) for _ in objects]
    features = conversion.picture_features(picture, height, width, filename, filename)
    features |= conversion.box_features(boxes, names)
    features |= conversion.voc_features(objects)
    features["image/object/class/label"] = dataset_util.int64_list_feature(
        conversion.class_ids(names, label_map_dict, path)
    )
    if not faces_only:
        features["image/object/mask"] = _mask_feature(animal, len(objects), mask_type)
    return conversion.example(features)


def create_tf_record(
    output_filename: str,
    num_shards: int,
    label_map_dict: Mapping[str, int],
    annotations_dir: str,
    image_dir: str,
    examples: Sequence[str],
    faces_only: bool = True,
    mask_type: str = "png",
) -> int:
    """Writes a sharded record; what has no XML file or cannot be used is left out.

    Beside it goes a report, which names all that is left out.

    Args:
        output_filename: what the names of the shards begin with.
        num_shards: number of files.
        label_map_dict: breed -> id.
        annotations_dir: folder with xmls/ and trimaps/.
        image_dir: folder of the pictures.
        examples: names without their endings.
        faces_only: see `dict_to_tf_example`.
        mask_type: see `dict_to_tf_example`.

    Returns:
        The number of pictures written.

    Raises:
        DataError: all pictures are left out, or a class is not in the label map.
    """
    report = left_out.LeftOut()
    with tf_record_creation_util.records_appearing_whole(output_filename, num_shards) as writers:
        for index, name in enumerate(examples):
            try:
                xml_path = untrusted.path_below(
                    os.path.join(annotations_dir, "xmls"), f"{name}.xml"
                )
                record = dict_to_tf_example(
                    conversion.read_xml_annotation(xml_path),
                    untrusted.path_below(os.path.join(annotations_dir, "trimaps"), f"{name}.png"),
                    label_map_dict,
                    image_dir,
                    faces_only=faces_only,
                    mask_type=mask_type,
                )
            except PictureError as error:
                report.add(name, error)
                continue
            writers[index % num_shards].write(conversion.serialized(record))
            report.count_written()
        report.finish(f"{output_filename}.report.json")
    return report.written


def main(_: Sequence[str] | None) -> str:
    """Converts as the flags say; returns what to tell the user.

    Raises:
        ConfigError: a flag is absent.
        DataError: the list of pictures cannot be read; see `create_tf_record`, too.
    """
    _check_flags()
    label_map_dict = label_map_util.get_label_map_dict(FLAGS.label_map_path)
    annotations_dir = os.path.join(FLAGS.data_dir, "annotations")
    names_path = os.path.join(annotations_dir, "trainval.txt")
    if not os.path.isfile(names_path):
        raise DataError(f"{names_path}: there is no such list. Check --data_dir.")
    names = dataset_util.read_examples_list(names_path)
    # The same lot in each run, on each machine.
    random.Random(_SEED).shuffle(names)
    num_training = int(_TRAINING_SHARE * len(names))
    kind = "pet_faces" if FLAGS.faces_only else "pets_fullbody_with_masks"
    os.makedirs(FLAGS.output_dir, exist_ok=True)
    said = []
    for split, part in (("train", names[:num_training]), ("val", names[num_training:])):
        path = os.path.join(FLAGS.output_dir, f"{kind}_{split}.record")
        written = create_tf_record(
            path,
            FLAGS.num_shards,
            label_map_dict,
            annotations_dir,
            os.path.join(FLAGS.data_dir, "images"),
            part,
            FLAGS.faces_only,
            FLAGS.mask_type,
        )
        why = "" if written == len(part) else f"; {path}.report.json says why"
        said.append(f"{path}: {written} of {len(part)} pictures{why}.")
    return "\n".join(said)


if __name__ == "__main__":
    conversion.run_program(main, "create_pet_tf_record")
