"""A server: listens, keeps count of its connections, and stops without cutting anybody off in mid-sentence.

It is handed one function from request to response and knows nothing of what is behind it.
"""

from __future__ import annotations

import asyncio
import errno
import socket as socket_module
from collections.abc import Coroutine, Sequence
from types import TracebackType
from typing import Any, Final, Self, TypeVar

from durabase.clock import SystemClock, TimerClock
from durabase.errors import ServerError
from durabase.server.clients import TrustedProxies
from durabase.server.context import AccessHook, Fetch, Handover, ServerContext, ServerLimits
from durabase.server.deadlines import Heartbeat
from durabase.server.draining import Draining
from durabase.server.handover import Answered, Arrival
from durabase.server.http import HttpConnection
from durabase.server.tls import Certificate
from durabase.server.traffic import Traffic
from durabase.web import WebSocket

__all__ = ["Server", "bind", "run", "url_of"]

_BACKLOG: Final = 2048
_ACCEPTING_TURNS: Final = 4
_SERVICE_RESTART: Final = (1012, "the server restarts")

_T = TypeVar("_T")


class Server:
    """Serves HTTP and WebSockets. ``async with server:`` listens; leaving it drains.

    Args:
        fetch: answers requests. What it raises becomes a 500, with the traceback if ``debug``.
        host: a name or address, or several; a name with several addresses (``localhost``) listens on all.
        port: 0 takes a free one, the same on all addresses.
        clock: for time-outs and pings.
        limits: what one connection may cost.
        ping_seconds: interval of the pings by which dead sockets are found; ``None``: none are sent.
        drain_seconds: how long leaving waits for answers and closing handshakes.
        farewell: close code and reason for the sockets that are open when the server stops.
        debug: show errors to clients.
        on_access: called with method, target, status and seconds for each answer (101: for each socket).
        trusted_proxies: addresses and networks of proxies that are believed what they say of their clients.
        compression: whether messages of WebSockets are compressed for clients that offer it
            (permessage-deflate). A message then costs more processor time, and less of a slow network.
        listeners: sockets that are listened on, in place of ones for ``host`` and ``port``.
        handover: tells which clients are served by another process, see :meth:`adopt`.
        certificate: for TLS; without one the server speaks it not.

    Raises:
        ValueError: one of the proxies is no address.
    """

    def __init__(
        self,
        fetch: Fetch,
        *,
        host: str | Sequence[str] = "127.0.0.1",
        port: int = 8787,
        clock: TimerClock | None = None,
        limits: ServerLimits | None = None,
        ping_seconds: float | None = 20.0,
        drain_seconds: float = 5.0,
        farewell: tuple[int, str] = _SERVICE_RESTART,
        debug: bool = False,
        on_access: AccessHook | None = None,
        trusted_proxies: Sequence[str] = (),
        compression: bool = False,
        listeners: Sequence[socket_module.socket] = (),
        handover: Handover | None = None,
        certificate: Certificate | None = None,
    ) -> None:
        self._fetch = fetch
        self._given = list(listeners)
        self._handover = handover
        self._certificate = certificate
        self._scheme = "http" if certificate is None else "https"
        self._hosts = [host] if isinstance(host, str) else list(host)
        self._asked_port = port
        self._clock = clock or SystemClock()
        self._limits = limits or ServerLimits()
        self._ping_seconds = ping_seconds
        self._drain_seconds = drain_seconds
        self._farewell = farewell
        self._debug = debug
        self._on_access = on_access
        self._proxies = TrustedProxies(trusted_proxies)
        self._compression = compression
        self._context: ServerContext | None = None
        self._heartbeat: Heartbeat | None = None
        self._draining: Draining | None = None
        self._listeners: list[asyncio.Server] = []
        self._port = 0

    @property
    def port(self) -> int:
        """The port that is listened on."""
        return self._port

    @property
    def url(self) -> str:
        """Where a client on this machine finds the server, without a path."""
        return url_of(self._hosts[0], self._port, self._scheme)

    @property
    def socket_count(self) -> int:
        """WebSockets that are open."""
        return len(self._context.sockets) if self._context is not None else 0

    @property
    def unsent_bytes(self) -> int:
        """Bytes that wait for the peers of WebSockets."""
        return 0 if self._context is None else sum(each.buffered_amount() for each in self._context.sockets)

    @property
    def traffic(self) -> Traffic:
        """What WebSockets have carried since the server was started."""
        return Traffic() if self._context is None else self._context.traffic

    async def __aenter__(self) -> Self:
        """Listen.

        Raises:
            ServerError: the address can't be listened on.
        """
        loop = asyncio.get_running_loop()
        context = ServerContext(
            self._fetch,
            loop,
            self._clock,
            self._limits,
            self._debug,
            self._on_access,
            self._farewell,
            self._proxies,
            self._compression,
            self._handover,
            self._scheme,
        )
        sockets = self._given or await bind(self._hosts, self._asked_port)
        if self._given:
            self._hosts = [sockets[0].getsockname()[0]]
        self._port = sockets[0].getsockname()[1]
        for socket in sockets:
            self._listeners.append(await self._listen(context, socket))
        self._context = context
        if self._ping_seconds is not None:
            self._heartbeat = Heartbeat(context.sockets, self._ping_seconds, self._clock, loop.call_soon)
            self._heartbeat.start()
        return self

    async def _listen(self, context: ServerContext, socket: socket_module.socket) -> asyncio.Server:
        def accept() -> HttpConnection:
            return HttpConnection(context)

        if self._certificate is None:
            return await context.loop.create_server(accept, sock=socket, backlog=_BACKLOG)
        return await context.loop.create_server(
            accept,
            sock=socket,
            backlog=_BACKLOG,
            ssl=self._certificate.context,
            ssl_handshake_timeout=self._limits.request_seconds,
            ssl_shutdown_timeout=self._limits.close_seconds,
        )

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        exc_traceback: TracebackType | None,
    ) -> None:
        """Accept nobody more, finish what is under way, say goodbye to sockets; then cut off who is left."""
        for listener in self._listeners:
            listener.close()
        self._listeners.clear()
        for _ in range(_ACCEPTING_TURNS):  # who was accepted before that is to be known
            await asyncio.sleep(0)
        if self._heartbeat is not None:
            self._heartbeat.stop()
        self.stop_draining()
        if self._context is not None:
            await self._context.drain(self._drain_seconds)

    def start_draining(self, seconds: float) -> None:
        """Refuse requests with 503 from now on, and close the sockets with ``farewell``, over ``seconds``.

        Raises:
            ServerError: the server does not run.
        """
        self.stop_draining()
        if self._context is None:
            raise ServerError("the server does not run")
        self._draining = Draining(self._context, seconds)

    def stop_draining(self) -> None:
        """Take that back, if it was asked for: serve again."""
        if self._draining is not None:
            self._draining.stop()
            self._draining = None

    async def adopt(self, descriptor: int, web_socket: WebSocket, answered: Answered) -> None:
        """Serve a client that another process has answered."""
        if self._context is None:
            raise ServerError("the server does not run")
        await Arrival(self._context, web_socket, answered).connect(descriptor)

    async def serve_forever(self) -> None:
        """Wait until cancelled."""
        await asyncio.get_running_loop().create_future()


def url_of(host: str, port: int, scheme: str = "http") -> str:
    """Where a client on this machine finds what listens there, without a path."""
    shown = {"0.0.0.0": "127.0.0.1", "::": "[::1]", "": "127.0.0.1"}.get(host)  # noqa: S104 - shown, not bound
    return f"{scheme}://{shown or (f'[{host}]' if ':' in host else host)}:{port}"


async def bind(hosts: Sequence[str], port: int) -> list[socket_module.socket]:
    """A listening socket for each address of ``hosts``, all with the same port.

    Raises:
        ServerError: one of the addresses can't be listened on.
    """
    sockets: list[socket_module.socket] = []
    refused: OSError | None = None
    try:
        for family, address in await _addresses(hosts, port):
            try:
                socket = _bound(family, (address[0], port, *address[2:]))
            except OSError as error:
                if error.errno not in (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT):
                    raise
                refused = error  # a family that this machine does not speak: the others will do
                continue
            sockets.append(socket)
            port = socket.getsockname()[1]
        if not sockets and refused is not None:
            raise refused
    except OSError as error:
        for socket in sockets:
            socket.close()
        raise ServerError(_bind_fault(hosts, port, error)) from error
    return sockets


async def _addresses(hosts: Sequence[str], port: int) -> list[tuple[int, Any]]:
    loop = asyncio.get_running_loop()
    found: dict[tuple[int, Any], None] = {}
    for host in hosts:
        infos = await loop.getaddrinfo(
            host or None, port, type=socket_module.SOCK_STREAM, flags=socket_module.AI_PASSIVE
        )
        found.update(dict.fromkeys((int(info[0]), info[4]) for info in infos))
    return list(found)


def _bound(family: int, address: Any) -> socket_module.socket:
    socket = socket_module.socket(family, socket_module.SOCK_STREAM)
    try:
        socket.setsockopt(socket_module.SOL_SOCKET, socket_module.SO_REUSEADDR, 1)
        if family == socket_module.AF_INET6:
            socket.setsockopt(socket_module.IPPROTO_IPV6, socket_module.IPV6_V6ONLY, 1)
        socket.setblocking(False)
        socket.bind(address)
        socket.listen(_BACKLOG)
    except OSError:
        socket.close()
        raise
    return socket


def _bind_fault(hosts: Sequence[str], port: int, error: OSError) -> str:
    where = f"port {port} of {', '.join(hosts)}"
    if error.errno == errno.EADDRINUSE:
        return f"{where} is in use by another program; stop it, or choose another port with --port"
    if error.errno == errno.EACCES:
        return f"{where} may not be used without more rights; choose a port from 1024 on with --port"
    return f"can't listen on {where}: {error.strerror or error}"


def run(main: Coroutine[Any, Any, _T]) -> _T:
    """Run ``main`` on uvloop if it is installed, on asyncio's own loop otherwise."""
    try:
        from uvloop import new_event_loop
    except ImportError:
        return asyncio.run(main)
    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        return runner.run(main)
