"""A service manager that listens for the server, hears of it, and starts it anew: nobody is refused."""

from __future__ import annotations

import os
import signal
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from e2e._rooms import write_rooms
from e2e._server import Server
from e2e._visitors import PATIENCE, end, let_work, moved_in

# As systemd does it: the first socket is descriptor 3, and the process that is to have it is named.
ACTIVATE = """
import os, sys
os.dup2(int(sys.argv[1]), 3)
os.set_inheritable(3, True)
os.environ |= {"LISTEN_PID": str(os.getpid()), "LISTEN_FDS": "1", "SERVER_PID": str(os.getpid())}
os.execv(sys.argv[2], sys.argv[2:])
"""
# The first of the server's processes to start asks the server to reload.
EAGER = """
import os, pathlib, signal
asked = pathlib.Path(__file__).with_name("asked")
if os.getpid() != int(os.environ["SERVER_PID"]) and not asked.exists():
    asked.touch()
    os.kill(int(os.environ["SERVER_PID"]), signal.SIGHUP)
"""
MANAGED = [["--processes", "2"], ["--processes", "1"], []]


class Manager:
    """Has the socket for clients, and hears what the server says."""

    def __init__(self, folder: Path, *options: str) -> None:
        self.folder = folder
        self.ears = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.ears.bind(str(folder / "notify"))
        self.ears.settimeout(PATIENCE)
        self.listener = socket.socket(socket.AF_INET6)
        self.listener.bind(("::", 0))  # both families, as systemd listens on a port alone
        self.listener.listen(1000)
        before = [sys.executable, "-c", ACTIVATE, str(self.listener.fileno())]
        self.server = Server(folder, "serve", str(folder), *options, before=before)
        self.server.port = self.listener.getsockname()[1]
        self.server.descriptors = [self.listener.fileno()]
        self.server.environment = {"NOTIFY_SOCKET": str(folder / "notify")}

    def hears(self, word: str) -> dict[str, str]:
        """The next thing that it is told, signs of life apart; that begins with ``word``."""
        while (said := self.ears.recv(4096).decode()) == "WATCHDOG=1":
            pass
        assert said.startswith(word), said
        return dict(line.split("=", 1) for line in said.split("\n"))

    def close(self) -> None:
        self.server.kill()
        self.listener.close()
        self.ears.close()


@pytest.fixture(params=MANAGED, ids=" ".join)
def manager(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Manager]:
    write_rooms(tmp_path)
    manager = Manager(tmp_path, *request.param)
    yield manager
    manager.close()


@pytest.mark.feature("C-DX-3")
def test_stopped_and_started_without_refusing_anybody(manager: Manager) -> None:
    server = manager.server.start()
    assert f"Ready on http://[::1]:{server.port}" in manager.hears("READY=1")["STATUS"]
    visitors = moved_in(server)
    let_work(visitors)
    assert server.stop() == 0, server.log
    manager.hears("STOPPING=1")
    server.start()
    manager.hears("READY=1")
    let_work(visitors)
    end(server, visitors)


@pytest.mark.parametrize("manager", MANAGED[:1], indirect=True)
def test_a_reload_is_told_from_beginning_to_end(manager: Manager) -> None:
    server = manager.server.start()
    manager.hears("READY=1")
    for program, status in ((None, "Restarted"), ("nonsense(", "Nothing is restarted")):
        if program is not None:
            (server.state.parent / "program.py").write_text(program)
        os.kill(server.pid, signal.SIGHUP)
        assert int(manager.hears("RELOADING=1")["MONOTONIC_USEC"]) > 0
        assert manager.hears("READY=1")["STATUS"].startswith(status)


@pytest.mark.parametrize("manager", MANAGED[:1], indirect=True)
def test_a_reload_that_is_asked_for_during_the_start_comes_after_it(manager: Manager) -> None:
    program = manager.folder / "program.py"
    program.write_text(EAGER + program.read_text())
    manager.server.start()
    assert manager.hears("READY=1")["STATUS"].startswith("Ready on ")
    manager.hears("RELOADING=1")
    assert manager.hears("READY=1")["STATUS"] == "Restarted"


@pytest.mark.parametrize("manager", MANAGED[:1], indirect=True)
def test_a_process_that_hangs_is_started_again(manager: Manager) -> None:
    manager.server.environment["WATCHDOG_USEC"] = "4000000"
    server = manager.server.start()
    before = server.children
    os.kill(min(before), signal.SIGSTOP)
    server.wait_for_log("gave no sign of life for 4 s")
    server.wait_for_log("it is started again")
    visitors = moved_in(server)
    let_work(visitors)
    for visitor in visitors:
        visitor.end()
    assert len(before & server.children) == 1


@pytest.mark.parametrize("manager", MANAGED[1:], indirect=True, ids=" ".join)
def test_signs_of_life_come_while_the_loop_turns(manager: Manager) -> None:
    manager.server.environment["WATCHDOG_USEC"] = "100000"
    manager.server.start()
    heard = [manager.ears.recv(4096) for _ in range(6)]
    assert heard.count(b"WATCHDOG=1") == 5
