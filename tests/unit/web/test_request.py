"""Requests: of a URL or of another request, with what may be said of them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from http import HTTPMethod
from typing import Any

import pytest

from durabase.web import AbortController, AbortError, Request


async def chunks(*parts: bytes) -> AsyncIterator[bytes]:
    for part in parts:
        yield part


def test_request() -> None:
    async def main() -> None:
        request = Request("https://test.com/", method="post", headers={"X": "1"}, body="hé")
        assert request.method is HTTPMethod.POST
        assert request.method == "POST"
        assert repr(request) == "Request(method='POST', url='https://test.com/')"
        assert request.headers.items() == [("x", "1"), ("content-type", "text/plain;charset=UTF-8")]
        assert request.js_object is request
        copy = request.clone()
        assert await request.text() == "hé"
        assert request.bodyUsed  # type: ignore[attr-defined]
        with pytest.raises(OSError, match="Body already used"):
            await request.json()
        with pytest.raises(OSError, match="Body already used"):
            request.clone()
        assert await copy.buffer() == "hé".encode()

    asyncio.run(main())


def test_a_request_made_of_another_takes_its_body_over() -> None:
    async def main() -> None:
        first = Request("http://x/", method="PUT", headers={"a": "1"}, body=b"body", cf={"colo": "X"})
        second = Request(first, headers={"b": "2"})
        assert first.body_used
        assert (second.method, second.headers.items(), second.cf) == ("PUT", [("b", "2")], {"colo": "X"})
        assert await second.bytes() == b"body"

    asyncio.run(main())


def test_a_get_has_no_body() -> None:
    assert Request("http://x/").body is None
    assert Request("http://x/").body_bytes() == b""
    with pytest.raises(TypeError, match="cannot have a body"):
        Request("http://x/", body="b")


def test_the_url_is_absolute_and_normal() -> None:
    assert Request("HTTP://X:80/a/../b").url == "http://x/b"
    with pytest.raises(TypeError, match=r"^Invalid URL: /b$"):
        Request("/b")


def test_what_is_said_of_a_plain_one() -> None:
    request: Any = Request("http://x/")
    assert (request.method, request.redirect, request.cf, request.headers.items()) == (
        "GET",
        "follow",
        None,
        [],
    )
    assert (request.credentials, request.mode, request.referrer) == ("same-origin", "cors", "about:client")
    assert (request.cache, request.keepalive, request.referrerPolicy) == (None, False, "")


def test_methods_that_are_not_known_stay_as_they_are() -> None:
    assert Request("http://x/", method="patch").method is HTTPMethod.PATCH
    assert Request("http://x/", method="Purge").method == "Purge"


def test_a_content_type_of_ones_own_goes_first() -> None:
    typed = Request("http://x/", method="POST", headers={"Content-Type": "x/y"}, body="b")
    assert typed.headers["content-type"] == "x/y"
    assert Request("http://x/", method="POST", body=b"b").headers.items() == []


@pytest.mark.parametrize("method", ["GET", "head"])
def test_methods_without_a_body(method: str) -> None:
    with pytest.raises(TypeError, match=r"^Request with a GET or HEAD method cannot have a body\.$"):
        Request("http://x/", method=method, body="")


def test_a_copy_with_parts_replaced() -> None:
    async def main() -> None:
        signal = AbortController().signal
        first = Request("http://x/", method="PUT", headers={"a": "1"}, body=b"1", cf={}, signal=signal)
        second = Request(first, method="POST", body="2", cf={"colo": "X"})
        assert (second.url, second.method, second.cf) == ("http://x/", "POST", {"colo": "X"})
        assert second.headers.items() == [("a", "1"), ("content-type", "text/plain;charset=UTF-8")]
        assert second.signal is signal
        assert (await second.text(), await first.text()) == ("2", "1")
        own = AbortController().signal
        assert Request(second, body="3", signal=own).signal is own
        assert first.headers.items() == [("a", "1")]

    asyncio.run(main())


def test_what_can_not_be_carried() -> None:
    with pytest.raises(TypeError, match="Unsupported type in Request: int"):
        Request("http://x/", method="POST", body=5)  # type: ignore[arg-type]


def test_a_request_that_was_read_can_not_be_made_another() -> None:
    first = Request("http://x/", method="PUT", body=b"1")
    first.body_bytes()
    with pytest.raises(OSError, match="Body already used"):
        Request(first)
    assert Request(first, body="2").body_bytes() == b"2"


def test_a_clone_of_a_stream_is_read_independently() -> None:
    async def main() -> None:
        request = Request("http://x/", method="POST", body=chunks(b"a", b"b"), redirect="manual", cf={"a": 1})
        copy = request.clone()
        assert (copy.method, copy.redirect, copy.cf) == ("POST", "manual", {"a": 1})
        assert copy.signal is request.signal
        assert await request.bytes() == b"ab"
        assert copy.body is not None
        assert [chunk async for chunk in copy.body] == [b"a", b"b"]

    asyncio.run(main())


def test_the_signal_is_made_when_it_is_asked_for() -> None:
    request = Request("http://x/")
    assert not request.has_signal
    signal = request.signal
    assert request.has_signal
    assert request.signal is signal
    assert not signal.aborted
    request.abandon()
    assert signal.aborted
    assert isinstance(signal.reason, AbortError)
    assert str(signal.reason) == "The client has disconnected"


def test_who_asks_late_is_told_that_the_client_has_gone() -> None:
    request = Request("http://x/")
    request.abandon()
    assert not request.has_signal
    assert request.signal.aborted


def test_a_copy_keeps_what_the_options_do_not_replace() -> None:
    request = Request("http://h", method="POST", headers={"x": "1"}, body="b", redirect="manual", cf={"a": 1})
    copy = Request(request, headers={"y": "2"})
    assert (copy.url, copy.method, copy.redirect, copy.cf) == (request.url, "POST", "manual", {"a": 1})
    assert (copy.headers.get("x"), copy.headers.get("y"), copy.body_bytes()) == (None, "2", b"b")
    assert Request(copy, body="more", redirect="error").redirect == "error"
    assert Request("http://h/").redirect == "follow"
