"""The classes that a host is told, from a configuration and a program."""

from __future__ import annotations

from dataclasses import replace
from types import ModuleType

import pytest

from durabase.durable_objects import DurableObject
from durabase.workers.bindings.objects import object_classes
from durabase.workers.config import Config, ObjectClassConfig
from durabase.workers.loader import Worker


class Room(DurableObject): ...


class Log(DurableObject): ...


WORKER = Worker(ModuleType("index"), False, {}, {"Room": Room, "Log": Log})
CONFIG = Config(
    *("/p/wrangler.toml", "app", "/p/index.py"),
    classes=(
        ObjectClassConfig("Room", "kv", "Hall"),
        ObjectClassConfig("Gone", "kv", "Gone"),
        ObjectClassConfig("Log", "sqlite", "Log", "other"),
    ),
    idle_seconds={"Log": 2.5},
)


def test_classes_that_are_configured_and_that_the_program_has() -> None:
    room, log = object_classes(CONFIG, WORKER, 100, prefix="app/", is_strict=True, history_ms=5)
    assert (room.class_name, room.unique_key, room.factory, room.storage) == (
        "app/Room",
        "app-Hall",
        Room,
        "kv",
    )
    assert (log.class_name, log.unique_key, log.factory, log.storage) == (
        "app/Log",
        "other-Log",
        Log,
        "sqlite",
    )
    assert (room.idle_seconds, log.idle_seconds) == (None, 2.5)
    for made in (room, log):
        assert (made.is_strict, made.history_ms) == (True, 5)
    plain, _ = object_classes(CONFIG, WORKER, 100)
    assert (plain.class_name, plain.is_strict, plain.history_ms) == ("Room", False, None)


def test_sqlite_classes_may_store_two_mebibytes_at_least() -> None:
    for limit, least in ((100, 2 * 1024 * 1024), (3_000_000, 3_000_000)):
        room, log = object_classes(CONFIG, WORKER, limit)
        assert (room.max_value_bytes, log.max_value_bytes) == (limit, least)


@pytest.mark.parametrize(("date", "deletes"), [(None, True), ("2026-02-23", False), ("2026-02-24", True)])
def test_whether_delete_all_deletes_the_alarm_is_a_matter_of_date(date: str | None, deletes: bool) -> None:
    made, _ = object_classes(replace(CONFIG, compatibility_date=date), WORKER, 100)
    assert made.delete_all_deletes_alarm is deletes
