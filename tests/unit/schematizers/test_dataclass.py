"""Schemas from dataclasses."""

from __future__ import annotations

import datetime
import json
import sys
import typing
from collections.abc import Mapping, MutableSequence, Sequence
from dataclasses import asdict, dataclass, field, make_dataclass
from decimal import Decimal
from enum import Enum, IntEnum, StrEnum
from typing import Annotated, Any, ClassVar, Literal, NamedTuple, NewType, Optional, TypedDict, Union

import pytest

from durabase.errors import SchemaError
from durabase.schematizers import schema_from_dataclass
from durabase.store import Store


class Colour(Enum):
    RED = "red"
    GREEN = "green"


class Size(IntEnum):
    SMALL = 1
    LARGE = 2


class Mood(StrEnum):
    GOOD = "good"


class Point(NamedTuple):
    x: int
    y: int


class Chip(TypedDict):
    number: str


PetName = NewType("PetName", str)


@dataclass
class Owner:
    name: str


@dataclass
class Pet:
    kinds: ClassVar[int] = 0
    name: str
    age: int
    price: float | None = None
    sold: bool = False
    colour: Colour = Colour.RED
    tags: list[str] = field(default_factory=list)
    owner: Owner | None = None
    born: float = field(default_factory=lambda: 1.5)


def test_a_whole_dataclass() -> None:
    assert schema_from_dataclass(Pet) == {
        "name": {"type": "string", "required": True},
        "age": {"type": "number", "required": True},
        "price": {"type": "number", "default": None, "allowNull": True},
        "sold": {"type": "boolean", "default": False},
        "colour": {"enum": ["red", "green"], "default": "red"},
        "tags": {"type": "array", "default": []},
        "owner": {"type": "object", "default": None, "allowNull": True},
        "born": {"type": "number"},
    }


def test_a_store_takes_it_and_the_instances() -> None:
    schema = schema_from_dataclass(Pet)
    store = Store().set_tables_schema({"pets": schema})
    assert json.loads(store.get_tables_schema_json()) == {"pets": schema}
    row = asdict(Pet("fido", 3, tags=["a"], owner=Owner("me"))) | {"colour": "green"}
    assert store.set_row("pets", "fido", row).get_row("pets", "fido") == row
    store.set_row("pets", "felix", {"name": "felix"})
    assert not store.has_row("pets", "felix")


@pytest.mark.parametrize(
    ("annotation", "entry"),
    [
        (str, {"type": "string"}),
        (int, {"type": "number"}),
        (float, {"type": "number"}),
        (bool, {"type": "boolean"}),
        (list, {"type": "array"}),
        (typing.List, {"type": "array"}),  # noqa: UP006
        (tuple[int, ...], {"type": "array"}),
        (Sequence[int], {"type": "array"}),
        (MutableSequence, {"type": "array"}),
        (Point, {"type": "array"}),
        (dict[str, int], {"type": "object"}),
        (typing.Dict[str, int], {"type": "object"}),  # noqa: UP006
        (Mapping[str, Any], {"type": "object"}),
        (Owner, {"type": "object"}),
        (Chip, {"type": "object"}),
        (str | int | None, {"type": ["string", "number"], "allowNull": True}),
        (Union[int, float], {"type": "number"}),  # noqa: UP007
        (Optional[bool], {"type": "boolean", "allowNull": True}),  # noqa: UP045
        (Literal["a", 1, None], {"enum": ["a", 1], "allowNull": True}),
        (Literal["a"] | Colour, {"enum": ["a", "red", "green"]}),
        (Literal[Colour.RED, "x"], {"enum": ["red", "x"]}),
        (Literal["a"] | int, {"type": ["string", "number"]}),
        (Size, {"enum": [1, 2]}),
        (Mood, {"enum": ["good"]}),
        (PetName, {"type": "string"}),
        (Annotated[int, "years"], {"type": "number"}),
        (Annotated[str | None, "x"], {"type": "string", "allowNull": True}),
        (typing.Final[int], {"type": "number"}),
        (Any, {"type": ["string", "number", "boolean", "object", "array"], "allowNull": True}),
        (object, {"type": ["string", "number", "boolean", "object", "array"], "allowNull": True}),
    ],
    ids=str,
)
def test_annotations(annotation: Any, entry: dict[str, Any]) -> None:
    model = make_dataclass("Model", [("x", annotation)])
    assert schema_from_dataclass(model) == {"x": {**entry, "required": True}}


@pytest.mark.skipif(sys.version_info < (3, 12), reason="the type statement came with Python 3.12")
def test_type_statements() -> None:
    namespace: dict[str, Any] = {}
    exec("type Age = int | None\ntype Many[T] = list[T]", namespace)  # noqa: S102
    model = make_dataclass("Model", [("x", namespace["Age"]), ("y", namespace["Many"][int])])
    assert schema_from_dataclass(model) == {
        "x": {"type": "number", "allowNull": True, "required": True},
        "y": {"type": "array", "required": True},
    }


@pytest.mark.parametrize(
    ("annotation", "told"),
    [
        (datetime.datetime, "datetime"),
        (Decimal, "Decimal"),
        (bytes, "bytes"),
        (set[int], "set"),
        (complex, "complex"),
        (str | bytes, "bytes"),
        (typing.TypeVar("T"), "~T"),
    ],
    ids=str,
)
def test_what_no_cell_can_be(annotation: Any, told: str) -> None:
    model = make_dataclass("Model", [("x", annotation)])
    with pytest.raises(SchemaError, match=rf"Model\.x: {told} can't be kept in a cell; expected str"):
        schema_from_dataclass(model)


@pytest.mark.parametrize(
    ("annotation", "default", "told"),
    [
        (None, None, "null only"),
        (str, 1, "not of the field's own type"),
        (str, None, "does not take"),
        (dict, field(default_factory=lambda: {"a": {1}}), None),
        (Any, b"a", "a default of type bytes"),
        (tuple, (1, {2}), "a default of type set"),
        (Literal[b"a"], "a", "does not take"),
    ],
    ids=str,
)
def test_defaults_are_checked(annotation: Any, default: Any, told: str | None) -> None:
    model = make_dataclass("Model", [("x", annotation, default)])
    if told is None:
        assert schema_from_dataclass(model) == {"x": {"type": "object"}}
    else:
        with pytest.raises(SchemaError, match=told):
            schema_from_dataclass(model)


def test_defaults_become_plain() -> None:
    model = make_dataclass(
        "Model",
        [("x", tuple, (Colour.RED, {1: [Size.LARGE]}.get(1))), ("y", list, field(default_factory=list))],
    )
    assert schema_from_dataclass(model) == {
        "x": {"type": "array", "default": ["red", [2]]},
        "y": {"type": "array", "default": []},
    }


def test_names_that_are_nowhere() -> None:
    model = make_dataclass("Model", [("x", "Nowhere")])
    with pytest.raises(SchemaError, match="Model: an annotation can't be resolved: name 'Nowhere'"):
        schema_from_dataclass(model)


@pytest.mark.parametrize("model", [int, Owner("me"), Chip, None, {}])
def test_only_dataclasses(model: Any) -> None:
    with pytest.raises(SchemaError, match="expected a dataclass"):
        schema_from_dataclass(model)
