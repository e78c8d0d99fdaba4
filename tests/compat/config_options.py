"""What becomes of each field of a pipeline config, found out by trying.

A field of the config is set to another value than its default, the public builder of its message
is called, and what the builder reads is recorded:

* `builds`     the field was read
* `refused`    a ConfigError names the field
* `no effect`  nobody read it; `docs/config_options.md` says why that is harmless
"""

import copy
import functools
import pathlib
import re
from typing import Any

import tensorflow.compat.v1 as tf
from google.protobuf import text_format
from google.protobuf.descriptor import FieldDescriptor

from object_detection import eval_util, inputs
from object_detection.builders import (
    graph_rewriter_builder,
    model_builder,
    optimizer_builder,
    post_processing_builder,
    preprocessor_builder,
)
from object_detection.core import standard_fields as fields
from object_detection.core.model import DetectionModel
from object_detection.errors import ConfigError
from object_detection.legacy import evaluator, trainer
from object_detection.protos import eval_pb2, input_reader_pb2, pipeline_pb2, train_pb2
from object_detection.utils import config_check, config_util, dataset_util


def repeated(field: FieldDescriptor) -> bool:
    return isinstance(field.default_value, list)


def short_name(descriptor: Any) -> str:
    return descriptor.full_name.removeprefix("object_detection.protos.")


class Recorder:
    """A message that remembers in `log` which of its fields were read, and its parts' fields."""

    def __init__(self, message: Any, log: set[str]) -> None:
        object.__setattr__(self, "_message", message)
        object.__setattr__(self, "_log", log)

    @property
    def __class__(self):
        return type(self._message)

    def _note(self, name: str) -> None:
        self._log.add(f"{short_name(self._message.DESCRIPTOR)}.{name}")

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._message, name)
        if name not in self._message.DESCRIPTOR.fields_by_name:
            return value
        self._note(name)
        if hasattr(value, "DESCRIPTOR"):
            return Recorder(value, self._log)
        field = self._message.DESCRIPTOR.fields_by_name[name]
        if not field.message_type:
            return value
        if not field.message_type.GetOptions().map_entry:
            return [Recorder(one, self._log) for one in value]
        return {
            key: Recorder(one, self._log) if hasattr(one, "DESCRIPTOR") else one
            for key, one in value.items()
        }

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(self._message, name, value)

    def __deepcopy__(self, memo: Any) -> "Recorder":
        return Recorder(copy.deepcopy(self._message), self._log)

    def HasField(self, name: str) -> bool:
        self._note(name)
        return self._message.HasField(name)

    def WhichOneof(self, name: str) -> str | None:
        case = self._message.WhichOneof(name)
        if case:
            self._note(case)
        return case


BASE = """
model { ssd {
  num_classes: 2
  image_resizer { fixed_shape_resizer { height: 128 width: 128 } }
  feature_extractor { type: "ssd_mobilenet_v1" conv_hyperparams { HYPERPARAMS } }
  box_coder { faster_rcnn_box_coder {} }
  matcher { argmax_matcher {} }
  similarity_calculator { iou_similarity {} }
  anchor_generator { ssd_anchor_generator { aspect_ratios: 1 } }
  box_predictor { convolutional_box_predictor { conv_hyperparams { HYPERPARAMS } } }
  loss {
    classification_loss { weighted_sigmoid {} }
    localization_loss { weighted_smooth_l1 {} }
  }
  post_processing { batch_non_max_suppression {} }
} }
train_config {
  optimizer { adam_optimizer { learning_rate { constant_learning_rate {} } } }
  data_augmentation_options { normalize_image {} }
}
graph_rewriter { quantization {} }
"""
HYPERPARAMS = """
  regularizer { l2_regularizer {} } initializer { truncated_normal_initializer {} }
"""

TWO_STAGES = """
faster_rcnn {
  num_classes: 2
  image_resizer { fixed_shape_resizer { height: 128 width: 128 } }
  feature_extractor { type: "faster_rcnn_resnet50" }
  first_stage_anchor_generator { grid_anchor_generator {} }
  first_stage_box_predictor_conv_hyperparams { HYPERPARAMS }
  initial_crop_size: 14 maxpool_kernel_size: 2 maxpool_stride: 2
  second_stage_box_predictor { mask_rcnn_box_predictor { fc_hyperparams { op: FC HYPERPARAMS } } }
  second_stage_post_processing { batch_non_max_suppression {} score_converter: SOFTMAX }
}
"""
# Found below an SSD, too, where they are refused.
ONLY_TWO_STAGES = ("MaskRCNNBoxPredictor", "RfcnBoxPredictor")

# What a message needs beside the field that is tried.
PAIRS = "x_y_pair { x: 0 y: 0 } x_y_pair { x: 1 y: 1 }"
NEEDS = {
    "WeightSharedConvolutionalBoxPredictor": f"depth: 8 conv_hyperparams {{ {HYPERPARAMS} }}",
    "ConvolutionalBoxPredictor": f"conv_hyperparams {{ {HYPERPARAMS} }}",
    "Hyperparams": HYPERPARAMS,
    "RMSPropOptimizer": "learning_rate { constant_learning_rate {} }",
    "MomentumOptimizer": "learning_rate { constant_learning_rate {} }",
    "AdamOptimizer": "learning_rate { constant_learning_rate {} }",
    "ManualStepLearningRate": "schedule { step: 5 learning_rate: 0.5 }",
    "SsdAnchorGenerator": "aspect_ratios: 1",
    "KeypointBoxCoder": "num_keypoints: 3",
    "AnchorGrid": "base_sizes: 1 aspect_ratios: 1 height_stride: 8 width_stride: 8",
    "CalibrationConfig": f"function_approximation {{ x_y_pairs {{ {PAIRS} }} }}",
    "FunctionApproximation": f"x_y_pairs {{ {PAIRS} }}",
    "XYPairs": PAIRS,
    "SigmoidCalibration": "sigmoid_parameters { a: -1 b: 0 }",
    "TemperatureScalingCalibration": "scaler: 2",
}

# Values for fields whose next-best value would make no sense; a list for a repeated one.
VALUES: dict[str, Any] = {
    "SsdFeatureExtractor.type": "ssd_mobilenet_v2",
    "FasterRcnn.number_of_stages": 1,
    "FasterRcnnFeatureExtractor.type": "faster_rcnn_resnet101",
    "FasterRcnnFeatureExtractor.first_stage_features_stride": 8,
    "SsdFeatureExtractor.spaghettinet_arch_name": "spaghettinet_edgetpu_s",
    "CosineDecayLearningRate.total_steps": 30000,
    "CosineDecayLearningRate.warmup_learning_rate": 0.001,
    "ArgMaxMatcher.unmatched_threshold": 0.25,
    "BatchNonMaxSuppression.max_detections_per_class": 50,
    "EvalConfig.recall_upper_bound": 0.75,
    **{
        f"{message}.{end}_padded_size_ratio": [1.25, 1.5]
        for message in (
            "RandomCropPadImage",
            "SSDRandomCropPadFixedAspectRatio",
            "SSDRandomCropPadOperation",
        )
        for end in ("min", "max")
    },
}

# What else a field or the fields of a message need: text merged into the field's own message.
WITH = {
    "Ssd.explicit_background_class": "add_background_class: false",
    "Loss.min_num_negative_samples": "expected_loss_weights: EXPECTED_SAMPLING",
    "Loss.desired_negative_sampling_ratio": "expected_loss_weights: EXPECTED_SAMPLING",
    "ArgMaxMatcher.negatives_lower_than_unmatched": "unmatched_threshold: 0.25",
    "SsdFeatureExtractor.fpn": 'type: "ssd_mobilenet_v1_fpn"',
    "SsdFeatureExtractor.spaghettinet_arch_name": 'type: "ssd_spaghettinet"',
    "RandomPadImage.min_image_height": "min_image_width: 5",
    "RandomPadImage.min_image_width": "min_image_height: 5",
    "RandomPadImage.max_image_height": "max_image_width: 5",
    "RandomPadImage.max_image_width": "max_image_height: 5",
    "SsdAnchorGenerator.height_stride": "num_layers: 1 width_stride: 8",
    "SsdAnchorGenerator.width_stride": "num_layers: 1 height_stride: 8",
    "SsdAnchorGenerator.height_offset": "num_layers: 1 width_offset: 8",
    "SsdAnchorGenerator.width_offset": "num_layers: 1 height_offset: 8",
    "AnchorGrid.base_sizes": "aspect_ratios: 1",
    "MaskRCNNBoxPredictor.predict_instance_masks": f"conv_hyperparams {{ {HYPERPARAMS} }}",
    "AnchorGrid.aspect_ratios": "base_sizes: 1",
}
# The same, merged into the pipeline.
PIPELINE_WITH = {
    "FeaturePyramidNetworks": (
        'model { ssd { feature_extractor { type: "ssd_mobilenet_v1_fpn" } } }'
    ),
}


def base_config(path: tuple[str, ...] = ()) -> Any:
    text = BASE.replace("HYPERPARAMS", HYPERPARAMS)
    config = text_format.Parse(text, pipeline_pb2.TrainEvalPipelineConfig())
    if path[:2] == ("model", "faster_rcnn"):
        config.model.Clear()
        text_format.Merge(TWO_STAGES.replace("HYPERPARAMS", HYPERPARAMS), config.model)
    return config


def _build_model(config: Any, log: set[str]) -> None:
    for is_training in (True, False):
        with tf.Graph().as_default():
            model_builder.build(Recorder(config.model, log), is_training=is_training)
    ssd = config.model.ssd if config.model.HasField("ssd") else None
    if ssd and ssd.post_processing.HasField("calibration_config"):
        with tf.Graph().as_default():
            _, score = post_processing_builder.build(
                Recorder(config.model.ssd.post_processing, log)
            )
            score(tf.zeros([1, 2, 3]))  # only now a calibration reads its points


def _build_step(config: Any, log: set[str]) -> None:
    for step in config.train_config.data_augmentation_options:
        preprocessor_builder.build(Recorder(step, log))


def _build_optimizer(config: Any, log: set[str]) -> None:
    with tf.Graph().as_default():
        optimizer_builder.build(Recorder(config.train_config.optimizer, log))


def _build_rewriter(config: Any, log: set[str]) -> None:
    graph_rewriter_builder.build(Recorder(config.graph_rewriter, log), is_training=True)


# Path in the pipeline -> builder of what stands there and below.
ROOTS = {
    ("model", "ssd"): _build_model,
    ("model", "faster_rcnn"): _build_model,
    ("train_config", "optimizer"): _build_optimizer,
    ("train_config", "data_augmentation_options"): _build_step,
    ("graph_rewriter",): _build_rewriter,
}


def _reach(message: Any, path: tuple[str, ...]) -> Any:
    """The part at a path; what is not there is made, with what it needs."""
    for name in path:
        field = message.DESCRIPTOR.fields_by_name[name]
        value = getattr(message, name)
        if repeated(field):
            message = value[0] if value else value.add()
            fresh = not message.ByteSize()
        else:
            fresh = not message.HasField(name)
            message = value
            message.SetInParent()
        if fresh:
            text_format.Merge(NEEDS.get(short_name(message.DESCRIPTOR), ""), message)
    return message


@functools.cache
def places() -> dict[str, tuple[Any, tuple[str, ...], Any]]:
    """Message name -> descriptor, a path to it, and its builder; without our own fields."""
    found: dict[str, tuple[Any, tuple[str, ...], Any]] = {}
    for root, build in ROOTS.items():
        descriptor = pipeline_pb2.TrainEvalPipelineConfig.DESCRIPTOR
        for name in root:
            descriptor = descriptor.fields_by_name[name].message_type
        waiting = [(descriptor, root)]
        while waiting:
            descriptor, path = waiting.pop(0)
            name = short_name(descriptor)
            if name in found or descriptor.GetOptions().map_entry:
                continue
            if name in ONLY_TWO_STAGES:
                path = ("model", "faster_rcnn", "second_stage_box_predictor", path[-1])
            found[name] = (descriptor, path, build)
            waiting += [
                (field.message_type, (*path, field.name))
                for field in descriptor.fields
                if field.message_type and field.number < 1000
            ]
    return found


def _other_values(field: FieldDescriptor, name: str) -> list[Any]:
    """Values to try; every one of an enumeration."""
    if name in VALUES:
        return [VALUES[name]]
    if field.enum_type:
        return [value.number for value in field.enum_type.values]
    default = 0 if repeated(field) else field.default_value
    kinds = FieldDescriptor
    if field.cpp_type == kinds.CPPTYPE_BOOL:
        return [not default]
    if field.cpp_type == kinds.CPPTYPE_STRING:
        return ["something"]
    if field.cpp_type in (kinds.CPPTYPE_FLOAT, kinds.CPPTYPE_DOUBLE):
        return [default + 0.25]
    return [default + 1]


def _set(message: Any, field: FieldDescriptor, value: Any) -> None:
    if field.message_type and field.message_type.GetOptions().map_entry:
        entry = field.message_type.fields_by_name["value"]
        values = getattr(message, field.name)
        if entry.message_type:
            text = NEEDS.get(short_name(entry.message_type), "a: -1 b: 0")
            text_format.Merge(text, values.get_or_create(1))
        else:
            key = field.message_type.fields_by_name["key"]
            word = key.cpp_type == FieldDescriptor.CPPTYPE_STRING
            values["nose" if word else 1] = (
                "face" if entry.cpp_type == key.cpp_type and word else 0.5
            )
    elif field.message_type:
        _reach(message, (field.name,))
    elif repeated(field):
        getattr(message, field.name).extend(value if isinstance(value, list) else [value])
    else:
        setattr(message, field.name, value)


def try_field(message_name: str, field_name: str) -> tuple[str, str]:
    """Status of a field, and the error's text if it was refused."""
    descriptor, path, build = places()[message_name]
    field = descriptor.fields_by_name[field_name]
    full = f"{message_name}.{field_name}"
    names = {*path, field_name}
    outcomes: dict[Any, tuple[str, str]] = {}
    for value in [None] if field.message_type else _other_values(field, full):
        config, log = base_config(path), set()
        text_format.Merge(PIPELINE_WITH.get(message_name, ""), config)
        message = _reach(config, path)
        text_format.Merge(WITH.get(full, ""), message)
        _set(message, field, value)
        try:
            build(config, log)
        except ConfigError as error:
            if not any(name in str(error) for name in names - {"model", "ssd", "faster_rcnn"}):
                raise AssertionError(
                    f"{full} = {value!r}: the error names another: {error}"
                ) from error
            outcomes[str(value)] = ("refused", str(error))
        else:
            outcomes[str(value)] = ("builds" if full in log else "no effect", "")
    return _together(field, outcomes)


def _together(field: FieldDescriptor, outcomes: dict[str, tuple[str, str]]) -> tuple[str, str]:
    """One status for all values; values of an enumeration that are refused are named."""
    order = ("builds", "refused", "no effect")
    status, error = min(outcomes.values(), key=lambda outcome: order.index(outcome[0]))
    refused = [value for value, (kind, _) in outcomes.items() if kind == "refused"]
    if status == "builds" and refused and field.enum_type:
        names = [field.enum_type.values_by_number[int(value)].name for value in refused]
        error = f"but {', '.join(names)}: {outcomes[refused[0]][1]}"
    return status, error


# The messages that programs read, rather than a builder: message -> part of the configs.
PROGRAM_MESSAGES = {
    "TrainConfig": "train_config",
    "InputReader": "train_input_config",
    "TFRecordInputReader": "train_input_config",
    "EvalConfig": "eval_config",
    "ParameterizedMetric": "eval_config",
    "CocoKeypointMetrics": "eval_config",
    "KeypointEdge": "eval_config",
}
# Values that the check of a whole config would refuse for another reason than that nobody uses the
# field; "" leaves the field as it is in the base.
PROGRAM_VALUES: dict[str, Any] = {
    "InputReader.num_keypoints": "",
    "InputReader.label_map_path": "",
    "TFRecordInputReader.input_path": "",
    "TrainConfig.fine_tune_checkpoint": "",
    "TrainConfig.data_augmentation_options": "",
    "TrainConfig.use_multiclass_scores": "",
    "TrainConfig.use_bfloat16": "",
}


class _Model(DetectionModel):
    """Enough of a model to train on one number and to preprocess."""

    def __init__(self) -> None:
        super().__init__(num_classes=2)

    def preprocess(self, inputs):
        return tf.image.resize(inputs, [128, 128]), tf.constant([[128, 128, 3]])

    def predict(self, preprocessed_inputs, true_image_shapes, **_):
        return {"biases": tf.get_variable("biases", [], initializer=tf.ones_initializer())}

    def postprocess(self, prediction_dict, true_image_shapes, **params):
        return {}

    def loss(self, prediction_dict, true_image_shapes):
        return {"Loss/loss": prediction_dict["biases"]}

    def regularization_losses(self):
        return []

    def restore_map(self, fine_tune_checkpoint_type="detection", **_):
        return {variable.op.name: variable for variable in tf.trainable_variables()}

    def updates(self):
        return []


def write_record(folder: pathlib.Path) -> None:
    """One picture with a box, and its label map."""
    with tf.Graph().as_default(), tf.Session() as session:
        png = session.run(tf.io.encode_png(tf.zeros([8, 8, 3], tf.uint8)))
    feature = {"image/encoded": dataset_util.bytes_feature(png)}
    for side, value in (("ymin", 0.0), ("xmin", 0.0), ("ymax", 1.0), ("xmax", 1.0)):
        feature[f"image/object/bbox/{side}"] = dataset_util.float_list_feature([value])
    feature["image/object/class/label"] = dataset_util.int64_list_feature([1])
    example = tf.train.Example(features=tf.train.Features(feature=feature))
    with tf.io.TFRecordWriter(str(folder / "a.record")) as writer:
        writer.write(example.SerializeToString())
    (folder / "map.pbtxt").write_text("item { id: 1 name: 'a' } item { id: 2 name: 'b' }")


def program_config(folder: pathlib.Path) -> Any:
    """The base with a reader of the record, for training and evaluation."""
    config = base_config()
    reader = f"""
      label_map_path: "{folder}/map.pbtxt" tf_record_input_reader {{ input_path: "{folder}/a.record" }}
    """
    text_format.Merge(
        f"""
        train_config {{ batch_size: 1 num_steps: 1 }}
        train_input_reader {{ {reader} }} eval_input_reader {{ {reader} }}
        eval_config {{
          batch_size: 1
          metrics_set: ["coco_detection_metrics", "precision_at_recall_detection_metrics"]
          keypoint_edge {{ start: 0 end: 1 }}
          parameterized_metric {{ coco_keypoint_metrics {{
            class_label: "a" keypoint_label_to_sigmas {{ key: "nose" value: 0.1 }}
          }} }}
        }}
        """,
        config,
    )
    return config


def _sample() -> dict[str, tf.Tensor]:
    return {
        fields.InputDataFields.image: tf.zeros([8, 8, 3]),
        fields.InputDataFields.groundtruth_boxes: tf.ones([1, 4]),
        fields.InputDataFields.groundtruth_classes: tf.ones([1], tf.int64),
    }


def read_by_programs(folder: pathlib.Path) -> set[str]:
    """Fields that training and evaluation read, of one step on one picture."""
    log: set[str] = set()
    config = program_config(folder)
    train, evaluation = Recorder(config.train_config, log), Recorder(config.eval_config, log)
    reader = Recorder(config.train_input_reader, log)
    with tf.Graph().as_default():
        model = _Model()
        inputs.train_input(train, reader, config.model, model)
        inputs.eval_input(evaluation, reader, config.model, model)
        inputs.training_dataset(train, reader, config.model, model)
        inputs.evaluation_dataset(evaluation, reader, config.model, model)
    arguments = (_sample, _Model, train, "", 0, 1, 1, True, 0, "worker", True)
    first = trainer.train(*arguments, str(folder / "first"))
    config.train_config.fine_tune_checkpoint = first.checkpoint
    trainer.train(*arguments, str(folder / "second"))
    parts = config_util.create_configs_from_pipeline_proto(config)
    parts |= {
        "train_config": train,
        "train_input_config": reader,
        "eval_config": evaluation,
        "eval_input_configs": [reader],
    }
    config_check.check_pipeline(parts, "x.config", for_training=True, for_eval=True)
    sequences = Recorder(
        input_reader_pb2.InputReader(input_type=input_reader_pb2.TF_SEQUENCE_EXAMPLE), log
    )
    inputs.get_reduce_to_frame_fn(sequences, is_training=False)
    categories = [{"id": 1, "name": "a", "keypoints": {"nose": 0}}]
    eval_util.get_evaluators(
        evaluation, categories, eval_util.evaluator_options_from_eval_config(evaluation)
    )
    # The loop of the evaluation needs a trained model; what it names is taken for read.
    return (
        log
        | _read_in_source("EvalConfig", eval_pb2.EvalConfig)
        | _read_in_source("KeypointEdge", eval_pb2.KeypointEdge, "edge")
    )


def _read_in_source(message: str, kind: Any, name: str = "config") -> set[str]:
    """Fields that the programs of evaluation and export name, as `config.field`."""
    package = pathlib.Path(evaluator.__file__).resolve().parents[1]
    names = ("evaluator", "evaluation", "evaluation_graph", "evaluation_reports")
    files = [*(f"legacy/{one}.py" for one in names), "exporter/export.py"]
    text = "".join((package / name).read_text() for name in files)
    named = set(re.findall(rf"{name}\.(\w+)", text))
    return {f"{message}.{field.name}" for field in kind.DESCRIPTOR.fields if field.name in named}


def try_program_field(
    message_name: str, field: FieldDescriptor, folder: pathlib.Path, read: set[str]
) -> tuple[str, str]:
    """Status of a field of `PROGRAM_MESSAGES`, and the error's text if it was refused."""
    full = f"{message_name}.{field.name}"
    value = PROGRAM_VALUES.get(full)
    used = "builds" if full in read else "no effect"
    outcomes: dict[str, tuple[str, str]] = {}
    for one in [value] if field.message_type else _other_values(field, full):
        configs = config_util.create_configs_from_pipeline_proto(program_config(folder))
        message = configs[PROGRAM_MESSAGES[message_name]]
        part = _find(message, message_name)
        if value != "" and part is not None:
            _set(part, field, one)
        try:
            config_check.check_pipeline(configs, "x.config", for_training=True, for_eval=True)
        except ConfigError as error:
            if field.name not in str(error):
                raise AssertionError(f"{full}: the error names another: {error}") from error
            outcomes[str(one)] = ("refused", str(error).splitlines()[-1].strip())
        else:
            outcomes[str(one)] = (used, "")
    return _together(field, outcomes)


def _find(message: Any, name: str) -> Any:
    """The part of that kind in a message, or None."""
    if short_name(message.DESCRIPTOR) == name:
        return message
    for field, value in message.ListFields():
        if not field.message_type or field.message_type.GetOptions().map_entry:
            continue
        for one in value if repeated(field) else [value]:
            found = _find(one, name)
            if found is not None:
                return found
    return None


# Files of messages that are refused where an SSD's config could name them, or not part of one.
ELSEWHERE = {
    "center_net": "`model.center_net` is refused: CenterNet is not available. Code that brings its "
    "own gets its settings by `model_builder.*_proto_to_params`.",
    "model": "`ssd` and `faster_rcnn` build, `center_net` is refused by name, and "
    "`experimental_model` builds what is in `EXPERIMENTAL_META_ARCH_BUILDER_MAP`.",
    "pipeline": "Every part is read.",
    "string_int_label_map": "Label maps are files of their own; see tfrecord.md.",
    "target_assigner": "No field of a pipeline has this type.",
}


def all_statuses(folder: pathlib.Path) -> dict[str, tuple[str, str]]:
    """`Message.field` -> status and error, of everything that an SSD's config can hold."""
    found = {
        f"{message}.{field.name}": try_field(message, field.name)
        for message, (descriptor, _, _) in places().items()
        for field in descriptor.fields
        if field.number < 1000
    }
    write_record(folder)
    read = read_by_programs(folder)
    for message in PROGRAM_MESSAGES:
        descriptor = next(
            kind.DESCRIPTOR
            for module in (train_pb2, input_reader_pb2, eval_pb2)
            if (kind := getattr(module, message, None)) is not None
        )
        for field in descriptor.fields:
            if field.number < 1000:
                found[f"{message}.{field.name}"] = try_program_field(message, field, folder, read)
    return found


HERE = pathlib.Path(__file__).resolve().parent
PAGE = HERE.parents[1] / "docs" / "config_options.md"
REASONS = HERE / "config_options.txt"
HEAD = """# Fields of the config

What becomes of each field of `pipeline.config` for training, evaluating and exporting. This page
is made by trying: `python tests/compat/config_options.py` sets each field, calls what builds its
message, and notes whether the field was read; a test does the same and compares.

* **builds**: the field is read; values of an enumeration that are refused are named.
* **refused**: a `ConfigError` names the field.
* **no effect**: accepted, because the configs that people have set it, and without effect for the
  reason that is given.
"""


def reasons() -> dict[str, str]:
    """`Message.field` -> why it may be without effect, of `config_options.txt`."""
    rows = {}
    for line in REASONS.read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            name, _, reason = line.partition("\t")
            rows[name] = reason.strip()
    return rows


def reason_of(field: str, known: dict[str, str]) -> str:
    """The reason for a field, or for that name in any message (`*.field`)."""
    return known.get(field) or known.get(f"*.{field.rpartition('.')[2]}", "")


def page(statuses: dict[str, tuple[str, str]]) -> str:
    """The text of `docs/config_options.md`."""
    known, lines, before = reasons(), [HEAD], ""
    for name, (status, error) in statuses.items():
        message, _, field = name.rpartition(".")
        if message != before:
            lines += [f"## {message}\n", "| field | | |", "|---|---|---|"]
            before = message
        why = reason_of(name, known) if status == "no effect" else _stable(error)
        lines.append(f"| `{field}` | {status} | {why} |")
        lines.append("") if _last_of(message, name, statuses) else None
    lines.append("## Other messages\n")
    lines += [f"* `{name}.proto`: {why}" for name, why in ELSEWHERE.items()]
    return "\n".join(lines) + "\n"


def _last_of(message: str, name: str, statuses: dict[str, Any]) -> bool:
    return [key for key in statuses if key.rpartition(".")[0] == message][-1] == name


def _stable(error: str) -> str:
    """An error on one line, without the bars that end a cell."""
    return " ".join(error.split()).replace("|", "/")


def _write() -> None:
    import tempfile

    tf.disable_v2_behavior()
    tf.enable_resource_variables()
    with tempfile.TemporaryDirectory() as folder:
        PAGE.write_text(page(all_statuses(pathlib.Path(folder))), encoding="utf-8")


if __name__ == "__main__":
    _write()
