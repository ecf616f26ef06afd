"""Synchronizing a store with a server over a WebSocket, for as long as it takes.

:class:`WsSynchronizer` opens the connection, opens it again when it is lost, and catches up after each time.
It knows nothing of frames: what carries its texts is a :class:`~durabase.synchronizers.transport.Transport`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any, Final, Self, TypeAlias

from durabase._codec import unique_id, utf8_length
from durabase.clock import SystemClock, TimerClock
from durabase.errors import SyncClosedError, SyncError, SyncOverflowError
from durabase.persisters._steps import Completion, Steps, start_steps
from durabase.persisters.base import IgnoredErrorHandler
from durabase.synchronizers._deadlines import DeadlineTimer
from durabase.synchronizers._reconnecting import Backoff, sleep_on
from durabase.synchronizers._web_socket import WebSocketTransport, check_web_socket_url, open_web_socket
from durabase.synchronizers.base import MessageCallback, Synchronizer
from durabase.synchronizers.protocol.messages import Message, MessageType, message_text
from durabase.synchronizers.protocol.payloads import MAX_PAYLOAD_BYTES, PayloadDecoder, encode_payloads
from durabase.synchronizers.protocol.relay import EVERYBODY, SERVER_ID
from durabase.synchronizers.transport import Transport
from durabase.types import Id

if TYPE_CHECKING:
    import asyncio
    import ssl

    from durabase.mergeable import MergeableStore

__all__ = ["WebSocketTransport", "WsSynchronizer"]

OpenTransport: TypeAlias = Callable[[], Awaitable[Transport]]
ConnectionListener: TypeAlias = Callable[[bool], object]

_TRIES_BEFORE_CATCHING_UP: Final = 4
_BROADCASTS: Final = (MessageType.CONTENT_HASHES, MessageType.CONTENT_DIFF)


class WsSynchronizer(Synchronizer):
    """Keeps a mergeable store in step with the other clients of a server's path, and with the server.

    ::

        async with WsSynchronizer.connect(store, "ws://127.0.0.1:8787/foo") as synchronizer:
            await synchronizer.start_sync()
            ...

    While there is no connection the store can be used as ever; edits are told when the next one opens.
    """

    def __init__(
        self,
        store: MergeableStore,
        transport: Transport | None = None,
        request_timeout: float = 1.0,
        *,
        fragment_size: float | None = None,
        on_send: MessageCallback | None = None,
        on_receive: MessageCallback | None = None,
        on_ignored_error: IgnoredErrorHandler | None = None,
        on_connection: ConnectionListener | None = None,
        clock: TimerClock | None = None,
    ) -> None:
        """Synchronize over one transport that is open; for one that is opened again, see :meth:`connect`.

        Args:
            store: the store.
            transport: the connection; it is closed at the end.
            request_timeout: seconds to wait for an answer, and for the rest of a message.
            fragment_size: bytes of UTF-8 after which messages are cut.
            on_send: is called with every message before it is sent.
            on_receive: is called with every valid message that arrives.
            on_ignored_error: is called with each error that is not raised; unset, they are logged.
            on_connection: is called with ``True`` when a connection opens, with ``False`` when it is lost.
            clock: what timeouts run on.
        """
        clock = SystemClock() if clock is None else clock
        super().__init__(
            store,
            self._send_message,
            request_timeout=request_timeout,
            on_send=on_send,
            on_receive=on_receive,
            on_ignored_error=on_ignored_error,
            clock=clock,
        )
        self._clock = clock
        self._request_timeout = request_timeout
        self._fragment_size = fragment_size
        self._on_connection = on_connection
        self._first_transport = transport
        self._open: OpenTransport | None = None
        self._backoff = Backoff()
        self._last_failure = ""
        self._transport: Transport | None = None
        self._connected = Completion[None]()
        self._task: asyncio.Task[None] | None = None
        self._questions: dict[str, Completion[Any]] = {}

    @classmethod
    def connect(
        cls,
        store: MergeableStore,
        url: str,
        *,
        request_timeout: float = 1.0,
        fragment_size: float | None = None,
        headers: Mapping[str, str] | None = None,
        ssl: ssl.SSLContext | None = None,
        compression: bool = False,
        on_send: MessageCallback | None = None,
        on_receive: MessageCallback | None = None,
        on_ignored_error: IgnoredErrorHandler | None = None,
        on_connection: ConnectionListener | None = None,
        open_transport: OpenTransport | None = None,
        backoff: Backoff | None = None,
        clock: TimerClock | None = None,
    ) -> Self:
        """A synchronizer that connects when it is entered with ``async with``, and again when that is needed.

        Entering does not wait for the connection (:meth:`connected` does): a server may come later.

        Args:
            store: the store.
            url: ``ws://`` or ``wss://``, with the path.
            request_timeout: seconds to wait for an answer, and for the rest of a message.
            fragment_size: bytes of UTF-8 after which messages are cut.
            headers: more headers for the opening request.
            ssl: settings for ``wss://``.
            compression: whether to offer ``permessage-deflate``.
            on_send: is called with every message before it is sent.
            on_receive: is called with every valid message that arrives.
            on_ignored_error: is called with each error that is not raised; unset, they are logged.
            on_connection: is called with ``True`` when a connection opens, with ``False`` when it is lost.
            open_transport: opens a connection, instead of a WebSocket to ``url``.
            backoff: the delays between attempts.
            clock: what timeouts and delays run on.

        Raises:
            SyncError: ``url`` is no address of a WebSocket, or goes without TLS though ``ssl`` is given.
        """
        synchronizer = cls(
            store,
            None,
            request_timeout,
            fragment_size=fragment_size,
            on_send=on_send,
            on_receive=on_receive,
            on_ignored_error=on_ignored_error,
            on_connection=on_connection,
            clock=clock,
        )
        if open_transport is None:
            check_web_socket_url(url, ssl)

            async def open_transport() -> Transport:
                return await open_web_socket(url, headers=headers, ssl=ssl, compression=compression)

        synchronizer._open = open_transport
        synchronizer._backoff = Backoff() if backoff is None else backoff
        return synchronizer

    async def __aenter__(self) -> Self:
        self._start()
        return self

    def start_sync(self, initial_content: Any = None) -> Completion[Self]:
        """Follow the peers and tell them edits; see :meth:`Synchronizer.start_sync`. Needs an event loop.

        Without a connection it ends at once, with ``initial_content`` if given; peers are asked later.
        """
        self._start()
        return super().start_sync(initial_content)

    def is_connected(self) -> bool:
        """Whether a connection is open now."""
        return self._transport is not None

    async def connected(self) -> None:
        """Wait until a connection is open.

        Raises:
            SyncClosedError: this is destroyed.
        """
        while self._transport is None:
            await self._connected

    def get_transport(self) -> Transport | None:
        """The connection that is open now."""
        return self._transport

    async def saved(self) -> None:
        """Wait until the server's own copy has all that is in the store now; call :meth:`start_sync` before.

        The server is asked for the hashes of its copy until they are those of the store. durabase answers
        when that copy is on the disk, other servers as they do. It takes as long as it takes, for ever with
        servers that keep no copy: put it into ``asyncio.timeout``.

        Raises:
            SyncClosedError: this is destroyed.
        """
        store: Any = self.get_store()
        backoff, tries = Backoff(0.02, 1.0), 0
        while await self._hashes_of_server() != list(store.get_mergeable_content_hashes()):
            tries += 1
            if (
                self._is_syncing and tries % _TRIES_BEFORE_CATCHING_UP == 0
            ):  # an exchange may have been cut short
                await start_steps(self._catch_up_steps())
            await sleep_on(self._clock, backoff.next_seconds())

    async def _hashes_of_server(self) -> Any:
        """What the server answers in time, or ``None``."""
        await self.connected()
        request_id = f"saved.{unique_id(4)}"
        answer = self._questions[request_id] = Completion[Any]()
        give_up = self._clock.call_later(self._request_timeout, lambda: self._answer(request_id, None))
        try:
            self._send_message(SERVER_ID, Message(request_id, MessageType.GET_CONTENT_HASHES, ""))
            return await answer
        finally:
            give_up.cancel()
            self._questions.pop(request_id, None)

    def _answer(self, request_id: str | None, body: Any) -> None:
        question = self._questions.pop(request_id or "", None)
        if question is not None:
            question.set_result(body)

    def receive_message(self, from_client: Id, message: Message) -> None:
        """Take a message, as every synchronizer does; answers to :meth:`saved` are among them."""
        super().receive_message(from_client, message)
        if self._questions and message.number is MessageType.RESPONSE and from_client == SERVER_ID:
            self._answer(message.request_id, message.body)

    # Connections

    def _start(self) -> None:
        import asyncio  # here, for importing a synchronizer must not load asyncio

        self._check_alive()
        if self._task is None:
            if self._first_transport is not None:
                self._adopt(self._first_transport)
            self._task = asyncio.get_running_loop().create_task(self._run())

    async def _run(self) -> None:
        if self._first_transport is not None:
            await self._follow(self._first_transport)
        while self._open is not None:
            transport = await self._try_to_open(self._open)
            if transport is not None:
                self._adopt(transport)
                await self._follow(transport)
            await sleep_on(self._clock, self._backoff.next_seconds())

    async def _try_to_open(self, open_transport: OpenTransport) -> Transport | None:
        try:
            transport = await open_transport()
        except Exception as error:
            if str(error) != self._last_failure:  # one that lasts is reported once
                self._ignored_errors.report(error, traced=False)
            self._last_failure = str(error)
            return None
        self._last_failure = ""
        return transport

    def _adopt(self, transport: Transport) -> None:
        """Use a connection, and catch up with the peers if there was one before."""
        self._transport = transport
        self._connected.set_result(None)
        self._tell_connection(True)
        if self._is_syncing:
            start_steps(self._catch_up_steps())

    def _catch_up_steps(self) -> Steps[None]:
        """Take over what the peers have, then tell them what is here: neither side pushes content."""
        yield self.load()
        if not self._is_destroyed():
            yield self.save()

    async def _follow(self, transport: Transport) -> None:
        decoder = PayloadDecoder(self._request_timeout)
        timer = DeadlineTimer(self._clock, decoder)
        try:
            async for text in transport:
                self._read(transport, decoder, text)
                timer.arm()
        finally:
            timer.cancel()
            self._lose(transport)

    def _read(self, transport: Transport, decoder: PayloadDecoder, text: str) -> None:
        try:
            payload = decoder.receive(text, self._clock.now_ms())
        except SyncError as error:
            self._close_for(transport, error)
            return
        if payload is not None:
            self._backoff.reset()
            self.receive_message(payload.address, payload.message)

    def _close_for(self, transport: Transport, error: SyncError) -> None:
        self._report(error)
        transport.close(error.close_code, str(error))

    def _lose(self, transport: Transport) -> None:
        if self._transport is transport:
            self._transport = None
            self._connected = Completion()
            if not self._is_destroyed():
                self.fail_pending_requests(SyncClosedError())
            self._tell_connection(False)

    def _tell_connection(self, is_open: bool) -> None:
        if self._on_connection is not None:
            try:
                self._on_connection(is_open)
            except Exception as error:
                self._report(error)

    def _release(self) -> Awaitable[None]:
        return self._close_down()

    async def _close_down(self) -> None:
        import asyncio  # here, for importing a synchronizer must not load asyncio

        transport, task = self._transport, self._task
        if transport is not None:
            transport.close(None, "")
            await transport.wait_closed()
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        if not self._connected.done():
            self._connected.set_exception(SyncClosedError())

    # Messages

    def _send_message(self, to_client: Id | None, message: Message) -> None:
        transport = self._transport
        if transport is None:
            if message.number in _BROADCASTS:
                return  # everybody is told when the next connection is open
            raise SyncClosedError
        address = EVERYBODY if to_client is None else to_client
        for payload in encode_payloads(address, message_text(message), self._fragment_size):
            if transport.buffered_amount() + utf8_length(payload) > MAX_PAYLOAD_BYTES:
                self._close_for(transport, SyncOverflowError("socket"))
                return
            transport.send_text(payload)
