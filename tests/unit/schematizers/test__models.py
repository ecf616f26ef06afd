"""Schemas from any kind of model."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from typing import Any, TypedDict

import msgspec
import pydantic
import pytest

from durabase.errors import SchemaError
from durabase.schematizers import tables_schema_from, values_schema_from
from durabase.store import Store


@dataclass
class OfDataclass:
    x: int


class OfTypedDict(TypedDict):
    x: int


class OfPydantic(pydantic.BaseModel):
    x: int


@pydantic.dataclasses.dataclass
class OfBoth:
    x: int


class OfMsgspec(msgspec.Struct):
    x: int


OF_JSON_SCHEMA = {"type": "object", "properties": {"x": {"type": "integer"}}, "required": ["x"]}
MODELS = {
    "dataclass": OfDataclass,
    "typed_dict": OfTypedDict,
    "pydantic": OfPydantic,
    "both": OfBoth,
    "msgspec": OfMsgspec,
    "json_schema": OF_JSON_SCHEMA,
}


def test_all_say_the_same() -> None:
    schema = tables_schema_from(MODELS)
    assert schema == {table_id: {"x": {"type": "number", "required": True}} for table_id in MODELS}
    assert Store().set_tables_schema(schema).has_tables_schema()


@pytest.mark.parametrize("name", MODELS)
def test_values(name: str) -> None:
    schema = values_schema_from(MODELS[name])
    assert schema == {"x": {"type": "number", "required": True}}
    assert Store().set_values_schema(schema).has_values_schema()


@pytest.mark.parametrize("model", [int, None, OfDataclass(1), "x", [OfDataclass]])
def test_what_is_no_model(model: Any) -> None:
    with pytest.raises(SchemaError, match="expected a pydantic model, dataclass, TypedDict"):
        values_schema_from(model)


def test_models_without_fields() -> None:
    @dataclass
    class Empty:
        pass

    with pytest.raises(SchemaError, match="has no fields"):
        tables_schema_from({"t": Empty})


def test_importing_it_imports_no_library() -> None:
    program = "import sys, durabase.schematizers; print('pydantic' in sys.modules, 'msgspec' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False"]
