"""Bytes with a content type, and perhaps a file name."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeAlias

from durabase._codec.strings import utf8
from durabase._names import js_names

__all__ = ["Blob", "BlobPart", "File"]

BlobPart: TypeAlias = "str | bytes | bytearray | memoryview | Blob"

_Bytes: TypeAlias = bytes


def _bytes_of(part: BlobPart) -> bytes:
    if isinstance(part, Blob):
        return part.data
    if isinstance(part, str):
        return utf8(part)
    if isinstance(part, (bytes, bytearray, memoryview)):
        return bytes(part)
    raise TypeError(f"Unsupported type in Blob: {type(part).__name__}")


def _native(part: BlobPart, endings: str | None) -> BlobPart:
    if endings == "native" and isinstance(part, str):
        return part.replace("\r\n", "\n")
    return part


@js_names
class Blob:
    """Immutable bytes with a content type.

    Args:
        parts: one part or several; text is written as UTF-8. A single blob hands on its content type.
        content_type: what the bytes are.
        endings: ``"native"`` turns CRLF in text parts into LF.

    Raises:
        TypeError: a part is of another type.
    """

    __slots__ = ("content_type", "data")

    def __init__(
        self,
        parts: BlobPart | Iterable[BlobPart] = (),
        content_type: str | None = None,
        endings: str | None = None,
    ) -> None:
        single = isinstance(parts, (str, bytes, bytearray, memoryview, Blob))
        listed: Iterable[BlobPart] = (parts,) if single else parts  # type: ignore[assignment]
        self.data = b"".join(_bytes_of(_native(part, endings)) for part in listed)
        inherited = parts.content_type if isinstance(parts, Blob) else ""
        self.content_type: str = inherited if content_type is None else content_type

    @property
    def size(self) -> int:
        """How many bytes."""
        return len(self.data)

    @property
    def type(self) -> str:
        """The content type, under JavaScript's name."""
        return self.content_type

    async def text(self) -> str:
        """The bytes as UTF-8; what is none becomes U+FFFD."""
        return self.data.decode("utf-8", "replace")

    async def bytes(self) -> _Bytes:
        """The bytes."""
        return self.data

    async def array_buffer(self) -> _Bytes:
        """The bytes."""
        return self.data

    def slice(self, start: int = 0, end: int | None = None, content_type: str = "") -> Blob:
        """A part of it; negative positions count from the end."""
        return Blob(self.data[start:end], content_type)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(size={self.size}, content_type={self.content_type!r})"


@js_names
class File(Blob):
    """A blob with a name and a time of last change (milliseconds since 1970)."""

    __slots__ = ("last_modified", "name")

    def __init__(
        self,
        parts: BlobPart | Iterable[BlobPart],
        filename: str,
        content_type: str | None = None,
        endings: str | None = None,
        last_modified: int | None = None,
    ) -> None:
        super().__init__(parts, content_type, endings)
        self.name = filename
        self.last_modified = last_modified
