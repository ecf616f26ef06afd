"""A driver of PostgreSQL as users give it, in functions: it does all at once."""

from __future__ import annotations

from typing import Any

import psycopg
from psycopg.rows import dict_row

from durabase.persisters import CustomPostgresPersister


class Driver:
    """Runs statements in a connection; what it is to hear of is said by :meth:`deliver`."""

    def __init__(self, url: str) -> None:
        self._connection = psycopg.connect(url, autocommit=True)
        self.listener: Any = None
        self.channel = ""
        self.log: list[str] = []

    def execute(self, sql: str, params: Any) -> list[dict[str, Any]]:
        with psycopg.RawCursor(self._connection, row_factory=dict_row) as cursor:
            cursor.execute(sql, params, prepare=False)
            return cursor.fetchall() if cursor.description else []

    def add(self, channel: str, listener: Any) -> str:
        self.channel, self.listener = channel, listener
        self.execute(f'LISTEN "{channel}"', None)
        return "handle"

    def delete(self, handle: str) -> None:
        self.log.append(f"deleted {handle}")

    def destroy(self) -> None:
        self.log.append("destroyed")

    def deliver(self, expected: int = 0) -> list[str]:
        """Hand on what has been notified since last time; so many that others have sent are waited for."""
        notices = self._connection.notifies(timeout=20 if expected else 0, stop_after=expected or None)
        payloads = [notice.payload for notice in notices]
        for payload in payloads:
            self.listener(payload)
        return payloads

    def close(self) -> None:
        self._connection.close()

    def persister(self, store: Any, config: Any = None, **options: Any) -> CustomPostgresPersister:
        return CustomPostgresPersister(
            store, config, self.execute, self.add, self.delete, destroy=self.destroy, **options
        )
