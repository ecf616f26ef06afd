"""Schemas from msgspec structs."""

from __future__ import annotations

import datetime
import enum
import json
import uuid
from typing import Annotated, Any, Literal

import msgspec
import pytest

from durabase.errors import SchemaError
from durabase.schematizers import schema_from_msgspec
from durabase.store import Store


class Colour(enum.Enum):
    RED = "red"
    GREEN = "green"


class Owner(msgspec.Struct):
    name: str


class Pet(msgspec.Struct, rename="camel", kw_only=True):
    first_name: str
    age: Annotated[int, msgspec.Meta(ge=0)] = 0
    price: float | None = None
    colour: Colour = Colour.RED
    size: Literal["s", "l"]
    tags: list[str] = []
    extra: dict[str, int] = msgspec.field(default_factory=dict)
    owner: Owner
    parent: Pet | None = None
    born: datetime.datetime
    id: uuid.UUID = msgspec.field(default_factory=uuid.uuid4)
    note: str | msgspec.UnsetType = msgspec.UNSET
    either: int | str = 1
    anything: Any = None


def test_a_whole_struct() -> None:
    assert schema_from_msgspec(Pet) == {
        "firstName": {"type": "string", "required": True},
        "age": {"type": "number", "default": 0},
        "price": {"type": "number", "default": None, "allowNull": True},
        "colour": {"enum": ["green", "red"], "default": "red"},
        "size": {"enum": ["l", "s"], "required": True},
        "tags": {"type": "array", "default": []},
        "extra": {"type": "object", "default": {}},
        "owner": {"type": "object", "required": True},
        "parent": {"type": "object", "default": None, "allowNull": True},
        "born": {"type": "string", "required": True},
        "id": {"type": "string"},
        "note": {"type": "string"},
        "either": {"type": ["number", "string"], "default": 1},
        "anything": {
            "type": ["string", "number", "boolean", "object", "array"],
            "default": None,
            "allowNull": True,
        },
    }


def test_a_store_takes_it_and_the_instances() -> None:
    store = Store().set_tables_schema({"pets": schema_from_msgspec(Pet)})
    pet = Pet(first_name="fido", size="s", owner=Owner("me"), born=datetime.datetime(2020, 1, 1))
    row = msgspec.to_builtins(pet)
    assert store.set_row("pets", "fido", row).get_row("pets", "fido") == row
    assert json.loads(store.get_tables_schema_json()) == {"pets": schema_from_msgspec(Pet)}


def test_tags() -> None:
    class Cat(msgspec.Struct, tag="cat"):
        name: str

    assert schema_from_msgspec(Cat) == {
        "type": {"enum": ["cat"], "required": True},
        "name": {"type": "string", "required": True},
    }


def test_what_can_not_be_written() -> None:
    class Model(msgspec.Struct):
        x: complex

    with pytest.raises(SchemaError, match="Model: Generating JSON schema"):
        schema_from_msgspec(Model)


def test_a_struct_that_is_no_object() -> None:
    class Model(msgspec.Struct, array_like=True):
        x: int

    with pytest.raises(SchemaError, match="Model: expected the JSON Schema of an object"):
        schema_from_msgspec(Model)


@pytest.mark.parametrize("model", [int, Owner("me"), None, {}])
def test_only_structs(model: Any) -> None:
    with pytest.raises(SchemaError, match=r"expected a msgspec\.Struct"):
        schema_from_msgspec(model)
