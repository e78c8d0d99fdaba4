"""A model that predicts visibilities: three steps of training, evaluation, export, detection."""

import numpy as np
import pytest
import tensorflow.compat.v1 as tf
from google.protobuf import text_format

from object_detection import exporter
from object_detection.builders import model_builder
from object_detection.inference.detector import Detector
from object_detection.legacy import evaluator, trainer
from object_detection.protos import pipeline_pb2
from object_detection.utils import config_check, config_util
from object_detection.utils import dataset_util as to

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore:Seed .* from outer graph")]

NAN = float("nan")
CONFIG = """
model { ssd {
  num_classes: 1
  image_resizer { fixed_shape_resizer { height: 64 width: 64 } }
  box_coder { keypoint_box_coder { num_keypoints: 5 } }
  matcher { argmax_matcher { force_match_for_each_row: true } }
  similarity_calculator { iou_similarity {} }
  encode_background_as_zeros: true
  normalize_loss_by_num_matches: true
  anchor_generator { ssd_anchor_generator { num_layers: 2 aspect_ratios: 1.0
    reduce_boxes_in_lowest_layer: false } }
  loss {
    classification_loss { weighted_sigmoid {} }
    localization_loss { weighted_smooth_l1 {} }
    keypoint_loss { wing {} occluded_weight: 0.5 visibility { weight: 2 } }
  }
  post_processing { batch_non_max_suppression { score_threshold: 1e-8 iou_threshold: 0.5
    max_detections_per_class: 8 max_total_detections: 8 } score_converter: SIGMOID }
  %s
  feature_extractor { type: "ssd_mobilenet_v1" num_layers: 2 min_depth: 8 depth_multiplier: 0.1
    conv_hyperparams { regularizer { l2_regularizer {} }
      initializer { truncated_normal_initializer {} } batch_norm {} } }
} }
train_config { batch_size: 2 num_steps: 3
  data_augmentation_options { random_horizontal_flip {
    keypoint_flip_permutation: [1, 0, 2, 4, 3] } }
  data_augmentation_options { ssd_random_crop {} }
  optimizer { adam_optimizer { learning_rate { constant_learning_rate {} } } use_moving_average: false } }
train_input_reader { label_map_path: "MAP" num_keypoints: 5
  tf_record_input_reader { input_path: "RECORD" } }
eval_config { num_visualizations: 0 }
eval_input_reader { label_map_path: "MAP" num_keypoints: 5 shuffle: false
  tf_record_input_reader { input_path: "RECORD" } }
"""
LAYERS = "conv_hyperparams { regularizer { l2_regularizer {} } initializer { truncated_normal_initializer {} } }"
PREDICTORS = {
    "convolutional": f"box_predictor {{ convolutional_box_predictor {{ kernel_size: 1 box_code_size: 14 {LAYERS} }} }}",
    "weight shared": "box_predictor { weight_shared_convolutional_box_predictor { box_code_size: 14 "
    f"depth: 8 num_layers_before_predictor: 1 {LAYERS} }} }}",
}
# Visible, occluded and absent points; and a face that nobody marked.
FLAGS = [[2, 2, 1, 2, 0], [0, 0, 0, 0, 0]]


def _record(folder):
    random = np.random.RandomState(0)
    path = str(folder / "faces.record")
    with tf.io.TFRecordWriter(path) as writer:
        for number in range(4):
            picture = random.randint(0, 255, [48, 64, 3]).astype(np.uint8)
            flags = np.array(FLAGS)
            y, x = (np.where(flags > 0, random.uniform(0.2, 0.8, [2, 5]), NAN) for _ in "yx")
            with tf.Graph().as_default(), tf.Session() as session:
                encoded = session.run(tf.io.encode_png(picture))
            feature = {
                "image/encoded": to.bytes_feature(encoded),
                "image/format": to.bytes_feature(b"png"),
                "image/source_id": to.bytes_feature(b"%d" % number),
                "image/object/bbox/ymin": to.float_list_feature([0.1, 0.3]),
                "image/object/bbox/xmin": to.float_list_feature([0.1, 0.5]),
                "image/object/bbox/ymax": to.float_list_feature([0.6, 0.9]),
                "image/object/bbox/xmax": to.float_list_feature([0.5, 0.9]),
                "image/object/class/label": to.int64_list_feature([1, 1]),
                "image/object/keypoint/y": to.float_list_feature(y.ravel().tolist()),
                "image/object/keypoint/x": to.float_list_feature(x.ravel().tolist()),
                "image/object/keypoint/visibility": to.int64_list_feature(flags.ravel().tolist()),
            }
            example = tf.train.Example(features=tf.train.Features(feature=feature))
            writer.write(example.SerializeToString())
    (folder / "map.pbtxt").write_text("item { id: 1 name: 'face' }")
    return path


@pytest.fixture(scope="module", params=sorted(PREDICTORS))
def trained(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("visibility")
    text = CONFIG % PREDICTORS[request.param]
    text = text.replace("RECORD", _record(folder)).replace("MAP", str(folder / "map.pbtxt"))
    path = folder / "x.config"
    path.write_text(text)
    configs = config_util.get_configs_from_pipeline_file(str(path))
    config_check.check_pipeline(configs, str(path), for_training=True)
    said = []
    options = trainer.LoopOptions(log_every_steps=1, summary_every_steps=1, seed=1)
    trainer.train_model(configs, str(folder / "train"), options, say=said.append)
    return folder, said


def test_the_loss_has_a_curve_and_a_place_in_the_line(trained):
    folder, said = trained
    lines = [line for line in said if line.startswith("step ") and "_loss" in line]
    assert len(lines) == 3
    assert all("keypoint_loss" in line and "keypoint_visibility_loss" in line for line in lines)
    curves = {
        value.tag
        for path in (folder / "train").glob("events.out.tfevents.*")
        for event in tf.train.summary_iterator(str(path))
        for value in event.summary.value
    }
    assert "Losses/keypoint_visibility_loss" in curves


def test_evaluation_measures_it(trained):
    folder, _ = trained
    configs = config_util.get_configs_from_pipeline_file(str(folder / "x.config"))
    (result,) = evaluator.evaluate_checkpoints(
        configs, str(folder / "train"), str(folder / "eval"), run_once=True, say=lambda _: None
    )
    assert result.metrics["Losses/keypoint_visibility_loss"] > 0
    # Of the marked faces alone; there is one a picture.
    assert result.metrics["KeypointVisibility/Keypoints"] in {0, 5, 10, 15, 20}


def test_the_frozen_graph_equals_the_checkpoint(trained):
    folder, _ = trained
    pipeline = pipeline_pb2.TrainEvalPipelineConfig()
    text_format.Parse((folder / "x.config").read_text(), pipeline)
    checkpoint = tf.train.latest_checkpoint(str(folder / "train"))
    exporter.export_inference_graph("image_tensor", pipeline, checkpoint, str(folder / "exported"))
    picture = np.random.RandomState(5).randint(0, 255, [50, 70, 3]).astype(np.uint8)
    with tf.Graph().as_default(), tf.Session() as session:
        model = model_builder.build(pipeline.model, is_training=False)
        detections = model.call(tf.constant(picture[None], tf.float32))
        tf.train.Saver(tf.global_variables()).restore(session, checkpoint)
        expected = session.run(detections)
    count = int(expected["num_detections"][0])
    scores = expected["detection_keypoint_scores"]
    assert count > 1
    assert scores.shape == (1, 8, 5)
    assert ((scores[0, :count] > 0) & (scores[0, :count] < 1)).all()
    with Detector(str(folder / "exported")) as detector:
        found = detector.detect(picture)
    np.testing.assert_allclose(found.keypoint_scores, scores[0, :count], atol=1e-5)
    np.testing.assert_allclose(
        found.keypoints, expected["detection_keypoints"][0, :count] * [50, 70], atol=1e-2
    )
    with tf.Graph().as_default(), tf.Session() as session:
        saved = tf.saved_model.load(session, ["serve"], str(folder / "exported" / "saved_model"))
        signature = saved.signature_def["serving_default"]
        assert signature.outputs["detection_keypoint_scores"].name == "detection_keypoint_scores:0"
        served = session.run(
            "detection_keypoint_scores:0", {signature.inputs["inputs"].name: picture[None]}
        )
    np.testing.assert_allclose(served, scores, atol=1e-5)
