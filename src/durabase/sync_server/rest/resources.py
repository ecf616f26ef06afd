"""The resources of a room: what each is in the store, and how it is written.

Bodies have TinyBase's shapes: tables are an object of tables, a table of rows, a row of cells. Writing
raises a ``ProblemError`` for what has another shape; what a schema does not allow is left to the store, which
reports it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final, TypeAlias

from durabase.mergeable import MergeableStore
from durabase.sync_server.rest.problems import ProblemError
from durabase.types import Id

__all__ = ["Resource", "resource_of"]

Read: TypeAlias = Callable[..., Any]
Write: TypeAlias = Callable[..., object]


@dataclass(frozen=True, slots=True)
class Kind:
    """What there is to know of resources of one kind. The functions take the store and the ids.

    Attributes:
        read: gives the representation.
        exists: whether it is there; ``None`` for what is there even if it is empty.
        writers: what each method that writes it does; those but DELETE take the body, too.
        depth: how many objects a body has one in another before cells or values come.
        may_be_empty: whether the body may be an object without members.
    """

    read: Read
    exists: Callable[..., bool] | None
    writers: Mapping[str, Write]
    depth: int
    may_be_empty: bool = False


@dataclass(frozen=True, slots=True)
class Resource:
    """Something in a room that has a URL. ``steps`` lead to it, ``ids`` are those in the steps."""

    steps: tuple[str, ...]
    kind: Kind
    ids: tuple[Id, ...]

    @property
    def methods(self) -> list[str]:
        """The methods that it has."""
        return ["GET", "HEAD", *self.kind.writers]

    @property
    def has_pages(self) -> bool:
        """Whether it is read page by page."""
        return self.kind is _ROWS

    def exists(self, store: MergeableStore) -> bool:
        """Whether it is there."""
        return self.kind.exists is None or self.kind.exists(store, *self.ids)

    def read(self, store: MergeableStore) -> Any:
        """What it is, as JSON has it."""
        return self.kind.read(store, *self.ids)

    def hashes(self, store: MergeableStore) -> Sequence[int]:
        """The hashes of all that it consists of."""
        if not self.steps:
            return store.get_mergeable_content_hashes()
        return [store._get_hash(self.ids, is_value=self.steps[0] == "values")]

    def write(self, store: MergeableStore, method: str, body: Any) -> Id | None:
        """Do what a method does, within a transaction; the id of a row that was added.

        Raises:
            ProblemError: it has no such method, the body has another shape, or there is nothing to delete.
        """
        write = self.kind.writers.get(method)
        if write is None:
            allowed = ", ".join(self.methods)
            detail = f"/{'/'.join(self.steps)} has no {method}; it has {allowed}"
            raise ProblemError(HTTPStatus.METHOD_NOT_ALLOWED, detail, {"allow": allowed})
        if method == "DELETE":
            if not self.exists(store):
                raise self.missing()
            write(store, *self.ids)
            return None
        self._check(body)
        added = write(store, *self.ids, body)
        return added if isinstance(added, str) else None

    def missing(self) -> ProblemError:
        """The problem that it is not there."""
        return ProblemError(HTTPStatus.NOT_FOUND, f"there is no /{'/'.join(self.steps)} in this room")

    def _check(self, body: Any) -> None:
        if self.kind is _CONTENT:
            if not isinstance(body, list) or len(body) != 2:
                raise _misshapen((), "an array of two objects, tables and values")
            _check_objects(body[0], ("tables",), 3, True)
            _check_objects(body[1], ("values",), 1, True)
        else:
            _check_objects(body, self.steps, self.kind.depth, self.kind.may_be_empty)


def _check_objects(body: Any, path: tuple[str, ...], depth: int, may_be_empty: bool) -> None:
    if depth == 0:
        return
    if not isinstance(body, dict):
        raise _misshapen(path, "an object")
    if not body and not may_be_empty:
        raise _misshapen(path, "an object with members: use DELETE to delete it")
    for key, member in body.items() if depth > 1 else ():
        _check_objects(member, (*path, key), depth - 1, False)


def _misshapen(path: tuple[str, ...], expected: str) -> ProblemError:
    where = f"at {list(path)}" if path else "as body"
    return ProblemError(HTTPStatus.UNPROCESSABLE_ENTITY, f"{where} is expected {expected}", path=list(path))


def _add_row(store: MergeableStore, table_id: Id, row: Any) -> Id | None:
    return store.add_row(table_id, row)


_CONTENT: Final = Kind(MergeableStore.get_content, None, {"PUT": MergeableStore.set_content}, 0)
_TABLES: Final = Kind(
    MergeableStore.get_tables,
    None,
    {
        "PUT": lambda store, tables: store.set_tables(tables) if tables else store.del_tables(),
        "DELETE": MergeableStore.del_tables,
    },
    3,
    may_be_empty=True,
)
_TABLE: Final = Kind(
    MergeableStore.get_table,
    MergeableStore.has_table,
    {"PUT": MergeableStore.set_table, "DELETE": MergeableStore.del_table},
    2,
)
_ROWS: Final = Kind(MergeableStore.get_table, None, {"POST": _add_row}, 1)
_ROW: Final = Kind(
    MergeableStore.get_row,
    MergeableStore.has_row,
    {
        "PUT": MergeableStore.set_row,
        "PATCH": MergeableStore.set_partial_row,
        "DELETE": MergeableStore.del_row,
    },
    1,
)
_CELL: Final = Kind(
    MergeableStore.get_cell,
    MergeableStore.has_cell,
    {"PUT": MergeableStore.set_cell, "DELETE": MergeableStore.del_cell},
    0,
)
_VALUES: Final = Kind(
    MergeableStore.get_values,
    None,
    {
        "PUT": lambda store, values: store.set_values(values) if values else store.del_values(),
        "PATCH": MergeableStore.set_partial_values,
        "DELETE": MergeableStore.del_values,
    },
    1,
    may_be_empty=True,
)
_VALUE: Final = Kind(
    MergeableStore.get_value,
    MergeableStore.has_value,
    {"PUT": MergeableStore.set_value, "DELETE": MergeableStore.del_value},
    0,
)


def resource_of(steps: Sequence[str]) -> Resource:
    """The resource that steps lead to.

    Raises:
        ProblemError: there is none.
    """
    path = tuple(steps)
    match path:
        case ():
            return Resource((), _CONTENT, ())
        case ("tables",):
            return Resource(path, _TABLES, ())
        case ("tables", table_id):
            return Resource(path, _TABLE, (table_id,))
        case ("tables", table_id, "rows"):
            return Resource(path, _ROWS, (table_id,))
        case ("tables", table_id, "rows", row_id):
            return Resource(path, _ROW, (table_id, row_id))
        case ("tables", table_id, "rows", row_id, "cells", cell_id):
            return Resource(path, _CELL, (table_id, row_id, cell_id))
        case ("values",):
            return Resource(path, _VALUES, ())
        case ("values", value_id):
            return Resource(path, _VALUE, (value_id,))
    raise ProblemError(HTTPStatus.NOT_FOUND, f"a room has no /{'/'.join(path)[:200]}")
