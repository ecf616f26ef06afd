"""Rendering components without a browser, and looking at what is drawn."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import reacton
import reacton.ipywidgets as w
from ipywidgets import Label

from durabase.synchronizers._loop_thread import LoopThread

PATIENCE = 20.0
drawings: Counter[str] = Counter()


class Page:
    """What a component shows."""

    def __init__(self, element: Any) -> None:
        drawings.clear()
        self._box, self._context = reacton.render(element, handle_error=False)

    def texts(self) -> list[str]:
        return [label.value for label in self._context.find(Label).widgets]

    def show(self, element: Any) -> None:
        self._context.render(element)

    def close(self) -> None:
        self._context.close()


@contextmanager
def page(element: Any) -> Iterator[Page]:
    shown = Page(element)
    try:
        yield shown
    finally:
        shown.close()


@reacton.component
def Shown(name: str, use: Callable[[], Any]) -> Any:
    """Shows what a hook gives, and counts how often it was drawn."""
    drawings[name] += 1
    return w.Label(value=repr(use()))


@contextmanager
def seen(use: Callable[[], Any]) -> Iterator[Page]:
    """A page with one component that shows what a hook gives."""
    with page(Shown("it", use)) as shown:
        yield shown


class Thread:
    """A home for stores: a thread with an event loop, as blocking synchronizers and rooms have."""

    def __init__(self, store: Any) -> None:
        self.store = store
        self.thread = LoopThread("test-home")
        self.thread.start()

    def call(self, function: Callable[..., Any], *arguments: Any) -> Any:
        return self.thread.call(lambda: function(*arguments))


@contextmanager
def home_of(store: Any) -> Iterator[Thread]:
    home = Thread(store)
    try:
        yield home
    finally:
        home.thread.close()


def wait_until(is_so: Callable[[], bool]) -> None:
    """Wait for what another thread draws."""
    if not is_so():
        moment = threading.Event()
        for _ in range(int(PATIENCE * 200)):
            moment.wait(0.005)
            if is_so():
                return
        raise AssertionError("it did not come about")
