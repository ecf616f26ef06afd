"""What a service manager gives and is told."""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from durabase.cli.service_manager import ServiceManager

GIVEN = """
import os, socket, sys
given = socket.socket(getattr(socket, sys.argv[2]), getattr(socket, sys.argv[1]))
if sys.argv[2] == "AF_UNIX":
    given.bind("\\0durabase-%d" % os.getpid())
if sys.argv[3] == "listens":
    given.listen()
if given.fileno() != 3:
    os.dup2(given.fileno(), 3)
from durabase.cli.service_manager import ServiceManager
environment = {"LISTEN_PID": str(os.getpid()), "LISTEN_FDS": "1", "LISTEN_FDNAMES": "x", "HOME": "/"}
try:
    (listener,) = ServiceManager.taken(environment).listeners
    print(listener.fileno(), listener.get_inheritable(), environment)
except Exception as error:
    print(type(error).__name__, error)
"""


@pytest.fixture
def ears(tmp_path: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ears:
        ears.bind(str(tmp_path / "notify"))
        ears.setblocking(False)
        yield ears


def given(*what: str) -> str:
    done = subprocess.run([sys.executable, "-c", GIVEN, *what], capture_output=True, text=True, timeout=60)
    return done.stdout.strip() or done.stderr


def test_a_socket_that_is_given() -> None:
    assert given("SOCK_STREAM", "AF_INET", "listens") == "3 False {'HOME': '/'}"
    assert given("SOCK_STREAM", "AF_INET6", "listens") == "3 False {'HOME': '/'}"


@pytest.mark.parametrize(
    "what",
    [
        ("SOCK_STREAM", "AF_INET", "is idle"),
        ("SOCK_DGRAM", "AF_INET", "is idle"),
        ("SOCK_STREAM", "AF_UNIX", "listens"),
    ],
)
def test_a_socket_that_serves_nobody_is_refused(what: tuple[str, ...]) -> None:
    assert given(*what).startswith("ConfigError descriptor 3 of LISTEN_FDS is no TCP socket that listens")


def test_what_is_no_socket_is_refused() -> None:
    said = "import os, sys; os.dup2(0, 3)" + GIVEN[GIVEN.index("\nfrom durabase") :]
    done = subprocess.run(
        [sys.executable, "-c", said], stdin=subprocess.DEVNULL, capture_output=True, text=True
    )
    assert done.stdout.startswith("ConfigError descriptor 3 of LISTEN_FDS is no socket"), done.stderr


def test_what_is_meant_for_another_process_is_left() -> None:
    environment = {"LISTEN_PID": "1", "LISTEN_FDS": "1", "WATCHDOG_PID": "1", "WATCHDOG_USEC": "1"}
    manager = ServiceManager.taken(environment)
    assert (manager.listeners, environment) == ([], {})

    async def scenario() -> None:
        async with AsyncExitStack() as stack:
            before = asyncio.all_tasks()
            manager.watch(stack)
            assert asyncio.all_tasks() == before

    asyncio.run(scenario())


def test_what_it_is_told(ears: socket.socket) -> None:
    environment = {"NOTIFY_SOCKET": ears.getsockname()}
    manager = ServiceManager.taken(environment)
    manager.is_ready("Ready on http://127.0.0.1:8787")
    assert ears.recv(999) == b"READY=1\nSTATUS=Ready on http://127.0.0.1:8787"
    manager.is_reloading()
    reloading, since, _ = ears.recv(999).decode().split("\n")
    assert reloading == "RELOADING=1"
    assert since.removeprefix("MONOTONIC_USEC=").isdecimal()
    manager.is_stopping()
    assert ears.recv(999) == b"STOPPING=1\nSTATUS=Stopping"


def test_an_address_without_a_file() -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ears:
        ears.bind(f"\0durabase-{os.getpid()}")
        ServiceManager(f"@durabase-{os.getpid()}").is_stopping()
        assert ears.recv(999).startswith(b"STOPPING=1")


def test_a_manager_that_has_gone_disturbs_nobody(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    ServiceManager(str(tmp_path / "nobody")).is_ready("")
    assert "the service manager can't be told READY=1" in caplog.text


def test_without_a_manager_nothing_is_told() -> None:
    ServiceManager.taken({}).is_ready("")


def test_signs_of_life(ears: socket.socket) -> None:
    environment = {"NOTIFY_SOCKET": ears.getsockname(), "WATCHDOG_USEC": "3000000"}

    async def scenario() -> None:
        async with AsyncExitStack() as stack:
            ServiceManager.taken(environment).watch(stack)
            await asyncio.sleep(0)
            assert ears.recv(999) == b"WATCHDOG=1"
        await asyncio.sleep(0)

    asyncio.run(scenario())
