"""How a store is laid out in a database: as one text, or as tables of its own.

Defaults and meanings are those of TinyBase 10.0.1.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass, field, replace
from typing import Any, Final, NamedTuple, TypeAlias

from durabase.types import Id

__all__ = [
    "ANY_ROW",
    "VALUES_ID_COLUMN",
    "JsonMode",
    "LoadTable",
    "ManagedTable",
    "Mode",
    "SaveTable",
    "TabularMode",
    "mode_of",
]

ANY_ROW: Final = "true"
"""The condition that every row meets."""
VALUES_ID_COLUMN: Final = "_id"
"""The id column of the table that holds the values."""


class ManagedTable(NamedTuple):
    """A database table that a layout is about; only rows that meet the condition are loaded from it."""

    name: str
    row_id_column_name: str
    condition: str = ANY_ROW


@dataclass(frozen=True, slots=True)
class JsonMode:
    """All of the store as one JSON text, in one cell of one table, which holds nothing else.

    ``auto_load_interval_seconds``: how often the database is asked whether it changed.
    """

    store_table_name: str = "tinybase"
    store_id_column_name: str = "_id"
    store_column_name: str = "store"
    auto_load_interval_seconds: float = 1.0

    def managed_tables(self) -> list[ManagedTable]:
        """The one table."""
        return [ManagedTable(self.store_table_name, self.store_id_column_name)]

    def identity(self) -> list[Any]:
        """What tells this layout from others, as JSON."""
        return [self.store_table_name, self.store_id_column_name, self.store_column_name]


@dataclass(frozen=True, slots=True)
class LoadTable:
    """Into which table of the store a database table is loaded.

    ``condition``: SQL that a row must meet, with ``$tableName`` for the quoted name of the table.
    """

    table_id: Id
    row_id_column_name: str = "_id"
    condition: str = ANY_ROW


@dataclass(frozen=True, slots=True)
class SaveTable:
    """Into which database table a table of the store is saved.

    ``delete_empty_columns``, ``delete_empty_table``: whether columns and tables without content are dropped
    when everything is saved. ``condition``: only rows that meet it are ever deleted; unless it is given, that
    of loading the same database table.
    """

    table_name: str
    row_id_column_name: str = "_id"
    delete_empty_columns: bool = False
    delete_empty_table: bool = False
    condition: str | None = None


@dataclass(frozen=True, slots=True)
class TabularMode:
    """Tables of the store as tables of the database, and its values as the one row of another.

    For plain stores only. Nothing is loaded or saved that is not listed. Booleans come back as 1 and 0,
    absent cells as ``None``.

    ``tables_load``: by database table, the table of the store. ``tables_save``: by table of the store, the
    database table. ``values_load``, ``values_save``: all values, none, or those with these ids.
    """

    tables_load: Mapping[str, LoadTable | Id] = field(default_factory=dict)
    tables_save: Mapping[Id, SaveTable | str] = field(default_factory=dict)
    values_load: bool | Sequence[Id] = False
    values_save: bool | Sequence[Id] = False
    values_table_name: str = "tinybase_values"
    auto_load_interval_seconds: float = 1.0

    def loads(self) -> dict[str, LoadTable]:
        """What to load, by database table; the table of the values is left out."""
        loads = {
            name: LoadTable(table) if isinstance(table, str) else table
            for name, table in self.tables_load.items()
        }
        loads.pop(self.values_table_name, None)
        return loads

    def saves(self) -> dict[Id, SaveTable]:
        """What to save, by table of the store, every condition filled in."""
        loads = self.loads()
        saves: dict[Id, SaveTable] = {}
        for table_id, table in self.tables_save.items():
            save = SaveTable(table) if isinstance(table, str) else table
            load = loads.get(save.table_name)
            condition = save.condition or (load.condition if load is not None else ANY_ROW)
            if save.table_name != self.values_table_name:
                saves[table_id] = replace(save, condition=condition)
        return saves

    def managed_tables(self) -> list[ManagedTable]:
        """The database tables that this is about, each once."""
        tables = {self.values_table_name: ManagedTable(self.values_table_name, VALUES_ID_COLUMN)}
        for name, load in self.loads().items():
            tables[name] = ManagedTable(name, load.row_id_column_name, load.condition)
        for save in self.saves().values():
            tables.setdefault(save.table_name, ManagedTable(save.table_name, save.row_id_column_name))
        return list(tables.values())

    def identity(self) -> list[Any]:
        """What tells this layout from others, as JSON."""
        loads = {name: list(astuple(load)) for name, load in self.loads().items()}
        saves = {table_id: list(astuple(save)) for table_id, save in self.saves().items()}
        choices = [
            choice if isinstance(choice, bool) else list(choice)
            for choice in (self.values_load, self.values_save)
        ]
        return [loads, saves, [*choices, self.values_table_name]]


Mode: TypeAlias = JsonMode | TabularMode


def mode_of(config: Mode | str | None) -> Mode:
    """The configuration; a text is the table name of a JSON mode."""
    if config is None:
        return JsonMode()
    return JsonMode(store_table_name=config) if isinstance(config, str) else config
