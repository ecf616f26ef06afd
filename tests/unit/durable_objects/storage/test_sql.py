"""SQL of objects with a file of their own, as observed in the original."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import Any

import pytest

from durabase.durable_objects import DurableObject
from durabase.errors import ObjectResetError, StorageError
from durabase.types import UNDEFINED
from unit.durable_objects.rig import Rig, run
from unit.durable_objects.storage.test_kv import in_object

sqlite_only = ("sqlite",)


@pytest.mark.feature("M-SK-2", "M-SK-3", "M-SK-4", "S-SK-2")
@in_object(kinds=sqlite_only)
def test_statements_rows_and_counts(storage: Any) -> None:
    sql = storage.sql
    cursor = sql.exec("CREATE TABLE t (a, b TEXT); INSERT INTO t VALUES (1, 'x'), (2, 'y'), (3, ?)", "z")
    assert cursor.rowsWritten == 3
    assert cursor.columnNames == []
    assert cursor.toArray() == []
    rows = sql.exec("SELECT a, b FROM t ORDER BY a")
    assert rows.columnNames == ["a", "b"]
    first = rows.next()
    assert (first.done, first.value) == (False, {"a": 1, "b": "x"})
    assert first.value.b == "x"
    raw = rows.raw()
    assert raw.next().value == [2, "y"]
    assert rows.to_array() == [{"a": 3, "b": "z"}]
    assert rows.rowsRead == 3
    assert rows.next().done
    assert raw.toArray() == []
    assert [row.a for row in sql.exec("SELECT a FROM t WHERE a > ?", 1)] == [2, 3]
    assert storage.sql.databaseSize > 0


@pytest.mark.feature("M-SK-3")
@in_object(kinds=sqlite_only)
def test_one(storage: Any) -> None:
    exec = storage.sql.exec
    assert exec("SELECT 5 AS five").one() == {"five": 5}
    with pytest.raises(StorageError, match="but got no results"):
        exec("SELECT 1 WHERE 0").one()
    with pytest.raises(StorageError, match="but got multiple results"):
        exec("VALUES (1), (2)").one()


@pytest.mark.feature("M-SK-2", "M-SK-7")
@in_object(kinds=sqlite_only)
def test_types_and_parameters(storage: Any) -> None:
    exec = storage.sql.exec
    given = [None, UNDEFINED, True, 2**63 - 1, 1.5, "text", b"\0\1", memoryview(b"ab")]
    query = "SELECT " + ", ".join(f"? AS c{n}" for n in range(len(given)))
    assert exec(query, *given).raw().next().value == [None, None, 1, 2**63 - 1, 1.5, "text", b"\0\1", b"ab"]
    assert exec("SELECT typeof(?) AS t", 1).one().t == "integer"
    assert exec("SELECT :b AS b, $a AS a, :b AS again, ':b' AS text", 1, 2).one() == {
        "b": 1,
        "a": 2,
        "again": 1,
        "text": ":b",
    }
    assert exec("SELECT ?2 AS x, ?1 AS y", 1, 2).one() == {"x": 2, "y": 1}
    assert exec("SELECT 1 AS a, 2 AS a").raw().next().value == [1, 2]
    assert exec("SELECT 1 AS a, 2 AS a").one() == {"a": 2}
    with pytest.raises(TypeError, match="type list"):
        exec("SELECT ?", [1])
    for wrong in ((), (1, 2)):
        with pytest.raises(StorageError, match="Wrong number of parameter bindings for SQL query"):
            exec("SELECT ?", *wrong)
    with pytest.raises(StorageError, match="only the last statement can have parameters"):
        exec("SELECT ?; SELECT ?", 1)
    for wrong_number in ("?0", "?1, ?3"):
        with pytest.raises(StorageError, match="Wrong number of parameter bindings"):
            exec(f"SELECT {wrong_number}", *[1] * wrong_number.count("3"))
    assert exec("SELECT ?2 AS a, ? AS b, :c AS c, ?1 AS d, :c AS e", 1, 2, 3, 4).one() == {
        "a": 2,
        "b": 3,
        "c": 4,
        "d": 1,
        "e": 4,
    }
    with pytest.raises(StorageError):
        exec("SELECT ?", 2**63)


@pytest.mark.feature("M-SK-2")
@pytest.mark.parametrize(
    "text", ["", "   ", "-- comment", "/* c */", "SELECT 1; -- after", ";", "SELECT 1;;"]
)
def test_text_without_a_statement(text: str) -> None:
    async def scenario(rig: Rig) -> None:
        with pytest.raises(StorageError, match="SQL code did not contain a statement"):
            await rig.run_in(lambda instance, ctx: ctx.storage.sql.exec(text))

    run(scenario, storage="sqlite")


@pytest.mark.feature("M-SK-2")
@in_object(kinds=sqlite_only)
def test_semicolons_that_end_nothing(storage: Any) -> None:
    exec = storage.sql.exec
    assert exec("SELECT ';' AS a; SELECT 2 AS a ;  \n").one() == {"a": 2}
    exec(
        "CREATE TABLE t (a); CREATE TABLE log (a);"
        "CREATE TRIGGER tr AFTER INSERT ON t"
        " BEGIN INSERT INTO log VALUES (1); INSERT INTO log VALUES (2); END;"
        "INSERT INTO t VALUES (1)"
    )
    assert exec("SELECT count(*) AS n FROM log").one().n == 2


@pytest.mark.feature("M-SK-2")
@in_object(kinds=sqlite_only)
def test_a_later_statement_that_fails_leaves_the_earlier(storage: Any) -> None:
    with pytest.raises(StorageError, match="no such table: nosuch: SQLITE_ERROR"):
        storage.sql.exec("CREATE TABLE t (a); INSERT INTO t VALUES (1); SELECT * FROM nosuch")
    assert storage.sql.exec("SELECT a FROM t").one() == {"a": 1}


@pytest.mark.feature("M-SK-6")
@in_object(kinds=sqlite_only)
def test_errors_name_their_code(storage: Any) -> None:
    storage.sql.exec("CREATE TABLE uq (a UNIQUE); INSERT INTO uq VALUES (1)")
    with pytest.raises(StorageError) as caught:
        storage.sql.exec("INSERT INTO uq VALUES (1)")
    assert str(caught.value) == (
        "UNIQUE constraint failed: uq.a: SQLITE_CONSTRAINT (extended: SQLITE_CONSTRAINT_UNIQUE)"
    )
    with pytest.raises(StorageError, match='near "SELEC": syntax error'):
        storage.sql.exec("SELEC 1")


@pytest.mark.feature("M-GT-7", "M-GT-8")
@in_object(kinds=sqlite_only)
async def test_transactions_cover_sql_and_keys(storage: Any) -> None:
    storage.sql.exec("CREATE TABLE t (a)")
    storage.put("k", 1)

    def fails() -> None:
        storage.sql.exec("INSERT INTO t VALUES (1)")
        storage.kv.put("k", 2)
        raise ValueError

    with pytest.raises(ValueError):
        storage.transaction_sync(fails)
    assert storage.sql.exec("SELECT count(*) AS n FROM t").one().n == 0
    assert await storage.get("k") == 1

    async def closure(txn: Any) -> None:
        storage.sql.exec("INSERT INTO t VALUES (1)")
        await asyncio.sleep(0)
        await txn.put("k", 3)
        await asyncio.sleep(0)
        raise ValueError

    with pytest.raises(ValueError):
        await storage.transaction(closure)
    assert storage.sql.exec("SELECT count(*) AS n FROM t").one().n == 0
    assert await storage.get("k") == 1


def test_a_turn_that_is_aborted_leaves_nothing_in_the_file() -> None:
    async def scenario(rig: Rig) -> None:
        def first(instance: Any, ctx: Any) -> None:
            ctx.storage.sql.exec("CREATE TABLE t (a)")

        def second(instance: Any, ctx: Any) -> None:
            ctx.storage.sql.exec("INSERT INTO t VALUES (1)")
            ctx.abort()

        await rig.run_in(first)
        with pytest.raises(ObjectResetError):
            await rig.run_in(second)
        count = await rig.run_in(
            lambda i, ctx: dict(ctx.storage.sql.exec("SELECT count(*) AS n FROM t").one())
        )
        assert count == {"n": 0}
        assert len(open_files(rig)) == 2  # the database, its log
        await rig.pass_time(10)
        async with asyncio.timeout(10):  # a file is closed on a thread
            while open_files(rig):
                await rig.settle()
                await asyncio.sleep(0)

    run(scenario, storage="sqlite")


def open_files(rig: Rig) -> set[str]:
    """The object's files that this process has open, with their logs."""
    name = str(rig.namespace.id_from_name("x"))
    links = (os.readlink(link) for link in Path("/proc/self/fd").iterdir() if link.is_symlink())
    return {link for link in links if name in link and not link.endswith("-shm")}


def test_a_deferred_constraint_that_is_violated_at_the_turn_s_end_resets_the_object() -> None:
    def violate(instance: Any, ctx: Any) -> None:
        ctx.storage.sql.exec(
            "CREATE TABLE p (id INTEGER PRIMARY KEY);"
            "CREATE TABLE c (p REFERENCES p(id) DEFERRABLE INITIALLY DEFERRED);"
        )
        ctx.storage.sql.exec("INSERT INTO c VALUES (1)")

    async def scenario(rig: Rig) -> None:
        with pytest.raises(StorageError, match="rolled back to its last known good state") as caught:
            await rig.run_in(violate)
        assert caught.value.durable_object_reset
        assert (
            await rig.run_in(lambda i, ctx: ctx.storage.sql.exec("SELECT 1 FROM sqlite_master").to_array())
            == []
        )

    run(scenario, storage="sqlite")


def test_the_file_comes_with_the_first_write_and_goes_when_it_is_empty() -> None:
    async def scenario(rig: Rig) -> None:
        def files() -> list[str]:
            return [
                path.name for path in Path(rig.folder).glob("*/*.sqlite") if path.name != "objects.sqlite"
            ]

        assert await rig.run_in(lambda i, ctx: ctx.storage.get("k")) is None
        assert files() == []
        await rig.run_in(lambda i, ctx: ctx.storage.put("k", 1))
        assert files() == [f"{rig.namespace.id_from_name('x')}.sqlite"]
        await rig.pass_time(10)
        assert rig.host.stats().live == 0
        assert await rig.run_in(lambda i, ctx: ctx.storage.get("k")) == 1

        def everything(instance: Any, ctx: Any) -> None:
            ctx.storage.sql.exec(
                "CREATE TABLE p (id INTEGER PRIMARY KEY); CREATE TABLE c (p REFERENCES p(id));"
                "CREATE VIRTUAL TABLE docs USING fts5(text); CREATE VIEW v AS SELECT * FROM p;"
                "INSERT INTO p VALUES (1); INSERT INTO c VALUES (1)"
            )
            cursor = ctx.storage.sql.exec("SELECT 1")
            ctx.storage.delete_all()
            with pytest.raises(StorageError, match="everything was deleted"):
                cursor.next()

        await rig.run_in(everything)
        assert await rig.run_in(lambda i, ctx: ctx.storage.list()) == {}
        await rig.pass_time(10)
        await rig.restart()
        assert files() == []

    run(scenario, storage="sqlite")


def test_alarms_of_objects_with_a_file() -> None:
    class Ringing(DurableObject):
        async def alarm(self) -> None:
            await self.ctx.storage.put("rung", self.ctx.id.name)

    async def scenario(rig: Rig) -> None:
        await rig.run_in(lambda i, ctx: ctx.storage.set_alarm(rig.clock.now_ms() + 5000))
        await rig.restart()
        await rig.pass_time(5)
        assert await rig.run_in(lambda i, ctx: ctx.storage.get("rung")) == "x"

    run(scenario, Ringing, storage="sqlite")


@pytest.mark.feature("M-SK-7")
@in_object(kinds=sqlite_only)
def test_what_parameters_become(storage: Any) -> None:
    values = [1, 1.0, True, "x", b"x", None, float("nan")]
    marks = ", ".join("typeof(?)" for _ in values)
    kinds = ["integer", "real", "integer", "text", "blob", "null", "null"]
    assert storage.sql.exec(f"SELECT {marks}", *values).raw().next().value == kinds
    assert storage.sql.exec("SELECT ? AS a", "x\ud800").one().a == "x\ufffd\ufffd\ufffd"
    assert storage.sql.exec("SELECT ? AS a", b"\0\xff").one().a.tobytes() == b"\0\xff"


@pytest.mark.feature("S-SK-2")
@in_object(kinds=sqlite_only)
def test_rows_are_counted(storage: Any) -> None:
    exec = storage.sql.exec
    exec("CREATE TABLE t (a)")
    inserted = exec("INSERT INTO t VALUES (1), (2), (3) RETURNING a")
    assert inserted.rows_written == 3
    assert inserted.to_array() == [{"a": 1}, {"a": 2}, {"a": 3}]
    assert exec("UPDATE t SET a = 5").rowsWritten == 3
    rows = exec("SELECT a FROM t")
    rows.next()
    assert (rows.rowsRead, rows.rowsWritten) == (1, 0)
    rows.to_array()
    assert rows.rows_read == 3


@pytest.mark.feature("S-SK-3", "M-SK-3")
@in_object(kinds=sqlite_only)
def test_cursors_side_by_side(storage: Any) -> None:
    exec = storage.sql.exec
    exec("CREATE TABLE t (a); INSERT INTO t VALUES (1), (2)")
    one, other = exec("SELECT a FROM t"), exec("SELECT a FROM t")
    assert (one.next().value.a, one.next().value.a, other.next().value.a) == (1, 2, 1)
    exec("INSERT INTO t VALUES (3)")
    assert [row.a for row in other] == [2, 3]
    assert other.to_array() == []
    held = exec("SELECT a FROM t")
    held.next()
    with pytest.raises(StorageError, match="database table is locked: SQLITE_LOCKED"):
        exec("DROP TABLE t")
    held.close()
    exec("DROP TABLE t")


@pytest.mark.feature("S-SK-3")
def test_cursors_end_with_their_object_s_life() -> None:
    kept: list[Any] = []

    async def scenario(rig: Rig) -> None:
        def hold(instance: Any, ctx: Any) -> None:
            ctx.storage.sql.exec("CREATE TABLE t (a); INSERT INTO t VALUES (1), (2), (3)")

        def leave(instance: Any, ctx: Any) -> None:
            kept.append(ctx.storage.sql.exec("SELECT a FROM t"))
            kept[0].next()
            ctx.abort()

        await rig.run_in(hold)
        with pytest.raises(ObjectResetError):
            await rig.run_in(leave)
        assert await rig.run_in(lambda i, ctx: ctx.storage.sql.exec("SELECT a FROM t").next().value.a) == 1
        with pytest.raises(StorageError):
            kept[0].to_array()

    run(scenario, storage="sqlite")


@pytest.mark.feature("M-SK-8")
@in_object(kinds=sqlite_only)
def test_the_size_is_that_of_the_pages_in_use(storage: Any) -> None:
    storage.sql.exec("CREATE TABLE t (a); INSERT INTO t VALUES (zeroblob(100000))")
    full = storage.sql.databaseSize
    assert full >= 100_000
    assert full % 4096 == 0
    storage.sql.exec("DELETE FROM t")
    assert storage.sql.database_size <= full - 90_000


@pytest.mark.feature("M-SX-2")
@in_object(kinds=("kv",))
def test_classes_with_keys_and_values_only(storage: Any) -> None:
    for name in ("sql", "kv"):
        with pytest.raises(StorageError, match="SQL is not enabled for this Durable Object class"):
            getattr(storage, name)
    with pytest.raises(StorageError, match=r"A key of size 2049 was provided"):
        storage.put("k" * 2049, 1)
