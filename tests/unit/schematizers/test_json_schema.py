"""Schemas from JSON Schema documents."""

from __future__ import annotations

import pytest

from durabase.errors import SchemaError
from durabase.schematizers import schema_from_json_schema


def test_a_whole_document() -> None:
    properties = {"name": {"type": "string"}, "age": {"type": "integer", "default": 1}, "any": True}
    schema = {"title": "Pet", "type": "object", "properties": properties, "required": ["name", "age"]}
    made = schema_from_json_schema(schema)
    assert list(made) == ["name", "age", "any"]
    assert made["name"] == {"type": "string", "required": True}
    assert made["age"] == {"type": "number", "default": 1}


def test_it_is_called_by_its_title_if_it_has_one() -> None:
    with pytest.raises(SchemaError, match=r"^Pet\.x: no cell can be False"):
        schema_from_json_schema({"title": "Pet", "properties": {"x": False}})
    for untitled in ({}, None, "x"):
        with pytest.raises(SchemaError, match=r"^schema: expected"):
            schema_from_json_schema(untitled)  # type: ignore[arg-type]
