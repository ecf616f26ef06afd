"""Mergeable content as entries of a key-value storage, and back: one key for every stamp.

The forms are those that ``durable_object_storage`` describes. It does not know storages.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, TypeAlias

from durabase._codec import ordered, ordered_items, parse_json, string_text
from durabase.mergeable._journal import CellIds
from durabase.mergeable.hashes import get_hash, get_row_hash, get_table_hash
from durabase.mergeable.stamps import ContentStamps, TableStamps, ThingStamps
from durabase.types import Id, MergeableContent

__all__ = [
    "StampPath",
    "StampTree",
    "is_stored_stamp",
    "path_key",
    "path_of",
    "stamp_entries",
    "stored_entries",
]

StampPath: TypeAlias = tuple[str, ...]
"""The type ``t`` or ``v``, then the ids."""

_MAX_IDS: Final = {"t": 3, "v": 1}
_TABLE_LENGTH: Final = 2
_ROW_LENGTH: Final = 3
"""How long the path of a table, and of a row, is."""


def stored_entries(content_or_changes: list[Any], prefix: str) -> dict[str, Any]:
    """The entries of mergeable content, or of changes with hashes, with ``prefix`` before every key."""
    tables, values = content_or_changes[0], content_or_changes[1]
    root = prefix + "t"
    entries: dict[str, Any] = {root: _container_entry(tables)}
    for table_id, table in ordered_items(tables[0]):
        table_key = root + string_text(table_id)
        entries[table_key] = _container_entry(table)
        for row_id, row in ordered_items(table[0]):
            row_key = f"{table_key},{string_text(row_id)}"
            entries[row_key] = _container_entry(row)
            for cell_id, cell in ordered_items(row[0]):
                entries[f"{row_key},{string_text(cell_id)}"] = cell
    root = prefix + "v"
    entries[root] = _container_entry(values)
    for value_id, value in ordered_items(values[0]):
        entries[root + string_text(value_id)] = value
    return entries


def stamp_entries(
    stamps: ContentStamps, cells: CellIds, values: dict[Id, None], prefix: str
) -> dict[str, Any]:
    """The entries of some cells and values with settled stamps, and of all above them.

    The same, and in the same order, as ``stored_entries`` of their changes. What has no stamp is left out.
    """
    root = prefix + "t"
    tables = stamps.tables
    entries: dict[str, Any] = {root: [0, tables.hlc, tables.hash]}
    for table_id, rows in ordered(cells).items():
        table = tables.children.get(table_id)
        if table is not None:
            table_key = root + string_text(table_id)
            entries[table_key] = [0, table.hlc, table.hash]
            _add_rows(entries, table, rows, table_key)
    root = prefix + "v"
    entries[root] = [0, stamps.values.hlc, stamps.values.hash]
    _add_things(entries, stamps.values, values, root)
    return entries


def _add_rows(
    entries: dict[str, Any], table: TableStamps, rows: dict[Id, dict[Id, None]], table_key: str
) -> None:
    for row_id, cells in ordered(rows).items():
        row = table.children.get(row_id)
        if row is not None:
            row_key = f"{table_key},{string_text(row_id)}"
            entries[row_key] = [0, row.hlc, row.hash]
            _add_things(entries, row, cells, row_key + ",")


def _add_things(entries: dict[str, Any], things: ThingStamps, ids: dict[Id, None], start: str) -> None:
    for id_ in ordered(ids):
        stamp = things.children.get(id_)
        if stamp is not None:
            entries[start + string_text(id_)] = [stamp.thing, stamp.hlc, stamp.hash]


def _container_entry(stamp: list[Any]) -> list[Any]:
    return [0, stamp[1], stamp[2]]


def path_key(path: StampPath) -> str:
    """The key of a path, without prefix."""
    return path[0] + ",".join(map(string_text, path[1:]))


_match_plain_ids: Final = re.compile(
    r'"([^"\\\x00-\x1f]*)"(?:,"([^"\\\x00-\x1f]*)")?(?:,"([^"\\\x00-\x1f]*)")?'
).fullmatch


_match_plain_id: Final = re.compile(r'"([^"\\\x00-\x1f]*)"').fullmatch


def path_of(key: str) -> StampPath | None:
    """The type and ids of a key without its prefix; ``None`` for a key that is not ours."""
    kind = key[:1]
    most = _MAX_IDS.get(kind, 0)
    ids = _ids_of(key[1:]) if most else None
    return None if ids is None or len(ids) > most else (kind, *ids)


def _ids_of(text: str) -> list[str] | None:
    if not text:
        return []
    plain = _match_plain_ids(text)
    if plain is not None:
        return [id_ for id_ in plain.groups() if id_ is not None]
    try:
        ids = parse_json(f"[{text}]")
    except ValueError:
        return None
    return ids if all(isinstance(id_, str) for id_ in ids) else None


def is_stored_stamp(value: Any) -> bool:
    """Whether a stored value is ``[thing, hlc, hash]``."""
    return (
        isinstance(value, (list, tuple))
        and len(value) == 3
        and isinstance(value[1], str)
        and isinstance(value[2], (int, float))
        and not isinstance(value[2], bool)
    )


def _is_usual_stamp(value: Any) -> bool:
    """Whether this is a stored stamp at first sight."""
    return type(value) is list and len(value) == 3 and type(value[1]) is str and type(value[2]) is int


class StampTree:
    """Mergeable content under construction, from entries in any order."""

    __slots__ = ("_container_count", "_entry_count", "_roots", "_unhashed_paths")

    def __init__(self) -> None:
        self._roots: dict[str, list[Any]] = {"t": [{}, "", 0], "v": [{}, "", 0]}
        self._container_count = 2
        self._entry_count = 0
        self._unhashed_paths: list[StampPath] = []

    def read(self, entries: Mapping[str, Any], prefix: str, reject: Callable[[str, Any], object]) -> None:
        """Put all entries in their places; those of which the key is not ours are passed over.

        Args:
            entries: in any order, but it is quickest if a row's cells come after it.
            prefix: begins every key.
            reject: is called with key and value if the key is ours but the value is no stamp.
        """
        table_key = row_key = ""  # of what came last, with a comma: what begins so is in it
        rows: dict[str, Any] = {}
        cells: dict[str, Any] = {}
        ids: dict[str, str] = {}
        for key, value in entries.items():
            if key.startswith(row_key):
                id_ = ids.get(key[len(row_key) :])
                if id_ is not None and _is_usual_stamp(value):
                    cells[id_] = value
                    continue
            if table_key and key.startswith(table_key):
                row = self._read_row(rows, key, len(table_key), value)
                if row is not None:
                    row_key, cells = key + ",", row[0]
                    continue
            path = self._read_any(key, len(prefix), value, reject)
            if len(path) == _ROW_LENGTH:
                row_key, cells = key + ",", self._container(path)[0]
            elif len(path) > _ROW_LENGTH and row_key and key.startswith(row_key):
                ids[key[len(row_key) :]] = path[-1]
            elif len(path) == _TABLE_LENGTH and path[0] == "t":
                table_key, rows = key + ",", self._container(path)[0]

    def _read_row(self, rows: dict[str, Any], key: str, start: int, value: Any) -> list[Any] | None:
        """The container of a row that is not there yet; ``None`` if this is not the entry of one."""
        found = _match_plain_id(key, start)
        if found is None or not _is_usual_stamp(value) or value[2] == 0 or found[1] in rows:
            return None
        row = rows[found[1]] = [{}, value[1], value[2]]
        self._container_count += 1
        self._entry_count += 1
        return row

    def _read_any(self, key: str, start: int, value: Any, reject: Callable[[str, Any], object]) -> StampPath:
        path = path_of(key[start:])
        if path is None:
            return ()
        if not is_stored_stamp(value):
            reject(key, value)
            return ()
        self.add(path, value)
        return path

    def add(self, path: StampPath, stamp: Sequence[Any]) -> None:
        """Put a stamp in its place; the containers above it come into being as needed."""
        if len(path) > _MAX_IDS[path[0]]:
            self._container(path[:-1])[0][path[-1]] = list(stamp)
        else:
            self._container(path)[1:] = stamp[1:]
            self._entry_count += 1
            if stamp[2] == 0:
                self._unhashed_paths.append(path)

    def is_complete(self) -> bool:
        """Whether every container had an entry of its own."""
        return self._entry_count == self._container_count

    def content(self) -> MergeableContent:
        """The content, with hashes as stored; those stored as 0 are worked out from below."""
        for path in sorted(self._unhashed_paths, key=len, reverse=True):
            container = self._container(path)
            container[2] = _hash_of(container, is_table_like=path[0] == "t" and len(path) < _MAX_IDS["t"])
        return [self._roots["t"], self._roots["v"]]

    def _container(self, path: StampPath) -> list[Any]:
        node = self._roots[path[0]]
        for id_ in path[1:]:
            child = node[0].get(id_)
            if child is None:
                child = node[0][id_] = [{}, "", 0]
                self._container_count += 1
            node = child
        return node


def _hash_of(container: list[Any], is_table_like: bool) -> int:
    hashes = {id_: child[2] for id_, child in container[0].items()}
    children = get_table_hash(hashes) if is_table_like else get_row_hash(hashes)
    return children ^ get_hash(container[1]) if container[1] else children
