"""Responses: what they carry, the statuses that they may have, and what is asked of them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from durabase.web import Response, WebSocketPair


async def chunks(*parts: bytes) -> AsyncIterator[bytes]:
    for part in parts:
        yield part


def test_response_defaults() -> None:
    response = Response("text")
    assert (response.status, response.status_text, response.ok) == (200, "", True)
    assert response.headers.items() == [("content-type", "text/plain;charset=UTF-8")]
    assert response.body_bytes() == b"text"
    assert Response(b"bytes").headers.items() == []
    assert Response("x", headers={"Content-Type": "text/html"}).headers["content-type"] == "text/html"
    assert Response(None, status=204).body is None
    assert Response().body_bytes() == b""
    assert repr(Response('{"a":1}', headers=[("content-type", "application/json")], status_text="OK")) == (
        "Response(status=200, status_text='OK', content_type='application/json')"
    )


def test_json_makes_a_response_on_the_class_and_reads_one_on_an_instance() -> None:
    response = Response.json({"a": [1, None]}, status=201)
    assert isinstance(response, Response)
    assert response.headers["content-type"] == "application/json"
    assert response.status == 201
    assert asyncio.run(response.clone().json(parse_int=float)) == {"a": [1.0, None]}
    assert response.body_bytes() == json.dumps({"a": [1, None]}).encode()
    assert Response.json(1).status == 200
    assert Response.from_json(1, headers={"content-type": "x/y"}).headers["content-type"] == "x/y"


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects(status: int) -> None:
    response = Response.redirect("http://x/a b", status)
    assert (response.status, response.headers.items()) == (status, [("location", "http://x/a%20b")])
    assert response.body is None


def test_what_is_no_redirect() -> None:
    assert Response.redirect("http://x/").status == 302
    with pytest.raises(ValueError, match=r"^200 is not a redirect status code"):
        Response.redirect("http://x/", 200)
    with pytest.raises(TypeError, match="Invalid URL"):
        Response.redirect("/relative")


@pytest.mark.parametrize("status", [0, 99, 101, 199, 600])
def test_impossible_statuses(status: int) -> None:
    with pytest.raises(ValueError, match="200 to 599"):
        Response(None, status)


@pytest.mark.parametrize("status", [204, 205, 304])
def test_statuses_without_a_body(status: int) -> None:
    assert Response(None, status).status == status
    with pytest.raises(TypeError, match=r"null body status .* cannot have a body"):
        Response("", status)


@pytest.mark.parametrize(("status", "ok"), [(200, True), (299, True), (300, False), (599, False)])
def test_which_are_ok(status: int, ok: bool) -> None:
    assert Response(None, status).ok is ok


def test_what_can_not_be_carried() -> None:
    with pytest.raises(TypeError, match="Unsupported type in Response: dict"):
        Response({"a": 1})  # type: ignore[arg-type]


def test_what_it_says_of_itself() -> None:
    assert repr(Response()) == "Response(status=200)"


def test_a_response_with_a_socket() -> None:
    client, _ = WebSocketPair()
    response = Response(None, web_socket=client)
    assert response.status == 101
    assert response.webSocket is client  # type: ignore[attr-defined]
    with pytest.raises(ValueError, match="has the status 101, not 200"):
        Response(None, 200, web_socket=client)
    with pytest.raises(TypeError, match="Cannot clone a response to a WebSocket handshake"):
        response.clone()


def test_raise_for_status() -> None:
    Response("fine").raise_for_status()
    with pytest.raises(OSError, match="404 Client Error: Not Found"):
        Response("", 404).raise_for_status()
    Response("", 399).raise_for_status()
    with pytest.raises(OSError, match=r"^599 Server Error:  for url: $"):
        Response("", 599).raise_for_status()
    with pytest.raises(OSError, match="500 Server Error: Oh no"):
        Response("", 500, "Oh no").raise_for_status()


def test_another_body_for_the_same_response() -> None:
    response = Response("a", 404, "Gone", headers={"x": "1"}).replace_body(b"b")
    assert (response.status, response.status_text, response.headers["x"]) == (404, "Gone", "1")
    assert response.body_bytes() == b"b"


def test_the_body_of_another_response_is_taken_over_with_its_content_type() -> None:
    async def main() -> None:
        first = Response("moved", headers={"content-type": "x/y", "a": "1"})
        second = Response(first, 201)
        assert first.body_used
        assert (second.status, second.headers.items()) == (201, [("content-type", "x/y")])
        assert await second.text() == "moved"
        assert Response(Response(b"b")).headers.items() == []
        with pytest.raises(OSError, match="Body already used"):
            Response(second)

    asyncio.run(main())


def test_a_stream_is_carried() -> None:
    assert asyncio.run(Response(chunks(b'{"a":', b"1}")).json()) == {"a": 1}


def test_a_clone_is_read_independently() -> None:
    async def main() -> None:
        response = Response(chunks(b"a", b"b"), 201, "Made", {"x": "1"})
        response.url = "http://x/"
        copy = response.clone()
        assert (copy.status, copy.status_text, copy.url) == (201, "Made", "http://x/")
        copy.headers["x"] = "2"
        assert response.headers["x"] == "1"
        assert await copy.bytes() == await response.bytes() == b"ab"
        with pytest.raises(OSError, match="Body already used"):
            response.clone()

    asyncio.run(main())


def test_it_is_its_own_javascript_object() -> None:
    response: Any = Response()
    assert response.js_object is response.js_response is response.jsObject is response
    assert (response.type, response.url, response.redirected, response.web_socket) == (
        "default",
        "",
        False,
        None,
    )


def test_response_is_awaited_like_the_sdk_s() -> None:
    async def main() -> Any:
        return await Response("text").string()

    assert asyncio.run(main()) == "text"
