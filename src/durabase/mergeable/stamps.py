"""A thing with its time and hash, and trees of them.

A store's stamps are a tree: ``ContentStamps`` holds the tables and the values, tables hold rows, a
row and the values hold a ``Stamp`` for each thing, deleted ones included. Every node has an HLC
(``""`` unless the data come from old versions) and a hash. Nothing in it refers to what holds it, so
compiled it is all kept out of the garbage collector's sight: the largest part of what there is in a room.

Hashes are settled lazily. What changed is noted as ``pending`` in the node that holds it, with the
hash that is folded into the node's own; ``settle`` takes that out and folds the present one in. That
is exact, for folding is XOR: what lies between cancels out. A node that is new, and has not been settled
since, is ``unfolded``: nothing has to be noted, all that it holds is folded in. One thing does not cancel
and is done at once: TinyBase 10.0.1 does not take out a child's contribution when the child's hash was 0,
as it is for rows without cells, so that the contribution of such a row toggles with each mention. A hash
that becomes 0 by chance between two settlements is the only difference, once in 2^32.

The ``journal`` is told of every change just before it is made.

Invariants: a child that is not pending in its parent is settled, unless that is unfolded; a stamp that is
not pending in its parent has a hash, likewise; only what really changed is pending; in what is unfolded
nothing is pending, and it holds something.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, Generic, TypeAlias, TypeVar, final

from durabase._compiling import mypyc_attr
from durabase.mergeable.hashes import (
    Hash,
    get_hash,
    get_hash_change,
    get_value_hash,
    get_value_in_values_hash,
)
from durabase.mergeable.hlc import Hlc
from durabase.types import Id

if TYPE_CHECKING:
    from durabase.mergeable._journal import Journal

__all__ = [
    "UNSETTLED",
    "BranchStamps",
    "ContentStamps",
    "Stamp",
    "TableStamps",
    "TablesStamps",
    "ThingStamps",
]

UNSETTLED: Final = -1
"""In place of a stamp's hash: not computed yet."""


@final
@mypyc_attr(acyclic=True)
class Stamp:
    """A thing, encoded, or UNDEFINED if it was deleted; when that was; and the hash of both.

    A later stamp is another object. Only the hash is set later, when it is asked for. It is kept as the
    object in which it is handed out, again and again, whence it is no ``int`` to the compiler.
    """

    __slots__ = ("hash", "hlc", "thing")

    def __init__(self, thing: Any, hlc: Hlc, hash_: Any = UNSETTLED) -> None:
        self.thing = thing
        self.hlc = hlc
        self.hash: Any = hash_

    def settle(self) -> Hash:
        """The hash, computed if need be."""
        hash_: Hash = self.hash
        if hash_ == UNSETTLED:
            hash_ = self.hash = get_value_hash(self.thing, self.hlc)
        return hash_


@mypyc_attr(acyclic=True)
class StampNode:
    """What all nodes have: HLC, hash, and what the hash does not contain yet.

    That is all it holds if it is ``unfolded``, else what is ``pending`` (id → hash folded in).
    """

    __slots__ = ("hash", "hlc", "pending", "unfolded")

    def __init__(self, hlc: Hlc = "", hash_: Hash = 0) -> None:
        self.hlc = hlc
        self.hash = hash_
        self.pending: dict[Id, Hash] | None = None
        self.unfolded = False

    def settled_hash(self) -> Hash:
        """The hash as it stands; UNSETTLED if it does not contain something, and so will not be 0."""
        return UNSETTLED if self.unfolded or self.pending else self.hash

    def settle(self, journal: Journal) -> Hash:
        """The hash, brought up to date, and those of everything below."""
        raise NotImplementedError

    def raise_hlc(self, hlc: Hlc, journal: Journal) -> None:
        """Take a container's HLC if it is later."""
        if hlc > self.hlc:
            journal.raise_hlc(self)
            self.hash ^= (get_hash(self.hlc) if self.hlc else 0) ^ get_hash(hlc)
            self.hlc = hlc


@final
@mypyc_attr(acyclic=True)
class ThingStamps(StampNode):
    """The stamps of a row's cells, or of the values."""

    __slots__ = ("children",)

    def __init__(self, hlc: Hlc = "", hash_: Hash = 0) -> None:
        super().__init__(hlc, hash_)
        self.children: dict[Id, Stamp] = {}

    def put(self, id_: Id, thing: Any, hlc: Hlc, journal: Journal) -> bool:
        """Stamp a thing unless it has a stamp that is as late; whether it was done.

        A stamp of ``""`` gives way to everything.
        """
        children = self.children
        old = children.get(id_)
        if old is not None and old.hlc and hlc <= old.hlc:
            return False
        fresh = False
        if not children:
            self.unfolded = True
        if not self.unfolded:
            pending = self.pending
            if pending is None:
                pending = self.pending = {}
            fresh = id_ not in pending
            if fresh:
                pending[id_] = 0 if old is None else old.hash
        journal.put(self, id_, old, fresh)
        children[id_] = Stamp(thing, hlc)
        return True

    def fill(self, stamps: dict[Id, Stamp], journal: Journal) -> None:
        """Take some stamps where there are none yet."""
        journal.fill(self)
        self.children = stamps
        self.unfolded = True

    def settle(self, journal: Journal) -> Hash:
        """The hash, brought up to date."""
        if self.unfolded:
            journal.settle(self)
            self.unfolded = False
            for id_, stamp in self.children.items():
                self.hash ^= get_hash_change(id_, 0, stamp.settle())
        elif self.pending is not None:
            journal.settle(self)
            pending, self.pending = self.pending, None
            for id_, folded in pending.items():
                self.hash ^= get_hash_change(id_, folded, self.children[id_].settle())
        return self.hash


ChildT = TypeVar("ChildT", "ThingStamps", "BranchStamps[ThingStamps]")


@final
class BranchStamps(StampNode, Generic[ChildT]):
    """The stamps of a table's rows, or of the tables."""

    __slots__ = ("children",)

    def __init__(self, hlc: Hlc = "", hash_: Hash = 0) -> None:
        super().__init__(hlc, hash_)
        self.children: dict[Id, ChildT] = {}

    def enter(self, id_: Id, make: Callable[[], ChildT], journal: Journal) -> ChildT:
        """The child that is mentioned in changes; ``make`` makes it if there is none.

        Take its ``settled_hash``, merge into it, then ``leave``.
        """
        children = self.children
        child = children.get(id_)
        if child is None:
            journal.create(self, id_)
            if not children:
                self.unfolded = True
            child = children[id_] = make()
        elif self.unfolded:
            node: StampNode = child  # compiled, a method of a type variable has to be looked for
            if node.settled_hash() == 0:
                self._note_all(journal)
        return child

    def leave(self, id_: Id, child: StampNode, before: Hash, journal: Journal) -> None:
        """The child has been merged into; ``before`` was its ``settled_hash``."""
        if self.unfolded:
            if before or child.settled_hash():
                return
            del self._note_all(journal)[id_]  # it is new
        pending = self.pending
        if pending is not None and id_ in pending:
            if before == 0:
                journal.leave(self, id_, False)
                self.hash ^= get_value_in_values_hash(id_, 0)
        elif child.settled_hash() != before:
            if pending is None:
                pending = self.pending = {}
            journal.leave(self, id_, True)
            pending[id_] = before
        elif before == 0:
            journal.leave(self, id_, False)
            self.hash ^= get_value_in_values_hash(id_, 0)

    def _note_all(self, journal: Journal) -> dict[Id, Hash]:
        """Note what is not folded in one by one, for a child's contribution is going to toggle."""
        journal.settle(self)
        self.unfolded = False
        pending: dict[Id, Hash] = dict.fromkeys(self.children, 0)
        self.pending = pending
        return pending

    def settle(self, journal: Journal) -> Hash:
        """The hash, brought up to date, and those of everything below."""
        if self.unfolded:
            journal.settle(self)
            self.unfolded = False
            child: StampNode
            for id_, child in self.children.items():
                self.hash ^= get_value_in_values_hash(id_, child.settle(journal))
        elif self.pending is not None:
            journal.settle(self)
            pending, self.pending = self.pending, None
            for id_, folded in pending.items():
                child = self.children[id_]
                now = child.settle(journal)
                if folded:
                    self.hash ^= get_hash_change(id_, folded, now)
                else:
                    self.hash ^= get_value_in_values_hash(id_, now)
        return self.hash


TableStamps: TypeAlias = BranchStamps[ThingStamps]
TablesStamps: TypeAlias = BranchStamps[BranchStamps[ThingStamps]]


class ContentStamps:
    """The stamps of a whole store."""

    __slots__ = ("tables", "values")

    def __init__(self) -> None:
        self.tables: TablesStamps = BranchStamps()
        self.values = ThingStamps()

    def settle(self, journal: Journal) -> tuple[Hash, Hash]:
        """The hashes of the tables and of the values, all below being brought up to date."""
        return self.tables.settle(journal), self.values.settle(journal)
