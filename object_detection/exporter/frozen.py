"""What becomes of a frozen graph before it is written."""

import logging
from collections.abc import Collection

import tensorflow.compat.v1 as tf

from object_detection.utils.frozen_graph import bfloat16 as narrow
from object_detection.utils.frozen_graph import editing, folding, merging, pruning

logger = logging.getLogger(__name__)

# What an SSD decodes of all anchors. The first two are names of the OD API, which converters and
# other programs look for; at all of them the check of an export parts network and suppression.
DECODED = (
    "Postprocessor/raw_box_locations",
    "Postprocessor/raw_box_scores",
    "Postprocessor/raw_keypoint_locations",
    "Postprocessor/raw_keypoint_scores",
)


def for_inference(
    graph_def: tf.GraphDef, outputs: Collection[str], bfloat16: bool = False
) -> tf.GraphDef:
    """The graph without what only training needs; its results differ by rounding alone.

    Batch normalisation goes into the convolutions, predictors of one feature map become one
    convolution, what is constant becomes a constant (the anchors, where the size of the network's
    input is fixed), copies and checks that cannot fail go.

    Args:
        graph_def: with constants for variables.
        outputs: names of the nodes to keep.
        bfloat16: whether the convolutions, but for the last ones, compute in bfloat16.
    """
    names = {node.name for node in graph_def.node}
    graph = editing.FrozenGraph(graph_def, {*outputs, *names.intersection(DECODED)})
    pruning.prune(graph)
    folded = folding.fold_batch_norm(graph)
    graph.drop_unneeded()
    merged = merging.merge_small_convolutions(graph)
    lowered = narrow.use_bfloat16(graph) if bfloat16 else 0
    result = graph.graph_def()
    logger.debug(
        "frozen graph: %d of %d nodes; %d normalisations folded, %d convolutions merged, %d in "
        "bfloat16",
        len(result.node),
        len(graph_def.node),
        folded,
        merged,
        lowered,
    )
    return result
