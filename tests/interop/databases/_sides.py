"""The original's persister of a place in a Node process, ours of the same place, and what is in the place."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any, Self

from durabase.mergeable import MergeableStore
from durabase.persisters import FilePersister, Persister, PostgresPersister, SqlitePersister, TabularMode
from durabase.store import Store
from interop._process import PATIENCE_SECONDS, NodeProcess
from unit.persisters.postgres_server import Database

HERE = Path(__file__).parent
LAYOUTS: dict[str, tuple[Any, Any, bool]] = {
    "json": (None, None, False),
    "mergeable": (None, None, True),
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
        self.store: Any = MergeableStore() if is_mergeable else Store()
        self.errors: list[Exception] = []
        self.persister = self._make(kind, place, config)

    def _make(self, kind: str, place: str, config: Any) -> Persister:
        if kind == "file":
            return FilePersister(self.store, place, on_ignored_error=self.errors.append)
        make = SqlitePersister if kind == "sqlite" else PostgresPersister
        return make(self.store, place, config, on_ignored_error=self.errors.append)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exception: object) -> None:
        await self.persister.destroy()

    @property
    def content(self) -> Any:
        return self.store.get_content()

    def hashes(self) -> Any:
        return self.store.get_mergeable_content_hashes() if self.store.is_mergeable() else None

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
        if self._kind == "file":
            return (self._folder / "place").read_bytes()
        with closing(sqlite3.connect(self._folder / "place")) as connection:
            schema = connection.execute("SELECT name, sql FROM sqlite_schema ORDER BY name").fetchall()
            tables = [name for name, sql in schema if sql]  # indexes of primary keys have none
            return schema, [connection.execute(_select(name)).fetchall() for name in tables]

    def clear(self) -> None:
        if self._database is not None:
            self._database.run("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
        elif self._kind == "file":
            (self._folder / "place").unlink()
        else:
            with closing(sqlite3.connect(self._folder / "place", isolation_level=None)) as connection:
                for (name,) in connection.execute(
                    "SELECT name FROM sqlite_schema WHERE type='table'"
                ).fetchall():
                    connection.execute(f'DROP TABLE "{name}"')


def _select(table_name: str) -> str:
    return f'SELECT * FROM "{table_name}" ORDER BY 1'  # noqa: S608 - it comes from the database


def _dump_postgres(database: Database) -> Any:
    columns = database.run(
        "SELECT table_name, column_name, data_type FROM information_schema.columns "
        "WHERE table_schema='public' ORDER BY table_name, ordinal_position"
    )
    names = sorted({name for name, _, _ in columns})
    indexes = database.run("SELECT indexdef FROM pg_indexes WHERE schemaname='public' ORDER BY 1")
    return columns, indexes, {name: database.rows(_select(name)) for name in names}
