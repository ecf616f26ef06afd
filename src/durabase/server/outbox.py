"""What a socket has to send: one ordered, bounded queue per socket, written once per turn of the event loop.

A :class:`Turn` is shared by all sockets of a server. Whatever they queue within one turn of the loop is
joined and handed to the operating system with one call per socket when the turn ends, and a text that
goes to many is framed once. Sockets with more to read than a turn has time for share it.

An :class:`Outbox` counts what the operating system has not taken yet. A reader too slow for its limits
costs so much memory and no more; what to do about it is the owner's affair.
"""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter
from typing import Final, Protocol

from durabase.server.frames import text_frame
from durabase.server.traffic import Traffic

__all__ = ["Compressor", "Outbox", "OutgoingTransport", "Turn", "text_bytes"]

_WRITE_BYTES: Final = 1 << 18  # one write; more of a backlog stays in the queue, where it can be dropped


class OutgoingTransport(Protocol):
    """What an outbox needs of a connection: the writing half of ``asyncio.Transport``.

    It must call :meth:`Outbox.block` from within ``write`` as soon as it has to keep anything itself, and
    :meth:`Outbox.unblock` when it has nothing left (``set_write_buffer_limits(high=0)``).
    """

    def write(self, data: bytes, /) -> None:
        """Send, or keep what can't be sent now."""

    def get_write_buffer_size(self) -> int:
        """Bytes kept."""


def text_bytes(text: str) -> bytes:
    """UTF-8 as JavaScript would send it: half a surrogate pair becomes U+FFFD."""
    try:
        return text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace").encode()


class Compressor(Protocol):
    """What makes messages shorter for a client."""

    window_bits: int
    """Two that have the same make the same frames."""

    def text_frame(self, payload: bytes) -> bytes:
        """A whole text message; ``payload`` is its UTF-8."""


class Turn:
    """One turn of the event loop, as the sockets of a server share it.

    Attributes:
        traffic: counts what is sent.
    """

    __slots__ = (
        "_call_soon",
        "_came_short",
        "_compressed",
        "_compressed_text",
        "_frame",
        "_is_scheduled",
        "_seconds",
        "_share",
        "_text",
        "_time",
        "_waiting",
        "traffic",
    )

    def __init__(
        self,
        call_soon: Callable[[Callable[[], None]], object],
        seconds: float,
        time: Callable[[], float] = perf_counter,
    ) -> None:
        self.traffic = Traffic()
        self._call_soon = call_soon
        self._seconds = self._share = seconds
        self._time = time
        self._came_short = 0
        self._is_scheduled = False
        self._waiting: list[Outbox] = []
        self._text: str | None = None
        self._frame = b""
        self._compressed_text: str | None = None
        self._compressed: dict[int, bytes] = {}  # by window

    def share_end(self) -> float:
        """When the share of a socket is over that begins to read now; see :meth:`is_past`."""
        return self._time() + self._share

    def is_past(self, end: float) -> bool:
        """Whether a share is over."""
        return self._time() >= end

    def go_on_later(self, callback: Callable[[], None]) -> None:
        """Call ``callback`` in the next turn, for a socket whose share was too short."""
        self._came_short += 1
        self._schedule()
        self._call_soon(callback)

    def text_frame(self, text: str) -> bytes:
        """The frame of ``text``, made once for consecutive calls with the same object in one turn."""
        if text is not self._text:
            self._frame = text_frame(text_bytes(text))
            self._text = text
            self._schedule()
        return self._frame

    def compressed_text_frame(self, text: str, compressor: Compressor) -> bytes:
        """The same for clients that take compressed messages, made once for all of the same window."""
        if text is not self._compressed_text:
            self._compressed_text = text
            self._compressed = {}
            self._schedule()
        frame = self._compressed.get(compressor.window_bits)
        if frame is None:
            frame = self._compressed[compressor.window_bits] = compressor.text_frame(text_bytes(text))
        return frame

    def add(self, outbox: Outbox) -> None:
        """Flush ``outbox`` when the turn ends."""
        self._waiting.append(outbox)
        self._schedule()

    def _schedule(self) -> None:
        if not self._is_scheduled:
            self._is_scheduled = True
            self._call_soon(self._end)

    def _end(self) -> None:
        self._is_scheduled = False
        self._share = self._seconds / max(self._came_short, 1)
        self._came_short = 0
        self._text = None
        self._frame = b""
        if self._compressed_text is not None:
            self._compressed_text = None
            self._compressed = {}
        waiting = self._waiting
        self._waiting = []
        for outbox in waiting:
            outbox.flush()


class Outbox:
    """The frames that one socket still has to send, in order."""

    __slots__ = (
        "_blocked",
        "_bytes",
        "_frames",
        "_in_flight",
        "_max_bytes",
        "_max_frames",
        "_queued",
        "_transport",
        "_turn",
    )

    def __init__(self, transport: OutgoingTransport, turn: Turn, max_bytes: int, max_frames: int) -> None:
        self._transport = transport
        self._turn = turn
        self._max_bytes = max_bytes
        self._max_frames = max_frames
        self._frames: list[bytes] | None = None  # there only while anything is queued
        self._bytes = 0  # of ``_frames``
        self._in_flight: list[bytes] | None = None  # handed over, perhaps not taken; only while blocked
        self._blocked = False
        self._queued = False  # whether the turn has this outbox on its list

    def put(self, frame: bytes) -> bool:
        """Queue a frame. False: it is queued, and the outbox is now over its limits."""
        frames = self._frames
        if frames is None:
            frames = self._frames = [frame]
        else:
            frames.append(frame)
        self._bytes += len(frame)
        if not self._queued and not self._blocked:
            self._queued = True
            self._turn.add(self)
        if self._bytes < _WRITE_BYTES and len(frames) < self._max_frames:
            return not self._blocked or self._within_limits()
        self.flush()
        return self._within_limits()

    def flush(self) -> None:
        """Hand over to the operating system what it takes now."""
        self._queued = False
        while (frames := self._frames) is not None and not self._blocked:
            batch = self._next_batch(frames)
            self._in_flight = batch
            data = batch[0] if len(batch) == 1 else b"".join(batch)
            traffic = self._turn.traffic
            traffic.frames_out += len(batch)
            traffic.bytes_out += len(data)
            self._transport.write(data)
            if not self._blocked:
                self._in_flight = None

    def block(self) -> None:
        """The transport keeps a part of what was written: hold back the rest."""
        self._blocked = True

    def unblock(self) -> None:
        """The transport has sent everything: go on."""
        self._blocked = False
        self._in_flight = None
        self.flush()

    def discard(self) -> None:
        """Drop what is queued. What was handed over already still goes out."""
        self._frames = None
        self._bytes = 0

    @property
    def is_empty(self) -> bool:
        """Whether nothing is queued. The transport may still have something."""
        return self._frames is None

    def unsent_bytes(self) -> int:
        """Bytes that the operating system has not taken yet."""
        return self._bytes + (self._transport.get_write_buffer_size() if self._blocked else 0)

    def unsent_frames(self) -> int:
        """Frames of which the operating system has not taken every byte."""
        return self._count_queued() + self._count_in_flight()

    def _next_batch(self, frames: list[bytes]) -> list[bytes]:
        """Take from the queue what is written at once: all of it, unless that is very much."""
        if self._bytes <= _WRITE_BYTES:
            self._frames = None
            self._bytes = 0
            return frames
        size = 0
        count = 0
        while size < _WRITE_BYTES:
            size += len(frames[count])
            count += 1
        self._frames = frames[count:]
        self._bytes -= size
        return frames[:count]

    def _within_limits(self) -> bool:
        return self.unsent_bytes() <= self._max_bytes and self._few_frames()

    def _few_frames(self) -> bool:
        in_flight = len(self._in_flight) if self._in_flight is not None else 0
        most = self._max_frames
        return self._count_queued() + in_flight <= most or self.unsent_frames() <= most

    def _count_queued(self) -> int:
        return 0 if self._frames is None else len(self._frames)

    def _count_in_flight(self) -> int:
        """How many frames of the last write the transport still keeps; forgets those that are gone."""
        if self._in_flight is None:
            return 0
        kept = self._transport.get_write_buffer_size()
        count = 0
        for frame in reversed(self._in_flight):
            if kept <= 0:
                break
            kept -= len(frame)
            count += 1
        self._in_flight = self._in_flight[len(self._in_flight) - count :]
        return count
