"""What passes between the sockets of a room that is an object, and between them and its store.

What a client says is passed on as it came, at once or when everything that was written before is safe; what
the store says always waits for that.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, final

from durabase._codec import utf8_length
from durabase.errors import SyncError, SyncOverflowError
from durabase.sync_server._inbox import AnyInbox
from durabase.sync_server._peer import ServerSeat
from durabase.synchronizers.protocol.messages import Message, parse_message
from durabase.synchronizers.protocol.payloads import MAX_PAYLOAD_BYTES, Payload, encode_payloads
from durabase.synchronizers.protocol.relay import EVERYBODY, SERVER_ID, Relay
from durabase.types import Id
from durabase.web import WebSocket

__all__ = ["Passing"]


@final
class Passing:
    """Passes messages on.

    Args:
        relay: who is in the room.
        when_safe: whether clients get what others say when it is safe only.
        new_inbox: gives what reads the messages of a socket.
        fragment_size: gives the bytes after which the store's own messages are cut.
        tell: calls what may fail without keeping messages from passing.
        on_message: is told of everything that passes; ``None``: nobody is.
        on_error: is told why a socket is closed.

    Attributes:
        seat: the store's place, once it is loaded.
        watchers: are told of whole messages: who sent it, to whom, and what.
    """

    __slots__ = (
        "_fragment_size",
        "_new_inbox",
        "_on_error",
        "_on_message",
        "_relay",
        "_senders",
        "_tell",
        "_when_safe",
        "seat",
        "watchers",
    )

    def __init__(
        self,
        relay: Relay[WebSocket],
        when_safe: bool,
        *,
        new_inbox: Callable[[WebSocket, Id], AnyInbox],
        fragment_size: Callable[[], float | None],
        tell: Callable[..., object],
        on_message: Callable[[Id, Id, str], Any] | None,
        on_error: Callable[[Exception], Any],
    ) -> None:
        self._relay: Final = relay
        self._when_safe: Final = when_safe
        self._new_inbox: Final = new_inbox
        self._fragment_size: Final = fragment_size
        self._tell: Final = tell
        self._on_message: Final = on_message
        self._on_error: Final = on_error
        self._senders: dict[WebSocket, tuple[Id, AnyInbox]] = {}  # of those in the room who have spoken
        self.seat: ServerSeat | None = None
        self.watchers: list[Callable[[Id, Id, Message], object]] = []

    def receive(self, socket: WebSocket, message: str | bytes) -> None:
        """A client's payload: passed on, then given to the store."""
        sender = self._senders.get(socket)
        if sender is None:
            client_id = self._relay.client_id(socket)
            if client_id is None:
                return
            sender = self._senders[socket] = client_id, self._new_inbox(socket, client_id)
        try:
            payload = sender[1].receive(message)
        except SyncError as error:
            self.disconnect(socket, error)
        else:
            if payload is not None:
                self._pass_on(socket, sender[0], payload)

    def inbox(self, socket: WebSocket) -> AnyInbox | None:
        """What reads the messages of a socket that has sent any."""
        sender = self._senders.get(socket)
        return None if sender is None else sender[1]

    def disconnect(self, socket: WebSocket, error: SyncError) -> None:
        """Close a socket for what its client did, or did not do."""
        if self._relay.leave(socket):
            self.forget(socket)
            self._tell(self._on_error, error)
            socket.close(error.close_code, str(error))

    def forget(self, socket: WebSocket) -> None:
        """It is not in the room any more."""
        self._relay.leave(socket)
        sender = self._senders.pop(socket, None)
        if sender is not None:
            sender[1].drop()

    def send_from_store(self, address: Id, remainder: str) -> None:
        """What the store says to a client, or to all."""
        self._send_as_store(self._relay.route_from_server(address), address, remainder)

    def send_to_others(self, client_id: Id, remainder: str) -> None:
        """What the store says to all but one."""
        self._send_as_store(self._relay.others_than(client_id), EVERYBODY, remainder)

    def _pass_on(self, socket: WebSocket, client_id: Id, payload: Payload) -> None:
        address, message = payload.address, payload.message
        delivery = self._relay.route(socket, address)
        for watcher in self.watchers:
            self._tell(watcher, client_id, address, message)
        seat = self.seat if delivery.to_server else None
        if seat is not None and self._when_safe:
            seat.receive(client_id, message)
        for remainder in payload.remainders:
            if self._on_message is not None:
                self._tell(self._on_message, client_id, address, remainder)
            if delivery.members:
                self._deliver(delivery.members, f"{client_id}\n{remainder}", self._when_safe)
        if seat is not None and not self._when_safe:
            seat.receive(client_id, message)

    def _send_as_store(self, sockets: list[WebSocket], address: Id, remainder: str) -> None:
        if not sockets and self._on_message is None:
            return
        for watcher in self.watchers:
            self._tell(watcher, SERVER_ID, address, parse_message(remainder))
        for payload in encode_payloads(SERVER_ID, remainder, self._fragment_size()):
            if self._on_message is not None:
                self._tell(self._on_message, SERVER_ID, address, payload.partition("\n")[2])
            self._deliver(sockets, payload, True)

    def _deliver(self, sockets: list[WebSocket], text: str, when_safe: bool) -> None:
        size = utf8_length(text)
        for socket in sockets:
            connection = socket.connection
            if connection.buffered_amount() + size > MAX_PAYLOAD_BYTES:
                self.disconnect(socket, SyncOverflowError("socket"))
            elif not connection.sendable:
                continue
            elif when_safe:
                socket.send(text)
            else:
                connection.send_text(text)
