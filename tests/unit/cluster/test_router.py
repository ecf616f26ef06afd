"""Calls, requests and sockets between two processes' objects: the same as within one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from durabase.durable_objects import DurableObject, RpcTarget
from durabase.errors import ObjectError, RemoteError, ValueTooLargeError
from durabase.web import (
    AbortController,
    AbortError,
    Blob,
    File,
    FormData,
    Headers,
    Request,
    Response,
    WebSocketPair,
)
from unit.cluster.pair import Pair, run
from unit.durable_objects.rig import Wire


class Counter(RpcTarget):
    def __init__(self) -> None:
        self.count = 0

    def add(self, number: int) -> int:
        self.count += number
        return self.count


class Room(DurableObject):
    title = "a property"

    def echo(self, *arguments: Any, **keywords: Any) -> Any:
        return [list(arguments), keywords]

    def give(self, what: Any) -> Any:
        return what

    def who(self) -> str | None:
        return self.ctx.id.name

    def fail(self) -> None:
        raise ValueError("wrong", 3)

    def too_large(self) -> None:
        raise ValueTooLargeError("k", 5, 4)

    def unknown(self) -> None:
        raise type("OddError", (Exception,), {})("odd")

    async def call_back(self, function: Any) -> Any:
        return [await function(1), await function(2)]

    def keep(self, function: Any) -> None:
        self.kept = function.dup()

    async def call_kept(self) -> Any:
        return await self.kept()

    def counter(self) -> Counter:
        return Counter()

    async def count_to(self, number: int) -> AsyncIterator[int]:
        async def numbers() -> AsyncIterator[int]:
            for each in range(number):
                yield each

        return numbers()

    async def total(self, numbers: Any) -> int:
        return sum([number async for number in numbers])

    async def ask(self, other: Any) -> Any:
        return await other.who()

    async def wait(self) -> None:
        self.released = asyncio.Event()
        await self.released.wait()

    def release(self) -> None:
        self.released.set()

    async def fetch(self, request: Request) -> Response:
        if request.headers.get("upgrade") == "websocket":
            return self._upgrade()
        if request.url.endswith("/wait"):
            self.aborted = asyncio.Event()
            request.signal.add_event_listener("abort", lambda event: self.aborted.set())
            await self.aborted.wait()
            return Response("nobody reads this")
        if request.url.endswith("/stream"):

            async def upper() -> AsyncIterator[bytes]:
                async for chunk in request.iter_body():
                    yield chunk.upper()

            return Response(upper(), 201, headers={"x-a": "1"})
        return Response(f"{request.method} {request.url} {request.headers.get('x')} {await request.text()}")

    def _upgrade(self) -> Response:
        client, server = WebSocketPair()
        self.ctx.accept_web_socket(server)
        server.send("hello")
        return Response(None, 101, web_socket=client, headers={"sec-websocket-protocol": "p"})

    def web_socket_message(self, socket: Any, message: str | bytes) -> None:
        if message == "close":
            socket.close(4000, "enough")
        else:
            socket.send(message)

    def web_socket_close(self, socket: Any, code: int, reason: str, was_clean: bool) -> None:
        self.closed = [code, reason, was_clean]

    def how_closed(self) -> Any:
        return getattr(self, "closed", None)


def test_each_object_lives_in_one_process_and_all_can_call_it() -> None:
    async def scenario(pair: Pair) -> None:
        for owner in (0, 1):
            assert [await pair.stub(caller, owner).who() for caller in (0, 1)] == [pair.names[owner]] * 2
            live = [[slot.id.name for slot in host.classes["Room"].slots.values()] for host in pair.hosts]
            assert live[owner] == [pair.names[owner]]
            assert live[1 - owner] == ([] if owner == 0 else [pair.names[0]])

    run(scenario, Room)


def test_arguments_and_results_are_copies_of_every_kind() -> None:
    values = [
        None,
        1.5,
        2**70,
        "text \ud800",
        b"bytes",
        {"a": [1, {2, 3}], 4: None},
        Headers({"a": "b"}),
    ]

    async def scenario(pair: Pair) -> None:
        stub = pair.stub(0, 1)
        got, keywords = await stub.echo(*values, k=[1])
        assert got[:-1] == values[:-1]
        assert got[-1].items() == values[-1].items()
        assert keywords == {"k": [1]}
        assert await stub.title == "a property"
        form = FormData({"a": "b"})
        form.append("f", File(["content"], "f.txt", "text/plain", last_modified=5))
        form.append("g", Blob(["blob"], "x/y"))
        back = await stub.give(form)
        file = back.get("f")
        assert (file.name, file.data, file.content_type) == ("f.txt", b"content", "text/plain")
        assert (back.get("a"), back.get("g").data, back.get("g").content_type) == ("b", b"blob", "x/y")

    run(scenario, Room)


def test_errors_keep_their_kind_and_their_marks() -> None:
    async def scenario(pair: Pair) -> None:
        stub = pair.stub(0, 1)
        with pytest.raises(ValueError, match="wrong") as caught:
            await stub.fail()
        assert caught.value.args == ("wrong", 3)
        assert caught.value.remote  # type: ignore[attr-defined]
        with pytest.raises(ValueTooLargeError) as large:
            await stub.too_large()
        assert (large.value.size, large.value.limit) == (5, 4)
        with pytest.raises(RemoteError, match="OddError: odd"):
            await stub.unknown()
        with pytest.raises(TypeError, match="Method nothing does not exist"):
            await stub.nothing()
        with pytest.raises(TypeError, match="value"):
            await stub.give(object())

    run(scenario, Room)


def test_functions_and_targets_are_called_where_they_are_from() -> None:
    async def scenario(pair: Pair) -> None:
        stub = pair.stub(0, 1)
        assert await stub.call_back(lambda number: number * 10) == [10, 20]
        async with asyncio.timeout(5):
            counter = await stub.counter()
            assert [await counter.add(2), await counter.add(3)] == [2, 5]
            assert await stub.counter().add(7) == 7
        peer = pair.routers[1]._callers.copy().pop()
        counter.destroy()
        await pair.until(lambda: len(peer._exports) == 0)
        await stub.keep(lambda: "still there")
        assert await stub.call_kept() == "still there"

    run(scenario, Room)


def test_streams_requests_and_stubs_cross() -> None:
    async def scenario(pair: Pair) -> None:
        stub = pair.stub(0, 1)
        assert [number async for number in await stub.count_to(3)] == [0, 1, 2]

        async def numbers() -> AsyncIterator[int]:
            yield 1
            yield 2

        assert await stub.total(numbers()) == 3
        assert await stub.ask(pair.stub(0, 0)) == pair.names[0]

        answer = await stub.fetch("http://h/p?q", method="POST", headers={"x": "1"}, body="body")
        assert await answer.text() == "POST http://h/p?q 1 body"

        async def chunks() -> AsyncIterator[bytes]:
            yield b"ab"
            yield b"cd"

        streamed = await stub.fetch("http://h/stream", method="POST", body=chunks())
        assert (streamed.status, streamed.headers["x-a"]) == (201, "1")
        assert [chunk async for chunk in streamed.iter_body()] == [b"AB", b"CD"]

    run(scenario, Room)


@pytest.mark.parametrize("has_stream", [False, True])
def test_a_request_that_is_given_up_is_aborted_where_the_object_is(has_stream: bool) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        yield b"a part"

    async def scenario(pair: Pair) -> None:
        controller = AbortController()
        request = Request(
            "http://h/wait", method="POST", body=chunks() if has_stream else None, signal=controller.signal
        )
        asking = pair.stub(0, 1).fetch(request)
        await pair.until(lambda: any(peer._requests for peer in pair.routers[1]._callers))
        controller.abort()
        with pytest.raises(AbortError):
            await asking
        await pair.until(lambda: not any(peer._requests for peer in pair.routers[1]._callers))

    run(scenario, Room)


def test_a_socket_that_is_used_here_is_relayed() -> None:
    async def scenario(pair: Pair) -> None:
        wire = Wire()
        response = await pair.stub(0, 1).fetch("http://h/", headers={"upgrade": "websocket"})
        assert response.web_socket is not None
        wire.sink = response.web_socket.connect(wire)
        await pair.until(lambda: wire.sent == ["hello"])
        wire.sink.on_text("one")
        wire.sink.on_binary(b"two")
        await pair.until(lambda: wire.sent[1:] == ["one", b"two"])
        wire.sink.on_text("close")
        await pair.until(lambda: wire.sent[3:] == [("close", 4000, "enough")])

    run(scenario, Room)


def test_a_program_accepts_a_socket_of_another_process() -> None:
    async def scenario(pair: Pair) -> None:
        got: list[Any] = []
        response = await pair.stub(0, 1).fetch("http://h/", headers={"upgrade": "websocket"})
        socket = response.web_socket
        assert socket is not None
        socket.add_event_listener("message", lambda event: got.append(event.data))
        socket.add_event_listener("close", lambda event: got.append((event.code, event.was_clean)))
        socket.accept()
        socket.send("there and back")
        await pair.until(lambda: got == ["hello", "there and back"])
        socket.close(4001, "bye")
        await pair.until(lambda: got[2:] == [(4001, True)])
        assert await pair.stub(1, 1).how_closed() == [4001, "bye", True]

    run(scenario, Room)


def test_what_is_under_way_fails_when_the_other_process_is_lost() -> None:
    async def scenario(pair: Pair) -> None:
        stub = pair.stub(0, 1)
        response = await stub.fetch("http://h/", headers={"upgrade": "websocket"})
        wire = Wire()
        assert response.web_socket is not None
        response.web_socket.connect(wire)
        waiting = asyncio.create_task(stub.wait())
        await pair.until(lambda: len(pair.routers[1]._callers) == 1 and wire.sent == ["hello"])
        await asyncio.sleep(0)
        for peer in pair.routers[1]._callers.copy():
            peer._link.close()
        with pytest.raises(ObjectError, match=r"Network connection lost\.") as caught:
            await waiting
        assert (caught.value.retryable, caught.value.durable_object_reset) == (True, True)
        await pair.until(lambda: wire.sent[1:] == ["abort"])
        await pair.stub(0, 1).release()

    run(scenario, Room)


def test_administration_of_an_object_of_another_process_is_refused() -> None:
    from durabase.durable_objects.events import Run
    from durabase.durable_objects.routing import ObjectKey

    async def scenario(pair: Pair) -> None:
        key = ObjectKey("Room", pair.stub(0, 1).id)
        with pytest.raises(ObjectError, match="the object lives in another process"):
            await pair.routers[0].deliver(key, Run(lambda instance, ctx: None))

    run(scenario, Room)


def test_one_that_retires_finishes_what_is_under_way_and_lets_others_wait_at_the_door() -> None:
    async def scenario(pair: Pair) -> None:
        here, there = pair.routers
        waiting = asyncio.ensure_future(pair.stub(0, 1).wait())
        await pair.until(lambda: len(there._callers) == 1)
        retiring = asyncio.ensure_future(there.retire(20))
        await pair.until(lambda: not here._called)
        later = asyncio.ensure_future(pair.stub(0, 1).who())
        await pair.stub(1, 1).release()
        await waiting
        await retiring
        assert not later.done()
        there.open()
        assert await later == pair.names[1]

    run(scenario, Room)
