"""Schemas from msgspec structs.

A cell holds what msgspec writes as JSON, so a ``datetime`` or a ``UUID`` becomes a string: store
``msgspec.to_builtins(instance)``. What can be written, and under which name, msgspec says itself in its
JSON Schema.
"""

from __future__ import annotations

from typing import Any

from durabase.errors import SchemaError
from durabase.schematizers._json_document import Document

__all__ = ["schema_from_msgspec"]


def schema_from_msgspec(model: Any) -> dict[str, dict[str, Any]]:
    """The cells of a row, or the values, that instances of a struct become in JSON.

    A field without a default is required. A default that a function makes is left to that function: the
    field may be absent; only ``list`` and ``dict`` stand for themselves.

    Args:
        model: a ``msgspec.Struct`` class.

    Returns:
        A table's schema, which is also the shape of a values schema.

    Raises:
        SchemaError: a field can't be kept in a cell, or the class is no struct.
    """
    if not (isinstance(model, type) and hasattr(model, "__struct_fields__")):
        raise SchemaError(f"expected a msgspec.Struct, not {model!r}")
    import msgspec

    try:
        schema = msgspec.json.schema(model)
    except TypeError as error:
        raise SchemaError(f"{model.__name__}: {error}") from error
    document = Document(schema, model.__name__)
    return {key: document.entry(key, document.is_required(key)) for key in document.keys()}  # noqa: SIM118
