"""The text of bookmarks, and back."""

from __future__ import annotations

import pytest

from durabase.durable_objects.storage.bookmarks import ZERO, Bookmark, parsed
from durabase.errors import StorageError

ORIGIN = bytes(range(16))
TEXT = "00000010-0000000a-00000001-000102030405060708090a0b0c0d0e0f"


def test_it_is_four_parts_in_hexadecimal() -> None:
    bookmark = Bookmark(16, 10, 1, ORIGIN)
    assert str(bookmark) == TEXT
    assert parsed(TEXT) == bookmark
    assert str(parsed(ZERO)) == ZERO == str(Bookmark(0, 0, 0, bytes(16)))


def test_that_of_a_later_state_is_greater() -> None:
    later = [
        Bookmark(1, 9, 9, ORIGIN),
        Bookmark(2, 1, 0, ORIGIN),
        Bookmark(2, 16, 0, ORIGIN),
        Bookmark(2, 16, 1, ORIGIN),
        Bookmark(256, 0, 0, bytes(16)),
    ]
    texts = [str(bookmark) for bookmark in later]
    assert sorted(set(texts)) == texts


@pytest.mark.parametrize(
    "text", ["", "x", TEXT[:-1], TEXT + "0", TEXT + "\n", " " + TEXT, TEXT.upper(), TEXT.replace("-", "_")]
)
def test_texts_of_no_bookmark(text: str) -> None:
    with pytest.raises(StorageError) as caught:
        parsed(text)
    assert str(caught.value) == f"{text!r} is no bookmark."


@pytest.mark.parametrize("thing", [None, 1, TEXT.encode()])
def test_what_is_no_text(thing: object) -> None:
    with pytest.raises(TypeError, match=f"^a bookmark is a string, not {type(thing).__name__}$"):
        parsed(thing)
