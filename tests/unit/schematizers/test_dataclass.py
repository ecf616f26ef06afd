"""Schemas from dataclasses."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, make_dataclass
from enum import Enum
from typing import Any, ClassVar, Literal, TypedDict

import pytest

from durabase.errors import SchemaError
from durabase.schematizers import schema_from_dataclass
from durabase.store import Store


class Colour(Enum):
    RED = "red"
    GREEN = "green"


class Chip(TypedDict):
    number: str


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
        [("x", tuple, (Colour.RED, [2])), ("y", list, field(default_factory=list))],
    )
    assert schema_from_dataclass(model) == {
        "x": {"type": "array", "default": ["red", [2]]},
        "y": {"type": "array", "default": []},
    }


def test_every_annotation_counts_and_says_where_it_is() -> None:
    model = make_dataclass("Model", [("x", int), ("y", str | bytes)])
    with pytest.raises(SchemaError, match=r"^Model\.y: bytes can't be kept in a cell"):
        schema_from_dataclass(model)


@pytest.mark.parametrize("model", [int, Owner("me"), Chip, None, {}])
def test_only_dataclasses(model: Any) -> None:
    with pytest.raises(SchemaError, match="expected a dataclass"):
        schema_from_dataclass(model)
