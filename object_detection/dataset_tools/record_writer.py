"""Writes TFRecord files without TensorFlow, which takes seconds to load."""

from object_detection.utils.records.framing import framed

__all__ = ["RecordWriter", "framed"]


class RecordWriter:
    """A file of records; used in a `with` statement."""

    def __init__(self, path: str) -> None:
        """Opens the file.

        Args:
            path: of the file to write.
        """
        self._file = open(path, "wb")  # noqa: SIM115 - closed in __exit__

    def __enter__(self) -> "RecordWriter":
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def write_framed(self, record: bytes) -> None:
        """Appends what `framed` made of a record, in whatever thread."""
        self._file.write(record)
