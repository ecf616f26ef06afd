"""The triggers by which PostgreSQL tells of changes to managed tables.

The channel ``tinybase_<hash of the configuration>`` and the payloads, ``d:<table>`` for changed data and
``c:<table>`` for a new table, are TinyBase 10.0.1's. Three things differ, so that several processes, of the
original's or of ours, can follow one database:

* Functions and triggers have names of their own, ``durabase_…``. The original fails if its own exist.
* Whoever follows holds a shared advisory lock, and who finds none left removes the functions; the original
  removes them when one process has no more listeners.
* A table that is dropped or truncated counts as changed, and so do tables whose names need quoting.
"""

from __future__ import annotations

from typing import Any, Final

from durabase._codec import json_text_with_undefined
from durabase.mergeable.hashes import get_hash
from durabase.persisters._database.commands import Execute, quoted
from durabase.persisters._database.config import ManagedTable, Mode
from durabase.persisters._steps import Steps

__all__ = ["Triggers"]

_FUNCTION_SQL: Final = (
    "CREATE OR REPLACE FUNCTION{name}()RETURNS {type} AS $$ DECLARE row record;BEGIN {body}END;$$ "
    "LANGUAGE plpgsql;"
)
_NOTIFY_SQL: Final = "PERFORM pg_notify('{channel}',{payload});"
_EACH_SQL: Final = (
    "FOR row IN SELECT {name} AS name FROM {source} WHERE object_type='table'AND schema_name='public'"
    "LOOP {notify}END LOOP;"
)
_CREATED_SOURCE: Final = "pg_event_trigger_ddl_commands()e JOIN pg_class c ON c.oid=e.objid"
_DROPPED_SOURCE: Final = "pg_event_trigger_dropped_objects()"
_LOCKS_SQL: Final = (
    "SELECT 1 FROM pg_locks WHERE locktype='advisory'AND classid={}::oid AND objid=2 AND objsubid=2 "
    "AND database=(SELECT oid FROM pg_database WHERE datname=current_database())"
)
_OWN_LOCK: Final = "AND pid=pg_backend_pid()"


class Triggers:
    """Installs and removes what one configuration needs, as statements outside of any transaction.

    ``channel``: where PostgreSQL notifies.
    """

    def __init__(self, execute: Execute, mode: Mode) -> None:
        self._execute = execute
        self._tables = {table.name: table for table in mode.managed_tables()}
        self._hash = get_hash(json_text_with_undefined(mode.identity()))
        self.channel = f"tinybase_{self._hash}"

    def is_managed(self, table_name: str) -> bool:
        """Whether this is about a table."""
        return table_name in self._tables

    def install_steps(self, is_restoring: bool = False) -> Steps[Exception | None]:
        """Make everything that is not there yet, missing tables included.

        ``is_restoring``: this has been done before, but perhaps in a session that is no more.

        Returns:
            What keeps tables that are made or dropped later from being followed, for not every role may make
            event triggers. The rest works without.
        """
        yield self._lock("pg_advisory_lock", 1)
        try:
            unless_held = f" WHERE NOT EXISTS({self._locks(_OWN_LOCK)})" if is_restoring else ""
            yield self._lock("pg_advisory_lock_shared", 2, unless_held)
            yield self._make_function("d", "trigger", self._notify("'d:'||TG_TABLE_NAME") + "RETURN NULL;")
            for table in self._tables.values():
                id_column = quoted(table.row_id_column_name)
                yield self._execute(
                    f"CREATE TABLE IF NOT EXISTS{quoted(table.name)}({id_column}text PRIMARY KEY)", None
                )
                yield from self.watch_steps(table.name)
            return (yield from self._try_event_triggers_steps())
        finally:
            yield self._lock("pg_advisory_unlock", 1)

    def watch_steps(self, table_name: str) -> Steps[None]:
        """Have changes to one table notified."""
        table = self._tables[table_name]
        new, old = _condition(table, "NEW"), _condition(table, "OLD")
        yield self._make_trigger(table_name, "INSERT", f"ROW WHEN({new})")
        yield self._make_trigger(table_name, "DELETE", f"ROW WHEN({old})")
        yield self._make_trigger(table_name, "UPDATE", f"ROW WHEN({new} OR {old})")
        yield self._make_trigger(table_name, "TRUNCATE", "STATEMENT ")

    def remove_steps(self) -> Steps[None]:
        """Take everything away, unless somebody else follows with the same configuration."""
        yield self._lock("pg_advisory_lock", 1)
        try:
            yield self._lock("pg_advisory_unlock_shared", 2)
            holders: Any = yield self._execute(self._locks(), None)
            if not holders:
                names = ",".join(map(self._name, "dcx"))
                yield self._execute(f"DROP FUNCTION IF EXISTS{names}CASCADE", None)
        finally:
            yield self._lock("pg_advisory_unlock", 1)

    def _try_event_triggers_steps(self) -> Steps[Exception | None]:
        made = self._notify("'c:'||row.name")
        gone = self._notify("'d:'||row.name")
        tags = "'CREATE TABLE','CREATE TABLE AS','SELECT INTO'"
        try:
            yield from self._event_trigger_steps(
                "c", "ddl_command_end", tags, "c.relname", _CREATED_SOURCE, made
            )
            yield from self._event_trigger_steps(
                "x", "sql_drop", "'DROP TABLE'", "object_name", _DROPPED_SOURCE, gone
            )
        except Exception as error:
            return error
        return None

    def _event_trigger_steps(
        self, kind: str, event: str, tags: str, column: str, source: str, notify: str
    ) -> Steps[None]:
        name, body = self._name(kind), _EACH_SQL.format(name=column, source=source, notify=notify)
        yield self._make_function(kind, "event_trigger", body)
        rows: Any = yield self._execute(
            "SELECT 1 FROM pg_event_trigger WHERE evtname=$1", [f"durabase_{kind}_{self._hash}"]
        )
        if not rows:
            yield self._execute(
                f"CREATE EVENT TRIGGER{name}ON {event} WHEN TAG IN({tags})EXECUTE FUNCTION{name}()", None
            )

    def _make_function(self, kind: str, type_: str, body: str) -> object:
        return self._execute(_FUNCTION_SQL.format(name=self._name(kind), type=type_, body=body), None)

    def _make_trigger(self, table_name: str, action: str, each: str) -> object:
        name = quoted(f"durabase_d_{self._hash}_{action}")
        return self._execute(
            f"CREATE OR REPLACE TRIGGER{name}AFTER {action} ON{quoted(table_name)}FOR EACH {each}"
            f"EXECUTE FUNCTION{self._name('d')}()",
            None,
        )

    def _name(self, kind: str) -> str:
        return quoted(f"durabase_{kind}_{self._hash}")

    def _notify(self, payload: str) -> str:
        return _NOTIFY_SQL.format(channel=self.channel, payload=payload)

    def _lock(self, function: str, number: int, condition: str = "") -> object:
        """Lock 1 guards installing and removing; lock 2 is shared by all who follow."""
        key = self._hash - 2**32 if self._hash >= 2**31 else self._hash
        return self._execute(f"SELECT {function}({key},{number}){condition}", None)

    def _locks(self, condition: str = "") -> str:
        return _LOCKS_SQL.format(self._hash) + condition


def _condition(table: ManagedTable, record: str) -> str:
    return f"({table.condition.replace('$tableName', record)})"
