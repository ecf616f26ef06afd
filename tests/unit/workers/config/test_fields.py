"""Reading tables: values of the right type, and what is said of others."""

from __future__ import annotations

from typing import Any

import pytest

from durabase.workers.config.diagnostics import Diagnostics
from durabase.workers.config.fields import Fields, shown


def fields(table: dict[str, Any], path: str = "") -> tuple[Fields, Diagnostics]:
    diagnostics = Diagnostics("Top:")
    return Fields(table, path, diagnostics), diagnostics


@pytest.mark.parametrize(
    ("method", "arguments", "good", "default", "wrong", "complaint"),
    [
        ("string", (), "x", None, 5, 'Expected "t.k" to be of type string but got 5.'),
        ("boolean", (True,), False, True, 0, 'Expected "t.k" to be of type boolean but got 0.'),
        ("integer", (7,), 0, 7, True, 'Expected "t.k" to be of type number but got true.'),
        ("integer", (7,), -1, 7, 1.5, 'Expected "t.k" to be of type number but got 1.5.'),
        (
            *("choice", (("a", "b"), "b"), "a", "b", "c"),
            'Expected "t.k" field to be one of ["a","b"] but got "c".',
        ),
        ("strings", (), ("x", "y"), (), "x", 'Expected "t.k" to be of type string array but got "x".'),
        ("mapping", (), {"a": 1}, {}, [1], 'The field "t.k" should be an object but got [1].'),
        ("mapping", (), {}, {}, "", 'The field "t.k" should be an object but got "".'),
        ("tables", (), [], [], {}, 'The field "t.k" should be an array but got {}.'),
    ],
)
def test_optional_values(
    method: str, arguments: tuple[Any, ...], good: Any, default: Any, wrong: Any, complaint: str
) -> None:
    stored = list(good) if isinstance(good, tuple) else good
    for value, expected, complaints in (
        (stored, good, []),
        (None, default, []),
        (wrong, default, [complaint]),
    ):
        read, diagnostics = fields({"k": value}, "t")
        found = getattr(read, method)("k", *arguments)
        assert (found, type(found)) == (expected, type(expected))
        assert diagnostics.errors == complaints
    read, diagnostics = fields({})
    assert getattr(read, method)("k", *arguments) == default
    assert diagnostics.errors == []


def test_items_of_the_wrong_type_are_left_out_and_told_one_by_one() -> None:
    read, diagnostics = fields({"a": ["x", 1, "y", None], "b": [{"c": 1}, 5, {}]})
    assert read.strings("a") == ("x", "y")
    assert [table.keys() for table in read.tables("b")] == [["c"], []]
    assert diagnostics.errors == [
        'Expected "a.[1]" to be of type string but got 1.',
        'Expected "a.[3]" to be of type string but got null.',
        'Expected "b[1]" to be of type object but got 5.',
    ]


def test_a_required_string() -> None:
    read, diagnostics = fields({"a": "x", "b": 5, "c": None}, "t")
    assert [read.required_string(key) for key in "abcd"] == ["x", None, None, None]
    assert diagnostics.errors == [
        'Expected "t.b" to be of type string but got 5.',
        '"t.c" is a required field.',
        '"t.d" is a required field.',
    ]


def test_keys_and_presence() -> None:
    read, _ = fields({"b": None, "a": 0})
    assert read.keys() == ["b", "a"]
    assert [read.has(key) for key in "abc"] == [True, False, False]
    assert [read.raw(key) for key in "abc"] == [0, None, None]
    assert read.path("a") == "a"
    assert fields({}, "t")[0].path("a") == "t.a"


def test_tables_within_tables_are_told_by_their_paths() -> None:
    read, diagnostics = fields({"a": {"b": [{"c": {"d": 1}}]}})
    [inner] = read.table("a").tables("b")
    inner.table("c").string("d")
    assert diagnostics.errors == ['Expected "a.b[0].c.d" to be of type string but got 1.']


def test_what_is_said_of_a_table() -> None:
    inner, diagnostics = fields({"x": 1}, "t[0]")
    inner.error("it is odd.")
    inner.wrong_entry()
    inner.wrong_entry("one", "two")
    inner.wrong_binding('a string "y" field')
    top, of_top = fields({"x": 1})
    top.error("it is odd.")
    assert diagnostics.errors == [
        '"t[0]": it is odd.',
        '"t[0]": {"x":1}\n- one\n- two',
        '"t[0]" bindings should have a string "y" field but got {"x":1}.',
    ]
    assert of_top.errors == ["it is odd."]


def test_keys_that_nobody_has_read_are_warned_of_in_one_line() -> None:
    read, diagnostics = fields({"read": 1, "ignored": 1, "c": 1, "ä": 1}, "t")
    read.raw("read")
    read.has("missing")
    read.warn_unexpected("ignored")
    read.warn_unexpected("ignored", place="here", of={"c", "read", "other"})
    read.warn_unexpected("ignored", "c", "ä")
    assert diagnostics.warnings == [
        'Unexpected fields found in t field: "c","\\u00e4"',
        'Unexpected fields found in here field: "c"',
    ]
    top, of_top = fields({"x": 1})
    top.warn_unexpected()
    assert of_top.warnings == ['Unexpected fields found in top-level field: "x"']


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({"a": [1, None, "ä"]}, '{"a":[1,null,"ä"]}'),
        ("x" * 78, '"' + "x" * 78 + '"'),
        ("x" * 79, '"' + "x" * 76 + "..."),
        ({1}, '"{1}"'),
    ],
)
def test_values_in_messages(value: Any, text: str) -> None:
    assert shown(value) == text
