"""Clients of rooms that are shared out among several processes see nothing of that."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from durabase.templates import demo_server_dir
from e2e._server import Server
from interop.clients._node import NodeHost

ROOMS = [f"room-{number}" for number in range(8)]


@pytest.fixture
def processes(tmp_path: Path) -> Iterator[Server]:
    server = Server(tmp_path, "serve", str(demo_server_dir()), "--processes", "2").start()
    yield server
    server.kill()


def test_many_rooms_converge_and_are_still_there_in_one_process(node: NodeHost, processes: Server) -> None:
    for name in ROOMS:
        first = node.client(f"{name}-a", 5).connect(f"{processes.ws_url}/{name}")
        second = node.client(f"{name}-b").connect(f"{processes.ws_url}/{name}")
        first.call("setCell", "t", "r", "c", name)
        second.call("setValue", "v", name)
        assert node.converge([first, second]) == [{"t": {"r": {"c": name}}}, {"v": name}]
        first.disconnect()
        second.disconnect()
    assert processes.stop() == 0, processes.log

    alone = Server(processes.state.parent, "serve", str(demo_server_dir())).start()
    for name in ROOMS:
        late = node.client(f"{name}-late").connect(f"{alone.ws_url}/{name}")
        late.wait_for([{"t": {"r": {"c": name}}}, {"v": name}])
        late.disconnect()
    assert alone.stop() == 0, alone.log
