"""Schema entries: their keys, and what a store would not take."""

from __future__ import annotations

from typing import Any

import pytest

from durabase.errors import SchemaError
from durabase.schematizers._kinds import (
    ANYTHING,
    ARRAY,
    BOOLEAN,
    NULL,
    NUMBER,
    OBJECT,
    STRING,
    Kind,
    choice,
    union,
)
from durabase.store import Store


@pytest.mark.parametrize(
    ("kind", "options", "entry"),
    [
        (STRING, {}, {"type": "string"}),
        (NUMBER, {"required": True}, {"type": "number", "required": True}),
        (BOOLEAN, {"default": False, "required": True}, {"type": "boolean", "default": False}),
        (OBJECT.or_null(), {"default": None}, {"type": "object", "default": None, "allowNull": True}),
        (ARRAY, {"default": []}, {"type": "array", "default": []}),
        (choice(["a", 1, True]), {"default": 1}, {"enum": ["a", 1, True], "default": 1}),
        (choice(["a", None]), {"required": True}, {"enum": ["a"], "allowNull": True, "required": True}),
        (
            ANYTHING,
            {"default": {"a": [1]}},
            {
                "type": ["string", "number", "boolean", "object", "array"],
                "default": {"a": [1]},
                "allowNull": True,
            },
        ),
    ],
)
def test_an_entry_and_the_order_of_its_keys(kind: Kind, options: Any, entry: Any) -> None:
    made = kind.entry("x", **options)
    assert made == entry
    assert list(made) == list(entry)
    store = Store().set_tables_schema({"t": {"c": made}})
    assert (
        store.get_tables_schema_json()
        == Store().set_tables_schema({"t": {"c": entry}}).get_tables_schema_json()
    )


@pytest.mark.parametrize(
    ("kinds", "expected"),
    [
        ([STRING, NUMBER, STRING], Kind(("string", "number"))),
        ([NUMBER, NUMBER], NUMBER),
        ([NUMBER, NULL], NUMBER.or_null()),
        ([choice(["a"]), choice(["b", 1])], Kind(("string", "number"), ("a", "b", 1))),
        ([choice(["a"]), NULL], Kind(("string",), ("a",), allow_null=True)),
        ([choice([1, True]), STRING], Kind(("number", "boolean", "string"))),
        ([STRING, ANYTHING], Kind(("string", "number", "boolean", "object", "array"), allow_null=True)),
    ],
)
def test_unions(kinds: list[Kind], expected: Kind) -> None:
    assert union(kinds) == expected


@pytest.mark.parametrize(
    ("kind", "default", "message"),
    [
        (NULL, None, "x: a cell can't be null only"),
        (choice([None]), None, "null only"),
        (STRING, 1, "x: the default 1 is not of the field's own type"),
        (STRING, None, "does not take"),
        (NUMBER, True, "the default True"),
        (NUMBER, float("nan"), "the default nan"),
        (choice(["a"]), "b", "the default 'b'"),
        (choice(["\ufffc"]), "a", "does not take"),
        (choice([[1]]), "a", "does not take"),
        (choice([b"a"]), "a", "does not take"),
    ],
)
def test_what_a_store_would_not_take_is_refused(kind: Kind, default: Any, message: str) -> None:
    with pytest.raises(SchemaError, match=message):
        kind.entry("x", default)
