"""What every decoder offers: a serialised record -> a sample."""

import abc
from typing import Any

import tensorflow.compat.v1 as tf


class DataDecoder(abc.ABC):
    """Decodes one record."""

    @abc.abstractmethod
    def decode(self, data: Any) -> dict[str, tf.Tensor]:
        """A sample: tensors keyed by `InputDataFields`."""
