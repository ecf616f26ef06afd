"""``Uint8Array`` and ``ArrayBuffer``: bytes that can be changed."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

__all__ = ["ArrayBuffer", "Uint8Array"]


class Uint8Array(bytearray):
    """A ``bytearray`` with JavaScript's members, and those of Pyodide's proxies of buffers.

    Args:
        content: how many bytes, all 0; or what they are.
    """

    def __init__(self, content: int | Iterable[int] = 0) -> None:
        if isinstance(content, (int, bytes, bytearray, memoryview)):
            super().__init__(content)
        else:
            super().__init__(int(item) % 256 for item in content)

    @classmethod
    def new(cls, content: int | Iterable[int] = 0, *_: Any) -> Uint8Array:
        """Make one."""
        return cls(content)

    @classmethod
    def from_(cls, items: Iterable[int]) -> Uint8Array:
        """Make one of what an iterable gives."""
        return cls(list(items))

    @classmethod
    def of(cls, *items: int) -> Uint8Array:
        """Make one of the items."""
        return cls(items)

    @property
    def length(self) -> int:
        """How many bytes there are."""
        return len(self)

    @property
    def byteLength(self) -> int:  # noqa: N802 (JavaScript's name)
        """How many bytes there are."""
        return len(self)

    @property
    def buffer(self) -> Uint8Array:
        """Itself: there is no buffer apart from it."""
        return self

    def set(self, items: Iterable[int], offset: int = 0) -> None:
        """Put the items in the place of as many bytes.

        Raises:
            ValueError: there are not that many.
        """
        data = Uint8Array(items)
        if offset < 0 or offset + len(data) > len(self):
            raise ValueError("offset is out of bounds")
        self[offset : offset + len(data)] = data

    def slice(self, start: int = 0, end: int | None = None) -> Uint8Array:
        """Return a copy of a part; negative positions count from the end."""
        return type(self)(self[start:end])

    def fill(self, value: int, start: int = 0, end: int | None = None) -> Uint8Array:
        """Set the bytes of a part to ``value``, and return the array."""
        places = range(len(self))[start:end]
        for index in places:
            self[index] = value % 256
        return self

    def to_bytes(self) -> bytes:
        """Return a copy as plain bytes."""
        return bytes(self)

    tobytes = to_bytes

    def to_memoryview(self) -> memoryview:
        """Return a view of it."""
        return memoryview(self)

    to_py = to_memoryview


class ArrayBuffer(Uint8Array):
    """The same; there is no difference between a buffer and a view of it."""

    @staticmethod
    def isView(value: Any) -> bool:  # noqa: N802 (JavaScript's name)
        """Tell whether it is a view of bytes."""
        return isinstance(value, (Uint8Array, memoryview)) and not isinstance(value, ArrayBuffer)
