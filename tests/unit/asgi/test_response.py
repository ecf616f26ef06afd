"""Responses as ASGI messages."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, MutableMapping
from typing import Any

import pytest

from durabase.asgi.response import send_response
from durabase.web import Response


def sent(response: Response, **options: str) -> list[MutableMapping[str, Any]]:
    messages: list[MutableMapping[str, Any]] = []

    async def send(message: MutableMapping[str, Any]) -> None:
        messages.append(message)

    asyncio.run(send_response(response, send, **options))
    return messages


async def chunks(*parts: bytes) -> AsyncIterator[bytes]:
    for part in parts:
        yield part


def end(body: bytes, kind: str = "http.response") -> dict[str, Any]:
    return {"type": f"{kind}.body", "body": body, "more_body": False}


def test_a_body_at_hand_is_one_message_with_its_length() -> None:
    start, body = sent(Response("hé", 201, headers={"X-A": "1"}))
    assert (start["type"], start["status"]) == ("http.response.start", 201)
    assert dict(start["headers"]) == {
        b"x-a": b"1",
        b"content-type": b"text/plain;charset=UTF-8",
        b"content-length": b"3",
    }
    assert body == end("hé".encode())


def test_a_stream_is_a_message_for_each_piece_that_has_bytes() -> None:
    start, *bodies = sent(Response(chunks(b"a", b"", b"b")))
    assert b"content-length" not in dict(start["headers"])
    assert [(body["body"], body["more_body"]) for body in bodies] == [
        (b"a", True),
        (b"b", True),
        (b"", False),
    ]


@pytest.mark.parametrize("body", ["text", None])
def test_head_has_the_length_and_no_body(body: str | None) -> None:
    start, *bodies = sent(Response(body), method="HEAD")
    assert dict(start["headers"])[b"content-length"] == (b"4" if body else b"0")
    assert bodies == [end(b"")]


def test_nothing_of_a_stream_is_sent_to_head() -> None:
    assert sent(Response(chunks(b"a")), method="HEAD")[1:] == [end(b"")]


@pytest.mark.parametrize("status", [204, 304])
def test_statuses_without_a_body_have_no_length_either(status: int) -> None:
    start, *bodies = sent(Response(None, status))
    assert (start["headers"], bodies) == ([], [end(b"")])


def test_a_web_socket_is_refused_with_messages_of_its_own_kind() -> None:
    kind = "websocket.http.response"
    start, body = sent(Response("no", 403), kind=kind)
    assert (start["type"], body) == (f"{kind}.start", end(b"no", kind))
