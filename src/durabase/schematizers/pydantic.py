"""Schemas from pydantic models.

A cell holds what pydantic writes as JSON, so a ``datetime`` or a ``UUID`` becomes a string: store
``model.model_dump(mode="json", by_alias=True)``. What can be written, and under which name, pydantic says
itself in its JSON Schema.
"""

from __future__ import annotations

from typing import Any, Final

from durabase.errors import SchemaError
from durabase.schematizers._json_document import Document

__all__ = ["schema_from_pydantic"]
from durabase.types import UNDEFINED

__all__ = ["schema_from_pydantic"]

_EMPTY: Final[dict[Any, type]] = {list: list, dict: dict, tuple: list}
"""What functions that make defaults always make, as JSON has it."""


def schema_from_pydantic(model: Any, *, by_alias: bool = True) -> dict[str, dict[str, Any]]:
    """The cells of a row, or the values, that instances of a model become in JSON.

    A field without a default is required; a computed field is not. A default that a function makes is
    left to that function: the field may be absent; only ``list`` and ``dict`` stand for themselves.

    Args:
        model: a ``pydantic.BaseModel`` class or a pydantic dataclass.
        by_alias: whether cells have the names that fields are serialized with, or the fields' own.

    Returns:
        A table's schema, which is also the shape of a values schema.

    Raises:
        SchemaError: a field can't be kept in a cell, or the class is no model.
    """
    if not (isinstance(model, type) and hasattr(model, "__pydantic_fields__")):
        raise SchemaError(f"expected a pydantic model, not {model!r}")
    from pydantic import TypeAdapter
    from pydantic.errors import PydanticInvalidForJsonSchema

    try:
        schema = TypeAdapter(model).json_schema(mode="serialization", by_alias=by_alias)
    except PydanticInvalidForJsonSchema as error:
        raise SchemaError(f"{model.__name__}: {error.message}") from error
    document = Document(schema, model.__name__)
    fields = {_key(name, field, by_alias): field for name, field in model.__pydantic_fields__.items()}
    return {key: _entry(document, key, fields.get(key)) for key in document.keys()}  # noqa: SIM118


def _key(name: str, field: Any, by_alias: bool) -> str:
    return field.serialization_alias or field.alias or name if by_alias else name


def _entry(document: Document, key: str, field: Any) -> dict[str, Any]:
    """The entry of a field, or of a computed one, for which there is none."""
    if field is None:
        return document.entry(key, False)
    empty = _EMPTY.get(field.default_factory)
    return document.entry(key, field.is_required(), UNDEFINED if empty is None else empty())
