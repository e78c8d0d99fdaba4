"""Which behaviour TensorFlow has been switched to, whatever its own version is."""

import tensorflow as tf2


def is_tf1() -> bool:
    """Whether the behaviour of TensorFlow 1 is on, as after `tf.disable_v2_behavior()`."""
    return not is_tf2()


def is_tf2() -> bool:
    """Whether the behaviour of TensorFlow 2 is on, the default of that version."""
    return bool(tf2.__internal__.tf2.enabled())
