"""Reads `api_surface.txt`, the list of public names of the OD API, and looks names up here.

Format of the list: `## path/of/module.py`, then one line a name: `def f(a, b=1)`,
`class C(Base)` followed by its indented members, `flag TYPE 'name' default=VALUE`, or a constant.
`left_out.txt` says what we do not have: `module` or `module:Class` or `module:Class.member`,
a tab, and the reason.
"""

import ast
import inspect
import pathlib
import re
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
