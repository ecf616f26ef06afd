"""How a persister follows its place: the listener, the first load, and what the place reports.

Belongs to :class:`~durabase.persisters.base.Persister`, which owns the queue and the status. Every
start and stop begins a new generation; what an earlier generation still reports is ignored.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeAlias, cast

from durabase.persisters._status import Status
from durabase.persisters._steps import Completion, Steps, start_steps
from durabase.types import UNDEFINED

if TYPE_CHECKING:
    from durabase.persisters.base import Persister

__all__ = ["AutoLoad", "PersisterListener"]

PersisterListener: TypeAlias = Callable[..., Completion[None]]
"""``listener(content=None, changes=None)``: the place changed; without arguments it is to be loaded."""


class AutoLoad:
    """The following of one persister's place, on or off."""

    __slots__ = (
        "_generation",
        "_generation_after_save",
        "_handle",
        "_is_first_load_pending",
        "_listener_change",
        "_pending",
        "_pending_in_queue",
        "_persister",
    )

    def __init__(self, persister: Persister) -> None:
        self._persister = persister
        self._handle: Any = UNDEFINED
        self._generation = 0
        self._listener_change: Completion[None] | None = None
        self._is_first_load_pending = False
        self._pending = 0
        self._pending_in_queue = 0
        self._generation_after_save = 0

    def is_on(self) -> bool:
        """Whether the listener is in place."""
        return self._handle is not UNDEFINED

    def start_steps(self, initial_content: Any) -> Steps[None]:
        """Replace an earlier listener by a new one, then load once."""
        self._generation += 1
        generation = self._generation
        self._is_first_load_pending = True
        yield from self._remove_steps()
        if self._is_current(generation):
            yield from self._change_listener_steps(self._add_steps(generation))
        if self._is_current(generation):
            yield from self._persister._load_steps(initial_content)
        if generation == self._generation:
            self._is_first_load_pending = False

    def stop_steps(self) -> Steps[None]:
        """Remove the listener."""
        self._generation += 1
        yield from self._remove_steps()

    def after_save_steps(self) -> Steps[None]:
        """Load what the place reported as changed while a save was under way."""
        generation, self._generation_after_save = self._generation_after_save, 0
        if generation and self._is_current(generation):
            yield from self._reload_steps(generation)

    def _is_current(self, generation: int) -> bool:
        return generation == self._generation and not self._persister._is_destroyed()

    def _remove_steps(self) -> Steps[None]:
        self._generation_after_save = 0
        handle, self._handle = self._handle, UNDEFINED
        yield from self._change_listener_steps(self._delete_steps(self._listener_change, handle))

    def _change_listener_steps(self, steps: Steps[None]) -> Steps[None]:
        """Run ``steps`` in such a way that the next change of the listener can wait for them."""
        change = start_steps(steps)
        self._listener_change = change
        yield change
        if self._listener_change is change:
            self._listener_change = None

    def _add_steps(self, generation: int) -> Steps[None]:
        def listener(content: list[Any] | None = None, changes: list[Any] | None = None) -> Completion[None]:
            return start_steps(self._report_steps(generation, content, changes))

        persister = self._persister
        try:
            handle = yield persister.add_persister_listener(listener)
            if self._is_current(generation):
                self._handle = handle
            else:
                yield persister.del_persister_listener(handle)
        except Exception as error:
            persister._report(error)

    def _delete_steps(self, earlier_change: Completion[None] | None, handle: Any) -> Steps[None]:
        if earlier_change is not None:
            yield earlier_change
        if handle is not UNDEFINED:
            yield from self._persister._guarded_steps(lambda: self._persister.del_persister_listener(handle))

    def _report_steps(
        self, generation: int, content: list[Any] | None, changes: list[Any] | None
    ) -> Steps[None]:
        if not self._is_current(generation):
            return
        if changes or content:
            yield from self._apply_steps(cast("list[Any]", changes or content))
        else:
            yield from self._reload_steps(generation)

    def _reload_steps(self, generation: int) -> Steps[None]:
        if self._persister.get_status() is Status.SAVING:
            self._generation_after_save = generation
        else:
            yield from self._persister._load_steps(None)

    def _apply_steps(self, content_or_changes: list[Any]) -> Steps[None]:
        persister = self._persister
        must_wait = self._must_wait()
        self._pending += 1
        self._pending_in_queue += must_wait
        persister._begin_loading()
        try:
            if must_wait:
                yield from persister._enqueue_steps(lambda: persister._apply_steps(content_or_changes))
            else:
                yield from persister._apply_steps(content_or_changes)
        finally:
            self._pending_in_queue -= must_wait
            self._pending -= 1
            if not (must_wait and self._pending):
                persister._end_action()
        if not self._pending:
            yield from persister._auto_save.after_load_steps()

    def _must_wait(self) -> bool:
        """Whether what the place reports has to go through the queue, or else may be applied at once."""
        return (
            self._is_first_load_pending
            or self._pending_in_queue > 0
            or self._persister.get_status() is Status.SAVING
        )
