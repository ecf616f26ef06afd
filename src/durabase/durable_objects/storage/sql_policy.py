"""What SQL an object may run, as rules for SQLite's authorizer, and within which limits."""

from __future__ import annotations

import re
import sqlite3
from dataclasses import dataclass
from typing import Final

__all__ = ["TRANSACTION_WORDS", "FileRules", "allows", "takes_our_name"]

TRANSACTION_WORDS: Final = frozenset(("BEGIN", "COMMIT", "END", "ROLLBACK", "SAVEPOINT", "RELEASE"))

MAX_ROW_BYTES: Final = 2_202_009

LIMITS: Final = {
    sqlite3.SQLITE_LIMIT_LENGTH: MAX_ROW_BYTES,
    sqlite3.SQLITE_LIMIT_SQL_LENGTH: 100_000,
    sqlite3.SQLITE_LIMIT_COLUMN: 100,
    sqlite3.SQLITE_LIMIT_EXPR_DEPTH: 100,
    sqlite3.SQLITE_LIMIT_COMPOUND_SELECT: 5,
    sqlite3.SQLITE_LIMIT_FUNCTION_ARG: 127,
    sqlite3.SQLITE_LIMIT_ATTACHED: 0,
    sqlite3.SQLITE_LIMIT_LIKE_PATTERN_LENGTH: 50,
    sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER: 100,
    sqlite3.SQLITE_LIMIT_TRIGGER_DEPTH: 10,
}

_FREE: Final = frozenset(
    (
        sqlite3.SQLITE_SELECT,
        sqlite3.SQLITE_RECURSIVE,
        sqlite3.SQLITE_ANALYZE,
        sqlite3.SQLITE_REINDEX,
    )
)
_NAMED: Final = frozenset(
    (
        sqlite3.SQLITE_READ,
        sqlite3.SQLITE_INSERT,
        sqlite3.SQLITE_UPDATE,
        sqlite3.SQLITE_DELETE,
        sqlite3.SQLITE_CREATE_TABLE,
        sqlite3.SQLITE_CREATE_INDEX,
        sqlite3.SQLITE_CREATE_VIEW,
        sqlite3.SQLITE_CREATE_TRIGGER,
        sqlite3.SQLITE_DROP_TABLE,
        sqlite3.SQLITE_DROP_INDEX,
        sqlite3.SQLITE_DROP_VIEW,
        sqlite3.SQLITE_DROP_TRIGGER,
        sqlite3.SQLITE_ALTER_TABLE,
    )
)
_ALTERING: Final = frozenset((sqlite3.SQLITE_READ, sqlite3.SQLITE_UPDATE))
"""What ``ALTER TABLE`` does to the schema of the temporary database; statements themselves can't write it."""
_VIRTUAL: Final = frozenset((sqlite3.SQLITE_CREATE_VTABLE, sqlite3.SQLITE_DROP_VTABLE))
_MODULES: Final = frozenset(("fts5", "fts5vocab"))

_READ_PRAGMAS: Final = frozenset(
    ("data_version", "table_list", "quick_check", "foreign_key_check", "optimize")
)
_TABLE_PRAGMAS: Final = frozenset(
    ("table_info", "table_xinfo", "index_info", "index_list", "index_xinfo", "foreign_key_list")
)
_SWITCH_PRAGMAS: Final = frozenset(
    (
        "foreign_keys",
        "defer_foreign_keys",
        "case_sensitive_like",
        "ignore_check_constraints",
        "legacy_alter_table",
        "recursive_triggers",
        "reverse_unordered_selects",
    )
)
_SWITCHES: Final = frozenset(("on", "off", "true", "false", "yes", "no", "0", "1"))

_RENAME: Final = re.compile(r"\bTO\b(?:\s|--[^\n]*|/\*.*?\*/)*[\"'`\[]?_cf_", re.IGNORECASE | re.DOTALL)

_FORBIDDEN_FUNCTIONS: Final = frozenset(
    (
        "fts3_tokenizer",
        "load_extension",
        "sqlite_compileoption_get",
        "sqlite_compileoption_used",
        "sqlite_log",
        "sqlite_offset",
        "sqlite_source_id",
        "sqlite_version",
    )
)


@dataclass(frozen=True, slots=True)
class FileRules:
    """How much the file of an object may hold.

    Attributes:
        max_row_bytes: the largest row, text or blob.
        max_database_bytes: the largest file; beyond it, writes fail with ``SQLITE_FULL``.
    """

    max_row_bytes: int = MAX_ROW_BYTES
    max_database_bytes: int = 10 * 1024**3

    def apply(self, connection: sqlite3.Connection) -> None:
        """Make them hold for this connection."""
        for limit, value in LIMITS.items():
            connection.setlimit(limit, value)
        connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, self.max_row_bytes)
        (page_size,) = connection.execute("PRAGMA page_size").fetchone()
        connection.execute(f"PRAGMA max_page_count = {max(1, self.max_database_bytes // page_size)}")


def allows(action: int, first: str | None, second: str | None, database: str | None) -> bool:
    """Whether a statement may do this; the arguments are those of SQLite's authorizer."""
    if database == "temp":
        return action in _ALTERING and first == "sqlite_temp_master"
    if action in _FREE:
        return True
    if action in _NAMED:
        return not _is_ours(first) and not _is_ours(second)
    if action in _VIRTUAL:
        return not _is_ours(first) and (second or "").lower() in _MODULES
    if action == sqlite3.SQLITE_FUNCTION:
        return (second or "").lower() not in _FORBIDDEN_FUNCTIONS
    if action == sqlite3.SQLITE_PRAGMA:
        return _allows_pragma((first or "").lower(), second)
    return False


def takes_our_name(statement: str) -> bool:
    """Whether this is an ``ALTER TABLE`` to a name of ours, of which the authorizer is not told."""
    return _RENAME.search(statement) is not None


def _is_ours(name: str | None) -> bool:
    return name is not None and name.lower().startswith("_cf_")


def _allows_pragma(name: str, argument: str | None) -> bool:
    if name in _SWITCH_PRAGMAS:
        return argument is None or argument.lower() in _SWITCHES
    if name in _TABLE_PRAGMAS:
        return not _is_ours(argument)
    return name in _READ_PRAGMAS
