"""Text format with positions: all that is wrong in a text, and the line of each field.

`google.protobuf.text_format` stops at the first mistake and forgets lines; this module goes through
the text by its tokens first, so that a user sees all mistakes at once and contradictions found
later can name a line. Needs no TensorFlow.

A path is the names of fields from the pipeline on, with numbers where they are repeated:
`train_config.data_augmentation_options[0].random_rotation.min_angle`.
"""

import contextlib
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from google.protobuf import text_format
from google.protobuf.descriptor import FieldDescriptor

from object_detection.protos import pipeline_pb2
from object_detection.utils import config_values
from object_detection.utils.wording import did_you_mean, quoted

_ROOT = pipeline_pb2.TrainEvalPipelineConfig.DESCRIPTOR
_PATH = re.compile(r"[a-z_]\w*(?:\.\w+|\[\d+\])*")
_CLOSING = {"{": "}", "<": ">"}
# More would be of little help, and one mistake often makes others.
_MOST_PROBLEMS = 20


def path_of(problem: str) -> str:
    """The path of a pipeline's field with which a problem begins; "" if it begins otherwise."""
    match = _PATH.match(problem)
    if not match or re.split(r"[.\[]", match[0])[0] not in _ROOT.fields_by_name:
        return ""
    return match[0]


class Places:
    """In which text and line each field stands."""

    def __init__(self) -> None:
        self._found: dict[str, tuple[str, int]] = {}
        self._counts: dict[str, int] = {}

    def add(self, path: str, source: str, line: int) -> None:
        """Notes a value, which replaces one of an earlier text."""
        self._found[path] = (source, line)

    def add_first(self, path: str, source: str, line: int) -> None:
        """Notes a message, to which a later text only adds; line 0 means the text as a whole."""
        self._found.setdefault(path, (source, line))

    def add_one_more(self, path: str, source: str, line: int) -> str:
        """Notes an entry of a repeated field; returns its path."""
        number = self._counts.get(path, 0)
        self._counts[path] = number + 1
        self.add_first(path, source, line)
        self.add(f"{path}[{number}]", source, line)
        return f"{path}[{number}]"

    def of(self, path: str) -> str:
        """`file:line` of a field, else of the nearest message around it; "" if nothing is known."""
        source, line = self._nearest(path)
        return f"{source}:{line}" if line else source

    def _nearest(self, path: str) -> tuple[str, int]:
        while path not in self._found:
            if not path:
                return "", 0
            path = path[: max(path.rfind("."), path.rfind("["), 0)]
        return self._found[path]

    def located(self, problems: Iterable[str]) -> list[str]:
        """Puts `file:line: ` before each problem that begins with the path of a field.

        Returns:
            The problems in the order of files and lines; those without one are last.
        """
        found = []
        for problem in problems:
            path = path_of(problem)
            source, line = self._nearest(path) if path else ("", 0)
            place = f"{source}:{line}" if line else source
            found.append((source == "", source, line, f"{place}: {problem}" if place else problem))
        return [text for *_, text in sorted(found, key=lambda row: row[:3])]


class Problem(NamedTuple):
    """Something in a text that cannot be what was meant."""

    line: int
    text: str


def in_words(found: Sequence[Problem], source: str, title: str) -> str:
    """Problems of a text, one on a line; below a title if there are several.

    Args:
        found: the problems.
        source: the file.
        title: what to say of the file.
    """
    lines = [f"{source}:{line}: {text}" if line else f"{source}: {text}" for line, text in found]
    return lines[0] if len(lines) == 1 else "\n  ".join([f"{source}: {title}:", *lines])


class _Unreadable(Exception):
    """What follows in the text cannot be understood."""


class _Once(NamedTuple):
    """What was set, for what may be set only once."""

    line: int
    name: str
    value: Any


class _Walk:
    """One way through a text."""

    def __init__(self, text: str, source: str, places: Places) -> None:
        self.problems: list[Problem] = []
        self._line = 0
        self._tokens = text_format.Tokenizer(self._counted(text.split("\n")))
        self._source = source
        self._places = places
        self._once: dict[tuple[str, str], _Once] = {}
        self._around: list[tuple[Any, str]] = []

    @property
    def _token(self) -> str:
        return str(self._tokens.token)

    def _counted(self, lines: list[str]) -> Iterator[str]:
        """The lines; the tokenizer takes one when it needs it, so that the last has the token."""
        for line in lines:
            self._line += 1
            yield line

    def _take(self) -> tuple[str, int]:
        token, line = self._token, self._line
        self._tokens.NextToken()
        return token, line

    def _add(self, line: int, text: str) -> None:
        self.problems.append(Problem(line, text))
        if len(self.problems) >= _MOST_PROBLEMS:
            raise _Unreadable

    def _stop(self, line: int, text: str) -> _Unreadable:
        self.problems.append(Problem(line, text))
        return _Unreadable()

    def message(self, descriptor: Any, path: str, opening: str = "", opened: int = 0) -> None:
        """The fields of a message up to its end."""
        closing = _CLOSING.get(opening, "")
        self._around.append((descriptor, path))
        while True:
            token, line = self._token, self._line
            if not token:
                if closing:
                    raise self._stop(
                        opened,
                        f"{path}: the {opening} of this line is never closed; add a {closing}.",
                    )
                break
            if token == closing:
                self._take()
                break
            if token in _CLOSING.values():
                inside = f"in {path} " if path else ""
                raise self._stop(line, f"{token!r} {inside}closes nothing; leave it out.")
            self._field(descriptor, path)
            if self._token in (",", ";"):
                self._take()
        self._around.pop()

    def _field(self, descriptor: Any, within: str) -> None:
        name, line = self._take()
        path = f"{within}.{name}" if within else name
        if not re.fullmatch(r"\w+", name):
            where = f"{within}: " if within else ""
            raise self._stop(line, f"{where}{quoted(name)} stands where a name of a field should.")
        field = descriptor.fields_by_name.get(name)
        if field is None:
            self._unknown(descriptor, within, name, line)
            self._skip_value(name, line)
            return
        if field.containing_oneof:
            self._only_one(field, within, path, line)
        colon = self._tokens.TryConsume(":")
        if self._token == "[":
            if not _is_repeated(field):
                self._add(line, f"{path}: takes one value, not a list.")
            self._list(field, path)
        elif field.message_type:
            self._submessage(field, path, line)
        else:
            if not colon and self._token not in _CLOSING:
                self._add(line, f"{path}: a ':' is missing after {name}.")
            self._scalar(field, path, line)

    def _list(self, field: Any, path: str) -> None:
        _, opened = self._take()
        while self._token != "]":
            if not self._token or self._token in _CLOSING.values():
                raise self._stop(opened, f"{path}: the [ of this line is never closed; add a ].")
            if field.message_type:
                self._submessage(field, path, self._line)
            else:
                self._scalar(field, path, self._line)
            if not self._tokens.TryConsume(",") and self._token != "]":
                raise self._stop(
                    self._line, f"{path}: {quoted(self._token)} stands where ',' or ']' should."
                )
        self._take()

    def _submessage(self, field: Any, path: str, line: int) -> None:
        path = self._note(field, path, line)
        opening, opened = self._token, self._line
        if opening not in _CLOSING:
            self._add(line, f"{path}: is a message; write {field.name} {{ ... }}.")
            self._skip_scalar(field.name, line)
            return
        self._take()
        self.message(field.message_type, path, opening, opened)

    def _note(self, field: Any, path: str, line: int) -> str:
        if _is_repeated(field):
            return self._places.add_one_more(path, self._source, line)
        add = self._places.add_first if field.message_type else self._places.add
        add(path, self._source, line)
        return path

    def _only_one(self, field: Any, within: str, path: str, line: int) -> None:
        """Refuses the second of two fields of which a message has only one."""
        key = (within, f"one of {field.containing_oneof.name}")
        before = self._once.setdefault(key, _Once(line, field.name, None))
        if before.name != field.name:
            self._add(
                line,
                f"{path}: excludes {before.name} of line {before.line}; leave one of them out.",
            )

    def _scalar(self, field: Any, path: str, line: int) -> None:
        if self._token in _CLOSING:
            self._add(
                line, f"{path}: is no message; write {field.name}: {config_values.example(field)}."
            )
            self._skip_value(field.name, line)
            return
        if not self._token or self._token in _CLOSING.values():
            self._add(
                line,
                f"{path}: its value is missing; write {field.name}: {config_values.example(field)}.",
            )
            return
        at, written = self._line, self._written(field)
        value, wrong = config_values.value(field, written)
        noted = self._note(field, path, at)
        if wrong:
            self._add(at, f"{noted}: {wrong}")
        elif not _is_repeated(field):
            this = _Once(at, field.name, value)
            before = self._once.setdefault((path, "value"), this)
            # NaN equals nothing, not even itself.
            if before is not this and before.value != value:
                self._add(
                    at,
                    f"{path}: was set to another value in line {before.line}; leave one of them out.",
                )

    def _written(self, field: Any) -> str:
        written, _ = self._take()
        if field.cpp_type == FieldDescriptor.CPPTYPE_STRING and written[:1] in "\"'":
            while self._token[:1] in ('"', "'"):  # texts side by side are one
                written += self._take()[0]
        return written

    def _unknown(self, descriptor: Any, within: str, name: str, line: int) -> None:
        kind = descriptor.name
        text = f"{within + ': ' if within else ''}{quoted(name, 60)} is no field of {kind}."
        for outer, path in reversed(self._around[:-1]):
            if name in outer.fields_by_name:
                where = f"in {path}" if path else "outside of all other fields"
                # All that follows would be taken for fields of the wrong message.
                raise self._stop(line, f"{text} It belongs {where}: is a '}}' missing above?")
        hint = did_you_mean(name, descriptor.fields_by_name)
        if not hint:
            hint = _elsewhere(name, self._around[0][0])
        self._add(line, text + hint)

    def _skip_value(self, name: str, line: int) -> None:
        self._tokens.TryConsume(":")
        if self._token in ("{", "<", "["):
            self._skip_block()
        else:
            self._skip_scalar(name, line)

    def _skip_scalar(self, name: str, line: int) -> None:
        token = self._token
        if not token or token in _CLOSING.values() or token == "]":
            return
        if re.match(r"[^\w\"'.+-]", token):
            raise self._stop(line, f"{quoted(token)} stands where the value of {name} should.")
        quote = token[0] in "\"'"
        self._take()
        while quote and self._token[:1] in ('"', "'"):
            self._take()

    def _skip_block(self) -> None:
        """Passes by a message or list of unknown content; without recursion, however deep."""
        opening, opened = self._take()
        depth = 1
        while depth:
            token, _ = self._take()
            if not token:
                raise self._stop(opened, f"the {opening} of this line is never closed.")
            depth += (token in ("{", "<", "[")) - (token in ("}", ">", "]"))


def _is_repeated(field: Any) -> bool:
    return isinstance(field.default_value, list)


def _messages(descriptor: Any) -> Iterator[tuple[str, Any]]:
    """Path and descriptor of a message and of those within it, each kind once."""
    seen = {descriptor.full_name}
    waiting = [("", descriptor)]
    while waiting:
        path, kind = waiting.pop(0)
        yield path, kind
        for field in kind.fields:
            if field.message_type and field.message_type.full_name not in seen:
                seen.add(field.message_type.full_name)
                waiting.append((f"{path}.{field.name}" if path else field.name, field.message_type))


def _elsewhere(name: str, descriptor: Any) -> str:
    """Where a field of that name is; else the nearest name of all."""
    kinds = list(_messages(descriptor))
    for path, kind in kinds:
        if name in kind.fields_by_name:
            return f" It is a field of {kind.name}{f' ({path})' if path else ''}."
    return did_you_mean(name, {field for _, kind in kinds for field in kind.fields_by_name})


def problems(
    text: str, descriptor: Any, source: str, places: Places, prefix: str = ""
) -> list[Problem]:
    """Goes through a text.

    Args:
        text: in text format.
        descriptor: of the message that it holds.
        source: the file, for messages.
        places: gets the line of each field.
        prefix: path of the message in the pipeline.

    Returns:
        Unknown names, values of a wrong type, fields that exclude each other, and brackets that do
        not match; at most 20.
    """
    places.add_first(prefix, source, 0)
    walk = _Walk(text, source, places)
    with contextlib.suppress(_Unreadable):
        walk.message(descriptor, prefix)
    return walk.problems
