"""Records -> what a model takes.

`transform` makes one sample ready, `static_shapes` pads it, `input_functions` gives datasets of
(features, labels) as programs for the OD API use them, and `batches` those of the programs of
this package.
"""

from object_detection.inputs.batches import (
    NUM_BOXES_BEFORE_CUT,
    evaluation_dataset,
    provide_batch,
    training_dataset,
)
from object_detection.inputs.input_functions import (
    HASH_BINS,
    HASH_KEY,
    INPUT_BUILDER_UTIL_MAP,
    SERVING_FED_EXAMPLE_KEY,
    PredictInput,
    create_eval_input_fn,
    create_predict_input_fn,
    create_train_input_fn,
    eval_input,
    get_reduce_to_frame_fn,
    train_input,
)
from object_detection.inputs.static_shapes import pad_input_data_to_static_shapes
from object_detection.inputs.transform import (
    assert_or_prune_invalid_boxes,
    augment_input_data,
    convert_labeled_classes_to_k_hot,
    prune_unusable_boxes,
    select_rows,
    transform_input_data,
)
from object_detection.utils.label_map_util import LABEL_OFFSET as _LABEL_OFFSET

__all__ = [
    "HASH_BINS",
    "HASH_KEY",
    "INPUT_BUILDER_UTIL_MAP",
    "NUM_BOXES_BEFORE_CUT",
    "SERVING_FED_EXAMPLE_KEY",
    "_LABEL_OFFSET",
    "PredictInput",
    "assert_or_prune_invalid_boxes",
    "augment_input_data",
    "convert_labeled_classes_to_k_hot",
    "create_eval_input_fn",
    "create_predict_input_fn",
    "create_train_input_fn",
    "eval_input",
    "evaluation_dataset",
    "get_reduce_to_frame_fn",
    "pad_input_data_to_static_shapes",
    "provide_batch",
    "prune_unusable_boxes",
    "select_rows",
    "train_input",
    "training_dataset",
    "transform_input_data",
]
