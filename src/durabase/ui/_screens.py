"""Reacton's render contexts as screens for views.

A store that belongs to another thread must not have it draw: a drawing may take long, and may itself wait for
the store. So what has changed there is drawn by a thread that lives for that long. What the same thread has
changed is drawn before the change returns, as one drawing.
"""

from __future__ import annotations

import logging
import sys
import threading
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any, cast
from weakref import WeakValueDictionary

import reacton.core

from durabase.ui._homes import afterwards
from durabase.ui._views import Show

__all__ = ["RenderScreen", "current_screen"]

_log = logging.getLogger(__name__)
_SOLARA_CONTEXTS = "solara.server.kernel_context"


class RenderScreen:
    """One page, or one output of a notebook.

    Args:
        context: what renders it.
    """

    def __init__(self, context: Any) -> None:
        self._context = context
        self._user = _current_user()
        self._lock = threading.Lock()
        self._waiting: dict[Show, None] = {}
        self._is_drawing = False

    def redraw(self, shows: Sequence[Show], *, at_once: bool) -> None:
        """Have all this shown, as one drawing."""
        with self._lock:
            self._waiting.update(dict.fromkeys(shows))
            is_thread_needed = not at_once and not self._is_drawing
            self._is_drawing = self._is_drawing or is_thread_needed
        if at_once:
            afterwards(lambda: self._draw(self._take()))
        elif is_thread_needed:
            threading.Thread(target=self._draw_all, name="durabase-redraw", daemon=True).start()

    def _draw_all(self) -> None:
        while shows := self._take_or_end():
            try:
                self._draw(shows)
            except Exception:
                _log.exception("a component could not be drawn")

    def _take(self) -> list[Show]:
        with self._lock:
            shows, self._waiting = list(self._waiting), {}
        return shows

    def _take_or_end(self) -> list[Show]:
        with self._lock:
            shows, self._waiting = list(self._waiting), {}
            self._is_drawing = bool(shows)
        return shows

    def _draw(self, shows: list[Show]) -> None:
        if not shows:
            return
        with self._user, self._context:
            for show in shows:
                show()


def current_screen() -> RenderScreen:
    """The screen of the component that is being rendered."""
    context = reacton.core.get_render_context()
    screen = _screens.get(id(context))
    if screen is None:
        screen = _screens[id(context)] = RenderScreen(context)
    return screen


_screens: WeakValueDictionary[int, RenderScreen] = WeakValueDictionary()


def _current_user() -> AbstractContextManager[object]:
    """Whose widgets the current thread makes: a server of Solara has many users in one process."""
    contexts = sys.modules.get(_SOLARA_CONTEXTS)
    if contexts is None or not contexts.has_current_context():
        return nullcontext()
    return cast("AbstractContextManager[object]", contexts.get_current_context())
