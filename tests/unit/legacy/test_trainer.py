"""Training on samples of a function, through queues, with a model of two fully connected layers."""

import os

import numpy as np
import pytest
import tensorflow.compat.v1 as tf
import tf_slim as slim
from google.protobuf import text_format

from object_detection.builders import graph_rewriter_builder
from object_detection.core import preprocessor
from object_detection.core import standard_fields as fields
from object_detection.core.model import DetectionModel
from object_detection.errors import ConfigError, DataError
from object_detection.legacy import trainer
from object_detection.protos import graph_rewriter_pb2, train_pb2

F = fields.InputDataFields
Boxes = fields.BoxListFields
NUM_CLASSES = 2

pytestmark = pytest.mark.filterwarnings("ignore:Seed .* from outer graph")


def _sample(**more):
    return {
        F.image: tf.random.uniform([8, 6, 3], maxval=255),
        F.groundtruth_classes: tf.constant([2, 1]),
        F.groundtruth_boxes: tf.constant([[0, 0, 0.5, 0.5], [0.25, 0.25, 1, 1]]),
        F.multiclass_scores: tf.constant([[0.5, 0.25], [0.75, 0]]),
        **more,
    }


class FakeModel(DetectionModel):
    """Predicts one box a picture; remembers what groundtruth it was given."""

    last = None

    def __init__(self):
        super().__init__(num_classes=NUM_CLASSES)
        FakeModel.last = self

    def preprocess(self, inputs):
        return tf.image.resize(inputs, [4, 4]), tf.constant([[4, 4, 3]])

    def predict(self, preprocessed_inputs, true_image_shapes, **_):
        flat = tf.reshape(preprocessed_inputs / 255.0, [-1, 48])
        return {
            "classes": slim.fully_connected(flat, NUM_CLASSES, None, scope="classes"),
            "boxes": slim.fully_connected(flat, 4, None, scope="boxes"),
        }

    def postprocess(self, prediction_dict, true_image_shapes, **params):
        return {}

    def loss(self, prediction_dict, true_image_shapes):
        boxes = tf.stack([one[0] for one in self.groundtruth_lists(Boxes.boxes)])
        classes = tf.stack([one[0] for one in self.groundtruth_lists(Boxes.classes)])
        return {
            "Loss/boxes": tf.nn.l2_loss(prediction_dict["boxes"] - boxes),
            "Loss/classes": tf.nn.l2_loss(prediction_dict["classes"] - classes),
        }

    def regularization_losses(self):
        return []

    def restore_map(self, fine_tune_checkpoint_type="detection", **_):
        return {variable.op.name: variable for variable in tf.global_variables()}

    def restore_from_objects(self, fine_tune_checkpoint_type="detection"):
        return None

    def updates(self):
        return None


CONFIG = """
  batch_size: 3
  num_steps: 4
  optimizer { momentum_optimizer { learning_rate { constant_learning_rate { learning_rate: 0.01 } } } }
  data_augmentation_options { random_adjust_brightness { max_delta: 0.2 } }
"""


def _train(folder, text="", make=_sample, **changes):
    config = text_format.Parse(CONFIG, train_pb2.TrainConfig())
    text_format.Merge(text, config)
    settings = {
        "master": "",
        "task": 0,
        "num_clones": 1,
        "worker_replicas": 1,
        "clone_on_cpu": True,
        "ps_tasks": 0,
        "worker_job_name": "worker",
        "is_chief": True,
        **changes,
    }
    return trainer.train(
        create_tensor_dict_fn=make,
        create_model_fn=FakeModel,
        train_config=config,
        train_dir=str(folder),
        **settings,
    )


def test_training_changes_the_weights_and_goes_on(tmp_path):
    outcome = _train(tmp_path)
    assert outcome.step == 4
    first = tf.train.load_checkpoint(outcome.checkpoint)
    assert first.get_tensor("global_step") == 4
    again = _train(tmp_path, "num_steps: 9")
    assert again.step == 9
    second = tf.train.load_checkpoint(again.checkpoint)
    assert np.abs(first.get_tensor("boxes/weights") - second.get_tensor("boxes/weights")).max() > 0
    # The optimizer's default is to keep averages.
    assert "boxes/weights/ExponentialMovingAverage" in second.get_variable_to_shape_map()
    assert any(name.startswith("events") for name in os.listdir(tmp_path))


@pytest.mark.parametrize(
    ("text", "kinds_of_steps"),
    [
        pytest.param("num_steps: 3", 1, id="numbers only"),
        pytest.param("num_steps: 3 summarize_gradients: true", 2, id="norms of gradients"),
    ],
)
def test_steps_are_prepared_once_and_the_graph_is_written(
    tmp_path, monkeypatch, text, kinds_of_steps
):
    fetched = set()
    run = tf.Session.run

    def recorded(self, fetches, *arguments, **named):
        if isinstance(fetches, tuple):
            fetched.add(str(fetches))
        return run(self, fetches, *arguments, **named)

    monkeypatch.setattr(tf.Session, "run", recorded)
    _train(tmp_path, text)
    assert len(fetched) == kinds_of_steps
    (path,) = tmp_path.glob("events*")
    events = list(tf.train.summary_iterator(str(path)))
    assert sum(bool(event.graph_def) for event in events) == 1
    # Every hundredth step is summarised, and the first is.
    assert [event.step for event in events if event.summary.value] == [1]


def test_a_long_training_comes_near_the_truth(tmp_path):
    outcome = _train(tmp_path, "num_steps: 150")
    assert outcome.losses["Loss/boxes"] < 0.3
    start = _train(tmp_path / "start", "num_steps: 1")
    assert outcome.losses["Loss/TotalLoss"] < start.losses["Loss/TotalLoss"]


def _keypoint_sample():
    return _sample(
        **{
            F.groundtruth_keypoints: tf.constant(
                [[[0.25, 0.5], [np.nan, np.nan]], [[0.5, 0.25], [1, 1]]], tf.float32
            ),
            F.groundtruth_keypoint_visibilities: tf.constant([[True, False], [True, True]]),
            F.groundtruth_keypoint_flags: tf.constant([[1, 0], [2, 2]]),
            F.groundtruth_weights: tf.constant([1.0, 0.5]),
            F.groundtruth_instance_masks: tf.ones([2, 8, 6]),
        }
    )


def test_groundtruth_reaches_the_right_places(tmp_path):
    seen = {}

    def look():
        model = FakeModel.last
        for field in (
            Boxes.keypoints,
            Boxes.keypoint_visibilities,
            Boxes.keypoint_flags,
            Boxes.weights,
            Boxes.masks,
            Boxes.classes,
        ):
            seen[field] = [tensor.shape.as_list() for tensor in model.groundtruth_lists(field)]
        seen["mask_weights"] = model.groundtruth_has_field(Boxes.mask_weights)

    outcome = _train(tmp_path, make=_keypoint_sample, graph_hook_fn=look)
    assert outcome.step == 4
    assert seen == {
        Boxes.keypoints: [[2, 2, 2]] * 3,
        Boxes.keypoint_visibilities: [[2, 2]] * 3,
        Boxes.keypoint_flags: [[2, 2]] * 3,
        Boxes.weights: [[2]] * 3,
        Boxes.masks: [[2, 8, 6]] * 3,
        Boxes.classes: [[2, NUM_CLASSES]] * 3,
        "mask_weights": False,
    }


@pytest.mark.parametrize(
    "change",
    [
        {"master": "grpc://other"},
        {"task": 1},
        {"num_clones": 2},
        {"worker_replicas": 2},
        {"ps_tasks": 1},
        {"is_chief": False},
    ],
)
def test_clusters_are_refused(tmp_path, change):
    with pytest.raises(ConfigError, match=next(iter(change))):
        _train(tmp_path, **change)


def test_scores_as_targets_and_quantisation(tmp_path):
    rewriter = graph_rewriter_pb2.GraphRewriter()
    rewriter.quantization.delay = 1
    outcome = _train(
        tmp_path,
        "use_multiclass_scores: true",
        graph_hook_fn=graph_rewriter_builder.build(rewriter, is_training=True),
    )
    ranges = tf.train.load_checkpoint(outcome.checkpoint)
    assert ranges.get_tensor("boxes/act_quant/max") > ranges.get_tensor("boxes/act_quant/min")
    assert np.isfinite(outcome.losses["Loss/TotalLoss"])


def _queue(make, options=(), batch_size=2):
    return trainer.create_input_queue(batch_size, make, 4, 1, 2, options)


def _next(tensors):
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        coordinator = tf.train.Coordinator()
        threads = tf.train.start_queue_runners(session, coordinator)
        values = session.run(tensors)
        coordinator.request_stop()
        coordinator.join(threads, ignore_live_threads=True)
    return values


def test_queue_of_pictures_of_different_sizes():
    def make():
        height = tf.random.uniform([], 2, 9, tf.int32)
        return {
            F.image: tf.fill(tf.stack([height, 3, 3]), tf.constant(7, tf.uint8)),
            F.source_id: tf.as_string(height),
            F.groundtruth_boxes: tf.ones([height, 4]),
            F.groundtruth_classes: tf.ones([height], tf.int64),
        }

    batch = trainer.get_inputs(_queue(make, batch_size=6), NUM_CLASSES)
    images, keys, boxes, classes, masks, keypoints, weights = batch
    assert masks == keypoints == weights == (None,) * 6
    for image, key, box, one_hot in zip(*_next((images, keys, boxes, classes)), strict=True):
        height = int(key)
        assert image.shape == (1, height, 3, 3)
        assert image.dtype == np.float32
        assert np.all(image == 7)
        assert box.shape == (height, 4)
        assert one_hot.tolist() == [[1, 0]] * height


def test_queue_augments():
    options = [
        (
            preprocessor.random_horizontal_flip,
            {"keypoint_flip_permutation": (1, 0), "probability": 1.0},
        )
    ]
    batch = trainer.get_inputs(_queue(_keypoint_sample, options), NUM_CLASSES)
    boxes, keypoints = _next((batch.boxes[0], batch.keypoints[0]))
    np.testing.assert_allclose(boxes, [[0, 0.5, 0.5, 1], [0.25, 0, 1, 0.75]])
    np.testing.assert_allclose(
        keypoints, [[[np.nan, np.nan], [0.25, 0.5]], [[1, 0], [0.5, 0.75]]], atol=1e-6
    )
    assert batch.keys == ("", "")


def test_kinds_of_class_targets():
    def twice():
        return _sample(**{F.groundtruth_boxes: tf.constant([[0, 0, 0.5, 0.5]] * 2)})

    merged = trainer.get_inputs(_queue(twice), NUM_CLASSES, merge_multiple_label_boxes=True)
    scores = trainer.get_inputs(_queue(_sample), NUM_CLASSES, use_multiclass_scores=True)
    one_hot = trainer.get_inputs(_queue(_sample), NUM_CLASSES)
    values = _next((merged.boxes[0], merged.classes[0], scores.classes[1], one_hot.classes[0]))
    assert [value.tolist() for value in values] == [
        [[0, 0, 0.5, 0.5]],
        [[1, 1]],
        [[0.5, 0.25], [0.75, 0]],
        [[0, 1], [1, 0]],
    ]


def test_targets_that_exclude_each_other():
    with pytest.raises(ValueError, match="exclude"):
        trainer.get_inputs(_queue(_sample), NUM_CLASSES, True, True)
    with pytest.raises(NotImplementedError, match="keypoints"):
        trainer.get_inputs(_queue(_keypoint_sample), NUM_CLASSES, True)


def test_a_sample_that_breaks_ends_the_training(tmp_path):
    def broken():
        with tf.control_dependencies([tf.Assert(tf.constant(False), ["broken sample"])]):
            return _sample(**{F.groundtruth_weights: tf.identity([1.0, 1.0])})

    with pytest.raises(tf.errors.InvalidArgumentError, match="broken sample"):
        _train(tmp_path, make=broken)


def test_a_sample_that_is_not_finite_is_named(tmp_path):
    def one_is_bad():
        count = tf.get_variable(
            "count",
            [],
            tf.int32,
            tf.zeros_initializer(),
            trainable=False,
            collections=[tf.GraphKeys.LOCAL_VARIABLES],
        )
        number = count.assign_add(1)
        picture = tf.fill([8, 6, 3], tf.where(tf.equal(number, 5), np.nan, 100.0))
        return _sample(**{F.image: picture, F.source_id: tf.strings.format("picture{}", number)})

    with pytest.raises(DataError) as error:
        _train(tmp_path, "num_steps: 9", make=one_is_bad)
    words = str(error.value)
    assert "Loss/boxes, Loss/classes, Loss/TotalLoss is not finite" in words
    assert "picture5" in words
    (path,) = (tmp_path / "bad_steps").iterdir()
    with np.load(path) as file:
        names = [str(file[f"{number}/source_id"]) for number in range(3)]
        bad = [bool(np.isnan(file[f"{number}/image"]).all()) for number in range(3)]
    assert bad == [name == "picture5" for name in names]
    assert sum(bad) == 1
