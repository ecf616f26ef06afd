"""What programs print and log, with the event that it came from."""

from __future__ import annotations

import io
import logging
from collections.abc import Callable
from typing import BinaryIO, TextIO, TypeAlias

from durabase.durable_objects.origin import Origin, current_origin

__all__ = ["LabelledOutput", "LogHandler", "Say", "label"]

Say: TypeAlias = Callable[[Origin | None, str, str, BaseException | None], object]
"""Says who, at which level, what, and because of which error."""

_LEVELS = ((logging.ERROR, "error"), (logging.WARNING, "warn"), (logging.INFO, "log"))


class LabelledOutput(io.TextIOBase):
    """In place of standard output: hands on whole lines, each with the event that printed it.

    Args:
        out: what it stands in for.
        say: takes the lines.
    """

    def __init__(self, out: TextIO, say: Say) -> None:
        self._out = out
        self._say = say
        self._begun: dict[Origin | None, str] = {}

    @property
    def encoding(self) -> str:  # type: ignore[override]
        """That of what it stands in for."""
        return self._out.encoding

    @property
    def buffer(self) -> BinaryIO:
        """Where bytes go, which are no lines of text."""
        return self._out.buffer

    def write(self, text: str) -> int:
        """Take text; what has no end of line yet waits for it."""
        origin = current_origin.get()
        *lines, rest = (self._begun.pop(origin, "") + text).split("\n")
        if rest:
            self._begun[origin] = rest
        for line in lines:
            self._say(origin, "log", line, None)
        return len(text)

    def flush(self) -> None:
        """Hand on what is there."""
        self._out.flush()

    def isatty(self) -> bool:
        """Whether it is a terminal."""
        return self._out.isatty()

    def fileno(self) -> int:
        """The number of the file behind it."""
        return self._out.fileno()

    def finish(self) -> None:
        """Hand on lines that were not ended."""
        begun, self._begun = self._begun, {}
        for origin, text in begun.items():
            self._say(origin, "log", text, None)


class LogHandler(logging.Handler):
    """Hands on what is logged, with the event that logged it."""

    def __init__(self, say: Say) -> None:
        super().__init__()
        self._say = say

    def emit(self, record: logging.LogRecord) -> None:
        """Hand on one record."""
        level = next((name for number, name in _LEVELS if record.levelno >= number), "debug")
        error = record.exc_info[1] if record.exc_info else None
        self._say(current_origin.get(), level, record.getMessage(), error)


def label(origin: Origin | None) -> str:
    """What is written before a line that an object has printed; nothing before others."""
    if origin is None or origin.id is None:
        return ""
    return f"{origin.class_name}({origin.id.name or origin.id}) {origin.event} | "
