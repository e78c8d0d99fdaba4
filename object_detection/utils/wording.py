"""Parts of messages: what was found, cut to a readable length, and what may have been meant."""

import difflib
from collections.abc import Iterable

_MOST = 40


def quoted(text: str, most: int = _MOST) -> str:
    """A text in quotes on one line, of at most `most` characters; for what a stranger wrote.

    >>> quoted("num_clases"), quoted("x" * 50, most=3)
    ("'num_clases'", "'xxx'...")
    """
    return repr(text) if len(text) <= most else f"{text[:most]!r}..."


def shortened(reason: str) -> str:
    """A text of a library's, which may hold what a stranger wrote, on one line.

    >>> shortened("Expected " + chr(9))
    'Expected ?'
    """
    reason = "".join(one if one.isprintable() else "?" for one in reason)
    return reason if len(reason) <= 200 else f"{reason[:200]}..."


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """A sentence, with a space before it, that names the nearest known name; "" if none is near.

    >>> did_you_mean("num_clases", ["num_classes", "loss"])
    " Did you mean 'num_classes'?"
    >>> did_you_mean("something", ["num_classes", "loss"])
    ''
    """
    # difflib takes a time that grows with the square of the length; names here are short.
    close = difflib.get_close_matches(name, known, n=1) if len(name) <= 200 else []
    return f" Did you mean {close[0]!r}?" if close else ""
