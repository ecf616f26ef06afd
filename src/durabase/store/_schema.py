"""Schemas: which cells and values are allowed, and their defaults.

A schema is given and told as dicts with TinyBase 10.0.1's keys (``type``, ``enum``, ``default``,
``allowNull``, ``required``) and reduced to its valid part as there: nothing is raised for a bad
entry, it is left out. It does not know content; what a row or the values lack it fills in and
reports to the log.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from durabase._codec import ordered_items
from durabase.store._cells import (
    Encoded,
    EncodedOrUndefined,
    decode,
    encode,
    is_encoded_json,
    same_thing,
    thing_type,
)
from durabase.store._changes import ChangeLog
from durabase.types import UNDEFINED, Id

__all__ = ["TablesSchema", "ThingSchema", "ValuesSchema"]

_KEYS: Final = frozenset(("type", "enum", "default", "allowNull", "required"))
_TYPES: Final = frozenset(("string", "number", "boolean", "object", "array"))


class ThingSchema:
    """What one cell or value may be.

    ``default`` is encoded, or UNDEFINED. ``required`` only counts where there is no default.
    """

    __slots__ = ("_allow_null", "_choices", "_members", "_types", "default", "required")

    def __init__(
        self,
        members: dict[str, Any],
        types: frozenset[str],
        choices: tuple[Encoded, ...] | None,
        default: EncodedOrUndefined,
    ) -> None:
        self._members = members
        self._types = types
        self._choices = choices
        self._allow_null = _is_truthy(members.get("allowNull"))
        self.default = default
        self.required = default is UNDEFINED and members.get("required") is True

    @classmethod
    def from_members(cls, given: object) -> ThingSchema | None:
        """The schema that an entry gives; None if it is invalid."""
        if not isinstance(given, Mapping):
            return None
        members = {key: _copied(member) for key, member in ordered_items(given) if key in _KEYS}
        types = _valid_types(members.get("type", UNDEFINED))
        choices = None
        if "enum" in members and members["enum"] is not UNDEFINED:
            choices = _valid_choices(members["enum"])
            if choices is None or members.get("type", UNDEFINED) is not UNDEFINED:
                return None
        elif types is None:
            return None
        default = members.pop("default", UNDEFINED)
        if default is None and not _is_truthy(members.get("allowNull")):
            return None
        schema = cls(members, types or frozenset(), choices, UNDEFINED)
        encoded = schema.encode(default, False)
        return schema if encoded is UNDEFINED else schema._with_default(given, encoded)  # type: ignore[arg-type]

    def _with_default(self, given: Mapping[str, Any], default: Encoded) -> ThingSchema:
        members = {
            key: decode(default) if key == "default" else self._members[key]
            for key, _ in ordered_items(given)
            if key in _KEYS
        }
        return ThingSchema(members, self._types, self._choices, default)

    def encode(self, thing: object, accept_encoded: bool) -> EncodedOrUndefined:
        """The encoded form of a thing that this schema allows, else UNDEFINED."""
        if thing is None:
            return None if self._allow_null else UNDEFINED
        encoded = encode(thing, accept_encoded)
        if encoded is UNDEFINED or not self._allows(encoded):  # type: ignore[arg-type]
            return UNDEFINED
        return encoded

    def _allows(self, thing: Encoded) -> bool:
        if self._choices is None:
            return thing_type(thing) in self._types
        return any(same_thing(choice, thing) for choice in self._choices)

    def members(self) -> dict[str, Any]:
        """The entry with its valid keys in object order, the default decoded."""
        members: dict[str, Any] = _copied(self._members)
        return members


class TablesSchema:
    """The tables schema of a store; inactive until one is set.

    ``cell_defaults`` are the defaults of each table in schema order.
    """

    __slots__ = ("_entries", "_missing", "_required", "active", "cell_defaults")

    def __init__(self) -> None:
        self.active = False
        self.cell_defaults: dict[Id, dict[Id, Encoded]] = {}
        self._entries: dict[Id, dict[Id, ThingSchema]] = {}
        self._missing: dict[Id, list[Id]] = {}
        self._required: dict[Id, list[Id]] = {}

    @staticmethod
    def valid(schema: object) -> dict[Id, dict[Id, ThingSchema]] | None:
        """The valid part of a schema as given, in object order; None if nothing of it is."""
        tables = {table_id: _valid_entries(table) for table_id, table in _members_of(schema)}
        return {table_id: table for table_id, table in tables.items() if table} or None

    def set(self, schema: Mapping[Id, Mapping[Id, ThingSchema]], active: bool = True) -> None:
        """Take over a valid schema. Tables and cells that were known keep their places."""
        self.active = active
        _match(self._entries, {table_id: self._entries.get(table_id, {}) for table_id in schema})
        for known in (self.cell_defaults, self._missing, self._required):
            known.clear()
        for table_id, cells in schema.items():
            _match(self._entries[table_id], cells)
            self.cell_defaults[table_id] = _defaults(cells)
            self._missing[table_id] = [key for key, cell in cells.items() if cell.default is UNDEFINED]
            self._required[table_id] = [key for key, cell in cells.items() if cell.required]

    def snapshot(self) -> tuple[bool, dict[Id, dict[Id, ThingSchema]]]:
        """What ``set`` needs to come back to the present state."""
        entries = {table_id: dict(ordered_items(cells)) for table_id, cells in ordered_items(self._entries)}
        return self.active, entries

    def has_table(self, table_id: Id) -> bool:
        """Whether the schema allows a table."""
        return not self.active or table_id in self._entries

    def entry(self, table_id: Id, cell_id: Id) -> ThingSchema | None:
        """The schema of one cell, if it is known."""
        cells = self._entries.get(table_id)
        return None if cells is None else cells.get(cell_id)

    def allows(self, table_id: Id, cell_id: Id, cell: object) -> bool:
        """Whether a cell, perhaps encoded, is one and suits the schema if there is one."""
        if not self.active:
            return encode(cell, True) is not UNDEFINED
        entry = self.entry(table_id, cell_id)
        return entry is not None and entry.encode(cell, True) is not UNDEFINED

    def complete_row(self, table_id: Id, row_id: object, row: dict[Id, Any], log: ChangeLog) -> None:
        """Add the defaults that a row lacks; report as invalid what it lacks otherwise.

        ``row_id`` is UNDEFINED if it is not known yet. Then the defaults count as given.
        """
        if table_id not in self._entries:
            return
        for cell_id, default in self.cell_defaults[table_id].items():
            if cell_id not in row:
                row[cell_id] = default
                if isinstance(row_id, str):
                    log.defaulted_cells.add((table_id, row_id, cell_id))
        for cell_id in self._missing[table_id]:
            if cell_id not in row:
                log.cell_invalid(table_id, row_id, cell_id)

    def has_required(self, table_id: Id, row: Mapping[Id, Any]) -> bool:
        """Whether a row has every required cell."""
        return all(cell_id in row for cell_id in self._required.get(table_id, ()))

    def members(self) -> dict[Id, dict[Id, dict[str, Any]]]:
        """The schema as dicts, defaults decoded."""
        return {
            table_id: {cell_id: cell.members() for cell_id, cell in cells.items()}
            for table_id, cells in self._entries.items()
        }


class ValuesSchema:
    """The values schema of a store; inactive until one is set."""

    __slots__ = ("_entries", "active", "value_defaults")

    def __init__(self) -> None:
        self.active = False
        self.value_defaults: dict[Id, Encoded] = {}
        self._entries: dict[Id, ThingSchema] = {}

    @staticmethod
    def valid(schema: object) -> dict[Id, ThingSchema] | None:
        """The valid part of a schema as given, in object order; None if nothing of it is."""
        return _valid_entries(schema) or None

    def set(self, schema: Mapping[Id, ThingSchema], active: bool = True) -> None:
        """Take over a valid schema. Values that were known keep their places."""
        self.active = active
        _match(self._entries, schema)
        _match(self.value_defaults, _defaults(schema))

    def snapshot(self) -> tuple[bool, dict[Id, ThingSchema]]:
        """What ``set`` needs to come back to the present state."""
        return self.active, dict(ordered_items(self._entries))

    def entry(self, value_id: Id) -> ThingSchema | None:
        """The schema of one value, if it is known."""
        return self._entries.get(value_id)

    def allows(self, value_id: Id, value: object) -> bool:
        """Whether a value, perhaps encoded, is one and suits the schema if there is one."""
        if not self.active:
            return encode(value, True) is not UNDEFINED
        entry = self.entry(value_id)
        return entry is not None and entry.encode(value, True) is not UNDEFINED

    def complete_values(self, values: dict[Id, Any], log: ChangeLog) -> None:
        """Add the defaults that are lacking; report as invalid what is lacking otherwise."""
        for value_id, default in self.value_defaults.items():
            if value_id not in values:
                values[value_id] = default
                log.defaulted_values.add(value_id)
        for value_id, value in self._entries.items():
            if value.default is UNDEFINED and value_id not in values:
                log.value_invalid(value_id)

    def has_required(self, values: Mapping[Id, Any]) -> bool:
        """Whether every required value is among these."""
        return all(value_id in values for value_id, value in self._entries.items() if value.required)

    def members(self) -> dict[Id, dict[str, Any]]:
        """The schema as dicts, defaults decoded."""
        return {value_id: value.members() for value_id, value in self._entries.items()}


def _members_of(thing: object) -> list[tuple[Id, Any]]:
    return list(ordered_items(thing)) if isinstance(thing, Mapping) else []


def _valid_entries(schema: object) -> dict[Id, ThingSchema]:
    entries = {key: ThingSchema.from_members(given) for key, given in _members_of(schema)}
    return {key: entry for key, entry in entries.items() if entry is not None}


def _valid_types(given: object) -> frozenset[str] | None:
    if isinstance(given, str):
        return frozenset((given,)) if given in _TYPES else None
    if isinstance(given, list | tuple) and given and all(_is_type(name) for name in given):
        return frozenset(given)
    return None


def _is_type(name: object) -> bool:
    return isinstance(name, str) and name in _TYPES


def _valid_choices(given: object) -> tuple[Encoded, ...] | None:
    if not isinstance(given, list | tuple) or not given:
        return None
    choices = [encode(choice, False) for choice in given]
    if any(choice is None or choice is UNDEFINED or is_encoded_json(choice) for choice in choices):
        return None
    return tuple(choices)  # type: ignore[arg-type]


def _defaults(schema: Mapping[Id, ThingSchema]) -> dict[Id, Encoded]:
    return {
        key: entry.default  # type: ignore[misc]
        for key, entry in schema.items()
        if entry.default is not UNDEFINED
    }


def _match(known: dict[Id, Any], wanted: Mapping[Id, Any]) -> None:
    """Make ``known`` equal ``wanted`` while what it had already keeps its place."""
    known.update(wanted)
    for key in list(known):
        if key not in wanted:
            del known[key]


def _copied(thing: Any) -> Any:
    if isinstance(thing, list | tuple):
        return [_copied(element) for element in thing]
    if isinstance(thing, Mapping):
        return {key: _copied(member) for key, member in ordered_items(thing)}
    return thing


def _is_truthy(thing: object) -> bool:
    """Truth as JavaScript has it: empty lists and dicts are true, NaN is not."""
    if isinstance(thing, list | tuple | Mapping):
        return True
    return bool(thing) and thing == thing
