"""What a server's WebSockets have carried: plain numbers that only grow."""

from __future__ import annotations

from collections import Counter
from typing import Final

__all__ = ["Traffic"]

_LAST_OF_THE_PROTOCOL: Final = 1015


class Traffic:
    """Counts for all sockets of a server.

    Attributes:
        bytes_in, bytes_out: bytes of the connections, after their handshakes, as they are on the network.
        messages_in: text and binary messages that have arrived.
        frames_out: messages that were sent, and the pings and closes among them.
        closes: how many sockets are over, by close code, see :meth:`closed`.
        slow_readers: sockets that were given up as their peers did not read.
    """

    __slots__ = ("bytes_in", "bytes_out", "closes", "frames_out", "messages_in", "slow_readers")

    def __init__(self) -> None:
        self.bytes_in = self.bytes_out = 0
        self.messages_in = self.frames_out = 0
        self.slow_readers = 0
        self.closes: Counter[str] = Counter()

    def closed(self, code: int) -> None:
        """A socket is over. Codes from 3000 on, which peers choose, are counted as ``3xxx`` and ``4xxx``."""
        self.closes[str(code) if code <= _LAST_OF_THE_PROTOCOL else f"{code // 1000}xxx"] += 1
