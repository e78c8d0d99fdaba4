import os

import pytest

from object_detection.errors import ConfigError
from object_detection.utils import flag_checks


def test_good_values_pass_and_nothing_is_made(tmp_path):
    (tmp_path / "a.txt").touch()
    before = sorted(tmp_path.rglob("*"))
    assert flag_checks.input_file("f", str(tmp_path / "a.txt")) == str(tmp_path / "a.txt")
    flag_checks.input_folder("f", str(tmp_path))
    flag_checks.output_file("f", str(tmp_path / "new" / "deep" / "b.txt"))
    flag_checks.output_file("f", str(tmp_path / "a.txt"))
    flag_checks.output_folder("f", str(tmp_path / "new"))
    flag_checks.output_folder("f", str(tmp_path))
    flag_checks.input_patterns("f", [str(tmp_path / "*.txt")])
    flag_checks.number("f", 0.5, 0, 1)
    assert sorted(tmp_path.rglob("*")) == before


def test_what_lies_elsewhere_is_left_to_tensorflow():
    for check in (flag_checks.input_file, flag_checks.output_folder, flag_checks.checkpoint):
        assert check("f", "gs://bucket/x") == "gs://bucket/x"


def test_the_nearest_name_is_told(tmp_path):
    (tmp_path / "train.record").touch()
    (tmp_path / "model.ckpt-100.index").touch()
    with pytest.raises(ConfigError, match=r"Did you mean .*/train\.record\?"):
        flag_checks.input_file("f", str(tmp_path / "trian.record"))
    with pytest.raises(ConfigError, match=r"no file .*ckpt-101\.index\. Did you mean .*ckpt-100\?"):
        flag_checks.checkpoint("f", str(tmp_path / "model.ckpt-101"))


def test_checkpoints_are_given_by_what_their_files_have_in_common(tmp_path):
    (tmp_path / "old").touch()  # the first format is one file
    (tmp_path / "model.ckpt-7.index").touch()
    prefix = str(tmp_path / "model.ckpt-7")
    assert flag_checks.checkpoint("f", prefix) == prefix
    flag_checks.checkpoint("f", str(tmp_path / "old"))
    with pytest.raises(ConfigError, match=rf"such as {prefix}\."):
        flag_checks.checkpoint("f", str(tmp_path))
    for end in ("index", "meta", "data-00000-of-00001"):
        with pytest.raises(ConfigError, match=rf"have in common: {prefix}\."):
            flag_checks.checkpoint("f", f"{prefix}.{end}")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read and write everything")
def test_permissions_are_looked_at(tmp_path):
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o500)
    with pytest.raises(ConfigError, match=r"--f=.*cannot be written to"):
        flag_checks.output_file("f", str(closed / "a.txt"))


@pytest.mark.parametrize("value", [-0.1, 1.1, float("nan"), float("inf"), 10**30])
def test_numbers_out_of_range_are_refused(value):
    with pytest.raises(ConfigError, match=r"--f is .*; give a number from 0 to 1"):
        flag_checks.number("f", value, 0, 1)


def test_the_parser_names_the_nearest_flag(capsys):
    parser = flag_checks.Parser(prog="x")
    parser.add_argument("--output", required=True)
    parser.add_argument("words", nargs="*")
    with pytest.raises(SystemExit):
        parser.parse_args(["--ouptut=a"])
    assert "there is no flag --ouptut. Did you mean --output?" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        parser.parse_args(["--nothing_like_it"])
    assert "See --help" in capsys.readouterr().err
    found = parser.parse_args(["--output=a", "b", "--", "--c"])
    assert (found.output, found.words) == ("a", ["b", "--c"])
    assert parser.parse_args(["--out", "a"]).output == "a"
