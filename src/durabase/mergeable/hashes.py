"""The hash of a thing and of many things: 32-bit FNV-1a over JavaScript's text of them.

Two stores whose hashes are equal have equal content; synchronizers compare them from the whole store
down to the cell. How hashes of many levels are kept up to date is ``stamps``' matter; here are the
functions alone, with the names that the original makes public.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from durabase._codec import IS_COMPILED, json_text, utf8
from durabase.types import Id

if TYPE_CHECKING:
    from mypy_extensions import i64

__all__ = [
    "Hash",
    "add_or_remove_hash",
    "get_cell_hash",
    "get_cell_in_row_hash",
    "get_hash",
    "get_row_hash",
    "get_row_in_table_hash",
    "get_table_hash",
    "get_table_in_tables_hash",
    "get_tables_hash",
    "get_value_hash",
    "get_value_in_values_hash",
    "get_values_hash",
]

Hash: TypeAlias = int
"""An unsigned 32-bit number."""

_OFFSET_BASIS: Final = 2166136261
_MASK: Final = 0xFFFFFFFF

_MOST_IDS: Final = 4096
_LONGEST_ID: Final = 64
_id_states: Final[dict[Id, Hash]] = {}
"""Where the text of an id and a colon leads to: cells' ids are the same in all rows, and rows come again."""


def _fold(data: bytes, state: i64) -> i64:
    """FNV-1a of what ``state`` stands for, followed by ``data``."""
    word = state
    if IS_COMPILED:
        size: i64 = len(data)
        for index in range(size):
            word = ((word ^ data[index]) * 16777619) & 0xFFFFFFFF
    else:  # indices cost a sixth
        for byte in data:
            word = ((word ^ byte) * 16777619) & 0xFFFFFFFF  # literals: no look-up of globals in the loop
    return word


def _fold_text(text: str, state: i64) -> i64:
    """FNV-1a of what ``state`` stands for, followed by the UTF-8 bytes of ``text``."""
    if not IS_COMPILED:
        return _fold(utf8(text), state)
    word = state
    size: i64 = len(text)
    for index in range(size):
        code: i64 = ord(text[index])
        if code > 127:
            return _fold(utf8(text), state)
        word = ((word ^ code) * 16777619) & 0xFFFFFFFF
    return word


def _fold_number(number: int, state: i64) -> i64:
    return _fold_text(str(number), state) if number else ((state ^ 48) * 16777619) & 0xFFFFFFFF


def _id_state(id_: Id) -> Hash:
    state = _id_states.get(id_)
    if state is None:
        state = _fold_text(":", _fold_text(id_, _OFFSET_BASIS))
        if len(id_) <= _LONGEST_ID:  # what clients choose is not kept here when their stores are gone
            if len(_id_states) >= _MOST_IDS:
                _id_states.clear()
            _id_states[id_] = state
    return state


def get_hash(text: str) -> Hash:
    """FNV-1a of the UTF-8 bytes of ``text`` (a lone surrogate counts as U+FFFD)."""
    return _fold_text(text, _OFFSET_BASIS)


def get_value_hash(value: Any, hlc: str) -> Hash:
    """The hash of a value (or cell) with the time it was set: of its JSON, a colon and the HLC.

    ``UNDEFINED`` and ``None`` hash alike. Stores hash objects and arrays in their encoded form.

    Raises:
        ValueError: the value is nested too deeply.
        TypeError: the value is no JSON.
    """
    return _fold_text(hlc, _fold_text(json_text(value) + ":", _OFFSET_BASIS))


def get_value_in_values_hash(value_id: Id, value_hash: Hash) -> Hash:
    """What a value (cell, row, table) with this hash contributes to the hash of what holds it."""
    return _fold_number(value_hash, _id_state(value_id))


def get_hash_change(id_: Id, before: Hash, now: Hash) -> Hash:
    """What a container's hash is XORed with when a member's changes; in values and rows first from 0."""
    state = _id_state(id_)
    return _fold_number(before, state) ^ _fold_number(now, state)


def get_values_hash(value_hashes: Mapping[Id, Hash]) -> Hash:
    """The hash of values (or of a row) from the hashes of its members."""
    total = 0
    for value_id, value_hash in value_hashes.items():
        total ^= get_hash_change(value_id, 0, value_hash)
    return total


def get_table_hash(row_hashes: Mapping[Id, Hash]) -> Hash:
    """The hash of a table (or of the tables) from the hashes of its members."""
    total = 0
    for row_id, row_hash in row_hashes.items():
        total ^= get_value_in_values_hash(row_id, row_hash)
    return total


def add_or_remove_hash(hash1: Hash, hash2: Hash) -> Hash:
    """Add a member's contribution to a hash, or, the same operation, take it away."""
    return (hash1 ^ hash2) & _MASK


get_cell_hash = get_value_hash
get_cell_in_row_hash = get_value_in_values_hash
get_row_hash = get_values_hash
get_row_in_table_hash = get_value_in_values_hash
get_table_in_tables_hash = get_value_in_values_hash
get_tables_hash = get_table_hash
