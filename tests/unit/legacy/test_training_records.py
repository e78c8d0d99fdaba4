"""Trainings whose records change, or are not what they should be."""

import json
import pathlib
import sys

import pytest

from object_detection.builders import model_builder
from object_detection.errors import DataError

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import tiny_training


@pytest.fixture
def data(tmp_path, monkeypatch):
    monkeypatch.setattr(model_builder, "build", tiny_training.build_tiny)
    folder = tmp_path / "data"
    folder.mkdir()
    tiny_training.write_data(folder)
    return folder


def test_files_that_are_written_again_while_a_training_reads_them_are_named(data, tmp_path):
    record = data / "train.record-0"

    def say(line):
        if line.startswith("step 1/"):
            record.write_bytes(record.read_bytes()[:-7])

    with pytest.raises(DataError, match=r"train\.record-0: has been written again, from \d+ to"):
        tiny_training.train(
            data, tmp_path / "run", "train_config { num_steps: 200 }", say, log_every_steps=1
        )


@pytest.mark.parametrize("check", [True, False])
def test_a_bad_record_is_left_out_or_ends_the_training(data, tmp_path, check):
    record = data / "train.record-0"
    content = bytearray(record.read_bytes())
    content[60] ^= 1
    record.write_bytes(content)
    said = []
    more = (
        "train_config { num_steps: 12 } train_input_reader { bad_records "
        f"{{ check: {str(check).lower()} max_share: 0.2 }} }}"
    )
    if not check:
        with pytest.raises(DataError, match=r"train\.record-0: record 1 is damaged"):
            tiny_training.train(data, tmp_path / "run", more, said.append)
        return
    outcome = tiny_training.train(data, tmp_path / "run", more, said.append)
    assert outcome.step == 12
    assert any("1 of 7 are left out, 0 mended: 1 checksum." in line for line in said)
    report = json.loads((tmp_path / "run" / "records_report.json").read_text())
    assert [one["number"] for one in report["findings"]] == [1]
