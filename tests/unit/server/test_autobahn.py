"""RFC 6455, clause by clause: the codec alone, and a live server over a real socket."""

from __future__ import annotations

import pytest

from durabase.server.compression import agreed_compression
from unit.server.autobahn import CASES, Case
from unit.server.codec import Echo
from unit.server.live import Client, LoopFactory, echo_server, on_each_loop, run_on
from unit.server.wire import CLOSE, Frame, close


def check_close(case: Case, last: Frame) -> None:
    assert last.opcode == CLOSE
    assert last.close_code == (1000 if case.code is None else case.code)


@pytest.mark.feature("S-WS-1")
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.number)
def test_codec(case: Case) -> None:
    compression = agreed_compression(case.offer) if case.offer else None
    assert (compression is None) == (not case.offer)
    echo = Echo(compression=compression)
    for data in case.send:
        echo.receive(data)
    if case.code is None:
        assert not echo.endpoint.is_over
        echo.receive(close(1000))
    *frames, last = echo.transport.frames(case.bits)
    assert frames == case.expect
    check_close(case, last)
    assert echo.endpoint.is_over


@pytest.mark.feature("M-WS-9", "M-WS-10", "S-WS-1")
@on_each_loop
def test_live_server(loop_factory: LoopFactory) -> None:
    """Every case on a connection of its own; then the server still serves."""

    async def main() -> None:
        async with echo_server(compression=True) as server:
            for case in CASES:
                offer = [f"Sec-WebSocket-Extensions: {case.offer}"] if case.offer else []
                async with Client.connected(server.port, "/", *offer) as client:
                    for data in case.send:
                        await client.send(data)
                    if case.code is None:
                        await client.send(close(1000))
                    frames = await client.read_to_end(case.bits)
                    assert frames[:-1] == case.expect, case.number
                    check_close(case, frames[-1])

    run_on(loop_factory, main())
