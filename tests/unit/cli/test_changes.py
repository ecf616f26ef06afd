"""Changes of objects in a line each, and who has made them."""

from __future__ import annotations

import argparse
from typing import Any

import pytest

from durabase.cli.changes import MAX_CHANGES, described_change, shown_history, told_time, who

NOTHING = argparse.Namespace()


@pytest.mark.parametrize(
    ("author", "words"),
    [
        ({}, "the server"),
        ({"event": "web_socket_message", "client": "c1"}, "client c1, by a message"),
        (
            {"event": "web_socket_message", "client": "c1", "identity": "ann", "address": "10.0.0.1"},
            "ann, client c1, by a message",
        ),
        ({"event": "fetch", "address": "10.0.0.1"}, "10.0.0.1, by a request"),
        ({"event": "alarm"}, "the alarm"),
        ({"event": "visit"}, "the call visit"),
        ({"event": "run", "admin": True}, "an administrator"),
        ({"event": "restore", "admin": True, "identity": "ann"}, "an administrator, a restore"),
    ],
)
def test_authors(author: dict[str, Any], words: str) -> None:
    assert who(author) == words


@pytest.mark.parametrize(
    ("change", "line"),
    [
        (
            {"cell": ["pets", "fido", "age"], "old": 4, "new": None, "stamp": "x", "times": 2},
            "pets/fido/age: 4 → null  (2 times)",
        ),
        ({"value": "open", "old": True}, "value open: true → nothing"),
        ({"key": "k", "new_bytes": 5000}, "key k: nothing → (5000 bytes)"),
        ({"key": "k", "old": "ä" * 58, "new": "x" * 59}, f'key k: "{"ä" * 58}" → "{"x" * 59}…'),
        ({"sql": "INSERT\n  INTO t", "rows": 2, "times": 3}, "INSERT INTO t  (2 rows)  (3 times)"),
        ({"alarm": True, "new": 0}, "alarm: none → 1970-01-01T00:00:00Z"),
        ({"alarm": True, "old": 1999, "times": 2}, "alarm: 1970-01-01T00:00:01Z → none  (2 times)"),
        ({"restored": None}, "went back to the beginning"),
        ({"restored": 1000}, "went back to 1970-01-01T00:00:01Z"),
        ({"more": 7}, "and 7 more"),
    ],
)
def test_changes(change: dict[str, Any], line: str) -> None:
    assert described_change(change) == line


def entry(count: int = 1, span: int = 0) -> dict[str, Any]:
    changes = [{"key": str(number), "new": number} for number in range(count)]
    return {"time": 1000, "span": span, "author": {}, "changes": changes}


def test_a_history() -> None:
    answer = {"entries": [entry(span=120_000), entry(MAX_CHANGES)], "cursor": None}
    lines = shown_history(answer, NOTHING)
    assert lines[:3] == [
        "1970-01-01T00:00:01Z (within 2 min)  the server",
        "    key 0: nothing → 0",
        "1970-01-01T00:00:01Z  the server",
    ]
    assert lines[-1] == "    key 19: nothing → 19"


def test_many_changes_are_cut_and_further_pages_are_told() -> None:
    lines = shown_history({"entries": [entry(MAX_CHANGES + 2)], "cursor": 7}, NOTHING)
    assert lines[-2:] == ["    and 2 more; --json has all", "… and more: use --before 7"]
    assert len(lines) == 1 + MAX_CHANGES + 2


def test_no_history() -> None:
    assert shown_history({"entries": [], "cursor": None}, NOTHING) == [
        "Nothing is known to have changed. A history is kept with --history only."
    ]


def test_times_are_told_to_the_second() -> None:
    assert told_time(1_769_903_999_999) == "2026-01-31T23:59:59Z"
