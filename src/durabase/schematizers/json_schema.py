"""Schemas from JSON Schema, as documents or as TypeBox and other libraries write it.

What TinyBase 10.0.1's TypeBox schematizer makes of a schema, this makes of it, too. Beyond that it knows
``integer``, ``$ref``, ``oneOf``, ``nullable``, lists of types, and ``enum`` beside a type. What can't be
expressed is refused, where the original leaves it out.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from durabase.schematizers._json_document import Document

__all__ = ["schema_from_json_schema"]


def schema_from_json_schema(schema: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The cells of a row, or the values, that objects of a JSON Schema have as their properties.

    Args:
        schema: the schema of an object. ``$ref`` may point into it.

    Returns:
        A table's schema, which is also the shape of a values schema.

    Raises:
        SchemaError: a property can't be kept in a cell, or the schema is none of an object.
    """
    title = schema.get("title") if isinstance(schema, Mapping) else None
    document = Document(schema, title if isinstance(title, str) else "schema")
    return {key: document.entry(key, document.is_required(key)) for key in document.keys()}  # noqa: SIM118
