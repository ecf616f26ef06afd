"""What all connections of one server share: settings, the fetch function, and who is connected."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Final, NamedTuple, Protocol

from durabase.clock import TimerClock
from durabase.server.clients import AddressCounts, TrustedProxies
from durabase.server.deadlines import Deadlines, Pingable, Waiter
from durabase.server.outbox import Turn
from durabase.server.traffic import Traffic
from durabase.web import Request, Response, WebSocket

__all__ = [
    "AccessHook",
    "Answered",
    "Departure",
    "Fetch",
    "Handover",
    "Served",
    "ServedSocket",
    "ServerContext",
    "ServerLimits",
]

Fetch = Callable[[Request], Awaitable[Response]]
AccessHook = Callable[[str, str, int, float], object]


class Answered(NamedTuple):
    """A handshake to which the answer is known: ``head`` is that, still to be sent, ``early`` what the client
    has sent already. ``protocol`` and ``extensions`` are what was agreed on."""

    head: bytes
    early: bytes
    protocol: str
    extensions: str


Departure = Callable[[int, Answered], object]
"""Has a client served elsewhere, whose connection is this descriptor, which is then the callee's to close."""
Handover = Callable[[WebSocket], "Departure | None"]
"""Tells whether the client of a socket is to be served elsewhere, and how."""

_MIB: Final = 1 << 20
_FRAME_HEAD_SLACK: Final = 4096
_CUT_OFF_SECONDS: Final = 1.0


class Served(Waiter, Protocol):
    """A connection that the server knows of until it is gone."""

    def drain(self) -> None:
        """The server is about to stop: finish what is under way, then hang up."""

    def abort(self) -> None:
        """Hang up at once."""


class ServedSocket(Served, Pingable, Protocol):
    """A WebSocket connection."""

    def buffered_amount(self) -> int:
        """Bytes that the operating system has not taken yet."""


@dataclass(frozen=True, slots=True)
class ServerLimits:
    """What one connection may cost. Sizes are bytes, times seconds (kept to the second).

    Attributes:
        head_bytes: request line and headers.
        body_bytes: the body of a request; it is read whole before the request is handled.
        message_bytes: a WebSocket message, all its fragments together; the default is Cloudflare's. A
            socket whose program takes less (as those of synchronization do) is held to that.
        unsent_bytes, unsent_messages: what may wait for a socket that does not read: by default one message
            of the largest size that is taken.
        messages_per_turn: how many messages of one socket are handled before others have their turn.
        turn_seconds: how long sockets that have much to read may take of a turn of the event loop, all
            together; but each has one message at least.
        request_seconds: from connecting, or from the first byte, to the end of a request.
        keep_alive_seconds: how long an idle connection waits for its next request.
        close_seconds: how long a Close frame waits for its answer, or a refused peer for its goodbye.
        connections_per_address: how many connections one address may have, ``None``: any number. Not
            counted are those of trusted proxies.
    """

    head_bytes: int = 64 << 10
    body_bytes: int = 32 * _MIB
    message_bytes: int = 32 * _MIB
    unsent_bytes: int = 32 * _MIB + _FRAME_HEAD_SLACK
    unsent_messages: int = 1000
    messages_per_turn: int = 64
    turn_seconds: float = 0.01
    request_seconds: float = 30
    keep_alive_seconds: float = 75
    close_seconds: float = 10
    connections_per_address: int | None = None


@dataclass(slots=True, eq=False)
class ServerContext:
    """One running server, as its connections see it.

    ``requests`` and ``sockets`` are who is connected, ``on_empty`` is called when the last one has gone,
    ``farewell`` is the close code and reason that sockets get when the server stops. ``compression``: whether
    messages are compressed for clients that offer it. ``proxies`` are believed
    what they say of their clients, ``addresses`` counts connections, ``handover`` knows which
    sockets are served elsewhere, ``scheme`` is that of URLs (``https`` with TLS).
    """

    fetch: Fetch
    loop: asyncio.AbstractEventLoop
    clock: TimerClock
    limits: ServerLimits
    debug: bool
    on_access: AccessHook | None
    farewell: tuple[int, str]
    proxies: TrustedProxies = field(default_factory=TrustedProxies)
    compression: bool = False
    handover: Handover | None = None
    scheme: str = "http"
    addresses: AddressCounts = field(init=False)
    turn: Turn = field(init=False)
    deadlines: Deadlines = field(init=False)
    requests: set[Served] = field(init=False, default_factory=set)
    sockets: set[ServedSocket] = field(init=False, default_factory=set)
    is_draining: bool = field(init=False, default=False)
    on_empty: Callable[[], object] | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        self.turn = Turn(self.loop.call_soon, self.limits.turn_seconds)
        self.deadlines = Deadlines(self.clock)
        self.addresses = AddressCounts(self.limits.connections_per_address, self.proxies)

    @property
    def traffic(self) -> Traffic:
        """What its sockets have carried."""
        return self.turn.traffic

    def forget(self, connection: Served) -> None:
        """A connection is gone."""
        self.requests.discard(connection)
        self.sockets.discard(connection)
        self.deadlines.forget(connection)
        if self.on_empty is not None and not self.requests and not self.sockets:
            self.on_empty()

    async def drain(self, seconds: float) -> None:
        """Ask everybody to finish and say goodbye; cut off who is still there after ``seconds``."""
        self.is_draining = True
        for connection in [*self.requests, *self.sockets]:
            connection.drain()
        if await self._until_empty(seconds):
            return
        for connection in [*self.requests, *self.sockets]:
            connection.abort()
        await self._until_empty(_CUT_OFF_SECONDS)

    async def _until_empty(self, seconds: float) -> bool:
        """Whether everybody has gone within ``seconds``."""
        empty = self.loop.create_future()

        def settle(is_empty: bool) -> None:
            if not empty.done():
                empty.set_result(is_empty)

        if not self.requests and not self.sockets:
            return True
        self.on_empty = lambda: settle(True)
        timer = self.clock.call_later(seconds, lambda: settle(False))
        try:
            return bool(await empty)
        finally:
            timer.cancel()
            self.on_empty = None
