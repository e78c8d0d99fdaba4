"""COCO (detection, masks, person keypoints, DensePose) -> TFRecord.

    python object_detection/dataset_tools/create_coco_tf_record.py \
        --train_image_dir=train2017 --train_annotations_file=instances_train2017.json \
        --train_keypoint_annotations_file=person_keypoints_train2017.json --output_dir=records

Writes coco_train.record-00000-of-00100 and so on; likewise coco_val.record and coco_testdev.record.
"""

import os
import sys

if __name__ == "__main__":
    # Run as a file, this folder would shadow top-level modules; the repository is what is meant.
    sys.path[0] = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

import collections
import io
import warnings
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import PIL.Image
import tqdm
from absl import flags
from pycocotools import mask as coco_mask

from object_detection.errors import ConfigError, DataError, PictureError
from object_detection.utils import flag_checks, startup

Annotation = dict[str, Any]

# Other converters have flags of the same names; each program uses its own.
flags.DEFINE_boolean(
    "include_masks", False, "Also write instance masks, as PNG.", allow_override=True
)
for _split in ("train", "val", "test"):
    flags.DEFINE_string(
        f"{_split}_image_dir", "", f"Folder of the {_split} pictures.", allow_override=True
    )
for _split in ("train", "val", "testdev"):
    flags.DEFINE_string(
        f"{_split}_annotations_file", "", f"JSON of the {_split} objects.", allow_override=True
    )
for _split in ("train", "val"):
    flags.DEFINE_string(
        f"{_split}_keypoint_annotations_file",
        "",
        f"JSON of the {_split} person keypoints.",
        allow_override=True,
    )
    flags.DEFINE_string(
        f"{_split}_densepose_annotations_file",
        "",
        f"JSON of the {_split} DensePose points.",
        allow_override=True,
    )
flags.DEFINE_string("output_dir", "/tmp/", "Folder of the records.", allow_override=True)
flags.DEFINE_boolean(
    "remove_non_person_annotations",
    False,
    "Leave out every object that is not a person.",
    allow_override=True,
)
flags.DEFINE_boolean(
    "remove_non_person_images", False, "Leave out pictures without a person.", allow_override=True
)
FLAGS = flags.FLAGS

# Split -> flags of its pictures and its objects, and the number of its shards.
_SPLITS = {
    "train": ("train_image_dir", "train_annotations_file", 100),
    "val": ("val_image_dir", "val_annotations_file", 50),
    "testdev": ("test_image_dir", "testdev_annotations_file", 50),
}


def _further_files(split: str) -> list[str]:
    """Flags of a split that may be empty."""
    kinds = () if split == "testdev" else ("keypoint", "densepose")
    return [f"{split}_{kind}_annotations_file" for kind in kinds]


def _splits_wanted() -> list[str]:
    return [split for split, (folder, _, _) in _SPLITS.items() if getattr(FLAGS, folder)]


def _check_flags() -> None:
    for split, (folder, file, _) in _SPLITS.items():
        if bool(getattr(FLAGS, folder)) != bool(getattr(FLAGS, file)):
            raise ConfigError(f"--{folder} and --{file} belong together; give both.")
        further = [name for name in _further_files(split) if getattr(FLAGS, name)]
        if further and not getattr(FLAGS, folder):
            raise ConfigError(f"--{further[0]} has no effect without --{folder} and --{file}.")
        if getattr(FLAGS, folder):
            flag_checks.input_folder(folder, getattr(FLAGS, folder))
            for name in (file, *further):
                flag_checks.input_file(name, getattr(FLAGS, name))
    if not _splits_wanted():
        raise ConfigError("--train_image_dir and --train_annotations_file: required, or val, test.")
    flag_checks.output_folder("output_dir", FLAGS.output_dir)


if __name__ == "__main__":
    # The imports below bring TensorFlow, which mistakes in flags should not wait for.
    startup.prepare_program("create_coco_tf_record", _check_flags)

from object_detection.dataset_tools import (
    coco_checks,
    conversion,
    left_out,
    tf_record_creation_util,
)
from object_detection.utils import dataset_util, label_map_util, untrusted

if TYPE_CHECKING:
    import tensorflow.compat.v1 as tf

# In the order of the data set (COCO keypoints 2017; `categories[0].keypoints` of its JSON).
_COCO_KEYPOINT_NAMES = [
    b"nose",
    *(
        f"{side}_{part}".encode()
        for part in ("eye", "ear", "shoulder", "elbow", "wrist", "hip", "knee", "ankle")
        for side in ("left", "right")
    ),
]

# Part `I` of DensePose-COCO is entry `I - _DP_PART_ID_OFFSET` (Guler et al., CVPR 2018, fig. 2).
_COCO_PART_NAMES = [
    b"torso_back",
    b"torso_front",
    b"right_hand",
    b"left_hand",
    b"left_foot",
    b"right_foot",
    b"right_upper_leg_back",
    b"left_upper_leg_back",
    b"right_upper_leg_front",
    b"left_upper_leg_front",
    b"right_lower_leg_back",
    b"left_lower_leg_back",
    b"right_lower_leg_front",
    b"left_lower_leg_front",
    b"left_upper_arm_back",
    b"right_upper_arm_back",
    b"left_upper_arm_front",
    b"right_upper_arm_front",
    b"left_lower_arm_back",
    b"right_lower_arm_back",
    b"left_lower_arm_front",
    b"right_lower_arm_front",
    b"right_face",
    b"left_face",
]
_DP_PART_ID_OFFSET = 1

# Points of DensePose lie on a grid of 256 x 256 over the object's box.
_DENSE_POSE_GRID = 256.0

_PERSON = "person"


class Converted(NamedTuple):
    """A picture of COCO as a record, and what was left out."""

    key: str
    """SHA-256 of the encoded picture."""
    example: "tf.train.Example | None"
    """None if the picture is to be left out."""
    num_annotations_skipped: int
    num_keypoint_annotation_skipped: int
    num_densepose_annotation_skipped: int


def clip_to_unit(x: float) -> float:
    """The nearest number in [0, 1]."""
    return min(max(x, 0.0), 1.0)


def _name_of(annotation: Annotation, category_index: Mapping[int, Any]) -> str:
    number = int(annotation["category_id"])
    if number not in category_index:
        raise DataError(
            f"annotation {annotation.get('id')}: category_id {number} is not among the "
            "categories. Use the file's own `categories`."
        )
    return str(category_index[number]["name"])


def _is_usable(annotation: Annotation, height: int, width: int) -> bool:
    x, y, box_width, box_height = annotation["bbox"]
    has_area = box_width > 0 and box_height > 0
    return has_area and x + box_width <= width and y + box_height <= height


def _encoded_mask(annotation: Annotation, height: int, width: int) -> bytes:
    """PNG of 0 and 1; an object of several polygons is their union."""
    coco_checks.check_segmentation(annotation, height, width)
    runs = coco_mask.frPyObjects(annotation["segmentation"], height, width)
    with warnings.catch_warnings():
        # pycocotools speaks to numpy in the manner of numpy 1.
        warnings.simplefilter("ignore", DeprecationWarning)
        pixels = coco_mask.decode(runs)
    if pixels.ndim == 3:
        pixels = np.amax(pixels, axis=2)
    stream = io.BytesIO()
    PIL.Image.fromarray(pixels).save(stream, format="PNG")
    return stream.getvalue()


def _keypoint_features(
    annotations: Sequence[Annotation], labelled: Mapping[int, Annotation], height: int, width: int
) -> tuple[conversion.Features, int]:
    """The features, and how many of `labelled` were used.

    An object without keypoints gets K unlabelled ones, so that all have as many.
    """
    absent = {"keypoints": [0] * 3 * len(_COCO_KEYPOINT_NAMES), "num_keypoints": 0}
    found = [labelled.get(annotation["id"], absent) for annotation in annotations]
    for one in found:
        coco_checks.check_keypoints(one, len(_COCO_KEYPOINT_NAMES))
    triples = np.array([one["keypoints"] for one in found], float).reshape([-1, 3])
    features = {
        "image/object/keypoint/x": dataset_util.float_list_feature(triples[:, 0] / width),
        "image/object/keypoint/y": dataset_util.float_list_feature(triples[:, 1] / height),
        "image/object/keypoint/visibility": dataset_util.int64_list_feature(
            triples[:, 2].astype(int).tolist()
        ),
        "image/object/keypoint/num": dataset_util.int64_list_feature(
            [one["num_keypoints"] for one in found]
        ),
        "image/object/keypoint/text": dataset_util.bytes_list_feature(
            _COCO_KEYPOINT_NAMES * len(found)
        ),
    }
    return features, sum(one is not absent for one in found)


def _densepose_features(
    annotations: Sequence[Annotation], labelled: Mapping[int, Annotation], height: int, width: int
) -> tuple[conversion.Features, int]:
    """The features, and how many of `labelled` were used; points are normalised by the picture."""
    counts: list[int] = []
    lists: dict[str, list[float]] = {name: [] for name in "xyuv"}
    parts: list[int] = []
    used = 0
    for annotation in annotations:
        points = labelled.get(annotation["id"], {})
        if "dp_I" not in points:
            counts.append(0)
            continue
        coco_checks.check_densepose(points)
        used += 1
        counts.append(len(points["dp_I"]))
        parts += [int(part) - _DP_PART_ID_OFFSET for part in points["dp_I"]]
        left, top, box_width, box_height = annotation["bbox"]
        for name, start, extent, whole in (
            ("x", left, box_width, width),
            ("y", top, box_height, height),
        ):
            lists[name] += [
                (start + clip_to_unit(value / _DENSE_POSE_GRID) * extent) / whole
                for value in points[f"dp_{name}"]
            ]
        lists["u"] += points["dp_U"]
        lists["v"] += points["dp_V"]
    features = {
        "image/object/densepose/num": dataset_util.int64_list_feature(counts),
        "image/object/densepose/part_index": dataset_util.int64_list_feature(parts),
    }
    for name, values in lists.items():
        features[f"image/object/densepose/{name}"] = dataset_util.float_list_feature(values)
    return features, used


def create_tf_example(
    image: Mapping[str, Any],
    annotations_list: Sequence[Annotation],
    image_dir: str,
    category_index: Mapping[int, Any],
    include_masks: bool = False,
    keypoint_annotations_dict: Mapping[int, Annotation] | None = None,
    densepose_annotations_dict: Mapping[int, Annotation] | None = None,
    remove_non_person_annotations: bool = False,
    remove_non_person_images: bool = False,
) -> Converted:
    """One picture of COCO as a record.

    Objects whose box has no area or reaches beyond the right or bottom edge are left out.

    Args:
        image: entry of `images`: `file_name`, `height`, `width`, `id`.
        annotations_list: the picture's entries of `annotations`; boxes are [x, y, width, height].
        image_dir: folder of the pictures.
        category_index: id -> category.
        include_masks: whether masks are written, as PNG.
        keypoint_annotations_dict: annotation id -> annotation with `keypoints`; objects that are
            not in it get unlabelled ones. None writes no keypoints.
        densepose_annotations_dict: annotation id -> annotation with `dp_I`, `dp_x`, `dp_y`,
            `dp_U`, `dp_V`. None writes none.
        remove_non_person_annotations: whether other objects than persons are left out.
        remove_non_person_images: whether a picture without a person is left out; its `example` is
            None.

    Raises:
        PictureError: the picture cannot be read or lies outside of its folder, or an annotation is
            not as documented.
        DataError: an object is of a category that there is not.
    """
    file_name = conversion.text_of(image, "file_name", "images")
    height, width = conversion.size_of(image, file_name)
    picture = conversion.read_picture(untrusted.path_below(image_dir, file_name))
    for annotation in annotations_list:
        coco_checks.check_object(annotation, file_name)
    kept = [
        annotation
        for annotation in annotations_list
        if _is_usable(annotation, height, width)
        and (not remove_non_person_annotations or _name_of(annotation, category_index) == _PERSON)
    ]
    names = [_name_of(annotation, category_index) for annotation in kept]
    boxes = []
    for annotation in kept:
        x, y, box_width, box_height = annotation["bbox"]
        boxes.append((y / height, x / width, (y + box_height) / height, (x + box_width) / width))
    features = conversion.picture_features(picture, height, width, file_name, str(image["id"]))
    features |= conversion.box_features(boxes, names)
    features |= {
        "image/object/class/label": dataset_util.int64_list_feature(
            [int(annotation["category_id"]) for annotation in kept]
        ),
        "image/object/is_crowd": dataset_util.int64_list_feature(
            [int(annotation["iscrowd"]) for annotation in kept]
        ),
        "image/object/area": dataset_util.float_list_feature(
            [annotation["area"] for annotation in kept]
        ),
    }
    if include_masks:
        features["image/object/mask"] = dataset_util.bytes_list_feature(
            [_encoded_mask(annotation, height, width) for annotation in kept]
        )
    skipped = []
    for labelled, convert in (
        (keypoint_annotations_dict, _keypoint_features),
        (densepose_annotations_dict, _densepose_features),
    ):
        if labelled is None:
            skipped.append(0)
            continue
        more, used = convert(kept, labelled, height, width)
        features |= more
        skipped.append(len(labelled) - used)
    wanted = not remove_non_person_images or _PERSON in names
    return Converted(
        picture.sha256,
        conversion.example(features) if wanted else None,
        len(annotations_list) - len(kept),
        *skipped,
    )


def _by_picture(annotations: Sequence[Annotation]) -> dict[Any, list[Annotation]]:
    grouped = collections.defaultdict(list)
    for annotation in annotations:
        grouped[annotation["image_id"]].append(annotation)
    return grouped


def _labelled_by_picture(path: str) -> dict[Any, dict[Any, Annotation]]:
    """Picture id -> annotation id -> annotation."""
    content = coco_checks.read(path, with_pictures=False)
    return {
        picture: {annotation["id"]: annotation for annotation in annotations}
        for picture, annotations in _by_picture(content["annotations"]).items()
    }


def _create_tf_record_from_coco_annotations(
    annotations_file: str,
    image_dir: str,
    output_path: str,
    include_masks: bool,
    num_shards: int,
    keypoint_annotations_file: str = "",
    densepose_annotations_file: str = "",
    remove_non_person_annotations: bool = False,
    remove_non_person_images: bool = False,
) -> str:
    """Writes the record of a JSON file; returns what to tell the user.

    Args:
        annotations_file: JSON with `images`, `categories` and, unless it is a test set,
            `annotations`.
        image_dir: folder of the pictures.
        output_path: what the names of the shards begin with.
        include_masks: see `create_tf_example`.
        num_shards: number of files.
        keypoint_annotations_file: JSON of person keypoints, or empty.
        densepose_annotations_file: JSON of DensePose points, or empty.
        remove_non_person_annotations: see `create_tf_example`.
        remove_non_person_images: see `create_tf_example`.

    Raises:
        DataError: a file cannot be read, or is not as documented.
    """
    content = coco_checks.read(annotations_file)
    category_index = label_map_util.create_category_index(content["categories"])
    objects = _by_picture(content["annotations"])
    labelled = [
        _labelled_by_picture(path) if path else None
        for path in (keypoint_annotations_file, densepose_annotations_file)
    ]
    report, written, skipped = left_out.LeftOut(), 0, np.zeros(3, int)
    with tf_record_creation_util.records_appearing_whole(output_path, num_shards) as writers:
        for image in tqdm.tqdm(content["images"], unit=" pictures", disable=None):
            keypoints, densepose = (
                None if one is None else one.get(image["id"], {}) for one in labelled
            )
            try:
                converted = create_tf_example(
                    image,
                    objects.get(image["id"], []),
                    image_dir,
                    category_index,
                    include_masks,
                    keypoints,
                    densepose,
                    remove_non_person_annotations,
                    remove_non_person_images,
                )
            except PictureError as error:
                report.add(str(image.get("file_name")), error)
                continue
            report.count_written()
            skipped += converted[2:]
            if converted.example is not None:
                writers[written % num_shards].write(conversion.serialized(converted.example))
                written += 1
        more = report.finish(f"{output_path}.report.json")
    return (
        f"{output_path}: {written} of {len(content['images'])} pictures; left out: {skipped[0]} "
        f"objects, {skipped[1]} sets of keypoints, {skipped[2]} of DensePose points{more}."
    )


def main(_: Sequence[str] | None) -> str:
    """Writes the records that the flags ask for; returns what to tell the user.

    Raises:
        ConfigError: a flag makes no sense.
        DataError: see `create_tf_example`; what is wrong with single pictures leaves them out.
    """
    _check_flags()
    said = []
    for split in _splits_wanted():
        image_dir, annotations_file, num_shards = _SPLITS[split]
        more = {}
        if split != "testdev":
            more = {
                "keypoint_annotations_file": getattr(FLAGS, f"{split}_keypoint_annotations_file"),
                "densepose_annotations_file": getattr(FLAGS, f"{split}_densepose_annotations_file"),
                "remove_non_person_annotations": FLAGS.remove_non_person_annotations,
                "remove_non_person_images": FLAGS.remove_non_person_images,
            }
        os.makedirs(FLAGS.output_dir, exist_ok=True)
        said.append(
            _create_tf_record_from_coco_annotations(
                getattr(FLAGS, annotations_file),
                getattr(FLAGS, image_dir),
                os.path.join(FLAGS.output_dir, f"coco_{split}.record"),
                FLAGS.include_masks,
                num_shards,
                **more,
            )
        )
    return "\n".join(said)


if __name__ == "__main__":
    conversion.run_program(main, "create_coco_tf_record")
