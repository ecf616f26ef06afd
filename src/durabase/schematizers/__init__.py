"""Schemas for stores from the models that a program has anyway.

The results are plain dicts as TinyBase 10.0.1 takes them, so one model in Python can serve a store here
and, as JSON, the stores of JavaScript clients. A library is imported when one of its models is given.
"""

from durabase.schematizers._models import tables_schema_from, values_schema_from
from durabase.schematizers.dataclass import schema_from_dataclass
from durabase.schematizers.json_schema import schema_from_json_schema
from durabase.schematizers.msgspec import schema_from_msgspec
from durabase.schematizers.pydantic import schema_from_pydantic
from durabase.schematizers.typed_dict import schema_from_typed_dict

__all__ = [
    "schema_from_dataclass",
    "schema_from_json_schema",
    "schema_from_msgspec",
    "schema_from_pydantic",
    "schema_from_typed_dict",
    "tables_schema_from",
    "values_schema_from",
]
