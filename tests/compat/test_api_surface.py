"""What code written for the OD API imports is here, with the same parameters and defaults."""

import functools
import importlib
import pathlib
import sys

import pytest
import tensorflow.compat.v1 as tf
import tf_slim as slim
from absl import flags

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import api_surface

REPO = pathlib.Path(__file__).resolve().parents[2]
ENTRIES = api_surface.entries()
LEFT_OUT = api_surface.left_out()
IN_SCOPE = [
    entry
    for entry in ENTRIES
    if not any(api_surface.covers(pattern, entry) for pattern in LEFT_OUT)
]
ADVICE = (
    "Code written for the OD API uses it. Add it, or name it in tests/compat/left_out.txt with the "
    "reason, and in docs/compatibility.md with the replacement."
)


@functools.cache
def _load(name):
    """The module and the flags that it defines; programs share names, so they are taken back."""
    module = importlib.import_module(name)
    defined = {flag.name: flag for flag in flags.FLAGS.get_flags_for_module(name)}
    flags.FLAGS.remove_flag_values(list(defined))
    return module, defined


@pytest.mark.parametrize("module", sorted({entry.module for entry in IN_SCOPE}))
def test_module(module):
    """One test a module, so that a failure lists all that the module lacks."""
    loaded, _ = _load(module)
    namespace = {"tf": tf, "slim": slim, **vars(loaded)}
    problems = []
    for entry in (entry for entry in IN_SCOPE if entry.module == module):
        if entry.kind == "flag":
            continue
        owner, _, member = entry.name.rpartition(".")
        holder = getattr(loaded, owner, None) if owner else loaded
        if not hasattr(holder, member):
            problems.append(f"{entry.name} is missing")
            continue
        value = getattr(holder, member)
        if entry.kind == "property":
            if not isinstance(value, property):
                problems.append(f"{entry.name} should be a property")
        elif entry.kind == "class":
            if not isinstance(value, type):
                problems.append(f"{entry.name} should be a class")
        elif isinstance(value, property) and entry.detail == "self":
            continue  # an abstract property; the list does not mark those
        elif entry.kind in ("function", "method"):
            problems += [
                f"{entry.name}: {problem}"
                for problem in api_surface.differences(entry, value, namespace)
            ]
        elif entry.detail:
            expected = eval(entry.detail, dict(namespace))  # our own file of facts
            if value != expected:
                problems.append(f"{entry.name} should be {expected!r}, is {value!r}")
    assert not problems, f"{module}:\n  " + "\n  ".join(problems) + f"\n{ADVICE}"


_PARSERS = {"string": "string", "boolean": "bool", "integer": "int", "float": "float"}


@pytest.mark.parametrize(
    "module", sorted({entry.module for entry in IN_SCOPE if entry.kind == "flag"})
)
def test_flags(module):
    _, defined = _load(module)
    problems = []
    for entry in ENTRIES:
        if entry.module != module or entry.kind != "flag" or entry not in IN_SCOPE:
            continue
        kind, default = entry.detail.split(" ", 1)
        flag = defined.get(entry.name)
        if flag is None:
            problems.append(f"--{entry.name} is missing")
            continue
        if flag.flag_type() != _PARSERS[kind]:
            problems.append(f"--{entry.name} should be {kind}, is {flag.flag_type()}")
        if flag.default != eval(default):  # our own file of facts
            problems.append(f"--{entry.name} should default to {default}, is {flag.default!r}")
    assert not problems, f"{module}:\n  " + "\n  ".join(problems) + f"\n{ADVICE}"


def test_what_is_left_out_has_a_reason_and_is_documented():
    text = (REPO / "docs" / "compatibility.md").read_text()
    for pattern, reason in LEFT_OUT.items():
        assert any(api_surface.covers(pattern, entry) for entry in ENTRIES), (
            f"left_out.txt: {pattern} covers nothing"
        )
        assert len(reason) > 10, f"left_out.txt: {pattern} has no reason"
        assert pattern.replace(":", ".") in text, (
            f"docs/compatibility.md does not mention {pattern}"
        )


def test_the_list_matches_the_facts(shared_compat):
    """The copy in this folder is that of the interface facts."""
    ours = (pathlib.Path(api_surface.__file__).parent / "api_surface.txt").read_text()
    assert ours == (shared_compat / "api_surface.txt").read_text()
