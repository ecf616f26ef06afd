"""Recordings of Durable Object storage: the same keys and rows, the same values, the same loads.

Two documented differences, told apart by rule:

* *what is stored is not written again*: starting to save after a load of complete entries puts nothing;
* *foreign keys are left alone*: the original fails to load beside a value that it cannot destructure.
"""

from __future__ import annotations

import sqlite3
from typing import Any

import pytest

from durabase.mergeable import MergeableStore
from durabase.persisters import DurableObjectStoragePersister, Persister
from durabase.persisters.durable_object_sql_storage import (
    DurableObjectSqlStoragePersister,
    FragmentedMode,
    JsonMode,
)
from durabase.testing import FakeClock
from durabase.types import UNDEFINED, UNDEFINED_MARK

from ._load import cases, difference, run_operation, snake_case, untag

KV_CASES = cases("do_storage", "kv")
SQL_CASES = cases("do_storage", "sql")
INITIAL_CONTENT = [{"d": {"r": {"c": 1}}}, {}]


class FakeKeyValueStorage:
    def __init__(self, preset: list[Any]) -> None:
        self.entries: dict[str, Any] = {key: untag(value) for key, value in preset}
        self.puts: list[list[str]] = []

    def list(self, *, prefix: str) -> Any:
        found = {key: self.entries[key] for key in self._sorted_keys() if key.startswith(prefix)}
        return _Done(found)

    def put(self, entries: dict[str, Any]) -> Any:
        self.puts.append(list(entries))
        self.entries.update(entries)
        return _Done(None)

    def sorted_entries(self) -> Any:
        return [[key, self.entries[key]] for key in self._sorted_keys()]

    def _sorted_keys(self) -> Any:
        return sorted(self.entries, key=lambda key: key.encode())


class _Done:
    """A finished awaitable, as the storage of objects returns it."""

    def __init__(self, result: Any) -> None:
        self._result = result

    def __await__(self) -> Any:
        return self._result
        yield


def has_unreadable_foreign_value(entries: Any) -> bool:
    """Whether the original cannot destructure one of these values, and so fails to load them all."""
    return any(not isinstance(value, list | str) for _, value in entries)


def same(actual: Any, expected: Any) -> None:
    assert difference(actual, expected) is None


@pytest.mark.parametrize("case", KV_CASES, ids=lambda case: case["name"])
def test_key_value(case: Any) -> None:
    storage = FakeKeyValueStorage(case["preset"])
    check_initial_load(case, storage)
    clock = FakeClock(case["start"])
    store = MergeableStore(case["uniqueId"], clock=clock)
    errors: list[Exception] = []
    persister = DurableObjectStoragePersister(
        store, storage, case["prefix"] or "", on_ignored_error=errors.append
    )
    persister.load()
    for step in case["steps"]:
        run_step(step, persister, storage, clock)
    assert errors == []
    same(as_wire(store._get_encoded_mergeable_content()), case["saved"])
    check_final_load(case, storage)


def run_step(
    step: Any, persister: DurableObjectStoragePersister, storage: FakeKeyValueStorage, clock: FakeClock
) -> None:
    clock.set_now_ms(step.get("now", clock.now_ms()))
    before = storage.sorted_entries()
    storage.puts = []
    if step["op"] in ("startAutoSave", "save"):
        assert getattr(persister, snake_case(step["op"]))().done()
    else:
        run_operation(persister.get_store(), step)
    same(storage.sorted_entries(), untag(step["entries"]))
    if not (step["op"] == "startAutoSave" and difference(before, untag(step["entries"])) is None):
        assert storage.puts == step["puts"]


def check_initial_load(case: Any, storage: FakeKeyValueStorage) -> None:
    loader = MergeableStore("loader", clock=FakeClock(case["start"] + 1_000_000))
    errors: list[Exception] = []
    persister = DurableObjectStoragePersister(
        loader, storage, case["prefix"] or "", on_ignored_error=errors.append
    )
    persister.load(INITIAL_CONTENT)
    assert errors == []
    if not has_unreadable_foreign_value(storage.sorted_entries()):
        assert case["initialLoad"].get("errors", 0) == 0
        check_content(loader, case["initialLoad"])


def check_final_load(case: Any, storage: FakeKeyValueStorage) -> None:
    loader = MergeableStore("loader", clock=FakeClock(case["start"] + 1_000_000))
    errors: list[Exception] = []
    persister = DurableObjectStoragePersister(
        loader, storage, case["prefix"] or "", on_ignored_error=errors.append
    )
    persister.load()
    assert errors == []
    if has_unreadable_foreign_value(storage.sorted_entries()):
        same(as_wire(loader._get_encoded_mergeable_content()), case["saved"])
    else:
        assert case["loaded"].get("errors", 0) == 0
        check_content(loader, case["loaded"])


def check_content(store: MergeableStore, expected: Any) -> None:
    same(as_wire(store._get_encoded_mergeable_content()), expected["stored"])
    same(store.get_content(), untag(expected["content"]))


def as_wire(thing: Any) -> Any:
    if thing is UNDEFINED:
        return UNDEFINED_MARK
    if isinstance(thing, list | tuple):
        return [as_wire(element) for element in thing]
    if isinstance(thing, dict):
        return {key: as_wire(value) for key, value in thing.items()}
    return thing


class FakeSqlStorage:
    """SQL storage over a database in memory that notes the statements it runs."""

    def __init__(self, before: dict[str, Any]) -> None:
        self.connection = sqlite3.connect(":memory:", isolation_level=None)
        self.statements: list[Any] = []
        for name, table in before.items():
            self._fill(name, table)
        self.statements = []

    def exec(self, sql: str, *params: Any) -> Any:
        if sql.lstrip().startswith("CREATE TABLE IF"):
            self.connection.executescript(sql)
            return None
        self.statements.append([sql, list(params)])
        cursor = self.connection.execute(sql, params)
        names = [column[0] for column in cursor.description or ()]
        return _Rows([dict(zip(names, row, strict=True)) for row in cursor])

    def tables(self) -> Any:
        names = [
            row[0] for row in self.connection.execute("SELECT name FROM sqlite_schema WHERE type='table'")
        ]
        return {name: self._table(name) for name in names}

    def _table(self, name: str) -> Any:
        quoted = name.replace('"', '""')
        cursor = self.connection.execute('SELECT * FROM "%" ORDER BY rowid'.replace("%", quoted))
        columns = [column[0] for column in cursor.description]
        return {"columns": columns, "rows": [list(row) for row in cursor]}

    def _fill(self, name: str, table: Any) -> None:
        columns = table["columns"]
        types = {"type": "TEXT NOT NULL", "hash": "INTEGER NOT NULL"}
        definitions = ",".join(f"{column} {types.get(column, 'TEXT')}" for column in columns)
        key = ",PRIMARY KEY(type,table_id,row_id,cell_id)" if "type" in columns else ""
        self.connection.execute(f'CREATE TABLE "{name}"({definitions}{key})')
        marks = ",".join("?" * len(columns))
        self.connection.executemany(f'INSERT INTO "{name}" VALUES({marks})', table["rows"])

    def writes(self) -> bool:
        return any(not sql.startswith("SELECT") for sql, _ in self.statements)

    def close(self) -> None:
        self.connection.close()


class _Rows:
    def __init__(self, rows: list[Any]) -> None:
        self._rows = rows

    def to_array(self) -> list[Any]:
        return self._rows


def config_of(recorded: Any) -> Any:
    """The configuration as an object of ours."""
    if not isinstance(recorded, dict):
        return recorded
    options = {snake_case(key): value for key, value in recorded.items() if key != "mode"}
    return FragmentedMode(**options) if recorded["mode"] == "fragmented" else JsonMode(**options)


@pytest.mark.parametrize("case", SQL_CASES, ids=lambda case: case["name"])
def test_sql(case: Any) -> None:
    script = SqlScript(case)
    try:
        script.run()
    finally:
        script.storage.close()


class SqlScript:
    def __init__(self, case: Any) -> None:
        self.case = case
        self.storage = FakeSqlStorage(case["before"])
        self.clock = FakeClock(case["start"])
        self.commands: list[Any] = []
        self.errors: list[Exception] = []

    def persister(self, store: MergeableStore) -> DurableObjectSqlStoragePersister:
        return DurableObjectSqlStoragePersister(
            store,
            self.storage,
            config_of(self.case["config"]),
            on_sql_command=lambda sql, params: self.commands.append([sql, *([params] if params else [])]),
            on_ignored_error=self.errors.append,
        )

    def run(self) -> None:
        self.check_load(self.case["initialLoad"], INITIAL_CONTENT)
        same(self.storage.tables(), self.case["before"])
        store = MergeableStore(self.case["uniqueId"], clock=self.clock)
        self.commands, self.storage.statements = [], []
        persister = self.persister(store)
        persister.load()
        for number, step in enumerate(self.case["steps"]):
            self.run_step(step, persister, is_recorded_in_full=number < 2)
        same(as_wire(store._get_encoded_mergeable_content()), self.case["saved"])
        self.check_load(self.case["loaded"], None)

    def run_step(self, step: Any, persister: Persister, is_recorded_in_full: bool) -> None:
        self.clock.set_now_ms(step.get("now", self.clock.now_ms()))
        before = self.storage.tables()
        if step["op"] in ("startAutoSave", "save"):
            assert getattr(persister, snake_case(step["op"]))().done()
        else:
            run_operation(persister.get_store(), step)
        if (
            step["op"] == "startAutoSave"
            and before
            and is_fragmented(self.case)
            and not self.storage.writes()
        ):
            assert same_rows(before, untag(step["tables"]))
        else:
            same(self.storage.tables(), untag(step["tables"]))
            if is_recorded_in_full:
                same(self.commands, step.get("commands", []))
                same(self.storage.statements, step["statements"])
        self.commands, self.storage.statements = [], []

    def check_load(self, expected: Any, initial_content: Any) -> None:
        loader = MergeableStore("loader", clock=FakeClock(self.case["start"] + 1_000_000))
        self.errors = []
        self.persister(loader).load(initial_content)
        assert len(self.errors) == expected.get("errors", 0)
        check_content(loader, expected)


def is_fragmented(case: Any) -> bool:
    return isinstance(case["config"], dict) and case["config"]["mode"] == "fragmented"


def same_rows(tables: Any, others: Any) -> bool:
    """Whether tables hold the same rows in whatever order."""
    return tables.keys() == others.keys() and all(
        sorted(map(repr, tables[name]["rows"])) == sorted(map(repr, others[name]["rows"])) for name in tables
    )
