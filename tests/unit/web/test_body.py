"""What requests and responses carry: what it may be, and reading it, once."""

from __future__ import annotations

import asyncio
import gc
import json
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Iterator
from typing import Any
from weakref import ref

import pytest

from durabase.web import Blob, ByteString, FormData, Headers
from durabase.web.body import Body, body_of
from durabase.web.url_search_params import URLSearchParams

USED = r"^Body already used$"


class Chunks:
    """Gives chunks, and knows whether it was closed."""

    def __init__(self, *parts: bytes) -> None:
        self.is_closed = False
        self._parts = parts

    async def __aiter__(self) -> AsyncGenerator[bytes, None]:
        try:
            for part in self._parts:
                yield part
        finally:
            self.is_closed = True


class Later:
    def __await__(self) -> Iterator[None]:
        yield


def carrying(content: Any, content_type: str = "") -> Any:
    return Body(content, Headers({"content-type": content_type} if content_type else None))


@pytest.mark.parametrize(
    ("init", "content", "content_type"),
    [
        (None, None, None),
        ("", b"", "text/plain;charset=UTF-8"),
        ("hé\ud800", b"h\xc3\xa9\xef\xbf\xbd", "text/plain;charset=UTF-8"),
        (b"b", b"b", None),
        (bytearray(b"b"), b"b", None),
        (memoryview(b"b"), b"b", None),
        (Blob("b", "x/y"), b"b", "x/y"),
        (Blob("b"), b"b", None),
        (URLSearchParams("a=b+c"), b"a=b+c", "application/x-www-form-urlencoded;charset=UTF-8"),
    ],
)
def test_what_can_be_carried(init: object, content: bytes | None, content_type: str | None) -> None:
    found = body_of(init, "Response")
    assert found == (content, content_type)
    assert type(found[0]) is type(content)


def test_forms_and_streams_can_be_carried() -> None:
    content, content_type = body_of(FormData({"a": "1"}), "Request")
    assert b'name="a"' in content  # type: ignore[operator]
    assert str(content_type).startswith("multipart/form-data; boundary=")
    stream = Chunks()
    assert body_of(stream, "Request") == (stream, None)


@pytest.mark.parametrize(
    ("init", "notes"),
    [
        (5, []),
        ({"a": 1}, ["Response.json(...) and json.dumps(...) make JSON of it."]),
        ([1], ["Response.json(...) and json.dumps(...) make JSON of it."]),
        (Later(), ["It has to be awaited first."]),
    ],
)
def test_what_can_not_be_carried(init: object, notes: list[str]) -> None:
    with pytest.raises(TypeError, match=f"^Unsupported type in Owner: {type(init).__name__}") as caught:
        body_of(init, "Owner")
    assert getattr(caught.value, "__notes__", []) == notes


def test_no_body_can_be_read_again_and_again() -> None:
    async def main() -> None:
        body = carrying(None)
        assert body.body is None
        assert body.size_at_hand == 0
        assert await body.text() == ""
        assert await body.bytes() == body.body_bytes() == b""
        assert [chunk async for chunk in body.iter_body()] == []
        assert not body.body_used
        assert body._fork() is None

    asyncio.run(main())


def test_bytes_can_be_read_once() -> None:
    async def main() -> None:
        body = carrying(b"ab")
        assert (body.size_at_hand, body.body_used) == (2, False)
        assert body.body_bytes() == b"ab"
        assert (body.size_at_hand, body.body_used, body.bodyUsed) == (2, True, True)
        for read in (body.bytes, body.text, body.buffer, body.json, body.form_data, body.blob):
            with pytest.raises(OSError, match=USED):
                await read()
        for call in (body.body_bytes, body._fork):
            with pytest.raises(OSError, match=USED):
                call()
        with pytest.raises(OSError, match=USED):
            await anext(body.iter_body())

    asyncio.run(main())


def test_a_stream_is_not_at_hand_and_can_be_read_once() -> None:
    async def main() -> None:
        body = carrying(Chunks(b"a", b"b"))
        assert body.body_bytes() is None
        assert body.size_at_hand is None
        assert not body.body_used
        assert await body.bytes() == b"ab"
        assert body.body_used
        with pytest.raises(OSError, match=USED):
            await body.text()

    asyncio.run(main())


def test_chunks_come_as_they_are() -> None:
    async def main() -> None:
        assert [chunk async for chunk in carrying(Chunks(b"a", b"", b"b")).iter_body()] == [b"a", b"", b"b"]
        assert [chunk async for chunk in carrying(b"ab").iter_body()] == [b"ab"]

    asyncio.run(main())


def test_closing_the_iterator_closes_the_stream() -> None:
    async def main() -> None:
        stream = Chunks(b"a", b"b")
        chunks = carrying(stream).iter_body()
        await anext(chunks)
        assert not stream.is_closed
        await chunks.aclose()
        assert stream.is_closed

    asyncio.run(main())


def test_an_iterator_that_can_not_be_closed_is_a_stream_too() -> None:
    class Plain:
        def __init__(self) -> None:
            self.left = [b"b", b"a"]

        def __aiter__(self) -> AsyncIterator[bytes]:
            return self

        async def __anext__(self) -> bytes:
            if not self.left:
                raise StopAsyncIteration
            return self.left.pop()

    assert asyncio.run(carrying(Plain()).bytes()) == b"ab"


def test_the_stream_is_the_same_while_somebody_has_it() -> None:
    async def main() -> None:
        body = carrying(b"ab")
        stream = body.body
        assert body.body is stream
        assert not body.body_used
        assert [chunk async for chunk in stream] == [b"ab"]
        assert body.body_used
        assert body.body.locked

    asyncio.run(main())


def test_the_stream_does_not_keep_the_body() -> None:
    body = carrying(b"ab")
    gone = ref(body.body)
    gc.collect()
    assert gone() is None


def test_text_is_utf_8_without_its_mark() -> None:
    async def main() -> None:
        assert await carrying(b"\xef\xbb\xbfh\xc3\xa9\xff").text() == "hé\ufffd"
        buffer = await carrying(b"\xff").array_buffer()
        assert buffer == b"\xff"
        assert isinstance(buffer, ByteString)

    asyncio.run(main())


def test_json() -> None:
    async def main() -> None:
        assert await carrying(b'\xef\xbb\xbf{"a": [1]}').json(parse_int=float) == {"a": [1.0]}
        with pytest.raises(json.JSONDecodeError):
            await carrying(b"").json()

    asyncio.run(main())


def test_the_content_type_decides_what_forms_and_blobs_are() -> None:
    async def main() -> None:
        form = carrying(b"a=1", "application/x-www-form-urlencoded")
        assert (await form.formData()).items() == [("a", "1")]
        with pytest.raises(ValueError, match="this body is no form: its content type is ''"):
            await carrying(b"a=1").form_data()
        blob = await carrying(Chunks(b"a", b"b"), "x/y").blob()
        assert (blob.data, blob.type) == (b"ab", "x/y")
        assert (await carrying(b"").blob()).type == ""

    asyncio.run(main())


def test_streams_can_be_wrapped_and_nothing_else() -> None:
    async def doubled(chunks: AsyncIterable[bytes]) -> AsyncIterator[bytes]:
        async for chunk in chunks:
            yield chunk * 2

    async def main() -> None:
        for content, read in ((Chunks(b"a", b"b"), b"aabb"), (b"ab", b"ab"), (None, b"")):
            body = carrying(content)
            body.wrap_stream(doubled)
            assert await body.bytes() == read

    asyncio.run(main())


def test_a_copy_leaves_the_body_to_be_read() -> None:
    async def main() -> None:
        for body in (carrying(b"ab"), carrying(Chunks(b"a", b"b"))):
            copy = carrying(body._fork())
            assert not body.body_used
            assert await copy.bytes() == await body.bytes() == b"ab"

    asyncio.run(main())
