"""Randomness, digests and signatures."""

from __future__ import annotations

import asyncio
import uuid
from typing import Any

import pytest

from durabase.workers.compat.js_crypto import crypto


def test_randomness() -> None:
    assert crypto.randomUUID() != crypto.randomUUID()
    assert any(crypto.getRandomValues(bytearray(32)))


def test_digests_and_signatures() -> None:
    subtle = crypto.subtle
    secret = b"key"
    text = b"The quick brown fox jumps over the lazy dog"

    async def main() -> None:
        digest = await subtle.digest("SHA-256", text)
        assert digest.to_bytes().hex().startswith("d7a8fbb307d7809469ca9abcb0082e4f")
        assert await subtle.digest({"name": "sha-1"}, b"") == bytes.fromhex(
            "da39a3ee5e6b4b0d3255bfef95601890afd80709"
        )
        with pytest.raises(NotImplementedError, match="Unrecognized or unimplemented digest algorithm"):
            await subtle.digest("SHA-9", b"")
        algorithm = {"name": "HMAC", "hash": "SHA-256"}
        key = await subtle.importKey("raw", secret, algorithm, False, ["sign"])
        signature = await subtle.sign("HMAC", key, text)
        assert signature.hex().startswith("f7bc83f430538424b13298e6aa6fb143")
        with pytest.raises(PermissionError, match='"verify" is not valid for the provided key'):
            await subtle.verify("HMAC", key, signature, text)
        with pytest.raises(PermissionError, match="not extractable"):
            await subtle.exportKey("raw", key)
        checking = await subtle.importKey("raw", secret, algorithm, True, ["verify"])
        assert await subtle.verify("HMAC", checking, signature, text)
        assert not await subtle.verify("HMAC", checking, signature, b"other")
        assert await subtle.exportKey("raw", checking) == b"key"
        made = await subtle.generateKey({"name": "HMAC", "hash": {"name": "SHA-512"}}, True, ["sign"])
        assert len(await subtle.exportKey("raw", made)) == 128
        with pytest.raises(NotImplementedError, match="use the package cryptography"):
            await subtle.importKey("raw", secret, "AES-GCM", False, ["encrypt"])
        with pytest.raises(NotImplementedError, match="use the package cryptography"):
            await subtle.importKey("jwk", secret, algorithm, False, ["sign"])
        with pytest.raises(AttributeError, match="use the package cryptography"):
            subtle.encrypt("AES-GCM", key, text)

    asyncio.run(main())
    assert subtle.timingSafeEqual(b"a", bytearray(b"a"))
    assert not subtle.timingSafeEqual(b"a", b"b")
    with pytest.raises(TypeError, match="same byte length"):
        subtle.timingSafeEqual(b"a", b"")
    with pytest.raises(ValueError, match="only accepts buffers of size <= 64K but provided 65537 bytes"):
        crypto.getRandomValues(bytearray(65537))


def test_random_values_fill_what_they_are_given() -> None:
    array = bytearray(65_536)
    assert crypto.getRandomValues(array) is array
    assert len(array) == 65_536
    assert crypto.getRandomValues(memoryview(bytearray(8))).nbytes == 8
    assert uuid.UUID(crypto.randomUUID()).version == 4


@pytest.mark.parametrize(
    ("algorithm", "size"), [("SHA-1", 20), ("sha-256", 32), ("SHA-384", 48), ("SHA-512", 64), ("MD5", 16)]
)
def test_digests(algorithm: str, size: int) -> None:
    digest = crypto.subtle.digest
    assert len(asyncio.run(digest(algorithm, b""))) == size
    assert asyncio.run(digest({"name": algorithm}, memoryview(b"a"))) == asyncio.run(digest(algorithm, b"a"))


@pytest.mark.parametrize(
    ("hashed", "length", "size"),
    [("SHA-1", None, 64), ("SHA-256", None, 64), ("SHA-384", None, 128), ("SHA-256", 256, 32)],
)
def test_random_keys(hashed: str, length: int | None, size: int) -> None:
    async def main() -> None:
        algorithm = {"name": "hmac", "hash": hashed, **({"length": length} if length else {})}
        key = await crypto.subtle.generateKey(algorithm, True, ["sign", "verify"])
        assert (key.algorithm, key.usages, key.type, key.extractable) == (
            *({"name": "HMAC", "hash": {"name": hashed}}, ("sign", "verify")),
            *("secret", True),
        )
        assert len(key.secret) == size
        assert key.secret not in repr(key).encode()
        signature = await crypto.subtle.sign("HMAC", key, b"text")
        assert await crypto.subtle.verify("HMAC", key, signature, b"text")
        other = await crypto.subtle.generateKey(algorithm, True, ["sign"])
        assert other.secret != key.secret

    asyncio.run(main())


def test_what_keys_there_are_not() -> None:
    async def refused(*arguments: Any) -> None:
        with pytest.raises(NotImplementedError):
            await crypto.subtle.importKey(*arguments, True, ["sign"])

    async def main() -> None:
        await refused("raw", b"k", "HMAC")
        await refused("raw", b"k", {"name": "HMAC", "hash": "SHA-9"})
        key = await crypto.subtle.importKey("raw", b"k", {"name": "HMAC", "hash": "SHA-1"}, True, [])
        with pytest.raises(NotImplementedError, match="exportKey as 'jwk'"):
            await crypto.subtle.exportKey("jwk", key)
        with pytest.raises(PermissionError, match='"sign" is not valid for the provided key'):
            await crypto.subtle.sign("HMAC", key, b"text")

    asyncio.run(main())
