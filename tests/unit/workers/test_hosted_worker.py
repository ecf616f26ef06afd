"""One worker that runs: assets before the program, handlers with what fits, and who is told."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from durabase.durable_objects.events import Call, Read
from durabase.durable_objects.limits import ObjectLimits
from durabase.testing import FakeClock
from durabase.web import Request, Response
from durabase.workers.config import AssetsConfig, Config
from durabase.workers.entrypoint import BackgroundTasks, WorkerEntrypoint
from durabase.workers.env import env
from durabase.workers.facts import EntrypointHandled
from durabase.workers.hosted_worker import HostedWorker
from durabase.workers.loader import Worker

CLOCK = FakeClock()


class Default(WorkerEntrypoint):
    async def fetch(self, request: Request) -> Any:
        CLOCK.advance(5)
        if request.url.endswith("/fail"):
            raise KeyError("no")
        if request.url.endswith("/nothing"):
            return None
        return Response(f"{env.NAME} {self.env.NAME} {self.ctx.props}")

    def scheduled(self, controller: object) -> None:
        self.env.TOLD.append(controller)


class Admin(WorkerEntrypoint):
    name = "admin"

    def items(self, items: list[Any]) -> list[Any]:
        self.env.TOLD.append(items)
        return items


PROGRAM = Worker(ModuleType("index"), False, {"Default": Default, "Admin": Admin}, {})
CONFIG = Config("/p/wrangler.toml", "app", "/p/index.py")


class Scene:
    """A worker that was started and bound, and the facts that were told of it."""

    def __init__(self, config: Config = CONFIG) -> None:
        self.facts: list[Any] = []
        self.told: list[Any] = []
        self.worker = HostedWorker(config, PROGRAM, BackgroundTasks(), "app:", self.facts.append, clock=CLOCK)
        self.worker.start()
        bindings = {"NAME": "name", "TOLD": self.told}
        self.worker.bind(config, PROGRAM, bindings, {"DB": "is missing"}, {"Admin": "own"})

    async def fetch(self, path: str = "/", entrypoint: str = "Default", **options: Any) -> str:
        request = Request(f"http://h{path}", **options)
        return await (await self.worker.fetch(request, entrypoint, {"role": "x"})).text()


def run(scenario: Callable[[], Awaitable[None]]) -> None:
    async def main() -> None:
        async with asyncio.timeout(10):
            await scenario()

    asyncio.run(main())


def test_the_program_answers_in_its_own_env_and_it_is_told() -> None:
    async def scenario() -> None:
        scene = Scene()
        assert await scene.fetch() == "name name {'role': 'x'}"
        [fact] = scene.facts
        assert isinstance(fact, EntrypointHandled)
        assert (fact.worker, fact.entrypoint, fact.kind, fact.milliseconds, fact.error, fact.status) == (
            *("app", "Default", "fetch", 5, None),
            200,
        )

    run(scenario)


def test_what_a_handler_raises_is_passed_on_and_told() -> None:
    async def scenario() -> None:
        scene = Scene()
        with pytest.raises(KeyError, match="no"):
            await scene.fetch("/fail")
        assert isinstance(scene.facts[0].error, KeyError)
        with pytest.raises(TypeError):
            await scene.fetch("/nothing")
        with pytest.raises(
            TypeError, match=r"^Handler does not export a fetch\(\) function: there is no class Nope"
        ):
            await scene.fetch(entrypoint="Nope")
        with pytest.raises(TypeError, match=r"^Handler does not export a fetch\(\) function\.$"):
            await scene.fetch(entrypoint="Admin")

    run(scenario)


def test_scheduled_is_called_with_as_many_arguments_as_it_takes() -> None:
    async def scenario() -> None:
        scene = Scene()
        controller = object()
        for _ in range(2):
            await scene.worker.scheduled(controller)
        assert scene.told == [controller, controller]

    run(scenario)


def test_another_program_may_take_other_arguments() -> None:
    class Later(WorkerEntrypoint):
        def scheduled(self, controller: object, bindings: object, ctx: object) -> None:
            self.env.TOLD.append((controller, bindings, ctx))

    async def scenario() -> None:
        scene = Scene()
        await scene.worker.scheduled("first")
        later = Worker(ModuleType("index"), False, {"Default": Later}, {})
        scene.worker.bind(CONFIG, later, {"TOLD": scene.told}, {}, {})
        await scene.worker.scheduled("second")
        assert scene.told == ["first", ("second", None, None)]

    run(scenario)


def test_calls_give_copies() -> None:
    async def scenario() -> None:
        scene, limits = Scene(), ObjectLimits()
        items = [1, {"a": 2}]
        found = await scene.worker.perform("Admin", Call("items", (items,), {}), None, limits)
        assert found == items
        assert found is not scene.told[0]
        assert await scene.worker.perform("Admin", Read("name"), None, limits) == "admin"
        with pytest.raises(TypeError):
            await scene.worker.perform("Admin", Call("nope", (), {}), None, limits)

    run(scenario)


def test_bindings_are_replaced_for_all_who_hold_the_env() -> None:
    async def scenario() -> None:
        scene = Scene()
        held, exports = scene.worker.env, scene.worker.exports
        assert exports.Admin == "own"
        with pytest.raises(AttributeError, match=r"env\.DB: is missing"):
            _ = held.DB
        scene.worker.bind(CONFIG, PROGRAM, {"NAME": "other"}, {}, {})
        assert (held.NAME, dir(held), dir(exports)) == ("other", ["NAME"], [])

    run(scenario)


@pytest.mark.parametrize(
    ("path", "options", "answer"),
    [
        ("/a.txt", {}, "asset"),
        ("/a.txt", {"method": "HEAD"}, "asset"),
        ("/b.txt", {}, "program"),
        ("/a.txt", {"method": "POST"}, "program"),
        ("/a.txt", {"headers": {"upgrade": "websocket"}}, "program"),
        ("/first/a.txt", {}, "program"),
    ],
)
def test_assets_come_first_where_they_are_meant(
    tmp_path: Path, path: str, options: dict[str, Any], answer: str
) -> None:
    for place in ("a.txt", "first/a.txt"):
        (tmp_path / place).parent.mkdir(exist_ok=True)
        (tmp_path / place).write_text("asset")
    assets = AssetsConfig(str(tmp_path), "ASSETS", run_worker_first=("/first/*",))

    async def scenario() -> None:
        scene = Scene(Config("/p/wrangler.toml", "app", "/p/index.py", assets=assets))
        found = await scene.fetch(path, **options)
        assert found == "asset" if answer == "asset" else found.startswith("name")
        assert scene.worker.env.ASSETS is scene.worker.assets
        assert len(scene.facts) == (answer == "program")

    run(scenario)
