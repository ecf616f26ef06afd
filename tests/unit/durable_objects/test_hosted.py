"""One class of objects: its rules, its folder, its slots, and alarms of objects that sleep."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from durabase.durable_objects import DurableObject, DurableObjectId, ObjectClass
from durabase.durable_objects.hosted import ClassHost
from durabase.durable_objects.storage.sql_policy import MAX_ROW_BYTES
from durabase.durable_objects.storage.store import AlarmRow
from durabase.errors import KeyTooLargeError, ObjectError, ObjectResetError, ValueTooLargeError
from unit.durable_objects.rig import Rig, run

ALARM = 1_800_000_000_000


class Keeping(DurableObject):
    def keep(self, key: str = "k", value: object = 1) -> None:
        self.ctx.storage.put(key, value)

    def set_alarm(self, time: int) -> None:
        self.ctx.storage.set_alarm(time)

    async def get_alarm(self) -> Any:
        return await self.ctx.storage.get_alarm()

    def alarm(self) -> None: ...

    def nothing(self) -> None: ...


def hosted(rig: Rig) -> ClassHost:
    return rig.host.classes["Keeping"]


def id_of(rig: Rig, name: str = "x") -> DurableObjectId:
    return rig.namespace.id_from_name(name)


def test_objects_with_data_are_listed() -> None:
    async def scenario(rig: Rig) -> None:
        await rig.stub("a").keep()
        await rig.namespace.get(rig.namespace.new_unique_id()).keep()
        await rig.stub("b").nothing()
        assert sorted(str(id.name) for id in rig.host.ids("Keeping")) == ["None", "a"]

    run(scenario, Keeping)


@pytest.mark.parametrize("factory", [None, lambda ctx, env: None, Keeping(None, None)])  # type: ignore[arg-type]
def test_what_is_hosted_is_a_class(factory: Any) -> None:
    with pytest.raises(TypeError, match="Room: a class is needed, not "):
        ObjectClass("Room", "key", factory).handlers()


@pytest.mark.parametrize(
    ("kind", "key_bytes", "value_bytes"), [("kv", 2048, 1000), ("sqlite", None, MAX_ROW_BYTES)]
)
def test_limits_of_keys_and_values_are_those_of_its_storage(
    kind: str, key_bytes: int | None, value_bytes: int
) -> None:
    async def scenario(rig: Rig) -> None:
        assert hosted(rig).storage == kind
        rules = hosted(rig)._hosted.rules
        assert (rules.max_key_bytes, rules.max_value_bytes, rules.max_keys) == (key_bytes, value_bytes, None)
        await rig.stub().keep("k" * 2048)
        if kind == "kv":
            with pytest.raises(KeyTooLargeError):
                await rig.stub().keep("k" * 2049)
            with pytest.raises(ValueTooLargeError):
                await rig.stub("y").keep("k", "x" * 2000)
        else:
            await rig.stub().keep("k" * 2049, "x" * 2000)

    run(scenario, Keeping, storage=kind, max_value_bytes=1000)


def test_the_limit_of_values_can_be_raised_with_either_storage_and_strict_keys_are_few() -> None:
    async def scenario(rig: Rig) -> None:
        definition = replace(rig.definition(Keeping), max_value_bytes=5_000_000, is_strict=True)
        for kind, most in (("kv", 128), ("sqlite", None)):
            rules = hosted(rig)._as_hosted(replace(definition, storage=kind)).rules
            assert (rules.max_value_bytes, rules.max_keys) == (5_000_000, most)

    run(scenario, Keeping)


def test_an_object_has_one_place_which_learns_its_name() -> None:
    async def scenario(rig: Rig) -> None:
        cls, named = hosted(rig), id_of(rig)
        slot = cls.slot(DurableObjectId(named.key))
        assert slot.id.name is None
        assert cls.slot(named) is slot
        assert slot.id.name == "x"
        assert cls.slot(DurableObjectId(named.key, "another")) is slot
        assert slot.id.name == "x"
        other: Any = type("Slot", (), {"id": named})()
        cls.vanished(other)
        assert cls.slots == {named.key: slot}
        cls.vanished(slot)
        cls.vanished(slot)
        assert cls.slots == {}

    run(scenario, Keeping)


def test_what_is_stored_is_told_with_name_and_alarm() -> None:
    async def scenario(rig: Rig) -> None:
        cls, id = hosted(rig), id_of(rig)
        assert cls.stored(id.key) == (None, None)
        await rig.stub().set_alarm(ALARM)
        await rig.settle()
        found, alarm = cls.stored(id.key)
        assert (found, found and found.name, alarm and alarm.due) == (id, "x", ALARM)
        assert (cls.next_due(0), cls.alarm_counts(ALARM)) == (ALARM, (1, 1))

    run(scenario, Keeping)


def test_a_key_may_be_any_text_for_a_folder() -> None:
    async def scenario(rig: Rig) -> None:
        odd = ClassHost(rig.host, ObjectClass("Odd", "../a b/ü", Keeping), hosted(rig).bindings)
        assert odd.folder.parent == rig.host.state_dir
        assert odd.folder.name == "..%2Fa%20b%2F%C3%BC"
        for act in (odd.ids, lambda: odd.stored(b"k"), lambda: odd.next_due(0), lambda: odd.due(0)):
            with pytest.raises(ObjectError, match="the host of the objects is not open"):
                act()
        await odd.close()  # there is nothing to be closed

    run(scenario, Keeping)


@pytest.mark.parametrize("is_live", [True, False])
@pytest.mark.parametrize("is_set_anew", [True, False])
def test_an_alarm_that_ran_is_replaced_unless_there_is_another_by_now(
    is_live: bool, is_set_anew: bool
) -> None:
    async def scenario(rig: Rig) -> None:
        cls, id = hosted(rig), id_of(rig)
        await rig.stub().set_alarm(ALARM)
        await rig.settle()
        ((key, row),) = cls.due(ALARM)
        if is_set_anew:
            await rig.stub().set_alarm(ALARM + 5)
        if not is_live:
            await rig.pass_time(60)
            assert id.key not in cls.slots
        following = AlarmRow(row.scheduled, ALARM + 1000, 1, row.serial)
        cls.conclude(key, row, following)
        await rig.settle()
        assert [alarm.due for _, alarm in cls.due(2 * ALARM)] == [ALARM + 5 if is_set_anew else ALARM + 1000]
        ((_, current),) = cls.due(2 * ALARM)
        cls.conclude(key, current, None)
        await rig.settle()
        assert cls.due(2 * ALARM) == []

    run(scenario, Keeping)


def test_an_object_whose_handler_takes_too_long_is_reset_and_nobody_else() -> None:
    async def scenario(rig: Rig) -> None:
        released = asyncio.Event()
        waiting = asyncio.ensure_future(rig.run_in(lambda instance, ctx: released.wait()))
        other = asyncio.ensure_future(rig.run_in(lambda instance, ctx: released.wait(), "y"))
        await rig.settle()
        hosted(rig).expire(id_of(rig, "nobody").key)
        hosted(rig).expire(id_of(rig).key)
        with pytest.raises(ObjectResetError, match="Alarm exceeded its allowed execution time"):
            await waiting
        assert not other.done()
        released.set()
        assert await other is True

    run(scenario, Keeping)


def test_histories_are_kept_of_files_only() -> None:
    async def scenario(rig: Rig) -> None:
        cls, id = hosted(rig), id_of(rig)
        assert cls.history_ms == (1000 if cls.storage == "sqlite" else None)
        assert cls.file_of(id) == cls.folder / f"{id}.sqlite"

    for kind in ("kv", "sqlite"):
        run(scenario, Keeping, storage=kind, history_ms=1000)
