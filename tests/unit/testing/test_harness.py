"""A worker under test, driven by hand."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from durabase.durable_objects import DurableObjectStub, ObjectConstructed, ObjectHibernated, ObjectKey
from durabase.errors import ObjectError
from durabase.sync_server import WsServerDurableObject
from durabase.testing import WorkerHarness

from .project import write_project

Use = Callable[[WorkerHarness], Coroutine[Any, Any, None]]


def use(directory: Path, test: Use, **options: Any) -> None:
    harness = WorkerHarness(write_project(directory / "project"), **options)

    async def main() -> None:
        async with asyncio.timeout(30):
            await test(harness)

    harness.run(main)


@pytest.mark.feature("M-TH-1", "S-TH-4")
def test_requests_and_variables(tmp_path: Path) -> None:
    async def test(worker: WorkerHarness) -> None:
        assert await (await worker.fetch("/path?a=1")).text() == "hey http://localhost/path?a=1"
        assert worker.env.GREETING == "hey"
        assert worker.config.name == "app"

    use(tmp_path, test, vars={"GREETING": "hey"})


@pytest.mark.feature("M-TH-2")
def test_run_in_durable_object(tmp_path: Path) -> None:
    async def test(worker: WorkerHarness) -> None:
        stub = worker.env.COUNTER.get_by_name("a")
        assert await stub.increment() == 1

        async def look(instance: Any, ctx: Any) -> Any:
            assert repr(type(instance)) == repr(worker.program.object_classes["Counter"])
            return instance.in_memory, await ctx.storage.get("count"), ctx.id.name

        assert await worker.run_in_durable_object(stub, look) == (1, 1, "a")
        marker = object()
        assert await worker.run_in_durable_object(stub, lambda instance, ctx: marker) is marker

    use(tmp_path, test)


@pytest.mark.feature("M-TH-2")
@pytest.mark.parametrize(
    "error", [AssertionError("as it is"), pytest.fail.Exception("as it is"), KeyError(1)]
)
def test_what_the_function_raises_arrives_as_it_is(tmp_path: Path, error: BaseException) -> None:
    async def test(worker: WorkerHarness) -> None:
        def fail(instance: Any, ctx: Any) -> None:
            raise error

        stub = worker.env.COUNTER.get_by_name("a")
        with pytest.raises(type(error)) as caught:
            await worker.run_in_durable_object(stub, fail)
        assert caught.value is error
        assert await stub.increment() == 1

    use(tmp_path, test)


@pytest.mark.feature("M-TH-3")
def test_an_alarm_runs_when_asked(tmp_path: Path) -> None:
    async def test(worker: WorkerHarness) -> None:
        stub = worker.env.COUNTER.get_by_name("a")
        assert not await worker.run_durable_object_alarm(stub)
        await stub.remind(worker.clock.now_ms() + 60_000)
        assert await worker.run_durable_object_alarm(stub)
        assert not await worker.run_durable_object_alarm(stub)
        assert await worker.run_in_durable_object(stub, lambda _, ctx: ctx.storage.get("alarm")) == 0
        await worker.run_in_durable_object(stub, lambda _, ctx: ctx.storage.put("fail", True))
        await stub.remind(worker.clock.now_ms() + 60_000)
        with pytest.raises(ValueError, match="the alarm fails"):
            await worker.run_durable_object_alarm(stub)

    use(tmp_path, test)


@pytest.mark.feature("S-TH-2")
def test_time_drives_alarms_and_their_retries(tmp_path: Path) -> None:
    async def test(worker: WorkerHarness) -> None:
        stub = worker.env.COUNTER.get_by_name("a")

        async def alarm_of(name: str) -> Any:
            return await worker.run_in_durable_object(stub, lambda _, ctx: ctx.storage.get(name))

        await worker.run_in_durable_object(stub, lambda _, ctx: ctx.storage.put("fail", True))
        await stub.remind(worker.clock.now_ms() + 60_000)
        await worker.advance(59)
        assert await alarm_of("alarm") is None
        await worker.advance(1)
        await worker.run_in_durable_object(stub, lambda _, ctx: ctx.storage.delete("fail"))
        assert await alarm_of("alarm") is None
        await worker.advance(3)
        assert await alarm_of("alarm") == 1

    use(tmp_path, test)


@pytest.mark.feature("S-TH-2")
def test_time_drives_crons(tmp_path: Path) -> None:
    async def test(worker: WorkerHarness) -> None:
        await worker.advance(600)
        assert len((await worker.env.SEEN.list())["keys"]) == 2
        await worker.scheduled("1 2 3 4 5", 77)
        assert await worker.env.SEEN.get("77") == "1 2 3 4 5"

    use(tmp_path, test)


@pytest.mark.feature("S-TH-2", "S-TH-3")
def test_time_drives_hibernation_and_sockets_stay(tmp_path: Path) -> None:
    async def test(worker: WorkerHarness) -> None:
        socket = await worker.connect("/room")
        socket.send("a")
        assert await socket.receive() == "a 1"
        await worker.advance(9)
        assert not any(isinstance(fact, ObjectHibernated) for fact in worker.facts)
        await worker.advance(2)
        assert [fact.sockets for fact in worker.facts if isinstance(fact, ObjectHibernated)] == [1]
        socket.send("b")
        assert await socket.receive() == "b 2"
        stub = worker.env.COUNTER.get_by_name("room")
        assert await worker.run_in_durable_object(stub, lambda instance, _: instance.in_memory) == 1

    use(tmp_path, test)


@pytest.mark.feature("S-TH-3")
def test_a_socket_that_the_object_closes(tmp_path: Path) -> None:
    async def test(worker: WorkerHarness) -> None:
        socket = await worker.connect("/room")
        socket.send("a")
        socket.send("leave")
        assert await socket.closed() == (4000, "as you wish", True)
        assert socket.waiting() == ["a 1"]
        with pytest.raises(ConnectionError, match="code=4000"):
            await socket.receive()
        quiet = await worker.connect("/room")
        with pytest.raises(TimeoutError, match="no message within 0 seconds"):
            await quiet.receive(0)
        with pytest.raises(TimeoutError, match="the socket is open"):
            await quiet.closed(0)
        quiet.close(4001, "bye")
        assert (await quiet.closed()).code == 4001
        with pytest.raises(ConnectionError, match="/x answered 200"):
            await worker.connect("/x", headers={"upgrade": "h2c"})

    use(tmp_path, test)


@pytest.mark.feature("M-TH-4")
def test_ids_of_stored_objects(tmp_path: Path) -> None:
    async def test(worker: WorkerHarness) -> None:
        assert await worker.list_durable_object_ids(worker.env.COUNTER) == []
        for name in "ab":
            await worker.env.COUNTER.get_by_name(name).increment()
        ids = await worker.list_durable_object_ids(worker.env.COUNTER)
        assert {id.name for id in ids} == {"a", "b"}
        other = worker.env.COUNTER.id_from_name("other")
        with pytest.raises(LookupError, match="belongs to no class"):
            await worker.evict(DurableObjectStub(worker.runtime.host, ObjectKey("X", type(other)(bytes(32)))))

    use(tmp_path, test)


@pytest.mark.feature("S-TH-1")
def test_eviction(tmp_path: Path) -> None:
    async def test(worker: WorkerHarness) -> None:
        stub = worker.env.COUNTER.get_by_name("room")
        with pytest.raises(RuntimeError, match=r"Counter\(room\) is not running"):
            await worker.evict(stub)
        socket = await worker.connect("/room")
        await stub.increment()
        await worker.evict(stub)
        assert await worker.run_in_durable_object(stub, lambda instance, _: instance.in_memory) == 0
        socket.send("still there")
        assert await socket.receive() == "still there 2"
        await worker.evict(stub, web_sockets="close")
        assert (await socket.closed()).code == 1001
        await stub.increment()
        await worker.evict_all()
        assert await worker.run_in_durable_object(stub, lambda instance, _: instance.in_memory) == 0
        assert await stub.increment() == 4

    use(tmp_path, test)


@pytest.mark.feature("S-TH-1")
def test_aborting(tmp_path: Path) -> None:
    async def test(worker: WorkerHarness) -> None:
        stub = worker.env.COUNTER.get_by_name("room")
        socket = await worker.connect("/room")
        assert await stub.increment() == 1
        await worker.abort_all()
        assert (await socket.closed()).code == 1006
        assert await worker.env.COUNTER.get_by_name("room").increment() == 2

    use(tmp_path, test)


@pytest.mark.feature("S-TH-5")
def test_a_crash_keeps_what_was_committed_and_nothing_else(tmp_path: Path) -> None:
    async def test(worker: WorkerHarness) -> None:
        worker.program.module.loads.append("before")
        counter, table = worker.env.COUNTER.get_by_name("a"), worker.env.TABLE.get_by_name("b")
        assert await counter.increment() == 1
        assert await table.add("x") == 1
        await worker.env.SEEN.put("k", "v")
        socket = await worker.connect("/room")

        def write(instance: Any, ctx: Any) -> None:
            ctx.storage.put("count", 100)

        lost = asyncio.ensure_future(worker.run_in_durable_object(counter, write))
        await asyncio.sleep(0)  # written, and not committed: that happens at the end of this turn
        await worker.crash()
        await asyncio.gather(lost, return_exceptions=True)
        assert (await socket.closed()).code == 1006
        assert worker.program.module.loads == []
        with pytest.raises(ObjectError):
            await counter.increment()
        assert await worker.env.COUNTER.get_by_name("a").increment() == 2
        assert await worker.env.TABLE.get_by_name("b").add("y") == 2
        assert await worker.env.SEEN.get("k") == "v"

    use(tmp_path, test)


@pytest.mark.feature("S-TH-1")
def test_a_reset_leaves_nothing(tmp_path: Path) -> None:
    async def test(worker: WorkerHarness) -> None:
        await worker.env.COUNTER.get_by_name("a").increment()
        await worker.env.SEEN.put("k", "v")
        await worker.reset()
        assert await worker.env.COUNTER.get_by_name("a").increment() == 1
        assert await worker.env.SEEN.get("k") is None

    use(tmp_path, test)


def test_objects_of_tinybase_have_the_clock_as_long_as_the_worker_runs(tmp_path: Path) -> None:
    before = WsServerDurableObject.clock

    async def test(worker: WorkerHarness) -> None:
        assert WsServerDurableObject.clock is worker.clock

    use(tmp_path, test)
    assert WsServerDurableObject.clock is before


def test_without_running(tmp_path: Path) -> None:
    harness = WorkerHarness(write_project(tmp_path))
    with pytest.raises(RuntimeError, match="the worker is not running"):
        _ = harness.env


def test_data_goes_to_a_directory_if_one_is_given(tmp_path: Path) -> None:
    async def test(worker: WorkerHarness) -> None:
        await worker.env.COUNTER.get_by_name("a").increment()

    use(tmp_path, test, state_dir=tmp_path / "state")
    assert list((tmp_path / "state").rglob("objects.sqlite"))


def test_constructions_are_among_the_facts(tmp_path: Path) -> None:
    async def test(worker: WorkerHarness) -> None:
        await worker.env.COUNTER.get_by_name("a").increment()
        assert [fact.id.name for fact in worker.facts if isinstance(fact, ObjectConstructed)] == ["a"]

    use(tmp_path, test)
