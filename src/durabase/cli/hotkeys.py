"""Keys to press while a project is served, where standard input is a terminal; it is left as it was found."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import termios
import tty
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from types import FrameType, TracebackType
from typing import Any

__all__ = ["Hotkeys", "Key", "is_interactive"]


@dataclass(frozen=True, slots=True)
class Key:
    """What a key does: the word for it, and the function."""

    word: str
    press: Callable[[], object]


def is_interactive() -> bool:
    """Tell whether somebody sits at a terminal who sees what we say and whose keys are for us."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        return False
    with suppress(OSError):
        return os.tcgetpgrp(sys.stdin.fileno()) == os.getpgrp()
    return False


class Hotkeys:
    """``with Hotkeys(keys):`` within a running event loop: keys are read one by one, and not echoed.

    What the terminal was like is restored on leaving, before the process stops for Ctrl-Z or quits for
    Ctrl-backslash, and by :meth:`restore`; after Ctrl-Z and ``fg`` keys are read again.
    """

    def __init__(self, keys: Mapping[str, Key]) -> None:
        self._keys = keys
        self._fd = sys.stdin.fileno()
        self._before: list[Any] = []
        self._handlers: dict[signal.Signals, Any] = {}

    @property
    def help(self) -> str:
        """One line about all keys."""
        return "  ".join(f"[{name}] {key.word}" for name, key in self._keys.items())

    def __enter__(self) -> Hotkeys:
        self._before = termios.tcgetattr(self._fd)
        handlers = {
            signal.SIGTSTP: self._leave_and_go,
            signal.SIGQUIT: self._leave_and_go,
            signal.SIGCONT: self._come_back,
        }
        self._handlers = {number: signal.signal(number, handler) for number, handler in handlers.items()}
        tty.setcbreak(self._fd, termios.TCSANOW)
        asyncio.get_running_loop().add_reader(self._fd, self._read)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop_reading()
        for number, handler in self._handlers.items():
            signal.signal(number, handler)
        self.restore()

    def restore(self) -> None:
        """Make the terminal what it was."""
        with suppress(termios.error):  # it is gone
            termios.tcsetattr(self._fd, termios.TCSANOW, self._before)

    def _stop_reading(self) -> None:
        asyncio.get_running_loop().remove_reader(self._fd)

    def _read(self) -> None:
        try:
            typed = os.read(self._fd, 64)
        except OSError:
            typed = b""
        if not typed:  # the terminal is gone
            self._stop_reading()
        for character in typed.decode(errors="ignore").lower():
            if character in self._keys:
                self._keys[character].press()

    def _leave_and_go(self, number: int, frame: FrameType | None) -> None:
        self.restore()
        ours = signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)
        signal.signal(number, ours)  # it was Ctrl-Z, and we are back

    def _come_back(self, number: int, frame: FrameType | None) -> None:
        if os.tcgetpgrp(self._fd) == os.getpgrp():
            tty.setcbreak(self._fd, termios.TCSANOW)
