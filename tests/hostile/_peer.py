"""A client that speaks the synchronization protocol, word by word."""

from __future__ import annotations

import itertools
import json
from typing import Any

from durabase.clock import SystemClock
from durabase.mergeable.hlc import HybridClock
from hostile._wire import Wire, frame

UNDEFINED_MARK = "\ufffc"
GET_HASHES, HASHES, DIFF, TABLE_DIFF, ROW_DIFF, CELL_DIFF, VALUE_DIFF = range(1, 8)

_numbers = itertools.count()
_clock = HybridClock("hostile")


def now(ahead_ms: int = 0) -> str:
    """A stamp's time, later than all before; or that many milliseconds ahead of the wall clock."""
    return _clock.encode(SystemClock().now_ms() + ahead_ms, next(_numbers)) if ahead_ms else _clock.next()


def text(body: Any) -> str:
    return json.dumps(body, ensure_ascii=False, separators=(",", ":"))


def message(number: int, body: Any, request_id: str | None = None) -> str:
    return text([request_id, number, body])


def values_diff(values: dict[str, Any], time: str | None = None) -> list[Any]:
    """The body of a message 3 that sets values."""
    time = now() if time is None else time
    return [[{}], [{name: [value, time] for name, value in values.items()}], 1]


def cells_diff(table: str, row: str, cells: dict[str, Any], time: str | None = None) -> list[Any]:
    """The body of a message 3 that sets cells of a row."""
    time = now() if time is None else time
    return [[{table: [{row: [{name: [cell, time] for name, cell in cells.items()}]}]}], [{}], 1]


class Peer(Wire):
    """One client in a room."""

    def say(self, payload: str | bytes) -> None:
        self.send_text(payload)

    @staticmethod
    def as_frame(payload: str) -> bytes:
        """The bytes that ``say`` would send, to send many at once."""
        return frame(payload)

    def broadcast(self, body: Any, number: int = DIFF) -> None:
        """Send a message to everybody else."""
        self.say(f"\n{message(number, body, f'T{next(_numbers)}')}")

    def ask(self, number: int, body: Any) -> Any:
        """Ask the server's store and give the body of its answer."""
        request_id = f"Q.{next(_numbers)}"
        self.say(f"S\n{message(number, body, request_id)}")
        while True:
            sender, message_ = self.hear()
            if sender == "S" and message_[:2] == [request_id, 0]:
                return message_[2]

    def hear(self) -> tuple[str, Any]:
        """Sender and message of the next payload."""
        sender, _, remainder = self.receive_text().partition("\n")
        return sender, json.loads(remainder)

    def hear_from(self, sender: str, number: int) -> list[Any]:
        """The next message of this kind from this sender."""
        while True:
            heard_from, heard = self.hear()
            if heard_from == sender and heard[1] == number:
                return list(heard)

    def hashes(self) -> list[int]:
        """The content hashes of the server's store. What was sent before is saved when they are there."""
        return list(self.ask(GET_HASHES, ""))

    def values(self) -> dict[str, Any]:
        """The values of the server's store, each ``[thing, time]``."""
        return dict(self.ask(VALUE_DIFF, {})[0])

    def tables(self) -> dict[str, Any]:
        """The stamps of the server's tables."""
        return dict(self.ask(TABLE_DIFF, {})[0][0])

    def cells(self, table: str, row: str) -> dict[str, Any]:
        """The cells of one row of the server's store, each ``[thing, time]``."""
        rows = self.tables().get(table, [{}])[0]
        return dict(rows[row][0]) if row in rows else {}
