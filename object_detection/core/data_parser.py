"""What every parser offers: a record -> numpy arrays, without a graph."""

import abc
from typing import Any


class DataToNumpyParser(abc.ABC):
    """Parses one record."""

    @abc.abstractmethod
    def parse(self, input_data: Any) -> Any:
        """What the record holds; None if it does not hold what is looked for.

        Args:
            input_data: a record, as the parser says.
        """
        raise NotImplementedError(
            f"{type(self).__name__} has no parser of {type(input_data).__name__}."
        )
