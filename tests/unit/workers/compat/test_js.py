"""The JavaScript globals in common use."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from websockets.asyncio.server import ServerConnection, serve

from durabase.web import CloseEvent, ErrorEvent, MessageEvent, OpenEvent, Response, WebSocketPair
from durabase.workers.compat import js


def test_dates() -> None:
    assert js.Date.new(0).toISOString() == "1970-01-01T00:00:00.000Z"
    assert js.Date.new("2026-01-31T23:59:59.123Z").getTime() == 1769903999123
    assert abs(js.Date.now() - js.Date.new().getTime()) < 5000


def test_objects_and_json() -> None:
    assert js.Object.fromEntries([["a", 1], ("b", 2)]) == {"a": 1, "b": 2}
    assert js.Object.entries({"a": 1}) == [["a", 1]]
    assert js.Object.keys({"a": 1}) == ["a"]
    assert js.Object.values({"a": 1}) == [1]
    assert js.Object.assign({}, {"a": 1}) == {"a": 1}
    assert js.JSON.stringify({"a": [1, "é"]}) == '{"a":[1,"é"]}'
    assert js.JSON.parse('{"a":1}') == {"a": 1}


def test_collections() -> None:
    mapping = js.Map.new([["a", 1]])
    assert (mapping.set("b", 2).size, mapping.has("a"), mapping.delete("a"), mapping.delete("a")) == (
        2,
        True,
        True,
        False,
    )
    items = js.Set.new([1])
    items.add(2)
    assert (items.size, items.has(2), items.delete(1), items.delete(1)) == (2, True, True, False)
    assert js.Array.isArray(js.Array.new(1, 2))
    assert js.Uint8Array.new(b"ab")[0] == 97


def test_urls() -> None:
    url = js.URL.new("/p?a=1&a=2#h", "http://host:81/x")
    assert (url.origin, url.pathname, url.search, url.hash) == ("http://host:81", "/p", "?a=1&a=2", "#h")
    assert url.searchParams.getAll("a") == ["1", "2"]
    assert (url.searchParams.get("b"), url.searchParams.has("a")) == (None, True)
    query = js.URLSearchParams.new({"x": "a b"})
    query.append("y", 1)
    query.set("x", 2)
    assert str(query) == "x=2&y=1"
    with pytest.raises(TypeError, match="Invalid URL string"):
        js.URL.new("relative")


def test_responses_take_javascripts_options() -> None:
    client, _ = WebSocketPair.new()
    upgrade = js.Response.new(None, {"status": 101}, webSocket=client)
    assert isinstance(upgrade, Response)
    assert upgrade.web_socket is client
    assert js.Response.json({"a": 1}).headers["content-type"] == "application/json"
    assert js.Request.new("http://x/", {"method": "POST"}).method == "POST"
    assert js.Headers.new({"a": "b"}).get("A") == "b"


def test_randomness() -> None:
    assert js.crypto.randomUUID() != js.crypto.randomUUID()
    assert any(js.crypto.getRandomValues(bytearray(32)))


def test_console(capsys: pytest.CaptureFixture[str]) -> None:
    js.console.log("a", 1)
    js.console.warn("b")
    js.console.error("c")
    assert capsys.readouterr() == ("a 1\n", "▲ [WARNING] b\n✘ [ERROR] c\n")


def test_what_is_not_there() -> None:
    with pytest.raises(AttributeError, match=r"js\.Math: .*use the module math"):
        _ = js.Math
    assert js.undefined is None
    assert not hasattr(js, "nonsense")


def test_timers_and_promises() -> None:
    async def main() -> tuple[list[str], Any, Any, Any]:
        calls: list[str] = []
        done = asyncio.Event()

        async def last(text: str) -> None:
            calls.append(text)
            done.set()

        ticks: list[int] = []

        def tick() -> None:
            ticks.append(1)
            if len(ticks) == 3:
                js.clearInterval(interval)
                js.setTimeout(last, 1, "last")

        js.clearTimeout(js.setTimeout(calls.append, 0, "never"))
        js.queueMicrotask(lambda: calls.append("soon"))
        interval = js.setInterval(tick, 0)
        async with asyncio.timeout(5):
            await done.wait()
            await js.scheduler.wait(0)
        assert len(ticks) == 3
        every = await js.Promise.all([js.Promise.resolve(1), js.Promise.resolve(js.Promise.resolve(2))])
        first = await js.Promise.race([js.Promise.resolve(3)])
        return calls, every, first, await js.Promise.resolve()

    assert asyncio.run(main()) == (["soon", "last"], [1, 2], 3, None)


def test_an_interval_goes_on_after_a_failure_that_is_reported() -> None:
    async def main() -> tuple[list[str], int]:
        reported: list[str] = []
        second = asyncio.Event()
        calls: list[int] = []
        asyncio.get_running_loop().set_exception_handler(
            lambda loop, context: reported.append(str(context["exception"]))
        )

        def fail() -> None:
            calls.append(1)
            if len(calls) == 2:
                js.clearInterval(interval)
                second.set()
            raise ValueError(f"call {len(calls)}")

        interval = js.setInterval(fail, 0)
        async with asyncio.timeout(5):
            await second.wait()
            await js.scheduler.wait(0)
        return reported, len(calls)

    assert asyncio.run(main()) == (["call 1", "call 2"], 2)


def test_outgoing_sockets() -> None:
    async def echo(connection: ServerConnection) -> None:
        async for message in connection:
            await connection.send(message)
            if message == "bye":
                await connection.close(4001, "enough")

    async def main() -> list[Any]:
        seen: list[Any] = []
        over = asyncio.Event()
        async with serve(echo, "127.0.0.1", 0, subprotocols=["p"]) as server:  # type: ignore[list-item]
            port = server.sockets[0].getsockname()[1]
            socket = js.WebSocket.new(f"ws://127.0.0.1:{port}/path", ["p"])

            def opened(event: OpenEvent) -> None:
                seen.append((event.type, socket.protocol, socket.readyState))
                socket.send("text")
                socket.send(b"bytes")
                socket.send("bye")

            def message(event: MessageEvent) -> None:
                seen.append(event.data)

            def closed(event: Any) -> None:
                seen.append((event.code, event.reason, event.wasClean))
                over.set()

            socket.addEventListener("open", opened)
            socket.addEventListener("message", message)
            socket.addEventListener("close", closed)
            async with asyncio.timeout(5):
                await over.wait()
        return seen

    assert asyncio.run(main()) == [("open", "p", 1), "text", b"bytes", "bye", (4001, "enough", True)]


def test_an_outgoing_socket_that_can_not_connect() -> None:
    async def main() -> list[Any]:
        seen: list[Any] = []
        over = asyncio.Event()
        socket = js.WebSocket.new("ws://127.0.0.1:9/")

        def failed(event: ErrorEvent) -> None:
            seen.append(event.type)

        def closed(event: CloseEvent) -> None:
            seen.append(event.code)
            over.set()

        socket.addEventListener("error", failed)
        socket.addEventListener("close", closed)
        async with asyncio.timeout(5):
            await over.wait()
        return seen

    assert asyncio.run(main()) == ["error", 1006]
