"""Text to bytes and back, base64, and the escapes of URLs."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from durabase.workers.compat.js_text import (
    TextDecoder,
    TextEncoder,
    atob,
    btoa,
    decodeURI,
    decodeURIComponent,
    encodeURI,
    encodeURIComponent,
    structuredClone,
)


def test_text_that_comes_in_pieces() -> None:
    decoder = TextDecoder.new("utf-8", {"fatal": True})
    pieces = [b"\xef\xbb\xbfa\xe2", b"\x82", b"\xac"]
    assert [decoder.decode(piece, stream=True) for piece in pieces] == ["a", "", "€"]
    assert decoder.decode() == ""
    decoder.decode(b"\xe2", {"stream": True})
    with pytest.raises(TypeError, match="Failed to decode input"):
        decoder.decode()
    assert decoder.decode(b"again") == "again"


def test_encoding() -> None:
    assert TextEncoder.new().encode("ä\ud83d\ude00\ud800") == b"\xc3\xa4\xf0\x9f\x98\x80\xef\xbf\xbd"
    assert TextEncoder().encode() == b""
    assert TextEncoder.encoding == "utf-8"


@pytest.mark.parametrize(
    ("label", "options", "data", "text"),
    [
        ("utf-8", {}, b"\xef\xbb\xbfa\xff", "a\ufffd"),
        (" UTF8 ", {"ignoreBOM": True}, b"\xef\xbb\xbfa", "\ufeffa"),
        ("utf-16le", {}, b"a\0", "a"),
        ("latin1", {}, bytearray(b"\xe4"), "ä"),
        ("utf-8", {}, memoryview(b"a\xe2\x82"), "a\ufffd"),
    ],
)
def test_decoding(label: str, options: dict[str, Any], data: bytes, text: str) -> None:
    assert TextDecoder.new(label, options).decode(data) == text
    assert TextDecoder.new(label, **options).decode(data) == text


def test_a_mark_is_dropped_at_each_beginning_and_nowhere_else() -> None:
    decoder = TextDecoder()
    marked = b"\xef\xbb\xbfa"
    assert [decoder.decode(marked), decoder.decode(marked)] == ["a", "a"]
    assert [decoder.decode(marked, stream=True), decoder.decode(marked)] == ["a", "\ufeffa"]


def test_what_can_not_be_decoded() -> None:
    for label in ("nonsense", "hex"):
        with pytest.raises(ValueError, match=rf'^"{label}" is not a valid encoding\.$'):
            TextDecoder(label)
    decoder = TextDecoder("utf-8", fatal=True)
    assert (decoder.encoding, decoder.fatal, decoder.ignoreBOM) == ("utf-8", True, False)
    with pytest.raises(TypeError, match=r"^Failed to decode input\.$"):
        decoder.decode(b"\xff", stream=True)
    assert decoder.decode(b"\xef\xbb\xbfa") == "a"


@pytest.mark.parametrize(("text", "encoded"), [("", ""), ("a", "YQ=="), ("\xff\0", "/wA="), (123, "MTIz")])
def test_base64(text: object, encoded: str) -> None:
    assert btoa(text) == encoded
    assert atob(encoded) == str(text)


def test_base64_may_lack_its_padding_and_have_spaces() -> None:
    assert atob(" Y\tQ\n") == atob("Y Q = =") == "a"
    with pytest.raises(ValueError, match=r"^btoa\(\) can only operate on characters in the Latin1"):
        btoa("€")


@pytest.mark.parametrize("text", ["a", "YQ=", "YQ===", "=", "Y=Q=", "YQ-_", "YWFhY", "ä", "YQ==YQ=="])
def test_what_is_no_base64(text: str) -> None:
    with pytest.raises(ValueError, match=r"^atob\(\) called with invalid base64-encoded data"):
        atob(text)


@pytest.mark.parametrize(
    ("text", "component", "whole"),
    [
        ("a b", "a%20b", "a%20b"),
        ("-_.!~*'()", "-_.!~*'()", "-_.!~*'()"),
        (";/?:@&=+$,#", "%3B%2F%3F%3A%40%26%3D%2B%24%2C%23", ";/?:@&=+$,#"),
        ("ä%", "%C3%A4%25", "%C3%A4%25"),
    ],
)
def test_escapes(text: str, component: str, whole: str) -> None:
    assert (encodeURIComponent(text), encodeURI(text)) == (component, whole)
    assert decodeURIComponent(component) == decodeURI(whole) == text


def test_a_whole_url_keeps_the_escapes_of_its_own_marks() -> None:
    assert decodeURI("%3b%2F%3f%41%C3%A4") == "%3b%2F%3fAä"
    assert decodeURIComponent("%3b%2F+") == ";/+"


@pytest.mark.parametrize("text", ["%", "a%4", "%zz", "%ff", "%C3"])
def test_malformed_escapes(text: str) -> None:
    for decode in (decodeURI, decodeURIComponent):
        with pytest.raises(ValueError, match=r"^URI malformed$"):
            decode(text)


def test_clones() -> None:
    value = {"a": [1, datetime(2026, 1, 1, tzinfo=UTC)], "b": b"c"}
    clone = structuredClone(value, {"transfer": []})
    assert clone == value
    assert clone["a"] is not value["a"]
    with pytest.raises(TypeError):
        structuredClone({"a": print})
