"""Clients of an object that is gone from memory notice nothing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from durabase.templates import demo_server_dir
from e2e._server import Server
from interop.clients._node import NodeHost


@pytest.fixture
def sleepy_server(tmp_path: Path) -> Iterator[Server]:
    """Its objects hibernate after half a second without events."""
    folder = str(demo_server_dir())
    server = Server(tmp_path, "dev", "--no-client-dev", "--idle-seconds", "0.5", folder).start()
    yield server
    server.kill()


def test_the_message_that_wakes_the_object_is_stored(node: NodeHost, sleepy_server: Server) -> None:
    room = f"{sleepy_server.ws_url}/sleepy"
    writer, reader = node.client("wakes").connect(room), node.client("hears").connect(room)
    writer.call("setCell", "pets", "fido", "age", 1)
    node.converge([writer, reader])
    sleepy_server.wait_until_asleep()

    writer.call("setCell", "pets", "fido", "age", 2)
    node.converge([writer, reader])
    writer.cut()  # nobody stays who could tell the object again
    reader.cut()

    node.client("comes-later").connect(room).wait_for([{"pets": {"fido": {"age": 2}}}, {}])


def test_requests_that_wake_the_object_are_answered(node: NodeHost, sleepy_server: Server) -> None:
    room = f"{sleepy_server.ws_url}/sleepy"
    for turn in range(3):
        client = node.client(f"turn-{turn}").connect(room)
        client.call("setValue", f"turn{turn}", turn)
        sleepy_server.wait_until_asleep()
        client.send('S\n["awake",1,""]')
        client.wait_for_payload(f'S\n["awake",0,{client.hashes_text()}]')
        client.disconnect()
        sleepy_server.wait_until_asleep()

    node.client("at-last").connect(room).wait_for([{}, {f"turn{turn}": turn for turn in range(3)}])
