"""What in an `InputReader` message does not fit the model, or names files that are not there.

Part of `config_check`. Needs no TensorFlow.
"""

from collections.abc import Iterator
from typing import Any

from object_detection.errors import ConfigError
from object_detection.protos import input_reader_pb2
from object_detection.utils import keypoint_config, label_map_util, small_files
from object_detection.utils.config_check import model_check

# What records may hold, but no model here has a use for.
_UNUSED_IN_READERS = (
    "load_context_features",
    "load_context_image_ids",
    "load_dense_pose",
    "load_track_id",
    "load_keypoint_depth_features",
    "keypoint_type_weight",
)


def problems(reader: Any, name: str, model: Any) -> Iterator[str]:
    """What is wrong with a reader of the training or of an evaluation.

    Args:
        reader: `InputReader` message.
        name: its path in the pipeline.
        model: `DetectionModel` message that it reads for.
    """
    architecture = getattr(model, model.WhichOneof("model"))
    keypoints = model_check.num_keypoints(architecture)
    if keypoints and reader.num_keypoints != keypoints:
        yield (
            f"{name}.num_keypoints: is {reader.num_keypoints}, but "
            f"model.ssd.box_coder.keypoint_box_coder.num_keypoints is {keypoints}; make them equal."
        )
    yield from _mask_problems(reader, name, model)
    for option in _UNUSED_IN_READERS:
        if getattr(reader, option):
            yield f"{name}.{option}: no model here uses it; leave it out."
    if reader.input_type == input_reader_pb2.TF_SEQUENCE_EXAMPLE:
        yield (
            f"{name}.input_type: TF_SEQUENCE_EXAMPLE is not read by this program; "
            "inputs.train_input and inputs.eval_input read it."
        )
    yield from _path_problems(reader, name)
    if reader.label_map_path:
        yield from _label_map_problems(reader, name, architecture.num_classes, keypoints)
    else:
        yield f"{name}.label_map_path: is not set."


def _wants_masks(model: Any) -> bool:
    return model.WhichOneof("model") == "faster_rcnn" and model.faster_rcnn.number_of_stages == 3


def _mask_problems(reader: Any, name: str, model: Any) -> Iterator[str]:
    """A third stage needs masks; nothing else has a use for them."""
    if _wants_masks(model) and not reader.load_instance_masks:
        yield (
            f"{name}.load_instance_masks: is not set, but model.faster_rcnn.number_of_stages is 3: "
            "the third stage learns masks. Set it to true."
        )
    if reader.load_instance_masks and not _wants_masks(model):
        yield f"{name}.load_instance_masks: no model of this config uses it; leave it out."


def _path_problems(reader: Any, name: str) -> Iterator[str]:
    case = reader.WhichOneof("input_reader")
    if case != "tf_record_input_reader":
        yield (
            f"{name}.{case or 'input_reader'}: "
            f"{'is not available' if case else 'is not set'}; use tf_record_input_reader "
            "{ input_path: ... }."
        )
        return
    where = f"{name}.tf_record_input_reader.input_path"
    paths = list(reader.tf_record_input_reader.input_path)
    if not paths:
        yield f"{where}: is empty."
    # TensorFlow reads from more file systems than Python does.
    reasons = ["" if "://" in path else small_files.no_match(path) for path in paths]
    for number, why in enumerate(reasons):
        if why:
            yield f"{where if len(paths) == 1 else f'{where}[{number}]'}: {why}"
    if paths and not any(reasons) and small_files.are_empty(paths):
        yield f"{where}: all files that match are empty; convert the data anew."
    weights = list(reader.sample_from_datasets_weights)
    if weights and len(weights) != len(paths):
        yield (
            f"{name}.sample_from_datasets_weights: has {len(weights)} weights, but there are "
            f"{len(paths)} input paths; give one for each."
        )
    elif weights and not any(weights):
        yield f"{name}.sample_from_datasets_weights: are all 0; give one above 0."


def _label_map_problems(reader: Any, name: str, num_classes: int, keypoints: int) -> Iterator[str]:
    field, path = f"{name}.label_map_path", reader.label_map_path
    try:
        label_map, places = label_map_util.load_with_places(path)
    except ConfigError as error:
        yield f"{field}: {str(error).removeprefix('label_map_path: ')}"
        return
    found = label_map_util.problems(label_map, places, path, num_classes)
    yield from (f"{field}: {problem}" for problem in found)
    if not keypoints:
        return
    try:
        labels = keypoint_config.label_map_schema(path)
    except ConfigError as error:
        if reader.use_keypoint_label_map:
            yield f"{field}: {error}"
        return  # else names are for people, and any will do
    if labels is not None and labels.size != keypoints:
        first = next(index for index, item in enumerate(label_map.item) if item.keypoints)
        place = places.of(f"item[{first}].keypoints") or path
        yield (
            f"{field}: {place} has {labels.size} keypoints, but "
            f"model.ssd.box_coder.keypoint_box_coder.num_keypoints is {keypoints}; make them equal, "
            "or leave the keypoints out of the label map."
        )
