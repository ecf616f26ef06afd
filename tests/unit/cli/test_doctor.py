"""``durabase doctor``: a machine, its disk, and the way to a server."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from durabase.cli.main import main
from durabase.durable_objects.storage.lock import FolderLock
from durabase.web import Request, Response
from unit.cli.running import write_project
from unit.server.live import Hub, serving

Fetch = Callable[[Request], Any]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return write_project(tmp_path)


def found(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, dict[str, dict[str, str]]]:
    capsys.readouterr()
    code = main(["doctor", *arguments, "--json"])
    return code, {each["name"]: each for each in json.loads(capsys.readouterr().out)}


def test_the_machine_and_its_disk(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _, findings = found(capsys, str(project), "--sockets", "10")
    assert set(findings) == {"SQLite", "Open files", "Data", "Disk", "Free space"}
    assert "is made when it is needed" in findings["Data"]["text"]
    assert not (project / ".durabase").exists()


def test_data_in_use_and_too_few_files(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    state = project / "state"
    lock = FolderLock(state)
    lock.acquire()
    arguments = (str(project), "--persist-to", str(state), "--sockets", "1000000000")
    code, findings = found(capsys, *arguments)
    assert (code, findings["Open files"]["level"]) == (1, "fail")
    assert "in use by a server" in findings["Data"]["text"]
    lock.release()
    assert "no server uses it" in found(capsys, *arguments)[1]["Data"]["text"]
    assert main(["doctor", *arguments]) == 1
    assert "LimitNOFILE=" in capsys.readouterr().out


def way(
    project: Path, capsys: pytest.CaptureFixture[str], fetch: Fetch, *more: str, **options: Any
) -> dict[str, dict[str, str]]:
    async def scenario() -> dict[str, dict[str, str]]:
        async with serving(fetch, **options) as server:
            url = f"{server.url.replace('http', 'ws')}/room"
            arguments = (str(project), "--sockets", "1", "--url", url, *more)
            return (await asyncio.to_thread(found, capsys, *arguments))[1]

    return asyncio.run(scenario())


def test_a_socket_that_is_pinged(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    hub = Hub()
    hub.first_words = ["hello", "x" * 70_000]
    findings = way(project, capsys, hub.fetch, ping_seconds=0.05)
    assert findings["WebSocket"]["level"] == "ok"
    assert findings["Clock"]["level"] == "ok"


def test_a_socket_that_is_not(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    findings = way(project, capsys, Hub().fetch, "--patience", "0.1", ping_seconds=None)
    assert findings["WebSocket"]["level"] == "warn"


def test_a_path_that_takes_no_sockets(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    async def fetch(request: Request) -> Response:
        return Response("no sockets here", 404)

    findings = way(project, capsys, fetch)
    assert findings["WebSocket"]["level"] == "fail"
    assert "404" in findings["WebSocket"]["text"]


def test_nobody_answers(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # and it does not listen
        code, findings = found(capsys, str(project), "--url", f"ws://127.0.0.1:{taken.getsockname()[1]}/")
    assert (code, findings["Server"]["level"]) == (1, "fail")
