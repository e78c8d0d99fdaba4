"""How large a graph is, and how much work one run of it is."""

import logging
from typing import NamedTuple

import tensorflow.compat.v1 as tf

logger = logging.getLogger(__name__)


class Profile(NamedTuple):
    """Size of a graph and work of one run."""

    num_parameters: int  # of trainable variables, without those of batch normalisation
    num_float_operations: int  # where shapes are known


def profile_inference_graph(graph: tf.Graph) -> Profile:
    """Counts parameters and floating-point operations of a graph, and logs both.

    Batch normalisation does not count: it disappears in the weights before it. Operations whose
    shapes are open count as nothing, so build the graph with a full `input_shape`.
    """
    options = tf.profiler.ProfileOptionBuilder
    parameters = tf.profiler.profile(
        graph,
        options=options(options.trainable_variables_parameter())
        .with_node_names(hide_name_regexes=[".*BatchNorm.*"])
        .with_empty_output()
        .build(),
    )
    operations = tf.profiler.profile(
        graph,
        options=options(options.float_operation())
        .with_node_names(
            hide_name_regexes=[
                ".*BatchNorm.*",
                ".*Initializer.*",
                ".*Regularizer.*",
                ".*BiasAdd.*",
            ]
        )
        .with_empty_output()
        .build(),
    )
    profile = Profile(int(parameters.total_parameters), int(operations.total_float_ops))
    logger.info("%d parameters, %d floating-point operations", *profile)
    return profile
