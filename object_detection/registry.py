"""`Table`: a dict whose misses explain themselves."""

import difflib
from collections.abc import Callable
from typing import Any, TypeVar

from object_detection.errors import ConfigError

Entry = TypeVar("Entry", bound=Callable[..., Any])


class Table(dict[str, Any]):
    """Maps the names of a config to what they build; users extend it with `update()`.

    A look-up of an unknown name raises `ConfigError` with the nearest name and all known ones.
    """

    def __init__(self, kind: str, entries: dict[str, Any] | None = None) -> None:
        super().__init__(entries or {})
        self.kind = kind

    def __missing__(self, name: str | None) -> Any:
        if not name:
            raise ConfigError(f"No {self.kind} is set. Choose one of: {', '.join(sorted(self))}.")
        close = difflib.get_close_matches(name, self, n=1)
        hint = f" Did you mean {close[0]!r}?" if close else ""
        raise ConfigError(f"Unknown {self.kind} {name!r}.{hint} Known: {', '.join(sorted(self))}.")

    def entry(self, *names: str) -> Callable[[Entry], Entry]:
        """Decorator that enters a function or class under each of `names`."""

        def register(part: Entry) -> Entry:
            for name in names:
                if name in self:
                    raise ConfigError(f"{self.kind} {name!r} is already defined: {self[name]!r}.")
                self[name] = part
            return part

        return register
