"""WsServerSimple: relaying, and nothing else."""

from __future__ import annotations

import asyncio

import pytest

from durabase.errors import ServerError
from durabase.sync_server import WsServerSimple
from durabase.testing import FakeClock
from unit.sync_server._fakes import FakePort

ASK_HASHES = '\n["abcdefghijk.0001",1,""]'


def test_it_relays_on_each_path_and_forgets_paths_without_clients() -> None:
    server = WsServerSimple(clock=FakeClock())
    ports = [FakePort() for _ in range(3)]
    a, b, _ = (
        server.connect(port, path, client)
        for port, path, client in zip(ports, ["/p?x", "/p", "/q"], "ABC", strict=True)
    )
    a.on_text(ASK_HASHES)
    assert [port.take() for port in ports] == [[], ["A" + ASK_HASHES], []]
    b.on_close(1005, "", True)
    a.on_text(ASK_HASHES)
    a.on_close(1006, "", False)
    assert [port.take() for port in ports] == [[], [], []]
    assert list(server._rooms) == ["q"]


def test_an_invalid_payload_closes_and_is_not_reported(caplog: pytest.LogCaptureFixture) -> None:
    server, port = WsServerSimple(clock=FakeClock()), FakePort()
    server.connect(port, "/", "A").on_text("bad")
    assert port.closed == (1007, "tinybase:14")
    assert caplog.records == []


def test_leaving_closes_everything() -> None:
    async def test() -> None:
        port = FakePort()
        async with WsServerSimple(clock=FakeClock()) as server:
            server.connect(port, "/", "A")
        assert port.closed == (None, "")
        with pytest.raises(ServerError):
            server.connect(FakePort(), "/", "B")

    asyncio.run(test())
