"""Draining a server that runs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from durabase.cli.main import main

from .running import running, write_project
from .test_monitor import admin_port, get


@pytest.mark.feature("S-OB-5")
def test_a_server_is_drained_and_no_longer(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    project = write_project(tmp_path)

    def drain(*options: str) -> str:
        assert main(["drain", "-c", str(project), *options]) == 0
        return capsys.readouterr().out

    with running(project, "serve", "--port", "0", "--admin", "0") as command:
        admin, port = admin_port(command), command.port()
        with connect(f"ws://127.0.0.1:{port}/") as socket:
            assert drain() == "Draining: not ready; who comes is served\n"
            assert get(admin, "/readyz")[0] == 503
            assert get(port, "/")[0] == 200
            assert drain("--undo") == "Not draining any more\n"
            assert get(admin, "/readyz")[0] == 200
            assert json.loads(drain("--close", "--seconds", "1", "--json")) == {"ready": False}
            with pytest.raises(ConnectionClosed) as closed:
                socket.recv(20)
            assert closed.value.rcvd is not None
            assert closed.value.rcvd.code == 1012
            assert get(port, "/")[0] == 503
            assert json.loads(drain("--undo", "--json")) == {"ready": True}
            assert get(port, "/")[0] == 200


def test_nothing_runs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    project = write_project(tmp_path)
    (tmp_path / ".durabase" / "state").mkdir(parents=True)
    assert main(["drain", "-c", str(project)]) == 1
    assert "No server is running here" in capsys.readouterr().err
