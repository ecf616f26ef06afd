"""A mergeable store in the SQL storage of a Durable Object: as one text, or in fragments.

The tables are those of TinyBase 10.0.1. In fragments every row of the store is one row of the database, so a
change writes little; as one text everything is written every time, and SQLite's limit for one value is the
limit for the store. The storage is known only through :class:`SqlStorage`.

In fragments, starting to save writes nothing if what was loaded is still all there is (the original writes
everything), and rows of the layout from before TinyBase 9.0 are read and replaced.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Protocol

from durabase._codec import json_text_with_undefined, ordered_items, parse_json_with_undefined
from durabase.clock import TimerClock
from durabase.errors import ContentError
from durabase.persisters._database.commands import Execute, SqlRow
from durabase.persisters._database.config import JsonMode, mode_of
from durabase.persisters._database.dialect import SQLITE
from durabase.persisters._database.modes import Layout, layout_of
from durabase.persisters._database.persister import SqlCommandCallback
from durabase.persisters._database.polling import PollingPersister
from durabase.persisters._steps import Steps
from durabase.persisters.base import IgnoredErrorHandler, Persists

if TYPE_CHECKING:
    from durabase.mergeable import MergeableStore

__all__ = ["DurableObjectSqlStoragePersister", "FragmentedMode", "SqlStorage"]


class SqlResult(Protocol):
    """What a statement brought."""

    def to_array(self) -> list[Any]:
        """All rows, as mappings from column name to value."""


class SqlStorage(Protocol):
    """What this persister needs of a Durable Object's SQL storage."""

    def exec(self, sql: str, *params: Any) -> SqlResult:
        """Run statements, at once."""


@dataclass(frozen=True, slots=True)
class FragmentedMode:
    """A row of the database for every row of the store; ``storage_prefix`` begins the tables' names."""

    storage_prefix: str = ""


class DurableObjectSqlStoragePersister(PollingPersister):
    """Keeps a mergeable store in the SQL storage of its object.

    Saving happens within the call or the transaction that causes it, and is part of the object's turn. The
    tables of the fragmented mode are made, if they are missing, when the persister is.

    Args:
        store: a mergeable store.
        sql_storage: the storage, usually ``ctx.storage.sql`` of the object.
        config: :class:`FragmentedMode`, :class:`JsonMode`, or a table name for the latter, the default.
        on_sql_command: is called with each statement of the JSON mode before it is run.
        on_ignored_error: is called with each error that is not raised.
        clock: wakes the persister, while it loads automatically in JSON mode, to look for changes.

    Raises:
        StoreTypeError: ``store`` is not mergeable.
    """

    def __init__(
        self,
        store: MergeableStore,
        sql_storage: SqlStorage,
        config: FragmentedMode | JsonMode | str | None = None,
        *,
        on_sql_command: SqlCommandCallback | None = None,
        on_ignored_error: IgnoredErrorHandler | None = None,
        clock: TimerClock | None = None,
    ) -> None:
        self._sql_storage = sql_storage
        self._saves_only_changes = isinstance(config, FragmentedMode)
        self._table_names = _names_of(config)
        make_layout, interval = _layout_maker(sql_storage, config)
        super().__init__(
            store,
            self._run,
            make_layout,
            auto_load_interval=interval,
            persists=Persists.MERGEABLE_STORE_ONLY,
            on_sql_command=None if isinstance(config, FragmentedMode) else on_sql_command,
            on_ignored_error=on_ignored_error,
            clock=clock,
        )

    def get_sql_storage(self) -> SqlStorage:
        """The storage."""
        return self._sql_storage

    def _run(self, sql: str, params: Sequence[Any] | None) -> list[Any]:
        if sql in ("BEGIN", "END"):
            return []  # the object's turn is the transaction
        return self._sql_storage.exec(sql, *(params or ())).to_array()


def _layout_maker(
    sql_storage: SqlStorage, config: FragmentedMode | JsonMode | str | None
) -> tuple[Callable[[Execute], Layout], float | None]:
    if isinstance(config, FragmentedMode):
        names = _table_names(config.storage_prefix)
        sql_storage.exec(_CREATE_SQL.format(*names))
        return lambda execute: _FragmentedLayout(execute, *names), None
    mode = mode_of(config)
    return lambda execute: layout_of(mode, execute, SQLITE), mode.auto_load_interval_seconds


_CREATE_SQL: Final = """
      CREATE TABLE IF NOT EXISTS {} (
        type TEXT NOT NULL,
        table_id TEXT,
        row_id TEXT,
        cell_id TEXT,
        value_data TEXT NOT NULL,
        timestamp TEXT NOT NULL,
        hash INTEGER NOT NULL,
        PRIMARY KEY (type, table_id, row_id, cell_id)
      );
      CREATE TABLE IF NOT EXISTS {} (
        value_id TEXT,
        value_data TEXT NOT NULL,
        timestamp TEXT NOT NULL,
        hash INTEGER NOT NULL
      );
"""
"""With the spaces of the original, for the database keeps this text."""
_SELECT_SQL: Final = "SELECT * FROM {}"
_DELETE_CELLS_SQL: Final = (
    "DELETE FROM {} WHERE type = ? AND table_id = ? AND row_id = ? AND cell_id IS NOT NULL"
)
_DELETE_FRAGMENT_SQL: Final = "DELETE FROM {} WHERE type = ? AND {} AND {} AND cell_id IS NULL"
_INSERT_FRAGMENT_SQL: Final = (
    "INSERT INTO {} (type, table_id, row_id, cell_id, value_data, timestamp, hash) "
    "VALUES (?, ?, ?, ?, ?, ?, ?)"
)
_DELETE_VALUE_SQL: Final = "DELETE FROM {} WHERE {}"
_INSERT_VALUE_SQL: Final = "INSERT INTO {} (value_id, value_data, timestamp, hash) VALUES (?, ?, ?, ?)"
_CONTAINER_DATA: Final = "[0]"


class _FragmentedLayout:
    """Container stamps and rows in one table, values in another."""

    def __init__(self, execute: Execute, tables_name: str, values_name: str) -> None:
        self._execute = execute
        self._tables_name = tables_name
        self._values_name = values_name
        self._loaded_hashes: list[int] | None = None

    def load_steps(self) -> Steps[Any]:
        """The whole tree; an empty one if there are no entries at all.

        Raises:
            ContentError: the tables are not those of a store.
        """
        tables_rows: Any = yield self._execute(_SELECT_SQL.format(self._tables_name), None)
        values_rows: Any = yield self._execute(_SELECT_SQL.format(self._values_name), None)
        reader = _FragmentReader()
        try:
            reader.add_all(tables_rows, values_rows)
        except KeyError as missing:
            names = f"{self._tables_name!r} or {self._values_name!r}"
            raise ContentError(f"{names} is no table of a store: it has no column {missing}") from missing
        content = [reader.tables, reader.values]
        self._loaded_hashes = [stamp[2] for stamp in content] if reader.is_complete() else None
        return content

    def save_steps(self, get_content: Callable[[], list[Any]], changes: list[Any] | None) -> Steps[None]:
        """Write the rows that changed, each as a whole, or everything unless that is known to be there."""
        loaded_hashes, self._loaded_hashes = self._loaded_hashes, None
        content = get_content()
        if changes is None and [stamp[2] for stamp in content] == loaded_hashes:
            return
        tables, values = (content if changes is None else changes)[:2]
        yield from self._put_fragment_steps((None, None), _CONTAINER_DATA, tables)
        for table_id, table in ordered_items(tables[0]):
            yield from self._put_fragment_steps((table_id, None), _CONTAINER_DATA, table)
            for row_id, row in ordered_items(table[0]):
                whole_row = content[0][0][table_id][0][row_id][0]
                yield from self._put_row_steps(table_id, row_id, whole_row, row)
        yield from self._put_value_steps(None, 0, values)
        for value_id, value in ordered_items(values[0]):
            yield from self._put_value_steps(value_id, value[0], value)

    def _put_row_steps(self, table_id: str, row_id: str, cells: Any, stamp: list[Any]) -> Steps[None]:
        yield self._execute(_DELETE_CELLS_SQL.format(self._tables_name), ["t", table_id, row_id])
        yield from self._put_fragment_steps((table_id, row_id), json_text_with_undefined([cells]), stamp)

    def _put_fragment_steps(
        self, ids: tuple[str | None, str | None], data: str, stamp: list[Any]
    ) -> Steps[None]:
        table_id, row_id = ids
        name, given = self._tables_name, [id_ for id_ in ids if id_ is not None]
        matching = (_is("table_id", table_id), _is("row_id", row_id))
        yield self._execute(_DELETE_FRAGMENT_SQL.format(name, *matching), ["t", *given])
        record = ["t", table_id, row_id, None, data, stamp[1], stamp[2]]
        yield self._execute(_INSERT_FRAGMENT_SQL.format(name), record)

    def _put_value_steps(self, value_id: str | None, thing: Any, stamp: list[Any]) -> Steps[None]:
        name, given = self._values_name, [] if value_id is None else [value_id]
        yield self._execute(_DELETE_VALUE_SQL.format(name, _is("value_id", value_id)), given)
        record = [value_id, json_text_with_undefined([thing]), stamp[1], stamp[2]]
        yield self._execute(_INSERT_VALUE_SQL.format(name), record)


class _FragmentReader:
    """Mergeable content under construction, from rows of both layouts in any order."""

    def __init__(self) -> None:
        self.tables: list[Any] = [{}, "", 0]
        self.values: list[Any] = [{}, "", 0]
        self._whole_rows: set[tuple[str, str]] = set()
        self._roots = 0
        self._has_old_rows = False

    def is_complete(self) -> bool:
        """Whether saving everything would write nothing else than was read."""
        return self._roots == 2 and not self._has_old_rows

    def add_all(self, tables_rows: list[SqlRow], values_rows: list[SqlRow]) -> None:
        """Take everything.

        Raises:
            KeyError: a column is missing.
        """
        for row in tables_rows:
            self.add_whole_row(row)
        for row in tables_rows:
            self.add_container_or_cell(row)
        for row in values_rows:
            self.add_value(row)

    def add_whole_row(self, row: SqlRow) -> None:
        """Take a row that holds all its cells; others are left for later."""
        table_id, row_id = row["table_id"], row["row_id"]
        if table_id is not None and row_id is not None and row["cell_id"] is None:
            cells = _thing_of(row)
            if isinstance(cells, dict):
                self._table(table_id)[0][row_id] = [cells, row["timestamp"], row["hash"]]
                self._whole_rows.add((table_id, row_id))

    def add_container_or_cell(self, row: SqlRow) -> None:
        """Take the stamp of a container or, unless its row was taken as a whole, a cell of the old layout."""
        table_id, row_id, cell_id = row["table_id"], row["row_id"], row["cell_id"]
        stamp = [row["timestamp"], row["hash"]]
        if table_id is None:
            self.tables[1:] = stamp
            self._roots += 1
        elif row_id is None:
            self._table(table_id)[1:] = stamp
        elif cell_id is not None or (table_id, row_id) not in self._whole_rows:
            self._add_old_row(row, stamp)

    def add_value(self, row: SqlRow) -> None:
        """Take the stamp of a value, or of all of them."""
        stamp = [row["timestamp"], row["hash"]]
        if row["value_id"] is None:
            self.values[1:] = stamp
            self._roots += 1
        else:
            self.values[0][row["value_id"]] = [_thing_of(row), *stamp]

    def _add_old_row(self, row: SqlRow, stamp: list[Any]) -> None:
        self._has_old_rows = True
        table_id, row_id, cell_id = row["table_id"], row["row_id"], row["cell_id"]
        if (table_id, row_id) in self._whole_rows:
            return
        container = self._table(table_id)[0].setdefault(row_id, [{}, "", 0])
        if cell_id is None:
            container[1:] = stamp
        else:
            container[0][cell_id] = [_thing_of(row), *stamp]

    def _table(self, table_id: str) -> list[Any]:
        table: list[Any] = self.tables[0].setdefault(table_id, [{}, "", 0])
        return table


def _thing_of(row: SqlRow) -> Any:
    return parse_json_with_undefined(row["value_data"])[0]


def _is(column: str, value: str | None) -> str:
    return f"{column} IS NULL" if value is None else f"{column} = ?"


def _table_names(prefix: str) -> tuple[str, str]:
    """The names of the two tables as they stand in statements."""
    if not re.fullmatch("[a-z0-9_]*", prefix):
        units = prefix.encode("utf-16-be", "surrogatepass")
        encoded = "".join(f"${unit.hex()}" for unit in (units[i : i + 2] for i in range(0, len(units), 2)))
        prefix = f"$tinybase${encoded}$"
    return _name(f"{prefix}tinybase_tables"), _name(f"{prefix}tinybase_values")


def _names_of(config: FragmentedMode | JsonMode | str | None) -> tuple[str, ...]:
    """The names of all tables as they stand in statements."""
    if isinstance(config, FragmentedMode):
        return _table_names(config.storage_prefix)
    mode = mode_of(config)
    return (mode.store_table_name,) if isinstance(mode, JsonMode) else ()


def _name(name: str) -> str:
    return name if re.fullmatch("[a-zA-Z_][a-zA-Z0-9_]*", name) else f'"{name}"'
