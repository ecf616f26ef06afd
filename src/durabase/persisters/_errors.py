"""Where the errors go that are not raised: to a handler if there is one, else into the log."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TypeAlias

__all__ = ["IgnoredErrorHandler", "IgnoredErrors"]

_logger = logging.getLogger(__name__)

IgnoredErrorHandler: TypeAlias = Callable[[Exception], object]


class IgnoredErrors:
    """The errors of one persister that nobody could catch. None is swallowed.

    Args:
        owner: whose errors they are, for the log.
        handler: is called with each error; without it each is logged as a warning, with its traceback.
    """

    __slots__ = ("_owner", "handler")

    def __init__(self, owner: str, handler: IgnoredErrorHandler | None) -> None:
        self._owner = owner
        self.handler = handler

    def report(self, error: Exception, *, traced: bool = True) -> None:
        """Hand on an error. Never raises: a handler that fails is logged, together with what it was told.

        Args:
            error: the error.
            traced: whether its traceback says anything that its text does not.
        """
        if self.handler is None:
            _logger.warning("%s: %s", self._owner, error, exc_info=error if traced else None)
            return
        try:
            self.handler(error)
        except Exception:
            _logger.exception("on_ignored_error of %s failed when told of: %r", self._owner, error)
