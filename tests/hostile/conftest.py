from __future__ import annotations

import os
from collections.abc import Iterator
from uuid import uuid4

import pytest

from e2e._server import Server
from hostile._project import write_project

TRACEBACK = "Traceback (most recent call last)"


@pytest.fixture(scope="package")
def shared_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("hostile")
    server = Server(folder, "serve", str(write_project(folder))).start()
    yield server
    assert server.stop() == 0, server.log


@pytest.fixture
def server(shared_server: Server) -> Iterator[Server]:
    """A server that goes on whatever a test does to it: it says nothing of errors of its own."""
    before = len(shared_server.log)
    yield shared_server
    said = shared_server.log[before:]
    assert TRACEBACK not in said, said
    assert "[ERROR]" not in said, said


@pytest.fixture
def room() -> str:
    """The path of a room that nobody else uses."""
    return f"/{uuid4().hex}"


@pytest.fixture(scope="package")
def mortal_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("mortal")
    server = Server(folder, "serve", str(write_project(folder))).start()
    yield server
    server.kill()


@pytest.fixture
def own_server(mortal_server: Server) -> Iterator[Server]:
    """A server to kill and start again, which nobody else uses meanwhile."""
    before = len(mortal_server.log)
    yield mortal_server
    said = mortal_server.log[before:]
    assert TRACEBACK not in said, said
    try:
        os.kill(mortal_server.pid, 0)
    except ProcessLookupError:
        mortal_server.start()
