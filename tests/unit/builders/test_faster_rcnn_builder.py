"""Two-stage detectors from their config: parts, refusals, and training, evaluation and export."""

import io

import numpy as np
import pytest
import tensorflow.compat.v1 as tf
import tf_slim as slim
from google.protobuf import text_format
from PIL import Image

from object_detection import exporter
from object_detection.builders import model_builder
from object_detection.core.feature_extractor import FasterRCNNFeatureExtractor
from object_detection.errors import ConfigError
from object_detection.legacy import evaluator, trainer
from object_detection.meta_architectures.faster_rcnn_meta_arch import FasterRCNNMetaArch
from object_detection.meta_architectures.rfcn_meta_arch import RFCNMetaArch
from object_detection.protos import pipeline_pb2
from object_detection.utils import config_check, config_util, dataset_util

HYPERPARAMS = """regularizer { l2_regularizer { weight: 0.0 } }
  initializer { truncated_normal_initializer { stddev: 0.05 } }"""
REGIONS = f"""mask_rcnn_box_predictor {{ fc_hyperparams {{ op: FC {HYPERPARAMS} }} %s }}"""
MASKS = f"""predict_instance_masks: true mask_height: 6 mask_width: 6
  mask_prediction_conv_depth: 4 conv_hyperparams {{ op: CONV {HYPERPARAMS} }}"""
POOLED = f"""rfcn_box_predictor {{ conv_hyperparams {{ op: CONV {HYPERPARAMS} }} depth: 8
  num_spatial_bins_height: 2 num_spatial_bins_width: 2 crop_height: 4 crop_width: 4 }}"""
MODEL = f"""
faster_rcnn {{
  number_of_stages: %d
  num_classes: 2
  image_resizer {{ fixed_shape_resizer {{ height: 64 width: 96 }} }}
  feature_extractor {{ type: '%s' first_stage_features_stride: 16 }}
  first_stage_anchor_generator {{ grid_anchor_generator {{ scales: [0.125, 0.25]
    aspect_ratios: [0.5, 1, 2] height_stride: 16 width_stride: 16 }} }}
  first_stage_box_predictor_conv_hyperparams {{ op: CONV {HYPERPARAMS} }}
  first_stage_box_predictor_depth: 16
  first_stage_nms_iou_threshold: 0.7
  first_stage_max_proposals: 12
  second_stage_batch_size: 6
  initial_crop_size: 4
  maxpool_kernel_size: 2
  maxpool_stride: 2
  second_stage_box_predictor {{ %s }}
  second_stage_post_processing {{
    batch_non_max_suppression {{ score_threshold: 0.0 iou_threshold: 0.6
      max_detections_per_class: 4 max_total_detections: 5 }}
    score_converter: SOFTMAX
  }}
  %s
}}
"""


def _config(kind="small", stages=2, predictor=None, more=""):
    predictor = predictor or REGIONS % (MASKS if stages == 3 else "")
    return text_format.Parse(
        f"model {{ {MODEL % (stages, kind, predictor, more)} }}",
        pipeline_pb2.TrainEvalPipelineConfig(),
    )


class SmallExtractor(FasterRCNNFeatureExtractor):
    """A strided convolution, and one on each region."""

    def preprocess(self, resized_inputs):
        return resized_inputs / 255.0

    def _extract_proposal_features(self, preprocessed_inputs, scope):
        stride = self._first_stage_features_stride
        return slim.conv2d(preprocessed_inputs, 8, 3, stride=stride, scope="lower"), {}

    def _extract_box_classifier_features(self, proposal_feature_maps, scope):
        return slim.conv2d(proposal_feature_maps, 8, 3, scope="upper")


@pytest.fixture(autouse=True)
def _registered(monkeypatch):
    monkeypatch.setitem(
        model_builder.FASTER_RCNN_FEATURE_EXTRACTOR_CLASS_MAP, "small", SmallExtractor
    )


@pytest.mark.parametrize("kind", sorted(model_builder.FASTER_RCNN_FEATURE_EXTRACTOR_CLASS_MAP))
@pytest.mark.parametrize("is_training", [True, False], ids=["training", "inference"])
def test_builds(kind, is_training):
    model = model_builder.build(_config(kind).model, is_training)
    assert type(model) is FasterRCNNMetaArch
    made = model_builder.FASTER_RCNN_FEATURE_EXTRACTOR_CLASS_MAP[kind]
    assert type(model.feature_extractor) is made
    assert model.num_classes == 2
    assert model.max_num_proposals == (6 if is_training else 12)


def test_a_predictor_of_pooled_maps_makes_it_an_rfcn():
    assert type(model_builder.build(_config(predictor=POOLED).model, True)) is RFCNMetaArch


def test_one_stage_needs_no_predictor():
    config = _config(stages=1)
    config.model.faster_rcnn.ClearField("second_stage_box_predictor")
    model = model_builder.build(config.model, False)
    predictions = model.predict(tf.zeros([1, 64, 96, 3]), tf.constant([[64, 96, 3]]))
    assert predictions["rpn_box_encodings"].shape.as_list() == [1, 4 * 6 * 6, 4]


def test_a_miner_takes_all_proposals():
    config = _config(more="hard_example_miner { num_hard_examples: 3 iou_threshold: 0.9 }")
    assert model_builder.build(config.model, True).max_num_proposals == 12


@pytest.mark.parametrize(
    ("more", "match"),
    [
        ("context_config { max_num_context_features: 3 }", "context_config"),
        ("inplace_batchnorm_update: true", "inplace_batchnorm_update"),
        ("feature_extractor { fpn { min_level: 2 } }", r"feature_extractor\.fpn"),
        ("feature_extractor { type: 'faster_rcnn_resnet51' }", "Did you mean 'faster_rcnn_resnet"),
        ("feature_extractor { type: 'faster_rcnn_nas' }", "Unknown .* 'faster_rcnn_nas'"),
        ("first_stage_nms_iou_threshold: 1.5", "first_stage_nms_iou_threshold"),
        ("second_stage_batch_size: 13", "second_stage_batch_size"),
        ("number_of_stages: 4", "number_of_stages"),
        ("number_of_stages: 3", "predict_instance_masks"),
        (
            "second_stage_box_predictor { mask_rcnn_box_predictor { predict_keypoints: true } }",
            "predict_keypoints",
        ),
    ],
)
def test_refused(more, match):
    config = _config()
    config.model.MergeFrom(
        text_format.Parse(f"model {{ faster_rcnn {{ {more} }} }}", type(config)()).model
    )
    with pytest.raises(ConfigError, match=match):
        model_builder.build(config.model, is_training=True)


def test_the_first_stage_suppresses_as_the_config_says(run):
    """Two anchors of the same place: one proposal, or two if all overlap is allowed."""
    for limit, count in ((0.7, 1), (1.0, 2)):
        config = _config(stages=1)
        config.model.faster_rcnn.first_stage_nms_iou_threshold = limit
        model = model_builder.build(config.model, False)
        anchors = [[0, 0, 16, 16], [0, 0, 16, 15]]
        found = model.postprocess(
            {
                "rpn_box_encodings": tf.zeros([1, 2, 4]),
                "rpn_objectness_predictions_with_background": tf.constant([[[0.0, 1], [0, 2]]]),
                "anchors": tf.constant(anchors, tf.float32),
                "image_shape": tf.constant([1, 64, 96, 3]),
            },
            tf.constant([[64, 96, 3]]),
        )
        assert run(found["num_detections"]) == [count]


def _png(array):
    file = io.BytesIO()
    Image.fromarray(array).save(file, "PNG")
    return file.getvalue()


def _example(seed):
    """A picture with a bright box in it, its mask, and another box."""
    picture = np.random.RandomState(seed).randint(0, 60, [64, 96, 3]).astype(np.uint8)
    picture[16:48, 24:72] = 200
    masks = np.zeros([2, 64, 96], np.uint8)
    masks[0, 16:48, 24:72] = 1
    masks[1, :32, :48] = 1
    features = {
        "image/encoded": dataset_util.bytes_feature(_png(picture)),
        "image/format": dataset_util.bytes_feature(b"png"),
        "image/source_id": dataset_util.bytes_feature(b"%d" % seed),
        "image/height": dataset_util.int64_feature(64),
        "image/width": dataset_util.int64_feature(96),
        "image/object/bbox/ymin": dataset_util.float_list_feature([0.25, 0]),
        "image/object/bbox/xmin": dataset_util.float_list_feature([0.25, 0]),
        "image/object/bbox/ymax": dataset_util.float_list_feature([0.75, 0.5]),
        "image/object/bbox/xmax": dataset_util.float_list_feature([0.75, 0.5]),
        "image/object/class/label": dataset_util.int64_list_feature([1, 2]),
        "image/object/mask": dataset_util.bytes_list_feature([_png(mask) for mask in masks]),
    }
    return tf.train.Example(features=tf.train.Features(feature=features)).SerializeToString()


@pytest.fixture
def records(tmp_path):
    with tf.io.TFRecordWriter(str(tmp_path / "all.record")) as writer:
        for seed in range(3):
            writer.write(_example(seed))
    (tmp_path / "map.pbtxt").write_text(
        "item { id: 1 name: 'bright' } item { id: 2 name: 'corner' }"
    )
    return tmp_path


@pytest.mark.filterwarnings("ignore:Seed .* from outer graph")
@pytest.mark.parametrize(
    ("stages", "predictor"),
    [(2, None), (3, None), (2, POOLED)],
    ids=["two stages", "masks", "pooled maps"],
)
def test_trains_evaluates_and_exports(stages, predictor, records):
    pipeline = _config(stages=stages, predictor=predictor)
    reader = f"""label_map_path: '{records}/map.pbtxt' shuffle: false
      load_instance_masks: {str(stages == 3).lower()} mask_type: PNG_MASKS
      tf_record_input_reader {{ input_path: '{records}/all.record' }}"""
    text_format.Merge(
        f"""
        train_config {{ batch_size: 2 num_steps: 3
          data_augmentation_options {{ random_horizontal_flip {{}} }}
          optimizer {{ momentum_optimizer {{ momentum_optimizer_value: 0.9
            learning_rate {{ constant_learning_rate {{ learning_rate: 0.001 }} }} }} }} }}
        train_input_reader {{ {reader} }}
        eval_config {{ metrics_set: 'pascal_voc_detection_metrics' num_visualizations: 0 }}
        eval_input_reader {{ {reader} }}
        """,
        pipeline,
    )
    configs = config_util.create_configs_from_pipeline_proto(pipeline)
    config_check.check_pipeline(configs, "here", for_training=True, for_eval=True)
    outcome = trainer.train_model(configs, str(records / "train"), say=lambda _: None)
    assert outcome.step == 3
    names = {
        "Loss/RPNLoss/localization_loss",
        "Loss/RPNLoss/objectness_loss",
        "Loss/BoxClassifierLoss/localization_loss",
        "Loss/BoxClassifierLoss/classification_loss",
        "Loss/TotalLoss",
    } | ({"Loss/BoxClassifierLoss/mask_loss"} if stages == 3 else set())
    assert set(outcome.losses) == names

    judged = evaluator.Evaluation(
        configs, pipeline.eval_input_reader[0], str(records / "eval")
    ).run(outcome.checkpoint)
    assert judged.num_pictures == 3
    assert "Losses/RPNLoss/objectness_loss" in judged.metrics

    exporter.export_inference_graph(
        "image_tensor", pipeline, outcome.checkpoint, str(records / "export")
    )
    picture = np.random.RandomState(5).randint(0, 255, [1, 64, 96, 3]).astype(np.uint8)
    with tf.Graph().as_default():
        graph = tf.GraphDef.FromString((records / "export/frozen_inference_graph.pb").read_bytes())
        tf.import_graph_def(graph, name="")
        outputs = ["detection_boxes", "detection_scores", "detection_classes", "num_detections"]
        outputs += ["detection_masks"] if stages == 3 else []
        with tf.Session() as session:
            frozen = session.run(
                {name: f"{name}:0" for name in outputs}, {"image_tensor:0": picture}
            )
    with tf.Graph().as_default():
        model = model_builder.build(pipeline.model, is_training=False)
        inputs, true_shapes = model.preprocess(tf.constant(picture, tf.float32))
        detections = model.postprocess(model.predict(inputs, true_shapes), true_shapes)
        with tf.Session() as session:
            tf.train.Saver().restore(session, outcome.checkpoint)
            restored = session.run({name: detections[name] for name in outputs})
    restored["detection_classes"] += 1
    assert restored["num_detections"] > 0
    for name in outputs:
        np.testing.assert_allclose(frozen[name], restored[name], atol=1e-5, err_msg=name)
