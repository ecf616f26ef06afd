"""An echo endpoint without a network, for the tests."""

from __future__ import annotations

from durabase.server.compression import Compression
from durabase.server.frames import binary_frame, text_frame
from durabase.server.outbox import Outbox, Turn
from durabase.server.websocket import WebSocketEndpoint
from unit.server.wire import Frame, read_frames

LIMIT = 16 << 20


class FakeTransport:
    """Takes what is written, up to ``room`` bytes; keeps the rest until :meth:`take`."""

    def __init__(self, room: int | None = None) -> None:
        self.room = room
        self.sent = b""
        self.kept = b""
        self.writes = 0
        self.outbox: Outbox | None = None

    def write(self, data: bytes, /) -> None:
        self.writes += 1
        self.kept += data
        self._send()
        if self.kept and self.outbox is not None:
            self.outbox.block()

    def get_write_buffer_size(self) -> int:
        return len(self.kept)

    def take(self, size: int | None = None) -> None:
        """The operating system has room again."""
        self.room = None if size is None else size
        blocked = bool(self.kept)
        self._send()
        if blocked and not self.kept and self.outbox is not None:
            self.outbox.unblock()

    def _send(self) -> None:
        size = len(self.kept) if self.room is None else min(self.room, len(self.kept))
        self.sent += self.kept[:size]
        self.kept = self.kept[size:]
        if self.room is not None:
            self.room -= size

    def frames(self, bits: int | None = None) -> list[Frame]:
        frames, rest = read_frames(self.sent, bits)
        assert rest == b""
        return frames


class TurnEnds:
    """A loop's ``call_soon`` by hand."""

    def __init__(self) -> None:
        self.callbacks: list[object] = []

    def call_soon(self, callback: object) -> None:
        self.callbacks.append(callback)

    def end(self) -> None:
        callbacks, self.callbacks = self.callbacks, []
        for callback in callbacks:
            callback()  # type: ignore[operator]


class Echo:
    """Echoes messages like the server of the network tests."""

    def __init__(self, limit: int = LIMIT, compression: Compression | None = None) -> None:
        self.transport = FakeTransport()
        self.ends = TurnEnds()
        outbox = Outbox(self.transport, Turn(self.ends.call_soon, 1), LIMIT, 1000)
        self.transport.outbox = outbox
        self.endpoint = WebSocketEndpoint(outbox, limit, compression)
        self._text_frame = text_frame if compression is None else compression.text_frame
        self._binary_frame = binary_frame if compression is None else compression.binary_frame

    def receive(self, data: bytes) -> None:
        self.endpoint.receive(data)
        while (event := self.endpoint.next_event()) is not None:
            if isinstance(event, str):
                self.endpoint.send(self._text_frame(event.encode()))
            elif isinstance(event, bytes):
                self.endpoint.send(self._binary_frame(event))
        self.ends.end()
