"""What requests and responses carry: nothing, bytes, or a stream of bytes; read at most once.

It knows nothing of connections: a stream is any asynchronous iterator of bytes.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import AsyncIterable, AsyncIterator, Callable
from typing import Any, TypeAlias

from durabase._names import js_names
from durabase.web.blob import Blob
from durabase.web.form_data import FormData, parse_form
from durabase.web.headers import Headers

__all__ = ["Body", "BodyInit", "BodyStream", "body_of"]

BodyInit: TypeAlias = "str | bytes | bytearray | memoryview | Blob | FormData | AsyncIterable[bytes] | None"


_Bytes: TypeAlias = bytes
_Content: TypeAlias = "bytes | AsyncIterable[bytes] | None"


class BodyStream:
    """The readable side of a body: iterate it, once, for its chunks."""

    __slots__ = ("_body",)

    def __init__(self, body: Body) -> None:
        self._body = body

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self._body.iter_body()


class _Branch:
    """One of two readers of the same stream; what one has read first waits for the other."""

    __slots__ = ("_ahead", "_source", "sibling")

    def __init__(self, source: AsyncIterator[bytes]) -> None:
        self._source = source
        self._ahead: deque[bytes] = deque()
        self.sibling: _Branch | None = None

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        if self._ahead:
            return self._ahead.popleft()
        chunk = await anext(self._source)
        if self.sibling is not None:
            self.sibling._ahead.append(chunk)
        return chunk


def body_of(init: object, owner: str) -> tuple[_Content, str | None]:
    """What to carry for ``init``, and the content type that goes with it.

    Raises:
        TypeError: ``init`` is nothing that can be carried.
    """
    if init is None:
        return None, None
    if isinstance(init, str):
        return init.encode("utf-8", "replace"), "text/plain;charset=UTF-8"
    if isinstance(init, (bytes, bytearray, memoryview)):
        return bytes(init), None
    if isinstance(init, Blob):
        return init.data, init.content_type or None
    if isinstance(init, FormData):
        return init.encode()
    if isinstance(init, AsyncIterable):
        return init, None
    raise TypeError(f"Unsupported type in {owner}: {type(init).__name__}")


@js_names
class Body:
    """The reading half that :class:`Request` and :class:`Response` share."""

    __slots__ = ("_content", "_used", "headers")

    def __init__(self, content: _Content, headers: Headers) -> None:
        self._content = content
        self._used = False
        self.headers = headers

    @property
    def body(self) -> BodyStream | None:
        """The body as a stream, or ``None`` if there is none."""
        return None if self._content is None else BodyStream(self)

    @property
    def body_used(self) -> bool:
        """Whether it has been read."""
        return self._used

    @property
    def size_at_hand(self) -> int | None:
        """How many bytes the body has, read or not; ``None`` if it is a stream."""
        content = self._content or b""
        return len(content) if isinstance(content, bytes) else None

    def body_bytes(self) -> _Bytes | None:
        """The whole body if it is at hand (``b""`` if there is none), ``None`` if it is a stream. Reads it.

        Raises:
            OSError: it was read before.
        """
        content = self._content
        if content is not None and not isinstance(content, bytes):
            return None
        self._take()
        return b"" if content is None else content

    async def iter_body(self) -> AsyncIterator[_Bytes]:
        """The body in chunks. Reads it.

        Raises:
            OSError: it was read before.
        """
        content = self._take()
        if isinstance(content, bytes):
            yield content
        elif content is not None:
            async for chunk in content:
                yield chunk

    async def bytes(self) -> _Bytes:
        """The whole body.

        Raises:
            OSError: it was read before.
        """
        at_hand = self.body_bytes()
        return b"".join([chunk async for chunk in self.iter_body()]) if at_hand is None else at_hand

    async def buffer(self) -> _Bytes:
        """The whole body; the same as :meth:`bytes`."""
        return await self.bytes()

    async def text(self) -> str:
        """The whole body as UTF-8; what is none becomes U+FFFD, and a leading byte order mark is dropped."""
        return (await self.bytes()).decode("utf-8-sig", "replace")

    async def json(self, **kwargs: Any) -> Any:
        """The whole body as JSON; ``kwargs`` go to :func:`json.loads`.

        Raises:
            ValueError: it is no JSON.
        """
        return json.loads(await self.text(), **kwargs)

    async def form_data(self) -> FormData:
        """The whole body as a form, in either of HTML's encodings.

        Raises:
            ValueError: the content type says that it is none, or it is malformed.
        """
        return parse_form(await self.bytes(), self._content_type())

    async def blob(self) -> Blob:
        """The whole body with its content type."""
        return Blob(await self.bytes(), self._content_type())

    def _content_type(self) -> str:
        return self.headers.get("content-type", "")

    def _take(self) -> _Content:
        if self._used:
            raise OSError("Body already used")
        self._used = self._content is not None
        return self._content

    def wrap_stream(self, wrap: Callable[[AsyncIterable[_Bytes]], AsyncIterable[_Bytes]]) -> None:
        """If the body is a stream, have it read by way of ``wrap`` from now on."""
        if self._content is not None and not isinstance(self._content, bytes):
            self._content = wrap(self._content)

    def _fork(self) -> _Content:
        """Content for a copy of this body, leaving this one readable."""
        if self._used:
            raise OSError("Body already used")
        content = self._content
        if content is None or isinstance(content, bytes):
            return content
        source = aiter(content)
        mine, copy = _Branch(source), _Branch(source)
        mine.sibling, copy.sibling = copy, mine
        self._content = mine
        return copy
