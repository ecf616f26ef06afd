from __future__ import annotations

from typing import Any

import pytest

from durabase.store._changes import ChangeLog
from durabase.store._schema import TablesSchema, ThingSchema, ValuesSchema
from durabase.types import UNDEFINED


def _entry(**members: Any) -> ThingSchema:
    entry = ThingSchema.from_members(members)
    assert entry is not None
    return entry


@pytest.mark.parametrize(
    "members",
    [
        {},
        None,
        [],
        "string",
        {"type": "null"},
        {"type": "text"},
        {"type": None},
        {"type": []},
        {"type": ["string", "date"]},
        {"type": [["string"]]},
        {"default": 1},
        {"enum": []},
        {"enum": "xy"},
        {"enum": [1, None]},
        {"enum": [1, {}]},
        {"enum": [1, UNDEFINED]},
        {"enum": ["\ufffc"]},
        {"enum": [float("nan")]},
        {"enum": None, "type": "string"},
        {"enum": [1], "type": "number"},
        {"type": "string", "default": None},
        {"type": "string", "default": None, "allowNull": 0},
        {"type": "string", "default": None, "allowNull": ""},
    ],
)
def test_an_invalid_entry_is_none(members: Any) -> None:
    assert ThingSchema.from_members(members) is None


@pytest.mark.parametrize("default", ["x", True, {}, [], float("nan"), "\ufffc", print, UNDEFINED])
def test_a_default_of_the_wrong_type_is_left_out(default: Any) -> None:
    entry = _entry(type="number", default=default, allowNull=True)
    assert entry.default is UNDEFINED
    assert entry.members() == {"type": "number", "allowNull": True}


@pytest.mark.parametrize(
    ("kind", "default", "encoded"),
    [
        ("number", -0.0, 0),
        ("string", "x", "x"),
        ("boolean", False, False),
        ("object", {"a": 1}, '\ufffd{"a":1}'),
        ("array", [], "\ufffd[]"),
        (["string", "number"], 1, 1),
    ],
)
def test_a_default_of_the_right_type_is_encoded_inside_and_decoded_outside(
    kind: Any, default: Any, encoded: Any
) -> None:
    entry = _entry(type=kind, default=default)
    assert entry.default == encoded
    assert entry.members() == {"type": kind, "default": default}


def test_a_default_outside_of_the_enum_is_left_out() -> None:
    assert _entry(enum=[1, "x"], default="y").default is UNDEFINED
    assert _entry(enum=[1, "x"], default=True).default is UNDEFINED
    assert _entry(enum=[1, "x"], default=1).default == 1


def test_null_needs_permission_and_empty_lists_permit_like_in_javascript() -> None:
    assert _entry(type="string").encode(None, False) is UNDEFINED
    assert _entry(type="string", allowNull=True).encode(None, False) is None
    assert _entry(type="string", allowNull=[]).encode(None, False) is None
    assert _entry(type="string", allowNull=float("nan")).encode(None, False) is UNDEFINED
    assert _entry(type="string", allowNull=True, default=None).default is None


@pytest.mark.parametrize(
    ("kind", "thing", "encoded"),
    [
        ("string", "x", "x"),
        ("string", 1, UNDEFINED),
        ("string", "\ufffd{}", UNDEFINED),
        ("number", True, UNDEFINED),
        ("number", 1, 1),
        ("boolean", 1, UNDEFINED),
        ("object", {}, "\ufffd{}"),
        ("object", [], UNDEFINED),
        ("array", (1,), "\ufffd[1]"),
        (["array", "string"], {}, UNDEFINED),
        ("string", UNDEFINED, UNDEFINED),
    ],
)
def test_types_are_checked(kind: Any, thing: Any, encoded: Any) -> None:
    assert (
        _entry(type=kind).encode(thing, False) is encoded or _entry(type=kind).encode(thing, False) == encoded
    )


def test_encoded_things_are_checked_by_what_they_hold() -> None:
    assert _entry(type="object").encode("\ufffd{}", True) == "\ufffd{}"
    assert _entry(type="array").encode("\ufffd{}", True) is UNDEFINED
    assert _entry(type="string").encode("\ufffd{}", True) is UNDEFINED
    assert _entry(enum=["x"]).encode("\ufffd{}", True) is UNDEFINED


def test_an_enum_tells_booleans_from_numbers() -> None:
    entry = _entry(enum=[1, False])
    assert entry.encode(True, False) is UNDEFINED
    assert entry.encode(0, False) is UNDEFINED
    assert entry.encode(1.0, False) == 1
    assert entry.encode(False, False) is False


def test_required_must_be_true_and_counts_without_default_only() -> None:
    assert _entry(type="string", required=True).required
    assert not _entry(type="string", required=1).required
    assert not _entry(type="string", required=True, default="x").required


def test_unknown_keys_go_and_what_was_given_is_not_kept() -> None:
    choices = [1]
    entry = _entry(enum=choices, note="x")
    choices.append(2)
    assert entry.members() == {"enum": [1]}
    entry.members()["enum"].append(3)
    assert entry.members() == {"enum": [1]}


def test_only_the_valid_part_of_a_tables_schema_counts() -> None:
    valid = TablesSchema.valid(
        {
            "t": {"b": {"type": "string"}, "1": {"type": "number"}, "c": {}},
            "u": {"c": {"type": "x"}},
            "v": None,
        }
    )
    assert valid is not None
    assert {table_id: list(cells) for table_id, cells in valid.items()} == {"t": ["1", "b"]}
    assert TablesSchema.valid({"t": {"c": {}}}) is None
    assert TablesSchema.valid({}) is None
    assert TablesSchema.valid(None) is None


def _tables_schema(**tables: Any) -> TablesSchema:
    schema = TablesSchema()
    valid = TablesSchema.valid(tables)
    assert valid is not None
    schema.set(valid)
    return schema


def test_a_row_is_completed_with_defaults_and_gaps_are_reported() -> None:
    schema = _tables_schema(t={"a": {"type": "number", "default": 1}, "b": {"type": "string"}})
    log, row = ChangeLog(), {"x": 1}
    schema.complete_row("t", "r", row, log)
    assert list(row.items()) == [("x", 1), ("a", 1)]
    assert log.defaulted_cells == {("t", "r", "a")}
    assert log.invalid_cells == {"t": {"r": {"b": [UNDEFINED]}}}
    other: dict[str, Any] = {}
    schema.complete_row("u", "r", other, log)
    assert other == {}


def test_defaults_of_a_row_without_id_count_as_given() -> None:
    schema = _tables_schema(t={"a": {"type": "number", "default": 1}})
    log, row = ChangeLog(), {}
    schema.complete_row("t", UNDEFINED, row, log)
    assert row == {"a": 1}
    assert not log.defaulted_cells


def test_required_cells() -> None:
    schema = _tables_schema(t={"a": {"type": "number", "required": True}})
    assert schema.has_required("t", {"a": 1})
    assert not schema.has_required("t", {"b": 1})
    assert schema.has_required("u", {})


def test_a_tables_schema_that_replaces_another_keeps_places_and_can_be_restored() -> None:
    schema = _tables_schema(
        t={"a": {"type": "number", "default": 1}, "b": {"type": "string"}}, u={"c": {"type": "string"}}
    )
    defaults = schema.cell_defaults
    active, before = schema.snapshot()
    valid = TablesSchema.valid({"w": {"a": {"type": "string"}}, "t": {"b": {"type": "number"}}})
    assert valid is not None
    schema.set(valid)
    assert list(schema.members()) == ["t", "w"]
    assert schema.entry("t", "a") is None
    assert schema.entry("u", "c") is None
    assert not schema.has_table("u")
    schema.set(before, active)
    assert schema.members() == {
        "t": {"a": {"type": "number", "default": 1}, "b": {"type": "string"}},
        "u": {"c": {"type": "string"}},
    }
    assert schema.cell_defaults is defaults
    assert defaults["t"] == {"a": 1}


def test_without_a_schema_every_table_is_allowed() -> None:
    schema = TablesSchema()
    assert not schema.active
    assert schema.has_table("any")
    assert schema.members() == {}


def test_values_schema() -> None:
    schema = ValuesSchema()
    valid = ValuesSchema.valid(
        {"v": {"type": "number", "default": 1}, "w": {"type": "string", "required": True}, "x": {}}
    )
    assert valid is not None
    active, before = schema.snapshot()
    schema.set(valid)
    log, values = ChangeLog(), {"u": 1}
    schema.complete_values(values, log)
    assert values == {"u": 1, "v": 1}
    assert log.defaulted_values == {"v"}
    assert log.invalid_values == {"w": [UNDEFINED]}
    assert not schema.has_required(values)
    assert schema.has_required({"w": "x"})
    assert schema.members() == {
        "v": {"type": "number", "default": 1},
        "w": {"type": "string", "required": True},
    }
    schema.set(before, active)
    assert schema.members() == {}
    assert schema.value_defaults == {}
    assert ValuesSchema.valid({"v": 1}) is None
