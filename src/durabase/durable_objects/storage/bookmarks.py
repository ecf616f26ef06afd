"""Bookmarks: what names a state of an object's storage. Pure.

Their text has Cloudflare's shape, ``8-8-8-32`` hexadecimal digits, and that of a later state is greater.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from durabase.errors import StorageError

__all__ = ["NO_HISTORY", "ZERO", "Bookmark", "parsed"]

ZERO: Final = "00000000-00000000-00000000-00000000000000000000000000000000"
"""The bookmark of storage that keeps no history, as ``wrangler dev`` gives it."""

NO_HISTORY: Final = "This Durable Object's storage back-end does not implement point-in-time recovery."

_TEXT: Final = re.compile(r"([0-9a-f]{8})-([0-9a-f]{8})-([0-9a-f]{8})-([0-9a-f]{32})")


@dataclass(frozen=True, slots=True)
class Bookmark:
    """One state.

    Attributes:
        seconds: about when it was, since 1970.
        number: of the entry in the history after which the storage was in this state.
        undo: 0, or the number of a restore: the state just before that.
        origin: whose history it is.
    """

    seconds: int
    number: int
    undo: int
    origin: bytes

    def __str__(self) -> str:
        return f"{self.seconds:08x}-{self.number:08x}-{self.undo:08x}-{self.origin.hex()}"


def parsed(text: object) -> Bookmark:
    """The bookmark that this is the text of.

    Raises:
        TypeError: it is no text.
        StorageError: it is that of no bookmark.
    """
    if not isinstance(text, str):
        raise TypeError(f"a bookmark is a string, not {type(text).__name__}")
    match = _TEXT.fullmatch(text)
    if match is None:
        raise StorageError(f"{text!r} is no bookmark.")
    seconds, number, undo = (int(part, 16) for part in match.groups()[:3])
    return Bookmark(seconds, number, undo, bytes.fromhex(match[4]))
