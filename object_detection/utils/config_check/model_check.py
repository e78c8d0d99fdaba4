"""What in a `DetectionModel` message contradicts itself, is missing or is not available.

Part of `config_check`; builders use it too. Needs no TensorFlow.
"""

import math
import sys
from collections.abc import Iterator
from typing import Any

from object_detection.utils.config_check import (
    config_ranges,
    detection_check,
    maps_check,
    parts_check,
)
from object_detection.utils.wording import did_you_mean, quoted

IMPLEMENTED = {
    "model": ("ssd", "faster_rcnn"),
    "box_coder": (
        "faster_rcnn_box_coder",
        "keypoint_box_coder",
        "mean_stddev_box_coder",
        "square_box_coder",
    ),
    "matcher": ("argmax_matcher", "bipartite_matcher"),
    "anchor_generator": (
        "grid_anchor_generator",
        "ssd_anchor_generator",
        "multiscale_anchor_generator",
        "flexible_grid_anchor_generator",
    ),
    "box_predictor": ("convolutional_box_predictor", "weight_shared_convolutional_box_predictor"),
}


# What a model cannot do without: path -> the oneof of which one must be set.
_NEEDED = {
    "ssd": {
        "image_resizer": "image_resizer_oneof",
        "similarity_calculator": "region_similarity",
        "loss.classification_loss": "classification_loss",
        "loss.localization_loss": "localization_loss",
    },
    "faster_rcnn": {"image_resizer": "image_resizer_oneof"},
}

# Feature extractors of this package. Who adds others has imported the builders' table, which then is
# the one that counts.
EXTRACTORS = {
    "ssd": (
        "embedded_ssd_mobilenet_v1",
        "ssd_inception_v2",
        "ssd_inception_v3",
        "ssd_mobiledet_cpu",
        "ssd_mobiledet_dsp",
        "ssd_mobiledet_edgetpu",
        "ssd_mobiledet_gpu",
        "ssd_mobilenet_edgetpu",
        "ssd_mobilenet_v1",
        "ssd_mobilenet_v1_fpn",
        "ssd_mobilenet_v1_ppn",
        "ssd_mobilenet_v2",
        "ssd_mobilenet_v2_fpn",
        "ssd_mobilenet_v2_mnasfpn",
        "ssd_mobilenet_v3_large",
        "ssd_mobilenet_v3_small",
        "ssd_resnet101_v1_fpn",
        "ssd_resnet101_v1_ppn",
        "ssd_resnet152_v1_fpn",
        "ssd_resnet152_v1_ppn",
        "ssd_resnet50_v1_fpn",
        "ssd_resnet50_v1_ppn",
        "ssd_spaghettinet",
    ),
    "faster_rcnn": (
        "faster_rcnn_inception_resnet_v2",
        "faster_rcnn_inception_v2",
        "faster_rcnn_mobilenet_v1",
        "faster_rcnn_resnet101",
        "faster_rcnn_resnet152",
        "faster_rcnn_resnet50",
    ),
}
_MOST_NAMES = 12
_BUILDERS = "object_detection.builders.model_builder"
_TABLES = {
    "ssd": "SSD_FEATURE_EXTRACTOR_CLASS_MAP",
    "faster_rcnn": "FASTER_RCNN_FEATURE_EXTRACTOR_CLASS_MAP",
}

_KERAS = "it belongs to extractors made of Keras layers"
# Fields of the interface that nothing here can do, wherever they stand: a reason, or "".
_REFUSED = {
    "Ssd.mask_head_config": "",
    "SsdFeatureExtractor.bifpn": _KERAS,
    "SsdFeatureExtractor.use_hardswish": _KERAS,
    "SsdFeatureExtractor.replace_preprocessor_with_placeholder": "",
    "Hyperparams.force_use_bias": "a normalised slim layer has no bias",
    "Initializer.keras_initializer_by_name": "layers here are slim's",
    "WeightSharedConvolutionalBoxPredictor.apply_conv_hyperparams_to_heads": "",
    "WeightSharedConvolutionalBoxPredictor.apply_conv_hyperparams_pointwise": "",
    "MaskRCNNBoxPredictor.predict_keypoints": "nothing says how many there are",
    "FasterRcnn.context_config": "there is no Context R-CNN",
    "FasterRcnn.inplace_batchnorm_update": "",
    "FasterRcnnFeatureExtractor.conv_hyperparams": _KERAS,
    "FasterRcnnFeatureExtractor.fpn": _KERAS,
    "FasterRcnnFeatureExtractor.override_base_feature_extractor_hyperparams": _KERAS,
}


def problems(model: Any) -> Iterator[str]:
    """What is wrong with a `DetectionModel` message."""
    case = model.WhichOneof("model")
    if case not in IMPLEMENTED["model"]:
        yield (
            f"model.{case}: not available; use model.ssd or model.faster_rcnn."
            if case
            else "model: nothing is set; give ssd { ... } or faster_rcnn { ... }."
        )
        return
    architecture, where = getattr(model, case), f"model.{case}"
    if architecture.num_classes < 1:
        yield f"{where}.num_classes: is {architecture.num_classes}, must be at least 1."
    yield from _needed_problems(architecture, where, case)
    yield from _extractor_problems(architecture.feature_extractor.type, where, case)
    yield from (_ssd_problems if case == "ssd" else _two_stage_problems)(architecture)
    yield from parts_check.problems(architecture, where)
    yield from _refused(architecture, where)


def _needed_problems(architecture: Any, where: str, case: str) -> Iterator[str]:
    for path, oneof in _NEEDED[case].items():
        message = architecture
        for name in path.split("."):
            message = getattr(message, name)
        if not message.WhichOneof(oneof):
            yield f"{where}.{path}: {nothing_is_set(message, oneof)}"


def nothing_is_set(message: Any, oneof: str) -> str:
    """The end of a message about a part that is missing: what there is to choose from."""
    names = sorted(field.name for field in message.DESCRIPTOR.oneofs_by_name[oneof].fields)
    more = f" and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else ""
    return f"nothing is set; choose one of: {', '.join(names[:_MOST_NAMES])}{more}."


def _extractor_problems(name: str, where: str, case: str) -> Iterator[str]:
    known = sorted(getattr(sys.modules.get(_BUILDERS), _TABLES[case], EXTRACTORS[case]))
    if name not in known:
        found = f"{quoted(name)} is not known." if name else "is not set."
        yield (
            f"{where}.feature_extractor.type: {found}{did_you_mean(name, known)} Allowed: "
            f"{', '.join(known)}."
        )


def _refused(message: Any, where: str) -> Iterator[str]:
    """Fields that are set and not available, in a message and those within it."""
    kind = config_ranges.short_name(message.DESCRIPTOR)
    for field, value in message.ListFields():
        path = f"{where}.{field.name}"
        why = _REFUSED.get(f"{kind}.{field.name}")
        if why is not None and (field.message_type or value):
            yield f"{path}: not available{f': {why}' if why else ''}; leave it out."
        elif field.message_type and not field.message_type.GetOptions().map_entry:
            repeated = isinstance(field.default_value, list)
            for number, one in enumerate(value if repeated else [value]):
                yield from _refused(one, f"{path}[{number}]" if repeated else path)


def _ssd_problems(ssd: Any) -> Iterator[str]:
    for name, part in _parts(ssd):
        if part not in IMPLEMENTED[name]:
            allowed = ", ".join(IMPLEMENTED[name])
            yield f"model.ssd.{name}: {part or 'nothing'} is not available; allowed: {allowed}."
    if ssd.loss.equalization_loss.weight:
        yield "model.ssd.loss.equalization_loss.weight: not available; leave it out, or set it to 0."
    if ssd.add_background_class and ssd.explicit_background_class:
        yield (
            "model.ssd.explicit_background_class: excludes add_background_class, which is true unless "
            "it is set to false."
        )
    if ssd.feature_extractor.type in EXTRACTORS["ssd"]:
        yield from maps_check.problems(ssd)
    yield from code_size_problems(ssd)
    yield from keypoint_loss_problems(ssd.loss, num_keypoints(ssd))
    yield from detection_check.box_loss_problems(ssd.loss, num_keypoints(ssd))
    yield from detection_check.blending_problems(
        ssd.post_processing.batch_non_max_suppression,
        "model.ssd.post_processing.batch_non_max_suppression",
    )


def _parts(ssd: Any) -> list[tuple[str, str | None]]:
    return [
        ("box_coder", ssd.box_coder.WhichOneof("box_coder_oneof")),
        ("matcher", ssd.matcher.WhichOneof("matcher_oneof")),
        ("anchor_generator", ssd.anchor_generator.WhichOneof("anchor_generator_oneof")),
        ("box_predictor", ssd.box_predictor.WhichOneof("box_predictor_oneof")),
    ]


def _two_stage_problems(config: Any) -> Iterator[str]:
    where = "model.faster_rcnn"
    if config.number_of_stages not in (1, 2, 3):
        yield f"{where}.number_of_stages: is {config.number_of_stages}; allowed: 1, 2, 3."
    if config.feature_extractor.first_stage_features_stride not in (8, 16):
        yield (
            f"{where}.feature_extractor.first_stage_features_stride: is "
            f"{config.feature_extractor.first_stage_features_stride}; allowed: 8 or 16."
        )
    generator = config.first_stage_anchor_generator.WhichOneof("anchor_generator_oneof")
    if generator != "grid_anchor_generator":
        yield (
            f"{where}.first_stage_anchor_generator: {generator or 'nothing'} is not available; "
            "allowed: grid_anchor_generator."
        )
    predictor = config.second_stage_box_predictor.WhichOneof("box_predictor_oneof")
    allowed = ["mask_rcnn_box_predictor", "rfcn_box_predictor"]
    if config.number_of_stages > 1 and predictor not in allowed:
        yield (
            f"{where}.second_stage_box_predictor: {predictor or 'nothing'} is not available; "
            f"allowed: {', '.join(allowed)}."
        )
    if predictor != "rfcn_box_predictor" and config.number_of_stages > 1:
        for name in ("initial_crop_size", "maxpool_kernel_size", "maxpool_stride"):
            if getattr(config, name) < 1:
                yield f"{where}.{name}: is {getattr(config, name)}, must be at least 1."
    yield from detection_check.blending_problems(
        config.second_stage_post_processing.batch_non_max_suppression,
        f"{where}.second_stage_post_processing.batch_non_max_suppression",
    )


def code_size_problems(ssd: Any) -> Iterator[str]:
    """What does not fit of the box coder and the predictor of an `Ssd` message."""
    coder = ssd.box_coder.WhichOneof("box_coder_oneof")
    predictor = ssd.box_predictor.WhichOneof("box_predictor_oneof")
    if not coder or not predictor:
        return
    keypoints = num_keypoints(ssd)
    size = getattr(getattr(ssd.box_predictor, predictor), "box_code_size", None)
    if coder == "keypoint_box_coder" and keypoints < 1:
        yield "model.ssd.box_coder.keypoint_box_coder.num_keypoints: must be at least 1."
    if coder == "square_box_coder":
        if size not in (None, 3):
            yield f"model.ssd.box_predictor.{predictor}.box_code_size: is {size}, but {coder} needs 3."
    elif size is not None and size != 4 + 2 * keypoints:
        yield (
            f"model.ssd.box_predictor.{predictor}.box_code_size: is {size}, but {coder} with "
            f"{keypoints} keypoints needs 4 + 2 * {keypoints} = {4 + 2 * keypoints}."
        )


def num_keypoints(ssd: Any) -> int:
    """K of an `Ssd` message; 0 without a keypoint coder, and of a `FasterRcnn` message."""
    if not hasattr(ssd, "box_coder"):
        return 0
    if ssd.box_coder.WhichOneof("box_coder_oneof") != "keypoint_box_coder":
        return 0
    return int(ssd.box_coder.keypoint_box_coder.num_keypoints)


def keypoint_loss_problems(loss: Any, keypoints: int) -> Iterator[str]:
    """What is wrong with the keypoint loss of an SSD's `Loss` message, if it has one.

    Args:
        loss: the message.
        keypoints: K of the box coder; 0 if its codes hold no keypoints.
    """
    if not loss.HasField("keypoint_loss"):
        return
    config, where = loss.keypoint_loss, "model.ssd.loss.keypoint_loss"
    if not keypoints:
        yield (
            f"{where}: needs codes that hold keypoints; set model.ssd.box_coder.keypoint_box_coder "
            "with its num_keypoints, or leave keypoint_loss out."
        )
        return
    positive = [("weight", config.weight)]
    kind = config.WhichOneof("kind")
    if kind == "huber":
        positive.append(("huber.delta", config.huber.delta))
    if kind == "wing":
        positive.append(("wing.width", config.wing.width))
        positive.append(("wing.curvature", config.wing.curvature))
    if config.HasField("visibility"):
        positive.append(("visibility.weight", config.visibility.weight))
    for name, value in positive:
        # Not `value <= 0`: NaN fails every comparison.
        if not 0 < value < math.inf:
            yield f"{where}.{name}: is {value:g}, must be a number above 0."
    if not 0 <= config.occluded_weight < math.inf:
        yield f"{where}.occluded_weight: is {config.occluded_weight:g}, must be 0 or more."
    weights = [float(one) for one in config.per_keypoint_weights]
    if weights:
        name = f"{where}.per_keypoint_weights"
        yield from _count_problems(name, len(weights), keypoints)
        if not (all(0 <= one < math.inf for one in weights) and any(weights)):
            yield f"{name}: {weights} should be numbers of 0 or more, and not all 0."
    if kind == "oks" and config.oks.sigmas:
        sigmas = [float(one) for one in config.oks.sigmas]
        yield from _count_problems(f"{where}.oks.sigmas", len(sigmas), keypoints)
        if not all(0 < one < 1 for one in sigmas):
            shown = ", ".join(f"{one:g}" for one in sigmas)
            yield (
                f"{where}.oks.sigmas: [{shown}] should be shares of the box's size, above 0 and "
                "below 1."
            )


def _count_problems(name: str, count: int, keypoints: int) -> Iterator[str]:
    if count != keypoints:
        yield (
            f"{name}: has {count} numbers, but model.ssd.box_coder.keypoint_box_coder.num_keypoints "
            f"is {keypoints}; give one for each keypoint, or none."
        )
