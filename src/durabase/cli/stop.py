"""Stopping as asked: the first Ctrl-C or SIGTERM stops in good order, the second Ctrl-C at once."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable

__all__ = ["StopSignals"]


class StopSignals:
    """Turns signals into an event. Make it inside of a running event loop."""

    def __init__(self, *announcements: Callable[[], None]) -> None:
        """Start listening.

        Args:
            announcements: called once, at the first signal or :meth:`stop`.
        """
        self.stopped = asyncio.Event()
        self._announcements = announcements
        self._on_forced: list[Callable[[], None]] = []
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self._received, number)

    def on_forced(self, callback: Callable[[], None]) -> None:
        """Call ``callback`` before the process is ended at once."""
        self._on_forced.append(callback)

    def stop(self) -> None:
        """Stop in good order, as for the first signal."""
        if not self.stopped.is_set():
            self.stopped.set()
            for announce in self._announcements:
                announce()

    def _received(self, number: int) -> None:
        if not self.stopped.is_set():
            self.stop()
        elif number == signal.SIGINT:
            for callback in self._on_forced:
                callback()
            os._exit(1)
