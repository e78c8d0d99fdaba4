"""Further inputs of an exported graph, as flags describe them."""

import tensorflow.compat.v1 as tf

from object_detection.errors import ConfigError

_SIDE_INPUT_TYPES = {"float": tf.float32, "int": tf.int32, "string": tf.string}


def parse_side_inputs(
    side_input_shapes_string: str | None,
    side_input_names_string: str | None,
    side_input_types_string: str | None,
) -> tuple[list[list[int | None]], list[str], list[tf.DType]]:
    """Shapes, names and types of side inputs from the text of flags.

    Args:
        side_input_shapes_string: sizes by commas, inputs by slashes, -1 for an open size:
            "1,-1/8".
        side_input_names_string: names by commas.
        side_input_types_string: by commas, each float, int, string or a TensorFlow type.

    Raises:
        ConfigError: one of them is empty or cannot be read, or they differ in number.
    """
    for name, text in (
        ("side_input_shapes", side_input_shapes_string),
        ("side_input_names", side_input_names_string),
        ("side_input_types", side_input_types_string),
    ):
        if not text:
            raise ConfigError(f"{name} must be given when side inputs are used.")
    try:
        shapes = [
            [None if int(size) == -1 else int(size) for size in shape.split(",")]
            for shape in str(side_input_shapes_string).split("/")
        ]
    except ValueError as error:
        raise ConfigError(
            f"side_input_shapes is {side_input_shapes_string!r}; give whole numbers by commas, and "
            "a slash between the inputs."
        ) from error
    names = str(side_input_names_string).split(",")
    types = [_side_input_type(name) for name in str(side_input_types_string).split(",")]
    if not len(shapes) == len(names) == len(types):
        raise ConfigError(
            f"Side inputs: {len(shapes)} shapes, {len(names)} names, {len(types)} types; give as "
            "many of each."
        )
    return shapes, names, types


def _side_input_type(name: str) -> tf.DType:
    plain = name.strip().removeprefix("tf.")
    try:
        return _SIDE_INPUT_TYPES.get(plain) or tf.as_dtype(plain)
    except TypeError as error:
        raise ConfigError(
            f"side_input_types: {name!r} is no type; use float, int, string or one of TensorFlow."
        ) from error
