"""Keys and values: results, order, options, limits and errors, as observed in the original."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from durabase.durable_objects import DurableObject
from durabase.errors import AlarmError, ObjectResetError, StorageError, ValueTooLargeError
from durabase.types import UNDEFINED
from unit.durable_objects.rig import Accepting, Rig, run

both_kinds = pytest.mark.parametrize("kind", ["kv", "sqlite"])


def in_object(
    *classes: type, kinds: tuple[str, ...] = ("kv", "sqlite"), **options: Any
) -> Callable[[Callable[[Any], Any]], Callable[[str], None]]:
    """Run the test in an object of each kind, with its storage."""

    def decorate(test: Callable[[Any], Any]) -> Callable[[str], None]:
        @pytest.mark.parametrize("kind", kinds)
        def wrapped(kind: str) -> None:
            async def scenario(rig: Rig) -> None:
                await rig.run_in(lambda instance, ctx: test(ctx.storage))

            run(scenario, *classes, storage=kind, **options)

        wrapped.__name__ = test.__name__
        return wrapped

    return decorate


@pytest.mark.feature("M-SA-1", "M-SA-5")
@in_object()
async def test_get_put_delete(storage: Any) -> None:
    assert await storage.get("k") is None
    assert await storage.put("k", {"a": [1]}) is None
    first, second = await storage.get("k"), await storage.get("k")
    assert first == {"a": [1]} == second
    assert first is not second
    first["a"].append(2)
    assert await storage.get("k") == {"a": [1]}
    assert first.a == [1, 2]
    assert await storage.delete("k") is True
    assert await storage.delete("k") is False
    assert await storage.get("k") is None


@pytest.mark.feature("S-GT-1")
@pytest.mark.parametrize(
    "options", [{"allowConcurrency": True, "noCache": True}, {"allow_concurrency": True}]
)
def test_options_without_an_effect_are_taken_everywhere(options: dict[str, bool]) -> None:
    class Keeping(Accepting):
        def alarm(self) -> None: ...

    async def use(storage: Any) -> None:
        for given, named in ((options, {}), (None, options)):
            await storage.put("a", 1, given, **named)
            await storage.put({"b": 2}, given, **named)
            assert await storage.get("a", given, **named) == 1
            assert await storage.get(["a", "b"], given, **named) == {"a": 1, "b": 2}
            assert await storage.list(given, **named) == {"a": 1, "b": 2}
            await storage.set_alarm(1_900_000_000_000, given, **named)
            assert await storage.get_alarm(given, **named) == 1_900_000_000_000
            await storage.delete_alarm(given, **named)
            assert await storage.delete("a", given, **named) is True
            assert await storage.delete(["b"], given, **named) == 1

    async def scenario(rig: Rig) -> None:
        async def test(storage: Any) -> None:
            await use(storage)
            await storage.transaction(use)
            await storage.put("last", 1)
            await storage.delete_all(options)
            await storage.delete_all(**options)
            assert await storage.list() == {}

        await rig.run_in(lambda instance, ctx: test(ctx.storage))

    run(scenario, Keeping)


@pytest.mark.feature("M-SA-1")
@in_object()
async def test_several_at_once(storage: Any) -> None:
    await storage.put({"b": 2, "a": 1, "skipped": UNDEFINED, "c": None})
    found = await storage.get(["c", "a", "missing", "a", "b"])
    assert list(found.items()) == [("a", 1), ("b", 2), ("c", None)]
    assert await storage.get([]) == {}
    assert await storage.delete(["a", "a", "missing", "b"]) == 2
    assert await storage.list() == {"c": None}


@pytest.mark.feature("M-SA-1")
@in_object()
async def test_keys_that_are_no_strings(storage: Any) -> None:
    await storage.put(5, "five")
    assert await storage.get("5") == "five"
    assert await storage.get(5) == "five"
    await storage.put("", "empty")
    await storage.put("a\0b", "nul")
    assert list(await storage.list()) == ["", "5", "a\0b"]


@pytest.mark.feature("M-SA-1")
@in_object()
def test_undefined_is_no_value(storage: Any) -> None:
    for arguments in (("k",), ("k", UNDEFINED)):
        with pytest.raises(TypeError, match=r"put\(\) called with undefined value\."):
            storage.put(*arguments)


ORDERED = ["", "10", "9", "Z", "a", "a\0b", "aa", "b", "z", "é", "～", "😀"]


@pytest.mark.feature("M-SA-2")
@in_object()
async def test_the_order_is_that_of_utf_8(storage: Any) -> None:
    await storage.put(dict.fromkeys(reversed(ORDERED), 1))
    assert list(await storage.list()) == ORDERED
    assert list(await storage.list(reverse=True)) == ORDERED[::-1]


RANGES: list[tuple[dict[str, Any], list[str]]] = [
    ({"start": "a"}, ORDERED[4:]),
    ({"startAfter": "a"}, ORDERED[5:]),
    ({"start_after": "a"}, ORDERED[5:]),
    ({"end": "a"}, ORDERED[:4]),
    ({"start": "a", "end": "b"}, ["a", "a\0b", "aa"]),
    ({"prefix": "a"}, ["a", "a\0b", "aa"]),
    ({"prefix": "a", "start": "aa"}, ["aa"]),
    ({"prefix": "a", "end": "aa"}, ["a", "a\0b"]),
    ({"prefix": "a", "start": "b"}, []),
    ({"prefix": ""}, ORDERED),
    ({"prefix": "😀"}, ["😀"]),
    ({"start": "b", "end": "a"}, []),
    ({"limit": 2}, ["", "10"]),
    ({"limit": 2, "reverse": True}, ["😀", "～"]),
    ({"prefix": "a", "reverse": True, "limit": 2}, ["aa", "a\0b"]),
    ({"start": "a", "end": "b", "limit": 1, "unknown": 5}, ["a"]),
]


@pytest.mark.feature("M-SA-2", "M-SA-7")
@pytest.mark.parametrize(("options", "keys"), RANGES)
@pytest.mark.parametrize("written", ["this turn", "before", "both"])
@both_kinds
def test_list(options: dict[str, Any], keys: list[str], written: str, kind: str) -> None:
    async def scenario(rig: Rig) -> None:
        async def fill(instance: Any, ctx: Any) -> None:
            if written == "before":
                ctx.storage.put(dict.fromkeys(ORDERED, 1))
            if written == "both":
                ctx.storage.put(dict.fromkeys([*ORDERED[::2], "aaa"], 1))
            await ctx.storage.sync()
            if written == "this turn":
                ctx.storage.put(dict.fromkeys(ORDERED, 1))
            if written == "both":
                ctx.storage.put(dict.fromkeys(ORDERED[1::2], 1))
                ctx.storage.delete("aaa")
            assert list(await ctx.storage.list(options)) == keys
            assert list(await ctx.storage.list(**options)) == keys

        await rig.run_in(fill)

    run(scenario, storage=kind)


@pytest.mark.feature("M-SA-2")
@in_object()
def test_wrong_options_of_list(storage: Any) -> None:
    with pytest.raises(TypeError, match="cannot be called with both start and startAfter values"):
        storage.list(start="a", startAfter="b")
    for limit in (0, -1):
        with pytest.raises(TypeError, match="List limit must be positive"):
            storage.list(limit=limit)


@pytest.mark.feature("S-SA-1")
@in_object(kinds=("kv",))
async def test_limits_of_keys_and_values(storage: Any) -> None:
    await storage.put("k" * 2048, "x")
    with pytest.raises(StorageError, match=r"larger than 2048 bytes\. A key of size 2050 was provided"):
        storage.put("é" * 1025, "x")
    await storage.put("fits", "x" * 131_072)
    with pytest.raises(ValueTooLargeError, match="'big'") as caught:
        storage.put({"small": 1, "big": "x" * 132_000})
    assert (caught.value.key, caught.value.limit) == ("big", 131_072)
    assert caught.value.size >= 132_000
    assert await storage.get("small") is None


@pytest.mark.feature("S-SA-1")
@in_object(kinds=("kv",), max_value_bytes=1_000)
async def test_the_limit_of_values_can_be_set(storage: Any) -> None:
    await storage.put("k", "x" * 1_000)
    with pytest.raises(ValueTooLargeError) as caught:
        storage.put("k", b"x" * 1_100)
    assert caught.value.limit == 1_000
    assert await storage.get("k") == "x" * 1_000


@pytest.mark.feature("M-SA-6")
@in_object()
async def test_what_can_not_be_stored_names_its_path_and_writes_nothing(storage: Any) -> None:
    with pytest.raises(TypeError, match=r"value\['a'\]\[1\]: an object of type object"):
        storage.put({"good": 1, "bad": {"a": [1, object()]}})
    assert await storage.list() == {}


@pytest.mark.feature("M-SA-3")
@both_kinds
def test_delete_all(kind: str) -> None:
    async def scenario(rig: Rig) -> None:
        async def fill(instance: Any, ctx: Any) -> None:
            storage = ctx.storage
            storage.put({"a": 1, "b": 2})
            await storage.set_alarm(rig.clock.now_ms() + 5000)
            await storage.sync()
            storage.put("c", 3)
            await storage.deleteAll()
            assert await storage.list() == {}
            assert await storage.get("a") is None
            assert await storage.get_alarm() is None
            await storage.put("d", 4)
            assert await storage.list() == {"d": 4}
            with pytest.raises(StorageError, match=r"Cannot call deleteAll\(\) within a transaction"):
                storage.transaction_sync(storage.delete_all)

        async def empty(instance: Any, ctx: Any) -> None:
            assert await ctx.storage.list() == {"d": 4}
            await ctx.storage.delete_all()

        await rig.run_in(fill)
        await rig.restart()
        await rig.run_in(empty)
        await rig.settle()
        assert rig.host.ids("WithAlarm") == []

    run(scenario, WithAlarm, storage=kind)


@pytest.mark.feature("M-SA-3")
@pytest.mark.parametrize("with_alarm", [True, False])
@both_kinds
def test_whether_delete_all_deletes_the_alarm(with_alarm: bool, kind: str) -> None:
    async def scenario(rig: Rig) -> None:
        async def delete(instance: Any, ctx: Any) -> None:
            await ctx.storage.set_alarm(1_900_000_000_000)
            await ctx.storage.put("k", 1)
            await ctx.storage.sync()
            await ctx.storage.delete_all()
            assert await ctx.storage.list() == {}

        await rig.run_in(delete)
        await rig.restart()
        left = None if with_alarm else 1_900_000_000_000
        assert await rig.run_in(lambda instance, ctx: ctx.storage.get_alarm()) == left

    run(scenario, WithAlarm, storage=kind, delete_all_deletes_alarm=with_alarm)


@pytest.mark.feature("M-SA-1", "M-SA-2")
@in_object()
async def test_arguments_that_mean_nothing(storage: Any) -> None:
    for key in (["a"], ("a",), {"a"}):
        with pytest.raises(TypeError, match="put\\(\\) takes a key and a value, or a dict of entries"):
            storage.put(key, 1)
    await storage.put({"a": 1, "b": 2})
    assert list(await storage.list(limit=1.5)) == ["a"]
    with pytest.raises(TypeError, match="List limit must be positive"):
        storage.list(limit="x")


class WithAlarm(DurableObject):
    def alarm(self) -> None: ...


@pytest.mark.feature("M-SA-1")
@both_kinds
def test_everything_is_there_after_a_restart(kind: str) -> None:
    values = {"int": 2**70, "float": 1.0, "nothing": None, "list": [UNDEFINED, 1], "bytes": b"\0"}

    async def scenario(rig: Rig) -> None:
        await rig.run_in(lambda instance, ctx: ctx.storage.put(values))
        await rig.run_in(lambda instance, ctx: ctx.storage.delete("int"))
        await rig.restart()
        found = await rig.run_in(lambda instance, ctx: ctx.storage.list())
        assert found == {key: value for key, value in values.items() if key != "int"}
        assert type(found["float"]) is float
        assert await rig.run_in(lambda instance, ctx: ctx.storage.list(), "other") == {}

    run(scenario, storage=kind)


@in_object()
async def test_results_may_be_dropped_gathered_or_made_tasks(storage: Any) -> None:
    storage.put("a", 1)
    gathered = await asyncio.gather(storage.get("a"), storage.get("b"))
    assert list(gathered) == [1, None]
    assert await asyncio.create_task(storage.get("a")) == 1
    await asyncio.wait_for(storage.put("b", 2), 1)
    done = storage.get("b")
    assert (await done, await done) == (2, 2)


# Transactions


@pytest.mark.feature("M-GT-7")
@in_object()
async def test_a_synchronous_transaction_undoes_what_it_wrote_when_it_raises(storage: Any) -> None:
    def fails() -> None:
        storage.put("a", 2)
        storage.delete("b")
        storage.put("c", 3)
        raise ValueError("undo")

    await storage.put({"a": 1, "b": 1})
    with pytest.raises(ValueError, match="undo"):
        storage.transactionSync(fails)
    assert await storage.list() == {"a": 1, "b": 1}
    await storage.sync()
    with pytest.raises(ValueError, match="undo"):
        storage.transactionSync(fails)
    assert await storage.list() == {"a": 1, "b": 1}


@pytest.mark.feature("M-GT-7")
@in_object()
async def test_transactions_nest(storage: Any) -> None:
    def inner() -> None:
        storage.put("inner", 1)
        raise ValueError

    def outer() -> str:
        storage.put("outer", 1)
        with pytest.raises(ValueError):
            storage.transaction_sync(inner)
        storage.put("later", 1)
        return "result"

    assert storage.transaction_sync(outer) == "result"
    assert await storage.list() == {"later": 1, "outer": 1}


@pytest.mark.feature("M-GT-8")
@in_object(WithAlarm)
async def test_an_asynchronous_transaction_commits_or_undoes(storage: Any) -> None:
    async def good(txn: Any) -> str:
        await txn.put("a", 1)
        await asyncio.sleep(0)
        await txn.setAlarm(10**12)
        await storage.put("b", await txn.get("a"))
        return "result"

    async def bad(txn: Any) -> None:
        await txn.put("c", 1)
        await asyncio.sleep(0)
        await txn.delete_alarm()
        await storage.delete("a")
        raise ValueError("undo")

    assert await storage.transaction(good) == "result"
    alarm = await storage.get_alarm()
    assert alarm is not None
    with pytest.raises(ValueError, match="undo"):
        await storage.transaction(bad)
    assert await storage.list() == {"a": 1, "b": 1}
    assert await storage.get_alarm() == alarm


@pytest.mark.feature("M-GT-8")
@in_object()
async def test_a_rolled_back_transaction_may_return(storage: Any) -> None:
    kept: list[Any] = []

    async def closure(txn: Any) -> str:
        kept.append(txn)
        await txn.put("a", 1)
        txn.rollback()
        with pytest.raises(StorageError, match=r"Cannot get\(\) on rolled back transaction"):
            txn.get("a")
        await storage.put("b", 1)
        return "fine"

    assert await storage.transaction(closure) == "fine"
    assert await storage.list() == {"b": 1}
    with pytest.raises(StorageError, match=r"Cannot call get\(\) on transaction that has already committed"):
        kept[0].get("a")


@pytest.mark.feature("M-GT-8")
@in_object()
async def test_asynchronous_transactions_nest(storage: Any) -> None:
    async def inner(txn: Any) -> None:
        await txn.put("inner", 1)
        raise ValueError

    async def outer(txn: Any) -> None:
        await txn.put("outer", 1)
        with pytest.raises(ValueError):
            await storage.transaction(inner)
        with pytest.raises(StorageError, match="within a transaction"):
            txn.delete_all()

    await storage.transaction(outer)
    assert await storage.list() == {"outer": 1}


@pytest.mark.feature("M-GT-8")
@both_kinds
def test_a_transaction_that_is_cut_short_leaves_nothing(kind: str) -> None:
    async def scenario(rig: Rig) -> None:
        async def cut(instance: Any, ctx: Any) -> None:
            async def closure(txn: Any) -> None:
                await txn.put("in", 1)
                await asyncio.sleep(0.001)
                ctx.abort()

            ctx.storage.put("before", 1)
            await ctx.storage.transaction(closure)

        with pytest.raises(ObjectResetError):
            await rig.run_in(cut)
        assert await rig.run_in(lambda instance, ctx: ctx.storage.list()) == {"before": 1}

    run(scenario, storage=kind)


class TestDeferring:
    def put_later(self, storage: Any, key: str = "k", value: Any = "deferred") -> None:
        storage.defer(lambda: storage.put(key, value))

    def test_it_is_written_at_the_end_of_the_turn(self) -> None:
        async def scenario(rig: Rig) -> None:
            calls: list[int] = []

            async def event(instance: Any, ctx: Any) -> None:
                ctx.storage.defer(lambda: (calls.append(1), ctx.storage.put("k", 1)))
                assert calls == []
                await ctx.storage.sync()
                assert calls == [1]

            await rig.run_in(event)
            await rig.restart()
            assert await rig.run_in(lambda instance, ctx: ctx.storage.get("k")) == 1

        run(scenario, storage="kv")

    def test_what_is_deferred_by_what_was_deferred_is_of_the_same_turn(self) -> None:
        async def scenario(rig: Rig) -> None:
            def event(instance: Any, ctx: Any) -> None:
                ctx.storage.defer(lambda: self.put_later(ctx.storage))

            await rig.run_in(event)
            await asyncio.sleep(0)
            with pytest.raises(ObjectResetError):
                await rig.run_in(lambda instance, ctx: ctx.abort())
            await rig.settle()
            assert await rig.run_in(lambda instance, ctx: ctx.storage.get("k")) == "deferred"

        run(scenario, storage="kv")

    def test_what_is_sent_waits_for_it(self) -> None:
        async def scenario(rig: Rig) -> None:
            wire = await rig.connect()
            await rig.settle()

            def event(instance: Any, ctx: Any) -> None:
                self.put_later(ctx.storage)
                ctx.get_web_sockets()[0].send("after")
                assert wire.sent == []

            await rig.run_in(event)
            await rig.settle()
            assert wire.sent == ["after"]

        run(scenario, Accepting, storage="kv")

    @both_kinds
    def test_whoever_reads_or_writes_finds_it_done(self, kind: str) -> None:
        async def scenario(rig: Rig) -> None:
            async def event(instance: Any, ctx: Any) -> None:
                storage = ctx.storage
                self.put_later(storage)
                assert await storage.get("k") == "deferred"
                self.put_later(storage, "l")
                assert list(await storage.list()) == ["k", "l"]
                self.put_later(storage)
                await storage.put("k", "later")
                assert await storage.get("k") == "later"
                self.put_later(storage)
                await storage.delete_all()
                assert await storage.list() == {}

            await rig.run_in(event)

        run(scenario, storage=kind)

    @both_kinds
    def test_it_is_part_of_what_is_rolled_back_and_not_of_what_was_before(self, kind: str) -> None:
        async def scenario(rig: Rig) -> None:
            async def event(instance: Any, ctx: Any) -> None:
                storage = ctx.storage

                def closure() -> None:
                    self.put_later(storage, "within")
                    raise ValueError

                async def transaction(txn: Any) -> None:
                    closure()

                self.put_later(storage, "before")
                with pytest.raises(ValueError):
                    storage.transaction_sync(closure)
                self.put_later(storage, "before, too")
                with pytest.raises(ValueError):
                    await storage.transaction(transaction)
                assert list(await storage.list()) == ["before", "before, too"]

            await rig.run_in(event)

        run(scenario, storage=kind)


@in_object(kinds=("kv",))
def test_sql_is_not_there(storage: Any) -> None:
    for member in ("sql", "kv"):
        with pytest.raises(StorageError, match="SQL is not enabled for this Durable Object class"):
            getattr(storage, member)


@in_object(WithAlarm)
async def test_times_of_alarms(storage: Any) -> None:
    assert await storage.getAlarm() is None
    await storage.setAlarm(1_900_000_000_000.9)
    assert await storage.get_alarm() == 1_900_000_000_000
    await storage.set_alarm(datetime(2030, 1, 1, tzinfo=UTC))
    assert await storage.get_alarm() == 1_893_456_000_000
    await storage.set_alarm(5)
    assert await storage.get_alarm() == 1_700_000_000_000
    await storage.deleteAlarm()
    assert await storage.get_alarm() is None
    for wrong, text in (
        (0, "alarm time <= 0"),
        (-1, "alarm time <= 0"),
        (float("nan"), "not a valid Date"),
        ("soon", "milliseconds or a datetime"),
        (True, "milliseconds or a datetime"),
        (1e13, "after 2189"),
    ):
        with pytest.raises(AlarmError, match=text):
            storage.set_alarm(wrong)


def test_an_alarm_needs_a_handler_except_while_the_object_is_made() -> None:
    class InConstructor(DurableObject):
        def __init__(self, ctx: Any, env: Any) -> None:
            super().__init__(ctx, env)
            ctx.storage.set_alarm(10**12)

    async def scenario(rig: Rig) -> None:
        with pytest.raises(AlarmError, match=r"must have an alarm\(\) handler"):
            await rig.run_in(lambda instance, ctx: ctx.storage.set_alarm(10**12))

    run(scenario, InConstructor)


def test_storage_of_a_life_that_is_over_is_refused() -> None:
    async def scenario(rig: Rig) -> None:
        kept = await rig.run_in(lambda instance, ctx: [ctx.storage] and _Keep(ctx.storage))
        await rig.pass_time(10)
        with pytest.raises(ObjectResetError):
            kept.storage.put("k", 1)

    run(scenario)


class _Keep:
    def __init__(self, storage: Any) -> None:
        self.storage = storage
