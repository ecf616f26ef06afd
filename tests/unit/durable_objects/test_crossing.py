"""How values cross: copies, what is handed over, and the limit of both."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from durabase.durable_objects import DurableObject
from durabase.durable_objects.crossing import copied, make_call
from durabase.errors import RemoteError
from durabase.web import Blob, FormData, Headers, Request, Response, WebSocketPair

from .rig import Rig, run

MEBIBYTE = 2**20


class Carrying(DurableObject):
    def same(self, value: Any) -> Any:
        return value

    async def read(self, request: Request) -> Any:
        return [request.method, request.url, request.headers["x"], await request.text()]

    def respond(self) -> Response:
        return Response("made there", 201, headers={"x": "1"})

    async def count(self, stream: Any) -> int:
        return sum([len(chunk) async for chunk in stream])

    async def chunks(self) -> Any:
        async def made() -> AsyncIterator[bytes]:
            yield b"one"
            await asyncio.sleep(0)
            yield b"two"

        return made()


@pytest.mark.feature("S-ST-4")
def test_requests_and_responses_are_handed_over() -> None:
    async def scenario(rig: Rig) -> None:
        request = Request("http://x/", method="POST", headers={"x": "1"}, body="text")
        assert await rig.stub().read(request) == ["POST", "http://x/", "1", "text"]
        assert request.body_used
        with pytest.raises(OSError, match="already used"):
            rig.stub().read(request)
        response = await rig.stub().respond()
        assert (response.status, response.headers["x"], await response.text()) == (201, "1", "made there")
        given = [Response("a", 404), {"deep": Response("b")}]
        back = await rig.stub().same(given)
        assert [back[0].status, await back[0].text(), await back[1].deep.text()] == [404, "a", "b"]

    run(scenario, Carrying)


@pytest.mark.feature("S-ST-4")
def test_streams_are_handed_over() -> None:
    async def produced() -> AsyncIterator[bytes]:
        for _ in range(3):
            yield b"abc"

    async def scenario(rig: Rig) -> None:
        assert await rig.stub().count(produced()) == 9
        assert await rig.stub().count(Request("http://x/", method="POST", body=produced()).body) == 9
        assert [chunk async for chunk in await rig.stub().chunks()] == [b"one", b"two"]

    run(scenario, Carrying)


@pytest.mark.feature("S-ST-4", "M-ST-1", "M-LC-5")
def test_what_an_object_streams_comes_from_within_it() -> None:
    class Streaming(DurableObject):
        async def _pieces(self) -> AsyncIterator[bytes]:
            for number in range(3):
                await self.ctx.storage.put("sent", number)
                yield str([number, self.ctx._host.output.is_open]).encode()

        def fetch(self, request: Request) -> Response:
            return Response(self._pieces() if request.body is None else request.body)

    async def scenario(rig: Rig) -> None:
        gate = await rig.run_in(lambda instance, ctx: ctx._host.output)
        response = await rig.stub().fetch("http://x/")
        pieces = response.body.__aiter__()
        assert await anext(pieces) == b"[0, False]"
        assert gate.is_open
        await rig.pass_time(60)
        assert rig.host.stats().live == 1
        assert [piece async for piece in pieces] == [b"[1, False]", b"[2, False]"]
        await rig.pass_time(30)
        assert rig.host.stats().live == 0

        async def sent() -> AsyncIterator[bytes]:
            yield b"there "
            yield b"and back"

        response = await rig.stub().fetch("http://x/", method="POST", body=sent())
        assert await response.text() == "there and back"
        dropped = await rig.stub().fetch("http://x/")
        async for _ in dropped.body:
            break
        del dropped
        await rig.pass_time(30)
        assert rig.host.stats().live == 0

    run(scenario, Streaming)


@pytest.mark.feature("S-ST-4")
def test_headers_and_forms_are_copied() -> None:
    headers = Headers([("a", "1"), ("set-cookie", "x"), ("set-cookie", "y")])
    form = FormData({"a": "1"})
    form.append("a", "2")
    form.append("file", Blob(b"content"), "name.txt")
    copies = copied([headers, form])
    headers["a"] = "changed"
    form.delete("a")
    assert copies[0]["a"] == "1"
    assert copies[0].get_all("set-cookie") == ["x", "y"]
    assert copies[1].get_all("a") == ["1", "2"]
    assert copies[1]["file"].name == "name.txt"
    blob = Blob(b"x")
    assert copied(blob) is blob


def test_a_response_keeps_its_socket() -> None:
    client, _ = WebSocketPair()
    crossed = copied(Response(None, 101, web_socket=client))
    assert (crossed.status, crossed.web_socket) == (101, client)


def test_all_of_a_call_crosses_or_nothing() -> None:
    request = Request("http://x/", method="POST", body="text")
    with pytest.raises(TypeError, match="type object"):
        make_call("method", (request, object()), {})
    with pytest.raises(ValueError, match="limited to 10 bytes"):
        make_call("method", (request, "x" * 11), {}, 10)
    assert not request.body_used


@pytest.mark.feature("S-ST-5")
def test_arguments_and_results_may_take_32_mib_each() -> None:
    half = "x" * (16 * MEBIBYTE)
    call = make_call("method", (half,), {"name": half})
    assert (call.size, call.keywords["name"]) == (32 * MEBIBYTE, half)
    for values in ((half, half, "x"), (["x" * 32 * MEBIBYTE],), (b"x" * (32 * MEBIBYTE + 1),)):
        with pytest.raises(
            ValueError, match=r"limited to 32MiB, but the size of this value was: \d+ bytes\."
        ):
            make_call("method", values, {})
    assert make_call("method", ("ä",), {}).size == 2


def test_functions_of_a_call_are_known_to_it() -> None:
    async def main() -> None:
        call = make_call("method", ([len, {"f": len}],), {"g": len})
        assert len(call.lent) == 3

    asyncio.run(main())


class Failing(DurableObject):
    async def fetch(self, request: Request) -> Response:
        class OwnError(Exception): ...

        kind = request.url.rsplit("/", 1)[1]
        kinds = {
            "value": ValueError("why", 2),
            "os": OSError(2, "missing"),
            "own": OwnError("text"),
            "plain": Exception("p"),
        }
        raise kinds.get(kind) or AttributeError("no such thing")


@pytest.mark.feature("M-ST-6", "M-ST-7")
def test_what_fetch_fails_with_is_an_os_error_as_well() -> None:
    async def scenario(rig: Rig) -> None:
        stub = rig.stub()
        with pytest.raises(OSError, match="why") as caught:
            await stub.fetch("http://x/value")
        error: Any = caught.value
        assert isinstance(error, ValueError)
        assert (type(error).__name__, error.args, error.remote) == ("ValueError", ("why", 2), True)
        with pytest.raises(FileNotFoundError) as caught_os:
            await stub.fetch("http://x/os")
        assert caught_os.value.errno == 2
        with pytest.raises(OSError, match=r"^p$"):
            await stub.fetch("http://x/plain")
        with pytest.raises(RemoteError, match="OwnError: text") as own:
            await stub.fetch("http://x/own")
        assert isinstance(own.value, OSError)
        with pytest.raises(OSError, match=r"^AttributeError: no such thing$") as combined:
            await stub.fetch("http://x/attribute")
        error = combined.value
        assert isinstance(error, RemoteError)
        assert (error.remote, error.retryable, error.overloaded) == (True, False, False)

    run(scenario, Failing)
