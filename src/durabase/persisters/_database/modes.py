"""The two layouts: what a store's content is in a database, and back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final, Protocol, TypeAlias

from durabase._codec import json_text_with_undefined, ordered_items, parse_json_with_undefined
from durabase.errors import ContentError
from durabase.persisters._database.commands import Commands, Execute
from durabase.persisters._database.config import VALUES_ID_COLUMN, JsonMode, Mode, SaveTable, TabularMode
from durabase.persisters._database.dialect import Dialect
from durabase.persisters._steps import Steps
from durabase.types import UNDEFINED, Id

__all__ = ["Frame", "JsonLayout", "Layout", "TabularLayout", "layout_of"]

_SINGLE_ROW_ID: Final = "_"
Frame: TypeAlias = Callable[[Steps[None]], Steps[None]]
"""Is put around what a save does, within its transaction."""


class Layout(Protocol):
    """A way to keep content in a database."""

    def load_steps(self) -> Steps[Any]:
        """The content; ``UNDEFINED`` or ``None`` if there is none."""

    def save_steps(self, get_content: Callable[[], list[Any]], changes: list[Any] | None) -> Steps[None]:
        """Write changes, or everything."""


def _no_frame(saving: Steps[None]) -> Steps[None]:
    return saving


def layout_of(mode: Mode, execute: Execute, dialect: Dialect, frame: Frame = _no_frame) -> Layout:
    """The layout for a configuration, in a database of some dialect."""
    if isinstance(mode, JsonMode):
        return JsonLayout(mode, execute, dialect, frame)
    return TabularLayout(mode, execute, dialect, frame)


class JsonLayout:
    """Everything as one text; changes are not told apart."""

    def __init__(self, mode: JsonMode, execute: Execute, dialect: Dialect, frame: Frame = _no_frame) -> None:
        self._mode = mode
        self._frame = frame
        self._commands = Commands(execute, [mode.store_table_name], dialect.verbatim())
        self._table = SaveTable(mode.store_table_name, mode.store_id_column_name, True, True)

    def load_steps(self) -> Steps[Any]:
        """Parse the text; ``None`` if there is none.

        Raises:
            ValueError: it is no JSON.
            ContentError: the cell holds no text.
        """
        return (yield from self._commands.transaction_steps(self._read_steps))

    def save_steps(self, get_content: Callable[[], list[Any]], changes: list[Any] | None) -> Steps[None]:
        """Replace the text."""

        def write() -> Steps[None]:
            text = json_text_with_undefined(get_content())
            row = {_SINGLE_ROW_ID: {self._mode.store_column_name: text}}
            yield from self._commands.save_table_steps(self._table, row)

        yield from self._commands.transaction_steps(lambda: self._frame(write()))

    def _read_steps(self) -> Steps[Any]:
        rows = yield from self._commands.load_table_steps(
            self._mode.store_table_name, self._mode.store_id_column_name
        )
        text = rows.get(_SINGLE_ROW_ID, {}).get(self._mode.store_column_name)
        if text is None:
            return None
        if not isinstance(text, str):
            raise ContentError(str(text))
        return parse_json_with_undefined(text)


class TabularLayout:
    """Tables as tables, rows as rows, values as the one row of a table of their own."""

    def __init__(self, mode: TabularMode, execute: Execute, dialect: Dialect, frame: Frame) -> None:
        self._mode = mode
        self._frame = frame
        self._loads = mode.loads()
        self._saves = mode.saves()
        self._values_table = SaveTable(mode.values_table_name, VALUES_ID_COLUMN, True, True)
        self._commands = Commands(execute, [table.name for table in mode.managed_tables()], dialect)

    def load_steps(self) -> Steps[Any]:
        """The tables that are configured to be loaded, and the values."""
        return (yield from self._commands.transaction_steps(self._read_steps))

    def save_steps(self, get_content: Callable[[], list[Any]], changes: list[Any] | None) -> Steps[None]:
        """Write the tables that are configured to be saved, and the values."""

        def write() -> Steps[None]:
            if changes is None:
                yield from self._write_all_steps(get_content())
            else:
                yield from self._write_changes_steps(changes)

        yield from self._commands.transaction_steps(lambda: self._frame(write()))

    def _read_steps(self) -> Steps[Any]:
        tables: dict[Id, Any] = {}
        for name, load in self._loads.items():
            rows = yield from self._commands.load_table_steps(name, load.row_id_column_name, load.condition)
            if rows:
                tables[load.table_id] = rows
        values: Any = {}
        if self._mode.values_load is not False:
            only = _listed(self._mode.values_load)
            rows = yield from self._commands.load_table_steps(
                self._mode.values_table_name, VALUES_ID_COLUMN, only=only
            )
            values = rows.get(_SINGLE_ROW_ID, UNDEFINED)
        return [tables, values] if tables or values is not UNDEFINED else UNDEFINED

    def _write_all_steps(self, content: list[Any]) -> Steps[None]:
        tables, values = content[0], content[1]
        for table_id, table in self._saves.items():
            yield from self._commands.save_table_steps(table, tables.get(table_id, {}))
        if self._mode.values_save is not False:
            only = _listed(self._mode.values_save)
            row = {_SINGLE_ROW_ID: _subset(values, only)}
            yield from self._commands.save_table_steps(self._values_table, row, only)

    def _write_changes_steps(self, changes: list[Any]) -> Steps[None]:
        tables, values = changes[0], changes[1]
        for table_id, table in self._saves.items():
            if table_id in tables:
                yield from self._commands.save_changes_steps(table, tables[table_id])
        if self._mode.values_save is not False:
            only = _listed(self._mode.values_save)
            row = {_SINGLE_ROW_ID: _subset(values, only)}
            yield from self._commands.save_changes_steps(self._values_table, row, only)


def _listed(choice: bool | Sequence[Id]) -> Sequence[Id] | None:
    return None if isinstance(choice, bool) else choice


def _subset(values: dict[Id, Any], only: Sequence[Id] | None) -> dict[Id, Any]:
    return {id_: value for id_, value in ordered_items(values) if only is None or id_ in only}
