"""The nouns of the data wing as type aliases, and the mark for "not there".

Things are what a Cell or a Value may hold. In the *decoded* form objects and arrays are
``dict`` and ``list``; in the *encoded* form (inside stores, on the wire, on disk) they are
strings that start with :data:`JSON_PREFIX`. Shapes follow TinyBase 10.0.1.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Final, TypeAlias, final

__all__ = [
    "JSON_PREFIX",
    "UNDEFINED",
    "UNDEFINED_MARK",
    "Cell",
    "Changes",
    "Content",
    "Id",
    "IdOrNone",
    "MergeableChanges",
    "MergeableContent",
    "Row",
    "Table",
    "Tables",
    "Thing",
    "ThingOrUndefined",
    "UndefinedType",
    "Value",
    "Values",
]


@final
class UndefinedType:
    """The type of :data:`UNDEFINED`. There is one instance; it is falsy and survives pickling and copying."""

    __slots__ = ()
    _instance: ClassVar[UndefinedType | None] = None

    def __new__(cls) -> UndefinedType:
        if cls._instance is None:
            cls._instance = super().__new__(cls)
        return cls._instance

    def __bool__(self) -> bool:
        return False

    def __repr__(self) -> str:
        return "UNDEFINED"

    def __reduce__(self) -> str:
        return "UNDEFINED"


UNDEFINED: Final = UndefinedType()
"""Not there: an absent or deleted thing. ``None`` is a thing of its own, JavaScript's ``null``."""

UNDEFINED_MARK: Final = "\ufffc"
"""The one-character string that stands for :data:`UNDEFINED` in JSON text."""

JSON_PREFIX: Final = "\ufffd"
"""The first character of an object or array in its encoded form."""

Id: TypeAlias = str
IdOrNone: TypeAlias = str | None
"""In listener ids ``None`` is the wildcard."""

Thing: TypeAlias = str | int | float | bool | dict[str, Any] | list[Any] | None
Cell: TypeAlias = Thing
Value: TypeAlias = Thing
ThingOrUndefined: TypeAlias = Thing | UndefinedType

Row: TypeAlias = dict[Id, Cell]
Table: TypeAlias = dict[Id, Row]
Tables: TypeAlias = dict[Id, Table]
Values: TypeAlias = dict[Id, Value]

Content: TypeAlias = list[Any]
"""``[tables, values]``."""
Changes: TypeAlias = list[Any]
"""``[tables, values, 1]``; :data:`UNDEFINED` for what was removed."""
MergeableContent: TypeAlias = list[Any]
"""``[tables_stamp, values_stamp]``, every stamp ``[thing, hlc, hash]``."""
MergeableChanges: TypeAlias = list[Any]
"""``[tables_stamp, values_stamp, 1]``, stamps of one to three elements."""

Hashes: TypeAlias = Mapping[Id, int]
