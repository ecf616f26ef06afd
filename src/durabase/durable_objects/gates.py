"""What keeps naive programs free of races.

The :class:`OutputGate` holds what leaves the object until the writes made before are durable.
The :class:`InputGate` holds what comes in while a critical section runs. Handlers are *not* serialised:
at an ``await`` that really waits, other events come in, as on Cloudflare.

A write over local storage is done when the call returns, and awaiting it does not visit the event
loop, so no gate is needed between a read and the write that depends on it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from contextvars import ContextVar
from typing import Final, Protocol

__all__ = ["InputGate", "OutputGate", "Section", "WriteGate", "WriteGates", "current_section"]

MAX_NESTING: Final = 64


class Committer(Protocol):
    """Who makes writes durable."""

    def hurry(self) -> None:
        """Something waits for what was written so far."""


class OutputGate:
    """Open when everything written so far is durable.

    Writes are numbered; an action that has to wait does so for the last confirmed write before it,
    not for later ones.

    Attributes:
        committer: is told when anything waits.
    """

    __slots__ = ("_broken", "_confirmed", "_held", "_safe", "_syncs", "committer", "is_open", "written")

    def __init__(self) -> None:
        self.is_open = True
        self.committer: Committer | None = None
        self.written = 0
        self._confirmed = 0
        self._safe = 0
        self._broken = False
        self._held: deque[tuple[int, Callable[[], object]]] | None = None  # large, and mostly nothing waits
        self._syncs: list[tuple[int, Callable[[], object]]] = []

    @property
    def is_settled(self) -> bool:
        """Whether every write, also an unconfirmed one, is durable."""
        return self._safe >= self.written

    def wrote(self, confirmed: bool = True) -> None:
        """Something was written; if ``confirmed``, nothing may leave before it is durable."""
        self.written += 1
        if confirmed and not self._broken:
            self._confirmed = self.written
            self.is_open = False

    def hold(self, action: Callable[[], object]) -> None:
        """Call ``action`` when all confirmed writes so far are durable; never if that fails."""
        if self.is_open:
            action()
        elif not self._broken:
            if self._held is None:
                self._held = deque()
            self._held.append((self._confirmed, action))
            self._hurry()

    def hold_for_all(self, action: Callable[[], object]) -> None:
        """Like :meth:`hold`, waiting for unconfirmed writes as well."""
        if self._safe >= self.written:
            action()
        elif not self._broken:
            self._syncs.append((self.written, action))
            self._hurry()

    def _hurry(self) -> None:
        if self.committer is not None:
            self.committer.hurry()

    def safe(self, written: int) -> None:
        """The writes up to this number are durable."""
        if self._broken:
            return
        self._safe = max(self._safe, written)
        held = self._held
        while held and held[0][0] <= self._safe:
            held.popleft()[1]()
        ready = [action for number, action in self._syncs if number <= self._safe]
        self._syncs = [entry for entry in self._syncs if entry[0] > self._safe]
        for action in ready:
            action()
        if self._confirmed <= self._safe and not held and not self._broken:
            self.is_open = True
            self._held = None

    def fail(self) -> None:
        """Nothing leaves any more; what was held is forgotten."""
        self._broken = True
        self.is_open = False
        if self._held is not None:
            self._held.clear()  # for whoever is letting it go at present
        self._held = None
        self._syncs.clear()


class WriteGate(Protocol):
    """What a store tells of its writes."""

    @property
    def written(self) -> int:
        """The number of the last write."""

    def wrote(self, confirmed: bool = True) -> None:
        """Something was written."""

    def safe(self, written: int) -> None:
        """The writes up to this number are durable."""


class WriteGates:
    """Splits one gate for several stores of an object: a write is durable when all of them say so."""

    __slots__ = ("_gate", "_parts")

    def __init__(self, gate: OutputGate) -> None:
        self._gate = gate
        self._parts: list[PartGate] = []

    def part(self) -> PartGate:
        """The gate of one more store."""
        part = PartGate(self._gate, self.update)
        self._parts.append(part)
        return part

    def update(self) -> None:
        """Tell the gate what all parts agree on."""
        behind = [part.safe_until for part in self._parts if part.safe_until < part.last]
        self._gate.safe(min(behind, default=self._gate.written))


class PartGate:
    """The gate of one of several stores."""

    __slots__ = ("_gate", "_update", "last", "safe_until")

    def __init__(self, gate: OutputGate, update: Callable[[], object]) -> None:
        self._gate = gate
        self._update = update
        self.last = 0
        self.safe_until = 0

    @property
    def written(self) -> int:
        """The number of the last write, of whichever store."""
        return self._gate.written

    def wrote(self, confirmed: bool = True) -> None:
        """This store has written."""
        self._gate.wrote(confirmed)
        self.last = self._gate.written

    def safe(self, written: int) -> None:
        """This store's writes up to this number are durable."""
        self.safe_until = max(self.safe_until, written)
        self._update()


class Section:
    """A critical section: while it runs, only what belongs to it goes on.

    Attributes:
        parent: the section that it is part of.
        begin: starts it.
        what: what it does, for reports: a function, then the coroutine that runs.

    Raises:
        RuntimeError: sections are nested too deeply.
    """

    __slots__ = ("begin", "depth", "parent", "what")

    def __init__(self, parent: Section | None, begin: Callable[[], object], what: object = None) -> None:
        self.parent = parent
        self.begin = begin
        self.what = what
        self.depth: int = 1 if parent is None else parent.depth + 1
        if self.depth > MAX_NESTING:
            raise RuntimeError("blockConcurrencyWhile() calls are nested too deeply.")


current_section: ContextVar[Section | None] = ContextVar("current_section", default=None)
"""The critical section that the current code belongs to."""


class InputGate:
    """Open when no critical section runs or waits.

    Args:
        opened: called soon after the last section ended, when waiting events may enter.
        soon: calls a function from the event loop, in order.
        owner: whose gate it is, for reports.
    """

    __slots__ = ("_opened", "_running", "_soon", "_waiters", "_waiting", "is_open", "owner")

    def __init__(
        self,
        opened: Callable[[], object],
        soon: Callable[[Callable[[], object]], object],
        owner: object = None,
    ) -> None:
        self.is_open = True
        self.owner = owner
        self._opened = opened
        self._soon = soon
        self._running: list[Section] = []
        self._waiting: list[Section] = []  # a deque takes ten times the memory, and mostly nobody waits
        self._waiters: list[tuple[Callable[[], object], object]] = []

    @property
    def held_back(self) -> list[object]:
        """Who waits for the end of what runs: coroutines, callbacks, and the starts of sections."""
        return [*(who for _, who in self._waiters), *(section.what for section in self._waiting)]

    def enter(self, section: Section) -> None:
        """Call ``section.begin`` when it is its turn: at once if nothing runs that it is no part of."""
        self.is_open = False
        if self.admits(section.parent) if self._running else not self._waiting:
            self._running.append(section)
            section.begin()
        else:
            self._waiting.append(section)

    def leave(self, section: Section) -> None:
        """The section is over. Whoever waited for its end goes on before anything else comes in."""
        self._running.remove(section)
        self._soon(self._next)

    def admits(self, section: Section | None) -> bool:
        """Whether code that belongs to ``section`` may go on now."""
        return not self._running or section is self._running[-1]

    def runs(self, section: Section) -> bool:
        """Whether the section is under way."""
        return section in self._running

    def when_admitted(self, action: Callable[[], object], who: object) -> None:
        """Call ``action`` the next time that who may go on changes; ``who`` it is that waits, for reports."""
        self._waiters.append((action, who))

    def _next(self) -> None:
        waiters, self._waiters = self._waiters, []
        for action, _ in waiters:
            action()
        startable = next((section for section in self._waiting if self.admits(section.parent)), None)
        if startable is not None:
            self._waiting.remove(startable)
            self._running.append(startable)
            startable.begin()
        elif not self._running and not self._waiting:
            self.is_open = True
            self._opened()
