"""The example for the terminal, as its users run it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from e2e._server import PATIENCE_SECONDS, Server, free_port

EXAMPLE = Path(__file__).parents[2] / "examples" / "pets.py"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    server = Server(tmp_path, "demo").start()
    yield server
    server.kill()


def pets(url: str, *words: str, typed: str = "") -> tuple[int, str, str]:
    """Run the example: how it ended, and what it has said and complained of."""
    command = [sys.executable, str(EXAMPLE), url, *words]
    ended = subprocess.run(command, input=typed, capture_output=True, text=True, timeout=PATIENCE_SECONDS)
    return ended.returncode, ended.stdout, ended.stderr


def test_what_it_has_done_is_on_the_disk_when_it_ends(server: Server) -> None:
    room = f"{server.ws_url}/shop"
    for number in range(1, 4):
        assert pets(room, "count") == (0, "", "")
        server.kill()
        server.start()
        assert pets(room, "list") == (0, f"counter: {number}\n", "")


def test_commands_are_typed_and_changes_told(server: Server) -> None:
    code, said, complaints = pets(f"{server.ws_url}/typed", typed="count\nadd rex dog\nfly\n'\n")
    assert (code, complaints) == (0, "")
    assert "(connected)" in said
    assert "counter: UNDEFINED -> 1" in said
    assert "there is no species 'dog'" in said
    assert "unknown command 'fly'" in said
    assert "No closing quotation" in said
    assert pets(f"{server.ws_url}/typed", "count", "twice")[0] == 2


def test_without_a_server_a_file_keeps_it(tmp_path: Path) -> None:
    url, file = f"ws://127.0.0.1:{free_port()}/shop", str(tmp_path / "pets.json")
    code, _, complaints = pets(url, "count")
    assert (code, complaints.splitlines()[-1]) == (1, f"no server at {url}")
    assert pets(url, "--file", file, "count")[0] == 0
    assert '"counter"' in Path(file).read_text()
