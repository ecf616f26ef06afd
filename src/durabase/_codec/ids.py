"""Random ids."""

from __future__ import annotations

import os
from typing import Final

__all__ = ["ALPHABET", "id_from_bytes", "unique_id"]

ALPHABET: Final = "-0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz"
"""Six bits a character, in ASCII order: texts of equal length compare as the numbers they stand for."""


def unique_id(length: int = 16) -> str:
    """A random id of ``length`` characters of ``ALPHABET``, from the system's secure source."""
    return id_from_bytes(os.urandom(length))


def id_from_bytes(raw: bytes) -> str:
    """The id that random bytes stand for: the low six bits of each pick a character."""
    return "".join([ALPHABET[byte & 63] for byte in raw])
