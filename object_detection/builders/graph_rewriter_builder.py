"""`graph_rewriter` message -> function that rewrites the graph of a model that stands."""

import logging
from collections.abc import Callable
from typing import Any

from object_detection.utils import quantization

logger = logging.getLogger(__name__)


def build(graph_rewriter_config: Any, is_training: bool) -> Callable[[], None]:
    """Builds what a `GraphRewriter` message says.

    Args:
        graph_rewriter_config: the message. A message without `quantization` has its defaults.
        is_training: whether the graph is one of training, which learns the ranges and waits for
            the delay, or one that reads them.

    Returns:
        A function without parameters that rewrites the default graph; it is to be called after
        the model has been built and before gradients are taken.

    Raises:
        ConfigError: by the function; numbers of bits outside 2 to 16.
    """
    config = graph_rewriter_config.quantization
    settings = quantization.Settings(
        weight_bits=config.weight_bits,
        activation_bits=config.activation_bits,
        symmetric=config.symmetric,
        delay=config.delay,
        is_training=is_training,
    )

    def graph_rewrite_fn() -> None:
        layers = quantization.quantize_default_graph(settings)
        logger.info("quantised %d layers", len(layers))

    return graph_rewrite_fn
