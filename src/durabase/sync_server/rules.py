"""Which access may write what in a room: by table, row, cell and value. Pure.

Rules are about writing only. What a room holds, all of it that are in the room can read: stores compare the
hashes of everything that they have, and a client from which some is kept back could never agree with others.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeAlias, final

from durabase.mergeable._shapes import as_public
from durabase.sync_server.access import Access, Level, level_of
from durabase.types import Id, MergeableChanges

__all__ = ["Kind", "Refused", "Rules", "WriteCheck"]

Kind: TypeAlias = Literal["cell", "value"]
WriteCheck: TypeAlias = Callable[[Access, Kind, "Id | None", "Id | None", Id, Any], bool]
"""``check(access, kind, table_id, row_id, cell_id, thing)``: whether this may be written. For a value both
``table_id`` and ``row_id`` are ``None``, and ``cell_id`` is the value's id. ``thing`` is what it is to
become, ``UNDEFINED`` if it is to be deleted."""

_Stamp: TypeAlias = list[Any]

NOBODY: Final = "nobody"
"""In place of a level: no client may write it."""
OTHERS: Final = "*"
"""In place of an id: all that have no rule of their own."""
_ABOVE_ALL: Final = max(Level) + 1


@final
@dataclass(frozen=True, slots=True)
class Refused:
    """A cell or value that an access may not write. ``stamp`` is what was to be: thing and time."""

    kind: Kind
    table_id: Id | None
    row_id: Id | None
    cell_id: Id
    stamp: _Stamp


@final
class Rules:
    """Who may write what.

    ::

        Rules({
            "tables": {
                "chat": {"write": "read"},
                "config": {"write": "admin", "cells": {"theme": {"write": "write"}}},
                "pets": {"rows": {"felix": {"write": "nobody"}}},
            },
            "values": {"title": {"write": "admin"}, "*": {"write": "write"}},
        })

    ``write`` names the least level; ``nobody`` keeps something for the server. The most particular rule
    counts: a cell's of its row, the row's, a cell's of the table, the table's, that of ``"*"``. Without any
    it takes the level ``write``.

    Args:
        declared: as above; ``None``: everything takes the level ``write``.
        check: is asked as well, of what the declared rules allow to clients of level ``write`` and above.
            Whoever merely reads may write what is declared so, and is not asked for.

    Raises:
        ValueError: what is declared has another form; it says where.
    """

    __slots__ = ("_check", "_least", "_tables", "_values")

    def __init__(self, declared: Mapping[str, Any] | None = None, check: WriteCheck | None = None) -> None:
        declared = {} if declared is None else declared
        _require_members(declared, ("tables", "values"), "rules")
        self._tables = {
            table_id: _Table(rule, f"tables.{table_id}")
            for table_id, rule in _members(declared.get("tables", {}), "tables")
        }
        self._values = {
            value_id: _level(rule, f"values.{value_id}")
            for value_id, rule in _members(declared.get("values", {}), "values")
        }
        self._check = check
        declared_levels = [level for table in self._tables.values() for level in table.levels()]
        self._least = min([Level.WRITE, *declared_levels, *self._values.values()])

    def writes_nothing(self, access: Access) -> bool:
        """Whether this access may write nothing at all, whatever it is."""
        return access.level < self._least

    def allows(
        self, access: Access, kind: Kind, table_id: Id | None, row_id: Id | None, cell_id: Id, thing: Any
    ) -> bool:
        """Whether this access may write this; see :data:`WriteCheck`. ``thing`` may be encoded.

        Raises:
            Exception: what the check raises.
        """
        if kind == "value":
            needed = self._values.get(cell_id, self._values.get(OTHERS, Level.WRITE))
        else:
            table = self._tables.get(table_id or "") or self._tables.get(OTHERS)
            needed = Level.WRITE if table is None else table.needed(row_id or "", cell_id)
        if access.level < needed:
            return False
        if self._check is None or access.level < Level.WRITE:
            return True
        return bool(self._check(access, kind, table_id, row_id, cell_id, as_public(thing)))

    def refuses(self, access: Access, changes: MergeableChanges) -> list[Refused]:
        """What of these encoded changes may not be written, in their order."""
        refused: list[Refused] = []
        self.allowed_tables(access, changes[0], refused)
        self.allowed_things(access, changes[1], refused)
        return refused

    def allowed_tables(self, access: Access, stamp: _Stamp, refused: list[Refused] | None = None) -> _Stamp:
        """What of a stamp of tables may be written: the stamp itself if it is everything.

        Where something is left out, the tables and rows around it lose their own times, and those that have
        nothing left are left out, too. ``refused`` is told what that was.
        """
        kept = {}
        for table_id, table in stamp[0].items():
            rows = {}
            for row_id, row in table[0].items():
                cells = self._allowed(access, "cell", (table_id, row_id), row, refused)
                if cells[0]:
                    rows[row_id] = cells
            remains = _remaining(table, rows)
            if remains[0]:
                kept[table_id] = remains
        return _remaining(stamp, kept)

    def allowed_things(self, access: Access, stamp: _Stamp, refused: list[Refused] | None = None) -> _Stamp:
        """The same of a stamp of values."""
        return self._allowed(access, "value", (None, None), stamp, refused)

    def _allowed(
        self,
        access: Access,
        kind: Kind,
        place: tuple[Id | None, Id | None],
        stamp: _Stamp,
        refused: list[Refused] | None,
    ) -> _Stamp:
        kept = {}
        for cell_id, thing_stamp in stamp[0].items():
            if self.allows(access, kind, *place, cell_id, thing_stamp[0]):
                kept[cell_id] = thing_stamp
            elif refused is not None:
                refused.append(Refused(kind, *place, cell_id, thing_stamp))
        return _remaining(stamp, kept)


@final
class _Table:
    """The rules of one table."""

    __slots__ = ("_cells", "_rows", "_write")

    def __init__(self, rule: Any, place: str) -> None:
        _require_members(rule, ("write", "rows", "cells"), place)
        self._write = _level(rule, place) if "write" in rule else Level.WRITE
        self._cells = _levels(rule.get("cells", {}), f"{place}.cells")
        self._rows: dict[Id, tuple[int | None, dict[Id, int]]] = {}
        for row_id, row in _members(rule.get("rows", {}), f"{place}.rows"):
            where = f"{place}.rows.{row_id}"
            _require_members(row, ("write", "cells"), where)
            write = _level(row, where) if "write" in row else None
            self._rows[row_id] = write, _levels(row.get("cells", {}), f"{where}.cells")

    def needed(self, row_id: Id, cell_id: Id) -> int:
        """The level that it takes to write this cell."""
        row_write, row_cells = self._rows.get(row_id) or self._rows.get(OTHERS) or (None, {})
        for cells, otherwise in ((row_cells, row_write), (self._cells, self._write)):
            found = cells.get(cell_id, cells.get(OTHERS, otherwise))
            if found is not None:
                return found
        return self._write

    def levels(self) -> Iterator[int]:
        """All that are named."""
        yield self._write
        yield from self._cells.values()
        for write, cells in self._rows.values():
            yield from cells.values()
            if write is not None:
                yield write


def _remaining(stamp: _Stamp, kept: dict[Id, Any]) -> _Stamp:
    """A stamp of what is kept of another's: that itself if it is everything, else without its time."""
    things = stamp[0]
    if len(kept) == len(things) and all(kept[id_] is thing for id_, thing in things.items()):
        return stamp
    return [kept]


def _levels(rules: Any, place: str) -> dict[Id, int]:
    return {id_: _level(rule, f"{place}.{id_}") for id_, rule in _members(rules, place)}


def _level(rule: Any, place: str) -> int:
    """The level that ``{"write": …}`` names."""
    _require_mapping(rule, place)
    write = rule.get("write")
    if write == NOBODY:
        return _ABOVE_ALL
    if write in (str(Level.READ), str(Level.WRITE), str(Level.ADMIN)):
        return level_of(write)
    raise ValueError(f"{place}: found write {write!r}; expected read, write, admin or nobody")


def _members(rules: Any, place: str) -> list[tuple[Id, Any]]:
    _require_mapping(rules, place)
    return list(rules.items())


def _require_members(rule: Any, known: tuple[str, ...], place: str) -> None:
    _require_mapping(rule, place)
    for name in rule:
        if name not in known:
            raise ValueError(f"{place}: found {name!r}; expected {', '.join(known)}")


def _require_mapping(rule: Any, place: str) -> None:
    if not isinstance(rule, Mapping):
        raise ValueError(f"{place}: found {rule!r}; expected a mapping")
