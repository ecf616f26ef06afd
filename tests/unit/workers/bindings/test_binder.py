"""What workers are bound to; those that can be together, and bindings between them that can be made."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from durabase.durable_objects import DurableObject, ObjectClass, ObjectHost
from durabase.errors import ConfigError, WorkerLoadError
from durabase.testing import FakeClock
from durabase.workers.bindings.binder import Binder, Program, check_programs
from durabase.workers.bindings.kv import KvStores
from durabase.workers.bindings.services import Loopback, Service
from durabase.workers.config import (
    Config,
    DurableObjectBinding,
    KvBinding,
    ObjectClassConfig,
    ServiceBinding,
)
from durabase.workers.entrypoint import BackgroundTasks, WorkerEntrypoint
from durabase.workers.hosted_worker import HostedWorker
from durabase.workers.loader import Worker


class Room(DurableObject): ...


class Admin(WorkerEntrypoint): ...


def program(name: str, *, entrypoints: tuple[str, ...] = ("Default",), **more: Any) -> Program:
    """A worker with a hosted class Room, and a class Loose that no migration has."""
    config = Config(
        *(f"/{name}/wrangler.toml", name, f"/{name}/index.py"),
        classes=(ObjectClassConfig("Room", "kv", "Room"), ObjectClassConfig("Gone", "kv", "Gone")),
        **more,
    )
    entries: dict[str, type[WorkerEntrypoint]] = dict.fromkeys(entrypoints, Admin)
    return config, Worker(ModuleType("index"), False, entries, {"Room": Room, "Loose": Room})


def test_what_is_bound(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    programs = [
        program(
            "a",
            vars={"V": {"w": 1}},
            unsupported={"DB": "d1_databases"},
            kv_namespaces=(KvBinding("KV", "id"), KvBinding("SAME", "id")),
            durable_objects=(
                *(DurableObjectBinding("OWN", "Room"), DurableObjectBinding("THEIRS", "Room", "b")),
                DurableObjectBinding("ABSENT", "Room", "c"),
            ),
            services=(ServiceBinding("B", "b"), ServiceBinding("C", "c")),
        ),
        program("b"),
    ]

    async def main() -> tuple[Any, Any]:
        clock = FakeClock()
        async with ObjectHost(tmp_path, clock=clock) as host:
            kv = KvStores(tmp_path / "kv", clock)
            workers = [HostedWorker(*programs[0], BackgroundTasks())]
            workers.append(HostedWorker(*programs[1], BackgroundTasks(), "b:"))
            for prefix in ("", "b:"):
                host.register(ObjectClass(f"{prefix}Room", f"{prefix}-Room", Room))
            Binder(host, kv, clock).bind(workers, programs)
            env, exports = workers[0].env, workers[0].exports
            await env.KV.put("k", "v")
            assert await env.SAME.get("k") == "v"
            await kv.close()
            return env, exports

    with caplog.at_level(logging.WARNING):
        env, exports = asyncio.run(main())
    assert env.V.w == 1
    assert (type(env.B), type(exports.Default)) == (Service, Loopback)
    assert exports.Room.id_from_name("x") == env.OWN.id_from_name("x") != env.THEIRS.id_from_name("x")
    assert dir(exports) == ["Default", "Room"]
    for name, complaint in (
        ("DB", "is not supported here"),
        ("ABSENT", 'the worker "c" is not running here. Give its configuration, too: durabase dev -c /a/'),
        ("C", 'the worker "c" is not running here'),
    ):
        with pytest.raises(AttributeError, match=rf"^env\.{name}: .*{complaint}"):
            getattr(env, name)
    assert "a: env.ABSENT: the worker" in caplog.text


def test_what_can_be_bound() -> None:
    check_programs(
        [
            program(
                "a",
                durable_objects=(DurableObjectBinding("A", "Room"), DurableObjectBinding("B", "Room", "b")),
                services=(ServiceBinding("C", "b", "Admin"), ServiceBinding("D", "a")),
            ),
            program("b", entrypoints=("Admin",)),
        ]
    )


def test_workers_that_are_not_here_are_not_looked_into() -> None:
    absent = DurableObjectBinding("A", "Any", "c"), ServiceBinding("B", "c", "Any")
    check_programs([program("a", durable_objects=absent[:1], services=absent[1:])])


def test_two_of_one_name() -> None:
    with pytest.raises(ConfigError, match=r'^/a/wrangler.toml: there are several workers named "a"\.$'):
        check_programs([program("b"), program("a"), program("a")])


@pytest.mark.parametrize(
    ("more", "complaint"),
    [
        (
            {"services": (ServiceBinding("S", "b", "Nope"),)},
            '/a/wrangler.toml binds S to the class Nope of the worker "b", which has no such class. '
            "It has: Admin, Default.",
        ),
        (
            {"services": (ServiceBinding("S", "a"),)},
            '/a/wrangler.toml binds S to the class Default of the worker "a", which has no such class. '
            "It has: none.",
        ),
        *(
            (
                {"durable_objects": (DurableObjectBinding("R", class_name, script_name),)},
                f'/a/wrangler.toml binds R to the class {class_name} of the worker "{script_name or "a"}", '
                "which has no such class. It has: Room.",
            )
            for class_name, script_name in (("Loose", None), ("Gone", None), ("Nope", "b"))
        ),
    ],
)
def test_classes_that_are_not_there(more: Any, complaint: str) -> None:
    programs = [program("a", entrypoints=(), **more), program("b", entrypoints=("Default", "Admin"))]
    with pytest.raises(WorkerLoadError) as caught:
        check_programs(programs)
    assert str(caught.value) == complaint
