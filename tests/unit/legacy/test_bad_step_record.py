"""Which bad steps a training remembers, by hand-drawn courses of trainings."""

import json

import pytest

from object_detection.errors import DataError
from object_detection.legacy.bad_step_record import FILE, Record


def _record(folder, step=10**9):
    return Record(str(folder), step)


def test_nothing_has_happened(tmp_path):
    record = _record(tmp_path)
    assert (record.skipped, record.returns, record.ahead, record.words()) == (0, 0, 0, "")
    assert record.skipped_before(7) == record.returns_to(0) == 0
    assert not (tmp_path / FILE).exists()


def test_a_training_that_begins_forgets_all(tmp_path):
    _record(tmp_path).go_back(3, 0)
    assert _record(tmp_path, 0).ahead == 3
    assert _record(tmp_path, None).ahead == 0


def test_steps_in_a_row(tmp_path):
    record = _record(tmp_path)
    for step in (3, 6, 7):
        record.skip(step)
    again = _record(tmp_path)
    assert [again.skipped_before(step) for step in range(3, 10)] == [0, 1, 0, 0, 1, 2, 0]
    assert again.words() == "steps that were not finite: 3 skipped"


def test_the_data_after_several_returns(tmp_path):
    """Steps 1 to 5 take batches 0 to 4. Batch 6 is bad: back to 5, on with 7. Then batch 9 is."""
    record = _record(tmp_path)
    record.go_back(7, 5)
    assert record.ahead == 2  # step 6 has number 5 from 0, and takes batch 7
    record.go_back(8, 5)  # that step has number 7 from 0, and took batch 9
    assert record.ahead == 5  # step 6 takes batch 10
    assert record.returns_to(5) == 2
    record.go_back(12, 10)
    assert record.ahead == 7
    assert record.words() == "steps that were not finite: 3 followed by a return to a checkpoint"


def test_what_came_after_the_checkpoint_comes_again(tmp_path):
    record = _record(tmp_path)
    record.skip(2)
    record.go_back(7, 5)
    record.skip(8)
    record.go_back(12, 10)
    for step, expected in ((1, (0, 0, 0)), (2, (1, 0, 0)), (5, (1, 1, 2)), (8, (2, 1, 2))):
        found = _record(tmp_path, step)
        assert (found.skipped, found.returns, found.ahead) == expected, step
    assert _record(tmp_path, 10).ahead == 4


def test_going_back_undoes_what_was_skipped_since(tmp_path):
    record = _record(tmp_path)
    for step in (4, 6):
        record.skip(step)
    record.go_back(7, 5)
    assert (record.skipped, _record(tmp_path).skipped) == (1, 1)
    assert record.skipped_before(7) == 0


@pytest.mark.parametrize(
    "text", ["", "[{}]", '[{"step": "x", "back_to": null, "ahead": 0}]', "[1]"]
)
def test_a_file_that_is_none_of_ours(tmp_path, text):
    (tmp_path / FILE).write_text(text)
    with pytest.raises(DataError, match="should say which steps were skipped"):
        _record(tmp_path)


def test_people_can_read_the_file(tmp_path):
    record = _record(tmp_path)
    record.skip(2)
    record.go_back(7, 5)
    assert json.loads((tmp_path / FILE).read_text()) == [
        {"step": 2, "back_to": None, "ahead": 0},
        {"step": 7, "back_to": 5, "ahead": 2},
    ]
