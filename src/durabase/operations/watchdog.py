"""Reports code that holds up the event loop, with its stack, while it does.

The loop beats; a thread looks whether it has. Nothing is added to what handlers do: whose code it is, is
found in the stack of the loop's thread.
"""

from __future__ import annotations

import logging
import sys
import threading
import time
import traceback
from asyncio import AbstractEventLoop, TimerHandle
from collections.abc import Callable, Iterator
from contextvars import Context
from dataclasses import replace
from types import FrameType
from typing import Final

from durabase.durable_objects.gates import InputGate
from durabase.durable_objects.life import ObjectLife
from durabase.durable_objects.origin import Origin
from durabase.workers.facts import LoopHeldUp

__all__ = ["Watchdog"]

_log: Final = logging.getLogger("durabase.operations")

LOOKS: Final = 4
"""So often within the limit it is looked."""


class Watchdog:
    """Watches one event loop.

    Args:
        loop: the event loop; it has to be running when :meth:`start` is called, in the calling thread.
        seconds: for how long code may hold it up.
        tell: is told, from the event loop, when it goes on; the log is written to at once.
        now: the time, in seconds.
    """

    def __init__(
        self,
        loop: AbstractEventLoop,
        seconds: float,
        tell: Callable[[LoopHeldUp], object],
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._loop = loop
        self._seconds = seconds
        self._tell = tell
        self._now = now
        self._beaten = now()
        self._held: LoopHeldUp | None = None
        self._timer: TimerHandle | None = None
        self._stopped = threading.Event()
        self._loop_thread = 0
        self._thread = threading.Thread(target=self._watch, name="durabase-watchdog", daemon=True)

    def start(self) -> None:
        """Watch from now on."""
        self._loop_thread = threading.get_ident()
        self.beat()
        self._thread.start()

    def stop(self) -> None:
        """Watch no more."""
        self._stopped.set()
        self._thread.join()
        if self._timer is not None:
            self._timer.cancel()

    def beat(self) -> None:
        """The loop turns."""
        now = self._now()
        held, self._held = self._held, None
        if held is not None:
            self._tell(replace(held, seconds=max(held.seconds, now - self._beaten)))
        self._beaten = now
        self._timer = self._loop.call_later(self._seconds / LOOKS, self.beat, context=Context())

    def look(self) -> None:
        """Report if the loop has not turned for too long, once; called in another thread."""
        late = self._now() - self._beaten
        frame = sys._current_frames().get(self._loop_thread)
        if late < self._seconds or self._held is not None or frame is None:
            return
        origin, stack = _running(frame), "".join(traceback.format_stack(frame))
        class_name, event = ("", "") if origin is None else (origin.class_name, origin.event)
        self._held = LoopHeldUp(class_name, event, late, stack)
        whose = "code" if origin is None else f"{origin.class_name}({_name(origin)})"
        _log.warning("%s has held up the event loop for %.1f seconds:\n%s", whose, late, stack)

    def _watch(self) -> None:
        while not self._stopped.wait(self._seconds / LOOKS):
            self.look()


def _name(origin: Origin) -> object:
    return origin.id.name if origin.id is not None and origin.id.name is not None else origin.id


def _running(frame: FrameType) -> Origin | None:
    """The object whose code runs at the end of this stack."""
    for code, local in _owners(frame):
        if isinstance(local, ObjectLife):
            return local.origin(code)
        if isinstance(local, InputGate) and isinstance(local.owner, ObjectLife):
            return local.owner.origin(code)
    return None


def _owners(frame: FrameType | None) -> Iterator[tuple[str, object]]:
    name = ""
    while frame is not None:
        if frame.f_globals.get("__name__", "").startswith("durabase.durable_objects."):
            for variable in ("self", "gate"):
                yield name, frame.f_locals.get(variable)
        else:
            name = frame.f_code.co_name  # the outermost function of the program: the handler
        frame = frame.f_back
