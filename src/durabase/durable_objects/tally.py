"""What is counted of the objects of one class, for metrics."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Literal, TypeAlias

from durabase.clock import Clock

__all__ = ["Tally", "WaitHook"]

WaitHook: TypeAlias = Callable[[Literal["input", "output"], float], object]
"""Is told for how many seconds an event waited to enter, or its result to leave."""


class Tally:
    """Numbers that only grow, and whom to tell of waits.

    Attributes:
        auto_responses: messages that were answered without the object.
        refused: events that were refused, or given up, as too much waited for their object.
        on_wait: is told of waits at gates, if anybody wants to know.
    """

    __slots__ = ("auto_responses", "on_wait", "refused")

    def __init__(self) -> None:
        self.auto_responses = 0
        self.refused = 0
        self.on_wait: WaitHook | None = None

    def entered(self, since_ms: int, clock: Clock) -> None:
        """An event that has come at this time enters its object."""
        if self.on_wait is not None:
            self.on_wait("input", (clock.now_ms() - since_ms) / 1000)

    def timed(self, leave: Callable[[], object], clock: Clock) -> Callable[[], object]:
        """``leave``, which a gate holds from now on, telling how long that was."""
        return leave if self.on_wait is None else partial(self._left, leave, clock.now_ms(), clock)

    def _left(self, leave: Callable[[], object], since_ms: int, clock: Clock) -> None:
        if self.on_wait is not None:
            self.on_wait("output", (clock.now_ms() - since_ms) / 1000)
        leave()
