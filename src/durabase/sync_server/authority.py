"""What of clients' changes holds in an authoritative room: its store's schema and the program's rules decide.

Changes are merged by their stamps into the server's store; of what they would bring, what is refused is not
applied. Wherever the store then holds something else than the newest stamp says, it gets a newer one: that is
the correction, which wins in every copy that has met the refused edit, whatever way that came.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final, TypeAlias, final

from durabase._collector import CollectorPause
from durabase.errors import ContentError
from durabase.mergeable import MergeableStore
from durabase.mergeable._ahead import is_marked
from durabase.mergeable._pieces import add_changes, pieces_of
from durabase.mergeable._shapes import as_public
from durabase.persisters.base import IgnoredErrorHandler
from durabase.types import UNDEFINED, Changes, Id, MergeableChanges

__all__ = ["Authority", "Edit", "Proposal", "Validate", "has_things", "nothing", "unlike"]


@final
@dataclass(frozen=True, slots=True, eq=False)
class Edit:
    """One cell or value that a client wants to be different.

    Attributes:
        table_id, row_id, cell_id: where the cell is; ``None`` for a value.
        value_id: which value; ``None`` for a cell.
        thing: what it shall be, objects and arrays decoded; ``UNDEFINED`` if it shall be deleted.
    """

    table_id: Id | None
    row_id: Id | None
    cell_id: Id | None
    value_id: Id | None
    thing: Any

    @property
    def is_deletion(self) -> bool:
        """Whether it is to be deleted."""
        return self.thing is UNDEFINED


@final
class Proposal:
    """What one message of a client would change, before it is done: refuse what must not be.

    Attributes:
        client_id: whose message it is.
        store: the server's store as it is so far. It must not be written to.
        edits: what the store's schema allows and what is newer than what it has, in order.
        refused: why edits are refused, those included that the schema does not allow.
    """

    __slots__ = ("client_id", "edits", "refused", "store")

    def __init__(
        self, client_id: Id, store: MergeableStore, edits: list[Edit], refused: dict[Edit, str]
    ) -> None:
        self.client_id = client_id
        self.store = store
        self.edits = edits
        self.refused = refused

    def before(self, edit: Edit) -> Any:
        """What the server's store has in the place of an edit; ``UNDEFINED`` if nothing."""
        if edit.table_id is None or edit.row_id is None or edit.cell_id is None:
            return self.store.get_value(edit.value_id or "", UNDEFINED)
        return self.store.get_cell(edit.table_id, edit.row_id, edit.cell_id, UNDEFINED)

    def refuse(self, edit: Edit, reason: str = "refused") -> None:
        """Have one edit not done."""
        self.refused.setdefault(edit, reason)

    def refuse_all(self, reason: str = "refused") -> None:
        """Have none of them done."""
        for edit in self.edits:
            self.refuse(edit, reason)


Validate: TypeAlias = Callable[[Proposal], object]
"""Looks at a proposal, and refuses what must not be."""

_REFUSALS_A_MERGE: Final = 16
"""So many times quicker it is to note a refused cell than to merge it."""
_SCHEMA: Final = "the schema does not allow it"
_MARKED: Final = "an old correction is no edit"
_FAILED: Final = "it could not be checked"
_READS: Final = "who only reads writes nothing"


@final
class Authority:
    """Merges what clients send into the server's store, as far as it may be.

    Args:
        validate: the program's rules, if there are any.
        on_refused: is told of each proposal of which something was refused.
        report: is told what ``validate`` raises; all of that proposal is refused then.
        writes_nothing: whether a client may write nothing at all. It is told what holds, and leaves no trace.
    """

    def __init__(
        self,
        validate: Validate | None,
        on_refused: Validate | None,
        report: IgnoredErrorHandler,
        writes_nothing: Callable[[Id], bool] | None = None,
    ) -> None:
        self._validate = validate
        self._writes_nothing = writes_nothing
        self._on_refused = on_refused
        self._report = report

    def merge(self, store: MergeableStore, client_id: Id, changes: MergeableChanges) -> MergeableChanges:
        """Merge encoded changes of a client into a store; what that client alone is to be told."""
        if self._writes_nothing is not None and self._writes_nothing(client_id):
            return self._turn_away(store, client_id, changes)
        near, ahead = store._judgeable(changes)
        if near is not None:
            proposal = Proposal(client_id, store, [], {})

            def judge(proposed: Changes) -> Changes:
                _propose(proposal, proposed, near)
                self._examine(proposal)
                return _Refusals(proposal.refused).without(proposed)

            store._merge_judged(near, judge)
            self._tell_refused(proposal)
        return store._held_in_place_of(ahead)

    def merge_in_slices(
        self, store: MergeableStore, client_id: Id, changes: MergeableChanges, things: int
    ) -> Generator[None, None, MergeableChanges]:
        """The same, about so many cells and values at a time; nobody may use the store between slices.

        It is one proposal all the same. Each slice is a transaction of its own.
        """
        if self._writes_nothing is not None and self._writes_nothing(client_id):
            told = nothing()
            for piece in pieces_of(changes, things, whole_rows=True):
                add_changes(told, self._turn_away(store, client_id, piece))
                yield
            return told
        proposal = Proposal(client_id, store, [], {})
        parts: list[tuple[MergeableChanges, MergeableChanges]] = []
        for piece in pieces_of(changes, things, whole_rows=True):
            near, ahead = store._judgeable(piece)
            if near is None:
                return nothing()
            with CollectorPause():
                _propose(proposal, store._newer_in(near), near)
            parts.append((near, ahead))
            yield
        self._examine(proposal)
        yield
        refusals, only_theirs = _Refusals(()), nothing()
        refused = iter(list(proposal.refused))
        while some := list(islice(refused, things * _REFUSALS_A_MERGE)):
            refusals.add(some)
            yield
        for near, ahead in parts:
            store._merge_judged(near, refusals.without)
            add_changes(only_theirs, store._held_in_place_of(ahead))
            yield
        self._tell_refused(proposal)
        return only_theirs

    def _turn_away(self, store: MergeableStore, client_id: Id, changes: MergeableChanges) -> MergeableChanges:
        """What holds in place of what is newer than that; the store stays as it is, its stamps included."""
        near, ahead = store._judgeable(changes)
        told = store._held_in_place_of(ahead)
        if near is not None:
            proposal, newer = Proposal(client_id, store, [], {}), store._newer_in(near)
            _propose(proposal, newer, near)
            proposal.refuse_all(_READS)
            self._tell_refused(proposal)
            add_changes(told, store._held_in_place_of(_stamps_of(newer, near)))
        return told

    def _tell_refused(self, proposal: Proposal) -> None:
        if self._on_refused is not None and proposal.refused:
            self._on_refused(proposal)

    def _examine(self, proposal: Proposal) -> None:
        if self._validate is None or not proposal.edits:
            return
        try:
            self._validate(proposal)
        except Exception as error:
            proposal.refuse_all(_FAILED)
            self._report(error)


def _propose(proposal: Proposal, proposed: Changes, changes: MergeableChanges) -> None:
    """Add to a proposal what is newer of changes."""
    for edit, encoded, stamp in _edits(proposed, changes):
        if is_marked(stamp):
            proposal.refused[edit] = _MARKED
        elif encoded is UNDEFINED or _suits(proposal.store, edit, encoded):
            proposal.edits.append(edit)
        else:
            proposal.refused[edit] = _SCHEMA


def _suits(store: MergeableStore, edit: Edit, encoded: Any) -> bool:
    if edit.table_id is not None and edit.cell_id is not None:
        return store._allows_cell(edit.table_id, edit.cell_id, encoded)
    return edit.value_id is not None and store._allows_value(edit.value_id, encoded)


def _edits(proposed: Changes, changes: MergeableChanges) -> Iterator[tuple[Edit, Any, list[Any]]]:
    """The edits of plain changes, with their encoded things and the stamps that they came with."""
    for table_id, rows in proposed[0].items():
        for row_id, cells in rows.items():
            stamps = changes[0][0][table_id][0][row_id][0]
            for cell_id, thing in cells.items():
                yield Edit(table_id, row_id, cell_id, None, _decoded(thing)), thing, stamps[cell_id]
    for value_id, thing in proposed[1].items():
        yield Edit(None, None, None, value_id, _decoded(thing)), thing, changes[1][0][value_id]


def _stamps_of(proposed: Changes, changes: MergeableChanges) -> MergeableChanges:
    """The stamps with which plain changes came."""
    tables: dict[Id, list[Any]] = {}
    for table_id, rows in proposed[0].items():
        came = changes[0][0][table_id][0]
        tables[table_id] = [{r: [{c: came[r][0][c] for c in cells}] for r, cells in rows.items()}]
    return [[tables], [{value_id: changes[1][0][value_id] for value_id in proposed[1]}], 1]


def _decoded(thing: Any) -> Any:
    try:
        return as_public(thing)
    except ContentError:  # the schema check refuses it
        return thing


@final
class _Refusals:
    """Where the edits are that were refused."""

    __slots__ = ("_cells", "_values")

    def __init__(self, refused: Iterable[Edit]) -> None:
        self._cells: set[tuple[Id | None, Id | None, Id | None]] = set()
        self._values: set[Id] = set()
        self.add(refused)

    def add(self, refused: Iterable[Edit]) -> None:
        """Refuse more."""
        for edit in refused:
            if edit.value_id is None:
                self._cells.add((edit.table_id, edit.row_id, edit.cell_id))
            else:
                self._values.add(edit.value_id)

    def without(self, proposed: Changes) -> Changes:
        """Changes without what was refused."""
        if not (self._cells or self._values):
            return proposed
        tables = {
            table_id: {row_id: self._cells_left(table_id, row_id, row) for row_id, row in rows.items()}
            for table_id, rows in proposed[0].items()
        }
        values = {id_: thing for id_, thing in proposed[1].items() if id_ not in self._values}
        return [tables, values, 1]

    def _cells_left(self, table_id: Id, row_id: Id, row: dict[Id, Any]) -> dict[Id, Any]:
        return {id_: thing for id_, thing in row.items() if (table_id, row_id, id_) not in self._cells}


def nothing() -> MergeableChanges:
    """Changes in which there is nothing."""
    return [[{}], [{}], 1]


def has_things(changes: MergeableChanges) -> bool:
    """Whether there is anything in changes."""
    return bool(changes[0][0] or changes[1][0])


def unlike(stamps: MergeableChanges, changes: MergeableChanges) -> MergeableChanges:
    """The part of ``stamps`` that is not in ``changes`` with the same HLC."""
    tables: dict[Id, list[Any]] = {}
    for table_id, table in stamps[0][0].items():
        their_rows = _children(changes[0], table_id)
        for row_id, row in table[0].items():
            things = _unlike_things(row, their_rows.get(row_id, [{}]))
            if things:
                tables.setdefault(table_id, [{}])[0][row_id] = [things]
    return [[tables], [_unlike_things(stamps[1], changes[1])], 1]


def _children(stamp: list[Any], id_: Id) -> dict[Id, list[Any]]:
    children: dict[Id, list[Any]] = stamp[0].get(id_, [{}])[0]
    return children


def _unlike_things(stamp: list[Any], other: list[Any]) -> dict[Id, list[Any]]:
    return {id_: thing for id_, thing in stamp[0].items() if thing[1:] != other[0].get(id_, (None, None))[1:]}
