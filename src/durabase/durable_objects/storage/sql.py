"""``ctx.storage.sql``: SQL on the object's own database.

Follows the original: several statements in one call, the first row at once and the others when asked for,
positional parameters. Differently from there, integers are bound and come back as integers, booleans as
0 and 1, and what is neither number, text, bytes nor ``None`` is refused.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final, NamedTuple, Protocol, TypeAlias

from durabase._names import js_names
from durabase.durable_objects.storage.sql_policy import TRANSACTION_WORDS, allows, takes_our_name
from durabase.durable_objects.storage.sql_text import first_word, positional, statements
from durabase.durable_objects.storage.strict import as_bound, as_row
from durabase.errors import StorageError, StorageFileError
from durabase.types import UNDEFINED
from durabase.web.attribute_dict import AttributeDict
from durabase.web.byte_string import ByteString

__all__ = ["RawIterator", "SqlCursor", "SqlStep", "SqlStorage"]

_READ_ONLY_WORDS: Final = frozenset(("SELECT", "EXPLAIN", "VALUES"))
_WRITING_WORDS: Final = frozenset(("INSERT", "REPLACE", "UPDATE", "DELETE"))
_OWN: Final = "/*object*/"
"""Before each statement of an object's, so that none is the text of one of ours that is prepared already."""


_NO_TRANSACTIONS: Final = (
    "To execute a transaction, please use the state.storage.transaction() or state.storage.transactionSync() "
    "APIs instead of the SQL BEGIN TRANSACTION or SAVEPOINT statements. The JavaScript API is safer because "
    "it will automatically roll back on exceptions, and because it interacts correctly with Durable Objects' "
    "automatic atomic write coalescing."
)
_NO_PARAMETERS: Final = (
    "When executing multiple SQL statements in a single call, only the last statement can have parameters."
)


_Row: TypeAlias = tuple[Any, ...]


class SqlFile(Protocol):
    """The file that statements run on."""

    generation: int

    def connection(self) -> sqlite3.Connection:
        """The connection, with a transaction open."""

    def ran(self, statement: str, rows: int) -> None:
        """A statement that may write has run, and has written so many rows."""

    def failure(self, error: Exception) -> StorageError:
        """The error for what SQLite raised."""

    def size(self) -> int:
        """Bytes of the pages in use."""


class SqlStep(NamedTuple):
    """What ``next()`` gives: ``value``, unless it is ``done``."""

    done: bool
    value: Any = None


@js_names
class SqlStorage:
    """SQL on one object's database.

    Args:
        file: where it runs.
        check_alive: raises when the life is over.
        is_strict: parameters and results are as on Cloudflare.
    """

    def __init__(self, file: SqlFile, check_alive: Callable[[], None], *, is_strict: bool = False) -> None:
        self._file = file
        self._is_strict = is_strict
        self._check_alive = check_alive

    @property
    def database_size(self) -> int:
        """Bytes that the database takes."""
        self._check_alive()
        return self._file.size()

    def exec(self, query: str, *bindings: Any) -> SqlCursor:
        """Run the statements of ``query``; ``bindings`` are the last one's parameters, by position.

        Returns:
            a cursor over the last one's rows, of which the first is there already.

        Raises:
            StorageError: what is wrong with a statement; those before it have run.
            TypeError: a binding is of a type that SQL does not know.
        """
        self._check_alive()
        values = [_bound(as_bound(value) if self._is_strict else value) for value in bindings]
        *before, last = statements(query)
        for statement in before:
            self._run(statement, ()).close()
        return self._run(last, values, is_last=True)

    def _run(self, statement: str, values: Any, *, is_last: bool = False) -> SqlCursor:
        word = first_word(statement)
        if word in TRANSACTION_WORDS:
            raise StorageError(_NO_TRANSACTIONS)
        if word == "ALTER" and takes_our_name(statement):
            raise StorageError("not authorized: SQLITE_AUTH")
        text, arguments = _arranged(statement, values, is_last)
        connection = self._file.connection()
        changes = connection.total_changes
        connection.set_authorizer(_authorizer)
        try:
            cursor = connection.execute(_OWN + text, arguments)
            # SQLite counts what a statement has written when that ends.
            rows = _Rows(cursor) if word in _WRITING_WORDS else cursor
        except (sqlite3.Error, OverflowError) as error:
            raise self._file.failure(error) from None
        finally:
            connection.set_authorizer(None)
        written = connection.total_changes - changes
        if word not in _READ_ONLY_WORDS:
            self._file.ran(statement, written)
        plain = as_row if self._is_strict else _as_given
        return SqlCursor(self._file, rows, written, plain)


def _authorizer(
    action: int, first: str | None, second: str | None, database: str | None, source: str | None
) -> int:
    return sqlite3.SQLITE_OK if allows(action, first, second, database) else sqlite3.SQLITE_DENY


def _bound(value: Any) -> Any:
    if value is None or value is UNDEFINED:
        return None
    if isinstance(value, str):
        return value.encode("utf-8", "surrogatepass").decode("utf-8", "replace")
    if isinstance(value, (bool, int, float)):
        return value
    if isinstance(value, (bytes, bytearray, memoryview)):
        return bytes(value)
    raise TypeError(f"a value of type {type(value).__name__} can't be bound to a parameter of SQL")


def _as_given(row: _Row) -> _Row:
    if bytes not in map(type, row):
        return row
    return tuple(ByteString(value) if type(value) is bytes else value for value in row)


def _arranged(statement: str, values: Sequence[Any], is_last: bool) -> tuple[str, list[Any]]:
    """The statement with plain parameters only, and the value of each of them."""
    text, order = positional(statement)
    if order and not is_last:
        raise StorageError(_NO_PARAMETERS)
    if len(values) != max(order, default=0) or min(order, default=1) < 1:
        raise StorageError("Wrong number of parameter bindings for SQL query.")
    return text, [values[number - 1] for number in order]


def sql_error(error: Exception) -> StorageError:
    """The error for a failure of SQLite: its text and its code's name, as the original has it."""
    code = getattr(error, "sqlite_errorcode", None)
    if code is None:
        return StorageError(_OWN_TEXTS.get(str(error), str(error)))
    name, extended = _CODE_NAMES.get(code & 0xFF, "SQLITE_ERROR"), getattr(error, "sqlite_errorname", "")
    kind = StorageFileError if code & 0xFF in _FILE_CODES else StorageError
    return kind(f"{error}: {name}" + (f" (extended: {extended})" if extended != name else ""))


_CODE_NAMES: Final = {
    getattr(sqlite3, name): name
    for name in (
        "SQLITE_INTERNAL",
        "SQLITE_PERM",
        "SQLITE_ABORT",
        "SQLITE_BUSY",
        "SQLITE_LOCKED",
        "SQLITE_NOMEM",
        "SQLITE_READONLY",
        "SQLITE_INTERRUPT",
        "SQLITE_IOERR",
        "SQLITE_CORRUPT",
        "SQLITE_NOTFOUND",
        "SQLITE_FULL",
        "SQLITE_CANTOPEN",
        "SQLITE_PROTOCOL",
        "SQLITE_SCHEMA",
        "SQLITE_TOOBIG",
        "SQLITE_CONSTRAINT",
        "SQLITE_MISMATCH",
        "SQLITE_MISUSE",
        "SQLITE_AUTH",
        "SQLITE_RANGE",
        "SQLITE_NOTADB",
    )
}
"""SQLite's result codes; other constants of it have the same numbers."""
_OWN_TEXTS: Final = {"query string is too large": "statement too long: SQLITE_TOOBIG"}
"""What Python says before SQLite would."""

_FILE_CODES: Final = frozenset((sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_IOERR))
"""What tells that the file is no good, rather than the statement."""


class _Rows:
    """The rows of a statement that writes, all of them: it has to run to its end to be counted."""

    def __init__(self, cursor: sqlite3.Cursor) -> None:
        self.description = cursor.description
        self._rows = iter(cursor.fetchall())

    def fetchone(self) -> tuple[Any, ...] | None:
        return next(self._rows, None)

    def close(self) -> None:
        self._rows = iter(())


@js_names
class SqlCursor:
    """The rows of one statement, as dicts whose keys are attributes as well.

    Attributes:
        column_names: the names of the columns; a name may repeat.
        rows_read: rows that were given so far.
        rows_written: rows that the statement inserted, updated or deleted.
    """

    column_names: list[str]
    rows_read: int
    rows_written: int

    def __init__(
        self,
        file: SqlFile,
        rows: sqlite3.Cursor | _Rows,
        written: int,
        plain: Callable[[_Row], _Row],
    ) -> None:
        self.column_names = [column[0] for column in rows.description or ()]
        self.rows_read = 0
        self.rows_written = written
        self._file = file
        self._generation = file.generation
        self._rows = rows
        self._plain = plain

    def next(self) -> SqlStep:
        """The next row, or that there is none."""
        row = self._next_row()
        return SqlStep(True) if row is None else SqlStep(False, self._as_dict(row))

    def to_array(self) -> list[AttributeDict]:
        """All rows that are left."""
        return list(self)

    def one(self) -> AttributeDict:
        """The only row.

        Raises:
            StorageError: there is none, or another one.
        """
        row = self._next_row()
        if row is None:
            raise StorageError("Expected exactly one result from SQL query, but got no results.")
        if self._next_row() is not None:
            raise StorageError("Expected exactly one result from SQL query, but got multiple results.")
        return self._as_dict(row)

    def raw(self) -> RawIterator:
        """The rows that are left as lists; it moves on together with this cursor."""
        return RawIterator(self._next_row)

    def close(self) -> None:
        """Let go of the rows that are left."""
        self._rows.close()

    def __iter__(self) -> Iterator[AttributeDict]:
        return self

    def __next__(self) -> AttributeDict:
        row = self._next_row()
        if row is None:
            raise StopIteration
        return self._as_dict(row)

    def _as_dict(self, row: tuple[Any, ...]) -> AttributeDict:
        return AttributeDict(zip(self.column_names, row, strict=True))

    def _next_row(self) -> tuple[Any, ...] | None:
        if self._generation != self._file.generation:
            raise StorageError("The SQL cursor is not valid any more: everything was deleted.")
        try:
            row: _Row | None = self._rows.fetchone()
        except sqlite3.Error as error:
            raise sql_error(error) from None
        if row is None:
            return None
        self.rows_read += 1
        return self._plain(row)


@js_names
class RawIterator:
    """Rows as lists of values."""

    def __init__(self, next_row: Callable[[], tuple[Any, ...] | None]) -> None:
        self._next_row = next_row

    def next(self) -> SqlStep:
        """The next row, or that there is none."""
        row = self._next_row()
        return SqlStep(True) if row is None else SqlStep(False, list(row))

    def to_array(self) -> list[list[Any]]:
        """All rows that are left."""
        return list(self)

    def __iter__(self) -> Iterator[list[Any]]:
        return self

    def __next__(self) -> list[Any]:
        row = self._next_row()
        if row is None:
            raise StopIteration
        return list(row)
