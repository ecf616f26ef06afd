"""One other process: questions and answers, what is exported and released, and its end."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from socket import socketpair
from typing import Any

import pytest

from durabase.cluster import link
from durabase.cluster.peer import Peer
from durabase.durable_objects.crossing import make_call
from durabase.durable_objects.events import Call, Fetch, Read, Run
from durabase.durable_objects.ids import DurableObjectId
from durabase.durable_objects.observing import Watch
from durabase.durable_objects.routing import ObjectKey
from durabase.durable_objects.rpc_stub import RpcStub
from durabase.errors import ClusterError, ObjectError
from durabase.testing import FakeClock
from durabase.web import AbortController, Request, Response
from unit.server.live import until

KEY = ObjectKey("Room", DurableObjectId(b"k" * 32, "name", "eu"))


class Side:
    """A process of which the objects answer with what ``answer`` gives."""

    def __init__(self, socket: Any) -> None:
        self.log: list[Any] = []
        self.answer: Callable[[Any], Any] = lambda event: None
        loop = asyncio.get_running_loop()
        self.peer = Peer(
            socket,
            loop,
            self,  # type: ignore[arg-type]
            Watch(None, FakeClock()),
            self,  # type: ignore[arg-type]
            lambda *what: self.log.append("adopted"),
            self.administer,
            lambda peer: self.log.append("lost"),
            lambda peer: self.log.append("retired"),
        )

    async def deliver(self, key: ObjectKey, event: Any) -> Any:
        self.log.append((key, event))
        found = self.answer(event)
        return await found if isinstance(found, Awaitable) else found

    async def administer(self, request: Request) -> Response:
        return Response(f"answered {request.url}")


def run(scenario: Callable[[Side, Side], Awaitable[None]]) -> None:
    async def main() -> None:
        here, there = (Side(socket) for socket in socketpair())
        try:
            async with asyncio.timeout(20):
                await scenario(here, there)
        finally:
            here.peer.close()
            there.peer.close()

    asyncio.run(main())


def test_an_event_is_delivered_to_the_object_there_and_its_result_comes_back() -> None:
    async def scenario(here: Side, there: Side) -> None:
        there.answer = lambda event: [event.name, *event.arguments] if isinstance(event, Call) else event.name
        results = [
            here.peer.deliver(KEY, Call("method", (1, [2]), {"k": 3})),
            here.peer.deliver(KEY, Read("title")),
        ]
        assert await asyncio.gather(*results) == [["method", 1, [2]], "title"]
        assert there.log == [(KEY, Call("method", (1, [2]), {"k": 3})), (KEY, Read("title"))]
        key = there.log[0][0]
        assert (key.id.name, key.id.jurisdiction) == ("name", "eu")

    run(scenario)


def test_both_ask_at_once_without_mixing_up_answers() -> None:
    async def scenario(here: Side, there: Side) -> None:
        here.answer = there.answer = lambda event: event.arguments[0]
        asked = [
            side.peer.deliver(KEY, Call("m", (f"{name}{number}",), {}))
            for number in range(5)
            for name, side in (("here", here), ("there", there))
        ]
        wanted = [f"{name}{number}" for number in range(5) for name in ("here", "there")]
        assert await asyncio.gather(*asked) == wanted

    run(scenario)


def test_errors_come_back_whether_raised_now_later_or_by_a_result_that_can_not_be_sent() -> None:
    async def scenario(here: Side, there: Side) -> None:
        def fail(event: Any) -> Any:
            raise ValueError("wrong", 3)

        there.answer = fail
        with pytest.raises(ValueError, match="wrong") as caught:
            await here.peer.deliver(KEY, Call("m", (), {}))
        assert caught.value.args == ("wrong", 3)
        there.answer = lambda event: object()
        with pytest.raises(TypeError):
            await here.peer.deliver(KEY, Call("m", (), {}))
        there.answer = lambda event: asyncio.get_running_loop().create_future().cancel() and _cancelled()
        with pytest.raises(Exception, match="Cancelled"):
            await here.peer.deliver(KEY, Call("m", (), {}))

    run(scenario)


async def _cancelled() -> None:
    raise asyncio.CancelledError


def test_what_can_not_be_asked_fails_without_being_sent() -> None:
    async def scenario(here: Side, there: Side) -> None:
        with pytest.raises(ObjectError, match="Run: the object lives in another process"):
            await here.peer.deliver(KEY, Run(print))
        with pytest.raises(TypeError):
            await here.peer.deliver(KEY, Call("m", (object(),), {}))
        assert here.peer._pending == {}
        assert there.log == []

    run(scenario)


class Target:
    """What a stub is of."""

    stubs = 0

    def take(self) -> None:
        self.stubs += 1

    def give_back(self) -> None:
        self.stubs -= 1

    async def serve(self, event: Any) -> Any:
        raise AssertionError(event)


def test_what_a_message_carries_along_is_let_go_if_it_can_not_be_sent(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def scenario(here: Side, there: Side) -> None:
        asked, answered = Target(), Target()
        stub, result = RpcStub(asked, make_call), RpcStub(answered, make_call)
        there.answer = lambda event: [result, object()]
        with pytest.raises(TypeError):
            await here.peer.deliver(KEY, Call("m", (), {}))
        with monkeypatch.context() as patch:
            patch.setattr(link, "MAX_FRAME", 1000)
            with pytest.raises(ObjectError, match="are too many"):
                await here.peer.deliver(KEY, Call("m", (stub, "x" * 1000), {}))
            there.answer = lambda event: [result, "x" * 1000]
            with pytest.raises(ClusterError, match="are too many"):
                await here.peer.deliver(KEY, Call("m", (), {}))
        assert (here.peer._exports, there.peer._exports) == ({}, {})
        assert (asked.stubs, answered.stubs) == (1, 1)

    run(scenario)


def test_what_is_exported_is_performed_here_until_it_is_released() -> None:
    async def scenario(here: Side, there: Side) -> None:
        released: list[str] = []

        async def perform(event: Call | Read) -> Any:
            return event.name.upper()

        number = here.peer.export(perform, lambda: released.append("released"))
        grant = there.peer.granted(number)
        grant.take()
        grant.take()
        assert await grant.serve(Read("title")) == "TITLE"
        grant.give_back()
        assert await grant.serve(Read("title")) == "TITLE"
        assert released == []
        grant.give_back()
        await until(lambda: released == ["released"])
        with pytest.raises(KeyError):
            await grant.serve(Read("title"))

    run(scenario)


def test_administrators_are_answered_there() -> None:
    async def scenario(here: Side, there: Side) -> None:
        response = await here.peer.ask_admin(Request("http://h/objects"))
        assert response.body_bytes() == b"answered http://h/objects"

    run(scenario)


@pytest.mark.parametrize("when", ["before", "meanwhile"])
def test_a_request_that_is_aborted_here_is_aborted_there(when: str) -> None:
    async def scenario(here: Side, there: Side) -> None:
        controller, aborted = AbortController(), asyncio.Event()

        def answer(event: Fetch) -> Any:
            if event.request.signal.aborted:
                aborted.set()
            event.request.signal.add_event_listener("abort", lambda _: aborted.set())
            return aborted.wait()

        there.answer = answer
        if when == "before":
            controller.abort()
        asking = here.peer.deliver(KEY, Fetch(Request("http://h/", signal=controller.signal)))
        if when == "meanwhile":
            await until(lambda: there.log != [])
            controller.abort()
        assert await asking is True
        assert there.peer._requests == {}

    run(scenario)


def test_when_the_other_process_is_lost_everything_ends() -> None:
    async def scenario(here: Side, there: Side) -> None:
        released: list[str] = []
        here.peer.export(lambda event: _cancelled(), lambda: released.append("released"))
        there.answer = lambda event: asyncio.Event().wait()
        asking = here.peer.deliver(KEY, Call("m", (), {}))
        await until(lambda: there.log != [])
        there.peer.close()
        with pytest.raises(ObjectError, match=r"Network connection lost\.") as caught:
            await asking
        assert caught.value.retryable
        await until(lambda: "lost" in here.log)
        assert released == ["released"]
        assert "lost" not in there.log  # it is the one that hung up
        with pytest.raises(ObjectError):
            await here.peer.deliver(KEY, Call("m", (), {}))

    run(scenario)


def test_requests_of_a_process_that_is_lost_are_aborted() -> None:
    async def scenario(here: Side, there: Side) -> None:
        aborted = asyncio.Event()

        def answer(event: Fetch) -> Any:
            event.request.signal.add_event_listener("abort", lambda _: aborted.set())
            return aborted.wait()

        there.answer = answer
        asking = here.peer.deliver(KEY, Fetch(Request("http://h/")))
        await until(lambda: there.log != [])
        here.peer.close()
        await aborted.wait()
        await until(lambda: there.peer._requests == {})
        assert isinstance(asking.exception(), ObjectError)

    run(scenario)


def test_one_that_retires_stays_until_it_is_asked_nothing_more() -> None:
    async def scenario(here: Side, there: Side) -> None:
        answer = asyncio.Event()
        there.answer = lambda event: answer.wait()
        asking = here.peer.deliver(KEY, Call("m", (), {}))
        there.peer.retire()
        await until(lambda: "retired" in here.log)
        assert not asking.done()
        here.peer._close_if_idle()
        assert not asking.done()
        answer.set()
        assert await asking is True
        here.peer._close_if_idle()
        await until(lambda: "lost" in there.log)

    run(scenario)


def test_a_message_of_an_unknown_kind_is_an_error() -> None:
    async def scenario(here: Side, there: Side) -> None:
        with pytest.raises(ClusterError, match="a message of an unknown kind: odd"):
            here.peer._receive(there.peer._wire.encode(["odd", 1]), None)
        with pytest.raises(ClusterError, match="no socket 5 was exported"):
            here.peer._receive(there.peer._wire.encode(["adopt", 5, b"", b"", "", ""]), 99)

    run(scenario)
