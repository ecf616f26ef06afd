"""A live server and a raw client for the tests."""

from __future__ import annotations

import asyncio
import base64
import importlib
import importlib.util
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from ssl import SSLContext
from typing import Any, cast

import pytest

from durabase.server import Server
from durabase.web import Request, Response, SocketPort, WebSocketPair
from unit.server.wire import Frame, read_frames

LoopFactory = Callable[[], asyncio.AbstractEventLoop]
LOOPS: list[Any] = [pytest.param(asyncio.new_event_loop, id="asyncio")]
if importlib.util.find_spec("uvloop") is not None:
    LOOPS.append(pytest.param(importlib.import_module("uvloop").new_event_loop, id="uvloop"))
on_each_loop = pytest.mark.parametrize("loop_factory", LOOPS)

KEY = "dGhlIHNhbXBsZSBub25jZQ=="


def run_on(loop_factory: LoopFactory, main: Coroutine[Any, Any, None]) -> None:
    """Run a test's main on a loop of this kind."""
    with asyncio.Runner(loop_factory=loop_factory) as runner:
        runner.run(main)


async def until(condition: Callable[[], bool]) -> None:
    """Let the loop turn until the condition holds."""
    async with asyncio.timeout(20):
        while not condition():  # noqa: ASYNC110 - what is waited for is outside, in the operating system
            await asyncio.sleep(0)


class RecordingSink:
    """An object's end of a socket, without an object: records, and echoes if asked to."""

    def __init__(self, port: Callable[[], SocketPort], echo: bool = True) -> None:
        self._port = port
        self._echo = echo
        self.events: list[tuple[Any, ...]] = []
        self.closed = asyncio.Event()

    @property
    def port(self) -> SocketPort:
        return self._port()

    def on_text(self, text: str) -> None:
        self.events.append(("text", text))
        if self._echo:
            self.port.send_text(text)

    def on_binary(self, data: bytes) -> None:
        self.events.append(("binary", data))
        if self._echo:
            self.port.send_binary(data)

    def on_close(self, code: int, reason: str, was_clean: bool) -> None:
        self.events.append(("close", code, reason, was_clean))
        self.closed.set()

    def on_error(self, error: Exception) -> None:
        self.events.append(("error", error))


class Hub:
    """A fetch function that upgrades everything that asks for it and keeps the sinks."""

    def __init__(
        self, echo: bool = True, headers: dict[str, str] | None = None, message_bytes: int | None = None
    ) -> None:
        self.sinks: list[RecordingSink] = []
        self.requests: list[Request] = []
        self.first_words: list[str] = []
        self._echo = echo
        self._headers = headers
        self._message_bytes = message_bytes

    async def fetch(self, request: Request) -> Response:
        self.requests.append(request)
        client, server = WebSocketPair()
        sink = RecordingSink(lambda: server.connection.port, self._echo)
        server.connection.message_bytes = self._message_bytes
        server.connection.receive_with(sink)
        self.sinks.append(sink)
        for word in self.first_words:
            server.connection.send_text(word)
        return Response(None, 101, headers=self._headers, web_socket=client)


@asynccontextmanager
async def serving(fetch: Callable[[Request], Awaitable[Response]], **options: Any) -> AsyncIterator[Server]:
    async with asyncio.timeout(60), Server(fetch, port=0, **options) as server:
        yield server


@asynccontextmanager
async def echo_server(**options: Any) -> AsyncIterator[Server]:
    async with serving(Hub().fetch, **options) as server:
        yield server


def upgrade_request(path: str = "/", *extra: str, key: str | None = KEY, version: str | None = "13") -> bytes:
    lines = [f"GET {path} HTTP/1.1", "Host: test", "Upgrade: websocket", "Connection: keep-alive, Upgrade"]
    if key is not None:
        lines.append(f"Sec-WebSocket-Key: {key}")
    if version is not None:
        lines.append(f"Sec-WebSocket-Version: {version}")
    return "\r\n".join([*lines, *extra, "", ""]).encode()


def fresh_key() -> str:
    return base64.b64encode(os.urandom(16)).decode()


class Client:
    """A raw connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer
        self.head = b""
        self._rest = b""

    @staticmethod
    @asynccontextmanager
    async def opened(port: int, *, ssl: SSLContext | None = None) -> AsyncIterator[Client]:
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1 << 25, ssl=ssl)
        try:
            yield Client(reader, writer)
        finally:
            writer.transport.abort()

    @staticmethod
    @asynccontextmanager
    async def connected(
        port: int, path: str = "/", *extra: str, ssl: SSLContext | None = None
    ) -> AsyncIterator[Client]:
        async with Client.opened(port, ssl=ssl) as client:
            await client.send(upgrade_request(path, *extra))
            client.head = await client.reader.readuntil(b"\r\n\r\n")
            assert client.head.startswith(b"HTTP/1.1 101 Switching Protocols\r\n"), client.head
            yield client

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        try:
            await self.writer.drain()
        except ConnectionError:
            pass  # refused already; what came before it is still to be read

    def stop_reading(self) -> None:
        """Leave what comes in the operating system."""
        cast("asyncio.Transport", self.writer.transport).pause_reading()

    def go_on_reading(self) -> None:
        cast("asyncio.Transport", self.writer.transport).resume_reading()

    async def read_frame(self) -> Frame:
        """The next frame."""
        while True:
            frames, rest = read_frames(self._rest)
            if frames:
                self._rest = self._rest[len(self._rest) - len(rest) :]
                first, *later = frames
                self._rest = b"".join(_again(frame) for frame in later) + rest
                return first
            data = await self.reader.read(1 << 20)
            assert data, "the connection ended"
            self._rest += data

    async def read_to_end(self, bits: int | None = None) -> list[Frame]:
        """All frames until the server closes the connection; ``bits`` as for :func:`read_frames`."""
        chunks = [self._rest]
        while data := await self.reader.read(1 << 20):
            chunks.append(data)
        frames, rest = read_frames(b"".join(chunks), bits)
        assert rest == b""
        return frames

    async def read_response(self) -> tuple[int, dict[str, str], bytes]:
        """A plain HTTP response with a content length."""
        head = (await self.reader.readuntil(b"\r\n\r\n")).decode()
        status = int(head.split(" ", 2)[1])
        headers = dict(line.lower().split(": ", 1) for line in head.split("\r\n")[1:] if line)
        body = await self.reader.readexactly(int(headers.get("content-length", "0")))
        return status, headers, body


def _again(frame: Frame) -> bytes:
    length = len(frame.payload)
    if length < 126:
        return bytes((0x80 | frame.opcode, length)) + frame.payload
    return bytes((0x80 | frame.opcode, 127)) + length.to_bytes(8, "big") + frame.payload
