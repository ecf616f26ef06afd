"""Several workers in one runtime, bound to each other."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, TypeVar

import pytest

from durabase.errors import ConfigError, RemoteError, WorkerLoadError
from durabase.web import Request
from durabase.workers.config import load_config
from durabase.workers.loader import load_workers
from durabase.workers.runtime import Runtime

from .programs import ROOM, TOML, program_config, write_program

T = TypeVar("T")

SERVICES = """
[[services]]
binding = "B"
service = "b"

[[services]]
binding = "ADMIN"
service = "b"
entrypoint = "Admin"
props = { role = "chief" }

[[services]]
binding = "SELF"
service = "app"

[[durable_objects.bindings]]
name = "THEIRS"
class_name = "Room"
script_name = "b"

[vars]
NAME = "of app"
"""

FIRST = """
    from workers import DurableObject, Response, WorkerEntrypoint, env
    import helper

    class Room(DurableObject):
        def who(self):
            return f"{helper.NAME}, {env.NAME}, {self.env.NAME}"

        async def ask(self):
            await self.ctx.storage.put("asked", True)
            return await self.env.ADMIN.add(1, 2)

    class Default(WorkerEntrypoint):
        async def fetch(self, request):
            path = request.url.rsplit("/", 1)[1]
            if path == "self":
                return Response(f"{helper.NAME} {env.NAME}")
            return await self.env.B.fetch(request)
"""

SECOND = """
    from workers import DurableObject, Response, WorkerEntrypoint, env, wait_until
    import helper

    class Room(DurableObject):
        def who(self):
            return f"{helper.NAME}, {env.NAME}, {self.env.NAME}"

    class Odd(Exception):
        pass

    class Admin(WorkerEntrypoint):
        def add(self, a, b, *, times=1):
            return {"sum": (a + b) * times, "role": self.ctx.props["role"]}

        async def fail(self, kind):
            raise (Odd if kind == "odd" else KeyError)("no")

        def change(self, items):
            items.append("changed")
            return items

        async def fetch(self, request):
            return Response(f"admin {await request.text()}")

        async def later(self):
            wait_until(self.env.ROOM.getByName("x").who())
            return env.NAME

        async def mine(self):
            return [await self.ctx.exports.Default.hello(), await self.ctx.exports.Room.getByName("x").who()]

    class Default(WorkerEntrypoint):
        def hello(self):
            return "hello"

        async def fetch(self, request):
            import lazy
            return Response(f"{helper.NAME} {env.NAME} {lazy.NAME} {request.url}")
"""


def programs(
    directory: Path, more: str = SERVICES, own_routes: str = "", their_routes: str = ""
) -> list[Any]:
    own = TOML + own_routes + ROOM + more
    theirs = TOML.replace('"app"', '"b"') + their_routes + ROOM + '[vars]\nNAME = "of b"\n'
    configs = [
        program_config(directory / "a", FIRST, own, helper="NAME = 'helper of app'"),
        program_config(directory / "b", SECOND, theirs, helper="NAME = 'helper of b'", lazy="NAME = 'lazy'"),
    ]
    return list(zip(configs, load_workers(configs), strict=True))


def run(directory: Path, use: Callable[[Runtime], Coroutine[Any, Any, T]], **others: str) -> T:
    (config, worker), *further = programs(directory, **others)

    async def main() -> T:
        async with (
            asyncio.timeout(20),
            Runtime(config, worker, directory / "state", others=further) as runtime,
        ):
            return await use(runtime)

    return asyncio.run(main())


async def text_of(runtime: Runtime, path: str) -> str:
    return await (await runtime.dispatch(Request(f"http://host/{path}"))).text()


def test_a_request_is_handed_on(tmp_path: Path) -> None:
    async def use(runtime: Runtime) -> list[str]:
        return [await text_of(runtime, path) for path in ("self", "x", "self")]

    own = "helper of app of app"
    assert run(tmp_path, use) == [own, "helper of b of b lazy http://host/x", own]


def test_methods_of_a_named_entrypoint(tmp_path: Path) -> None:
    async def use(runtime: Runtime) -> Any:
        admin = runtime.env.ADMIN
        assert await admin.add(1, 2, times=2) == {"sum": 6, "role": "chief"}
        given = ["given"]
        assert await admin.change(given) == ["given", "changed"]
        assert given == ["given"]
        assert await admin.later() == "of b"
        assert await admin.mine() == ["hello", "helper of b, of b, of b"]
        response = await admin.fetch("http://any/", method="POST", body="body")
        return await response.text()

    assert run(tmp_path, use) == "admin body"


def test_errors_arrive_as_from_an_object(tmp_path: Path) -> None:
    async def use(runtime: Runtime) -> None:
        with pytest.raises(KeyError, match="no") as builtin:
            await runtime.env.ADMIN.fail("key")
        assert builtin.value.remote  # type: ignore[attr-defined]
        with pytest.raises(RemoteError, match="Odd: no"):
            await runtime.env.ADMIN.fail("odd")
        with pytest.raises(TypeError, match="Method nothing does not exist"):
            await runtime.env.ADMIN.nothing()
        with pytest.raises(TypeError, match="'alarm' is a reserved method"):
            await runtime.env.ADMIN.alarm()

    run(tmp_path, use)


@pytest.mark.feature("S-CF-7")
def test_objects_of_both_workers_have_the_same_class_name(tmp_path: Path) -> None:
    async def use(runtime: Runtime) -> list[Any]:
        own, theirs = runtime.env.ROOM.getByName("room"), runtime.env.THEIRS.getByName("room")
        assert own.id != theirs.id
        return [await own.who(), await theirs.who(), await own.ask()]

    expected = ["helper of app, of app, of app", "helper of b, of b, of b", {"sum": 3, "role": "chief"}]
    assert run(tmp_path, use) == expected


def test_a_worker_can_be_bound_to_itself(tmp_path: Path) -> None:
    async def use(runtime: Runtime) -> Any:
        return await (await runtime.env.SELF.fetch("http://host/self")).text()

    assert run(tmp_path, use) == "helper of app of app"


@pytest.mark.feature("S-CF-7")
def test_routes(tmp_path: Path) -> None:
    async def use(runtime: Runtime) -> list[str]:
        urls = (
            "http://app.example/self",
            "http://b.example/x",
            "http://app.example/b/x",
            "http://other/self",
        )
        assert [runtime.leads_elsewhere(Request(url)) for url in urls] == [False, True, True, False]
        answers = [await runtime.dispatch(Request(url)) for url in urls]
        return [await answer.text() for answer in answers]

    theirs = "helper of b of b lazy "
    expected = ["helper of app of app", f"{theirs}http://b.example/x", f"{theirs}http://app.example/b/x"]
    routes = 'routes = ["b.example/*", { pattern = "app.example/b/*", zone_name = "app.example" }]\n'
    own = 'route = "app.example/*"\n'
    assert run(tmp_path, use, own_routes=own, their_routes=routes) == [*expected, "helper of app of app"]


def test_a_worker_that_is_not_there(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (config, worker), _ = programs(tmp_path)
    caplog.set_level(logging.WARNING)

    async def main() -> None:
        async with Runtime(config, worker, tmp_path / "state") as runtime:
            for name in ("B", "ADMIN", "THEIRS"):
                with pytest.raises(AttributeError, match='the worker "b" is not running here'):
                    getattr(runtime.env, name)
            assert await text_of(runtime, "self") == "helper of app of app"

    asyncio.run(main())
    assert 'app: env.B: the worker "b" is not running here.' in caplog.text


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ('"Admin"', '"Boss"', 'binds ADMIN to the class Boss of the worker "b", .* It has: Admin, Default'),
        ('"Room"\nscript', '"Hall"\nscript', "binds THEIRS to the class Hall .* It has: Room"),
    ],
)
def test_a_class_that_the_other_does_not_have(tmp_path: Path, old: str, new: str, complaint: str) -> None:
    (config, worker), *others = programs(tmp_path, more=SERVICES.replace(old, new))
    with pytest.raises(WorkerLoadError, match=complaint):
        Runtime(config, worker, tmp_path / "state", others=others)


def test_two_workers_of_one_name(tmp_path: Path) -> None:
    (config, worker), _ = programs(tmp_path)
    with pytest.raises(ConfigError, match='several workers named "app"'):
        Runtime(config, worker, tmp_path / "state", others=[(config, worker)])


def test_reloading(tmp_path: Path) -> None:
    async def use(runtime: Runtime) -> list[Any]:
        own = runtime.env.ROOM.getByName("room")
        answers = [await text_of(runtime, "x"), await own.ask()]
        write_program(
            tmp_path / "b",
            SECOND.replace("(a + b)", "-(a + b)"),
            (tmp_path / "b" / "wrangler.toml").read_text().replace("of b", "of b again"),
            helper="NAME = 'new helper'",
        )
        configs = [load_config(tmp_path / name)[0] for name in "ab"]
        first, *others = zip(configs, load_workers(configs), strict=True)
        await runtime.reload(*first, others)
        return [*answers, await text_of(runtime, "x"), await runtime.env.ROOM.getByName("room").ask()]

    assert run(tmp_path, use) == [
        "helper of b of b lazy http://host/x",
        {"sum": 3, "role": "chief"},
        "new helper of b again lazy http://host/x",
        {"sum": -3, "role": "chief"},
    ]


def test_a_failing_load_leaves_all_programs_as_they_were(tmp_path: Path) -> None:
    async def use(runtime: Runtime) -> str:
        write_program(tmp_path / "b", "1 / 0", (tmp_path / "b" / "wrangler.toml").read_text())
        with pytest.raises(WorkerLoadError, match="ZeroDivisionError"):
            load_workers([load_config(tmp_path / name)[0] for name in "ab"])
        return await text_of(runtime, "x")

    assert run(tmp_path, use) == "helper of b of b lazy http://host/x"
