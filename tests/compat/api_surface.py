"""Reads `api_surface.txt`, the list of public names of the OD API, and looks names up here.

Format of the list: `## path/of/module.py`, then one line a name: `def f(a, b=1)`,
`class C(Base)` followed by its indented members, `flag TYPE 'name' default=VALUE`, or a constant.
`left_out.txt` says what we do not have: `module` or `module:Class` or `module:Class.member`,
a tab, and the reason.

Run as a program, it prints what is wrong with each module, as JSON.
"""

import ast
import importlib
import inspect
import itertools
import json
import pathlib
import re
import sys
import types
from typing import Any, NamedTuple

HERE = pathlib.Path(__file__).resolve().parent


class Entry(NamedTuple):
    """One line of the list."""

    module: str  # dotted
    name: str  # `f`, `C`, `C.member`, or a flag's name
    kind: str  # function | class | method | property | value | flag
    detail: str  # parameters as text; a flag's `TYPE default`; a value's text, or ""

    @property
    def key(self) -> str:
        return f"{self.module}:{self.name}"


def entries() -> list[Entry]:
    """Every line of the list."""
    found = []
    module = owner = ""
    for line in (HERE / "api_surface.txt").read_text().splitlines():
        if line.startswith("## "):
            module, owner = line[3:].removesuffix(".py").replace("/", "."), ""
            continue
        if not line.strip():
            continue
        text = line.strip()
        prefix = f"{owner}." if line.startswith(" ") else ""
        if text.startswith("flag "):
            match = re.fullmatch(r"flag (\w+) '(\w+)' default=(.*)", text)
            found.append(Entry(module, match[2], "flag", f"{match[1]} {match[3]}"))
        elif text.startswith("class "):
            owner = re.match(r"class (\w+)", text)[1]
            found.append(Entry(module, owner, "class", ""))
        elif text.startswith("def "):
            name, parameters = re.fullmatch(r"def (\w+)\((.*)\)", text).groups()
            found.append(Entry(module, name, "function", parameters))
        elif text.startswith("@property "):
            name = re.match(r"@property (\w+)", text)[1]
            found.append(Entry(module, prefix + name, "property", ""))
        elif match := re.fullmatch(r"(?:@\w+ )?(\w+)\((.*)\)", text):
            found.append(Entry(module, prefix + match[1], "method", match[2]))
        else:
            name, _, value = text.partition(" = ")
            found.append(Entry(module, prefix + name, "value", value))
    return found


def left_out() -> dict[str, str]:
    """Pattern -> reason, of `left_out.txt`."""
    rows = {}
    for line in (HERE / "left_out.txt").read_text().splitlines():
        if line.strip() and not line.startswith("#"):
            pattern, _, reason = line.partition("\t")
            rows[pattern] = reason.strip()
    return rows


def covers(pattern: str, entry: Entry) -> bool:
    """Whether a row of `left_out.txt` speaks of the entry, its class or its module."""
    return entry.key == pattern or entry.key.startswith((f"{pattern}:", f"{pattern}."))


def in_scope() -> list[Entry]:
    """The lines that `left_out.txt` does not speak of."""
    patterns = left_out()
    return [one for one in entries() if not any(covers(pattern, one) for pattern in patterns)]


class Parameter(NamedTuple):
    name: str
    default: Any  # text of the list, or None where there is none
    kind: str  # "" | "*" | "**"


def parameters(text: str) -> list[Parameter]:
    """The parameters written in `text`, without `self`."""
    arguments = ast.parse(f"def f({text}): pass").body[0].args
    names = [*arguments.posonlyargs, *arguments.args]
    gap = len(names) - len(arguments.defaults)
    rows = [
        Parameter(one.arg, ast.unparse(arguments.defaults[i - gap]) if i >= gap else None, "")
        for i, one in enumerate(names)
    ]
    if arguments.vararg:
        rows.append(Parameter(arguments.vararg.arg, None, "*"))
    for one, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True):
        rows.append(Parameter(one.arg, ast.unparse(default) if default else None, ""))
    if arguments.kwarg:
        rows.append(Parameter(arguments.kwarg.arg, None, "**"))
    return [row for row in rows if row.name not in ("self", "cls")]


def same_default(text: str, ours: Any, namespace: dict[str, Any]) -> bool:
    """Whether the default written in the list has the value of ours."""
    try:
        theirs = eval(text, namespace)
    except (NameError, AttributeError):
        # A name that only their module has: the names must agree.
        return getattr(ours, "__name__", "").lstrip("_") == text.split(".")[-1].lstrip("_")
    if isinstance(theirs, types.FunctionType | types.BuiltinFunctionType) or callable(theirs):
        return theirs is ours or getattr(theirs, "__name__", 0) == getattr(ours, "__name__", 1)
    if isinstance(theirs, list | tuple) and isinstance(ours, list | tuple):
        return list(theirs) == list(ours)
    return (type(theirs) is type(ours) and (theirs == ours)) or (
        isinstance(theirs, int | float) and isinstance(ours, int | float) and theirs == ours
    )


def differences(entry: Entry, function: Any, namespace: dict[str, Any]) -> list[str]:
    """How our parameters differ from the list's; ours may have more, all with defaults."""
    signature = inspect.signature(inspect.unwrap(function))
    ours = [row for row in signature.parameters.values() if row.name not in ("self", "cls")]
    theirs = parameters(entry.detail)
    problems = []
    positional = [row for row in theirs if not row.kind]
    for position, row in enumerate(positional):
        if position >= len(ours) or ours[position].name != row.name:
            got = ours[position].name if position < len(ours) else "nothing"
            problems.append(f"parameter {position} should be {row.name}, is {got}")
            return problems
        default = ours[position].default
        if row.default is None:
            if default is not inspect.Parameter.empty:
                problems.append(f"{row.name} has the default {default!r}, should have none")
        elif default is inspect.Parameter.empty:
            problems.append(f"{row.name} should default to {row.default}, has no default")
        elif not same_default(row.default, default, namespace):
            problems.append(f"{row.name} should default to {row.default}, is {default!r}")
    kinds = {parameter.kind for parameter in ours}
    if any(row.kind == "**" for row in theirs) and inspect.Parameter.VAR_KEYWORD not in kinds:
        problems.append("should take further keyword arguments")
    for extra in ours[len(positional) :]:
        variadic = extra.kind in (inspect.Parameter.VAR_KEYWORD, inspect.Parameter.VAR_POSITIONAL)
        if extra.default is inspect.Parameter.empty and not variadic:
            problems.append(f"our own parameter {extra.name} needs a default")
    return problems


_FLAG_TYPES = {"string": "string", "boolean": "bool", "integer": "int", "float": "float"}


def _flag_problems(entry: Entry, defined: dict[str, Any]) -> list[str]:
    kind, default = entry.detail.split(" ", 1)
    flag = defined.get(entry.name)
    if flag is None:
        return [f"--{entry.name} is missing"]
    problems = []
    if flag.flag_type() != _FLAG_TYPES[kind]:
        problems.append(f"--{entry.name} should be {kind}, is {flag.flag_type()}")
    if flag.default != ast.literal_eval(default):
        problems.append(f"--{entry.name} should default to {default}, is {flag.default!r}")
    return problems


def _member_problems(entry: Entry, loaded: Any, namespace: dict[str, Any]) -> list[str]:
    owner, _, member = entry.name.rpartition(".")
    holder = getattr(loaded, owner, None) if owner else loaded
    if not hasattr(holder, member):
        return [f"{entry.name} is missing"]
    value = getattr(holder, member)
    if entry.kind == "property":
        return [] if isinstance(value, property) else [f"{entry.name} should be a property"]
    if entry.kind == "class":
        return [] if isinstance(value, type) else [f"{entry.name} should be a class"]
    if isinstance(value, property) and entry.detail == "self":
        return []  # an abstract property; the list does not mark those
    if entry.kind in ("function", "method"):
        return [f"{entry.name}: {one}" for one in differences(entry, value, namespace)]
    if entry.detail:
        expected = eval(entry.detail, dict(namespace))  # our own file of facts
        if value != expected:
            return [f"{entry.name} should be {expected!r}, is {value!r}"]
    return []


def problems() -> dict[str, list[str]]:
    """Module -> what it lacks or has otherwise; imports every module in scope.

    Programs share names of flags, so each one's are taken back once they were looked at.
    """
    import tensorflow.compat.v1 as tf
    import tf_slim as slim
    from absl import flags

    found: dict[str, list[str]] = {}
    for module, lines in itertools.groupby(in_scope(), lambda entry: entry.module):
        try:
            loaded = importlib.import_module(module)
        except ImportError as error:
            found[module] = [f"cannot be imported: {error}"]
            continue
        defined = {flag.name: flag for flag in flags.FLAGS.get_flags_for_module(module)}
        flags.FLAGS.remove_flag_values(list(defined))
        namespace = {"tf": tf, "slim": slim, **vars(loaded)}
        found[module] = []
        for entry in lines:
            if entry.kind == "flag":
                found[module] += _flag_problems(entry, defined)
            else:
                found[module] += _member_problems(entry, loaded, namespace)
    return found


if __name__ == "__main__":
    sys.stdout.write(json.dumps(problems()))
