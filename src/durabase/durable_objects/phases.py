"""The life of an object as a table; anything that is not in it is a bug."""

from __future__ import annotations

from enum import Enum, auto
from typing import Final

__all__ = ["TRANSITIONS", "Phase", "Signal"]


class Phase(Enum):
    """Where an object is in its life."""

    EMPTY = auto()
    """No instance."""
    STARTING = auto()
    """The instance is being made."""
    LIVE = auto()
    """Events are under way."""
    QUIET = auto()
    """Nothing is under way."""
    DRAINING = auto()
    """The life is to end; events under way end first."""
    BROKEN = auto()
    """The life has ended badly; what it committed is not settled."""


class Signal(Enum):
    """What may happen to a slot."""

    EVENT = auto()
    READY = auto()
    RESTED = auto()
    IDLE = auto()
    FOLDED = auto()
    BROKE = auto()


TRANSITIONS: Final = {
    (Phase.EMPTY, Signal.EVENT): Phase.STARTING,
    (Phase.STARTING, Signal.READY): Phase.LIVE,
    (Phase.LIVE, Signal.READY): Phase.LIVE,
    (Phase.QUIET, Signal.READY): Phase.QUIET,
    (Phase.DRAINING, Signal.READY): Phase.DRAINING,
    (Phase.LIVE, Signal.RESTED): Phase.QUIET,
    (Phase.QUIET, Signal.EVENT): Phase.LIVE,
    (Phase.QUIET, Signal.IDLE): Phase.DRAINING,
    (Phase.LIVE, Signal.IDLE): Phase.DRAINING,
    (Phase.STARTING, Signal.BROKE): Phase.BROKEN,
    (Phase.LIVE, Signal.BROKE): Phase.BROKEN,
    (Phase.QUIET, Signal.BROKE): Phase.BROKEN,
    (Phase.DRAINING, Signal.BROKE): Phase.BROKEN,
    (Phase.DRAINING, Signal.FOLDED): Phase.EMPTY,
    (Phase.BROKEN, Signal.FOLDED): Phase.EMPTY,
}
