"""``durabase top``: what a server's objects do right now, as a table that is drawn anew each interval."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from threading import Thread
from typing import Any, Final

from durabase.cli.admin_client import Asked, RemoteAdmin
from durabase.cli.console import Console
from durabase.cli.hotkeys import Hotkeys, Key, is_interactive
from durabase.cli.objects import server_of
from durabase.cli.top_view import SORTS, Board, frame

__all__ = ["top"]

_WIDE: Final = 200
_HOME, _CLEAR_LINE, _CLEAR_REST = "\x1b[H", "\x1b[K", "\x1b[J"
_REVERSED, _PLAIN = "\x1b[7m", "\x1b[0m"


def top(options: argparse.Namespace, console: Console) -> int:
    """Show what goes on until ``q`` or Ctrl-C; where nobody sits at a terminal, or with ``--once``, once.

    Raises:
        DurabaseError: no server runs, or it has stopped.
    """
    server = server_of(options, console)
    if options.json:
        _print_documents(server, options, console)
    elif options.once or not is_interactive():
        _print_once(server, options, console)
    else:
        asyncio.run(_Screen(server, options).show())
    return 0


def _print_documents(server: RemoteAdmin, options: argparse.Namespace, console: Console) -> None:
    board, shown = Board(), 0.0
    for document in _documents(server, options):
        board.add(document)
        if board.is_whole and document["time"] - shown >= options.interval / 2:
            whole = {"server": board.summary(), "classes": board.classes(), "objects": board.objects()}
            console.line(json.dumps({"time": document["time"], **whole}, ensure_ascii=False))
            shown = document["time"]
            if options.once:
                return


def _print_once(server: RemoteAdmin, options: argparse.Namespace, console: Console) -> None:
    board = Board()
    for document in _documents(server, options):
        board.add(document)
        if board.is_whole:
            break
    for line in _frame(board, options, width=_WIDE, height=None):
        console.line(line)


def _frame(board: Board, options: argparse.Namespace, *, width: int, height: int | None) -> list[str]:
    return frame(
        board, SORTS[options.sort], by_class=options.by_class, limit=options.limit, width=width, height=height
    )


def _documents(server: RemoteAdmin, options: argparse.Namespace) -> Iterator[Any]:
    """What the processes tell; it is asked for anew when one of them is replaced."""
    asked = Asked("GET", "/activity", {"seconds": str(options.interval), "limit": str(options.limit)})
    while True:
        for line in server.lines(asked):
            if line.strip():
                yield json.loads(line)
        time.sleep(1)


class _Screen:
    """The table at a terminal."""

    def __init__(self, server: RemoteAdmin, options: argparse.Namespace) -> None:
        self._server = server
        self._options = options
        self._board = Board()
        self._done: asyncio.Future[None]

    async def show(self) -> None:
        """Draw it until that is over."""
        loop = asyncio.get_running_loop()
        self._done = loop.create_future()
        for number in (signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(number, self._stop)
        loop.add_signal_handler(signal.SIGWINCH, self._draw)
        keys = {key: Key(word, self._sorting(word)) for word, key in SORTS.items()}
        keys |= {"c": Key("classes", self._turn), "q": Key("quit", self._stop)}
        Thread(target=self._read, args=(loop,), daemon=True).start()
        with Hotkeys(keys):
            try:
                self._draw()
                await self._done
            finally:
                sys.stdout.write("\n")

    def _read(self, loop: asyncio.AbstractEventLoop) -> None:
        """In a thread: hand on what comes."""
        try:
            for document in _documents(self._server, self._options):
                loop.call_soon_threadsafe(self._take, document)
        except Exception as error:
            with suppress(RuntimeError):  # the event loop is closed: nobody looks any more
                loop.call_soon_threadsafe(self._fail, error)

    def _take(self, document: Any) -> None:
        self._board.add(document)
        self._draw()

    def _fail(self, error: BaseException) -> None:
        if not self._done.done():
            self._done.set_exception(error)

    def _stop(self) -> None:
        if not self._done.done():
            self._done.set_result(None)

    def _sorting(self, word: str) -> Callable[[], None]:
        def sort() -> None:
            self._options.sort = word
            self._draw()

        return sort

    def _turn(self) -> None:
        self._options.by_class = not self._options.by_class
        self._draw()

    def _draw(self) -> None:
        size = os.get_terminal_size(sys.stdout.fileno())
        width, height = size.columns or 80, size.lines or 24  # where it does not know
        lines = _frame(self._board, self._options, width=width, height=height - 1)
        keys = "  ".join(f"[{key}] {word}" for word, key in SORTS.items())
        help_line = f"sorted by {self._options.sort}   {keys}  [c] classes  [q] quit"[: width - 1]
        text = "".join(f"{line}{_CLEAR_LINE}\n" for line in lines)
        sys.stdout.write(f"{_HOME}{text}{_CLEAR_REST}{_REVERSED}{help_line}{_PLAIN}")
        sys.stdout.flush()
