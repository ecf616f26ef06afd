"""Many changes as several of fewer cells."""

from __future__ import annotations

from typing import Any

import pytest

from durabase.mergeable._pieces import add_changes, has_more_things, pieces_of

CHANGES: list[Any] = [
    [
        {
            "t": [{"r": [{"b": [1, "B"], "a": [2, "A"], "1": [3, "C"]}, "R"], "0": [{"a": [4, "D"]}]}, "T"],
            "u": [{"r": [{"a": [5, "E"]}]}],
        },
        "X",
    ],
    [{"v": [6, "F"], "w": [7, "G"]}, "V"],
    1,
]


@pytest.mark.parametrize(("count", "more"), [(0, True), (4, True), (6, True), (7, False), (8, False)])
def test_things_are_counted(count: int, more: bool) -> None:
    assert has_more_things(CHANGES, count) is more


def test_a_value_is_a_thing() -> None:
    assert has_more_things([[{}], [{"v": [1, "A"]}], 1], 0)
    assert not has_more_things([[{}], [{}], 1], 0)


def test_pieces_have_so_many_things_in_object_order() -> None:
    assert list(pieces_of(CHANGES, 2)) == [
        [[{"t": [{"0": [{"a": [4, "D"]}], "r": [{"1": [3, "C"]}, "R"]}, "T"]}, "X"], [{}], 1],
        [[{"t": [{"r": [{"b": [1, "B"], "a": [2, "A"]}, "R"]}, "T"]}, "X"], [{}], 1],
        [[{"u": [{"r": [{"a": [5, "E"]}]}]}, "X"], [{}], 1],
        [[{}], [{"v": [6, "F"], "w": [7, "G"]}, "V"], 1],
    ]


@pytest.mark.parametrize("count", [1, 3, 4, 7, 100])
def test_nothing_is_left_out_or_told_twice(count: int) -> None:
    things = [
        (table_id, row_id, cell_id, stamp[0])
        for piece in pieces_of(CHANGES, count)
        for table_id, table in piece[0][0].items()
        for row_id, row in table[0].items()
        for cell_id, stamp in row[0].items()
    ]
    assert sorted(thing[-1] for thing in things) == [1, 2, 3, 4, 5]
    assert len({thing[:-1] for thing in things}) == 5
    values = [stamp[0] for piece in pieces_of(CHANGES, count) for stamp in piece[1][0].values()]
    assert values == [6, 7]


@pytest.mark.parametrize("tables", [{"t": [{}]}, {"t": [{"r": [{}]}], "u": [{"r": [{"a": [1, "A"]}]}]}])
def test_rows_and_tables_without_cells_are_mentioned_once(tables: Any) -> None:
    changes = [[tables], [{}], 1]
    assert list(pieces_of(changes, 1)) == [changes]


def test_rows_stay_whole_where_they_must() -> None:
    assert list(pieces_of(CHANGES, 2, whole_rows=True)) == [
        [
            [
                {
                    "t": [
                        {
                            "0": [{"a": [4, "D"]}],
                            "r": [{"b": [1, "B"], "a": [2, "A"], "1": [3, "C"]}, "R"],
                        },
                        "T",
                    ]
                },
                "X",
            ],
            [{}],
            1,
        ],
        [[{"u": [{"r": [{"a": [5, "E"]}]}]}, "X"], [{}], 1],
        [[{}], [{"v": [6, "F"], "w": [7, "G"]}, "V"], 1],
    ]


@pytest.mark.parametrize("count", [1, 2, 100])
def test_pieces_that_are_added_up_are_the_whole(count: int) -> None:
    whole: list[Any] = [[{}], [{}], 1]
    for piece in pieces_of(CHANGES, count):
        add_changes(whole, piece)
    assert whole == CHANGES
