"""What ``durabase top`` shows: documents of all processes as one, and that as lines. No I/O."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

__all__ = ["COLUMNS", "SORTS", "Board", "Column", "frame"]

Json: TypeAlias = dict[str, Any]

_RATES: Final = ("messages_in", "frames_out", "commits", "cpu_seconds")
_DOINGS: Final = ("events", "messages", "errors", "wall_ms", "cpu_ms")


class Board:
    """The last documents of each process of a server, added up."""

    def __init__(self) -> None:
        self._last: dict[int, tuple[Json | None, Json]] = {}

    def add(self, document: Json) -> None:
        """One more document of one of the processes."""
        newest = max([document["time"], *(now["time"] for _, now in self._last.values())])
        before = self._last.get(document["pid"], (None, None))[1]
        self._last[document["pid"]] = (before, document)
        self._last = {
            pid: (old, now)
            for pid, (old, now) in self._last.items()
            if newest - now["time"] <= 3 * max(document["seconds"], 1)  # else it has ended
        }

    @property
    def is_whole(self) -> bool:
        """Whether every process has told of an interval."""
        return bool(self._last) and all(before is not None for before, _ in self._last.values())

    def summary(self) -> Json:
        """The server and its processes together; rates are per second, ``cpu`` is 1 for one core."""
        documents = [now for _, now in self._last.values()]
        processes = [document["process"] for document in documents]
        started = [process["started"] for process in processes if process["started"]]
        rates = [_rates(before, now) for before, now in self._last.values()]
        return {
            "uptime": max((each["time"] for each in documents), default=0) - min(started, default=0),
            "processes": len(documents),
            "cpu": sum(rate["cpu_seconds"] for rate in rates),
            "memory_bytes": sum(process["memory_bytes"] or 0 for process in processes),
            "sockets": sum(process["sockets"] or 0 for process in processes),
            **{name: sum(rate[name] for rate in rates) for name in _RATES[:-1]},
            "lag_seconds": max((process["lag_seconds"] or 0 for process in processes), default=0),
        }

    def objects(self) -> list[Json]:
        """The objects of all processes, their doings per second."""
        return [
            _per_second(each, now["seconds"]) for _, now in self._last.values() for each in now["objects"]
        ]

    def classes(self) -> list[Json]:
        """The classes, over all processes, their doings per second."""
        found: dict[str, Json] = {}
        for _, now in self._last.values():
            for each in now["classes"]:
                listed = _per_second(each, now["seconds"])
                known = found.setdefault(each["class"], listed)
                if known is not listed:
                    for name in ("awake", "asleep", "sockets", *_DOINGS):
                        known[name] += listed[name]
        return list(found.values())


def _rates(before: Json | None, now: Json) -> dict[str, float]:
    if before is None or not now["seconds"]:
        return dict.fromkeys(_RATES, 0.0)
    old, new = before["process"], now["process"]
    return {name: ((new[name] or 0) - (old[name] or 0)) / now["seconds"] for name in _RATES}


def _per_second(each: Json, seconds: float) -> Json:
    return each | {name: each[name] / seconds if seconds else 0.0 for name in _DOINGS}


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its head, the key that sorts by it, what is in it, and how that is written."""

    head: str
    key: str
    value: Callable[[Json], Any]
    text: Callable[[Any], str]
    left: bool = False


def _count(number: float) -> str:
    return f"{number:,.0f}" if number >= 10 or number == int(number) else f"{number:.1f}"


def _milliseconds(number: float) -> str:
    return f"{number:.0f}ms" if number >= 10 or not number else f"{number:.1f}ms"


def _bytes(number: float | None) -> str:
    if number is None:
        return "-"
    size, units = float(number), iter(("B", "KiB", "MiB", "GiB"))
    unit = next(units)
    while size >= 1024 and (larger := next(units, None)) is not None:
        size, unit = size / 1024, larger
    return f"{size:.0f} {unit}" if unit == "B" or size >= 10 else f"{size:.1f} {unit}"


def _printable(text: object) -> str:
    """Without what would move the cursor."""
    return "".join(character if character.isprintable() else "�" for character in str(text))


def _state(row: Json) -> str:
    return row["state"] if "state" in row else f"{row['awake']} awake, {row['asleep']} asleep"


_WHO: Final = Column("CLASS", "", lambda row: row["class"], _printable, left=True)
_NAME: Final = Column(
    "NAME", "n", lambda row: row["id"] if row.get("name") is None else row["name"], _printable, left=True
)
_NUMBERS: Final = (
    Column("EVENTS/s", "v", lambda row: row["events"], _count),
    Column("MSG/s", "m", lambda row: row["messages"], _count),
    Column("SOCKETS", "s", lambda row: row["sockets"], _count),
    Column("CPU/s", "t", lambda row: row["cpu_ms"], _milliseconds),
    Column("ERRORS/s", "e", lambda row: row["errors"], _count),
)
_SIZE: Final = Column("SIZE", "b", lambda row: row["file_bytes"], _bytes)
_STATE: Final = Column("STATE", "", _state, _printable, left=True)

COLUMNS: Final[Mapping[str, Column]] = {
    column.key: column for column in (_NAME, *_NUMBERS, _SIZE) if column.key
}
"""By the key that sorts by it."""

SORTS: Final[Mapping[str, str]] = {
    "events": "v",
    "messages": "m",
    "sockets": "s",
    "time": "t",
    "errors": "e",
    "size": "b",
    "name": "n",
}
"""The keys, by the words of the option."""


def frame(
    board: Board, sort: str, *, by_class: bool, limit: int, width: int, height: int | None
) -> list[str]:
    """The lines of one picture, none longer than ``width``, at most ``height`` of them."""
    columns = [_WHO, *_NUMBERS, _STATE] if by_class else [_WHO, _NAME, *_NUMBERS, _SIZE, _STATE]
    rows = board.classes() if by_class else board.objects()
    by = COLUMNS[sort] if COLUMNS[sort] in columns else _NUMBERS[0]
    rows.sort(key=lambda row: _order(by, row), reverse=not by.left)
    head = [*_header(board.summary()), ""]
    room = limit if height is None else min(limit, height - len(head) - 1)
    lines = [*head, *_table(columns, rows[: max(room, 0)])]
    return [line[:width] for line in lines[:height]]


def _order(by: Column, row: Json) -> Any:
    value = by.value(row)
    return (value is not None, value if value is not None else 0)


def _header(summary: Json) -> list[str]:
    up, plural = int(summary["uptime"]), "" if summary["processes"] == 1 else "es"
    return [
        f"up {up // 86400}d {up // 3600 % 24:02}:{up // 60 % 60:02}:{up % 60:02}, "
        f"{summary['processes']} process{plural}, CPU {summary['cpu'] * 100:.0f} %, "
        f"memory {_bytes(summary['memory_bytes'])}, "
        f"event loop late by {summary['lag_seconds'] * 1000:.0f} ms",
        f"{_count(summary['sockets'])} sockets, messages {_count(summary['messages_in'])}/s in, "
        f"{_count(summary['frames_out'])}/s out, {_count(summary['commits'])} commits/s",
    ]


def _table(columns: Sequence[Column], rows: Iterable[Json]) -> list[str]:
    cells = [[column.text(column.value(row)) for column in columns] for row in rows]
    every = [[column.head for column in columns], *cells]
    widths = [max(map(len, column)) for column in zip(*every, strict=True)]
    widths = [min(width, 40) for width in widths]
    return ["  ".join(_cells(columns, row, widths)).rstrip() for row in every]


def _cells(columns: Sequence[Column], row: Sequence[str], widths: Sequence[int]) -> Iterable[str]:
    for column, text, width in zip(columns, row, widths, strict=True):
        shown = text if len(text) <= width else f"{text[: width - 1]}…"
        yield shown.ljust(width) if column.left else shown.rjust(width)
