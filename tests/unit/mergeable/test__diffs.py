"""What differs, given another's hashes; answers of the original are tested with the recordings."""

from __future__ import annotations

from typing import Any

import pytest

from durabase.mergeable import _diffs
from durabase.mergeable._merge import content_from
from durabase.mergeable.stamps import ContentStamps

H = "NjEtLV-----7JQY8"


@pytest.fixture
def stamps() -> ContentStamps:
    cells = {"c": [1, H, 11], "d": [2, "", 12]}
    tables: dict[str, Any] = {
        "t": [{"r": [cells, H, 21], "s": [{}, "", 0]}, "", 31],
        "u": [{"r": [{"c": [3, H, 13]}, "", 22]}, H, 32],
        "empty": [{}, "", 33],
    }
    return content_from([[tables, H, 41], [{"v": [4, H, 14], "w": [5, "", 15]}, "", 42]])[0]


def test_tables(stamps: ContentStamps) -> None:
    assert _diffs.table_hashes(stamps) == {"t": 31, "u": 32, "empty": 33}
    lacking, differing = _diffs.table_diff(stamps, {"t": 31, "empty": 5, "other": 6})
    assert lacking == [{"u": [{"r": [{"c": [3, H]}]}, H]}, H]
    assert differing == {"empty": 33}


def test_rows(stamps: ContentStamps) -> None:
    theirs = {"t": 0, "u": 32, "empty": 0, "other": 0}
    assert _diffs.row_hashes(stamps, theirs) == {"t": {"r": 21, "s": 0}}
    lacking, differing = _diffs.row_diff(stamps, {"t": {"s": 0}, "u": {"r": 1}, "other": {"r": 1}})
    assert lacking == [{"t": [{"r": [{"c": [1, H], "d": [2]}, H]}]}, H]
    assert differing == {"u": {"r": 22}}
    assert _diffs.row_diff(stamps, {"t": {"r": 21, "s": 0}}) == ([{}, H], {})


def test_cells(stamps: ContentStamps) -> None:
    theirs = {"t": {"r": 0, "s": 1, "other": 0}, "u": {"r": 22}, "other": {"r": 0}}
    assert _diffs.cell_hashes(stamps, theirs) == {"t": {"r": {"c": 11, "d": 12}}}
    found = _diffs.cell_diff(
        stamps, {"t": {"r": {"c": 11}, "s": {}}, "u": {"r": {"c": 0}}, "other": {"r": {}}}
    )
    assert found == [{"t": [{"r": [{"d": [2, ""]}, H]}], "u": [{"r": [{"c": [3, H]}]}, H]}, H]


def test_values(stamps: ContentStamps) -> None:
    assert _diffs.value_hashes(stamps) == {"v": 14, "w": 15}
    assert _diffs.value_diff(stamps, {"v": 14}) == [{"w": [5]}]
    assert _diffs.value_diff(stamps, {"v": 0, "w": 15}) == [{"v": [4, H]}]


def test_answers_follow_object_order(stamps: ContentStamps) -> None:
    assert list(_diffs.row_hashes(stamps, {"u": 0, "t": 0})) == ["u", "t"]


def test_hashes_may_be_written_with_a_point(stamps: ContentStamps) -> None:
    assert _diffs.table_diff(stamps, {"t": 31.0, "u": 5.0, "empty": 33})[1] == {"u": 32}
    assert _diffs.row_hashes(stamps, {"t": 31.0, "u": 5.0}) == {"u": {"r": 22}}
    assert _diffs.row_diff(stamps, {"t": {"r": 21.0, "s": 1.0}})[1] == {"t": {"s": 0}}
    assert _diffs.cell_hashes(stamps, {"u": {"r": 22.0}}) == {}
    assert _diffs.cell_diff(stamps, {"u": {"r": {"c": 13.0}}}) == [{}, H]
    assert _diffs.value_diff(stamps, {"v": 14.0, "w": 15.0}) == [{}]
