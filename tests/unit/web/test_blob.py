"""Bytes with a content type, and files: what they are made of, and what is read from them."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from durabase.web.blob import Blob, File


@pytest.mark.parametrize(
    ("parts", "data"),
    [
        ((), b""),
        ("ä", b"\xc3\xa4"),
        ("\ud800", b"\xef\xbf\xbd"),
        (b"ab", b"ab"),
        (bytearray(b"ab"), b"ab"),
        (memoryview(b"ab"), b"ab"),
        (["a", b"b", bytearray(b"c"), memoryview(b"d"), Blob("e")], b"abcde"),
        ((part for part in ("a", "b")), b"ab"),
    ],
)
def test_what_it_is_made_of(parts: Any, data: bytes) -> None:
    blob = Blob(parts)
    assert (blob.data, blob.size, blob.content_type) == (data, len(data), "")


def test_what_it_is_not_made_of() -> None:
    with pytest.raises(TypeError, match=r"^Unsupported type in Blob: int$"):
        Blob(["a", 5])  # type: ignore[list-item]


def test_a_single_blob_hands_on_its_content_type() -> None:
    blob = Blob("a", "text/plain")
    assert Blob(blob).content_type == Blob(blob).type == "text/plain"
    assert Blob(blob, "").content_type == ""
    assert Blob(blob, "x/y").content_type == "x/y"
    assert Blob([blob]).content_type == ""


def test_line_ends_of_text_become_native_where_that_is_asked_for() -> None:
    parts = ["a\r\nb\n", b"c\r\nd"]
    assert Blob(parts, endings="native").data == b"a\nb\nc\r\nd"
    assert Blob(parts, endings="transparent").data == Blob(parts).data == b"a\r\nb\nc\r\nd"
    assert Blob("a\r\nb", endings="native").data == b"a\nb"


def test_reading() -> None:
    async def main() -> None:
        blob: Any = Blob(b"a\xff", "x/y")
        assert await blob.text() == "a\ufffd"
        assert await blob.bytes() == await blob.array_buffer() == await blob.arrayBuffer() == b"a\xff"
        assert blob.contentType == "x/y"

    asyncio.run(main())


@pytest.mark.parametrize(
    ("bounds", "data"),
    [((), b"abcd"), ((1,), b"bcd"), ((1, 3), b"bc"), ((-2,), b"cd"), ((0, -1), b"abc"), ((2, 1), b"")],
)
def test_slices(bounds: tuple[int, ...], data: bytes) -> None:
    piece = Blob("abcd", "x/y").slice(*bounds)
    assert (piece.data, piece.content_type) == (data, "")
    assert Blob("abcd").slice(*bounds, content_type="t/u").type == "t/u"


def test_a_file_has_a_name_and_a_time() -> None:
    file: Any = File(["a\r\n"], "n.txt", "text/plain", "native", last_modified=5)
    assert (file.name, file.last_modified, file.lastModified, file.data) == ("n.txt", 5, 5, b"a\n")
    assert File(file, "other").content_type == "text/plain"
    assert File("a", "n").last_modified is None


def test_they_say_what_they_are() -> None:
    assert repr(Blob("ab", "x/y")) == "Blob(size=2, content_type='x/y')"
    assert repr(File("a", "n")) == "File(size=1, content_type='')"
