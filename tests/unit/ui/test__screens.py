"""Screens: what changes while they draw is drawn next, all at once, and failures do not end that."""

from __future__ import annotations

import logging
import threading
from typing import Any

import pytest

from durabase.store import Store
from durabase.ui._homes import at_home
from durabase.ui._screens import RenderScreen

from ._pages import wait_until


class Context:
    """Counts how often it was entered, which is a drawing."""

    def __init__(self) -> None:
        self.drawings = 0
        self.is_open = False

    def __enter__(self) -> None:
        self.drawings += 1
        self.is_open = True

    def __exit__(self, *_: object) -> None:
        self.is_open = False


def test_all_that_is_to_be_shown_is_one_drawing() -> None:
    context, shown = Context(), list[Any]()
    screen = RenderScreen(context)
    screen.redraw([lambda: shown.append(context.is_open), lambda: shown.append(2)], at_once=True)
    assert (shown, context.drawings, context.is_open) == ([True, 2], 1, False)
    screen.redraw([], at_once=True)
    assert context.drawings == 1


def test_what_is_asked_for_within_a_turn_is_drawn_once_after_it() -> None:
    context, shown = Context(), list[int]()
    screen = RenderScreen(context)

    def show() -> None:
        shown.append(1)

    def turn() -> None:
        screen.redraw([show], at_once=True)
        screen.redraw([show, lambda: shown.append(2)], at_once=True)
        assert shown == []

    at_home(Store(), turn)
    assert (shown, context.drawings) == ([1, 2], 1)


def test_another_thread_draws_what_may_wait() -> None:
    context, threads = Context(), list[int]()
    RenderScreen(context).redraw([lambda: threads.append(threading.get_ident())], at_once=False)
    wait_until(lambda: bool(threads))
    assert threads[0] != threading.get_ident()


def test_what_comes_while_it_draws_is_one_more_drawing_of_the_same_thread() -> None:
    context, threads = Context(), list[int]()
    screen = RenderScreen(context)
    begun, may_go_on = threading.Event(), threading.Event()

    def first() -> None:
        begun.set()
        may_go_on.wait(20)

    def next_one() -> None:
        threads.append(threading.get_ident())

    screen.redraw([first], at_once=False)
    assert begun.wait(20)
    screen.redraw([next_one], at_once=False)
    screen.redraw([next_one, lambda: threads.append(threading.get_ident())], at_once=False)
    may_go_on.set()
    wait_until(lambda: len(threads) == 2)
    assert len(set(threads)) == 1
    assert context.drawings == 2


def test_what_can_not_be_drawn_is_logged_and_the_next_is_drawn(caplog: pytest.LogCaptureFixture) -> None:
    context, shown = Context(), list[int]()
    screen = RenderScreen(context)

    def fail() -> None:
        screen.redraw([lambda: shown.append(1)], at_once=False)
        raise KeyError("no")

    with caplog.at_level(logging.ERROR):
        screen.redraw([fail], at_once=False)
        wait_until(lambda: shown == [1])
    assert "a component could not be drawn" in caplog.text
    screen.redraw([lambda: shown.append(2)], at_once=False)
    wait_until(lambda: shown == [1, 2])
