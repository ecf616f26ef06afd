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


def test_digests_and_signatures() -> None:
    subtle = js.crypto.subtle
    secret = js.TextEncoder.new().encode("key")
    text = js.TextEncoder.new().encode("The quick brown fox jumps over the lazy dog")

    async def main() -> None:
        digest = await subtle.digest("SHA-256", text)
        assert digest.to_bytes().hex().startswith("d7a8fbb307d7809469ca9abcb0082e4f")
        assert await subtle.digest({"name": "sha-1"}, b"") == bytes.fromhex(
            "da39a3ee5e6b4b0d3255bfef95601890afd80709"
        )
        with pytest.raises(NotImplementedError, match="Unrecognized or unimplemented digest algorithm"):
            await subtle.digest("SHA-9", b"")
        algorithm = {"name": "HMAC", "hash": "SHA-256"}
        key = await subtle.importKey("raw", secret, algorithm, False, ["sign"])
        signature = await subtle.sign("HMAC", key, text)
        assert signature.hex().startswith("f7bc83f430538424b13298e6aa6fb143")
        with pytest.raises(PermissionError, match='"verify" is not valid for the provided key'):
            await subtle.verify("HMAC", key, signature, text)
        with pytest.raises(PermissionError, match="not extractable"):
            await subtle.exportKey("raw", key)
        checking = await subtle.importKey("raw", secret, algorithm, True, ["verify"])
        assert await subtle.verify("HMAC", checking, signature, text)
        assert not await subtle.verify("HMAC", checking, signature, b"other")
        assert await subtle.exportKey("raw", checking) == b"key"
        made = await subtle.generateKey({"name": "HMAC", "hash": {"name": "SHA-512"}}, True, ["sign"])
        assert len(await subtle.exportKey("raw", made)) == 128
        with pytest.raises(NotImplementedError, match="use the package cryptography"):
            await subtle.importKey("raw", secret, "AES-GCM", False, ["encrypt"])
        with pytest.raises(NotImplementedError, match="use the package cryptography"):
            await subtle.importKey("jwk", secret, algorithm, False, ["sign"])
        with pytest.raises(AttributeError, match="use the package cryptography"):
            subtle.encrypt("AES-GCM", key, text)

    asyncio.run(main())
    assert subtle.timingSafeEqual(b"a", bytearray(b"a"))
    assert not subtle.timingSafeEqual(b"a", b"b")
    with pytest.raises(TypeError, match="same byte length"):
        subtle.timingSafeEqual(b"a", b"")
    with pytest.raises(ValueError, match="only accepts buffers of size <= 64K but provided 65537 bytes"):
        js.crypto.getRandomValues(js.Uint8Array.new(65537))


def test_urls_can_be_changed() -> None:
    url = js.URL.new("http://host/a?x=1#h")
    url.searchParams.append("y", "ä b")
    assert url.href == "http://host/a?x=1&y=%C3%A4+b#h"
    url.search = "?z=1"
    assert url.searchParams.get("z") == "1"
    url.searchParams.delete("z")
    url.hash, url.pathname, url.protocol = "", "b c?", "https:"
    assert str(url) == "https://host/b%20c%3F"
    url.host = "other:444"
    url.port = 443
    assert (url.href, url.port) == ("https://other/b%20c%3F", "")
    url.hostname = "third"
    assert url.toJSON() == "https://third/b%20c%3F"
    url.href = "http://fourth/?q=2"
    assert url.searchParams.get("q") == "2"
    with pytest.raises(TypeError, match="Invalid URL"):
        url.href = "nonsense"
    assert js.URL.parse("nonsense") is None
    params = js.URLSearchParams.new("b=1&a=2&b=3")
    params.set("b", "4")
    params.sort()
    assert params.entries() == [("a", "2"), ("b", "4")]
    assert (params.keys(), params.values(), len(params)) == (["a", "b"], ["2", "4"], 2)
    seen: list[Any] = []
    params.forEach(lambda value, name: seen.append((value, name)))
    assert seen == [("2", "a"), ("4", "b")]
    params.append("c", True)
    params.delete("c", "false")
    assert params.get("c") == "true"


def test_bytes_that_can_be_changed() -> None:
    array = js.Uint8Array.new(4)
    array.set([1, 2], 1)
    assert bytes(array.fill(9, 3)) == b"\x00\x01\x02\x09"
    assert array.buffer.byteLength == 4
    assert array.to_bytes() == array.to_py() == bytes(array)
    assert js.Uint8Array.from_(iter([1, 2])) == b"\x01\x02"
    with pytest.raises(ValueError, match="out of bounds"):
        array.set(b"12345")
    assert js.ArrayBuffer.isView(array)
    assert not js.ArrayBuffer.isView(js.ArrayBuffer.new(1))


def test_text_that_comes_in_pieces() -> None:
    decoder = js.TextDecoder.new("utf-8", {"fatal": True})
    pieces = [b"\xef\xbb\xbfa\xe2", b"\x82", b"\xac"]
    assert [decoder.decode(piece, stream=True) for piece in pieces] == ["a", "", "€"]
    assert decoder.decode() == ""
    decoder.decode(b"\xe2", {"stream": True})
    with pytest.raises(TypeError, match="Failed to decode input"):
        decoder.decode()
    assert decoder.decode(b"again") == "again"


def test_blobs_and_files_take_javascripts_options() -> None:
    made = js.File.new(["a", b"b"], "n.txt", {"type": "text/plain", "lastModified": 5})
    assert (made.name, made.type, made.lastModified, made.size) == ("n.txt", "text/plain", 5, 2)
    assert js.File.new(["a"], "n.txt").last_modified > 1_700_000_000_000
    assert js.Blob.new(["a"], type="image/png").content_type == "image/png"


def test_everything_is_a_member_of_the_global_object() -> None:
    assert js.globalThis.Date is js.self.Date is js.Date
    assert js.performance.now() > 1_700_000_000_000


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


def test_more_of_promises() -> None:
    async def main() -> None:
        assert await js.Promise.new(lambda resolve, reject: [resolve(1), resolve(2), reject("late")]) == 1
        with pytest.raises(KeyError, match="no"):
            await js.Promise.reject(KeyError("no"))
        with pytest.raises(RuntimeError, match="text"):
            await js.Promise.new(lambda resolve, reject: reject("text"))
        one, other = await js.Promise.allSettled([js.Promise.resolve(1), js.Promise.reject("no")])
        assert (one.status, one.value, other.status) == ("fulfilled", 1, "rejected")
        assert await js.Promise.any([js.Promise.reject("no"), js.Promise.resolve(2)]) == 2
        with pytest.raises(ExceptionGroup, match="All promises were rejected"):
            await js.Promise.any([js.Promise.reject("no")])

    asyncio.run(main())


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
