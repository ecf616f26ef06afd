"""A worker under test behind a real port."""

from __future__ import annotations

import asyncio
from pathlib import Path
from urllib.request import urlopen

import pytest

from durabase.testing import WorkerHarness

from .test_harness import use


@pytest.mark.feature("S-TH-3")
def test_requests_and_sockets_through_a_port(tmp_path: Path) -> None:
    async def test(worker: WorkerHarness) -> None:
        async with worker.serve() as port:
            with await asyncio.to_thread(urlopen, f"{port.url}/path") as answer:
                assert answer.read().decode() == f"hello {port.url}/path"
            socket = await port.connect("/room")
            socket.send("a")
            socket.send("b")
            assert [await socket.receive(), await socket.receive()] == ["a 1", "b 2"]
            socket.send("leave")
            assert await socket.closed() == (4000, "as you wish", True)
            with pytest.raises(ConnectionError):
                await socket.receive()
            other = await port.connect("/room")
            other.close(4001, "bye")
            assert (await other.closed()).code == 4001

    use(tmp_path, test)


@pytest.mark.feature("S-TH-3", "S-TH-5")
def test_connections_through_a_port_are_lost(tmp_path: Path) -> None:
    async def test(worker: WorkerHarness) -> None:
        async with worker.serve() as port:
            socket = await port.connect("/room")
            socket.send("a")
            assert await socket.receive() == "a 1"
            socket.drop()
            assert (await socket.closed()).code == 1006
            worker.network.cut()
            with pytest.raises(ConnectionError, match="the network is cut"):
                await port.connect("/room")
            worker.network.mend()
            left = await port.connect("/room")
            left.send("still under way")
        assert not left.is_open

    use(tmp_path, test)


def test_a_worker_that_refuses(tmp_path: Path) -> None:
    async def test(worker: WorkerHarness) -> None:
        worker.program.entrypoints["Default"].fetch = _refuse  # type: ignore[attr-defined]
        async with worker.serve() as port:
            with pytest.raises(ConnectionError, match="/room answered 403"):
                await port.connect("/room")

    async def _refuse(self: object, request: object) -> object:
        from durabase.web import Response

        return Response("no", 403)

    use(tmp_path, test)
