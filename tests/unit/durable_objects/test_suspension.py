"""Waiting within plain functions."""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from pathlib import Path
from typing import Any, TypeVar

import pytest

from durabase.durable_objects import suspension
from durabase.durable_objects.suspension import can_run_sync, run_sync, set_suspending, with_suspension
from durabase.testing import WorkerHarness
from unit.workers.programs import ROOM, TOML, write_program

pytestmark = pytest.mark.feature("S-PY-3")

T = TypeVar("T")
variable: ContextVar[int] = ContextVar("variable", default=0)


@pytest.fixture(autouse=True)
def suspending() -> Iterator[None]:
    set_suspending(True)
    yield
    set_suspending(False)


async def later(value: T) -> T:
    for _ in range(3):
        await asyncio.sleep(0)
    return value


async def failing() -> None:
    await asyncio.sleep(0)
    raise KeyError("no")


def run(call: Callable[[], Any]) -> Any:
    async def main() -> Any:
        return await with_suspension(call)()

    return asyncio.run(main())


def test_a_plain_function_gets_the_result_of_what_it_waits_for() -> None:
    assert run(lambda: [can_run_sync(), run_sync(later(1)), run_sync(later(2))]) == [True, 1, 2]


def test_a_plain_function_within_an_asynchronous_one() -> None:
    def plain() -> int:
        return run_sync(later(1)) + 1

    async def handler() -> list[int]:
        first = await later(plain())
        return [first, plain(), await later(3)]

    assert run(handler) == [2, 2, 3]


def test_what_is_waited_for_may_wait_in_the_same_way() -> None:
    async def inner() -> Any:
        return [run_sync(later("deep")), await later("inner")]

    assert run(lambda: run_sync(inner())) == ["deep", "inner"]


def test_failures_are_raised_where_it_waits() -> None:
    def plain() -> str:
        try:
            run_sync(failing())
        except KeyError as error:
            return f"caught {error}"
        return "nothing"

    assert run(plain) == "caught 'no'"
    with pytest.raises(KeyError):
        run(lambda: run_sync(failing()))


def test_others_go_on_meanwhile() -> None:
    order: list[str] = []

    def plain(name: str) -> None:
        order.append(f"{name} waits")
        run_sync(later(None))
        order.append(f"{name} goes on")

    async def main() -> None:
        await asyncio.gather(with_suspension(plain)("a"), with_suspension(plain)("b"))

    asyncio.run(main())
    assert order == ["a waits", "b waits", "a goes on", "b goes on"]


def test_it_belongs_to_its_task_and_context() -> None:
    def plain() -> tuple[int, bool]:
        variable.set(5)
        task = asyncio.current_task()
        run_sync(later(None))
        return variable.get(), asyncio.current_task() is task

    async def main() -> Any:
        variable.set(1)
        return await asyncio.create_task(with_suspension(plain)())

    assert asyncio.run(main()) == (5, True)


def test_cancelling_it() -> None:
    seen: list[str] = []

    def plain() -> None:
        try:
            run_sync(asyncio.Event().wait())
        finally:
            seen.append("cleaned up")

    async def main() -> None:
        task = asyncio.ensure_future(with_suspension(plain)())
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    assert seen == ["cleaned up"]


def test_elsewhere_it_says_so() -> None:
    async def nothing() -> None: ...

    awaitable = nothing()
    with pytest.raises(RuntimeError, match="No suspender"):
        run_sync(awaitable)
    awaitable.close()
    set_suspending(False)
    assert with_suspension(run) is run


def test_without_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> Any:
        raise ImportError(name)

    monkeypatch.setattr(importlib, "import_module", missing)
    monkeypatch.setattr(suspension, "_Stack", None)
    with pytest.raises(RuntimeError, match=r"pip install 'durabase\[run-sync\]'"):
        can_run_sync()


PROGRAM = """
    from pyodide.ffi import run_sync
    from workers import DurableObject, Response, WorkerEntrypoint, wsgi

    class Room(DurableObject):
        def add(self, amount):
            count = (run_sync(self.ctx.storage.get("count")) or 0) + amount
            run_sync(self.ctx.storage.put("count", count))
            return count

        def each(self, function, items):
            return [run_sync(function(item)) for item in items]

        def fetch(self, request):
            return Response(f"{run_sync(request.text())}, {run_sync(self.other().add(1))}")

        def other(self):
            return self.env.ROOM.getByName("other")

        def webSocketMessage(self, ws, message):
            ws.send(f"{message} {run_sync(self.other().add(10))}")

    def app(environ, start_response):
        count = run_sync(environ["workers.env"].ROOM.getByName("other").add(100))
        start_response("200 OK", [])
        yield f"wsgi {count} ".encode()
        yield str(run_sync(environ["workers.env"].ROOM.getByName("other").add(1000))).encode()

    class Default(WorkerEntrypoint):
        def fetch(self, request):
            if request.url.endswith("/wsgi"):
                return wsgi.fetch(app, request, self.env)
            return run_sync(self.env.ROOM.getByName("room").fetch(request))
"""


def test_a_program_that_uses_it(tmp_path: Path) -> None:
    async def use(worker: WorkerHarness) -> list[Any]:
        room = worker.env.ROOM.getByName("room")

        async def doubled(item: int) -> int:
            return await later(item * 2)

        return [
            await asyncio.gather(*(room.add(1) for _ in range(3))),
            await room.each(doubled, [1, 2]),
            await (await worker.fetch("/", method="POST", body="hi")).text(),
            await (await worker.fetch("/wsgi")).text(),
        ]

    worker = WorkerHarness(write_program(tmp_path, PROGRAM, TOML + ROOM))
    assert worker.run(lambda: asyncio.wait_for(use(worker), 20)) == [
        [1, 2, 3],
        [2, 4],
        "hi, 1",
        "wsgi 101 1101",
    ]
    assert not suspension.suspending()


def test_a_program_that_does_not_use_it_is_not_slowed_down(tmp_path: Path) -> None:
    async def use(worker: WorkerHarness) -> bool:
        return suspension.suspending()

    program = PROGRAM.replace("run_sync", "to_js")
    worker = WorkerHarness(write_program(tmp_path, program, TOML + ROOM))
    assert worker.run(lambda: use(worker)) is False
