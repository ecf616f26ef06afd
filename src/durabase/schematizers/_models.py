"""Schemas from models of any of the libraries that are known."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from durabase.errors import SchemaError
from durabase.schematizers.dataclass import schema_from_dataclass
from durabase.schematizers.json_schema import schema_from_json_schema
from durabase.schematizers.msgspec import schema_from_msgspec
from durabase.schematizers.pydantic import schema_from_pydantic
from durabase.schematizers.typed_dict import schema_from_typed_dict
from durabase.types import Id

__all__ = ["tables_schema_from", "values_schema_from"]

Entries: TypeAlias = dict[Id, dict[str, Any]]


def tables_schema_from(models: Mapping[Id, Any]) -> dict[Id, Entries]:
    """A tables schema from one model for the rows of each table.

    ::

        store.set_tables_schema(tables_schema_from({"pets": Pet, "species": Species}))

    Args:
        models: by table id: a pydantic model, dataclass, typed dict, msgspec struct or JSON Schema.

    Returns:
        What ``Store.set_tables_schema`` takes, and in JSON ``setTablesSchema`` of the original.

    Raises:
        SchemaError: a model can't be expressed; nothing is left out in silence.
    """
    return {table_id: _schema_from(model) for table_id, model in models.items()}


def values_schema_from(model: Any) -> Entries:
    """A values schema from one model of which each field is a value.

    Args:
        model: a pydantic model, dataclass, typed dict, msgspec struct or JSON Schema.

    Returns:
        What ``Store.set_values_schema`` takes, and in JSON ``setValuesSchema`` of the original.

    Raises:
        SchemaError: the model can't be expressed; nothing is left out in silence.
    """
    return _schema_from(model)


def _schema_from(model: Any) -> Entries:
    entries = _schematizer_of(model)(model)
    if not entries:
        raise SchemaError(f"{model!r} has no fields")
    return entries


def _schematizer_of(model: Any) -> Callable[[Any], Entries]:
    if isinstance(model, Mapping):
        return schema_from_json_schema
    if isinstance(model, type):
        if hasattr(model, "__pydantic_fields__"):  # before dataclasses, which pydantic has, too
            return schema_from_pydantic
        if hasattr(model, "__struct_fields__"):
            return schema_from_msgspec
        if dataclasses.is_dataclass(model):
            return schema_from_dataclass
        if hasattr(model, "__required_keys__"):
            return schema_from_typed_dict
    raise SchemaError(
        "expected a pydantic model, dataclass, TypedDict, msgspec.Struct or JSON Schema, "
        f"not {model if isinstance(model, type) else type(model)}"
    )
