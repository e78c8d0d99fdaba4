import pytest
from google.protobuf import text_format

from object_detection.builders import model_builder
from object_detection.core import losses
from object_detection.errors import ConfigError
from object_detection.protos import center_net_pb2, model_pb2, string_int_label_map_pb2


def _model(text):
    return text_format.Parse(text, model_pb2.DetectionModel())


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("", "meta-architecture"),
        ("faster_rcnn {}", "faster_rcnn"),
        ("center_net {}", "center_net"),
        ("experimental_model { name: 'nothing' }", "nothing"),
        (
            "ssd { box_coder { square_box_coder {} } feature_extractor { type: 'ssd_mobilenet_v9' } }",
            "ssd_mobilenet_v",
        ),
    ],
)
def test_what_is_not_there_is_refused_by_name(text, match):
    with pytest.raises(ConfigError, match=match):
        model_builder.build(_model(text), is_training=True)


def test_a_message_of_another_kind():
    with pytest.raises(ValueError, match="DetectionModel"):
        model_builder.build(center_net_pb2.CenterNet(), is_training=True)


def test_users_register_their_own(monkeypatch):
    monkeypatch.setitem(
        model_builder.EXPERIMENTAL_META_ARCH_BUILDER_MAP, "mine", lambda *given: given
    )
    config = _model("experimental_model { name: 'mine' }")
    assert model_builder.build(config, True, add_summaries=False) == (True, False)
    monkeypatch.setitem(
        model_builder.META_ARCH_BUILDER_MAP, "faster_rcnn", lambda config, *_: config.num_classes
    )
    assert model_builder.build(_model("faster_rcnn { num_classes: 3 }"), False) == 3


def _part(text, kind):
    return text_format.Parse(text, getattr(center_net_pb2.CenterNet, kind)())


FOCAL = "penalty_reduced_logistic_focal_loss { alpha: 2 beta: 4 }"
LABELS = text_format.Parse(
    """
    item { id: 2 name: "person"
      keypoints { id: 0 label: "nose" } keypoints { id: 5 label: "left_shoulder" }
    }
    """,
    string_int_label_map_pb2.StringIntLabelMap(),
)
LABEL_ITEMS = {item.name: item for item in LABELS.item}


def test_keypoints():
    params = model_builder.keypoint_proto_to_params(
        _part(
            f"""
            task_name: "pose" keypoint_class_name: "person" task_loss_weight: 0.5
            loss {{
              localization_loss {{ l1_localization_loss {{}} }}
              classification_loss {{ {FOCAL} }}
            }}
            keypoint_label_to_std {{ key: "nose" value: 0.25 }}
            box_scale: 1.5 candidate_ranking_mode: "score_distance_ratio" per_keypoint_offset: true
            heatmap_head_params {{ num_filters: [64, 32] kernel_sizes: [5, 1] }}
            """,
            "KeypointEstimation",
        ),
        LABEL_ITEMS,
    )
    assert params.task_name == "pose"
    assert params.class_id == 1
    assert params.keypoint_indices == [0, 5]
    assert params.keypoint_labels == ["nose", "left_shoulder"]
    assert params.keypoint_std_dev == [0.25, 1.0]
    assert isinstance(params.localization_loss, losses.L1LocalizationLoss)
    assert isinstance(params.classification_loss, losses.PenaltyReducedLogisticFocalLoss)
    assert (params.heatmap_head_num_filters, params.heatmap_head_kernel_sizes) == ([64, 32], [5, 1])
    assert (params.offset_head_num_filters, params.regress_head_kernel_sizes) == ([256], [3])
    assert params.box_scale == 1.5
    assert params.candidate_ranking_mode == "score_distance_ratio"
    assert params.per_keypoint_offset
    assert params.num_candidates_per_keypoint == 100  # the message's default
    with pytest.raises(ConfigError, match="person"):
        model_builder.keypoint_proto_to_params(
            _part("keypoint_class_name: 'dog'", "KeypointEstimation"), LABEL_ITEMS
        )


def test_boxes_and_centres():
    boxes = model_builder.object_detection_proto_to_params(
        _part(
            "localization_loss { l1_localization_loss {} } scale_loss_weight: 2", "ObjectDetection"
        )
    )
    assert isinstance(boxes.localization_loss, losses.L1LocalizationLoss)
    assert (boxes.scale_loss_weight, boxes.offset_loss_weight) == (2, 1)
    assert (boxes.scale_head_num_filters, boxes.offset_head_kernel_sizes) == ([256], [3])
    centres = model_builder.object_center_proto_to_params(
        _part(
            f"classification_loss {{ {FOCAL} }} keypoint_weights_for_center: [0.5, 1] "
            "max_box_predictions: 7 center_head_params { num_filters: 8 kernel_sizes: 5 }",
            "ObjectCenterParams",
        )
    )
    assert isinstance(centres.classification_loss, losses.PenaltyReducedLogisticFocalLoss)
    assert centres.keypoint_weights_for_center == [0.5, 1]
    assert centres.max_box_predictions == 7
    assert (centres.center_head_num_filters, centres.center_head_kernel_sizes) == ([8], [5])
    assert centres.peak_max_pool_kernel_size == 3


def test_the_other_tasks():
    masks = model_builder.mask_proto_to_params(
        _part("classification_loss { weighted_softmax {} } mask_height: 8", "MaskEstimation")
    )
    assert isinstance(masks.classification_loss, losses.WeightedSoftmaxClassificationLoss)
    assert (masks.mask_height, masks.mask_width, masks.score_threshold) == (8, 256, 0.5)
    surface = model_builder.densepose_proto_to_params(
        _part(
            "class_id: 1 num_parts: 6 loss { localization_loss { l1_localization_loss {} } "
            "classification_loss { weighted_softmax {} } }",
            "DensePoseEstimation",
        )
    )
    assert (surface.class_id, surface.num_parts, surface.upsample_to_input_res) == (1, 6, True)
    assert isinstance(surface.localization_loss, losses.L1LocalizationLoss)
    tracks = model_builder.tracking_proto_to_params(
        _part("num_track_ids: 9 classification_loss { weighted_softmax {} }", "TrackEstimation")
    )
    assert (tracks.num_track_ids, tracks.reid_embed_size, tracks.num_fc_layers) == (9, 128, 1)
    movement = model_builder.temporal_offset_proto_to_params(
        _part(
            "localization_loss { l1_localization_loss {} } task_loss_weight: 3",
            "TemporalOffsetEstimation",
        )
    )
    assert isinstance(movement.localization_loss, losses.L1LocalizationLoss)
    assert movement.task_loss_weight == 3


def test_a_task_without_loss():
    with pytest.raises(ValueError, match="loss"):
        model_builder.object_detection_proto_to_params(_part("", "ObjectDetection"))
