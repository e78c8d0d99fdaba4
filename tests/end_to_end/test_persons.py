"""Persons with COCO's 17 keypoints, from their JSON to an exported graph, by the example config.

The persons are drawn: their limbs show where the keypoints are.
"""

import json
import pathlib

import numpy as np
import pycocotools.coco
import pycocotools.cocoeval
import pytest
import tensorflow.compat.v1 as tf
from PIL import Image, ImageDraw

from object_detection import exporter
from object_detection.builders import model_builder
from object_detection.dataset_tools import create_coco_tf_record
from object_detection.inference import detect_pictures
from object_detection.keypoints import schema
from object_detection.legacy import evaluator, trainer
from object_detection.utils import config_util

REPO = pathlib.Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.slow

COCO17 = schema.load("coco17")
SIDE = 128

# A person who stands upright and faces us, x and y as shares of the height, in COCO's order: the
# left ones, which have larger x, before the right ones.
STANDING = np.array(
    [
        [0.0, 0.08],
        [0.03, 0.05],
        [-0.03, 0.05],
        [0.06, 0.06],
        [-0.06, 0.06],
        [0.12, 0.2],
        [-0.12, 0.2],
        [0.2, 0.34],
        [-0.2, 0.34],
        [0.22, 0.48],
        [-0.22, 0.48],
        [0.08, 0.5],
        [-0.08, 0.5],
        [0.1, 0.73],
        [-0.1, 0.73],
        [0.1, 0.96],
        [-0.1, 0.96],
    ]
)


def _draw_person(draw, random, center, height):
    """A person as an annotation of COCO, without its ids."""
    points = (STANDING + random.uniform(-0.04, 0.04, [17, 2])) * height
    points += [center, SIDE / 2 - height / 2]
    for start, end in COCO17.edges:
        draw.line([tuple(points[start]), tuple(points[end])], fill=(250, 230, 210), width=3)
    for point, color in zip(points, COCO17.colors, strict=True):
        draw.ellipse([*(point - 2), *(point + 2)], fill=color)
    visible = np.full([17, 1], 2)
    visible[random.choice(17, 3, replace=False)] = [[0], [1], [1]]
    points = np.where(visible > 0, points, 0)
    corner = points[visible[:, 0] > 0].min(axis=0) - 3
    size = points[visible[:, 0] > 0].max(axis=0) + 3 - corner
    return {
        "bbox": [*corner, *size],
        "area": float(0.5 * size[0] * size[1]),
        "keypoints": np.hstack([points, visible]).ravel().tolist(),
        "num_keypoints": 16,
        "iscrowd": 0,
    }


def _write_pictures(folder, count):
    """Pictures of two persons, one with a crowd, one with a person without keypoints."""
    random = np.random.RandomState(5)
    images, annotations = [], []
    for number in range(count):
        shades = np.linspace(30, 150, SIDE)[:, None, None] * random.uniform(0.3, 1, 3)
        picture = Image.fromarray(np.tile(shades, [1, SIDE, 1]).astype(np.uint8))
        draw = ImageDraw.Draw(picture)
        persons = [
            _draw_person(draw, random, center + random.uniform(-6, 6), random.uniform(70, 110))
            for center in (34, 94)
        ]
        if number == 0:
            persons.append(
                {"bbox": [2, 2, 20, 12], "area": 200.0, "iscrowd": 1, "segmentation": {}}
            )
        if number == 1:
            persons.append({"bbox": [100, 4, 14, 30], "area": 300.0, "iscrowd": 0})
        for person in persons:
            none = {"keypoints": [0] * 51, "num_keypoints": 0}
            annotations.append(
                {
                    **none,
                    **person,
                    "id": len(annotations) + 1,
                    "image_id": number,
                    "category_id": 1,
                }
            )
        name = f"{number:04d}.png"
        picture.save(folder / name)
        images.append({"id": number, "file_name": name, "height": SIDE, "width": SIDE})
    content = {
        "images": images,
        "annotations": annotations,
        "categories": [{"id": 1, "name": "person", "keypoints": list(COCO17.names)}],
    }
    (folder / "persons.json").write_text(json.dumps(content))


def _config(folder, steps):
    """The example at a quarter of its width, for pictures of 128 pixels, from scratch."""
    path = REPO / "keypoint_examples" / "pipeline_coco_persons_mobilenet_v1_fpn.config"
    text = path.read_text()
    for old, new in (
        ("height: 320 width: 320", f"height: {SIDE} width: {SIDE}"),
        ("depth_multiplier: 1.0", "depth_multiplier: 0.25"),
        ("additional_layer_depth: 128", "additional_layer_depth: 256"),
        ("depth: 128\n", "depth: 64\n"),
        ("freeze_batchnorm: true", "freeze_batchnorm: false"),
        ("decay: 0.997", "decay: 0.9"),
        ("batch_size: 8", "batch_size: 4"),
        ("num_steps: 40000", f"num_steps: {steps}"),
        ("total_steps: 40000", f"total_steps: {steps}"),
        ("warmup_steps: 500", "warmup_steps: 1"),
        ("learning_rate_base: 0.0005", "learning_rate_base: 0.003"),
        ('  fine_tune_checkpoint: "data/mobilenet_v1_1.0_224.ckpt"\n', ""),
        ('  fine_tune_checkpoint_type: "classification"\n', ""),
        ('  freeze_variables: "FeatureExtractor/MobilenetV1/Conv2d_[0-5](_|/).*"\n', ""),
        ("  data_augmentation_options { random_horizontal_flip {} }\n", ""),
        ("shuffle_buffer_size: 2048", "shuffle_buffer_size: 4"),
        ("data/coco_train.record-?????-of-00100", f"{folder}/x.record-00000-of-00001"),
        ("data/coco_val.record-?????-of-00050", f"{folder}/x.record-00000-of-00001"),
        ("keypoint_examples/", f"{REPO}/keypoint_examples/"),
    ):
        assert old in text, old
        text = text.replace(old, new)
    (folder / "x.config").write_text(text)
    return config_util.get_configs_from_pipeline_file(str(folder / "x.config"))


def _trained(folder, count, steps):
    """The config and the checkpoint of a training on drawn persons."""
    _write_pictures(folder, count)
    create_coco_tf_record._create_tf_record_from_coco_annotations(
        str(folder / "persons.json"),
        str(folder),
        str(folder / "x.record"),
        False,
        1,
        str(folder / "persons.json"),
    )
    configs = _config(folder, steps)
    outcome = trainer.train_model(configs, str(folder / "train"), trainer.LoopOptions(seed=1))
    assert outcome.step == steps
    return configs, outcome.checkpoint


def _exported(folder, configs, checkpoint):
    with tf.Graph().as_default():
        exporter.export_inference_graph(
            "image_tensor",
            config_util.create_pipeline_proto_from_configs(configs),
            checkpoint,
            str(folder / "exported"),
        )
    return folder / "exported"


def _picture(folder):
    return np.array(Image.open(folder / "0000.png"))[None]


def _of_the_frozen_graph(exported, picture):
    graph_def = tf.GraphDef.FromString((exported / "frozen_inference_graph.pb").read_bytes())
    with tf.Graph().as_default() as graph, tf.Session(graph=graph) as session:
        tf.import_graph_def(graph_def, name="")
        return session.run(
            {name: f"detection_{name}:0" for name in ("boxes", "scores", "classes", "keypoints")},
            {"image_tensor:0": picture},
        )


def _of_the_checkpoint(configs, checkpoint, picture):
    with tf.Graph().as_default(), tf.Session() as session:
        model = model_builder.build(configs["model"], is_training=False)
        outputs = model.call(tf.constant(picture, tf.float32))
        tf.train.Saver(tf.global_variables()).restore(session, checkpoint)
        return session.run(outputs)


def test_three_steps_train_and_export_seventeen_keypoints(tmp_path):
    configs, checkpoint = _trained(tmp_path, count=2, steps=3)
    exported = _exported(tmp_path, configs, checkpoint)
    found = _of_the_frozen_graph(exported, _picture(tmp_path))
    assert found["keypoints"].shape == (1, 100, 17, 2)
    expected = _of_the_checkpoint(configs, checkpoint, _picture(tmp_path))
    scores, wanted = found["scores"][0], expected["detection_scores"][0]
    np.testing.assert_allclose(scores, wanted, atol=1e-4)
    np.testing.assert_array_equal(found["classes"], expected["detection_classes"] + 1)
    # After three steps many scores are equal but for rounding, and such rows may change places:
    # each is compared with the nearest of those that score the same.
    ours, theirs = (
        np.concatenate([boxes[0], points[0].reshape(100, -1)], axis=1)
        for boxes, points in (
            (found["boxes"], found["keypoints"]),
            (expected["detection_boxes"], expected["detection_keypoints"]),
        )
    )
    distance = np.abs(ours[:, np.newaxis] - theirs).max(axis=-1)
    distance[np.abs(scores[:, np.newaxis] - wanted) > 1e-4] = np.inf
    assert distance.min(axis=1).max() < 1e-4
    assert distance.min(axis=0).max() < 1e-4


def test_drawn_persons_are_learnt_by_heart_and_judged_as_coco_does(tmp_path):
    configs, checkpoint = _trained(tmp_path, count=4, steps=800)
    (result,) = evaluator.evaluate_checkpoints(
        configs, str(tmp_path / "train"), str(tmp_path / "eval"), run_once=True
    )
    assert result.metrics["OKS/AP"] >= 0.9

    # Another way to the same number: the exported graph's detections, judged on the JSON.
    exported = _exported(tmp_path, configs, checkpoint)
    pictures = [str(path) for path in sorted(tmp_path.glob("*.png"))]
    detect_pictures.run(
        ["--model", str(exported), "--output", str(tmp_path / "found"), "--min_score=0", *pictures]
    )
    written = json.loads((tmp_path / "found" / "detections.json").read_text())
    results = [
        {
            "image_id": number,
            "category_id": 1,
            "keypoints": [value for y, x in one["keypoints"] for value in (x, y, 2)],
            "score": one["score"],
        }
        for number, entry in enumerate(written["pictures"])
        for one in entry["detections"]
    ]
    truth = pycocotools.coco.COCO(str(tmp_path / "persons.json"))
    judged = pycocotools.cocoeval.COCOeval(truth, truth.loadRes(results), "keypoints")
    judged.evaluate()
    judged.accumulate()
    judged.summarize()
    # detections.json has coordinates to a hundredth of a pixel.
    assert judged.stats[0] == pytest.approx(result.metrics["OKS/AP"], abs=0.02)

    # Limbs are drawn: between the ends of each, the picture has changed.
    drawn = np.array(Image.open(tmp_path / "found" / "pictures" / "0000.jpg"), float)
    scale = drawn.shape[0] / SIDE
    best = max(written["pictures"][0]["detections"], key=lambda one: one["score"])
    plain = Image.open(tmp_path / "0000.png").resize(drawn.shape[1::-1])
    points = np.array(best["keypoints"]) * scale
    for start, end in ((5, 11), (6, 12)):
        y, x = ((points[start] + points[end]) / 2).astype(int)
        patch = np.s_[y - 2 : y + 3, x - 2 : x + 3]
        assert np.abs(drawn[patch] - np.array(plain, float)[patch]).max() > 60
