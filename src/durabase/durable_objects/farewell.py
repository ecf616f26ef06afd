"""Telling an object that its instance is to go."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from durabase.durable_objects.events import ShutdownInfo
from durabase.durable_objects.handlers import HandlerTable

if TYPE_CHECKING:
    from durabase.durable_objects.life import ObjectLife

__all__ = ["INACTIVE", "Farewell"]

_logger = logging.getLogger("durabase.durable_objects")

INACTIVE: Final = "inactive"
FAREWELL_SECONDS: Final = 10.0


class Farewell:
    """Calls ``pre_shutdown`` of one life, once.

    Attributes:
        reason: what the object is told.
    """

    __slots__ = ("_handlers", "_is_said", "_life", "reason")

    def __init__(self, life: ObjectLife, handlers: HandlerTable) -> None:
        self.reason = INACTIVE
        self._life = life
        self._handlers = handlers
        self._is_said = False

    def say(self, then: Callable[[], object]) -> bool:
        """Begin an event that tells the object; its end is that of any event.

        If it takes too long it counts as over, and ``then`` is called. ``False``: nobody need be told.
        """
        handler, life = self._handlers.pre_shutdown, self._life
        if handler is None or self._is_said:
            return False
        self._is_said = True
        timer = life.clock.call_later(FAREWELL_SECONDS, partial(self._too_long, then))
        logged = life.logged(handler.name)

        def finish(result: Any, error: BaseException | None) -> None:
            timer.cancel()
            logged(result, error)

        call = partial(handler.bound(life.instance), ShutdownInfo(self.reason))
        life.begin(call, finish, handler.name)
        return True

    def _too_long(self, then: Callable[[], object]) -> None:
        if self._life.error is None:
            _logger.warning("pre_shutdown of %s took more than ten seconds", self._life.label)
            self._life.open_events = 0
            then()
