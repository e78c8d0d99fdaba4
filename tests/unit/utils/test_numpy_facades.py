"""What users import from `utils` is what `metrics` computes with."""

import importlib

import pytest


@pytest.mark.parametrize(
    ("facade", "module"),
    [
        ("np_box_list", "np_box_lists"),
        ("np_box_mask_list", "np_box_lists"),
        ("np_box_list_ops", "np_box_list_ops"),
        ("np_box_mask_list_ops", "np_box_mask_list_ops"),
        ("np_box_ops", "np_boxes"),
        ("np_mask_ops", "np_masks"),
        ("per_image_evaluation", "per_image_evaluation"),
    ],
)
def test_same_objects(facade, module):
    users = importlib.import_module(f"object_detection.utils.{facade}")
    ours = importlib.import_module(f"object_detection.metrics.{module}")
    names = [name for name in users.__all__ if name != "np_box_list_ops"]
    assert names
    for name in names:
        assert getattr(users, name) is getattr(ours, name)


def test_evaluators():
    from object_detection.metrics import detection_evaluator
    from object_detection.utils import object_detection_evaluation

    assert object_detection_evaluation.DetectionEvaluator is detection_evaluator.DetectionEvaluator
    for name in object_detection_evaluation.__all__:
        assert name.startswith(getattr(object_detection_evaluation, name).__name__)
