"""SIGHUP under load: no connection is refused, nothing that was acknowledged is lost, new code serves."""

from __future__ import annotations

import os
import re
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from threading import Event, Thread
from urllib.request import urlopen

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from e2e._rooms import PROGRAM, write_rooms
from e2e._server import Server

NAMES = [f"room{number}" for number in range(8)]
PATIENCE = 30.0
RESTARTED = "] Restarted"


@pytest.fixture(params=["1", "2"])
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Server]:
    write_rooms(tmp_path)
    server = Server(tmp_path, "serve", str(tmp_path), "--processes", request.param).start()
    yield server
    server.kill()


class Visitor(Thread):
    """Does something again and again until it is told to stop; what it raises is kept."""

    def __init__(self, server: Server, room: str) -> None:
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


def children(pid: int) -> set[str]:
    return set(Path(f"/proc/{pid}/task/{pid}/children").read_text().split())


def test_nobody_is_refused_and_nothing_is_lost(server: Server) -> None:
    visitors: list[Visitor] = [Writer(server, name) for name in NAMES]
    visitors += [Asker(server, name) for name in NAMES[:3]]
    for visitor in visitors:
        visitor.start()
    for times in range(1, 3):
        before = children(server.pid)
        _let_work(visitors)
        os.kill(server.pid, signal.SIGHUP)
        server.wait_for_log(RESTARTED, count=times)
        assert not before & children(server.pid)
    _let_work(visitors)
    for visitor in visitors:
        visitor.end()
    for visitor in visitors:
        if isinstance(visitor, Writer):
            assert visitor.goodbyes == {1012}
            with connect(f"{server.ws_url}/{visitor.room}", open_timeout=PATIENCE) as client:
                assert int(str(client.recv(PATIENCE)).partition(" ")[2]) >= visitor.acknowledged
    assert server.stop() == 0, server.log
    assert "is started again" not in server.log


def _let_work(visitors: list[Visitor]) -> None:
    """Until each has done something more."""
    seen = {visitor: visitor.done() for visitor in visitors}
    deadline = time.monotonic() + PATIENCE
    while any(visitor.done() == seen[visitor] for visitor in visitors):
        assert not any(visitor.fault for visitor in visitors), [visitor.fault for visitor in visitors]
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_new_code_serves_afterwards_and_broken_code_changes_nothing(server: Server) -> None:
    program = server.state.parent / "program.py"
    program.write_text("nonsense(")
    before = children(server.pid)
    os.kill(server.pid, signal.SIGHUP)
    server.wait_for_log("Nothing is restarted")
    assert children(server.pid) == before
    program.write_text(PROGRAM.replace("Response.json(found)", 'Response("new")'))
    os.kill(server.pid, signal.SIGHUP)
    server.wait_for_log(RESTARTED)
    with urlopen(f"{server.url}/a/b", timeout=PATIENCE) as answer:  # noqa: S310 - ours
        assert answer.read() == b"new"


def test_migrations_that_rename_classes_take_a_stop(server: Server) -> None:
    config = server.state.parent / "wrangler.toml"
    renamed = config.read_text().replace('class_name = "Room"', 'class_name = "Hall"')
    change = '\n[[migrations]]\ntag = "v2"\nrenamed_classes = [{ from = "Room", to = "Hall" }]\n'
    config.write_text(renamed + change)
    program = server.state.parent / "program.py"
    program.write_text(re.sub(r"class Room\b", "class Hall", PROGRAM))
    with urlopen(f"{server.url}/a/b", timeout=PATIENCE) as answer:  # noqa: S310 - ours
        assert answer.status == 200
    os.kill(server.pid, signal.SIGHUP)
    server.wait_for_log("Nothing is restarted")
    assert "take a stop and a start" in server.log
