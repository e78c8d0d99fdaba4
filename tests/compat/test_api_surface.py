"""What code written for the OD API imports is here, with the same parameters and defaults."""

import json
import os
import pathlib
import subprocess
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import api_surface

REPO = pathlib.Path(__file__).resolve().parents[2]
ENTRIES = api_surface.entries()
LEFT_OUT = api_surface.left_out()
IN_SCOPE = api_surface.in_scope()
ADVICE = (
    "Code written for the OD API uses it. Add it, or name it in tests/compat/left_out.txt with the "
    "reason, and in docs/compatibility.md with the replacement."
)


@pytest.fixture(scope="session")
def problems():
    """Module -> what is wrong with it, found in a process where nothing else has defined flags."""
    done = subprocess.run(
        [sys.executable, api_surface.__file__],
        cwd=REPO,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(REPO)},
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("module", sorted({entry.module for entry in IN_SCOPE}))
def test_module(module, problems):
    """One test a module, so that a failure lists all that the module lacks."""
    found = problems[module]
    assert not found, f"{module}:\n  " + "\n  ".join(found) + f"\n{ADVICE}"


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
