"""The statements that load and save tables, as TinyBase 10.0.1 writes them.

A :class:`Commands` knows the columns of the tables it manages, as they were when its transaction began,
and runs statements through a function that it is given, plain or asynchronous. It knows nothing of stores.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, TypeAlias, TypeVar

from durabase._codec import js_string, json_text, ordered_items
from durabase.errors import ContentError
from durabase.mergeable.hashes import get_hash
from durabase.persisters._database.config import ANY_ROW, SaveTable
from durabase.persisters._database.dialect import Dialect
from durabase.persisters._steps import Steps
from durabase.types import UNDEFINED, Id

__all__ = ["Commands", "Execute", "SqlRow", "quoted"]

T = TypeVar("T")
SqlRow: TypeAlias = Mapping[str, Any]
Execute: TypeAlias = Callable[[str, Sequence[Any] | None], object]
"""``execute(sql, params)``: the rows of the result, or an awaitable of them; ``None`` for no parameters."""
_Rows: TypeAlias = Mapping[Id, Any]

_MAX_LISTED_IDS: Final = 500


class Commands:
    """Loads and saves managed tables within transactions."""

    def __init__(self, execute: Execute, managed_tables: Sequence[str], dialect: Dialect) -> None:
        self._execute = execute
        self._managed_tables = managed_tables
        self._dialect = dialect
        self._columns: dict[str, list[str]] = {}
        self._unique_columns: dict[str, set[str]] = {}

    def transaction_steps(self, work: Callable[[], Steps[T]]) -> Steps[T]:
        """Do ``work`` in a transaction, with fresh knowledge of the schema; undo it if it fails."""
        yield self._execute("BEGIN", None)
        try:
            yield from self._refresh_schema_steps()
            result = yield from work()
            yield self._execute("END", None)
        except BaseException:
            yield from self._roll_back_steps()
            raise
        return result

    def load_table_steps(
        self, table_name: str, id_column: str, condition: str = ANY_ROW, only: Iterable[str] | None = None
    ) -> Steps[dict[Id, dict[str, Any]]]:
        """The rows that meet the condition, by id, each with its other columns (only these, if given).

        Raises:
            ContentError: what a column holds can't be decoded, or there are rows but no column of ids.
        """
        if table_name not in self._columns:
            return {}
        rows: Any = yield self._execute(
            f"SELECT*FROM{quoted(table_name)}{_where(table_name, condition)}", None
        )
        included = None if only is None else set(only)
        table: dict[Id, dict[str, Any]] = {}
        for row in rows:
            if id_column not in row:
                raise ContentError(f"table {table_name!r} has rows but no column of ids, {id_column!r}")
            cells = {
                name: self._decoded(value, table_name, name)
                for name, value in row.items()
                if name != id_column and (included is None or name in included)
            }
            if cells:
                table[js_string(row[id_column])] = cells
        return table

    def save_table_steps(
        self, table: SaveTable, rows: _Rows, only: Sequence[str] | None = None
    ) -> Steps[None]:
        """Make the table hold exactly these rows; with ``only``, touch only these columns."""
        name, names = table.table_name, _column_names(rows.values(), only)
        if not names and only is None and name in self._columns and _may_drop(table):
            yield self._execute(f"DROP TABLE{quoted(name)}", None)
            del self._columns[name]
            return
        surplus = self._surplus_columns(table, names, only) if table.delete_empty_columns else []
        if names:
            yield from self._prepare_table_steps(table, names)
        for column in surplus:
            yield self._execute(f"ALTER TABLE{quoted(name)}DROP{quoted(column)}", None)
            self._columns[name].remove(column)
        if names:
            yield from self._replace_rows_steps(table, rows, only)
        elif only is None:
            yield from self._delete_rows_steps(table)

    def save_changes_steps(
        self, table: SaveTable, changed_rows: Any, only: Sequence[str] | None = None
    ) -> Steps[None]:
        """Write changed rows; ``UNDEFINED`` for a row, or for all of them, is a deletion."""
        if changed_rows is UNDEFINED:
            yield from self._delete_rows_steps(table)
            return
        names = _column_names(changed_rows.values(), only)
        if names:
            yield from self._prepare_table_steps(table, names)
        for row_id, row in ordered_items(changed_rows):
            columns = _column_names([row], only)
            if columns:
                yield from self._upsert_steps(table, columns, [[row_id, *self._values_of(row, columns)]])
            elif row is UNDEFINED:
                matching = f"({quoted(table.row_id_column_name)}={self._dialect.placeholder(1)})"
                yield from self._delete_rows_steps(table, matching, [row_id])

    # The schema

    def _refresh_schema_steps(self) -> Steps[None]:
        self._columns.clear()
        self._unique_columns.clear()
        names = self._managed_tables
        sql = self._dialect.schema_sql.format(self._dialect.placeholders(len(names)))
        rows: Any = yield self._execute(sql, names)
        for row in rows:
            self._columns.setdefault(row["tn"], []).append(row["cn"])
            if row["uq"]:
                self._unique_columns.setdefault(row["tn"], set()).add(row["cn"])

    def _surplus_columns(
        self, table: SaveTable, names: Sequence[str], only: Sequence[str] | None
    ) -> list[str]:
        kept = {table.row_id_column_name, *names}
        return [
            column
            for column in self._columns.get(table.table_name, ())
            if column not in kept and (only is None or column in only)
        ]

    def _prepare_table_steps(self, table: SaveTable, names: Sequence[str]) -> Steps[None]:
        if table.table_name in self._columns:
            yield from self._extend_table_steps(table, names)
        else:
            yield from self._create_table_steps(table, names)

    def _create_table_steps(self, table: SaveTable, names: Sequence[str]) -> Steps[None]:
        name, id_column, type_ = table.table_name, table.row_id_column_name, self._dialect.column_type
        columns = "".join(f",{quoted(column)}{type_}" for column in names)
        yield self._execute(
            f"CREATE TABLE{quoted(name)}({quoted(id_column)}{type_} PRIMARY KEY{columns});", None
        )
        self._columns[name] = [id_column, *names]
        self._unique_columns[name] = {id_column}

    def _extend_table_steps(self, table: SaveTable, names: Sequence[str]) -> Steps[None]:
        name, id_column = table.table_name, table.row_id_column_name
        existing = self._columns[name]
        for column in (id_column, *names):
            if column not in existing:
                type_ = self._dialect.column_type
                yield self._execute(f"ALTER TABLE{quoted(name)}ADD{quoted(column)}{type_}", None)
                existing.append(column)
        unique = self._unique_columns.setdefault(name, set())
        if id_column not in unique:
            index = quoted(f"tinybase_pk_{get_hash(json_text([name, id_column]))}")
            yield self._execute(
                f"CREATE UNIQUE INDEX IF NOT EXISTS{index}ON{quoted(name)}({quoted(id_column)})", None
            )
            unique.add(id_column)

    # Rows

    def _replace_rows_steps(self, table: SaveTable, rows: _Rows, only: Sequence[str] | None) -> Steps[None]:
        columns = [
            column
            for column in self._columns[table.table_name]
            if column != table.row_id_column_name and (only is None or column in only)
        ]
        records = [[row_id, *self._values_of(row, columns)] for row_id, row in ordered_items(rows)]
        yield from self._upsert_steps(table, columns, records)
        yield from self._delete_others_steps(table, [record[0] for record in records])

    def _delete_others_steps(self, table: SaveTable, ids: list[Id]) -> Steps[None]:
        column = quoted(table.row_id_column_name)
        if len(ids) <= _MAX_LISTED_IDS:
            matching = f"{column}NOT IN({self._dialect.placeholders(len(ids))})"
            yield from self._delete_rows_steps(table, matching, ids)
        else:
            matching = self._dialect.unlisted_sql.format(column=column)
            yield from self._delete_rows_steps(table, matching, [json_text(ids)])

    def _upsert_steps(self, table: SaveTable, columns: Sequence[str], records: list[Any]) -> Steps[None]:
        id_column, width = quoted(table.row_id_column_name), len(columns) + 1
        names = ",".join(map(quoted, columns))
        updates = ",".join(f"{quoted(column)}=excluded.{quoted(column)}" for column in columns)
        for batch in _batches(records, max(1, self._dialect.max_parameters // width)):
            rows = (f"({self._dialect.placeholders(width, 1 + width * n)})" for n in range(len(batch)))
            yield self._execute(
                f"INSERT INTO{quoted(table.table_name)}({id_column},{names})VALUES{','.join(rows)}"
                f"ON CONFLICT({id_column})DO UPDATE SET{updates}",
                [value for record in batch for value in record],
            )

    def _delete_rows_steps(
        self, table: SaveTable, matching: str | None = None, params: list[Any] | None = None
    ) -> Steps[None]:
        name = table.table_name
        if name in self._columns:
            where = _where(name, table.condition, matching)
            yield self._execute(f"DELETE FROM{quoted(name)}{where}", params)

    def _values_of(self, row: Mapping[str, Any], columns: Sequence[str]) -> list[Any]:
        encode = self._dialect.encode
        return [encode(row.get(column, UNDEFINED)) for column in columns]

    def _decoded(self, stored: Any, table_name: str, column: str) -> Any:
        try:
            return self._dialect.decode(stored)
        except ValueError as error:
            raise ContentError(
                f"column {column!r} of table {table_name!r} holds {stored!r}: {error}"
            ) from error

    def _roll_back_steps(self) -> Steps[None]:
        try:
            yield self._execute("ROLLBACK", None)
        except Exception:  # noqa: S110 - what made it roll back is what the caller must hear of
            pass


def quoted(identifier: str) -> str:
    """An identifier, or several with dots between, as it stands in a statement."""
    return ".".join('"' + part.replace('"', '""') + '"' for part in identifier.split("."))


def _may_drop(table: SaveTable) -> bool:
    return table.delete_empty_table and table.condition in (None, ANY_ROW)


def _where(table_name: str, condition: str | None, extra: str | None = None) -> str:
    conditions = []
    if condition is not None and condition != ANY_ROW:
        conditions.append(f"({condition.replace('$tableName', quoted(table_name))})")
    if extra is not None:
        conditions.append(extra)
    return f"WHERE{'AND'.join(conditions)}" if conditions else ""


def _column_names(rows: Iterable[Any], only: Sequence[str] | None) -> list[str]:
    """The ids of all cells, each once, in the order in which they come."""
    names: dict[str, None] = {}
    for row in rows:
        if row is not UNDEFINED:
            names.update((name, None) for name, _ in ordered_items(row) if only is None or name in only)
    return list(names)


def _batches(records: list[Any], size: int) -> Iterator[list[Any]]:
    return (records[start : start + size] for start in range(0, len(records), size))
