"""A WebSocket client over a plain socket that may break every rule of RFC 6455."""

from __future__ import annotations

import base64
import os
import socket
from dataclasses import dataclass, field
from typing import Self

TEXT, BINARY, CLOSE, PING, PONG = 0x1, 0x2, 0x8, 0x9, 0xA
CONTINUATION = 0x0


def new_key() -> str:
    return base64.b64encode(os.urandom(16)).decode()


def frame(
    payload: bytes | str,
    opcode: int = TEXT,
    *,
    fin: bool = True,
    masked: bool = True,
    reserved: int = 0,
    length: int | None = None,
) -> bytes:
    """The bytes of a frame; ``length``: what its header says, whatever ``payload`` has."""
    data = payload.encode("utf-8", "surrogatepass") if isinstance(payload, str) else payload
    size = len(data) if length is None else length
    mask_bit = 0x80 if masked else 0
    head = bytes([(0x80 if fin else 0) | reserved << 4 | opcode])
    if size < 126:
        head += bytes([mask_bit | size])
    elif size < 1 << 16:
        head += bytes([mask_bit | 126]) + size.to_bytes(2, "big")
    else:
        head += bytes([mask_bit | 127]) + size.to_bytes(8, "big")
    return head + b"\0\0\0\0" + data if masked else head + data


@dataclass
class Handshake:
    """What a server answered to a request."""

    status: int
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)


class Wire:
    """One connection. Everything that is waited for comes within ``seconds``, or the test fails."""

    def __init__(
        self,
        port: int,
        path: str = "/",
        key: str | None = None,
        *,
        seconds: float = 5.0,
        small: bool = False,
        extensions: str = "",
    ) -> None:
        self.key = key or new_key()
        self._socket = socket.socket()
        if small:  # so that a client that does not read is noticed soon
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self._socket.settimeout(seconds)
        self._socket.connect(("127.0.0.1", port))
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._unread = b""
        self.send(
            f"GET {path} HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: {self.key}\r\nSec-WebSocket-Version: 13\r\n"
            f"Sec-WebSocket-Extensions: {extensions}\r\n\r\n".encode("latin-1")
        )
        head = self._read_until(b"\r\n\r\n").decode("latin-1")
        assert head.startswith("HTTP/1.1 101 "), head

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.hang_up()

    def hang_up(self) -> None:
        self._socket.close()

    def send(self, data: bytes) -> None:
        self._socket.sendall(data)

    def send_text(self, text: str | bytes) -> None:
        self.send(frame(text))

    def set_timeout(self, seconds: float) -> None:
        self._socket.settimeout(seconds)

    def receive(self) -> tuple[int, bytes]:
        """Opcode and payload of the next frame; fails if the connection ends or nothing comes."""
        first, second = self._read(2)
        assert not second & 0x80, "a server's frames are not masked"
        size = second & 0x7F
        if size >= 126:
            size = int.from_bytes(self._read(2 if size == 126 else 8), "big")
        return first & 0x0F, self._read(size)

    def receive_text(self) -> str:
        """The next text; answers pings."""
        while True:
            opcode, payload = self.receive()
            if opcode == PING:
                self.send(frame(payload, PONG))
            elif opcode != PONG:
                assert opcode == TEXT, (opcode, payload)
                return payload.decode()

    def receive_close(self) -> tuple[int | None, str]:
        """Code and reason of the Close frame; what comes before it is dropped."""
        while True:
            opcode, payload = self.receive()
            if opcode == CLOSE:
                code = int.from_bytes(payload[:2], "big") if payload else None
                return code, payload[2:].decode()

    def receive_end(self) -> None:
        """Wait until the server has hung up."""
        while True:
            try:
                data = self._socket.recv(1 << 16)
            except ConnectionResetError:
                return
            if not data:
                return

    def _read(self, size: int) -> bytes:
        while len(self._unread) < size:
            data = self._socket.recv(max(1 << 16, size - len(self._unread)))
            if not data:
                raise ConnectionError("the server has hung up")
            self._unread += data
        data, self._unread = self._unread[:size], self._unread[size:]
        return data

    def _read_until(self, end: bytes) -> bytes:
        while end not in self._unread:
            data = self._socket.recv(1 << 16)
            if not data:
                raise ConnectionError(f"the server has hung up after {self._unread!r}")
            self._unread += data
        found, _, self._unread = self._unread.partition(end)
        return found


def ask(port: int, request: bytes, seconds: float = 5.0) -> Handshake:
    """What a server answers to the bytes of a request; the connection is closed afterwards."""
    with socket.create_connection(("127.0.0.1", port), timeout=seconds) as connection:
        connection.sendall(request)
        answer = b""
        while b"\r\n\r\n" not in answer:
            data = connection.recv(1 << 16)
            assert data, answer
            answer += data
        head, _, body = answer.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        due = 0 if request.startswith(b"HEAD ") else int(headers.get("content-length", "0"))
        while len(body) < due:
            data = connection.recv(1 << 16)
            assert data, answer
            body += data
    return Handshake(int(first.split()[1]), body, headers)
