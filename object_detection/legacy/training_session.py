"""How TensorFlow is told to run the graph of a training."""

import tensorflow.compat.v1 as tf
from tensorflow.core.protobuf import rewriter_config_pb2

_Rewriter = rewriter_config_pb2.RewriterConfig


def session_config() -> tf.ConfigProto:
    """The config of the session of a training.

    A graph is optimised before its first run, in passes that take seconds for thousands of
    operations. Those that change nothing in a graph of this package are left out: a second round,
    moving tensors out of memory and back, and loops, of which there are none.
    """
    config = tf.ConfigProto(allow_soft_placement=True)
    options = config.graph_options.rewrite_options
    options.meta_optimizer_iterations = _Rewriter.ONE
    options.memory_optimization = _Rewriter.NO_MEM_OPT
    options.loop_optimization = _Rewriter.OFF
    return config
