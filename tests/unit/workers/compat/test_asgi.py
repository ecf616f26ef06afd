"""ASGI applications behind a worker."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import pytest

from durabase.web import CloseEvent, MessageEvent, Request, Response
from durabase.workers.compat import asgi

URL = "http://host/a%20b?q=1"


def answered(app: Any, request: Request | None = None) -> tuple[int, str, list[tuple[str, str]]]:
    async def main() -> tuple[int, str, list[tuple[str, str]]]:
        response = await asgi.fetch(app, request or Request(URL), {"NAME": "env"})
        text = await response.text()
        await asyncio.sleep(0)
        return response.status, text, response.headers.items()

    return asyncio.run(main())


async def no_lifespan(scope: Any, receive: Any, send: Any) -> None:
    assert scope["type"] == "http"
    body = (await receive())["body"]
    await send(
        {
            "type": "http.response.start",
            "status": 201,
            "headers": [(b"set-cookie", b"a=1"), (b"set-cookie", b"b=2")],
        }
    )
    facts = [scope["method"], scope["path"], scope["raw_path"], scope["query_string"], scope["env"], body]
    await send({"type": "http.response.body", "body": repr(facts).encode()})


def test_the_scope_and_one_piece() -> None:
    status, text, headers = answered(no_lifespan, Request(URL, method="POST", body="hi"))
    assert status == 201
    assert text == repr(["POST", "/a b", b"/a%20b", b"q=1", {"NAME": "env"}, b"hi"])
    assert headers == [("set-cookie", "a=1"), ("set-cookie", "b=2")]


def test_lifespan_and_streaming() -> None:
    seen: list[str] = []
    over = asyncio.Event()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            seen.append((await receive())["type"])
            scope["state"]["made"] = "at startup"
            await send({"type": "lifespan.startup.complete"})
            seen.append((await receive())["type"])
            await send({"type": "lifespan.shutdown.complete"})
            over.set()
            return
        await send({"type": "http.response.start", "status": 200, "headers": []})
        for number in range(20):  # more than are kept ahead
            await send({"type": "http.response.body", "body": str(number).encode(), "more_body": True})
        await send({"type": "http.response.body", "body": scope["state"]["made"].encode()})
        await receive()
        seen.append((await receive())["type"])

    async def main() -> str:
        response = await asgi.fetch(app, Request(URL), None)
        text = await response.text()
        async with asyncio.timeout(5):
            await over.wait()
        return text

    assert asyncio.run(main()) == "".join(map(str, range(20))) + "at startup"
    assert seen == ["lifespan.startup", "http.disconnect", "lifespan.shutdown"]


def test_errors_before_and_after_the_response(caplog: pytest.LogCaptureFixture) -> None:
    async def before(scope: Any, receive: Any, send: Any) -> None:
        raise ValueError("before")

    async def after(scope: Any, receive: Any, send: Any) -> None:
        await no_lifespan(scope, receive, send)
        raise ValueError("after")

    async def nothing(scope: Any, receive: Any, send: Any) -> None: ...

    with pytest.raises(ValueError, match="before"):
        answered(before)
    with caplog.at_level(logging.ERROR):
        assert answered(after)[0] == 201
    assert "after" in caplog.text
    with pytest.raises(RuntimeError, match="without a response"):
        answered(nothing)


def test_a_reader_that_leaves_ends_the_application() -> None:
    async def main() -> bool:
        ended = asyncio.Event()

        async def app(scope: Any, receive: Any, send: Any) -> None:
            if scope["type"] == "lifespan":
                raise NotImplementedError
            try:
                await send({"type": "http.response.start", "status": 200})
                while True:
                    await send({"type": "http.response.body", "body": b"x", "more_body": True})
            finally:
                ended.set()

        response = await asgi.fetch(app, Request(URL), None)
        pieces = response.iter_body()
        await anext(pieces)
        del response
        await pieces.aclose()  # type: ignore[attr-defined]
        del pieces
        async with asyncio.timeout(5):
            await ended.wait()
        return ended.is_set()

    assert asyncio.run(main())


def test_a_websocket() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        assert (scope["type"], scope["scheme"], scope["subprotocols"]) == ("websocket", "ws", ["p"])
        assert (await receive())["type"] == "websocket.connect"
        await send({"type": "websocket.accept"})
        message = await receive()
        await send({"type": "websocket.send", "text": message["text"].upper()})
        await send({"type": "websocket.send", "bytes": (await receive())["bytes"]})

    async def main() -> tuple[Response, list[Any]]:
        default = asgi.entrypoint(app)
        headers = {"upgrade": "websocket", "sec-websocket-protocol": "p"}
        response = await default(None, None).fetch(Request(URL, headers=headers))  # type: ignore[arg-type, attr-defined]
        assert response.web_socket is not None
        return response, await converse(response.web_socket)

    async def converse(client: Any) -> list[Any]:
        seen: list[Any] = []
        over = asyncio.Event()

        def message(event: MessageEvent) -> None:
            seen.append(event.data)

        def closed(event: CloseEvent) -> None:
            seen.append(event.code)
            over.set()

        client.add_event_listener("message", message)
        client.add_event_listener("close", closed)
        client.accept()
        client.send("hello")
        client.send(b"bytes")
        async with asyncio.timeout(5):
            await over.wait()
        return seen

    response, seen = asyncio.run(main())
    assert response.headers["sec-websocket-protocol"] == "p"
    assert seen == ["HELLO", b"bytes", 1000]
