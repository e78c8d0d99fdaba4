"""`tf.train.Example` messages as bytes, for programs that need not wait for TensorFlow to load."""

from collections.abc import Mapping, Sequence

import numpy as np

from object_detection.protos import example_pb2


def example(features: Mapping[str, Sequence[bytes] | np.ndarray]) -> bytes:
    """An `Example`, serialised as TensorFlow does it deterministically.

    Args:
        features: byte strings (text has to be encoded), or an array [N] of floats, which are stored
            as float32, or of integers; by name.
    """
    message = example_pb2.Example()
    entries = message.features.feature
    for name in sorted(features):
        values = features[name]
        feature = entries.add(key=name.encode()).value
        if not isinstance(values, np.ndarray):
            feature.bytes_list.SetInParent()
            feature.bytes_list.value.extend(values)
        elif values.dtype.kind == "f":
            feature.float_list.SetInParent()
            feature.float_list.value.extend(values.tolist())
        else:
            feature.int64_list.SetInParent()
            feature.int64_list.value.extend(values.tolist())
    return bytes(message.SerializeToString())
