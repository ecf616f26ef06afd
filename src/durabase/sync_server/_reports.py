"""Errors that change nothing else: told to whoever asked for them, or logged."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any, final

from durabase.persisters.base import IgnoredErrorHandler

__all__ = ["ErrorReporter"]

_logger = logging.getLogger("durabase.sync_server")


@final
class ErrorReporter:
    """Calls a handler with errors. What the handler itself raises is logged."""

    __slots__ = ("_handler",)

    def __init__(self, handler: IgnoredErrorHandler | None) -> None:
        self._handler = handler

    def report(self, error: Exception) -> None:
        """Tell of an error; never raises."""
        if self._handler is None:
            _logger.warning("ignored: %s", error, exc_info=error)
            return
        try:
            self._handler(error)
        except Exception:
            _logger.exception("on_ignored_error failed while it was told of %r", error)

    def call(self, function: Callable[..., object], *arguments: Any) -> None:
        """Call a function of a user; report what it raises."""
        try:
            function(*arguments)
        except Exception as error:
            self.report(error)
