"""SIGHUP under load: no connection is refused, nothing that was acknowledged is lost, new code serves."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Iterator
from pathlib import Path
from urllib.request import urlopen

import pytest

from e2e._rooms import PROGRAM, write_rooms
from e2e._server import Server
from e2e._visitors import PATIENCE, end, let_work, moved_in

RESTARTED = "] Restarted"


@pytest.fixture(params=["1", "2"])
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Server]:
    write_rooms(tmp_path)
    server = Server(tmp_path, "serve", str(tmp_path), "--processes", request.param).start()
    yield server
    server.kill()


@pytest.mark.feature("C-DX-3")
def test_nobody_is_refused_and_nothing_is_lost(server: Server) -> None:
    visitors = moved_in(server)
    for times in range(1, 3):
        before = server.children
        let_work(visitors)
        os.kill(server.pid, signal.SIGHUP)
        server.wait_for_log(RESTARTED, count=times)
        assert not before & server.children
    let_work(visitors)
    end(server, visitors)
    assert server.stop() == 0, server.log
    assert "is started again" not in server.log


def test_new_code_serves_afterwards_and_broken_code_changes_nothing(server: Server) -> None:
    program = server.state.parent / "program.py"
    program.write_text("nonsense(")
    before = server.children
    os.kill(server.pid, signal.SIGHUP)
    server.wait_for_log("Nothing is restarted")
    assert server.children == before
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
