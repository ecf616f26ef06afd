"""Several stores in step with several paths over one WebSocket.

The original calls it channel mode: the socket has the subprotocol ``tinybase``, and each store has a channel,
which is a path below the socket's. A channel is a transport to its synchronizer like any other; when the
socket is lost, every channel is, and the first synchronizer that connects again opens the next one for all.
Only servers of Node's kind have channels (``WsServer``, ``WsServerSimple``), Durable Objects have not.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Self, TypeAlias, final

from durabase._codec import utf8_length
from durabase.clock import SystemClock, TimerClock, TimerHandle
from durabase.errors import ChannelError, SyncClosedError, SyncError, SyncOverflowError, SyncTimeoutError
from durabase.synchronizers._web_socket import check_web_socket_url, open_web_socket
from durabase.synchronizers.protocol.channels import (
    CHANNELS_PROTOCOL,
    MAX_CHANNEL_ID_BYTES,
    ChannelConfirmed,
    ChannelText,
    ClientChannels,
    Control,
    channel_payload,
    is_channel_id,
)
from durabase.synchronizers.protocol.payloads import MAX_PAYLOAD_BYTES
from durabase.synchronizers.transport import Transport
from durabase.synchronizers.ws_client import WsSynchronizer

if TYPE_CHECKING:
    import ssl

    from durabase.mergeable import MergeableStore

__all__ = ["WsChannels"]

OpenTransport: TypeAlias = Callable[[], Awaitable[Transport]]

MAX_QUEUED: Final = 1000
"""How many texts may wait for the synchronizers of one socket."""
_FAIR_SHARE: Final = 64
_INVALID_ID: Final = 6
_ID_IN_USE: Final = 7


class WsChannels:
    """One WebSocket for several synchronizers.

    ::

        async with WsChannels.connect("ws://127.0.0.1:8048/base") as channels:
            async with channels.synchronizer(store, "files") as synchronizer:
                await synchronizer.start_sync()
    """

    def __init__(
        self, open_transport: OpenTransport, *, control_timeout: float = 1.0, clock: TimerClock | None = None
    ) -> None:
        """Share the sockets that ``open_transport`` opens, one at a time.

        Args:
            open_transport: opens a socket in channel mode.
            control_timeout: seconds in which the server has to confirm what it is asked for.
            clock: what timeouts run on.
        """
        self._open_transport = open_transport
        self._control_timeout = control_timeout
        self._clock = SystemClock() if clock is None else clock
        self._channel_ids: set[str] = set()
        self._opening = asyncio.Lock()
        self._socket: _SharedSocket | None = None

    @classmethod
    def connect(
        cls,
        url: str,
        *,
        control_timeout: float = 1.0,
        headers: Mapping[str, str] | None = None,
        ssl: ssl.SSLContext | None = None,
        compression: bool = False,
        clock: TimerClock | None = None,
    ) -> Self:
        """Share WebSockets to ``url``, opened when they are needed; see :meth:`WsSynchronizer.connect`."""
        check_web_socket_url(url, ssl)

        async def open_transport() -> Transport:
            return await open_web_socket(
                url, headers=headers, ssl=ssl, compression=compression, subprotocol=CHANNELS_PROTOCOL
            )

        return cls(open_transport, control_timeout=control_timeout, clock=clock)

    def synchronizer(self, store: MergeableStore, channel_id: str, **options: Any) -> WsSynchronizer:
        """A synchronizer for one channel; enter it with ``async with``.

        Args:
            store: the store.
            channel_id: the path below that of the socket.
            options: those of :meth:`WsSynchronizer.connect` that are not about the socket.

        Raises:
            ChannelError: the id is malformed (code 6), or another store has this channel (code 7).
        """
        if not is_channel_id(channel_id) or utf8_length(channel_id) > MAX_CHANNEL_ID_BYTES:
            raise ChannelError(channel_id, code=_INVALID_ID)
        if channel_id in self._channel_ids:
            raise ChannelError(channel_id, code=_ID_IN_USE)
        self._channel_ids.add(channel_id)
        options.setdefault("clock", self._clock)
        return _ChannelSynchronizer.connect(
            store, "", open_transport=lambda: self._open_channel(channel_id), **options
        ).on_release(lambda: self._channel_ids.discard(channel_id))

    async def _open_channel(self, channel_id: str) -> Transport:
        async with self._opening:
            if self._socket is None or self._socket.is_over:
                self._socket = await self._open_socket()
            socket = self._socket
        return await socket.join(channel_id)

    async def _open_socket(self) -> _SharedSocket:
        socket = _SharedSocket(await self._open_transport(), self._control_timeout, self._clock)
        try:
            await socket.greet()
        except BaseException:
            await socket.end()
            raise
        return socket

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._socket is not None:
            await self._socket.end()


class _ChannelSynchronizer(WsSynchronizer):
    """Gives its channel free when it is destroyed."""

    _released: Callable[[], object] = staticmethod(lambda: None)

    def on_release(self, released: Callable[[], object]) -> Self:
        self._released = released
        return self

    async def _close_down(self) -> None:
        self._released()
        await super()._close_down()


@final
class _SharedSocket:
    """One socket in channel mode, from its greeting to its end."""

    def __init__(self, transport: Transport, control_timeout: float, clock: TimerClock) -> None:
        self.transport = transport
        self.is_over = False
        self._control_timeout = control_timeout
        self._clock = clock
        self._protocol = ClientChannels()
        self._places: dict[str, _ChannelTransport] = {}
        self._confirmations: dict[str | None, asyncio.Future[None]] = {}
        self._queued = 0
        self._queued_size = 0
        self._reader = asyncio.get_running_loop().create_task(self._read())

    async def greet(self) -> None:
        """Agree on channel mode."""
        await self._ask(None, Control.HELLO, self._protocol.hello())

    async def join(self, channel_id: str) -> Transport:
        """Subscribe a channel."""
        place = self._places[channel_id] = _ChannelTransport(self, channel_id)
        try:
            await self._ask(channel_id, Control.SUBSCRIBE, self._protocol.subscribe(channel_id))
        except BaseException:
            place.close(None, "")
            raise
        return place

    def leave(self, channel_id: str) -> None:
        """Unsubscribe a channel."""
        if self._places.pop(channel_id, None) is not None and not self.is_over:
            self.transport.send_text(self._protocol.unsubscribe(channel_id))

    def account(self, count: int, size: int) -> None:
        """Keep count of what waits for synchronizers; if it is too much, close."""
        self._queued += count
        self._queued_size += size
        if self._queued > MAX_QUEUED or self._queued_size > MAX_PAYLOAD_BYTES:
            self.fail(SyncOverflowError("client"))

    def fail(self, error: SyncError) -> None:
        """Close the socket for what came over it."""
        self._finish()
        self.transport.close(error.close_code, str(error))

    async def end(self) -> None:
        """Close the socket."""
        self._finish()
        self.transport.close(None, "")
        await self.transport.wait_closed()
        self._reader.cancel()
        await asyncio.gather(self._reader, return_exceptions=True)

    async def _ask(self, key: str | None, control: Control, text: str) -> None:
        if self.is_over:
            raise SyncClosedError
        confirmation = self._confirmations[key] = asyncio.get_running_loop().create_future()
        timer = self._arm(confirmation, control)
        self.transport.send_text(text)
        try:
            await confirmation
        finally:
            timer.cancel()
            self._confirmations.pop(key, None)

    def _arm(self, confirmation: asyncio.Future[None], control: Control) -> TimerHandle:
        def give_up() -> None:
            if not confirmation.done():
                confirmation.set_exception(SyncTimeoutError(str(int(control)), code=4))

        return self._clock.call_later(self._control_timeout, give_up)

    async def _read(self) -> None:
        count = 0
        try:
            async for text in self.transport:
                if not self.is_over:
                    self._take(text)
                count += 1
                if not count % _FAIR_SHARE:
                    await asyncio.sleep(0)  # let the synchronizers take what is theirs
        finally:
            self._finish()

    def _take(self, text: str) -> None:
        try:
            event = self._protocol.receive(text)
        except SyncError as error:
            self.fail(error)
            return
        match event:
            case ChannelConfirmed(channel_id):
                confirmation = self._confirmations.get(channel_id)
                if confirmation is not None and not confirmation.done():
                    confirmation.set_result(None)
            case ChannelText(channel_id, payload):
                if channel_id in self._places:
                    self._places[channel_id].bring(payload)

    def _finish(self) -> None:
        """The socket is of no use any more: end all channels and whatever waits."""
        self.is_over = True
        places, self._places = self._places, {}
        for place in places.values():
            place.end()
        for confirmation in self._confirmations.values():
            if not confirmation.done():
                confirmation.set_exception(SyncClosedError())


@final
class _ChannelTransport:
    """One channel of a shared socket, as a transport."""

    def __init__(self, socket: _SharedSocket, channel_id: str) -> None:
        self._socket = socket
        self._channel_id = channel_id
        self._incoming: asyncio.Queue[str | None] = asyncio.Queue()
        self._is_over = False

    def send_text(self, text: str) -> None:
        if not self._is_over:
            self._socket.transport.send_text(channel_payload(self._channel_id, text))

    def close(self, code: int | None, reason: str) -> None:
        """Leave the channel; with a code, for something invalid, close the socket as the original does."""
        if self._is_over:
            return
        if code is None:
            self._socket.leave(self._channel_id)
            self.end()
        else:
            self._socket.transport.close(code, reason)

    async def wait_closed(self) -> None:
        """Leaving takes no time."""

    def buffered_amount(self) -> int:
        return self._socket.transport.buffered_amount()

    def bring(self, text: str) -> None:
        """A payload has come for this channel."""
        self._incoming.put_nowait(text)
        self._socket.account(1, utf8_length(text))

    def end(self) -> None:
        """Nothing more will come."""
        if not self._is_over:
            self._is_over = True
            self._incoming.put_nowait(None)

    async def __aiter__(self) -> AsyncIterator[str]:
        while (text := await self._incoming.get()) is not None:
            self._socket.account(-1, -utf8_length(text))
            yield text
