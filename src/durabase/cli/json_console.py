"""What the commands say, as one JSON record per line: for ``--log-format json``."""

from __future__ import annotations

import json
from typing import TextIO

from durabase.cli.console import Console
from durabase.cli.output import LogHandler, Say
from durabase.clock import SystemClock
from durabase.durable_objects.origin import Origin
from durabase.operations.filters import RecordFilter
from durabase.operations.records import Record, RecordMaker
from durabase.operations.telemetry import Telemetry

__all__ = ["JsonConsole"]


class JsonConsole(Console):
    """Writes records to standard output, and nothing else."""

    def __init__(self, out: TextIO | None = None, err: TextIO | None = None) -> None:
        super().__init__(out, err)
        self._colour = False
        self._maker = RecordMaker("", SystemClock())
        self._log: Say = self._log_now

    def follow(self, telemetry: Telemetry) -> None:
        """Write all records of a runtime; what is said is one of them from now on."""
        telemetry.tail.add(self.record, RecordFilter())
        self._log = telemetry.log

    def record(self, record: Record) -> None:
        """Write one record."""
        self._write(self._out, json.dumps(record, ensure_ascii=False, default=str))

    def say(self, origin: Origin | None, level: str, text: str, error: BaseException | None) -> None:
        """Say what an event has printed or logged."""
        self._log(origin, level, text, error)

    def line(self, text: str = "") -> None:
        """Say ``text``, if it is any."""
        if text.strip():
            self._log(None, "log", text.strip(), None)

    def info(self, text: str) -> None:
        """Say something about the server."""
        self.line(text)

    def warning(self, text: str) -> None:
        """Say what is not as it should be."""
        self._log(None, "warn", text, None)

    def error(self, text: str) -> None:
        """Say what went wrong."""
        self._log(None, "error", text, None)

    def take_over_logging(self) -> None:
        """Write what is logged as records, too."""
        self._to_handler(LogHandler(self.say))

    def _log_now(self, origin: Origin | None, level: str, text: str, error: BaseException | None) -> None:
        self.record(self._maker.of_log(origin, level, text, error))
