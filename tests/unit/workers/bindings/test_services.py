"""Calls between workers, and between workers and objects: what crosses besides values."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from durabase.errors import RemoteError
from durabase.testing import WorkerHarness
from unit.workers import programs

pytestmark = pytest.mark.feature("S-ST-2")

TOML = (
    programs.TOML
    + """
[[services]]
binding = "SELF"
service = "app"
entrypoint = "Api"
"""
    + programs.ROOM
)

PROGRAM = """
from workers import DurableObject, Response, RpcTarget, WorkerEntrypoint, import_from_javascript, wait_until

assert import_from_javascript("cloudflare:workers").RpcTarget is RpcTarget

class Session(RpcTarget):
    def __init__(self, env, user):
        self.env = env
        self.user = user

    def who(self):
        return self.user

    async def say(self, text, reply):
        wait_until(self.env.ROOM.getByName("later").note(text))
        return await reply(f"{self.user}: {text}")

class Api(WorkerEntrypoint):
    version = 2

    def session(self, user):
        return Session(self.env, user)

    async def each(self, items, function):
        return [await function(item) for item in items]

    def fail(self):
        raise AttributeError("of the entrypoint")

    async def fetch(self, request):
        raise ValueError("in fetch")

class Room(DurableObject):
    def __init__(self, ctx, env):
        super().__init__(ctx, env)
        self.notes = []

    def note(self, text):
        self.notes.append(text)
        return len(self.notes)

    def noted(self):
        return self.notes

    async def ask(self, reply):
        with await self.env.SELF.session("room") as session:
            return await session.say("hello", reply)

    async def through(self):
        return await self.env.SELF.each(["a", "b"], self.note)

class Default(WorkerEntrypoint):
    async def fetch(self, request):
        replies = []

        async def reply(text):
            replies.append(text)
            return len(replies)

        answer = await self.env.ROOM.getByName("x").ask(reply)
        return Response.json([answer, replies])
"""


def use(folder: Path, test: Any) -> None:
    harness = WorkerHarness(programs.write_program(folder, PROGRAM, TOML))
    harness.run(lambda: test(harness))


def test_functions_and_targets_go_through_workers_and_objects(tmp_path: Path) -> None:
    async def test(worker: WorkerHarness) -> None:
        assert await (await worker.fetch("/")).json() == [1, ["room: hello"]]
        assert await worker.env.ROOM.getByName("later").noted() == ["hello"]
        assert await worker.env.ROOM.getByName("x").through() == [1, 2]
        assert await worker.env.ROOM.getByName("x").noted() == ["a", "b"]

    use(tmp_path, test)


@pytest.mark.feature("S-ST-3")
def test_calls_go_on_before_a_worker_has_answered(tmp_path: Path) -> None:
    async def test(worker: WorkerHarness) -> None:
        api = worker.env.SELF
        assert await api.session("ann").who() == "ann"
        assert await api.session("ann").say("hi", str.upper) == "ANN: HI"
        assert await api.version == 2
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(api.session(name).who()) for name in "ab"]
        assert [task.result() for task in tasks] == ["a", "b"]
        with pytest.raises(TypeError, match='does not implement the property "env"'):
            await api.env

    use(tmp_path, test)


@pytest.mark.feature("M-ST-6", "M-ST-7")
def test_failures_of_workers(tmp_path: Path) -> None:
    async def test(worker: WorkerHarness) -> None:
        with pytest.raises(AttributeError) as caught:
            await worker.env.SELF.fail()
        assert caught.value.remote  # type: ignore[attr-defined]
        with pytest.raises(OSError, match="in fetch") as failed:
            await worker.env.SELF.fetch("http://x/")
        assert isinstance(failed.value, ValueError)
        assert not isinstance(failed.value, RemoteError)
        with pytest.raises(TypeError, match="'alarm' is a reserved method"):
            await worker.env.SELF.alarm()

    use(tmp_path, test)
