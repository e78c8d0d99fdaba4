"""What differs between two configs, by the paths of fields."""

from collections.abc import Iterator
from typing import Any

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

_LONGEST = 60
# Of a field that is no list.
_ONE_VALUE = (int, float, str, bytes, Message)


def changes(old: Message, new: Message) -> list[str]:
    """One line for each field that differs: `train_config.batch_size: 16 -> 32`.

    A field that is not set has its default. In lists of messages those at the same place are
    compared.

    Args:
        old: a message.
        new: a message of the same type.
    """
    return [f"{path}: {before} -> {after}" for path, before, after in _changes(old, new, "")]


def _changes(old: Any, new: Any, path: str) -> Iterator[tuple[str, str, str]]:
    for field in old.DESCRIPTOR.fields:
        name = f"{path}.{field.name}" if path else field.name
        values = getattr(old, field.name), getattr(new, field.name)
        if not isinstance(values[0], _ONE_VALUE):
            yield from _changes_of_list(*values, name)
        elif field.message_type is None:
            if values[0] != values[1]:
                yield name, _word(field, values[0]), _word(field, values[1])
        else:
            had, has = old.HasField(field.name), new.HasField(field.name)
            if not (had or has):
                continue
            if had != has:
                yield name, _presence(had), _presence(has)
            yield from _changes(*values, name)


def _changes_of_list(old: Any, new: Any, name: str) -> Iterator[tuple[str, str, str]]:
    if any(isinstance(one, Message) for one in [*old, *new]):
        if len(old) != len(new):
            yield name, f"{len(old)} entries", f"{len(new)} entries"
        for place, (before, after) in enumerate(zip(old, new, strict=False)):
            yield from _changes(before, after, f"{name}[{place}]")
    elif list(old) != list(new):
        yield name, _short(str(list(old))), _short(str(list(new)))


def _presence(is_set: bool) -> str:
    return "set" if is_set else "absent"


def _word(field: FieldDescriptor, value: Any) -> str:
    if field.enum_type is not None:
        return str(field.enum_type.values_by_number[value].name)
    if isinstance(value, float):
        return f"{value:.7g}"
    return _short(repr(value))


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 3]}..."
