"""SQL of objects: limits, statements that are overtaken by others, and more of what is allowed."""

from __future__ import annotations

from typing import Any

import pytest

from durabase.errors import ObjectResetError, StorageError
from unit.durable_objects.rig import Rig, run
from unit.durable_objects.storage.test_kv import in_object

sqlite_only = ("sqlite",)

TOO_MUCH = [
    ("SELECT '" + "x" * 100_000 + "'", "statement too long: SQLITE_TOOBIG"),
    ("CREATE TABLE t (" + ", ".join(f"c{n}" for n in range(101)) + ")", "too many columns on t"),
    ("SELECT " + ", ".join(["1"] * 101), "too many columns in result set"),
    ("SELECT " + " + ".join(["1"] * 101), "Expression tree is too large (maximum depth 100)"),
    (" UNION ".join(["SELECT 1"] * 6), "too many terms in compound SELECT"),
    ("SELECT 'a' LIKE '" + "x" * 51 + "'", "LIKE or GLOB pattern too complex"),
    ("SELECT 'a' GLOB '" + "x" * 51 + "'", "LIKE or GLOB pattern too complex"),
    ("SELECT max(" + ", ".join(["1"] * 128) + ")", "too many arguments on function max"),
    ("SELECT zeroblob(2300000)", "string or blob too big: SQLITE_TOOBIG"),
]
ENOUGH = [
    "CREATE TABLE t (" + ", ".join(f"c{n}" for n in range(100)) + ")",
    "SELECT '" + "x" * 99_000 + "'",
    " UNION ".join(["SELECT 1"] * 5),
    "SELECT 'a' LIKE '" + "x" * 50 + "'",
    "SELECT max(" + ", ".join(["1"] * 127) + ")",
    "SELECT zeroblob(2097152)",
]


@pytest.mark.feature("S-SK-1")
@in_object(kinds=sqlite_only)
def test_limits(storage: Any) -> None:
    for statement, text in TOO_MUCH:
        with pytest.raises(StorageError) as caught:
            storage.sql.exec(statement).to_array()
        assert text in str(caught.value)
    for statement in ENOUGH:
        storage.sql.exec(statement).to_array()
    marks = ["?"] * 100
    assert storage.sql.exec(f"SELECT {', '.join(marks)}", *marks).raw().next().value == marks
    with pytest.raises(StorageError, match="too many SQL variables"):
        storage.sql.exec(f"SELECT 1 IN ({', '.join(['?'] * 101)})", *["a"] * 101)


@pytest.mark.feature("S-SK-1", "S-SA-1")
@in_object(kinds=sqlite_only)
async def test_keys_and_values_of_two_mebibytes(storage: Any) -> None:
    await storage.put("k", "x" * 2 * 1024 * 1024)
    for put in (storage.put, storage.kv.put):
        with pytest.raises(StorageError, match="Values cannot be larger than 2202009 bytes"):
            put("big", "x" * 2_300_000)
        with pytest.raises(StorageError, match="string or blob too big: SQLITE_TOOBIG"):
            put("k" * 2_300_000, 1)
    assert list(await storage.list()) == ["k"]


@pytest.mark.feature("S-SK-1")
@in_object(kinds=sqlite_only)
def test_triggers_do_not_recur_for_ever(storage: Any) -> None:
    storage.sql.exec(
        "CREATE TABLE t (a); PRAGMA recursive_triggers = ON;"
        "CREATE TRIGGER again AFTER INSERT ON t BEGIN INSERT INTO t VALUES (new.a + 1); END"
    )
    with pytest.raises(StorageError, match="too many levels of trigger recursion"):
        storage.sql.exec("INSERT INTO t VALUES (1)")


ALLOWED = [
    "CREATE TABLE s (a INT, b INT GENERATED ALWAYS AS (a * 2) STORED) STRICT",
    "CREATE TABLE w (a PRIMARY KEY) WITHOUT ROWID",
    "SELECT row_number() OVER () FROM (VALUES (1), (2))",
    "ALTER TABLE g RENAME TO g2",
    "ALTER TABLE g RENAME COLUMN a TO c",
    "ALTER TABLE g DROP COLUMN b",
    "EXPLAIN QUERY PLAN SELECT * FROM g",
    "SELECT json_extract('[1]', '$[0]'), sin(1), date('now')",
    "SELECT * FROM json_each('[1]')",
    "CREATE VIRTUAL TABLE docs USING fts5(t); CREATE VIRTUAL TABLE words USING fts5vocab(docs, 'row')",
    "REPLACE INTO g VALUES (1, 1)",
    "CREATE TRIGGER tr AFTER INSERT ON g BEGIN SELECT 1; END; DROP TRIGGER tr",
    "CREATE VIEW v AS SELECT * FROM g; DROP VIEW v",
    "CREATE INDEX i ON g (a); DROP INDEX i; DROP TABLE g",
    *(
        f"PRAGMA {name}"
        for name in (
            "data_version", "table_list", "table_info(g)", "table_xinfo(g)", "index_info(i)", "index_list(g)",
            "index_xinfo(i)", "foreign_key_check", "foreign_key_list(g)", "quick_check", "optimize",
            "foreign_keys = on", "defer_foreign_keys = on", "case_sensitive_like = on",
            "ignore_check_constraints = off", "legacy_alter_table = off", "recursive_triggers = on",
            "reverse_unordered_selects = off",
        )
    ),
]  # fmt: skip


@pytest.mark.feature("M-SK-5")
@pytest.mark.parametrize("statement", ALLOWED)
def test_what_is_allowed(statement: str) -> None:
    def attempt(instance: Any, ctx: Any) -> None:
        ctx.storage.sql.exec("CREATE TABLE g (a, b)")
        ctx.storage.sql.exec(statement).to_array()

    async def scenario(rig: Rig) -> None:
        await rig.run_in(attempt)

    run(scenario, storage="sqlite")


@pytest.mark.feature("M-SK-5")
@pytest.mark.parametrize(
    ("statement", "text"),
    [
        ("SELECT key FROM _cf_KV", "access to _cf_KV.key is prohibited: SQLITE_AUTH"),
        ("INSERT INTO _cf_KV VALUES (1, 2)", "not authorized: SQLITE_AUTH"),
        ("ALTER TABLE g RENAME TO _cf_KV", "not authorized: SQLITE_AUTH"),
        ('ALTER TABLE g RENAME TO /* x */ "_CF_y"', "not authorized: SQLITE_AUTH"),
        ("VACUUM", "cannot VACUUM from within a transaction"),
        ("SAVEPOINT a", "transactionSync"),
        ("CREATE VIRTUAL TABLE r USING rtree(id, a, b)", "not authorized"),
        ("SELECT * FROM pragma_user_version", "not authorized"),
        ("PRAGMA function_list", "not authorized"),
        ("SELECT * FROM temp.sqlite_master; CREATE TEMP TABLE t (a)", "not authorized"),
        ("UPDATE sqlite_temp_master SET sql = ''", "may not be modified"),
        ("UPDATE sqlite_master SET sql = ''", "may not be modified"),
    ],
)
def test_what_is_refused_says_why(statement: str, text: str) -> None:
    def attempt(instance: Any, ctx: Any) -> None:
        ctx.storage.put("k", 1)
        ctx.storage.sql.exec("CREATE TABLE g (a, b)")
        with pytest.raises(StorageError) as caught:
            ctx.storage.sql.exec(statement)
        assert text in str(caught.value)

    async def scenario(rig: Rig) -> None:
        await rig.run_in(attempt)

    run(scenario, storage="sqlite")


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
