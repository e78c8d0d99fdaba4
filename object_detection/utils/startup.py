"""What each program does once before it builds a graph: switches of the process, a quiet console."""

import contextlib
import faulthandler
import functools
import gc
import os
import re
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterator, Sequence

from object_detection.errors import ConfigError, ObjectDetectionError
from object_detection.utils import files, interruption

SHOW_LOG = "OBJECT_DETECTION_TF_LOG"
"""Environment variable: anything but empty or 0 shows what TensorFlow says while it starts."""

# A line of TensorFlow's C++ log, in absl's form (`I0000 00:00:17... 123 port.cc:153] ...`) or in its
# older one (`2026-01-31 12:00:00.123456: I tensorflow/...`), and the line that announces them.
_LOG_LINE = re.compile(
    rb"[IWE]\d{4} \d\d:\d\d:\d+\.\d+ .*\]"
    rb"|\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d+: [IWE] "
    rb"|WARNING: All log messages before absl::InitializeLog\(\)"
)

_ADVICE = "Check the path, its permissions and the space on the disk."


def without_log_lines(said: bytes) -> bytes:
    """What is left of a text without the lines of TensorFlow's C++ log."""
    return b"".join(line for line in said.splitlines(True) if not _LOG_LINE.match(line))


@contextlib.contextmanager
def log_withheld() -> Iterator[None]:
    """Keeps lines of TensorFlow's C++ log from standard error, unless what runs inside fails.

    C++ code writes to file descriptor 2 itself, whatever `sys.stderr` is, so that the descriptor
    leads to a temporary file meanwhile. Afterwards all other lines (Python's warnings, say) are
    written after all; after an exception, all lines. If the process dies in C++ code, the Python
    stack goes to the real standard error.
    """
    with contextlib.ExitStack() as stack:
        try:
            real = os.dup(2)
            stack.callback(os.close, real)
            held = stack.enter_context(tempfile.TemporaryFile())
        except OSError:
            # No console, or no folder for temporary files: nothing is withheld.
            yield
            return
        _flush()
        os.dup2(held.fileno(), 2)
        watched = faulthandler.is_enabled()
        if not watched:
            faulthandler.enable(real)
        failed = False
        try:
            yield
        except Exception:
            failed = True
            raise
        finally:
            if not watched:
                faulthandler.disable()
            _flush()
            os.dup2(real, 2)
            held.seek(0)
            said = held.read()
            with contextlib.suppress(OSError), open(2, "wb", closefd=False) as console:
                console.write(said if failed else without_log_lines(said))


def _flush() -> None:
    if sys.stderr is not None:
        sys.stderr.flush()


@contextlib.contextmanager
def _collector_asleep() -> Iterator[None]:
    """Keeps Python from looking for garbage while millions of objects are made to stay.

    It would go through all of them again and again; afterwards it leaves alone what is there.
    """
    was_awake = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if was_awake:
            gc.enable()


@contextlib.contextmanager
def _keras_left_out() -> Iterator[None]:
    """Keeps TensorFlow from importing Keras with it; who needs Keras can import it afterwards.

    It does so only that models of Keras find their optimizers when they are loaded, and goes on
    where that fails. Nothing here is one, and Keras brings Matplotlib: 45 MB and a quarter of the
    time.
    """
    name = "keras.src.optimizers"
    if name in sys.modules:
        yield
        return
    # What Python's import system calls a module that cannot be imported.
    sys.modules[name] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        sys.modules.pop(name, None)


def _import_tensorflow() -> None:
    """TensorFlow in graph mode, with all said that it says once in a process."""
    with _collector_asleep(), _keras_left_out():
        import tensorflow.compat.v1 as tf

    tf.logging.set_verbosity(tf.logging.ERROR)
    tf.disable_v2_behavior()
    tf.enable_resource_variables()
    # Looks for GPUs, takes no memory of theirs. Without a driver it says that it failed.
    tf.config.list_physical_devices()
    # The first graph with booleans makes oneDNN say on most processors that it leaves them alone.
    with tf.Graph().as_default():
        answers = tf.placeholder(tf.bool, [None, 1])
        with tf.Session(config=tf.ConfigProto(device_count={"GPU": 0})) as session:
            session.run(tf.transpose(answers), {answers: [[True]]})


@functools.cache
def prepare_tensorflow() -> None:
    """Imports TensorFlow in graph mode with resource variables, without its start-up chatter.

    Only entry points call this, and before anything imports TensorFlow: it changes the whole
    process. What `TF_CPP_MIN_LOG_LEVEL` is set to outside stays; `OBJECT_DETECTION_TF_LOG=1` shows
    all that TensorFlow says.
    """
    # tf-slim builds its layers by calls that Keras, not its users, is asked to replace.
    warnings.filterwarnings("ignore", message="`layer.apply` is deprecated")
    # Augmentations draw from the graph's seed on purpose: one seed repeats a whole training.
    warnings.filterwarnings("ignore", message="Seed .* from outer graph might be")
    if os.environ.get(SHOW_LOG, "0") not in ("", "0"):
        _import_tensorflow()
        return
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    with log_withheld():
        _import_tensorflow()


def refuse_arguments(arguments: Sequence[str] | None) -> None:
    """Raises `ConfigError` if something is left of a command line besides flags.

    Args:
        arguments: what absl leaves: the program, then what is no flag; None if `main` is called
            by other code.
    """
    if arguments and len(arguments) > 1:
        raise ConfigError(
            f"{arguments[1]!r} is no flag. Flags are written --name=value; a switch is --name or "
            "--noname, without a word after it."
        )


def say(line: str) -> None:
    """Prints a line at once; work goes on if the terminal, or whoever reads, has gone."""
    try:
        sys.stdout.write(f"{line}\n")
        sys.stdout.flush()
    except OSError:
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115


def prepare_program(name: str, check_flags: Callable[[], None]) -> None:
    """Checks the command line of a program with absl's flags, then prepares TensorFlow.

    For programs whose imports bring TensorFlow: called before them, it lets mistakes end the
    program at once. Absl will parse the same command line again.

    Args:
        name: of the program; messages begin with it.
        check_flags: raises `ConfigError` for a flag that makes no sense.
    """
    from absl import app

    app.define_help_flags()
    rest = app.parse_flags_with_usage(sys.argv)

    def check() -> None:
        refuse_arguments(rest)
        check_flags()

    run_program(name, check)
    prepare_tensorflow()


def run_program(name: str, action: Callable[[], str | None]) -> None:
    """Runs a program and prints what it returns; a mistake ends in one message and exit status 1.

    Ctrl-C, SIGTERM and the end of the terminal end it with status 130. Anything else is an error of
    this package and shows its traceback.

    Args:
        name: of the program; messages begin with it.
        action: the program; what it returns is for the user.
    """
    try:
        with interruption.ending_program():
            said = action()
    except ObjectDetectionError as error:
        sys.exit(f"{name}: {error}")
    except KeyboardInterrupt:
        with contextlib.suppress(OSError):
            sys.stderr.write(f"{name}: interrupted.\n")
        sys.exit(interruption.EXIT_STATUS)
    except OSError as error:
        if error.errno is None:
            raise
        where = f"{error.filename}: " if error.filename is not None else ""
        sys.exit(f"{name}: {where}{os.strerror(error.errno)}. {_ADVICE}")
    except Exception as error:
        if files.no_room(error) is None and not _is_about_files(error):
            raise
        sys.exit(f"{name}: {error}. {_ADVICE}")
    if said:
        sys.stdout.write(f"{said}\n")


def _is_about_files(error: Exception) -> bool:
    """Whether an error of TensorFlow says that a file cannot be read or written."""
    tensorflow = sys.modules.get("tensorflow")
    if tensorflow is None:
        return False
    kinds = tensorflow.errors
    return isinstance(
        error,
        (
            kinds.NotFoundError,
            kinds.PermissionDeniedError,
            kinds.DataLossError,
            kinds.ResourceExhaustedError,
        ),
    )
