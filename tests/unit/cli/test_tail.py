"""Records for people."""

from __future__ import annotations

from typing import Any

import pytest

from durabase.cli.tail import _shown, pretty

RAISED = [{"name": "ValueError", "message": "why", "stack": "Traceback\nValueError: why\n"}]
EVENT: dict[str, Any] = {
    "type": "event",
    "outcome": "ok",
    "entrypoint": "Room",
    "durableObjectName": "lobby",
    "kind": "visit",
    "eventTimestamp": 0,
    "wallTime": 3,
    "event": None,
}
REQUEST = {"request": {"method": "GET", "url": "http://h/"}, "response": {"status": 200}}


@pytest.mark.feature("S-OB-2")
@pytest.mark.parametrize(
    ("record", "lines"),
    [
        (EVENT, ["Room(lobby).visit - Ok @ TIME (3ms)"]),
        (
            EVENT | {"outcome": "exception", "exceptions": RAISED},
            ["Room(lobby).visit - Exception Thrown @ TIME (3ms)", "  Traceback", "  ValueError: why"],
        ),
        (EVENT | {"event": REQUEST}, ["GET http://h/ 200 Room(lobby) - Ok @ TIME (3ms)"]),
        (EVENT | {"event": {"cron": "* * * * *"}}, ['"* * * * *" - Ok @ TIME (3ms)']),
        (
            {"type": "refusal", "message": "a page of another origin", "about": "https://a", "timestamp": 0},
            ["Refused: a page of another origin (https://a) @ TIME"],
        ),
        ({"type": "missed", "count": 3}, ["… 3 records were missed"]),
        (
            {
                "type": "object",
                "kind": "reset",
                "timestamp": 0,
                "entrypoint": "Room",
                "durableObjectId": "ab",
            },
            ["Room(ab) reset @ TIME"],
        ),
        ({"type": "log", "level": "warn", "message": "one\ntwo"}, ["  (warn) one", "  two"]),
        (
            {
                "type": "log",
                "level": "log",
                "message": "hello",
                "entrypoint": "Default",
                "exceptions": RAISED,
            },
            ["  (log) Default hello", "  Traceback", "  ValueError: why"],
        ),
    ],
)
def test_the_lines(record: dict[str, Any], lines: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("durabase.cli.tail._time", lambda milliseconds: "TIME")
    assert pretty(record) == lines


@pytest.mark.feature("S-OB-2")
def test_records_for_programs_are_shown_as_they_come() -> None:
    line = '{"type": "missed", "count": 3}'
    assert _shown(line, as_json=True) == [line]
    assert _shown(line, as_json=False) == ["… 3 records were missed"]
    assert _shown("", as_json=True) == []
    assert _shown("", as_json=False) == ["Connected, waiting for records ..."]
