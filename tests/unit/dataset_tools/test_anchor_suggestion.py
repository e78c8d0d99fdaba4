import numpy as np
import pytest
from google.protobuf import text_format

from object_detection.dataset_tools import anchor_suggestion
from object_detection.errors import DataError
from object_detection.protos import anchor_generator_pb2


def test_clusters_by_hand():
    values = np.array([1.0, 2.0, 3.0, 10.0, 11.0, 12.0, 100.0])
    np.testing.assert_allclose(anchor_suggestion.cluster(values, 3), [2, 11, 100])
    np.testing.assert_allclose(anchor_suggestion.cluster(values, 1), [values.mean()])


def test_equal_values_are_one_cluster():
    np.testing.assert_allclose(anchor_suggestion.cluster(np.full(5, 7.0), 2), [7, 7])


def test_two_sizes_of_objects():
    # 20 x 10 and 80 x 80 pixels (height x width) in an input of 200 x 400.
    sizes = [[20, 10]] * 30 + [[80, 80]] * 10 + [[2, 2]] * 99
    found = anchor_suggestion.suggest(np.array(sizes), (200, 400), num_layers=2)
    assert found.scales == pytest.approx([np.sqrt(200) / 200, 0.4], abs=1e-3)
    assert found.aspect_ratios == (0.5, 1.0)
    message = text_format.Parse(found.as_config(), anchor_generator_pb2.AnchorGenerator())
    assert list(message.ssd_anchor_generator.scales) == pytest.approx([0.071, 0.4])


def test_too_few_objects():
    with pytest.raises(DataError, match="1 objects are at least 4 pixels"):
        anchor_suggestion.suggest(np.array([[9, 9], [3, 9]]), (100, 100), num_layers=6)
