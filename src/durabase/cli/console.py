"""What the commands say. Lines look like wrangler's, whose readers know them; colours only on a terminal."""

from __future__ import annotations

import logging
import os
import sys
from typing import Any, TextIO

__all__ = ["Console"]

_BOLD, _DIM, _RED, _YELLOW, _CYAN = "1", "2", "31", "33", "36"


class Console:
    """Writes to standard output, errors and warnings to standard error."""

    def __init__(self, out: TextIO | None = None, err: TextIO | None = None) -> None:
        self._out = out or sys.stdout
        self._err = err or sys.stderr
        self._colour = self._out.isatty() and "NO_COLOR" not in os.environ
        self._is_passing = False

    def line(self, text: str = "") -> None:
        """Say ``text`` as it stands."""
        self._write(self._out, text)

    def passing(self, text: str) -> None:
        """Show ``text`` until something else is said, where standard error is a terminal; else nothing."""
        if self._err.isatty():
            width = os.get_terminal_size(self._err.fileno()).columns or 80
            self._err.write(f"\r{text[: width - 1]}\x1b[K")
            self._err.flush()
            self._is_passing = True

    def passed(self) -> None:
        """What was shown for a while is to go."""
        if self._is_passing:
            self._err.write("\r\x1b[K")
            self._err.flush()
            self._is_passing = False

    def info(self, text: str) -> None:
        """Say something about the server, marked as wrangler marks it."""
        self.line(f"{self._styled('[wrangler:info]', _CYAN)} {text}")

    def dim(self, text: str) -> None:
        """Say something of little weight."""
        self.line(self.faint(text))

    def warning(self, text: str) -> None:
        """Say what is not as it should be."""
        self._write(self._err, f"{self._styled('▲ [WARNING]', _YELLOW)} {text}")

    def error(self, text: str) -> None:
        """Say what went wrong."""
        self._write(self._err, f"{self._styled('✘ [ERROR]', _RED)} {text}")

    def bold(self, text: str) -> str:
        """Return ``text`` in bold if there are colours."""
        return self._styled(text, _BOLD)

    def faint(self, text: str) -> str:
        """Return ``text`` with little weight if there are colours."""
        return self._styled(text, _DIM)

    def clear(self) -> None:
        """Empty the terminal, what has scrolled out of it included."""
        if self._out.isatty():
            self._write(self._out, "\x1b[2J\x1b[3J\x1b[H")

    def take_over_logging(self) -> None:
        """Show what is logged, by this package and by the program, among the other lines."""
        handler = logging.StreamHandler(self._err)
        handler.setFormatter(_LogFormatter())
        self._to_handler(handler)

    def _to_handler(self, handler: logging.Handler) -> None:
        logging.basicConfig(level=logging.INFO, handlers=[handler])
        for noisy in ("asyncio", "watchfiles", "websockets"):
            logging.getLogger(noisy).setLevel(logging.WARNING)

    def _styled(self, text: str, code: str) -> str:
        return f"\x1b[{code}m{text}\x1b[0m" if self._colour else text

    def _write(self, stream: TextIO, text: str) -> None:
        self.passed()
        try:
            stream.write(f"{text}\n")
            stream.flush()
        except BrokenPipeError:  # nobody reads any more; the server goes on serving
            pass


class _LogFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        text = super().format(record)
        if record.levelno >= logging.ERROR:
            return f"✘ [ERROR] {text}"
        return f"▲ [WARNING] {text}" if record.levelno >= logging.WARNING else text

    def formatException(self, ei: Any) -> str:  # noqa: N802 (so called by the base class)
        from durabase.durable_objects.tracebacks import program_traceback  # not for each command

        return program_traceback(ei[1])
