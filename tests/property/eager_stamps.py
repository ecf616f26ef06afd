"""Stamps whose hashes are always up to date, by the original's rules word for word: a yardstick.

Slow and simple: nodes are ``[children, hlc, hash]`` lists, undoing is a copy kept from before.
"""

from __future__ import annotations

import copy
from typing import Any

from durabase._codec import ordered_items
from durabase.mergeable.hashes import get_hash, get_value_hash, get_value_in_values_hash


def replaced(old: str, new: str) -> int:
    return ((get_hash(old) if old else 0) ^ get_hash(new)) if new > old else 0


def hlc_of(stamp: list[Any]) -> str:
    return stamp[1] if len(stamp) > 1 else ""


class EagerStamps:
    """``tables`` and ``values`` are in the shape of mergeable content."""

    def __init__(self) -> None:
        self.tables: list[Any] = [{}, "", 0]
        self.values: list[Any] = [{}, "", 0]

    def content(self) -> list[Any]:
        return [copy.deepcopy(self.tables), copy.deepcopy(self.values)]

    def restore(self, content: list[Any]) -> None:
        self.tables, self.values = copy.deepcopy(content)

    def merge(self, changes: list[Any]) -> None:
        tables, tables_hlc = changes[0][0], hlc_of(changes[0])
        hash_, old_hlc = self.tables[2], self.tables[1]
        for table_id, table_stamp in ordered_items(tables):
            table = self.tables[0].setdefault(table_id, [{}, "", 0])
            old = table[2]
            self._merge_table(table, table_stamp)
            hash_ ^= (get_value_in_values_hash(table_id, old) if old else 0) ^ get_value_in_values_hash(
                table_id, table[2]
            )
        self._take(self.tables, tables_hlc, hash_ ^ replaced(old_hlc, tables_hlc))
        self._merge_things(self.values, changes[1])

    def _merge_table(self, table: list[Any], stamp: list[Any]) -> None:
        hash_, old_hlc = table[2], table[1]
        for row_id, row_stamp in ordered_items(stamp[0]):
            row = table[0].setdefault(row_id, [{}, "", 0])
            old = row[2]
            self._merge_things(row, row_stamp)
            hash_ ^= (get_value_in_values_hash(row_id, old) if old else 0) ^ get_value_in_values_hash(
                row_id, row[2]
            )
        self._take(table, hlc_of(stamp), hash_ ^ replaced(old_hlc, hlc_of(stamp)))

    def _merge_things(self, node: list[Any], stamp: list[Any]) -> None:
        hash_, old_hlc = node[2], node[1]
        for id_, thing_stamp in ordered_items(stamp[0]):
            thing, hlc = thing_stamp[0], hlc_of(thing_stamp)
            own = node[0].setdefault(id_, [None, "", 0])
            if not own[1] or hlc > own[1]:
                before = own[2]
                self._take(own, hlc, get_value_hash(thing, hlc))
                own[0] = thing
                hash_ ^= get_value_in_values_hash(id_, before) ^ get_value_in_values_hash(id_, own[2])
        self._take(node, hlc_of(stamp), hash_ ^ replaced(old_hlc, hlc_of(stamp)))

    @staticmethod
    def _take(stamp: list[Any], hlc: str, hash_: int) -> None:
        stamp[1] = max(stamp[1], hlc)
        stamp[2] = hash_
