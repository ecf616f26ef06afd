from __future__ import annotations

import datetime
import enum
from collections import OrderedDict
from typing import Any

import pytest

from durabase.store._cells import (
    decode,
    encode,
    encode_all,
    encode_rows,
    is_encoded_json,
    same_thing,
    thing_type,
)
from durabase.types import UNDEFINED


class Pet(enum.StrEnum):
    DOG = "dog"


class Size(enum.IntEnum):
    SMALL = 1


class Text(str):
    __slots__ = ()


@pytest.mark.parametrize(
    "thing", ["", "x", "Zoë", "x\ufffc", "x\ufffd", 0, -1, 2**53, 1.5, True, False, None]
)
@pytest.mark.parametrize("accept_encoded", [False, True])
def test_plain_things_are_encoded_as_themselves(thing: Any, accept_encoded: bool) -> None:
    assert encode(thing, accept_encoded) is thing
    assert decode(thing) is thing


@pytest.mark.parametrize(
    "thing",
    [
        UNDEFINED,
        float("nan"),
        float("inf"),
        -float("inf"),
        10**400,
        "\ufffc",
        "\ufffdx",
        "\ufffd",
        print,
        {1, 2},
        b"bytes",
        1j,
        datetime.date(2026, 1, 1),
        {"a": print},
    ],
)
def test_what_is_no_thing_is_refused(thing: Any) -> None:
    assert encode(thing, False) is UNDEFINED


def test_a_thing_that_contains_itself_is_refused() -> None:
    endless: list[Any] = []
    endless.append(endless)
    assert encode(endless, False) is UNDEFINED


@pytest.mark.parametrize(
    ("thing", "encoded"),
    [
        ({}, "\ufffd{}"),
        ([], "\ufffd[]"),
        ((1, "x"), '\ufffd[1,"x"]'),
        ({"b": 1, "1": None, "a": UNDEFINED}, '\ufffd{"1":null,"b":1}'),
        ([UNDEFINED, float("nan"), -0.0], "\ufffd[null,null,0]"),
        (OrderedDict(a=1), '\ufffd{"a":1}'),
    ],
)
def test_objects_and_arrays_become_text(thing: Any, encoded: str) -> None:
    assert encode(thing, False) == encoded


def test_decoding_gives_a_fresh_thing_each_time() -> None:
    encoded = encode({"a": [1]}, False)
    assert decode(encoded) == {"a": [1]}
    assert decode(encoded) is not decode(encoded)


@pytest.mark.parametrize("text", ["\ufffd{}", '\ufffd {"a": 1}', "\ufffd[1]"])
def test_encoded_things_are_taken_as_they_are_where_they_are_accepted(text: str) -> None:
    assert encode(text, True) is text
    assert encode(text, False) is UNDEFINED
    assert is_encoded_json(text)


@pytest.mark.parametrize("text", ["\ufffd", "\ufffd1", '\ufffd"x"', "\ufffdnull", "\ufffd{", "\ufffc"])
def test_what_only_looks_encoded_is_refused_everywhere(text: str) -> None:
    assert encode(text, True) is UNDEFINED


def test_numbers_are_doubles() -> None:
    assert encode(2**53 + 1, False) == 2**53
    assert type(encode(2**53 + 1, False)) is float
    assert encode(10**300, False) == 1e300


@pytest.mark.parametrize(
    ("thing", "kind"),
    [(Pet.DOG, str), (Size.SMALL, int), (Text("x"), str), (type("F", (float,), {})(1.5), float)],
)
def test_derived_types_become_exact(thing: Any, kind: type) -> None:
    encoded = encode(thing, False)
    assert type(encoded) is kind
    assert encoded == thing


def test_a_pair_of_surrogates_is_its_character() -> None:
    assert encode("a\ud83d\ude00b", False) == "a😀b"
    assert encode("\ud83dx", False) == "\ud83dx"


@pytest.mark.parametrize(("one", "other"), [(1, 1.0), (0, -0.0), ("x", "x"), (None, None), (True, True)])
def test_equal_things(one: Any, other: Any) -> None:
    assert same_thing(one, other)


@pytest.mark.parametrize(
    ("one", "other"), [(1, True), (0, False), (0, None), (UNDEFINED, None), ("1", 1), ("", False), (1, 2)]
)
def test_different_things(one: Any, other: Any) -> None:
    assert not same_thing(one, other)
    assert not same_thing(other, one)


@pytest.mark.parametrize(
    ("encoded", "name"),
    [
        ("x", "string"),
        (1, "number"),
        (1.5, "number"),
        (True, "boolean"),
        (None, "null"),
        ("\ufffd{}", "object"),
        ("\ufffd [1]", "array"),
    ],
)
def test_types_have_the_names_of_schemas(encoded: Any, name: str) -> None:
    assert thing_type(encoded) == name


def test_only_strings_are_encoded_json() -> None:
    assert not is_encoded_json(["\ufffd"])
    assert not is_encoded_json("x")


def test_things_that_are_encoded_already_stay_the_same_dict() -> None:
    things = {"a": 1, "b": "x", "c": None}
    assert encode_all(things, False) is things
    assert encode_all({"a": {"b": 1}, "c": UNDEFINED, "d": "\ufffd[", "e": 2}, True) == {
        "a": '\ufffd{"b":1}',
        "e": 2,
    }


def test_of_rows_those_are_left_of_which_something_can_be_kept() -> None:
    kept = {"c": 1}
    rows: dict[str, Any] = {"a": kept, "b": {"c": UNDEFINED}, "c": {}, "d": {"c": [1], "e": UNDEFINED}}
    encode_rows(rows, False)
    assert rows == {"a": {"c": 1}, "d": {"c": "\ufffd[1]"}}
    assert rows["a"] is kept
