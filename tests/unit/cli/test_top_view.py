"""What ``durabase top`` makes of what processes tell."""

from __future__ import annotations

from typing import Any

import pytest

from durabase.cli.top_view import SORTS, Board, frame

PROCESS = {
    "started": 1000.0,
    "cpu_seconds": 1.0,
    "memory_bytes": 3 << 20,
    "sockets": 2.0,
    "messages_in": 10.0,
    "frames_out": 20.0,
    "commits": 5.0,
    "lag_seconds": 0.004,
}


def each(name: str | None, events: int, **more: Any) -> dict[str, Any]:
    doings = {"events": events, "messages": 0, "errors": 0, "wall_ms": 0.0, "cpu_ms": 0.0}
    who = {"class": "Room", "name": name, "id": "ab" * 32, "state": "awake", "sockets": 1, "file_bytes": None}
    return {**who, **doings, **more}


def document(pid: int, time: float, *objects: Any, seconds: float = 2.0, **process: float) -> dict[str, Any]:
    classes = [each(None, sum(one["events"] for one in objects)) | {"awake": 1, "asleep": 2}]
    for one in classes:
        del one["state"]
    return {
        "pid": pid,
        "time": time,
        "seconds": seconds,
        "process": PROCESS | process,
        "classes": classes,
        "objects": list(objects),
    }


def filled() -> Board:
    board = Board()
    for pid in (1, 2):
        board.add(document(pid, 1100.0, seconds=0.0))
    assert not board.is_whole
    busy = each("busy", 8, cpu_ms=30.0, sockets=3, file_bytes=20480)
    board.add(document(1, 1102.0, busy, each(None, 1), cpu_seconds=2.0, messages_in=30.0))
    assert not board.is_whole
    board.add(document(2, 1102.0, each("a\x1b[2J", 2, errors=4), commits=9.0, lag_seconds=0.5))
    assert board.is_whole
    return board


def shown(
    sort: str = "events", by_class: bool = False, width: int = 200, height: int | None = None
) -> list[str]:
    return frame(filled(), SORTS[sort], by_class=by_class, limit=10, width=width, height=height)


def words(line: str) -> str:
    return " ".join(line.split())


def test_the_processes_are_added_up() -> None:
    assert shown()[:2] == [
        "up 0d 00:01:42, 2 processes, CPU 50 %, memory 6.0 MiB, event loop late by 500 ms",
        "4 sockets, messages 10/s in, 0/s out, 2 commits/s",
    ]


def test_objects_by_name_and_their_doings_per_second() -> None:
    head, *rows = shown()[3:]
    assert words(head) == "CLASS NAME EVENTS/s MSG/s SOCKETS CPU/s ERRORS/s SIZE STATE"
    assert words(rows[0]) == "Room busy 4 0 3 15ms 0 20 KiB awake"
    assert words(rows[1]) == "Room a�[2J 1 0 1 0ms 2 - awake"
    assert rows[2].split()[1].endswith("…")  # it has no name but its id


@pytest.mark.parametrize(
    ("sort", "first"),
    [("events", "busy"), ("sockets", "busy"), ("time", "busy"), ("size", "busy"), ("errors", "a�[2J")],
)
def test_the_order(sort: str, first: str) -> None:
    assert shown(sort)[4].split()[1] == first


def test_names_are_in_the_order_of_the_alphabet() -> None:
    assert [line.split()[1][0] for line in shown("name")[4:]] == ["a", "a", "b"]


def test_classes() -> None:
    assert words(shown(by_class=True)[4]) == "Room 5.5 0 2 0ms 0 2 awake, 4 asleep"
    assert shown("size", by_class=True)[4].split()[0] == "Room"


def test_it_fits() -> None:
    lines = shown(width=30, height=5)
    assert len(lines) == 5
    assert max(map(len, lines)) == 30
    assert len(shown(height=1)) == 1


def test_a_process_that_has_ended_is_forgotten() -> None:
    board = filled()
    board.add(document(1, 1120.0))
    assert board.summary()["processes"] == 1
