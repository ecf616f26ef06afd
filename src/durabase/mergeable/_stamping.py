"""What stamps a store's writes: the hooks of a MergeableStore, and all that it remembers.

Each raw change of a cell or value that is made here gets the clock's next HLC; those that only carry
out merged changes do not, for they bring their stamps. In a transaction it remembers what was touched
and stamped; a rollback brings the stamps back, though not the clock. It does not know the store.
"""

from __future__ import annotations

from typing import Any

from durabase.clock import Clock
from durabase.errors import ClockError
from durabase.mergeable._journal import CellIds, Journal
from durabase.mergeable._merge import Outcome, content_from, merge_changes
from durabase.mergeable._shapes import Decode, content_shape
from durabase.mergeable._validate import StampedCell, is_mergeable, only_cell
from durabase.mergeable.hlc import Hlc, HybridClock
from durabase.mergeable.stamps import UNSETTLED, BranchStamps, ContentStamps, ThingStamps
from durabase.store._hooks import StoreHooks
from durabase.types import Changes, Id, MergeableChanges, MergeableContent

__all__ = ["Stamping"]


class Stamping(StoreHooks):
    """The stamps of a store, and the hooks (``StoreHooks``) that keep them.

    ``listening`` is off while merged changes are carried out, ``defaulting`` is on while writes get no
    HLC, ``mutated`` is set when a mutator listener has written, ``replaced`` when in the running
    transaction all stamps were exchanged for others.
    """

    __slots__ = (
        "_clock",
        "_journal",
        "_old_mutated",
        "_old_stamps",
        "_row",
        "defaulting",
        "listening",
        "mutated",
        "replaced",
        "stamps",
    )

    def __init__(self, unique_id: Id | None, clock: Clock | None) -> None:
        self._clock = HybridClock(unique_id, clock=clock)
        self._journal = Journal()
        self.stamps = ContentStamps()
        self.listening = True
        self.defaulting = False
        self.mutated = False
        self.replaced = False
        self._old_stamps = self.stamps
        self._old_mutated = False
        self._row: ThingStamps | None = None

    # -- hooks

    def pre_start(self) -> None:
        self._journal.begin()
        self._old_stamps = self.stamps
        self._old_mutated = self.mutated

    def pre_finish(self, rolled_back: bool) -> None:
        if rolled_back:
            self._undo()

    def post_finish(self, rolled_back: bool) -> None:
        if rolled_back:
            self._undo()
        self._journal.end()
        self._old_stamps = self.stamps
        self.replaced = False
        self._row = None

    def cell_changed(
        self, table_id: Id, row_id: Id, cell_id: Id, new: Any, mutating: bool, defaulted: bool
    ) -> None:
        if self.listening or mutating:
            hlc = self._next_hlc(mutating, defaulted)
            row = self._row
            journal = self._journal
            if (
                row_id == journal.row_id
                and table_id == journal.table_id
                and row is not None
                and row.settled_hash() == UNSETTLED  # then it is known above that it has changed
            ):
                done = row.put(cell_id, new, hlc, self._journal)
            else:
                done = self._put_cell(table_id, row_id, cell_id, new, hlc)
            self._finish_edit(done, hlc)

    def value_changed(self, value_id: Id, new: Any, mutating: bool, defaulted: bool) -> None:
        if self.listening or mutating:
            hlc = self._next_hlc(mutating, defaulted)
            self._finish_edit(self.stamps.values.put(value_id, new, hlc, self._journal), hlc)

    # -- merging

    def accepts(self, changes: Any, is_content: bool, encoded: bool) -> bool:
        """Whether mergeable changes (or content) from outside may be merged now."""
        return is_mergeable(changes, self._clock.upper_bound(), is_content=is_content, encoded=encoded)

    def upper_bound(self) -> str:
        """What all HLCs that may be merged are below just now."""
        return self._clock.upper_bound()

    def merge(self, changes: MergeableChanges, outcome: Outcome) -> None:
        """Merge accepted changes into the stamps; what the store has to apply is told to ``outcome``."""
        self._row = None
        self._clock.see_accepted(merge_changes(self.stamps, changes, self._journal, outcome))

    def only_cell(self, changes: Any) -> StampedCell | None:
        """The cell of mergeable changes from outside that may be merged now, if they are of one cell."""
        return only_cell(changes, self._clock.upper_bound())

    def merge_cell(self, table_id: Id, row_id: Id, cell_id: Id, thing: Any, hlc: Hlc) -> bool:
        """Merge one accepted cell into the stamps; whether the store has to apply it."""
        done = self._put_cell(table_id, row_id, cell_id, thing, hlc)
        self._clock.see_accepted(hlc if done else "")
        return done

    def restamp_cell(self, table_id: Id, row_id: Id, cell_id: Id, thing: Any, is_new: bool) -> None:
        """Stamp a cell with what the store holds: later than all seen, or if it ``is_new``, as a default."""
        hlc = self._next_hlc(True, is_new)
        self._finish_edit(self._put_cell(table_id, row_id, cell_id, thing, hlc), hlc)

    def restamp_value(self, value_id: Id, thing: Any) -> None:
        """Stamp a value with what the store holds, later than all seen."""
        hlc = self._next_hlc(True, False)
        self._finish_edit(self.stamps.values.put(value_id, thing, hlc, self._journal), hlc)

    def replace(self, content: MergeableContent) -> Changes:
        """Take the stamps of accepted content instead of all present ones; what the store has to apply."""
        self._row = None
        self.stamps, plain, latest = content_from(content)
        self.replaced = True
        self._clock.see_accepted(latest)
        return plain

    def settle(self) -> ContentStamps:
        """The stamps with all hashes up to date."""
        self.stamps.settle(self._journal)
        return self.stamps

    def content(self, decode: Decode) -> MergeableContent:
        """Everything, with hashes; things as ``decode`` gives them."""
        return content_shape(self.stamps, self._journal, decode)

    def stamped(self) -> tuple[CellIds, dict[Id, None]]:
        """The ids of all that got stamps in the running transaction: of everything if it was replaced."""
        if self.replaced:
            tables = self.stamps.tables.children.items()
            cells = {
                t: {r: dict.fromkeys(row.children) for r, row in table.children.items()}
                for t, table in tables
            }
            return cells, dict.fromkeys(self.stamps.values.children)
        return self._journal.stamped(self.stamps)

    # -- helpers

    def _next_hlc(self, mutating: bool, defaulted: bool) -> str:
        if mutating:
            self.mutated = True
        return "" if self.defaulting or defaulted else self._clock.next()

    def _finish_edit(self, done: bool, hlc: str) -> None:
        """``done``: the stamp was accepted. The clock looks at the time as after any merge."""
        self._clock.tick()
        if hlc and not done:
            raise ClockError

    def _put_cell(self, table_id: Id, row_id: Id, cell_id: Id, new: Any, hlc: str) -> bool:
        """Stamp one cell: what ``merge_changes`` does, for a change of one cell."""
        tables, journal = self.stamps.tables, self._journal
        journal.table_id, journal.row_id = table_id, row_id
        table = tables.enter(table_id, BranchStamps, journal)
        table_before = table.settled_hash()
        row = table.enter(row_id, ThingStamps, journal)
        row_before = row.settled_hash()
        done = row.put(cell_id, new, hlc, journal)
        table.leave(row_id, row, row_before, journal)
        tables.leave(table_id, table, table_before, journal)
        self._row = row
        return done

    def _undo(self) -> None:
        self._journal.undo()
        self.stamps = self._old_stamps
        self.mutated = self._old_mutated
        self.replaced = False
        self._row = None
