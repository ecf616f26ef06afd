"""Identity: how an object's id follows from a name, from nothing, or from text.

The derivation is that of Cloudflare's local runtime, so ids are the same as under ``wrangler dev``:
32 bytes, the second half of which proves that the first was made for this namespace. No I/O.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from typing import Final

from durabase._names import js_names

__all__ = ["JURISDICTIONS", "DurableObjectId", "IdMint"]

JURISDICTIONS: Final = ("eu", "fedramp", "fedramp-high", "us")
MAX_NAME_BYTES: Final = 1024

_HEX = re.compile(r"[0-9a-fA-F]{64}")


@js_names
class DurableObjectId:
    """The identity of one object. Equal when the bytes are; printed as 64 hexadecimal digits.

    Attributes:
        key: the 32 bytes.
        name: the name it was made from, ``None`` if it was not made from one.
        jurisdiction: where the object must stay, ``None`` for anywhere.
    """

    __slots__ = ("jurisdiction", "key", "name")

    def __init__(self, key: bytes, name: str | None = None, jurisdiction: str | None = None) -> None:
        self.key = key
        self.name = name
        self.jurisdiction = jurisdiction

    def to_string(self) -> str:
        """64 hexadecimal digits, lower case."""
        return self.key.hex()

    def equals(self, other: DurableObjectId) -> bool:
        """Whether both are the same object's."""
        return self == other

    def __str__(self) -> str:
        return self.key.hex()

    def __repr__(self) -> str:
        named = "" if self.name is None else f", name={self.name!r}"
        return f"DurableObjectId({self.key.hex()}{named})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, DurableObjectId) and self.key == other.key

    def __lt__(self, other: DurableObjectId) -> bool:
        return self.key < other.key

    def __hash__(self) -> int:
        return hash(self.key)


def _mac(key: bytes, data: bytes) -> bytes:
    return hmac.digest(key, data, "sha256")[:16]


class IdMint:
    """Makes and checks the ids of one namespace.

    Args:
        unique_key: what tells this namespace from every other; ids change when it does.
        jurisdiction: restricts the ids to one of :data:`JURISDICTIONS`.
        secret: keeps those who know the unique key from making ids; ids change when it does.
    """

    __slots__ = ("_key", "_secret", "_unique_key", "jurisdiction")

    def __init__(self, unique_key: str, jurisdiction: str | None = None, secret: str | None = None) -> None:
        self._unique_key = unique_key
        self._secret = secret
        self.jurisdiction = jurisdiction
        salted = unique_key if jurisdiction is None else f"{unique_key}\0{jurisdiction}"
        encoded = salted.encode("utf-8", "surrogatepass")
        if secret is None:
            self._key = hashlib.sha256(encoded).digest()
        else:
            self._key = hmac.digest(secret.encode("utf-8", "surrogatepass"), encoded, "sha256")

    def restricted(self, jurisdiction: str | None) -> IdMint:
        """The mint of the part of the namespace that stays in ``jurisdiction``.

        Raises:
            TypeError: there is no such jurisdiction.
        """
        if jurisdiction is not None and jurisdiction not in JURISDICTIONS:
            raise TypeError(f"unknown jurisdiction {jurisdiction!r}; known are {', '.join(JURISDICTIONS)}")
        return IdMint(self._unique_key, jurisdiction, self._secret)

    def from_name(self, name: str) -> DurableObjectId:
        """The id that always belongs to ``name``, which may be empty.

        Raises:
            TypeError: ``name`` is no text.
        """
        if not isinstance(name, str):
            raise TypeError(f"the name of an object must be a string, not {type(name).__name__}")
        encoded = name.encode("utf-8", "surrogatepass")
        kept = name if len(encoded) <= MAX_NAME_BYTES else None
        return self._finish(_mac(self._key, encoded), kept)

    def unique(self) -> DurableObjectId:
        """An id that nobody has."""
        return self._finish(secrets.token_bytes(16), None)

    def from_string(self, text: str) -> DurableObjectId:
        """The id that ``text`` spells; it has no name.

        Raises:
            TypeError: it is not 64 hexadecimal digits, or was made for another namespace.
        """
        if not isinstance(text, str) or not _HEX.fullmatch(text):
            raise TypeError("Invalid Durable Object ID: must be 64 hex digits")
        made = DurableObjectId(bytes.fromhex(text))
        for mint in self._accepted():
            if mint.made(made.key):
                made.jurisdiction = mint.jurisdiction
                return made
        raise TypeError("Durable Object ID is not valid for this namespace.")

    def accepts(self, id: DurableObjectId) -> bool:
        """Whether the id belongs to this namespace, or to a part of it."""
        return any(mint.made(id.key) for mint in self._accepted())

    def made(self, key: bytes) -> bool:
        """Whether exactly this mint made the key."""
        return hmac.compare_digest(_mac(self._key, key[:16]), key[16:])

    def _accepted(self) -> list[IdMint]:
        if self.jurisdiction is not None:
            return [self]
        return [self, *(self.restricted(jurisdiction) for jurisdiction in JURISDICTIONS)]

    def _finish(self, base: bytes, name: str | None) -> DurableObjectId:
        return DurableObjectId(base + _mac(self._key, base), name, self.jurisdiction)
