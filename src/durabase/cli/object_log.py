"""One line for what happens to objects: they start, they hibernate, they are reset, a handler fails."""

from __future__ import annotations

import time

from durabase.cli.console import Console
from durabase.durable_objects.events import (
    EventHandled,
    ObjectConstructed,
    ObjectHibernated,
    ObjectReset,
)
from durabase.durable_objects.ids import DurableObjectId
from durabase.durable_objects.tracebacks import program_traceback
from durabase.workers.facts import RuntimeFact

__all__ = ["ObjectLog"]

_NOBODY_ELSE_SEES = ("web_socket", "webSocket", "alarm")
_SHOWN_DIGITS = 8


class ObjectLog:
    """An observer of objects.

    Args:
        console: where the lines go.
        errors_only: say nothing of objects that start and hibernate.
    """

    def __init__(self, console: Console, *, errors_only: bool = False) -> None:
        self._console = console
        self._errors_only = errors_only

    def observe(self, fact: RuntimeFact) -> None:
        """Say what happened, if it is worth a line."""
        match fact:
            case ObjectConstructed(id=id, milliseconds=milliseconds):
                self._say(id, f"started ({milliseconds:.0f}ms)")
            case ObjectHibernated(id=id, sockets=sockets):
                self._say(id, f"hibernated ({_counted(sockets)} kept)" if sockets else "hibernated")
            case ObjectReset(class_name=class_name, id=id, error=error):
                self._console.error(f"{_shown(id)}  {class_name} was reset: {error}")
            case EventHandled(id=id, kind=kind, error=error):
                if error is not None and kind.startswith(_NOBODY_ELSE_SEES):
                    text = program_traceback(error)
                    self._console.error(f"{_shown(id)}  {kind} failed: {text}")

    def _say(self, id: DurableObjectId, text: str) -> None:
        if not self._errors_only:
            self._console.line(f"{time.strftime('%H:%M:%S')}  {_shown(id)}  {text}")


def _shown(id: DurableObjectId) -> str:
    return f"/{id.name}" if id.name is not None else f"{str(id)[:_SHOWN_DIGITS]}…"


def _counted(sockets: int) -> str:
    return "1 socket" if sockets == 1 else f"{sockets} sockets"
