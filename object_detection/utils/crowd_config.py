"""How many boxes a picture may have: said once, and what follows from it. Needs no TensorFlow."""

from collections.abc import Iterator
from typing import Any, NamedTuple

FIELD = "max_boxes_per_image"
_METRICS = ("max_detections", "oks_max_detections")
# Finding all boxes needs more proposals than boxes, and fewer detections in a metric than usual
# would only make it another metric.
_ROOMY = ("first_stage_max_proposals", *_METRICS)


class _Limit(NamedTuple):
    """A field that cuts boxes."""

    where: str
    message: Any
    field: str


def _suppression(where: str, post_processing: Any) -> Iterator[_Limit]:
    suppression = post_processing.batch_non_max_suppression
    where = f"{where}.batch_non_max_suppression"
    yield _Limit(where, suppression, "max_detections_per_class")
    yield _Limit(where, suppression, "max_total_detections")


def _limits(pipeline: Any) -> Iterator[_Limit]:
    case = pipeline.model.WhichOneof("model")
    if case == "ssd":
        where = "model.ssd.post_processing"
        yield from _suppression(where, pipeline.model.ssd.post_processing)
    elif case == "faster_rcnn":
        model = pipeline.model.faster_rcnn
        yield _Limit("model.faster_rcnn", model, "first_stage_max_proposals")
        where = "model.faster_rcnn.second_stage_post_processing"
        yield from _suppression(where, model.second_stage_post_processing)
    if pipeline.HasField("train_config"):
        yield _Limit("train_config", pipeline.train_config, "max_number_of_boxes")
    if pipeline.HasField("train_input_reader"):
        yield _Limit("train_input_reader", pipeline.train_input_reader, "max_number_of_boxes")
    for number, reader in enumerate(pipeline.eval_input_reader):
        yield _Limit(f"eval_input_reader[{number}]", reader, "max_number_of_boxes")
    if pipeline.HasField("eval_config") or pipeline.eval_input_reader:
        for field in _METRICS:
            yield _Limit("eval_config", pipeline.eval_config, field)


def complete(pipeline: Any) -> list[str]:
    """Sets the limits of boxes that a config leaves unset, in place, from its one setting.

    Limits whose default is roomier stay there. How many detections a metric looks at is set too,
    but may be set lower: some are compared with others' numbers.

    Args:
        pipeline: `TrainEvalPipelineConfig` message.

    Returns:
        The limits that are set and would cut boxes that the setting allows, with both places.
    """
    most = pipeline.max_boxes_per_image
    if not most:
        return []
    problems = []
    for where, message, field in _limits(pipeline):
        if not message.HasField(field):
            setattr(message, field, max(most, getattr(message, field)) if field in _ROOMY else most)
        elif getattr(message, field) < most and field not in _METRICS:
            problems.append(
                f"{where}.{field} is {getattr(message, field)}, but {FIELD} is {most}: boxes would "
                "be cut. Leave the field out, or raise it."
            )
    return problems


def training_limit(train_config: Any, input_config: Any) -> tuple[int, str]:
    """Boxes of a picture that training keeps, 0 for all, and the field that says so.

    Args:
        train_config: `TrainConfig` message; its field is the older one.
        input_config: `InputReader` message; its field wins where it is set.
    """
    if input_config.HasField("max_number_of_boxes"):
        return int(input_config.max_number_of_boxes), "train_input_reader.max_number_of_boxes"
    return int(train_config.max_number_of_boxes), "train_config.max_number_of_boxes"


def detection_limit(model_config: Any, eval_config: Any) -> tuple[int, str]:
    """Detections of a picture that an evaluation sees at most, and the field that says so.

    Args:
        model_config: `DetectionModel` message.
        eval_config: `EvalConfig` message.

    Returns:
        (0, "") of a model whose limits are not known.
    """
    limits = [
        (int(getattr(message, field)), f"{where}.{field}")
        for where, message, field in _detection_limits(model_config)
    ]
    if not limits:
        return 0, ""
    limits.append((int(eval_config.max_detections), "eval_config.max_detections"))
    return min(limits, key=lambda limit: limit[0])  # of equal ones the first


def _detection_limits(model_config: Any) -> Iterator[_Limit]:
    case = model_config.WhichOneof("model")
    if case not in ("ssd", "faster_rcnn"):
        return
    model = getattr(model_config, case)
    name = "post_processing" if case == "ssd" else "second_stage_post_processing"
    per_class, in_total = _suppression(f"model.{case}.{name}", getattr(model, name))
    if model.num_classes == 1:
        yield per_class
    yield in_total
