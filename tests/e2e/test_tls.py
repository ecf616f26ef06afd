"""`durabase serve --tls-cert`, by one process and by several, whose clients come in by any of them."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from websockets.asyncio.client import ClientConnection, connect

from e2e._loop import run
from e2e._rooms import write_rooms
from e2e._server import Server
from unit.synchronizers.certificates import Authority

NAMES = [f"room{number}" for number in range(8)]
LARGE = "".join(f"{number:x}" for number in range(300_000))
PATIENCE = 30.0


class House:
    def __init__(self, folder: Path, authority: Authority, processes: str) -> None:
        write_rooms(folder)
        certificate, key = map(str, authority.server_files)
        options = ["--processes", processes, "--tls-cert", certificate, "--tls-key", key]
        self.authority = authority
        self.server = Server(
            folder, "serve", str(folder), "--max-value-bytes", str(len(LARGE) * 2), *options
        ).start()

    async def join(self, stack: AsyncExitStack, name: str) -> ClientConnection:
        """A client of the room that has been welcomed."""
        url = f"wss://127.0.0.1:{self.server.port}/{name}"
        opening = connect(url, ssl=self.authority.client_context(), open_timeout=PATIENCE, max_size=None)
        client = await stack.enter_async_context(opening)
        assert await client.recv()
        return client


@pytest.fixture(params=["1", "2"])
def house(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[House]:
    authority = Authority(tmp_path / "authority")
    authority.sign()
    made = House(tmp_path, authority, request.param)
    yield made
    made.server.kill()


def test_rooms_are_served_and_a_renewed_certificate_disturbs_nobody(house: House) -> None:
    async def main() -> None:
        async with asyncio.timeout(4 * PATIENCE), AsyncExitStack() as stack:
            rooms = {name: [await house.join(stack, name) for _ in range(3)] for name in NAMES}
            house.authority.sign("IP:127.0.0.1,DNS:renewed.example")
            for name, clients in rooms.items():
                clients.append(await house.join(stack, name))
            assert len({certificate(each) for clients in rooms.values() for each in clients}) == 2
            for clients in rooms.values():
                for text in ("short", LARGE):
                    await clients[0].send(text)
                    assert [await client.recv() for client in clients] == [text] * 4

    assert f"Ready on https://127.0.0.1:{house.server.port}" in house.server.log
    run(main())
    assert house.server.stop() == 0, house.server.log


def test_a_restart_says_goodbye_to_all_whichever_way_they_came_in(house: House) -> None:
    async def main() -> None:
        async with asyncio.timeout(4 * PATIENCE), AsyncExitStack() as stack:
            clients = [await house.join(stack, name) for name in NAMES * 3]
            os.kill(house.server.pid, signal.SIGHUP)
            for client in clients:
                await client.wait_closed()
            assert {client.close_code for client in clients} == {1012}
            await house.join(stack, NAMES[0])

    run(main())


def certificate(client: ClientConnection) -> bytes:
    return bytes(client.transport.get_extra_info("ssl_object").getpeercert(True))


def test_one_file_without_the_other_is_refused(tmp_path: Path) -> None:
    write_rooms(tmp_path)
    command = [sys.executable, "-m", "durabase", "serve", str(tmp_path), "--port", "0", "--tls-cert", "a.pem"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE)
    assert done.returncode == 2
    assert "TLS needs both --tls-cert and --tls-key" in done.stdout + done.stderr
