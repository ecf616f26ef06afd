"""Changes as JSON can say them."""

from __future__ import annotations

from durabase.sync_server._told_changes import told_changes
from durabase.types import UNDEFINED


def test_changes_as_json_says_them() -> None:
    changes = [
        {"t": {"r": {"a": 1, "b": UNDEFINED}, "q": UNDEFINED}, "u": UNDEFINED},
        {"v": UNDEFINED, "w": 0},
        1,
    ]
    assert told_changes(changes) == {
        "tables": {"t": {"r": {"a": 1}}},
        "values": {"w": 0},
        "deleted": [
            ["tables", "t", "rows", "r", "cells", "b"],
            ["tables", "t", "rows", "q"],
            ["tables", "u"],
            ["values", "v"],
        ],
    }
