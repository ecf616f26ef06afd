"""Schemas from typed dicts, with annotations that are strings, for these are the harder ones."""

from __future__ import annotations

from typing import Annotated, Any, NotRequired, Required, TypedDict

import pytest
import typing_extensions

from durabase.errors import SchemaError
from durabase.schematizers import schema_from_typed_dict
from durabase.store import Store


class Pet(TypedDict):
    species: str
    age: NotRequired[int | None]
    tags: Annotated[NotRequired[list[str]], "any"]


class Part(TypedDict, total=False):
    name: Required[str]
    note: str


class Whole(Part):
    size: float


class Newer(typing_extensions.TypedDict):
    id: typing_extensions.ReadOnly[str]
    rank: typing_extensions.ReadOnly[NotRequired[int]]


def test_what_need_not_be_there() -> None:
    assert schema_from_typed_dict(Pet) == {
        "species": {"type": "string", "required": True},
        "age": {"type": "number", "allowNull": True},
        "tags": {"type": "array"},
    }
    store = Store().set_tables_schema({"pets": schema_from_typed_dict(Pet)})
    assert store.set_row("pets", "fido", {"species": "dog"}).has_row("pets", "fido")


def test_dicts_that_are_not_total() -> None:
    assert schema_from_typed_dict(Part) == {
        "name": {"type": "string", "required": True},
        "note": {"type": "string"},
    }
    assert schema_from_typed_dict(Whole)["size"] == {"type": "number", "required": True}
    assert schema_from_typed_dict(Whole)["note"] == {"type": "string"}


def test_those_of_typing_extensions() -> None:
    assert schema_from_typed_dict(Newer) == {
        "id": {"type": "string", "required": True},
        "rank": {"type": "number"},
    }


def test_annotations_that_are_no_strings() -> None:
    model: Any = TypedDict("Model", {"a": int, "b": NotRequired[str]})
    assert schema_from_typed_dict(model) == {
        "a": {"type": "number", "required": True},
        "b": {"type": "string"},
    }


def test_what_no_cell_can_be() -> None:
    model: Any = TypedDict("Model", {"a": NotRequired[bytes]})
    with pytest.raises(SchemaError, match=r"Model\.a: bytes can't be kept"):
        schema_from_typed_dict(model)


@pytest.mark.parametrize("model", [dict, {"a": int}, None])
def test_only_typed_dicts(model: Any) -> None:
    with pytest.raises(SchemaError, match="expected a TypedDict"):
        schema_from_typed_dict(model)
