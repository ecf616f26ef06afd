"""Stamps too far ahead of the clock to be merged, and what can be told to a store that has such.

Their store is shown what holds, stamped a little later than its own stamp, and marked: when the time has
come such a stamp is not taken for an edit. Nobody else would accept it, so nobody else is told.
"""

from __future__ import annotations

from typing import Any, Final, TypeAlias

from durabase._codec import ALPHABET
from durabase.mergeable.hlc import Hlc
from durabase.store._content import Content
from durabase.types import UNDEFINED, MergeableChanges

__all__ = ["held_later", "is_marked", "split_ahead"]

_Stamp: TypeAlias = list[Any]

_MARK: Final = "zDBaz"
"""In place of the client in the HLCs that are made here."""
_CLIENT_START: Final = 11
_LAST: Final = ALPHABET[-1]


def split_ahead(changes: MergeableChanges, upper_bound: str) -> tuple[MergeableChanges, MergeableChanges]:
    """The changes with HLCs below a bound, and the others. Containers lose HLCs that are not below."""
    near_tables: dict[str, _Stamp] = {}
    ahead_tables: dict[str, _Stamp] = {}
    for table_id, table in changes[0][0].items():
        near_rows: dict[str, _Stamp] = {}
        ahead_rows: dict[str, _Stamp] = {}
        for row_id, row in table[0].items():
            near, ahead = _split_things(row, upper_bound)
            near_rows[row_id] = [near, *_near_head(row, upper_bound)]
            if ahead:
                ahead_rows[row_id] = [ahead]
        near_tables[table_id] = [near_rows, *_near_head(table, upper_bound)]
        if ahead_rows:
            ahead_tables[table_id] = [ahead_rows]
    values, ahead_values = _split_things(changes[1], upper_bound)
    return (
        [
            [near_tables, *_near_head(changes[0], upper_bound)],
            [values, *_near_head(changes[1], upper_bound)],
            1,
        ],
        [[ahead_tables], [ahead_values], 1],
    )


def _split_things(stamp: _Stamp, upper_bound: str) -> tuple[dict[str, _Stamp], dict[str, _Stamp]]:
    near: dict[str, _Stamp] = {}
    ahead: dict[str, _Stamp] = {}
    for id_, thing in stamp[0].items():
        part = near if len(thing) < 2 or thing[1] < upper_bound else ahead
        part[id_] = thing
    return near, ahead


def _near_head(stamp: _Stamp, upper_bound: str) -> list[Hlc]:
    return [stamp[1]] if len(stamp) > 1 and stamp[1] < upper_bound else []


def held_later(content: Content, ahead: MergeableChanges) -> MergeableChanges:
    """What is held in place of things that are ahead, stamped a little later than these."""
    tables: dict[str, _Stamp] = {}
    for table_id, table in ahead[0][0].items():
        held_rows = content.tables.get(table_id, {})
        rows = {row_id: [_later(held_rows.get(row_id, {}), row[0])] for row_id, row in table[0].items()}
        tables[table_id] = [rows]
    return [[tables], [_later(content.values, ahead[1][0])], 1]


def _later(held: dict[str, Any], ahead: dict[str, _Stamp]) -> dict[str, _Stamp]:
    return {
        id_: [held.get(id_, UNDEFINED), later]
        for id_, stamp in ahead.items()
        if (later := _later_than(stamp[1])) is not None
    }


def _later_than(hlc: Hlc) -> Hlc | None:
    """The next time after that of an HLC, marked; ``None`` after the last there is."""
    time = hlc[:_CLIENT_START]
    kept = time.rstrip(_LAST)
    if not kept:
        return None
    following = ALPHABET[ALPHABET.index(kept[-1]) + 1]
    return kept[:-1] + following + ALPHABET[0] * (len(time) - len(kept)) + _MARK


def is_marked(stamp: _Stamp) -> bool:
    """Whether a stamp was made here, and so is no edit of anybody."""
    return len(stamp) > 1 and stamp[1].endswith(_MARK)
