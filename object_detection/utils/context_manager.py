"""A context that changes nothing, for code that needs one in any case."""

import types
from typing import Literal


class IdentityContextManager:
    """Enters and leaves without any effect; exceptions pass through."""

    def __enter__(self) -> None:
        return None

    def __exit__(
        self,
        exec_type: type[BaseException] | None,
        exec_value: BaseException | None,
        traceback: types.TracebackType | None,
    ) -> Literal[False]:
        del exec_type, exec_value, traceback
        return False
