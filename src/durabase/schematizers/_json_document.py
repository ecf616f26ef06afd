"""A JSON Schema document, and what its properties are as cells.

Keywords that only narrow down what a type allows (``minLength``, ``pattern``, ``items`` …) are passed
over. References are followed only as far as the kind of a property needs it, so recursive models are fine.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from durabase.errors import SchemaError
from durabase.schematizers._kinds import (
    ANYTHING,
    ARRAY,
    BOOLEAN,
    NULL,
    NUMBER,
    OBJECT,
    STRING,
    Kind,
    choice,
    union,
)
from durabase.types import UNDEFINED

__all__ = ["Document"]

_KINDS: Final[Mapping[object, Kind]] = {
    "string": STRING,
    "number": NUMBER,
    "integer": NUMBER,
    "boolean": BOOLEAN,
    "object": OBJECT,
    "array": ARRAY,
    "null": NULL,
}
_TOLD_BY_KEYWORD: Final = {
    **dict.fromkeys(("properties", "additionalProperties", "patternProperties"), OBJECT),
    **dict.fromkeys(("items", "prefixItems"), ARRAY),
}
_DEEPEST: Final = 100


class Document:
    """The schema of an object; references in it point into itself.

    Args:
        root: the document.
        name: what it is called in errors.

    Raises:
        SchemaError: it is not the schema of an object with properties.
    """

    def __init__(self, root: object, name: str) -> None:
        if not isinstance(root, Mapping):
            raise SchemaError(f"{name}: expected a JSON Schema as a dict, not {root!r}")
        self._root = root
        self._name = name
        top = self._resolved(root, name)
        properties = top.get("properties")
        if not isinstance(properties, Mapping) or not properties:
            raise SchemaError(f"{name}: expected the JSON Schema of an object with properties, not {root!r}")
        self._properties: Mapping[str, Any] = properties
        self._required = frozenset(_parts(top, "required", name))

    def keys(self) -> list[str]:
        """The properties."""
        return list(self._properties)

    def is_required(self, key: str) -> bool:
        """Whether a property must be there."""
        return key in self._required

    def entry(self, key: str, required: bool, default: object = UNDEFINED) -> dict[str, Any]:
        """The schema entry of one property.

        Args:
            key: the property.
            required: whether it must be there.
            default: what it is if the document does not say so.

        Raises:
            SchemaError: it can't be kept in a cell.
        """
        name = f"{self._name}.{key}"
        schema = self._properties[key]
        target = self._resolved(schema, name) if isinstance(schema, Mapping) else {}
        return self._kind(schema, name).entry(name, target.get("default", default), required)

    def _resolved(self, schema: Mapping[str, Any], name: str) -> Mapping[str, Any]:
        """A schema without references and wrappers on top; what stands beside one goes before."""
        for _ in range(_DEEPEST):
            target = self._target(schema, name)
            if target is None:
                return schema
            beside = {key: member for key, member in schema.items() if key not in ("$ref", "allOf")}
            schema = {**target, **beside}
        raise SchemaError(f"{name}: its references go round in a circle")

    def _target(self, schema: Mapping[str, Any], name: str) -> Mapping[str, Any] | None:
        if "$ref" in schema:
            return self._referred(schema["$ref"], name)
        if "allOf" in schema:
            parts = _parts(schema, "allOf", name)
            if len(parts) != 1 or not isinstance(parts[0], Mapping):
                raise SchemaError(f"{name}: allOf with {len(parts)} parts can't be expressed")
            return parts[0]
        return None

    def _referred(self, reference: object, name: str) -> Mapping[str, Any]:
        target: Any = self._root
        marker, *steps = str(reference).split("/")
        try:
            for step in steps:
                target = target[step.replace("~1", "/").replace("~0", "~")]
        except (KeyError, TypeError):
            target = None
        if marker != "#" or not isinstance(target, Mapping):
            raise SchemaError(f"{name}: {reference!r} points to no schema in this document")
        return target

    def _kind(self, schema: Any, name: str, depth: int = 0) -> Kind:
        if schema is True:
            return ANYTHING
        if not isinstance(schema, Mapping) or depth > _DEEPEST:
            raise SchemaError(f"{name}: no cell can be {schema!r}")
        schema = self._resolved(schema, name)
        kind = self._kind_of_keywords(schema, name, depth)
        return kind.or_null() if schema.get("nullable") is True else kind

    def _kind_of_keywords(self, schema: Mapping[str, Any], name: str, depth: int) -> Kind:
        for keyword in ("anyOf", "oneOf"):
            if keyword in schema:
                return union(self._kind(part, name, depth + 1) for part in _parts(schema, keyword, name))
        if "const" in schema:
            return choice([schema["const"]])
        if "enum" in schema:
            return choice(_parts(schema, "enum", name))
        if "type" in schema:
            is_one = isinstance(schema["type"], str)
            return _kind_of_types([schema["type"]] if is_one else _parts(schema, "type", name), name)
        told = [kind for keyword, kind in _TOLD_BY_KEYWORD.items() if keyword in schema]
        return told[0] if told else ANYTHING


def _parts(schema: Mapping[str, Any], keyword: str, name: str) -> list[Any]:
    """What a keyword lists."""
    parts = schema.get(keyword, [])
    if not isinstance(parts, list | tuple):
        raise SchemaError(f"{name}: {keyword} is to be a list, not {parts!r}")
    return list(parts)


def _kind_of_types(types: list[Any], name: str) -> Kind:
    for type_ in types:
        if not isinstance(type_, str) or type_ not in _KINDS:
            raise SchemaError(f"{name}: {type_!r} is no type of JSON Schema")
    return union(_KINDS[type_] for type_ in types)
