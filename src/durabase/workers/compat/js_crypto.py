"""``crypto``: randomness, and of ``crypto.subtle`` what Python's library has: digests and HMAC."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from durabase.web import ByteString

__all__ = ["CryptoKey", "crypto"]

_MAX_RANDOM = 65_536
_DIGESTS = {"SHA-1": "sha1", "SHA-256": "sha256", "SHA-384": "sha384", "SHA-512": "sha512", "MD5": "md5"}
_BLOCKS = {"sha1": 64, "sha256": 64, "sha384": 128, "sha512": 128}

_Buffer = TypeVar("_Buffer", bytearray, memoryview)
_Bytes = bytes | bytearray | memoryview


def _name_of(algorithm: Any) -> str:
    name = algorithm.get("name") if isinstance(algorithm, Mapping) else algorithm
    return str(name).upper()


def _digest_of(algorithm: Any) -> str:
    try:
        return _DIGESTS[_name_of(algorithm)]
    except KeyError:
        raise NotImplementedError("Unrecognized or unimplemented digest algorithm requested.") from None


@dataclass(frozen=True)
class CryptoKey:
    """A key for HMAC.

    Attributes:
        algorithm: ``name``, and the ``hash`` with its own name.
        extractable: whether it may be exported.
        usages: ``sign``, ``verify``.
    """

    secret: bytes
    algorithm: Mapping[str, Any]
    extractable: bool
    usages: tuple[str, ...]
    type: str = "secret"

    def __repr__(self) -> str:
        return f"<CryptoKey {self.algorithm['name']}>"


class _Subtle:
    """``crypto.subtle``. What it does not have, the package cryptography has."""

    async def digest(self, algorithm: Any, data: _Bytes) -> ByteString:
        """Return the digest of ``data``.

        Raises:
            NotImplementedError: there is no such algorithm here.
        """
        return ByteString(hashlib.new(_digest_of(algorithm), bytes(data), usedforsecurity=False).digest())

    async def importKey(  # noqa: N802 (JavaScript's name)
        self, form: str, data: _Bytes, algorithm: Any, extractable: bool, usages: Iterable[str]
    ) -> CryptoKey:
        """Return the key for HMAC that ``data`` is, in the form ``raw``.

        Raises:
            NotImplementedError: another form or algorithm.
        """
        if form != "raw":
            raise NotImplementedError(f"importKey of {form!r}: use the package cryptography")
        return _hmac_key(bytes(data), algorithm, extractable, usages)

    async def generateKey(  # noqa: N802 (JavaScript's name)
        self, algorithm: Any, extractable: bool, usages: Iterable[str]
    ) -> CryptoKey:
        """Return a random key for HMAC.

        Raises:
            NotImplementedError: another algorithm.
        """
        wanted = algorithm.get("length") if isinstance(algorithm, Mapping) else None
        key = _hmac_key(b"", algorithm, extractable, usages)
        size = wanted // 8 if wanted else _BLOCKS[_digest_of(key.algorithm["hash"])]
        return _hmac_key(secrets.token_bytes(size), algorithm, extractable, usages)

    async def exportKey(self, form: str, key: CryptoKey) -> ByteString:  # noqa: N802 (JavaScript's name)
        """Return the bytes of a key.

        Raises:
            NotImplementedError: another form than ``raw``.
            PermissionError: it may not be exported.
        """
        if form != "raw":
            raise NotImplementedError(f"exportKey as {form!r}: use the package cryptography")
        if not key.extractable:
            raise PermissionError("the CryptoKey is not extractable")
        return ByteString(key.secret)

    async def sign(self, algorithm: Any, key: CryptoKey, data: _Bytes) -> ByteString:
        """Return the signature of ``data``.

        Raises:
            PermissionError: the key is not for that.
        """
        return ByteString(_signature("sign", key, data))

    async def verify(self, algorithm: Any, key: CryptoKey, signature: _Bytes, data: _Bytes) -> bool:
        """Tell whether ``signature`` is that of ``data``, in constant time.

        Raises:
            PermissionError: the key is not for that.
        """
        return hmac.compare_digest(_signature("verify", key, data), bytes(signature))

    def timingSafeEqual(self, a: _Bytes, b: _Bytes) -> bool:  # noqa: N802 (JavaScript's name)
        """Tell whether both are the same, in constant time.

        Raises:
            TypeError: they are not of the same length.
        """
        if len(a) != len(b):
            raise TypeError("Input buffers must have the same byte length.")
        return hmac.compare_digest(bytes(a), bytes(b))

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(f"crypto.subtle.{name} is not offered here; use the package cryptography")


def _hmac_key(data: bytes, algorithm: Any, extractable: bool, usages: Iterable[str]) -> CryptoKey:
    if _name_of(algorithm) != "HMAC":
        raise NotImplementedError(f"keys for {_name_of(algorithm)}: use the package cryptography")
    hashed = algorithm.get("hash") if isinstance(algorithm, Mapping) else None
    name = _name_of(hashed)
    _digest_of(name)
    return CryptoKey(data, {"name": "HMAC", "hash": {"name": name}}, bool(extractable), tuple(usages))


def _signature(usage: str, key: CryptoKey, data: _Bytes) -> bytes:
    if usage not in key.usages:
        raise PermissionError(f'The requested operation "{usage}" is not valid for the provided key.')
    return hmac.digest(key.secret, bytes(data), _digest_of(key.algorithm["hash"]))


class _Crypto:
    """Randomness, and ``subtle``."""

    subtle = _Subtle()

    @staticmethod
    def randomUUID() -> str:  # noqa: N802 (JavaScript's name)
        """Return a random UUID."""
        return str(uuid.uuid4())

    @staticmethod
    def getRandomValues(array: _Buffer) -> _Buffer:  # noqa: N802 (JavaScript's name)
        """Fill the array with random bytes, and return it.

        Raises:
            ValueError: it has more than 65,536.
        """
        if len(array) > _MAX_RANDOM:
            raise ValueError(
                f"getRandomValues() only accepts buffers of size <= 64K but provided {len(array)} bytes."
            )
        array[:] = secrets.token_bytes(len(array))
        return array


crypto = _Crypto()
