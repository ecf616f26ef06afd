"""Bytes as programs get them: from storage, sockets, bodies and other objects."""

from __future__ import annotations

__all__ = ["ByteString"]


class ByteString(bytes):
    """Bytes that also answer to what Cloudflare's programs call on theirs, which are views of buffers."""

    __slots__ = ()

    def tobytes(self) -> bytes:
        """The same as plain bytes, as of a ``memoryview``."""
        return bytes(self)

    def to_bytes(self) -> bytes:
        """The same as plain bytes, as of a proxy of JavaScript's."""
        return bytes(self)

    def to_memoryview(self) -> memoryview:
        """A view of them."""
        return memoryview(self)

    def to_py(self) -> memoryview:
        """A view of them, which is what a proxy of JavaScript's gives."""
        return memoryview(self)

    @property
    def byteLength(self) -> int:  # noqa: N802 - JavaScript's name
        """How many there are."""
        return len(self)
