"""Schemas from pydantic models."""

from __future__ import annotations

import datetime
import enum
import json
import uuid
from collections.abc import Callable
from decimal import Decimal
from typing import Annotated, Any, Literal

import pydantic
import pytest
from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from durabase.errors import SchemaError
from durabase.schematizers import schema_from_pydantic
from durabase.store import Store


class Colour(enum.Enum):
    RED = "red"
    GREEN = "green"


class Owner(BaseModel):
    name: str = "me"


class Pet(BaseModel):
    name: Annotated[str, Field(min_length=1)]
    age: int = Field(default=0, ge=0, description="in years")
    price: float | None = None
    sold: bool
    colour: Colour = Colour.RED
    size: Literal["s", "l"] | None
    tags: list[str] = Field(default_factory=list)
    extra: dict[str, int] = {}
    owner: Owner = Owner()
    parent: Pet | None = None
    born: datetime.datetime
    id: uuid.UUID = Field(default_factory=uuid.uuid4)
    either: int | str = 1
    anything: Any = None
    secret: str = Field(default="", exclude=True)

    @pydantic.computed_field
    def shout(self) -> str:
        return self.name.upper()


def test_a_whole_model() -> None:
    assert schema_from_pydantic(Pet) == {
        "name": {"type": "string", "required": True},
        "age": {"type": "number", "default": 0},
        "price": {"type": "number", "default": None, "allowNull": True},
        "sold": {"type": "boolean", "required": True},
        "colour": {"enum": ["red", "green"], "default": "red"},
        "size": {"enum": ["s", "l"], "allowNull": True, "required": True},
        "tags": {"type": "array", "default": []},
        "extra": {"type": "object", "default": {}},
        "owner": {"type": "object", "default": {"name": "me"}},
        "parent": {"type": "object", "default": None, "allowNull": True},
        "born": {"type": "string", "required": True},
        "id": {"type": "string"},
        "either": {"type": ["number", "string"], "default": 1},
        "anything": {
            "type": ["string", "number", "boolean", "object", "array"],
            "default": None,
            "allowNull": True,
        },
        "shout": {"type": "string"},
    }


def test_a_store_takes_it_and_the_instances() -> None:
    store = Store().set_tables_schema({"pets": schema_from_pydantic(Pet)})
    pet = Pet(name="fido", sold=True, size=None, born=datetime.datetime(2020, 1, 1))
    row = pet.model_dump(mode="json")
    assert store.set_row("pets", "fido", row).get_row("pets", "fido") == row
    assert json.loads(store.get_tables_schema_json()) == {"pets": schema_from_pydantic(Pet)}


def test_names_in_json() -> None:
    class Model(BaseModel):
        model_config = ConfigDict(alias_generator=to_camel)

        first_name: str
        last_names: list[str] = Field(default_factory=list)
        nick: str = Field("", serialization_alias="nickName")
        id_: str = Field(alias="id")
        given: str = Field(validation_alias="taken")

    assert schema_from_pydantic(Model) == {
        "firstName": {"type": "string", "required": True},
        "lastNames": {"type": "array", "default": []},
        "nickName": {"type": "string", "default": ""},
        "id": {"type": "string", "required": True},
        "given": {"type": "string", "required": True},
    }
    assert list(schema_from_pydantic(Model, by_alias=False)) == [
        *("first_name", "last_names", "nick", "id_", "given")
    ]
    assert schema_from_pydantic(Model, by_alias=False)["last_names"] == {"type": "array", "default": []}


def test_what_is_always_written_is_no_more_required_than_before() -> None:
    class Model(BaseModel):
        model_config = ConfigDict(json_schema_serialization_defaults_required=True)

        a: int = 1
        b: list[int] = Field(default_factory=lambda: [1])

    assert schema_from_pydantic(Model) == {"a": {"type": "number", "default": 1}, "b": {"type": "array"}}


def test_cells_are_what_is_written() -> None:
    class Model(BaseModel):
        price: Decimal
        when: datetime.date = datetime.date(2020, 1, 1)
        members: set[int] = {1}

        @pydantic.field_serializer("price")
        def as_number(self, price: Decimal) -> float:
            return float(price)

    assert schema_from_pydantic(Model) == {
        "price": {"type": "number", "required": True},
        "when": {"type": "string", "default": "2020-01-01"},
        "members": {"type": "array", "default": [1]},
    }


def test_dataclasses_of_pydantic() -> None:
    @pydantic.dataclasses.dataclass
    class Model:
        a: int
        b: list[str] = Field(default_factory=list)

    assert schema_from_pydantic(Model) == {
        "a": {"type": "number", "required": True},
        "b": {"type": "array", "default": []},
    }


def test_what_can_not_be_written() -> None:
    class Model(BaseModel):
        call: Callable[[], int]

    with pytest.raises(SchemaError, match="Model: Cannot generate a JsonSchema"):
        schema_from_pydantic(Model)


def test_a_model_that_is_no_object() -> None:
    class Many(pydantic.RootModel[list[int]]):
        pass

    with pytest.raises(SchemaError, match="Many: expected the JSON Schema of an object"):
        schema_from_pydantic(Many)


@pytest.mark.parametrize("model", [int, Owner(), None, {}])
def test_only_models(model: Any) -> None:
    with pytest.raises(SchemaError, match="expected a pydantic model"):
        schema_from_pydantic(model)
