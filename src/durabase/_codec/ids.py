"""Random ids, and one object for ids that come again and again."""

from __future__ import annotations

import os
from typing import Final

__all__ = ["ALPHABET", "id_from_bytes", "shared_id", "unique_id"]

ALPHABET: Final = "-0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz"
"""Six bits a character, in ASCII order: texts of equal length compare as the numbers they stand for."""


def unique_id(length: int = 16) -> str:
    """A random id of ``length`` characters of ``ALPHABET``, from the system's secure source."""
    return id_from_bytes(os.urandom(length))


def id_from_bytes(raw: bytes) -> str:
    """The id that random bytes stand for: the low six bits of each pick a character."""
    return "".join([ALPHABET[byte & 63] for byte in raw])


_MOST_SHARED: Final = 4096
_LONGEST_SHARED: Final = 64
_shared: Final[dict[str, str]] = {}


def shared_id(id_: str) -> str:
    """The same id, in most cases as the object that others got.

    For ids of cells: rows have the same, each of which comes as a text of its own. One object for all is
    not only smaller; where many cells are gone through it is the one that is in the processor's cache.
    """
    return _shared.get(id_) or _share(id_)


def _share(id_: str) -> str:
    if len(id_) <= _LONGEST_SHARED and type(id_) is str:  # others are not kept when their stores are gone
        if len(_shared) >= _MOST_SHARED:
            _shared.clear()
        _shared[id_] = id_
    return id_
