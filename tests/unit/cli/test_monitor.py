"""What is seen of a program that is served: its admin address, its records, its labelled lines."""

from __future__ import annotations

import http.client
import json
from pathlib import Path
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from .running import PROGRAM, Running, running, write_project

TALKING = PROGRAM.replace("count =", 'print("got", message)\n        count =')


def get(port: int, path: str, **headers: str) -> tuple[int, str]:
    return ask(port, "GET", path, **headers)


def ask(port: int, method: str, path: str, **headers: str) -> tuple[int, str]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        connection.request(method, path, headers=headers)
        response = connection.getresponse()
        return response.status, response.read().decode()
    finally:
        connection.close()


def admin_port(command: Running) -> int:
    return int(command.expect(r"Admin on http://127\.0\.0\.1:(\d+)")[1])


def say(port: int, *messages: str) -> None:
    with connect(f"ws://127.0.0.1:{port}/") as socket:
        for message in messages:
            socket.send(message)
            socket.recv(20)


@pytest.mark.feature("S-OB-6", "S-OB-3", "M-SC-1", "M-OB-1")
def test_health_and_metrics_have_an_address_of_their_own(tmp_path: Path) -> None:
    with running(write_project(tmp_path, TALKING), "serve", "--port", "0", "--admin", "0") as command:
        admin, port = admin_port(command), command.port()
        assert get(admin, "/healthz") == (200, "ok\n")
        assert get(admin, "/readyz") == (200, "ready\n")
        say(port, "hello")
        command.expect(r"^Room\(room\) web_socket_message \| got hello$")
        status, text = get(admin, "/metrics")
        assert status == 200
        assert 'durabase_events_total{worker="app",class="Default",event="fetch",outcome="ok"} 1\n' in text
        assert 'durabase_objects_live{worker="app",class="Room"} 1\n' in text
        assert "durabase_server_messages_received_total 1\n" in text
        assert 'durabase_server_closes_total{code="1000"} 1\n' in text
        for path in ("/metrics", "/healthz", "/objects"):
            assert get(port, path) == (200, "version 1")  # the program's
        address = tmp_path / ".durabase" / "state" / "admin.json"
        assert json.loads(address.read_text()) == {"url": f"http://127.0.0.1:{admin}"}
        assert command.stop() == 0
        assert not address.exists()


@pytest.mark.feature("S-OB-5", "S-OB-6")
def test_a_server_is_drained_and_goes_on(tmp_path: Path) -> None:
    with running(write_project(tmp_path), "serve", "--port", "0", "--admin", "0") as command:
        admin, port = admin_port(command), command.port()
        with connect(f"ws://127.0.0.1:{port}/") as socket:
            assert ask(admin, "POST", "/drain?close=yes&seconds=0") == (200, '{"ready": false}\n')
            with pytest.raises(ConnectionClosed) as closed:
                socket.recv(20)
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1012
        assert get(admin, "/readyz")[0] == 503
        assert get(port, "/") == (503, "The server is being drained.\n")
        assert ask(admin, "DELETE", "/drain") == (200, '{"ready": true}\n')
        assert get(admin, "/readyz")[0] == 200
        assert get(port, "/") == (200, "version 1")
        ask(admin, "POST", "/drain?close=yes")
        assert command.stop() == 0


@pytest.mark.feature("S-OB-1", "M-OB-1")
def test_records_as_json(tmp_path: Path) -> None:
    arguments = ("serve", "--port", "0", "--log-format", "json")
    with running(write_project(tmp_path, TALKING), *arguments) as command:
        ready = json.loads(command.expect("Ready on")[0] and command.lines[-1])
        say(int(ready["message"].rpartition(":")[2]), "hello", "again")
        command.expect('"web_socket_close"')
        assert command.stop() == 0
        records = [json.loads(line) for line in command.lines]
    events = [(each["entrypoint"], each["kind"]) for each in records if each["type"] == "event"]
    assert events == [
        ("Room", "fetch"),
        ("Default", "fetch"),
        ("Room", "web_socket_message"),
        ("Room", "web_socket_message"),
        ("Room", "web_socket_close"),
    ]
    (printed,) = [each for each in records if each.get("message") == "got again"]
    assert {
        name: printed[name] for name in ("type", "scriptName", "entrypoint", "durableObjectName", "kind")
    } == {
        "type": "log",
        "scriptName": "app",
        "entrypoint": "Room",
        "durableObjectName": "room",
        "kind": "web_socket_message",
    }


@pytest.mark.feature("M-SC-1")
def test_an_address_for_others_needs_a_token(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_project(tmp_path)
    arguments = ("serve", "--port", "0", "--admin", "0.0.0.0:0")
    with running(tmp_path, *arguments) as command:
        command.expect("set DURABASE_ADMIN_TOKEN to a secret")
        assert command.finish() == 2
    monkeypatch.setenv("DURABASE_ADMIN_TOKEN", "secret")
    with running(tmp_path, *arguments) as command:
        port = admin_port(command)
        assert get(port, "/metrics")[0] == 401
        assert get(port, "/metrics", authorization="Bearer secret")[0] == 200
        assert get(port, "/healthz")[0] == 200
        assert command.stop() == 0


@pytest.mark.feature("M-SC-1")
def test_only_this_machine_is_served_unless_told_otherwise(tmp_path: Path) -> None:
    with running(write_project(tmp_path), "serve", "--port", "0") as command:
        line: Any = command.expect(r"Ready on http://(.*):")
        assert line[1] == "127.0.0.1"


@pytest.mark.feature("S-SC-2", "S-SC-3")
def test_origins_and_proxies_by_options(tmp_path: Path) -> None:
    program = PROGRAM.replace('"version %d" % VERSION', 'request.headers["cf-connecting-ip"] + request.url')
    options = (
        "--allow-origin",
        "same",
        "--trust-proxy",
        "127.0.0.1",
        "--max-connections",
        "10",
        "--admin",
        "0",
    )
    with running(write_project(tmp_path, program), "serve", "--port", "0", *options) as command:
        admin, port = admin_port(command), command.port()
        forwarded = {"x-forwarded-for": "9.9.9.9", "x-forwarded-proto": "https"}
        assert get(port, "/", **forwarded) == (200, f"9.9.9.9https://127.0.0.1:{port}/")
        with connect(f"ws://127.0.0.1:{port}/", origin=f"http://127.0.0.1:{port}"):  # type: ignore[arg-type]
            pass
        with pytest.raises(InvalidStatus, match="403"):
            connect(f"ws://127.0.0.1:{port}/", origin="http://evil.example")  # type: ignore[arg-type]
        assert 'durabase_refusals_total{reason="origin"} 1\n' in get(admin, "/metrics")[1]
    for wrong in (("--allow-origin", "evil"), ("--trust-proxy", "here")):
        with running(tmp_path, "serve", "--port", "0", *wrong) as command:
            assert command.finish() == 2
