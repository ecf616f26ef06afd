"""The queue that keeps a persister's actions from overlapping.

One action at a time, in the order they were scheduled; persisters of one database share a queue.
A queue that is idle runs a new action within the call that schedules it. It knows nothing of what
the actions do; they deal with their own errors.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from durabase.persisters._steps import Completion, Steps

__all__ = ["Action", "ActionQueue"]

Action: TypeAlias = Callable[[], Steps[None]]
"""Something to do, in steps."""


class _Scheduled:
    __slots__ = ("action", "completion", "owner")

    def __init__(self, owner: object, action: Action) -> None:
        self.owner = owner
        self.action = action
        self.completion: Completion[None] = Completion()


class ActionQueue:
    """Actions of one or more owners, run one after the other."""

    __slots__ = ("_active", "_waiting")

    def __init__(self) -> None:
        self._waiting: list[_Scheduled] = []  # an empty deque takes ten times as much
        self._active: _Scheduled | None = None

    def is_idle(self) -> bool:
        """Whether a new action would run at once."""
        return self._active is None and not self._waiting

    def schedule_steps(self, owner: object, *actions: Action) -> Steps[None]:
        """Append actions. Ends when they are done, or when :meth:`drop` removed them.

        For the call that found the queue idle it ends when the queue is empty again.
        """
        mine = [_Scheduled(owner, action) for action in actions]
        self._waiting.extend(mine)
        if self._active is None:
            yield from self._run_steps()
        for scheduled in mine:
            if not scheduled.completion.done():
                yield scheduled.completion

    def drop(self, owner: object) -> None:
        """Remove the waiting actions of ``owner``; they count as done."""
        dropped = [scheduled for scheduled in self._waiting if scheduled.owner is owner]
        self._waiting = [scheduled for scheduled in self._waiting if scheduled.owner is not owner]
        for scheduled in dropped:
            scheduled.completion.set_result(None)

    def active_action(self, owner: object) -> Completion[None] | None:
        """The action of ``owner`` that is running now, if there is one."""
        active = self._active
        return active.completion if active is not None and active.owner is owner else None

    def _run_steps(self) -> Steps[None]:
        try:
            while self._waiting:
                self._active = active = self._waiting.pop(0)
                try:
                    yield from active.action()
                except BaseException as error:
                    active.completion.set_exception(error)
                    raise
                active.completion.set_result(None)
        finally:
            self._active = None
