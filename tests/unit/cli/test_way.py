"""``durabase doctor --url``: the way to a server."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from durabase.server import ServerLimits
from durabase.web import Request, Response
from unit.cli.running import running, write_project
from unit.cli.test_doctor import found
from unit.server.live import Hub, serving

Fetch = Callable[[Request], Any]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return write_project(tmp_path)


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


def test_without_an_admin_address_nobody_tells_what_arrives(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    findings = way(project, capsys, Hub().fetch, ping_seconds=0.05)
    assert findings["Headers"]["level"] == "warn"
    assert "--admin" in findings["Headers"]["remedy"]
    assert "Address" not in findings


def test_a_large_body_that_is_not_taken(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    findings = way(project, capsys, Hub().fetch, ping_seconds=0.05)
    assert findings["Bodies"]["level"] == "ok"
    findings = way(project, capsys, Hub().fetch, ping_seconds=0.05, limits=ServerLimits(body_bytes=1000))
    assert findings["Bodies"]["level"] == "warn"


@pytest.mark.parametrize("processes", [(), ("--processes", "2")], ids=" ".join)
def test_what_arrives_without_a_proxy(
    processes: tuple[str, ...], project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with running(project, "serve", "--port", "0", "--admin", "0", *processes) as server:
        port = server.expect(r"Ready on http://127.0.0.1:(\d+)")[1]
        url = f"ws://127.0.0.1:{port}/room?token=t"
        _, findings = found(capsys, str(project), "--url", url, "--patience", "0.1")
        assert server.stop() == 0
    names = ("Address", "Scheme", "Host", "Compression", "Paths", "Bodies")
    assert {name: findings[name]["level"] for name in names} == dict.fromkeys(names, "ok")
    assert findings["Address"]["text"] == "nobody is believed, the server sees 127.0.0.1"


def test_another_server_tells_nothing(
    project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("durabase.cli.way._ARRIVAL_SECONDS", 0.1)
    with running(project, "serve", "--port", "0", "--admin", "0") as other:
        other.port()
        findings = way(project, capsys, Hub().fetch, ping_seconds=0.05)
    assert "nothing arrives" in findings["Headers"]["text"]


def test_an_admin_address_that_does_not_answer(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # and it does not listen
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        findings = way(project, capsys, Hub().fetch, "--admin", url, ping_seconds=0.05)
    assert f"{url} does not answer" in findings["Headers"]["text"]
