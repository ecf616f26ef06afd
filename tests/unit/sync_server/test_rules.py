"""Rules: who may write what, and what remains of changes."""

from __future__ import annotations

from typing import Any

import pytest

from durabase.sync_server.access import Access
from durabase.sync_server.rules import Refused, Rules
from durabase.types import UNDEFINED

HLC = "NrbEJxl---0dmwzH"
READER, WRITER, ADMIN = Access("read"), Access("write", "ann"), Access("admin")
DECLARED = {
    "tables": {
        "chat": {"write": "read"},
        "config": {"write": "admin", "cells": {"theme": {"write": "write"}}},
        "pets": {
            "cells": {"price": {"write": "admin"}},
            "rows": {
                "felix": {"write": "nobody", "cells": {"name": {"write": "admin"}}},
                "fido": {"cells": {"price": {"write": "write"}}},
            },
        },
        "*": {"write": "write"},
    },
    "values": {"title": {"write": "admin"}},
}


def changes(tables: dict[str, dict[str, dict[str, Any]]], values: dict[str, Any]) -> list[Any]:
    """Mergeable changes of plain content."""
    stamped = {
        table_id: [
            {row_id: [{id_: [thing, HLC] for id_, thing in row.items()}] for row_id, row in table.items()}
        ]
        for table_id, table in tables.items()
    }
    return [[stamped], [{id_: [thing, HLC] for id_, thing in values.items()}], 1]


@pytest.mark.parametrize(
    ("table_id", "row_id", "cell_id", "who"),
    [
        ("chat", "1", "text", "RWA"),
        ("config", "1", "port", "A"),
        ("config", "1", "theme", "WA"),
        ("pets", "rex", "name", "WA"),
        ("pets", "rex", "price", "A"),
        ("pets", "felix", "name", "A"),
        ("pets", "felix", "sold", ""),
        ("pets", "felix", "price", ""),
        ("pets", "fido", "price", "WA"),
        ("pets", "fido", "name", "WA"),
        ("other", "1", "x", "WA"),
    ],
)
def test_the_most_particular_rule_counts(table_id: str, row_id: str, cell_id: str, who: str) -> None:
    rules = Rules(DECLARED)
    accesses = {"R": READER, "W": WRITER, "A": ADMIN}
    allowed = [
        letter
        for letter, access in accesses.items()
        if rules.allows(access, "cell", table_id, row_id, cell_id, 1)
    ]
    assert "".join(allowed) == who


def test_rows_and_cells_may_have_a_rule_for_all_others() -> None:
    rules = Rules({"tables": {"t": {"rows": {"*": {"cells": {"*": {"write": "admin"}}}, "mine": {}}}}})
    assert not rules.allows(WRITER, "cell", "t", "r", "c", 1)
    assert rules.allows(WRITER, "cell", "t", "mine", "c", 1)


def test_without_rules_it_takes_the_level_write() -> None:
    for rules in (Rules(), Rules({}), Rules({"tables": {"t": {}}})):
        allowed = [rules.allows(who, "cell", "t", "r", "c", 1) for who in (READER, WRITER, ADMIN)]
        assert allowed == [False, True, True]
        assert [rules.writes_nothing(who) for who in (Access("none"), READER, WRITER)] == [True, True, False]


def test_a_reader_writes_what_is_declared_so() -> None:
    assert not Rules(DECLARED).writes_nothing(READER)
    assert Rules(DECLARED).writes_nothing(Access("none"))
    assert not Rules({"values": {"*": {"write": "read"}}}).writes_nothing(READER)
    assert not Rules({"tables": {"t": {"rows": {"r": {"write": "read"}}}}}).writes_nothing(READER)


def test_a_check_sees_things_as_stores_give_them_and_readers_are_not_asked_for() -> None:
    asked: list[Any] = []

    def check(*arguments: Any) -> bool:
        asked.append(arguments)
        return arguments[4] != "secret"

    rules = Rules({"tables": {"chat": {"write": "read"}}}, check)
    assert rules.allows(WRITER, "cell", "t", "r", "c", '\ufffd{"a":[1]}')
    assert rules.allows(WRITER, "value", None, None, "v", UNDEFINED)
    assert not rules.allows(WRITER, "value", None, None, "secret", None)
    assert rules.allows(READER, "cell", "chat", "r", "c", 1)
    assert asked == [
        (WRITER, "cell", "t", "r", "c", {"a": [1]}),
        (WRITER, "value", None, None, "v", UNDEFINED),
        (WRITER, "value", None, None, "secret", None),
    ]


def test_what_may_all_be_written_stays_the_same_object() -> None:
    tables, values, _ = changes({"pets": {"rex": {"name": "Rex"}}}, {"open": True})
    rules = Rules(DECLARED)
    assert rules.allowed_tables(WRITER, tables) is tables
    assert rules.allowed_things(WRITER, values) is values
    assert rules.refuses(WRITER, [tables, values, 1]) == []


def test_only_what_may_not_be_written_is_left_out() -> None:
    made = changes(
        {
            "config": {"1": {"port": 80}},
            "pets": {"rex": {"name": "Rex", "price": 3}, "felix": {"name": "F"}},
        },
        {"title": "x", "open": True},
    )
    rules = Rules(DECLARED)
    assert rules.allowed_tables(WRITER, made[0]) == [{"pets": [{"rex": [{"name": ["Rex", HLC]}]}]}]
    assert rules.allowed_things(WRITER, made[1]) == [{"open": [True, HLC]}]
    assert rules.refuses(WRITER, made) == [
        Refused("cell", "config", "1", "port", [80, HLC]),
        Refused("cell", "pets", "rex", "price", [3, HLC]),
        Refused("cell", "pets", "felix", "name", ["F", HLC]),
        Refused("value", None, None, "title", ["x", HLC]),
    ]


def test_a_deletion_is_a_write() -> None:
    made = changes({"config": {"1": {"port": UNDEFINED}}}, {})
    assert Rules(DECLARED).allowed_tables(WRITER, made[0]) == [{}]


def test_times_of_containers_go_with_what_is_left_out_of_them() -> None:
    tables = [{"pets": [{"rex": [{"name": ["R", HLC], "price": [1, HLC]}, HLC]}, HLC]}, HLC]
    assert Rules(DECLARED).allowed_tables(WRITER, tables) == [{"pets": [{"rex": [{"name": ["R", HLC]}]}]}]


def test_a_mention_without_cells_is_no_way_to_a_table() -> None:
    tables = [{"config": [{}, HLC], "pets": [{"felix": [{}, HLC]}]}]
    assert Rules(DECLARED).allowed_tables(WRITER, tables) == [{}]


@pytest.mark.parametrize(
    ("declared", "said"),
    [
        ([], "rules: found"),
        ({"table": {}}, "rules: found 'table'; expected tables, values"),
        ({"tables": {"t": "write"}}, "tables.t: found 'write'; expected a mapping"),
        ({"tables": {"t": {"read": "admin"}}}, "tables.t: found 'read'; expected write, rows, cells"),
        (
            {"tables": {"t": {"write": "root"}}},
            "tables.t: found write 'root'; expected read, write, admin or nobody",
        ),
        ({"tables": {"t": {"write": None}}}, "tables.t: found write None"),
        ({"tables": {"t": {"write": "none"}}}, "tables.t: found write 'none'"),
        ({"tables": {"t": {"rows": {"r": {"write": 2}}}}}, r"tables.t.rows.r: found write 2"),
        ({"tables": {"t": {"cells": {"c": {}}}}}, r"tables.t.cells.c: found write None"),
        ({"values": {"v": "admin"}}, "values.v: found 'admin'; expected a mapping"),
    ],
)
def test_rules_of_another_form_are_refused_with_their_place(declared: Any, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        Rules(declared)
