"""What programs do at their start and at their end."""

import errno
import os
import signal
import subprocess
import sys

import pytest
import tensorflow.compat.v1 as tf

from object_detection.errors import ConfigError, DataError
from object_detection.utils import startup

ABSL = "I0000 00:00:1795644796.482456   14412 port.cc:153] oneDNN custom operations are on.\n"
OLDER = "2026-01-31 12:00:00.123456: W tensorflow/core/util/port.cc:153] oneDNN is on.\n"
ANNOUNCED = (
    "WARNING: All log messages before absl::InitializeLog() is called are written to STDERR\n"
)
CUDA = "E0000 00:00:1795644999.091658   15687 cuda_platform.cc:52] failed call to cuInit: (303)\n"


@pytest.mark.parametrize(
    ("said", "left"),
    [
        pytest.param("", "", id="nothing"),
        pytest.param(ABSL, "", id="absl"),
        pytest.param(OLDER, "", id="older form"),
        pytest.param(ANNOUNCED + ABSL + CUDA, "", id="several"),
        pytest.param(ABSL.rstrip("\n"), "", id="without an end of line"),
        pytest.param(f"{ABSL}numpy: ABI\n{CUDA}last", "numpy: ABI\nlast", id="others stay"),
        pytest.param("F0000 00:00:17.5 1 cpu.cc:2] no AVX\n", None, id="fatal"),
        pytest.param("E0000 is an error of mine\n", None, id="no time in it"),
        pytest.param("x.py:1: FutureWarning: I0000\n", None, id="Python's warnings"),
    ],
)
def test_lines_of_the_log(said, left):
    expected = said if left is None else left
    assert startup.without_log_lines(said.encode()) == expected.encode()


def test_what_cpp_code_says_is_withheld_and_the_rest_is_not(capfd):
    with startup.log_withheld():
        os.write(2, ABSL.encode())
        os.write(2, b"numpy: ABI\n")
        assert capfd.readouterr().err == ""
    os.write(2, CUDA.encode())
    assert capfd.readouterr().err == f"numpy: ABI\n{CUDA}"


def test_after_a_failure_everything_is_said(capfd):
    def fail():
        with startup.log_withheld():
            os.write(2, ABSL.encode())
            raise ImportError("no libtensorflow")

    with pytest.raises(ImportError):
        fail()
    assert capfd.readouterr().err == ABSL


def test_withholding_leaves_no_descriptor_open():
    before = len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else None
    for _ in range(3):
        with startup.log_withheld():
            pass
    if before is None:
        pytest.skip("this system does not list open descriptors")
    assert len(os.listdir("/proc/self/fd")) == before


def test_without_a_folder_for_temporary_files_nothing_is_withheld(capfd, monkeypatch):
    def refused(*_, **__):
        raise FileNotFoundError(errno.ENOENT, "No usable temporary directory found")

    monkeypatch.setattr(startup.tempfile, "TemporaryFile", refused)
    with startup.log_withheld():
        os.write(2, ABSL.encode())
    assert capfd.readouterr().err == ABSL


CRASHING = (
    "import os\n"
    "from object_detection.utils import startup\n"
    "with startup.log_withheld():\n"
    "    os.abort()\n"
)


def test_a_crash_in_cpp_code_shows_the_python_stack():
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            CRASHING,
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode != 0
    assert "Fatal Python error: Aborted" in done.stderr
    assert 'File "<string>", line 4' in done.stderr


QUIET = (
    "from object_detection.utils import startup\n"
    "startup.prepare_tensorflow()\n"
    "import tensorflow.compat.v1 as tf\n"
    "flags = tf.placeholder(tf.bool, [None, 2])\n"
    "with tf.Session() as session:\n"
    "    print(session.run(tf.transpose(flags), {flags: [[True, False]]}).shape)\n"
    "    variable = tf.get_variable('a', [])\n"
    "    print(type(variable).__name__)\n"
)


@pytest.mark.slow
@pytest.mark.parametrize(
    "shown", [pytest.param("0", id="quiet"), pytest.param("1", id="by request")]
)
def test_tensorflow_starts_quietly_unless_asked(shown):
    environment = {
        name: value for name, value in os.environ.items() if name != "TF_CPP_MIN_LOG_LEVEL"
    }
    done = subprocess.run(
        [sys.executable, "-c", QUIET],
        capture_output=True,
        text=True,
        check=True,
        env={**environment, startup.SHOW_LOG: shown},
    )
    assert done.stdout.split() == ["(2,", "1)", "ResourceVariable"]
    if shown == "0":
        assert done.stderr == ""
    else:
        # CPUs without oneDNN say less, but none says nothing.
        assert done.stderr != ""


WITHOUT_KERAS = """
import sys
from object_detection.utils import startup
startup.prepare_tensorflow()
print(sorted({"keras", "matplotlib"} & set(sys.modules)))
import tensorflow as tf
print(tf.keras.optimizers.Adam.__name__)
"""


@pytest.mark.slow
def test_keras_is_not_there_before_it_is_asked_for():
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_KERAS], capture_output=True, text=True, check=True
    )
    assert done.stdout.split("\n")[:2] == ["[]", "Adam"]


def _raising(error):
    def action():
        raise error

    return action


@pytest.mark.parametrize(
    ("error", "said"),
    [
        pytest.param(DataError("a.record: cut."), "x: a.record: cut.", id="ours"),
        pytest.param(
            PermissionError(errno.EACCES, "Permission denied", "/a/b"),
            "x: /a/b: Permission denied. Check the path",
            id="forbidden",
        ),
        pytest.param(
            OSError(errno.ENOSPC, "No space left on device"), "x: No space left", id="full disk"
        ),
        pytest.param(
            tf.errors.PermissionDeniedError(None, None, "/proc/x; Permission denied"),
            "x: /proc/x; Permission denied. Check the path",
            id="TensorFlow's files",
        ),
        pytest.param(
            # TensorFlow has a kind of its own for a file that may not grow.
            tf.errors.OutOfRangeError(None, None, "/a/b; File too large"),
            "x: /a/b; File too large. Check the path",
            id="a file that is too large",
        ),
    ],
)
def test_mistakes_end_in_one_message(error, said):
    with pytest.raises(SystemExit) as ended:
        startup.run_program("x", _raising(error))
    assert isinstance(ended.value.code, str)
    assert ended.value.code.startswith(said)
    assert "\n" not in ended.value.code


def test_ctrl_c_ends_with_its_status(capsys):
    with pytest.raises(SystemExit) as ended:
        startup.run_program("x", _raising(KeyboardInterrupt()))
    assert ended.value.code == 130
    assert capsys.readouterr().err == "x: interrupted.\n"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_requests_to_end_do_the_same(capsys, number):
    with pytest.raises(SystemExit) as ended:
        startup.run_program("x", lambda: signal.raise_signal(number))
    assert ended.value.code == 130
    assert capsys.readouterr().err == "x: interrupted.\n"


def test_work_goes_on_when_nobody_reads(tmp_path):
    program = f"""
import time
from object_detection.utils import startup
def work():
    for line in range(20):
        startup.say("x" * 10000)
    open({str(tmp_path / "done")!r}, "w").close()
startup.run_program("x", work)
"""
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE) as process:
        process.stdout.close()
        assert process.wait(60) == 0
    assert (tmp_path / "done").exists()


@pytest.mark.parametrize(
    "error",
    [
        pytest.param(ZeroDivisionError("division"), id="Python's"),
        pytest.param(tf.errors.InvalidArgumentError(None, None, "shapes"), id="TensorFlow's"),
    ],
)
def test_errors_of_the_package_keep_their_traceback(error):
    with pytest.raises(type(error)):
        startup.run_program("x", _raising(error))


def test_what_a_program_returns_is_printed(capsys):
    startup.run_program("x", lambda: "done.")
    startup.run_program("x", lambda: None)
    assert capsys.readouterr().out == "done.\n"


def test_words_that_are_no_flags_are_refused():
    startup.refuse_arguments(["train.py"])
    startup.refuse_arguments([])
    startup.refuse_arguments(None)
    with pytest.raises(ConfigError, match="'False' is no flag"):
        startup.refuse_arguments(["train.py", "False"])
