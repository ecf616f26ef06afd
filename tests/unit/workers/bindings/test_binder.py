"""Workers that can be together, and bindings between them that can be made."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import pytest

from durabase.durable_objects import DurableObject
from durabase.errors import ConfigError, WorkerLoadError
from durabase.workers.bindings.binder import Program, check_programs
from durabase.workers.config import Config, DurableObjectBinding, ObjectClassConfig, ServiceBinding
from durabase.workers.entrypoint import WorkerEntrypoint
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
