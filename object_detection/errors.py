"""The errors of this package, all subclasses of `ObjectDetectionError`.

Each message says where, what was found, what is allowed and what to do; programs print the
message alone and exit with status 1 or 2, so that bad input never ends in a traceback.
"""


class ObjectDetectionError(ValueError):
    """Anything a user can mend; a `ValueError`, because code for the OD API catches that."""


class ConfigError(ObjectDetectionError):
    """A pipeline config, label map or flag that contradicts itself or names something unknown."""


class DataError(ObjectDetectionError):
    """A record, label file or picture that cannot be used as it is."""


class PictureError(DataError):
    """A picture, or what data say of it, that a converter leaves out."""

    def __init__(self, message: str, reason: str = "unusable") -> None:
        """Notes why.

        Args:
            message: for people.
            reason: code for reports, such as `missing` or `path_outside`.
        """
        super().__init__(message)
        self.reason = reason


class ShapeError(ObjectDetectionError):
    """A tensor or array whose shape is not the documented one."""


class CheckpointError(ObjectDetectionError):
    """A checkpoint that is absent, damaged, or does not fit the model."""


class StorageError(ObjectDetectionError):
    """A file that cannot be written, because the disk is full or may take no more."""


class ExportError(ObjectDetectionError):
    """An exported graph that does not give what its checkpoint gives, or cannot be compared."""
