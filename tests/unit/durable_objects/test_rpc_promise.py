"""Results of calls that are under way: awaited, dropped, and called on."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any
from unittest.mock import patch

import pytest

from durabase.durable_objects.crossing import make_call
from durabase.durable_objects.events import Call, Read
from durabase.durable_objects.rpc_promise import RpcMember, RpcPromise, member, send
from durabase.web import AbortController, AbortError, Request
from durabase.web.connection import socket_owner

from .rig import Rig, run
from .test_rpc_stub import Giving


@pytest.mark.feature("S-ST-3")
def test_calls_on_results_that_are_not_there_yet() -> None:
    async def scenario(rig: Rig) -> None:
        stub = rig.stub()
        first = stub.target()
        results = [first.add(), first.add(), first.itself().add(3), first.total]
        assert [await result for result in results] == [1, 2, 5, 5]
        assert await stub.maker()(1)(2) == 3
        assert await stub.api().add(1) == 6
        assert await stub.api().name == "api"
        assert await stub.api().nested.counter.total == 6
        assert await stub.version == 3

    run(scenario, Giving)


@pytest.mark.feature("S-ST-3")
def test_failures_pass_through_a_pipeline() -> None:
    async def scenario(rig: Rig) -> None:
        stub = rig.stub()
        with pytest.raises(KeyError, match="inside"):
            await stub.target().fail().more().and_more()
        with pytest.raises(TypeError, match="no such member"):
            await stub.api().missing()
        with pytest.raises(TypeError, match="no such member"):
            await stub.api().name.more()
        with pytest.raises(TypeError, match="Method missing"):
            await stub.missing().whatever
        dropped: list[Any] = []
        function = dropped.append
        with pytest.raises(KeyError):
            await stub.target().fail().call(function)

    run(scenario, Giving)


@pytest.mark.feature("S-ST-3")
def test_a_promise_is_taken_where_a_coroutine_is() -> None:
    async def scenario(rig: Rig) -> None:
        counter = await rig.stub().target()
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(counter.add()) for _ in range(3)]
        assert [task.result() for task in tasks] == [1, 2, 3]
        assert await asyncio.gather(counter.add(), counter.slow()) == [4, 4]
        assert await asyncio.wait_for(counter.add(), 5) == 5
        with pytest.raises(KeyError):
            await asyncio.create_task(counter.fail())
        go_on = asyncio.Event()
        waiting = asyncio.create_task(rig.stub().call(go_on.wait))
        await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        go_on.set()
        promise = counter.add()
        assert [await promise, await promise] == [6, 6]
        assert "done" in repr(promise)

    run(scenario, Giving)


def test_showing_a_task_that_waits_for_a_promise_calls_nothing() -> None:
    async def scenario(rig: Rig) -> None:
        counter = await rig.stub().target()
        promise = counter.add()
        task = asyncio.create_task(promise)
        await asyncio.sleep(0)
        with patch.object(type(promise), "_rpc_perform", side_effect=AssertionError("a call")):
            assert "RpcPromise" in repr(task)
            task.get_stack()
        assert await task == 1

    run(scenario, Giving)


def alone(scenario: Callable[[asyncio.Future[Any]], Any]) -> None:
    """Run ``scenario`` with a future, without any objects."""

    async def main() -> None:
        async with asyncio.timeout(20):
            await scenario(asyncio.get_running_loop().create_future())

    asyncio.run(main())


class Loan:
    destroyed = 0

    def destroy(self) -> None:
        self.destroyed += 1


class Receiver:
    """Notes what it is asked for."""

    def __init__(self) -> None:
        self.events: list[Any] = []

    def _rpc_perform(self, event: Call | Read) -> Any:
        self.events.append(event)
        found: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        found.set_result(len(self.events))
        return RpcPromise(found, make_call)


def test_a_member_is_called_read_or_looked_into() -> None:
    async def scenario(_: Any) -> None:
        receiver = Receiver()
        made = member(receiver, "name", make_call)
        assert await made(1, k=2) == 1
        assert await made == 2
        assert receiver.events == [Call("name", (1,), {"k": 2}), Read("name")]
        assert isinstance(made.inner, RpcMember)
        assert receiver.events[2:] == [Read("name")]
        assert repr(made).startswith("<RpcMember name of <")

    alone(scenario)


@pytest.mark.parametrize("name", ["then", "__len__", "__await__x__"])
def test_names_that_others_look_for_are_no_members(name: str) -> None:
    with pytest.raises(AttributeError, match=name):
        member(Receiver(), name, make_call)
    assert isinstance(member(Receiver(), "_private", make_call), RpcMember)


@pytest.mark.parametrize("name", ["cr_code", "gi_frame", "ag_frame", "__wrapped__", "then"])
def test_a_promise_has_no_names_of_coroutines(name: str) -> None:
    async def scenario(future: asyncio.Future[Any]) -> None:
        assert not hasattr(RpcPromise(future, make_call), name)

    alone(scenario)


def test_it_says_whether_its_result_is_there() -> None:
    async def scenario(future: asyncio.Future[Any]) -> None:
        promise = RpcPromise(future, make_call)
        assert repr(promise) == "<RpcPromise pending>"
        future.set_result(1)
        assert repr(promise) == "<RpcPromise done>"

    alone(scenario)


def test_members_of_plain_results_are_looked_up_and_others_asked() -> None:
    async def scenario(future: asyncio.Future[Any]) -> None:
        promise, receiver = RpcPromise(future, make_call), Receiver()
        asked = [promise.a, promise.a.b, promise.receiver.name, promise.receiver.call(5), promise.receiver(6)]
        waiting = asyncio.gather(*(wait(each) for each in asked))
        future.set_result({"a": {"b": 1}, "receiver": receiver})
        assert (await waiting)[:2] == [{"b": 1}, 1]
        assert sorted(event.name for event in receiver.events) == ["", "call", "name"]

    async def wait(what: Any) -> Any:
        return await what

    alone(scenario)


@pytest.mark.parametrize(
    ("result", "text"),
    [({"b": 1}, "read of 'a': the result has no such member"), ([1], "read of 'a'"), (None, "read of 'a'")],
)
def test_a_member_that_is_not_there(result: Any, text: str) -> None:
    async def scenario(future: asyncio.Future[Any]) -> None:
        promise = RpcPromise(future, make_call)
        future.set_result(result)
        with pytest.raises(TypeError, match=text):
            await promise.a
        with pytest.raises(TypeError, match="call of 'a'"):
            await promise.a()

    alone(scenario)


def test_what_follows_fails_with_what_came_before() -> None:
    async def scenario(future: asyncio.Future[Any]) -> None:
        promise = RpcPromise(future, make_call)
        following, loan = promise.a.b(), Loan()
        lending = promise._rpc_perform(Call("m", (), {}, [loan]))
        error = KeyError("first")
        future.set_exception(error)
        for each in (following, lending):
            with pytest.raises(KeyError) as caught:
                await each
            assert caught.value is error
        assert loan.destroyed == 1

    alone(scenario)


def test_what_follows_is_cancelled_with_what_came_before() -> None:
    async def scenario(future: asyncio.Future[Any]) -> None:
        following = RpcPromise(future, make_call).a
        waiting = asyncio.ensure_future(wait(following))
        await asyncio.sleep(0)
        future.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting

    async def wait(what: Any) -> Any:
        return await what

    alone(scenario)


def test_a_promise_that_nobody_looks_at_leaves_no_complaint(caplog: pytest.LogCaptureFixture) -> None:
    async def scenario(future: asyncio.Future[Any]) -> None:
        dropped = RpcPromise(future, make_call).a.b()
        future.set_exception(KeyError("first"))
        await asyncio.sleep(0)
        del dropped

        def failing() -> Any:
            failed: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
            failed.set_exception(ValueError("delivered"))
            return failed

        send(failing, make_call)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        future.exception()

    alone(scenario)
    assert caplog.records == []


class TestSending:
    def delivered(self, value: Any = None, error: Exception | None = None) -> Callable[[], Any]:
        async def deliver() -> Any:
            if error is not None:
                raise error
            return value

        return deliver

    def test_it_gives_the_result_and_lets_go_of_what_was_lent(self) -> None:
        async def scenario(_: Any) -> None:
            loans, seen = [Loan(), Loan()], list[Any]()
            promise = send(self.delivered(5), make_call, loans, seen=seen.append)
            assert await promise == 5
            assert [loan.destroyed for loan in loans] == [1, 1]
            assert [future.result() for future in seen] == [5]

        alone(scenario)

    def test_an_error_is_what_failure_makes_of_it(self) -> None:
        async def scenario(_: Any) -> None:
            loan = Loan()
            with pytest.raises(ValueError, match="inside"):
                await send(self.delivered(error=ValueError("inside")), make_call, [loan])
            assert loan.destroyed == 1
            with pytest.raises(OSError, match="inside"):
                await send(
                    self.delivered(error=ValueError("inside")),
                    make_call,
                    (),
                    lambda error: OSError(str(error)),
                )

        alone(scenario)

    def test_it_is_delivered_in_the_call_unless_writes_have_to_be_safe_before(self) -> None:
        class Owner:
            is_open = True

            def __init__(self) -> None:
                self.output = self
                self.held: list[Callable[[], object]] = []

            def hold(self, action: Callable[[], object]) -> None:
                self.held.append(action)

        async def scenario(_: Any) -> None:
            calls: list[str] = []

            def deliver() -> Any:
                calls.append("delivered")
                return self.delivered(1)()

            owner = Owner()
            token = socket_owner.set(owner)  # type: ignore[arg-type]
            try:
                first = send(deliver, make_call)
                assert calls == ["delivered"]
                owner.is_open = False
                second = send(deliver, make_call)
            finally:
                socket_owner.reset(token)
            assert (calls, len(owner.held)) == (["delivered"], 1)
            owner.held[0]()
            assert [await first, await second] == [1, 1]

        alone(scenario)


class TestFollowingARequest:
    @pytest.mark.parametrize("reason", [None, OSError("mine"), "a text"])
    def test_aborting_it_ends_the_wait_with_the_reason(self, reason: Any) -> None:
        async def scenario(future: asyncio.Future[Any]) -> None:
            controller = AbortController()
            promise = RpcPromise(future, make_call)
            promise._rpc_follow(Request("http://h/", signal=controller.signal))
            controller.abort(*() if reason is None else (reason,))
            controller.abort()
            expected = OSError if isinstance(reason, OSError) else AbortError
            with pytest.raises(expected, match=None if reason is None else str(reason)):
                await promise

        alone(scenario)

    def test_cancelling_the_wait_abandons_it_and_a_result_does_not(self) -> None:
        async def scenario(future: asyncio.Future[Any]) -> None:
            for is_cancelled in (True, False):
                request = Request("http://h/", signal=AbortController().signal)
                result = future.get_loop().create_future()
                RpcPromise(result, make_call)._rpc_follow(request)
                if is_cancelled:
                    result.cancel()
                else:
                    result.set_result(1)
                await asyncio.sleep(0)
                assert request.signal.aborted is is_cancelled

        alone(scenario)
