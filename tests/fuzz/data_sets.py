"""Known data sets through their converters: COCO's JSON, PASCAL's XML, KITTI's text."""

import json
import math
import pathlib
import random

import engine
import mutation
import numpy as np
from PIL import Image

from object_detection.utils import startup

startup.prepare_tensorflow()

import tensorflow.compat.v1 as tf
from absl import logging

from object_detection.dataset_tools import (
    conversion,
    create_coco_tf_record,
    create_kitti_tf_record,
    create_pascal_tf_record,
)

_COCO = {
    "images": [
        {"id": 1, "file_name": "a.jpg", "height": 30, "width": 40},
        {"id": 2, "file_name": "b.png", "height": 30, "width": 40},
    ],
    "categories": [{"id": 1, "name": "person"}, {"id": 3, "name": "car"}],
    "annotations": [
        {
            "id": 7, "image_id": 1, "category_id": 1, "bbox": [1, 2, 20, 15.5], "area": 99.5,
            "iscrowd": 0, "segmentation": [[1, 2, 20, 2, 20, 15, 1, 15.5]], "num_keypoints": 1,
            "keypoints": [5, 6, 2, *[0] * 48],
        },
        {
            "id": 8, "image_id": 2, "category_id": 3, "bbox": [0, 0, 40, 30], "area": 1200,
            "iscrowd": 1, "segmentation": {"size": [30, 40], "counts": [100, 1000, 100]},
            "num_keypoints": 0, "keypoints": [0] * 51,
        },
    ],
}  # fmt: skip
_VOC = b"""<annotation><folder>VOC</folder><filename>a.jpg</filename>
<size><width>40</width><height>30</height><depth>3</depth></size>
<object><name>car</name><pose>Left</pose><truncated>0</truncated><difficult>1</difficult>
<bndbox><xmin>1</xmin><ymin>2</ymin><xmax>20</xmax><ymax>25</ymax></bndbox></object>
</annotation>
"""
_KITTI = b"""Car 0.25 1 -1.5 10 20 30 28 1.5 1.6 4.2 2.5 1.7 30.5 -1.6
Pedestrian 0.0 0 0.2 5 1 7 14 1.8 0.5 0.9 -3 1.5 8 0.3
DontCare -1 -1 -10 35 1 39 14 -1 -1 -1 -1000 -1000 -1000 -10
"""
_WORDS = (
    b'<!DOCTYPE a [<!ENTITY x "y">]>', b"&x;", b"<object>", b"</object>", b"<!--", b"]]>", b"<a/>",
    b"\\ud800", b"null", b"true", b"[]", b"{}", b'"', b"1e400", b"../a.jpg", b"/etc/passwd", b"car", b"dontcare",
)  # fmt: skip


class DataSets:
    """Annotations of pictures; what is written of them is finite."""

    name = "data_sets"
    _mutators = (
        *mutation.OF_BYTES,
        *mutation.OF_TEXT,
        *(mutation.set_number, mutation.set_word(_WORDS)) * 3,
    )

    def __init__(self, folder: pathlib.Path) -> None:
        logging.set_verbosity(logging.ERROR)
        self._folder = folder
        pixels = np.random.default_rng(0).integers(0, 255, (30, 40, 3), np.uint8)
        (folder / "VOC" / "JPEGImages").mkdir(parents=True)
        for path in ("a.jpg", "b.png", "VOC/JPEGImages/a.jpg"):
            Image.fromarray(pixels).save(folder / path)
        self._checks = {
            "c": (json.dumps(_COCO, indent=1).encode(), self._coco),
            "v": (_VOC, self._voc),
            "k": (_KITTI, self._kitti),
        }

    @property
    def place(self) -> str:
        # Messages name the file, or the picture, or the annotation by its number.
        return ""

    def corpus(self) -> list[bytes]:
        return [kind.encode() + good for kind, (good, _) in self._checks.items()]

    def damage(self, rng: random.Random) -> bytes:
        kind = rng.choice(sorted(self._checks))
        return kind.encode() + mutation.damaged([self._checks[kind][0]], self._mutators, rng)

    def check(self, data: bytes) -> str:
        path = self._folder / "annotation"
        path.write_bytes(data[1:])
        return self._checks[data[:1].decode()][1](str(path))

    def _coco(self, path: str) -> str:
        output = self._folder / "out.record"
        said = create_coco_tf_record._create_tf_record_from_coco_annotations(
            path, str(self._folder), str(output), True, 1, path
        )
        written = self._folder / "out.record-00000-of-00001"
        for record in tf.io.tf_record_iterator(str(written)):
            _check_finite(tf.train.Example.FromString(record))
        return engine.ACCEPTED if "pictures left out" not in said else "left out: some pictures"

    def _voc(self, path: str) -> str:
        _check_finite(
            create_pascal_tf_record.dict_to_tf_example(
                conversion.read_xml_annotation(path), str(self._folder), {"car": 1}
            )
        )
        return engine.ACCEPTED

    def _kitti(self, path: str) -> str:
        found = create_kitti_tf_record.filter_annotations(
            create_kitti_tf_record.read_annotation_file(path), ["car", "dontcare"]
        )
        _check_finite(
            create_kitti_tf_record.prepare_example(str(self._folder / "b.png"), found, {"car": 1})
        )
        return engine.ACCEPTED

    def finish(self) -> list[str]:
        return []


def _check_finite(example: tf.train.Example) -> None:
    for name, feature in example.features.feature.items():
        if not all(map(math.isfinite, feature.float_list.value)):
            raise engine.Broken(f"{name} is written with {list(feature.float_list.value)}")
