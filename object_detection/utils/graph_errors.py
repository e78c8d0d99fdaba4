"""What a user needs to know of an error that a running graph met in its input."""

import re
from collections.abc import Callable, Iterable, Sequence

import tensorflow.compat.v1 as tf

# Around the reason TensorFlow puts where the node was made, and the nodes that led to it.
_FRAME = re.compile(
    r"Graph execution error:$|Detected at node |  +File |Node: |\d+ root error\(s\) found"
    r"|\s*\[\[\{*(node )?[\w/.:]+\}*\]\]$|\d+ (successful|derived)"
)
_ASSERTED = re.compile(r"^.*?assertion failed: \[(.*?)\](.*)$")


def damaged_record(patterns: Iterable[str]) -> str | None:
    """Where TFRecord files are damaged: the first one's name and the number of its record.

    Args:
        patterns: names of files, or patterns of names.
    """
    for pattern in patterns:
        for path in sorted(tf.io.gfile.glob(pattern)):
            count = 0
            try:
                for _ in tf.io.tf_record_iterator(path):
                    count += 1
            except tf.errors.DataLossError as error:
                return (
                    f"{path}: record {count + 1} is damaged, or the file is no TFRecord "
                    f"({error.message}). Write it again."
                )
    return None


def reason(
    error: tf.errors.OpError,
    patterns: Iterable[str] = (),
    changes: Callable[[], Sequence[str]] | None = None,
) -> str:
    """The reason in one line, without the places in the graph.

    Args:
        error: met by `session.run`.
        patterns: the TFRecord files that were read; all are read again to find a damaged one.
        changes: if their records were looked through beforehand, tells what has become of the files
            since; then they are not read again.
    """
    if changes is not None:
        found = changes()
        if found:
            return " ".join(found)
    elif isinstance(error, tf.errors.DataLossError):
        place = damaged_record(patterns)
        if place is not None:
            return place
    message = error.message.partition("Original stack trace for ")[0]
    lines = [line for line in message.splitlines() if line and not _FRAME.match(line)]
    return " ".join(_ASSERTED.sub(r"\1\2", line).strip() for line in lines) or error.message
