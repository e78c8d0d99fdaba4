"""A few hundred damaged inputs for each reader of strangers' data, and those that once failed.

`python -m tests.fuzz.run --target T --count 10000` gives more.
"""

import pathlib
import random
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

import engine
import mutation
import run as program

COUNT, SEED = 300, 0
COUNTS = {"wider": 3}  # which starts a process for each
CASES = sorted((pathlib.Path(__file__).resolve().parent / "cases").glob("*.bin"))


@pytest.mark.slow
@pytest.mark.parametrize("name", program.NAMES)
def test_damaged_inputs_are_refused_or_right(name):
    count = COUNTS.get(name, COUNT)
    with program.fast_folder() as folder:
        report = engine.run(program.target(name, pathlib.Path(folder)), count, SEED)
    assert [(one.number, one.what) for one in report.failures] == []
    assert report.problems == []
    assert report.count == count == sum(report.outcomes.values())
    # Damage that nobody minds would test nothing, and so would inputs that are all refused.
    assert report.outcomes[engine.ACCEPTED] < 0.9 * count
    if count == COUNT:
        assert len(report.outcomes) > 1


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_inputs_that_once_failed(path, tmp_path):
    """`cases/TARGET_SEED_NUMBER.bin`, as `--failures` writes them."""
    (name,) = [name for name in program.NAMES if path.stem.startswith(f"{name}_")]
    target = program.target(name, tmp_path)
    assert engine.outcome(target, path.read_bytes())
    assert target.finish() == []


class _Stub:
    """A target that breaks the promise that it is told to."""

    name, place = "stub", "here"

    def __init__(self, action):
        self._action = action

    def corpus(self):
        return []

    def damage(self, rng):
        return rng.randbytes(3)

    def check(self, data):
        return self._action(data)

    def finish(self):
        return []


def _raises(error):
    def action(_):
        raise error

    return action


def _loops(_):
    while True:
        pass


@pytest.mark.parametrize(
    ("action", "what"),
    [
        (_raises(KeyError("x")), "KeyError"),
        (_raises(RecursionError()), "RecursionError"),
        (_raises(MemoryError()), "MemoryError"),
        (_raises(engine.ObjectDetectionError(" ")), "without a reason"),
        (_raises(engine.ObjectDetectionError("a place")), "names no place"),
        (_raises(engine.ObjectDetectionError("here" * 9999)), "characters"),
        (_raises(engine.Broken("wrong")), "wrong"),
        (_loops, "took more than"),
    ],
)
def test_broken_promises_are_found(action, what, monkeypatch):
    monkeypatch.setattr(engine, "SECONDS", 0.05)
    report = engine.run(_Stub(action), 2, 0)
    assert [failure.number for failure in report.failures] == [0, 1]
    assert all(what in failure.what for failure in report.failures)


def test_kept_promises_are_counted():
    report = engine.run(_Stub(lambda data: engine.ACCEPTED), 5, 0)
    assert (report.count, report.outcomes, report.failures) == (5, {engine.ACCEPTED: 5}, [])
    report = engine.run(_Stub(_raises(engine.ObjectDetectionError("here: bad"))), 5, 0)
    assert report.outcomes == {"refused: ObjectDetectionError": 5}


def test_a_seed_and_a_number_say_all_about_an_input():
    corpus = [bytes(range(100)), b"a: 1 { b: 2.5 }\n# c\nd: 3\n[e]\n"]
    every = (*mutation.OF_BYTES, *mutation.OF_TEXT, mutation.set_word([b"x"]))
    for number in range(200):
        one, other = (mutation.damaged(corpus, every, random.Random(f"{number}")) for _ in range(2))
        assert one == other
    for mutate in every:
        made = {mutate(corpus[1], random.Random(number)) for number in range(30)}
        assert len(made) > 3
        assert mutate(b"", random.Random(0)) is not None
