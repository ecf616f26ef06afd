"""Schemas from dataclasses of the standard library."""

from __future__ import annotations

import dataclasses
from typing import Any, Final

from durabase.errors import SchemaError
from durabase.schematizers._annotations import hints_of, kind_of_annotation, plain_default
from durabase.types import UNDEFINED

__all__ = ["schema_from_dataclass"]

_EMPTY: Final[dict[Any, type]] = {list: list, dict: dict, tuple: list}
"""What functions that make defaults always make, as a store takes it."""


def schema_from_dataclass(model: type) -> dict[str, dict[str, Any]]:
    """The cells of a row, or the values, that instances of a dataclass become by ``dataclasses.asdict``.

    A field without a default is required. A default that a function makes is left to that function:
    the field may be absent; only ``list`` and ``dict`` stand for themselves.

    Args:
        model: the class.

    Returns:
        A table's schema, which is also the shape of a values schema.

    Raises:
        SchemaError: a field's type can't be kept in a cell, or the class is no dataclass.
    """
    if not (isinstance(model, type) and dataclasses.is_dataclass(model)):
        raise SchemaError(f"expected a dataclass, not {model!r}")
    hints = hints_of(model)
    return {
        field.name: _entry(f"{model.__name__}.{field.name}", hints[field.name], field)
        for field in dataclasses.fields(model)
    }


def _entry(name: str, annotation: Any, field: dataclasses.Field[Any]) -> dict[str, Any]:
    default = field.default
    if default is dataclasses.MISSING:
        empty = _EMPTY.get(field.default_factory)
        default = UNDEFINED if empty is None else empty()
    else:
        default = plain_default(default, name)
    required = field.default_factory is dataclasses.MISSING
    return kind_of_annotation(annotation, name).entry(name, default, required)
