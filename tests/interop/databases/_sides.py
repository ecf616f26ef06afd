"""The original's persister of a place in a Node process, ours of the same place, and what is in the place."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any, Self, cast

from durabase._codec import json_text
from durabase.mergeable import MergeableStore
from durabase.persisters import (
    DurableObjectSqlStoragePersister,
    DurableObjectStoragePersister,
    FilePersister,
    FragmentedMode,
    JsonMode,
    LoadTable,
    Persister,
    PostgresPersister,
    SaveTable,
    SqlitePersister,
    TabularMode,
)
from durabase.store import Store
from durabase.testing import FakeClock
from durabase.types import UNDEFINED
from interop._process import PATIENCE_SECONDS, NodeProcess
from unit.persisters.postgres_server import Database

HERE = Path(__file__).parent
NOW_MS = 1_700_000_000_000
HAS_SPECIES = '$tableName."species" IS NOT NULL'
LAYOUTS: dict[str, tuple[Any, Any, bool]] = {
    "json": (None, None, False),
    "mergeable": (None, None, True),
    "prefix": ("My é/", "My é/", True),
    "table name": ("stores", "stores", True),
    "fragmented": ({"mode": "fragmented"}, FragmentedMode(), True),
    "fragmented with prefix": (
        {"mode": "fragmented", "storagePrefix": "My-é"},
        FragmentedMode("My-é"),
        True,
    ),
    "json, renamed": (
        {
            "mode": "json",
            "storeTableName": 'my "stores"',
            "storeIdColumnName": "i d",
            "storeColumnName": "my store",
        },
        JsonMode('my "stores"', "i d", "my store"),
        False,
    ),
    "tabular, renamed": (
        {
            "mode": "tabular",
            "tables": {
                "load": {"our pets": {"tableId": "pets", "rowIdColumnName": "pet id"}},
                "save": {
                    "pets": {"tableName": "our pets", "rowIdColumnName": "pet id", "deleteEmptyColumns": True}
                },
            },
            "values": {"load": ["open", "n"], "save": ["open", "text"], "tableName": "the values"},
        },
        TabularMode(
            {"our pets": LoadTable("pets", "pet id")},
            {"pets": SaveTable("our pets", "pet id", delete_empty_columns=True)},
            ["open", "n"],
            ["open", "text"],
            "the values",
        ),
        False,
    ),
    "tabular, dropping": (
        {
            "mode": "tabular",
            "tables": {
                "load": {"pets": "pets", "tinybase_values": "pets"},
                "save": {"pets": {"tableName": "pets", "deleteEmptyColumns": True, "deleteEmptyTable": True}},
            },
            "values": {"load": True, "save": True},
        },
        TabularMode(
            {"pets": "pets", "tinybase_values": "pets"},
            {"pets": SaveTable("pets", delete_empty_columns=True, delete_empty_table=True)},
            True,
            True,
        ),
        False,
    ),
    "tabular, conditional": (
        {
            "mode": "tabular",
            "tables": {
                "load": {"pets": {"tableId": "pets", "condition": HAS_SPECIES}},
                "save": {"pets": {"tableName": "pets", "condition": "true", "deleteEmptyTable": True}},
            },
        },
        TabularMode(
            {"pets": LoadTable("pets", condition=HAS_SPECIES)},
            {"pets": SaveTable("pets", condition="true", delete_empty_table=True)},
        ),
        False,
    ),
    "tabular, condition of loading": (
        {
            "mode": "tabular",
            "tables": {
                "load": {"pets": {"tableId": "pets", "condition": HAS_SPECIES}},
                "save": {"pets": {"tableName": "pets", "deleteEmptyTable": True}},
            },
        },
        TabularMode(
            {"pets": LoadTable("pets", condition=HAS_SPECIES)},
            {"pets": SaveTable("pets", delete_empty_table=True)},
        ),
        False,
    ),
    "tabular": (
        {
            "mode": "tabular",
            "tables": {"load": {"pets": "pets"}, "save": {"pets": "pets"}},
            "values": {"load": True, "save": True},
            "autoLoadIntervalSeconds": 0.05,
        },
        TabularMode({"pets": "pets"}, {"pets": "pets"}, True, True, auto_load_interval_seconds=0.05),
        False,
    ),
}
"""By name: the original's configuration, ours, and whether the store is mergeable."""


class Original(NodeProcess):
    """The original, told what to do; every step answers with the content, the hashes and new errors."""

    def __init__(self, kind: str, place: str, layout: str) -> None:
        config, _, is_mergeable = LAYOUTS[layout]
        argument = {"kind": kind, "place": place, "config": config, "isMergeable": is_mergeable}
        super().__init__(HERE / "original.mjs", json.dumps(argument))

    async def do(self, action: str, argument: Any = None) -> dict[str, Any]:
        answer: dict[str, Any] = await asyncio.to_thread(self.ask, [action, argument])
        return answer

    async def call(self, *call: Any) -> dict[str, Any]:
        return await self.do("call", call)


class Ours:
    """A store and our persister; it is destroyed at the end."""

    def __init__(self, kind: str, place: str, layout: str) -> None:
        _, config, is_mergeable = LAYOUTS[layout]
        self.store: Any = MergeableStore("s1", clock=FakeClock(NOW_MS)) if is_mergeable else Store()
        self.errors: list[Exception] = []
        self.persister = self._make(kind, place, config)

    def _make(self, kind: str, place: str, config: Any) -> Persister:
        if kind == "file":
            return FilePersister(self.store, place, on_ignored_error=self.errors.append)
        if kind == "kv":
            storage = KeyValueStorage(Path(place))
            return DurableObjectStoragePersister(
                self.store, storage, config or "", on_ignored_error=self.errors.append
            )
        if kind == "sql":
            return DurableObjectSqlStoragePersister(
                self.store, SqlStorage(place), config, on_ignored_error=self.errors.append
            )
        make = SqlitePersister if kind == "sqlite" else PostgresPersister
        return make(self.store, place, config, on_ignored_error=self.errors.append)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exception: object) -> None:
        await self.persister.destroy()
        if isinstance(self.persister, DurableObjectSqlStoragePersister):
            cast("SqlStorage", self.persister.get_sql_storage()).close()

    @property
    def content(self) -> Any:
        return self.store.get_content()

    def hashes(self) -> Any:
        return self.store.get_mergeable_content_hashes() if self.store.is_mergeable() else None

    def take(self, other: Ours) -> None:
        """Take over what another store has, stamps included."""
        if self.store.is_mergeable():
            self.store._set_encoded_mergeable_content(other.store._get_encoded_mergeable_content())
        else:
            self.store.set_content(other.content)

    async def settle(self) -> None:
        await self.persister.schedule(lambda: None)

    async def until(self, content: Any) -> None:
        """Wait until the store has this content."""
        changed = asyncio.Event()
        listener_id = self.store.add_did_finish_transaction_listener(lambda *_: changed.set())
        while self.content != content:
            try:
                await asyncio.wait_for(changed.wait(), PATIENCE_SECONDS)
            except TimeoutError as error:
                raise AssertionError(f"expected {content}, found {self.content}, {self.errors}") from error
            changed.clear()
        self.store.del_listener(listener_id)


class KeyValueStorage:
    """The storage of an object, kept in a file as the other side's is."""

    def __init__(self, path: Path) -> None:
        self._path = path
        lines = path.read_text("utf-8").split("\n") if path.exists() else []
        self._entries = {
            key: _read(value, deleted) for key, value, deleted in map(json.loads, filter(None, lines))
        }

    async def list(self, *, prefix: str) -> dict[str, Any]:
        return {key: value for key, value in self._entries.items() if key.startswith(prefix)}

    async def put(self, entries: dict[str, Any]) -> None:
        self._entries = dict(sorted({**self._entries, **entries}.items()))
        lines = [
            json_text([key, [None if thing is UNDEFINED else thing, *stamp], thing is UNDEFINED]) + "\n"
            for key, (thing, *stamp) in self._entries.items()
        ]
        self._path.write_text("".join(lines), "utf-8")


def _read(value: Any, is_deleted: bool) -> Any:
    return [UNDEFINED, *value[1:]] if is_deleted else value


class SqlStorage:
    """The SQL storage of an object, as far as the persister needs it."""

    def __init__(self, path: str) -> None:
        self._connection = sqlite3.connect(path, isolation_level=None)

    def exec(self, sql: str, *params: Any) -> SqlStorage:
        if not params and ";" in sql:
            self._connection.executescript(sql)
        else:
            cursor = self._connection.execute(sql, params)
            names = [column[0] for column in cursor.description or ()]
            self._rows = [dict(zip(names, row, strict=True)) for row in cursor]
        return self

    def to_array(self) -> list[Any]:
        return self._rows

    def close(self) -> None:
        self._connection.close()


class Places:
    """Places of one kind, and what is in them."""

    def __init__(self, kind: str, folder: Path, database: Database | None) -> None:
        self._kind = kind
        self._folder = folder
        self._database = database

    def place(self) -> str:
        if self._database is not None:
            return self._database.url
        return str(self._folder / "place")

    def dump(self) -> Any:
        """All that is in the place."""
        if self._database is not None:
            return _dump_postgres(self._database)
        if self._kind in ("file", "kv"):
            return (self._folder / "place").read_bytes()
        with closing(sqlite3.connect(self._folder / "place")) as connection:
            schema = connection.execute("SELECT name, sql FROM sqlite_schema ORDER BY name").fetchall()
            tables = [name for name, sql in schema if sql]  # indexes of primary keys have none
            return schema, [connection.execute(_select(name)).fetchall() for name in tables]

    def clear(self) -> None:
        if self._database is not None:
            self._database.run("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
        elif self._kind in ("file", "kv"):
            (self._folder / "place").unlink()
        else:
            with closing(sqlite3.connect(self._folder / "place", isolation_level=None)) as connection:
                tables = connection.execute("SELECT name FROM sqlite_schema WHERE type='table'").fetchall()
                for (name,) in tables:
                    connection.execute(f"DROP TABLE {_quoted(name)}")


def _select(table_name: str) -> str:
    return f"SELECT * FROM {_quoted(table_name)} ORDER BY 1"  # noqa: S608 - it comes from the database


def _quoted(name: str) -> str:
    doubled = name.replace('"', '""')
    return f'"{doubled}"'


def _dump_postgres(database: Database) -> Any:
    columns = database.run(
        "SELECT table_name, column_name, data_type FROM information_schema.columns "
        "WHERE table_schema='public' ORDER BY table_name, ordinal_position"
    )
    names = sorted({name for name, _, _ in columns})
    indexes = database.run("SELECT indexdef FROM pg_indexes WHERE schemaname='public' ORDER BY 1")
    return columns, indexes, {name: database.rows(_select(name)) for name in names}
