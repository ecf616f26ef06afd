"""WebSocket routes of ASGI applications behind a worker."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from durabase.testing import WorkerHarness
from unit.workers.programs import TOML, write_program

PROGRAM = """
    import asgi
    from fastapi import FastAPI, WebSocket, WebSocketDisconnect, WebSocketException

    app = FastAPI()
    ended = []

    @app.get("/ended")
    def how_sockets_ended() -> list[str]:
        return ended

    @app.websocket("/echo/{name}")
    async def echo(ws: WebSocket, name: str) -> None:
        await ws.accept(subprotocol="chat")
        await ws.send_text(f"{name} {ws.scope['env'].GREETING} {ws.query_params['q']}")
        try:
            while True:
                await ws.send_text((await ws.receive_text()).upper())
        except WebSocketDisconnect as gone:
            ended.append(f"{gone.code} {gone.reason}")

    @app.websocket("/bytes")
    async def as_bytes(ws: WebSocket) -> None:
        await ws.accept()
        await ws.send_bytes(await ws.receive_bytes() + b"!")

    @app.websocket("/policy")
    async def policy(ws: WebSocket) -> None:
        await ws.accept()
        raise WebSocketException(code=1008, reason="not here")

    @app.websocket("/own")
    async def own_code(ws: WebSocket) -> None:
        await ws.accept()
        await ws.close(4001, "enough")

    @app.websocket("/broken")
    async def broken(ws: WebSocket) -> None:
        await ws.accept()
        raise LookupError("broken")

    Default = asgi.entrypoint(app)
"""


def worker(tmp_path: Path) -> WorkerHarness:
    return WorkerHarness(write_program(tmp_path, PROGRAM, TOML + '\n[vars]\nGREETING = "hello"\n'))


@pytest.mark.feature("S-WS-7")
def test_messages_go_both_ways(tmp_path: Path) -> None:
    async def use() -> None:
        socket = await app.connect("/echo/ada?q=1", protocols=["chat"])
        assert await socket.receive() == "ada hello 1"
        socket.send("more")
        assert await socket.receive() == "MORE"
        socket.close(4000, "bye")
        await socket.closed()
        await app.settle()
        assert await (await app.fetch("/ended")).json() == ["4000 bye"]
        binary = await app.connect("/bytes")
        binary.send(b"\x00\xff")
        assert await binary.receive() == b"\x00\xff!"
        assert (await binary.closed()).code == 1000  # its handler has ended

    app = worker(tmp_path)
    app.run(use)


@pytest.mark.feature("S-WS-7")
@pytest.mark.parametrize(
    ("path", "code", "reason"),
    [("/policy", 1008, "not here"), ("/own", 4001, "enough"), ("/broken", 1011, ""), ("/nowhere", 1000, "")],
)
def test_the_application_ends_it(
    path: str, code: int, reason: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def use() -> None:
        socket = await app.connect(path)
        assert tuple(await socket.closed())[:2] == (code, reason)

    app = worker(tmp_path)
    with caplog.at_level(logging.ERROR, "durabase.workers.asgi"):
        app.run(use)
    assert ("broken" in caplog.text) == (path == "/broken")
