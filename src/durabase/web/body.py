"""What requests and responses carry: nothing, bytes, or a stream of bytes; read at most once.

It knows nothing of connections: a stream is any asynchronous iterator of bytes.
"""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, AsyncIterable, Awaitable, Callable
from typing import Any, TypeAlias
from weakref import ref

from durabase._codec.strings import utf8
from durabase._names import js_names
from durabase.web.blob import Blob
from durabase.web.byte_string import ByteString
from durabase.web.form_data import FormData, parse_form
from durabase.web.headers import Headers
from durabase.web.readable_stream import Branch, ReadableStream
from durabase.web.url_search_params import URLSearchParams

__all__ = ["Body", "BodyInit", "body_of"]

BodyInit: TypeAlias = (
    "str | bytes | bytearray | memoryview | Blob | FormData | URLSearchParams | AsyncIterable[bytes] | None"
)


_Bytes: TypeAlias = bytes
_Content: TypeAlias = "bytes | AsyncIterable[bytes] | None"


def body_of(init: object, owner: str) -> tuple[_Content, str | None]:
    """What to carry for ``init``, and the content type that goes with it.

    Raises:
        TypeError: ``init`` is nothing that can be carried.
    """
    if init is None:
        return None, None
    if isinstance(init, str):
        return utf8(init), "text/plain;charset=UTF-8"
    if isinstance(init, (bytes, bytearray, memoryview)):
        return bytes(init), None
    if isinstance(init, Blob):
        return init.data, init.content_type or None
    if isinstance(init, FormData):
        return init.encode()
    if isinstance(init, URLSearchParams):
        return str(init).encode(), "application/x-www-form-urlencoded;charset=UTF-8"
    if isinstance(init, AsyncIterable):
        return init, None
    error = TypeError(f"Unsupported type in {owner}: {type(init).__name__}")
    if isinstance(init, Awaitable):
        error.add_note("It has to be awaited first.")
    elif isinstance(init, (dict, list)):
        error.add_note("Response.json(...) and json.dumps(...) make JSON of it.")
    raise error


@js_names
class Body:
    """The reading half that :class:`Request` and :class:`Response` share."""

    __slots__ = ("_content", "_stream", "_used", "headers")

    def __init__(self, content: _Content, headers: Headers) -> None:
        self._content = content
        self._stream: ref[ReadableStream] | None = None
        self._used = False
        self.headers = headers

    @property
    def body(self) -> ReadableStream | None:
        """The body as a stream, or ``None`` if there is none."""
        stream = None if self._stream is None else self._stream()
        if stream is None and self._content is not None:
            stream = ReadableStream(self.iter_body())
            self._stream = ref(stream)  # it holds the body; a body that is dropped must go at once
        return stream

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

    async def iter_body(self) -> AsyncGenerator[_Bytes, None]:
        """The body in chunks. Reads it. Closing the iterator closes the stream that the body is.

        Raises:
            OSError: it was read before.
        """
        content = self._take()
        if isinstance(content, bytes):
            yield content
        elif content is not None:
            pieces = aiter(content)
            try:
                async for chunk in pieces:
                    yield chunk
            finally:
                close = getattr(pieces, "aclose", None)
                if close is not None:
                    await close()

    async def bytes(self) -> _Bytes:
        """The whole body.

        Raises:
            OSError: it was read before.
        """
        at_hand = self.body_bytes()
        return b"".join([chunk async for chunk in self.iter_body()]) if at_hand is None else at_hand

    async def buffer(self) -> ByteString:
        """The whole body, as what JavaScript's buffers are here; also under its name ``arrayBuffer``."""
        return ByteString(await self.bytes())

    array_buffer = buffer

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
        self._content, copy = Branch.pair(aiter(content))
        return copy
