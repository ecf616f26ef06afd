"""``durabase top`` before a server that runs, with and without a terminal."""

from __future__ import annotations

import fcntl
import json
import re
import struct
import termios
from collections.abc import Iterator
from pathlib import Path

import pytest
from websockets.sync.client import connect

from durabase.cli.main import main

from .running import Running, running, write_project
from .test_hotkeys import Terminal, terminal
from .test_monitor import admin_port

pytestmark = pytest.mark.feature("S-OB-2")


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Running]:
    with running(write_project(tmp_path), "serve", "--port", "0", "--admin", "0") as command:
        admin_port(command)
        with connect(f"ws://127.0.0.1:{command.port()}/") as socket:
            socket.send("hello")
            socket.recv(20)
            yield command


def resize(terminal: Terminal, rows: int, columns: int) -> None:
    fcntl.ioctl(terminal.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))


def test_once_where_there_is_no_terminal(
    server: Running, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["top", "-c", str(tmp_path), "--interval", "0.1"]) == 0
    up, sockets, _, head, room = capsys.readouterr().out.splitlines()
    assert re.match(r"up 0d 00:0\d:\d\d, 1 process, CPU \d+ %, memory [\d.]+ MiB, event loop late by", up)
    assert sockets.startswith("1 sockets, messages 0/s in")
    assert head.split()[:2] == ["CLASS", "NAME"]
    assert room.split()[:2] == ["Room", "room"]
    assert room.split()[-1] == "awake"


def test_documents_for_programs(server: Running, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["top", "-c", str(tmp_path), "--interval", "0.1", "--json", "--once"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["server"]["sockets"] == 1
    assert [(each["class"], each["name"]) for each in document["objects"]] == [("Room", "room")]
    assert [(each["class"], each["awake"]) for each in document["classes"]] == [("Room", 1)]


def test_at_a_terminal(server: Running, tmp_path: Path) -> None:
    with terminal(tmp_path, "top", "--interval", "0.2") as command:
        resize(command, 20, 100)
        command.expect(r"Room +room .* awake")
        assert command.reads_keys
        command.press("s")
        command.expect("sorted by sockets")
        command.press("c")
        command.expect("1 awake, 0 asleep")
        resize(command, 3, 30)
        command.expect(r"\x1b\[H.{30}\x1b\[K\n.{30}\x1b\[K\n\x1b\[J\x1b\[7m.{29}\x1b\[0m")
        command.press("q")
        assert command.process.wait(30) == 0
        assert command.settings == command.before


@pytest.mark.parametrize("keys", ["\x03", ""])
def test_the_terminal_is_left_as_it_was(server: Running, tmp_path: Path, keys: str) -> None:
    with terminal(tmp_path, "top", "--interval", "0.2") as command:
        command.expect("Room")
        if keys:
            command.press(keys)
        else:
            command.process.terminate()
        assert command.process.wait(30) == 0
        assert command.settings == command.before


def test_it_ends_with_the_server(server: Running, tmp_path: Path) -> None:
    with terminal(tmp_path, "top", "--interval", "0.2") as command:
        command.expect("Room")
        assert server.stop() == 0
        command.expect("does not answer")
        assert command.process.wait(30) == 1
        assert command.settings == command.before
