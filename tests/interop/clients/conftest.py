from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from durabase.templates import demo_server_dir
from e2e._server import Server
from interop.clients._node import NodeHost, require_node


@pytest.fixture(scope="package")
def node() -> Iterator[NodeHost]:
    require_node()
    with NodeHost() as host:
        yield host


@pytest.fixture(scope="package")
def shared_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One server for all tests that don't stop it; each test has rooms of its own."""
    server = Server(tmp_path_factory.mktemp("server"), "serve", str(demo_server_dir())).start()
    yield server
    assert server.stop() == 0, server.log


@pytest.fixture
def room(shared_server: Server, request: pytest.FixtureRequest) -> str:
    """The WebSocket address of a room that nobody else uses."""
    return f"{shared_server.ws_url}/{request.node.name}"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """A server of one's own, to stop, kill and start again."""
    server = Server(tmp_path, "serve", str(demo_server_dir())).start()
    yield server
    server.kill()
