"""What each program does once before it builds a graph: switches of the process, a quiet console."""

import os
import warnings


def prepare_tensorflow() -> None:
    """Imports TensorFlow in graph mode with resource variables, without its start-up chatter.

    Only entry points call this: it changes the whole process. What `TF_CPP_MIN_LOG_LEVEL` is set
    to outside stays.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    # tf-slim builds its layers by calls that Keras, not its users, is asked to replace.
    warnings.filterwarnings("ignore", message="`layer.apply` is deprecated")
    # Augmentations draw from the graph's seed on purpose: one seed repeats a whole training.
    warnings.filterwarnings("ignore", message="Seed .* from outer graph might be")
    import tensorflow.compat.v1 as tf

    tf.logging.set_verbosity(tf.logging.ERROR)
    tf.disable_v2_behavior()
    tf.enable_resource_variables()
