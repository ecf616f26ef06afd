"""Schemas from typed dicts."""

from __future__ import annotations

import typing
from typing import Any

from durabase.errors import SchemaError
from durabase.schematizers._annotations import hints_of, kind_of_annotation

__all__ = ["schema_from_typed_dict"]


def schema_from_typed_dict(model: Any) -> dict[str, dict[str, Any]]:
    """The cells of a row, or the values, that a ``TypedDict`` describes.

    Args:
        model: the class; of ``typing`` or ``typing_extensions``.

    Returns:
        A table's schema, which is also the shape of a values schema.

    Raises:
        SchemaError: a key's type can't be kept in a cell, or the class is no typed dict.
    """
    if not (isinstance(model, type) and hasattr(model, "__required_keys__")):
        raise SchemaError(f"expected a TypedDict, not {model!r}")
    required_keys: frozenset[str] = model.__required_keys__
    return {
        key: _entry(f"{model.__name__}.{key}", annotation, key in required_keys)
        for key, annotation in hints_of(model).items()
    }


def _entry(name: str, annotation: Any, is_required: bool) -> dict[str, Any]:
    return kind_of_annotation(annotation, name).entry(
        name, required=_told_in_annotation(annotation, is_required)
    )


def _told_in_annotation(annotation: Any, is_required: bool) -> bool:
    """Whether a key is required, also where annotations are strings, which typed dicts do not look into."""
    origin = typing.get_origin(annotation)
    name = getattr(origin, "_name", None)
    if name in ("Required", "NotRequired"):
        return bool(name == "Required")
    if name == "ReadOnly" or origin is typing.Annotated:
        return _told_in_annotation(typing.get_args(annotation)[0], is_required)
    return is_required
