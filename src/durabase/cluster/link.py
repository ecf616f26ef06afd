"""A connection between two processes of one machine: frames in order, some with a descriptor of a socket.

A frame is its length, a flag, and bytes. Descriptors come with the bytes they were sent with (SCM_RIGHTS),
so the n-th that arrives belongs to the n-th frame that is flagged.
"""

from __future__ import annotations

import os
import socket as socket_module
import struct
from asyncio import AbstractEventLoop
from collections import deque
from collections.abc import Callable
from socket import socket as Socket  # noqa: N812 - a class
from typing import Final

from durabase.errors import ClusterError

__all__ = ["MAX_FRAME", "Link"]

MAX_FRAME: Final = 256 * 2**20
"""What a frame may take, in bytes: RPC's 32 MiB, and bodies of requests, with room to spare."""
MAX_UNSENT: Final = 512 * 2**20

_CHUNK: Final = 256 * 1024
_MAX_DESCRIPTORS: Final = 64
_head = struct.Struct(">IB")


class Link:
    """One end. Use it from the event loop only.

    Args:
        socket: a connected Unix socket.
        loop: the event loop.
        receive: called with each frame that arrives, and its descriptor, which is then the callee's to close.
        lost: called once, when the connection is over and :meth:`close` was not called.
    """

    def __init__(
        self,
        socket: Socket,
        loop: AbstractEventLoop,
        receive: Callable[[bytes, int | None], object],
        lost: Callable[[], object],
    ) -> None:
        socket.setblocking(False)
        self._socket = socket
        self._loop = loop
        self._receive = receive
        self._lost = lost
        self._unsent: deque[tuple[memoryview, int | None]] = deque()
        self._unsent_bytes = 0
        self._received = bytearray()
        self._descriptors: deque[int] = deque()
        self._is_open = True
        loop.add_reader(socket.fileno(), self._readable)

    def send(self, data: bytes, descriptor: int | None = None) -> None:
        """Send a frame; with a descriptor, which is closed here when it has gone.

        Raises:
            ClusterError: the connection is over, the frame is too large, or too much waits to be sent.
        """
        fault = self._fault(data)
        if fault is not None:
            if descriptor is not None:
                os.close(descriptor)
            raise ClusterError(fault)
        frame = memoryview(_head.pack(len(data), descriptor is not None) + data)
        self._unsent.append((frame, descriptor))
        self._unsent_bytes += len(frame)
        if len(self._unsent) == 1:
            self._writable()

    def _fault(self, data: bytes) -> str | None:
        if not self._is_open:
            return "the connection to another process is over"
        if len(data) > MAX_FRAME:
            return f"{len(data)} bytes are too many for another process; at most {MAX_FRAME} can be sent"
        if self._unsent_bytes > MAX_UNSENT:
            return f"{self._unsent_bytes} bytes wait for another process already"
        return None

    def close(self) -> None:
        """Hang up; what was not sent yet is dropped."""
        if not self._is_open:
            return
        self._is_open = False
        self._loop.remove_reader(self._socket.fileno())
        self._loop.remove_writer(self._socket.fileno())
        self._socket.close()
        for _, descriptor in self._unsent:
            if descriptor is not None:
                os.close(descriptor)
        self._unsent.clear()
        while self._descriptors:
            os.close(self._descriptors.popleft())

    def _writable(self) -> None:
        """Send what goes."""
        try:
            while self._unsent:
                self._send_some()
        except BlockingIOError:
            self._loop.add_writer(self._socket.fileno(), self._writable)
        except OSError:
            self._lose()
        else:
            self._loop.remove_writer(self._socket.fileno())

    def _send_some(self) -> None:
        data, descriptor = self._unsent[0]
        if descriptor is None:
            sent = self._socket.send(data)
        else:
            sent = socket_module.send_fds(self._socket, [data], [descriptor])
            os.close(descriptor)
        self._unsent_bytes -= sent
        if sent < len(data):
            self._unsent[0] = (data[sent:], None)
        else:
            self._unsent.popleft()

    def _readable(self) -> None:
        try:
            data, descriptors, _, _ = socket_module.recv_fds(self._socket, _CHUNK, _MAX_DESCRIPTORS)
        except BlockingIOError:
            return
        except OSError:
            data, descriptors = b"", []
        self._descriptors += descriptors
        if not data:
            self._lose()
            return
        self._received += data
        self._deliver()

    def _deliver(self) -> None:
        received = self._received
        start = 0
        while self._is_open and len(received) - start >= _head.size:
            length, has_descriptor = _head.unpack_from(received, start)
            end = start + _head.size + length
            if length > MAX_FRAME:
                self._lose()
                return
            if len(received) < end:
                break
            descriptor = self._descriptors.popleft() if has_descriptor else None
            self._receive(bytes(received[start + _head.size : end]), descriptor)
            start = end
        del received[:start]

    def _lose(self) -> None:
        if self._is_open:
            self.close()
            self._lost()
