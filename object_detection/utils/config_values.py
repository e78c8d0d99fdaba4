"""Values of single fields as text format writes them. Needs no TensorFlow."""

from collections.abc import Callable
from typing import Any

from google.protobuf import text_format
from google.protobuf.descriptor import FieldDescriptor

from object_detection.utils.wording import did_you_mean, quoted

_WHOLE = {
    FieldDescriptor.CPPTYPE_INT32: (True, 32),
    FieldDescriptor.CPPTYPE_UINT32: (False, 32),
    FieldDescriptor.CPPTYPE_INT64: (True, 64),
    FieldDescriptor.CPPTYPE_UINT64: (False, 64),
}
_NUMBERS = (FieldDescriptor.CPPTYPE_FLOAT, FieldDescriptor.CPPTYPE_DOUBLE)


def example(field: Any) -> str:
    """A value that a field can have."""
    if field.enum_type:
        return str(field.enum_type.values[0].name)
    if field.cpp_type == FieldDescriptor.CPPTYPE_BOOL:
        return "true"
    if field.cpp_type == FieldDescriptor.CPPTYPE_STRING:
        return '"..."'
    return "1" if field.cpp_type in _WHOLE else "0.5"


def value(field: Any, written: str) -> tuple[Any, str]:
    """The value of a scalar as it is written, and what is wrong with it."""
    found = quoted(written)
    if field.enum_type:
        names = list(field.enum_type.values_by_name)
        return _parsed(
            lambda: text_format.ParseEnum(field, written),
            f"{found} is unknown.{did_you_mean(written, names)} Allowed: {', '.join(names)}.",
        )
    if field.cpp_type == FieldDescriptor.CPPTYPE_BOOL:
        return _parsed(lambda: text_format.ParseBool(written), f"is {found}; write true or false.")
    if field.cpp_type == FieldDescriptor.CPPTYPE_STRING:
        return written, _wrong_in_quotes(written)
    if field.cpp_type in _NUMBERS:
        return _parsed(lambda: text_format.ParseFloat(written), f"{found} is not a number.")
    signed, bits = _WHOLE[field.cpp_type]
    least = -(2 ** (bits - 1)) if signed else 0
    most = 2 ** (bits - 1) - 1 if signed else 2**bits - 1
    return _parsed(
        lambda: text_format.ParseInteger(written, is_signed=signed, is_long=bits == 64),
        f"is {found}; give a whole number from {least} to {most}.",
    )


def _parsed(parse: Callable[[], Any], otherwise: str) -> tuple[Any, str]:
    try:
        return parse(), ""
    except ValueError:
        return None, otherwise


def _wrong_in_quotes(written: str) -> str:
    if written[:1] not in ('"', "'"):
        return f"is {quoted(written)}; write text in quotes."
    if len(written) < 2 or written[-1] != written[0]:
        return f"{quoted(written)} has no closing quote."
    return ""
