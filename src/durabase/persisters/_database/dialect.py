"""How the SQL of one kind of database differs from that of the others.

The statements themselves, in :mod:`~durabase.persisters._database.commands`, are the same for all.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Final, TypeVar

from durabase._codec import json_text, parse_json
from durabase.types import UNDEFINED

__all__ = ["POSTGRES", "SQLITE", "Dialect"]

T = TypeVar("T")


def _unchanged(value: T) -> T:
    return value


@dataclass(frozen=True, slots=True)
class Dialect:
    """One kind of SQL.

    ``schema_sql``: finds the columns of some tables, as rows of table ``tn``, column ``cn``, and ``uq``,
    whether the column alone is unique; ``{}`` stands for the placeholders of the tables' names.
    ``column_type``: of every column that is made. ``placeholder``: the text for the nth parameter, from 1.
    ``max_parameters``: as many as one statement takes. ``unlisted_sql``: a condition that a column's value is
    not in a JSON array of strings. ``encode``, ``decode``: a cell or value as it is stored, and back.
    """

    schema_sql: str
    column_type: str
    placeholder: Callable[[int], str]
    max_parameters: int
    unlisted_sql: str
    encode: Callable[[Any], Any]
    decode: Callable[[Any], Any] = _unchanged

    def placeholders(self, count: int, start: int = 1) -> str:
        """As many placeholders, with commas."""
        return ",".join(map(self.placeholder, range(start, start + count)))

    def verbatim(self) -> Dialect:
        """The same for texts that are to be stored as they are."""
        return replace(self, encode=_unchanged, decode=_unchanged)


def _sqlite_value(thing: Any) -> Any:
    if thing is UNDEFINED:
        return None
    if isinstance(thing, bool):
        return int(thing)
    if isinstance(thing, int) and not -(2**63) <= thing < 2**63:
        return float(thing)
    return thing


def _from_sqlite_value(stored: Any) -> Any:
    """The drivers of JavaScript store every number as a real one; here, whole ones are ``int``."""
    return int(stored) if isinstance(stored, float) and stored.is_integer() else stored


def _json_cell(thing: Any) -> str | None:
    return None if thing is UNDEFINED else json_text(thing)


def _from_json_cell(stored: Any) -> Any:
    """What a cell of any column type says; as JavaScript does it, everything is text to be parsed."""
    if stored is None or isinstance(stored, (bool, int, float)):
        return stored
    return parse_json(stored if isinstance(stored, str) else str(stored))


SQLITE: Final = Dialect(
    schema_sql=(
        "SELECT t.name tn,c.name cn,c.pk OR EXISTS(SELECT 1 FROM pragma_index_list(t.name)i,"
        'pragma_index_info(i.name)ii WHERE i."unique"=1 AND ii.name=c.name AND(SELECT count(*) FROM '
        "pragma_index_info(i.name))=1)uq FROM pragma_table_list()t,pragma_table_info(t.name)c WHERE "
        "t.schema='main'AND t.type IN('table','view')AND t.name IN({})ORDER BY t.name,c.name"
    ),
    column_type="",
    placeholder=lambda _: "?",
    max_parameters=30_000,  # SQLite takes 32,766
    unlisted_sql="{column}NOT IN(SELECT value FROM json_each(?))",
    encode=_sqlite_value,
    decode=_from_sqlite_value,
)

POSTGRES: Final = Dialect(
    # The original asks information_schema, which is many times slower and knows constraints only
    schema_sql=(
        "SELECT c.relname tn,a.attname cn,EXISTS(SELECT 1 FROM pg_index i WHERE i.indrelid=c.oid AND "
        "i.indisunique AND i.indpred IS NULL AND i.indnkeyatts=1 AND i.indkey[0]=a.attnum)uq FROM pg_class c "
        "JOIN pg_attribute a ON a.attrelid=c.oid AND a.attnum>0 AND NOT a.attisdropped WHERE "
        "c.relnamespace='public'::regnamespace AND c.relkind IN('r','p','v','m','f')AND c.relname IN({})"
        "ORDER BY c.relname,a.attnum"
    ),
    column_type="text",
    placeholder=lambda number: f"${number}",
    max_parameters=65_535,
    unlisted_sql="{column}::text NOT IN(SELECT json_array_elements_text($1::json))",
    encode=_json_cell,
    decode=_from_json_cell,
)
