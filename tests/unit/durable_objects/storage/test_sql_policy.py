"""Which SQL objects may run, and within which limits."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from durabase.durable_objects.storage.sql_policy import FileRules, allows, takes_our_name
from durabase.errors import StorageError
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


FORBIDDEN = [
    "BEGIN",
    "COMMIT",
    "/* c */ rollback",
    "SAVEPOINT a",
    "RELEASE a",
    "ATTACH 'x' AS y",
    "DETACH main",
    "CREATE TEMP TABLE t (a)",
    "CREATE TEMP VIEW v AS SELECT 1",
    "VACUUM",
    "SELECT * FROM _cf_KV",
    "CREATE TABLE _CF_x (a)",
    "DROP TABLE _cf_KV",
    "PRAGMA user_version",
    "PRAGMA journal_mode=DELETE",
    "PRAGMA page_count",
    "PRAGMA table_info(_cf_KV)",
    "PRAGMA writable_schema=1",
    "SELECT sqlite_version()",
    "SELECT load_extension('x')",
    "SELECT value FROM _cf_KV WHERE key = ?",
]


@pytest.mark.feature("M-SK-5")
@pytest.mark.parametrize("statement", FORBIDDEN)
def test_what_is_not_allowed(statement: str) -> None:
    def attempt(instance: Any, ctx: Any) -> None:
        ctx.storage.put("k", 1)
        assert ctx.storage.get("k").result == 1
        assert ctx.storage.sql.database_size
        with pytest.raises(StorageError):
            ctx.storage.sql.exec(statement, *["k"] * statement.count("?"))

    async def scenario(rig: Rig) -> None:
        await rig.run_in(attempt)
        assert await rig.run_in(lambda instance, ctx: ctx.storage.get("k")) == 1

    run(scenario, storage="sqlite")


@pytest.mark.feature("M-SK-5")
@in_object(kinds=sqlite_only)
def test_what_is_allowed_works(storage: Any) -> None:
    exec = storage.sql.exec
    exec("CREATE TABLE parent (id INTEGER PRIMARY KEY) STRICT; CREATE INDEX i ON parent (id)")
    exec("CREATE TABLE child (p REFERENCES parent(id)); CREATE VIEW v AS SELECT id FROM parent")
    exec("ALTER TABLE child ADD COLUMN more; ANALYZE; REINDEX")
    exec("CREATE VIRTUAL TABLE docs USING fts5(text); INSERT INTO docs VALUES ('hello world')")
    assert exec("SELECT text FROM docs WHERE docs MATCH 'world'").one().text == "hello world"
    assert exec("PRAGMA table_info(child)").to_array()[0].name == "p"
    assert exec("PRAGMA foreign_keys").one().foreign_keys == 1
    assert (
        exec("WITH RECURSIVE c(x) AS (SELECT 1 UNION SELECT x + 1 FROM c LIMIT 3) SELECT sum(x) AS s FROM c")
        .one()
        .s
        == 6
    )
    assert exec("INSERT INTO parent VALUES (1) ON CONFLICT DO NOTHING RETURNING id").one().id == 1
    assert exec("SELECT name FROM sqlite_master WHERE type = 'view'").one().name == "v"
    with pytest.raises(StorageError, match="FOREIGN KEY constraint failed"):
        exec("INSERT INTO child (p) VALUES (5)")


RENAMES = [
    ("ALTER TABLE g RENAME TO _cf_x", True),
    ("alter table g rename to _CF_x", True),
    ("ALTER TABLE g RENAME TO\n-- a comment\n/* and\nanother */ [_cf_x]", True),
    ("ALTER TABLE g RENAME TO 'x_cf_'", False),
    ("ALTER TABLE g RENAME TO ours", False),
    ("SELECT 'into _cf_x'", False),
]


@pytest.mark.parametrize(("statement", "is_one"), RENAMES)
def test_which_statements_take_a_name_of_ours(statement: str, is_one: bool) -> None:
    assert takes_our_name(statement) is is_one


@pytest.mark.parametrize(
    ("action", "first", "second", "database", "may"),
    [
        (sqlite3.SQLITE_SELECT, None, None, None, True),
        (sqlite3.SQLITE_INSERT, "t", None, "main", True),
        (sqlite3.SQLITE_INSERT, "_CF_KV", None, "main", False),
        (sqlite3.SQLITE_CREATE_INDEX, "i", "_cf_KV", "main", False),
        (sqlite3.SQLITE_INSERT, "t", None, "temp", False),
        (sqlite3.SQLITE_UPDATE, "sqlite_temp_master", "sql", "temp", True),
        (sqlite3.SQLITE_DELETE, "sqlite_temp_master", None, "temp", False),
        (sqlite3.SQLITE_CREATE_VTABLE, "v", "FTS5", "main", True),
        (sqlite3.SQLITE_DROP_VTABLE, "v", "rtree", "main", False),
        (sqlite3.SQLITE_CREATE_VTABLE, "_cf_v", "fts5", "main", False),
        (sqlite3.SQLITE_FUNCTION, None, "abs", None, True),
        (sqlite3.SQLITE_FUNCTION, None, "LOAD_EXTENSION", None, False),
        (sqlite3.SQLITE_PRAGMA, "FOREIGN_KEYS", "ON", None, True),
        (sqlite3.SQLITE_PRAGMA, "foreign_keys", "2", None, False),
        (sqlite3.SQLITE_PRAGMA, "table_info", "_cf_KV", None, False),
        (sqlite3.SQLITE_PRAGMA, "user_version", None, None, False),
        (sqlite3.SQLITE_ATTACH, "x", None, None, False),
        (sqlite3.SQLITE_TRANSACTION, "BEGIN", None, None, False),
        (sqlite3.SQLITE_SAVEPOINT, "BEGIN", "a", None, False),
    ],
)
def test_what_the_authorizer_is_told(
    action: int, first: str | None, second: str | None, database: str | None, may: bool
) -> None:
    assert allows(action, first, second, database) is may


def test_rules_of_a_class_hold_for_its_connections(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "d", isolation_level=None)) as connection:
        FileRules(max_row_bytes=1000, max_database_bytes=40_000).apply(connection)
        assert connection.getlimit(sqlite3.SQLITE_LIMIT_LENGTH) == 1000
        assert connection.getlimit(sqlite3.SQLITE_LIMIT_COLUMN) == 100
        assert connection.getlimit(sqlite3.SQLITE_LIMIT_ATTACHED) == 0
        assert connection.execute("PRAGMA max_page_count").fetchone() == (9,)
        FileRules(max_database_bytes=1).apply(connection)
        assert connection.execute("PRAGMA max_page_count").fetchone() == (1,)
