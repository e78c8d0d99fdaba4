"""Names of classes in records -> ids of the label map."""

import functools
from typing import Any

import tensorflow.compat.v1 as tf
from tf_slim.data import tfexample_decoder as slim_example_decoder

from object_detection.utils import label_map_util

# What a name gets that the label map does not have; such boxes belong to no class.
UNKNOWN_ID = -1


def ids_by_name(label_map_proto_file: str) -> dict[str, int]:
    """Id of each name and of each display name of a label map.

    Where one text names two classes, the larger id counts.
    """
    label_map = label_map_util.load_labelmap(label_map_proto_file)
    ids: dict[str, int] = {}
    for use_display_name in (False, True):
        named = label_map_util.get_label_map_dict(label_map, use_display_name)
        for name, number in named.items():
            if name:
                ids[name] = max(number, ids.get(name, number))
    return ids


def lookup(ids: dict[str, int], names: tf.Tensor) -> tf.Tensor:
    """The ids of names, int64 in the shape of `names`; `UNKNOWN_ID` for a name without one."""
    table = tf.lookup.StaticHashTable(
        tf.lookup.KeyValueTensorInitializer(
            tf.constant(list(ids), tf.string), tf.constant(list(ids.values()), tf.int64)
        ),
        default_value=UNKNOWN_ID,
    )
    return table.lookup(names)


class ClassTensorHandler(slim_example_decoder.Tensor):
    """A tf-slim handler for a feature of class names; its item is their ids.

    Both the names and the display names of the label map are understood.
    """

    def __init__(
        self,
        tensor_key: str,
        label_map_proto_file: str,
        shape_keys: Any = None,
        shape: Any = None,
        default_value: str = "",
    ) -> None:
        """Takes the settings.

        Args:
            tensor_key: feature that holds the names.
            label_map_proto_file: label map.
            shape_keys: features that hold the shape of the item, if it is to be reshaped.
            shape: shape of the item, if it is fixed.
            default_value: name that fills a sparse feature up to a dense one.
        """
        self._ids = functools.partial(lookup, ids_by_name(label_map_proto_file))
        super().__init__(tensor_key, shape_keys, shape, default_value)

    def tensors_to_item(self, keys_to_tensors: dict[str, Any]) -> tf.Tensor:
        """The ids, int64; -1 for a name that the label map does not have."""
        return self._ids(super().tensors_to_item(keys_to_tensors))
