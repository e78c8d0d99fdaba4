import numpy as np
import pytest
import tensorflow.compat.v1 as tf

from object_detection.core.data_parser import DataToNumpyParser
from object_detection.metrics import tf_example_parser


def _example(**features):
    kinds = {bytes: ("bytes_list", tf.train.BytesList), int: ("int64_list", tf.train.Int64List)}
    example = tf.train.Example()
    for name, values in features.items():
        kind, message = kinds.get(type((values or [0.0])[0]), ("float_list", tf.train.FloatList))
        example.features.feature[name.replace("__", "/")].CopyFrom(
            tf.train.Feature(**{kind: message(value=values)})
        )
    return example


def _corners(kind, boxes):
    columns = np.array(boxes, float).reshape(-1, 4).T.tolist()
    return {
        f"image__{kind}__bbox__{side}": column
        for side, column in zip(("ymin", "xmin", "ymax", "xmax"), columns, strict=True)
    }


BOX, OTHER = [0.1, 0.2, 0.5, 0.6], [0.3, 0.4, 0.7, 0.8]
RECORD = {
    "image__source_id": [b"picture.jpg"],
    **_corners("object", [BOX]),
    "image__object__class__label": [2],
    **_corners("detection", [BOX, OTHER]),
    "image__detection__label": [2, 1],
    "image__detection__score": [0.5, 0.25],
}


def test_single_features():
    example = _example(f=[0.5, 2.0], i=[3, -4], s=[b"ab", b"c"])
    cases = [
        (tf_example_parser.FloatParser, "f", np.array([0.5, 2.0])),
        (tf_example_parser.Int64Parser, "i", np.array([3, -4])),
    ]
    for parser, name, expected in cases:
        parsed = parser(name).parse(example)
        np.testing.assert_array_equal(parsed, expected)
        assert parsed.dtype == expected.dtype
        for other in {"f", "i", "s", "absent"} - {name}:
            assert parser(other).parse(example) is None
    assert tf_example_parser.StringParser("s").parse(example) == b"abc"
    assert tf_example_parser.StringParser("f").parse(example) is None
    assert tf_example_parser.StringParser("absent").parse(example) is None
    assert set(example.features.feature) == {"f", "i", "s"}


def test_empty_lists_are_empty():
    example = tf.train.Example()
    example.features.feature["f"].float_list.SetInParent()
    assert tf_example_parser.FloatParser("f").parse(example).shape == (0,)


def test_boxes():
    example = _example(x0=[1.0, 5.0], y0=[2.0, 6.0], x1=[3.0, 7.0], y1=[4.0, 8.0])
    parsed = tf_example_parser.BoundingBoxParser("x0", "y0", "x1", "y1").parse(example)
    np.testing.assert_array_equal(parsed, [[2, 1, 4, 3], [6, 5, 8, 7]])
    assert tf_example_parser.BoundingBoxParser("x0", "y0", "x1", "z").parse(example) is None


def test_truth_and_detections():
    parser = tf_example_parser.TfExampleDetectionAndGTParser()
    assert isinstance(parser, DataToNumpyParser)
    parsed = parser.parse(_example(**RECORD))
    assert parsed["key"] == b"picture.jpg"
    np.testing.assert_allclose(parsed["groundtruth_boxes"], [BOX], rtol=1e-6)
    np.testing.assert_allclose(parsed["detection_boxes"], [BOX, OTHER], rtol=1e-6)
    np.testing.assert_array_equal(parsed["groundtruth_classes"], [2])
    np.testing.assert_array_equal(parsed["detection_classes"], [2, 1])
    np.testing.assert_array_equal(parsed["detection_scores"], [0.5, 0.25])
    for key in ("groundtruth_difficult", "groundtruth_group_of", "groundtruth_image_classes"):
        assert parsed[key] is None


def test_optional_features():
    optional = {
        "image__object__difficult": [1],
        "image__object__group_of": [0],
        "image__class__label": [1, 2],
    }
    parsed = tf_example_parser.TfExampleDetectionAndGTParser().parse(_example(**RECORD, **optional))
    np.testing.assert_array_equal(parsed["groundtruth_difficult"], [1])
    np.testing.assert_array_equal(parsed["groundtruth_group_of"], [0])
    np.testing.assert_array_equal(parsed["groundtruth_image_classes"], [1, 2])


@pytest.mark.parametrize("absent", sorted(RECORD))
def test_each_needed_feature(absent):
    rest = {name: values for name, values in RECORD.items() if name != absent}
    assert tf_example_parser.TfExampleDetectionAndGTParser().parse(_example(**rest)) is None
