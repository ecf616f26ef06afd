"""Visitors of the rooms of :mod:`e2e._rooms`, who notice when they are refused or when something is lost."""

from __future__ import annotations

import time
from collections.abc import Sequence
from threading import Event, Thread
from urllib.request import urlopen

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from e2e._server import ServerProcess

NAMES = [f"room{number}" for number in range(8)]
PATIENCE = 30.0


class Visitor(Thread):
    """Does something again and again until it is told to stop; what it raises is kept."""

    def __init__(self, server: ServerProcess, room: str) -> None:
        super().__init__(daemon=True)
        self.server = server
        self.room = room
        self.enough = Event()
        self.fault: Exception | None = None
        self.times = 0

    def run(self) -> None:
        try:
            while not self.enough.is_set():
                self.visit()
                self.times += 1
        except Exception as error:
            self.fault = error

    def visit(self) -> None:
        raise NotImplementedError

    def done(self) -> int:
        """How much it has done."""
        return self.times

    def end(self) -> None:
        self.enough.set()
        self.join(PATIENCE)
        assert self.fault is None, repr(self.fault)
        assert self.times


class Asker(Visitor):
    """Asks with a new connection each time, for rooms that may be in either process."""

    def visit(self) -> None:
        other = NAMES[self.times % len(NAMES)]
        with urlopen(f"{self.server.url}/{self.room}/{other}", timeout=PATIENCE) as answer:  # noqa: S310 - ours
            assert answer.status == 200


class Writer(Visitor):
    """Writes numbers, each after the one before was acknowledged; connects again when it is cut off."""

    written = 0
    acknowledged = 0
    goodbyes: frozenset[int | None] = frozenset()

    def visit(self) -> None:
        with connect(f"{self.server.ws_url}/{self.room}", open_timeout=PATIENCE, close_timeout=1) as client:
            try:
                self._check_what_is_kept(str(client.recv(PATIENCE)))
                while not self.enough.is_set():
                    self.written += 1
                    client.send(str(self.written))
                    while client.recv(PATIENCE) != str(self.written):
                        pass
                    self.acknowledged = self.written
            except ConnectionClosed as error:
                self.goodbyes |= {error.rcvd.code if error.rcvd else None}

    def done(self) -> int:
        return self.acknowledged

    def _check_what_is_kept(self, welcome: str) -> None:
        kept = welcome.partition(" ")[2]
        last = int(kept) if kept.isdecimal() else 0
        assert self.acknowledged <= last <= self.written


def moved_in(server: ServerProcess) -> list[Visitor]:
    """Writers in all rooms, and some who ask, at work."""
    visitors: list[Visitor] = [Writer(server, name) for name in NAMES]
    visitors += [Asker(server, name) for name in NAMES[:3]]
    for visitor in visitors:
        visitor.start()
    return visitors


def let_work(visitors: Sequence[Visitor]) -> None:
    """Until each has done something more."""
    seen = {visitor: visitor.done() for visitor in visitors}
    deadline = time.monotonic() + PATIENCE
    while any(visitor.done() == seen[visitor] for visitor in visitors):
        assert not any(visitor.fault for visitor in visitors), [visitor.fault for visitor in visitors]
        assert time.monotonic() < deadline
        time.sleep(0.02)


def end(server: ServerProcess, visitors: Sequence[Visitor]) -> None:
    """All go: nobody was refused, all know why they were cut off, all that was acknowledged is there."""
    for visitor in visitors:
        visitor.end()
    for visitor in visitors:
        if isinstance(visitor, Writer):
            assert visitor.goodbyes == {1012}
            with connect(f"{server.ws_url}/{visitor.room}", open_timeout=PATIENCE) as client:
                assert int(str(client.recv(PATIENCE)).partition(" ")[2]) >= visitor.acknowledged
