"""`InputReader` message -> what the reader asks of its records."""

from typing import Any

from object_detection.protos import input_reader_pb2
from object_detection.utils import label_map_util
from object_detection.utils.records.rules import Rules


def class_names(label_map_path: str, num_classes: int | None) -> frozenset[str]:
    """Names and display names of the classes that a model of `num_classes` has.

    Raises:
        ConfigError: the label map cannot be read.
    """
    label_map = label_map_util.load_labelmap(label_map_path)
    ids: dict[str, int] = {}
    for use_display_name in (False, True):
        for name, number in label_map_util.get_label_map_dict(label_map, use_display_name).items():
            if name:
                # Where one text names two classes, readers take the larger id.
                ids[name] = max(number, ids.get(name, number))
    return frozenset(
        name
        for name, number in ids.items()
        if number >= label_map_util.LABEL_OFFSET and (num_classes is None or number <= num_classes)
    )


def of_reader(
    reader: Any, num_classes: int | None, max_megapixels: float = Rules.max_megapixels
) -> Rules:
    """What a reader asks of its records.

    Args:
        reader: `InputReader` message.
        num_classes: of the model; None: any will do.
        max_megapixels: that a picture may have.

    Raises:
        ConfigError: the label map cannot be read.
    """
    masks = ""
    if reader.load_instance_masks:
        masks = "png" if reader.mask_type == input_reader_pb2.PNG_MASKS else "numbers"
    label_map = reader.label_map_path
    return Rules(
        num_keypoints=reader.num_keypoints,
        num_classes=num_classes,
        label_names=class_names(label_map, num_classes) if label_map else None,
        max_megapixels=max_megapixels,
        keypoint_names=reader.use_keypoint_label_map,
        keypoint_depths=reader.load_keypoint_depth_features,
        masks=masks,
        num_additional_channels=reader.num_additional_channels,
        multiclass_scores=reader.load_multiclass_scores,
        track_ids=reader.load_track_id,
        dense_pose=reader.load_dense_pose,
        context_features=reader.load_context_features,
        examples=reader.input_type != input_reader_pb2.TF_SEQUENCE_EXAMPLE,
    )
