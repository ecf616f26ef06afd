"""One object as a document, and a document as an object: for copies, and for taking objects elsewhere.

The document has what the object keeps, in plain JSON: entries in their stored encoding, tables as their
statements and rows. Both directions run as one event of the object, so that a copy is of one moment, and what
is taken in is there as a whole or not at all.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from typing import Any, Final, TypeAlias

from durabase.durable_objects.storage.sql_text import quoted
from durabase.errors import StorageError
from durabase.web.structured_clone import decode_value, encode_value

__all__ = ["FORMAT", "check_content", "content_of", "put_content"]

FORMAT: Final = "durabase.object/1"

Json: TypeAlias = dict[str, Any]

_SCHEMA: Final = (
    "SELECT type, name, sql FROM sqlite_schema WHERE sql IS NOT NULL "
    "AND name NOT LIKE '\\_cf\\_%' ESCAPE '\\' ORDER BY type = 'table' DESC"
)


async def content_of(ctx: Any) -> Json:
    """What the object keeps.

    Raises:
        StorageError: it has virtual tables, which can't be copied by their rows.
    """
    entries = await ctx.storage.list()
    content: Json = {
        "alarm": await ctx.storage.get_alarm(),
        "entries": {key: b64encode(encode_value(value)).decode() for key, value in entries.items()},
    }
    sql = _sql_of(ctx)
    if sql is None:
        return content
    schema = [
        (row.type, row.name, row.sql) for row in sql.exec(_SCHEMA) if not row.name.startswith("sqlite_")
    ]
    if any(text.upper().startswith("CREATE VIRTUAL") for _, _, text in schema):
        raise StorageError("The object has virtual tables: they can't be exported.")
    return content | {
        "schema": [text for _, _, text in schema],
        "tables": {name: _rows(sql, name) for kind, name, _ in schema if kind == "table"},
    }


def check_content(ctx: Any, content: Json) -> None:
    """See whether the object could keep this.

    Raises:
        StorageError: it is no document of ours, is not whole, or has tables though the class has no SQL.
    """
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise StorageError(f"This is no {FORMAT} document.")
    if not isinstance(content.get("entries"), dict) or "alarm" not in content:
        raise StorageError("The document is not whole: `entries` or `alarm` is missing.")
    if content.get("schema") and _sql_of(ctx) is None:
        raise StorageError("The document has tables; this class keeps keys and values only.")


async def put_content(ctx: Any, content: Json) -> None:
    """Let the object keep this, and nothing else. What this raises has to end the object's life: part of it
    may have been written in the current turn."""
    sql = _sql_of(ctx)
    await ctx.storage.delete_all()
    if sql is not None:
        ctx.storage.transaction_sync(lambda: _put_tables(sql, content))
    entries = {key: decode_value(b64decode(text)) for key, text in content["entries"].items()}
    if entries:
        await ctx.storage.put(entries)
    if content["alarm"] is not None:
        await ctx.storage.set_alarm(content["alarm"])


def _sql_of(ctx: Any) -> Any:
    try:
        return ctx.storage.sql
    except StorageError:  # keys and values only
        return None


def _rows(sql: Any, table: str) -> Json:
    cursor = sql.exec(f"SELECT * FROM {quoted(table)}")  # noqa: S608
    return {"columns": cursor.column_names, "rows": [list(map(_plain, row)) for row in cursor.raw()]}


def _put_tables(sql: Any, content: Json) -> None:
    """Tables first, then their rows, then what refers to them: triggers must not run for the rows."""
    schema = content.get("schema", [])
    for text in schema:
        if text.upper().startswith("CREATE TABLE"):
            sql.exec(text)
    for name, table in content.get("tables", {}).items():
        columns = ", ".join(map(quoted, table["columns"]))
        marks = ", ".join("?" * len(table["columns"]))
        for row in table["rows"]:
            sql.exec(f"INSERT INTO {quoted(name)} ({columns}) VALUES ({marks})", *map(_bound, row))  # noqa: S608
    for text in schema:
        if not text.upper().startswith("CREATE TABLE"):
            sql.exec(text)


def _plain(value: Any) -> Any:
    return {"bytes": b64encode(value).decode()} if isinstance(value, bytes) else value


def _bound(value: Any) -> Any:
    return b64decode(value["bytes"]) if isinstance(value, dict) else value
