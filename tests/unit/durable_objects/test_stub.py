"""The handle that callers hold on an object."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Awaitable
from typing import Any

import pytest

from durabase.durable_objects import DurableObject, DurableObjectStub
from durabase.durable_objects.events import Call, Fetch, Read, Run
from durabase.durable_objects.ids import DurableObjectId
from durabase.durable_objects.limits import ObjectLimits
from durabase.durable_objects.routing import ObjectKey, current_caller
from durabase.durable_objects.stub import keep_awake, run_in_object
from durabase.errors import ObjectError
from durabase.web import Request
from unit.durable_objects.rig import Rig, run
from unit.durable_objects.test_host import Talking

STUBS: list[Any] = []


@pytest.mark.feature("M-ST-2", "M-ST-3", "S-ST-5")
def test_what_can_not_be_called_or_sent() -> None:
    async def scenario(rig: Rig) -> None:
        stub = rig.stub()
        for missing in ("nothing", "attribute"):
            with pytest.raises(TypeError, match=f"Method {missing} does not exist"):
                await getattr(stub, missing)()
        for reserved in ("alarm", "webSocketMessage", "constructor", "web_socket_close"):
            with pytest.raises(TypeError, match=f"'{reserved}' is a reserved method"):
                await getattr(stub, reserved)()
        with pytest.raises(AttributeError):
            _ = stub.then
        with pytest.raises(TypeError, match=r"value: an object of type object"):
            await stub.echo(object())
        with pytest.raises(TypeError, match="object of type object"):
            await stub.unsendable()
        with pytest.raises(ValueError, match="limited to 32MiB"):
            await stub.echo(["x" * (33 * 1024 * 1024)])
        with pytest.raises(ObjectError, match="StopIteration"):
            await stub.stop_iteration()
        with pytest.raises(ObjectError, match="CancelledError"):
            await stub.cancelled()
        stub.label = "own attributes may be set"  # type: ignore[attr-defined]
        assert stub.label == "own attributes may be set"

    run(scenario, Talking)


@pytest.mark.feature("M-ST-1")
def test_fetch_reaches_the_object_unchanged() -> None:
    async def scenario(rig: Rig) -> None:
        stub = rig.stub()
        response = await stub.fetch("http://any.host/p?q", method="POST", headers={"x": "1"}, body="b")
        assert (response.status, await response.text()) == (201, "POST http://any.host/p?q 1 b")
        request = Request("http://x/", headers={"x": "2"})
        assert await (await stub.fetch(request)).text() == "GET http://x/ 2 "
        with pytest.raises(TypeError, match="Invalid URL: /hdr"):
            stub.fetch("/hdr")

    run(scenario, Talking)


@pytest.mark.feature("M-GT-4")
def test_what_an_object_asks_of_another_waits_for_its_writes() -> None:
    seen: list[str] = []

    class Chain(DurableObject):
        async def ask(self) -> str:
            stub = STUBS[-1]
            self.ctx.storage.put("k", 1)
            answer = stub.answer()
            seen.append("asked")
            return str(await answer)

        def answer(self) -> str:
            seen.append("answered")
            return "answer"

    async def scenario(rig: Rig) -> None:
        STUBS.append(rig.stub("other"))
        call = rig.stub().ask()
        await asyncio.sleep(0)
        assert seen == ["asked"]
        assert await call == "answer"
        assert seen == ["asked", "answered"]

    run(scenario, Chain)


KEY = ObjectKey("Room", DurableObjectId(b"k" * 32, "x"))


class Router:
    """Notes what is delivered; ``answers`` are given one after the other."""

    limits = ObjectLimits(message_bytes=100)

    def __init__(self, *answers: Any) -> None:
        self.delivered: list[Any] = []
        self.holders: list[Any] = []
        self.answers = list(answers)

    def deliver(self, key: ObjectKey, event: Any) -> Awaitable[Any]:
        self.delivered.append(event)
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        answer = self.answers.pop(0) if self.answers else None
        if isinstance(answer, Exception):
            future.set_exception(answer)
        else:
            future.set_result(answer)
        return future

    def hosts(self, key: ObjectKey) -> bool:
        return True

    def hold(self, key: ObjectKey, holder: Any) -> None:
        self.holders.append(holder)


class Caller:
    has_open_events = True


def test_calls_properties_and_requests_are_delivered_when_they_are_made() -> None:
    async def main() -> None:
        router = Router("called", "read", "fetched")
        stub = DurableObjectStub(router, KEY)
        assert (stub.id, stub.name, repr(stub)) == (KEY.id, "x", "<DurableObjectStub Room x>")
        made = [stub.method(1, k=2), stub.fetch("http://h/", method="POST")]
        assert [type(event) for event in router.delivered] == [Call, Fetch]
        assert await stub.title == "fetched"
        assert router.delivered[0] == Call("method", (1,), {"k": 2})
        assert router.delivered[1].request.method == "POST"
        assert router.delivered[2] == Read("title")
        assert await asyncio.gather(*made) == ["called", "read"]

    asyncio.run(main())


def test_a_request_goes_as_it_is_unless_options_say_otherwise() -> None:
    async def main() -> None:
        router, request = Router(), Request("http://h/")
        stub = DurableObjectStub(router, KEY)
        stub.fetch(request)
        stub.fetch(request, method="PUT")
        first, second = (event.request for event in router.delivered)
        assert first is request
        assert (second is request, second.method) == (False, "PUT")

    asyncio.run(main())


def test_what_fetch_fails_with_is_an_os_error() -> None:
    async def main() -> None:
        stub = DurableObjectStub(Router(ValueError("wrong")), KEY)
        with pytest.raises(OSError, match="wrong") as caught:
            await stub.fetch("http://h/")
        assert isinstance(caught.value, ValueError)

    asyncio.run(main())


def test_after_a_reset_it_fails_in_the_same_way_and_a_new_one_does_not() -> None:
    async def main() -> None:
        error = ObjectError("reset", durable_object_reset=True)
        router = Router(ValueError("no reset"), "good", error)
        stub = DurableObjectStub(router, KEY)
        with pytest.raises(ValueError, match="no reset"):
            await stub.method()
        assert await stub.method() == "good"
        for _ in range(2):
            with pytest.raises(ObjectError, match="reset"):
                await stub.method()
        with pytest.raises(ObjectError, match="reset"):
            await stub.title
        assert len(router.delivered) == 3
        assert await stub._rpc_cross().method() is None

    asyncio.run(main())


def test_arguments_are_copied_within_the_limit() -> None:
    async def main() -> None:
        router = Router()
        stub, given = DurableObjectStub(router, KEY), [1]
        stub.method(given)
        given.append(2)
        assert router.delivered[0].arguments == ([1],)
        with pytest.raises(ValueError, match="limited to 100 bytes"):
            stub.method(["x" * 101])

    asyncio.run(main())


def test_it_holds_the_object_for_the_caller_that_has_used_it_last() -> None:
    async def main() -> None:
        router, caller = Router(), Caller()
        stub = DurableObjectStub(router, KEY)
        stub.method()
        assert (router.holders, stub._rpc_in_use()) == ([], False)
        token = current_caller.set(caller)
        stub.method()
        current_caller.reset(token)
        assert (router.holders, stub._rpc_in_use()) == ([stub], True)
        caller.has_open_events = False
        assert not stub._rpc_in_use()
        caller.has_open_events = True
        del caller, token
        for _ in range(3):
            await asyncio.sleep(0)
        gc.collect()
        assert not stub._rpc_in_use()

    asyncio.run(main())


def test_functions_run_in_the_object_and_others_hold_it() -> None:
    async def main() -> None:
        router = Router("result")
        stub = DurableObjectStub(router, KEY)
        assert await run_in_object(stub, print) == "result"
        assert router.delivered == [Run(print)]
        holder: Any = object()
        keep_awake(stub, holder)
        assert router.holders == [holder]

    asyncio.run(main())
