"""Bytes that can be changed, as JavaScript's arrays of them are."""

from __future__ import annotations

from typing import Any

import pytest

from durabase.workers.compat.js_bytes import ArrayBuffer, Uint8Array


def test_bytes_that_can_be_changed() -> None:
    array = Uint8Array.new(4)
    array.set([1, 2], 1)
    assert bytes(array.fill(9, 3)) == b"\x00\x01\x02\x09"
    assert array.buffer.byteLength == 4
    assert array.to_bytes() == array.to_py() == bytes(array)
    assert Uint8Array.from_(iter([1, 2])) == b"\x01\x02"
    with pytest.raises(ValueError, match="out of bounds"):
        array.set(b"12345")
    assert ArrayBuffer.isView(array)
    assert not ArrayBuffer.isView(ArrayBuffer.new(1))


@pytest.mark.parametrize(
    ("content", "data"),
    [
        (3, b"\0\0\0"),
        (b"ab", b"ab"),
        (memoryview(b"ab"), b"ab"),
        ([1, 256, -1, 2.9], b"\x01\x00\xff\x02"),
        ((number for number in (1, 2)), b"\x01\x02"),
    ],
)
def test_what_it_is_made_of(content: Any, data: bytes) -> None:
    made = Uint8Array.new(content)
    assert made == data
    assert made.length == made.byteLength == len(data)


def test_items_that_are_put_in_wrap_around_like_those_that_it_is_made_of() -> None:
    array = Uint8Array.of(1, 2, 257, 4)
    assert array == b"\x01\x02\x01\x04"
    array.set([300, -1], 2)
    array.set(b"\x09")
    assert array == b"\x09\x02\x2c\xff"
    with pytest.raises(ValueError, match=r"^offset is out of bounds$"):
        array.set([1], -1)
    with pytest.raises(ValueError, match=r"^offset is out of bounds$"):
        array.set([1], 4)
    array.set([], 4)


@pytest.mark.parametrize(
    ("bounds", "data"), [((), b"abcd"), ((1,), b"bcd"), ((1, 3), b"bc"), ((-2, -1), b"c")]
)
def test_a_slice_is_a_copy(bounds: tuple[int, ...], data: bytes) -> None:
    array = Uint8Array.new(b"abcd")
    piece = array.slice(*bounds)
    assert piece == data
    assert type(piece) is Uint8Array
    piece[0] = 0
    assert array == b"abcd"


@pytest.mark.parametrize(
    ("bounds", "data"), [((), b"\1\1\1"), ((1,), b"\0\1\1"), ((0, -1), b"\1\1\0"), ((2, 9), b"\0\0\1")]
)
def test_filling(bounds: tuple[int, ...], data: bytes) -> None:
    array = Uint8Array.new(3)
    assert array.fill(257, *bounds) is array
    assert array == data


def test_views_see_changes_and_copies_do_not() -> None:
    array = Uint8Array.new(b"ab")
    view, copy = array.to_memoryview(), array.tobytes()
    array[0] = 0
    assert (view.tobytes(), copy, type(copy)) == (b"\0b", b"ab", bytes)


def test_what_is_a_view() -> None:
    assert ArrayBuffer.isView(memoryview(b""))
    assert not ArrayBuffer.isView(b"")
