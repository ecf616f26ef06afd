"""Documents of JSON Schema: their properties as cells, references followed, and what is none."""

from __future__ import annotations

from typing import Any

import pytest

from durabase.errors import SchemaError
from durabase.schematizers._json_document import Document


def entry_of(property_: Any, **rest: Any) -> Any:
    document = Document({"type": "object", "properties": {"x": property_}, **rest}, "Pet")
    return document.entry("x", document.is_required("x"))


ANYTHING = {"type": ["string", "number", "boolean", "object", "array"], "allowNull": True}


@pytest.mark.parametrize(
    ("property_", "entry"),
    [
        ({"type": "string", "minLength": 1}, {"type": "string"}),
        ({"type": "integer", "default": 1}, {"type": "number", "default": 1}),
        ({"type": ["string", "null"]}, {"type": "string", "allowNull": True}),
        ({"type": ["integer", "number", "string"]}, {"type": ["number", "string"]}),
        ({"type": "string", "nullable": True}, {"type": "string", "allowNull": True}),
        ({"type": "string", "enum": ["a", "b"]}, {"enum": ["a", "b"]}),
        ({"enum": ["a", 1, None], "default": None}, {"enum": ["a", 1], "default": None, "allowNull": True}),
        ({"const": True}, {"enum": [True]}),
        ({"anyOf": [{"const": "a"}, {"const": 2}]}, {"enum": ["a", 2]}),
        ({"anyOf": [{"const": "a"}, {"type": "number"}]}, {"type": ["string", "number"]}),
        ({"oneOf": [{"type": "array"}, {"type": "null"}]}, {"type": "array", "allowNull": True}),
        (
            {"anyOf": [{"anyOf": [{"const": 1}, {"type": "null"}]}, {"enum": [2]}]},
            {"enum": [1, 2], "allowNull": True},
        ),
        ({"properties": {}}, {"type": "object"}),
        ({"additionalProperties": False}, {"type": "object"}),
        ({"prefixItems": []}, {"type": "array"}),
        ({}, ANYTHING),
        (True, ANYTHING),
        ({"$ref": "#/$defs/a"}, {"type": "string", "default": "y"}),
        ({"$ref": "#/$defs/b~1c~0d", "default": 2}, {"type": "number", "default": 2}),
        ({"allOf": [{"$ref": "#/$defs/a"}], "default": "z"}, {"type": "string", "default": "z"}),
    ],
    ids=str,
)
def test_properties(property_: Any, entry: Any) -> None:
    definitions = {
        "a": {"type": "string", "default": "y"},
        "b/c~d": {"$ref": "#/$defs/e"},
        "e": {"type": "integer"},
    }
    assert entry_of(property_, **{"$defs": definitions}) == entry


def test_what_is_required() -> None:
    assert entry_of({"type": "string"}, required=["x"]) == {"type": "string", "required": True}
    assert entry_of({"type": "string", "default": ""}, required=["x"]) == {"type": "string", "default": ""}


def test_a_document_that_is_a_reference() -> None:
    pet = {
        "properties": {"name": {"type": "string"}, "parent": {"$ref": "#/$defs/pet"}},
        "required": ["name"],
    }
    document = Document({"$ref": "#/$defs/pet", "$defs": {"pet": pet}}, "Pet")
    assert document.keys() == ["name", "parent"]
    assert [document.is_required(key) for key in document.keys()] == [True, False]  # noqa: SIM118
    assert document.entry("name", True) == {"type": "string", "required": True}
    assert document.entry("parent", False) == {"type": "object"}


def test_a_default_is_what_the_document_says_or_else_what_is_given() -> None:
    properties = {"x": {"type": "string", "default": "own"}, "y": {"type": "string"}, "z": True}
    document = Document({"properties": properties}, "Pet")
    assert document.entry("x", False, "given") == {"type": "string", "default": "own"}
    assert document.entry("y", True, "given") == {"type": "string", "default": "given"}
    assert document.entry("z", False, 5)["default"] == 5


def test_references_that_are_long_but_no_circle() -> None:
    chain = {str(number): {"$ref": f"#/$defs/{number + 1}"} for number in range(90)} | {
        "90": {"type": "array"}
    }
    assert entry_of({"$ref": "#/$defs/0"}, **{"$defs": chain}) == {"type": "array"}


@pytest.mark.parametrize(
    ("property_", "told"),
    [
        ({"type": "null"}, "null only"),
        ({"type": "text"}, "'text' is no type of JSON Schema"),
        ({"type": ["string", "text"]}, "'text' is no type"),
        (False, "no cell can be False"),
        ("string", "no cell can be 'string'"),
        ({"anyOf": []}, "null only"),
        ({"anyOf": [False, {"type": "string"}]}, "no cell can be False"),
        ({"allOf": [{}, {}]}, "allOf with 2 parts"),
        ({"enum": [{"a": 1}]}, "does not take"),
        ({"enum": []}, "null only"),
        ({"const": [1]}, "does not take"),
        ({"type": "string", "default": 1}, "the default 1 is not of the field's own type"),
        ({"$ref": "#/$defs/none"}, "'#/\\$defs/none' points to no schema"),
        ({"$ref": "other.json#/a"}, "points to no schema"),
        ({"$ref": "#/required/0"}, "points to no schema"),
        ({"$ref": 1}, "points to no schema"),
        ({"anyOf": 1}, "anyOf is to be a list"),
        ({"enum": "ab"}, "enum is to be a list"),
        ({"allOf": {}}, "allOf is to be a list"),
        ({"allOf": [True]}, "allOf with 1 parts"),
        ({"type": 1}, "type is to be a list"),
        ({"type": [{}]}, "is no type of JSON Schema"),
        ({"$ref": "#/$defs/loop"}, "go round in a circle"),
        ({"$ref": "#/$defs/nest"}, "no cell can be"),
    ],
    ids=str,
)
def test_what_no_cell_can_be(property_: Any, told: str) -> None:
    definitions = {
        "loop": {"$ref": "#/$defs/loop"},
        "nest": {"anyOf": [{"$ref": "#/$defs/nest"}]},
    }
    with pytest.raises(SchemaError, match=rf"^Pet\.x: .*{told}"):
        entry_of(property_, required=["x"], **{"$defs": definitions})


@pytest.mark.parametrize(
    ("schema", "complaint"),
    [
        *(
            (schema, "expected the JSON Schema of an object with properties")
            for schema in (
                {},
                {"type": "string"},
                {"properties": {}},
                {"properties": [1]},
            )
        ),
        *((schema, "expected a JSON Schema as a dict, not ") for schema in (None, [], "x")),
        ({"properties": {"x": {}}, "required": True}, "required is to be a list, not True"),
    ],
)
def test_only_objects_with_properties(schema: Any, complaint: str) -> None:
    with pytest.raises(SchemaError, match=f"^Pet: {complaint}"):
        Document(schema, "Pet")
