"""A worker under test behind a real port, for clients that need one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import partial

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.typing import Subprotocol

from durabase.server import Server
from durabase.server.context import Fetch
from durabase.testing.client_socket import ClientSocket
from durabase.testing.network import FlakyNetwork

__all__ = ["Port", "serving"]


class Port:
    """Where a worker is served.

    Attributes:
        url: its address, without a path.
    """

    def __init__(self, url: str, network: FlakyNetwork) -> None:
        self.url = url
        self._network = network
        self._clients: dict[asyncio.Task[None], ClientSocket] = {}

    async def connect(
        self, path: str = "/", *, protocols: Sequence[str] = (), headers: Mapping[str, str] | None = None
    ) -> ClientSocket:
        """Open a WebSocket through the port.

        Raises:
            ConnectionError: the worker did not accept it, or the network is cut.
        """
        if self._network.is_cut:
            raise ConnectionError("the network is cut")
        address = f"ws{self.url.removeprefix('http')}{path}"
        offered = [Subprotocol(protocol) for protocol in protocols] or None
        try:
            connection = await connect(
                address, subprotocols=offered, additional_headers=headers, max_size=None
            )
        except InvalidStatus as error:
            raise ConnectionError(f"{path} answered {error.response.status_code}") from None
        end = _PortEnd(connection)
        client = ClientSocket(end, self._network)
        reader = asyncio.create_task(end.read(client))
        self._clients[reader] = client
        reader.add_done_callback(self._clients.pop)
        return client

    async def close(self) -> None:
        """Lose all connections."""
        readers = list(self._clients)
        for client in list(self._clients.values()):
            client.drop()
        await asyncio.gather(*readers)


class _PortEnd:
    """A connection of the ``websockets`` package, whose calls wait."""

    def __init__(self, connection: ClientConnection) -> None:
        self._connection = connection
        self._outbox: asyncio.Queue[Callable[[], Awaitable[None]]] = asyncio.Queue()

    def send(self, message: str | bytes) -> None:
        self._outbox.put_nowait(partial(self._connection.send, message))

    def close(self, code: int | None, reason: str) -> None:
        self._outbox.put_nowait(partial(self._connection.close, 1000 if code is None else code, reason))

    def drop(self) -> None:
        self._connection.transport.abort()

    async def read(self, client: ClientSocket) -> None:
        """Hand on what arrives, until the end."""
        writer = asyncio.create_task(self._write())
        try:
            async for message in self._connection:
                client.arrived(message)
        except ConnectionClosed:
            pass  # not cleanly: the code below says it
        finally:
            writer.cancel()
            code, reason = self._connection.close_code, self._connection.close_reason
            client.ended(1006 if code is None else code, reason or "", code not in (None, 1006))
            self.drop()

    async def _write(self) -> None:
        while True:
            send = await self._outbox.get()
            try:
                await send()
            except ConnectionClosed:
                return


@asynccontextmanager
async def serving(fetch: Fetch, network: FlakyNetwork) -> AsyncIterator[Port]:
    """Serve on a free port of this machine."""
    async with Server(fetch, port=0, drain_seconds=1.0) as server:
        port = Port(server.url, network)
        try:
            yield port
        finally:
            await port.close()
