"""What a cell or value may be, before it is written down as a schema entry.

Libraries are not known here. Unions are reduced as TinyBase 10.0.1's schematizers do it: only choices
stay choices, anything else becomes the types of its parts, each once and in order.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, Final

from durabase.errors import SchemaError
from durabase.store._schema import ThingSchema
from durabase.types import UNDEFINED

__all__ = ["ANYTHING", "ARRAY", "BOOLEAN", "NULL", "NUMBER", "OBJECT", "STRING", "Kind", "choice", "union"]


@dataclass(frozen=True, slots=True)
class Kind:
    """Either one of ``choices``, if there are any, or something of one of ``types``; or null, if allowed."""

    types: tuple[str, ...] = ()
    choices: tuple[Any, ...] = ()
    allow_null: bool = False

    def or_null(self) -> Kind:
        """The same, or null."""
        return replace(self, allow_null=True)

    def entry(self, name: str, default: object = UNDEFINED, required: bool = False) -> dict[str, Any]:
        """The schema entry, with its keys in the order of the original's.

        Args:
            name: of the field, for errors.
            default: of the field; ``UNDEFINED`` if it has none.
            required: whether the field must be there. It counts only if there is no default.

        Raises:
            SchemaError: a store does not take this.
        """
        if not self.types and not self.choices:
            raise SchemaError(f"{name}: a cell can't be null only")
        entry: dict[str, Any] = {"enum": list(self.choices)} if self.choices else {"type": self._type()}
        if default is not UNDEFINED:
            entry["default"] = default
        if self.allow_null:
            entry["allowNull"] = True
        if required and default is UNDEFINED:
            entry["required"] = True
        _check_taken(name, entry)
        return entry

    def _type(self) -> str | list[str]:
        return self.types[0] if len(self.types) == 1 else list(self.types)


STRING: Final = Kind(("string",))
NUMBER: Final = Kind(("number",))
BOOLEAN: Final = Kind(("boolean",))
OBJECT: Final = Kind(("object",))
ARRAY: Final = Kind(("array",))
NULL: Final = Kind(allow_null=True)
ANYTHING: Final = Kind(("string", "number", "boolean", "object", "array"), allow_null=True)


def choice(values: Iterable[object]) -> Kind:
    """One of some values, of which ``None`` is null."""
    values = list(values)
    choices = tuple(value for value in values if value is not None)
    return Kind(_types_of(choices), choices, allow_null=len(choices) < len(values))


def union(kinds: Iterable[Kind]) -> Kind:
    """Anything that one of these is."""
    kinds = list(kinds)
    parts = [kind for kind in kinds if kind.types or kind.choices]
    types = _unique(name for kind in parts for name in kind.types)
    are_choices = all(kind.choices for kind in parts)
    choices = tuple(value for kind in parts for value in kind.choices) if are_choices else ()
    return Kind(types, choices, any(kind.allow_null for kind in kinds))


def _types_of(choices: Iterable[object]) -> tuple[str, ...]:
    return _unique(_type_of(value) for value in choices)


def _type_of(value: object) -> str:
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int | float):
        return "number"
    return "string" if isinstance(value, str) else type(value).__name__  # which no store takes


def _unique(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(names))


def _check_taken(name: str, entry: dict[str, Any]) -> None:
    """See whether a store takes an entry as it is; it would leave out in silence what it does not like."""
    taken = ThingSchema.from_members(entry)
    if taken is None:
        raise SchemaError(f"{name}: a store does not take the schema {entry!r}")
    if "default" in entry and taken.default is UNDEFINED:
        raise SchemaError(f"{name}: the default {entry['default']!r} is not of the field's own type")
