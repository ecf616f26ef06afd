"""Requests that are none, or strange ones: a clear status, no traceback, and the server goes on."""

from __future__ import annotations

import socket

import pytest

from e2e._server import Server
from hostile._peer import GET_HASHES, Peer, message
from hostile._wire import ask, frame, new_key

HOST = b"Host: localhost\r\n"
KEY = f"Sec-WebSocket-Key: {new_key()}\r\n".encode()
UPGRADE = b"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n" + KEY
QUESTION = frame(f"S\n{message(GET_HASHES, '', 'q.1')}")

REQUESTS = {
    "an absolute target": (b"GET http://elsewhere/abc HTTP/1.1\r\n" + HOST + UPGRADE, 101),
    "escapes that are none": (b"GET /%zz%e HTTP/1.1\r\n" + HOST + UPGRADE, 101),
    "a header in Latin-1": (b"GET / HTTP/1.1\r\n" + HOST + b"X: \xe9\xff\r\n" + UPGRADE, 101),
    "5,000 headers": (b"GET / HTTP/1.1\r\n" + HOST + b"a: b\r\n" * 5000 + UPGRADE, 101),
    "an absolute target without a host": (b"GET http:// HTTP/1.1\r\n" + HOST + UPGRADE, 400),
    "a target with a bad port": (b"GET http://x:y/ HTTP/1.1\r\n" + HOST + UPGRADE, 400),
    "a target with half an address": (b"GET http://[::1/ HTTP/1.1\r\n" + HOST + UPGRADE, 400),
    "a target for proxies": (b"CONNECT localhost:80 HTTP/1.1\r\n" + HOST, 400),
    "a target that is no ASCII": ("GET /\u00e9 HTTP/1.1\r\n".encode() + HOST + UPGRADE, 400),
    "a target with NUL": (b"GET /\0 HTTP/1.1\r\n" + HOST + UPGRADE, 400),
    "no host": (b"GET / HTTP/1.1\r\n" + UPGRADE, 400),
    "a host with a space": (b"GET / HTTP/1.1\r\nHost: a b\r\n" + UPGRADE, 400),
    "a host with a path": (b"GET / HTTP/1.1\r\nHost: a/b?c\r\n" + UPGRADE, 400),
    "a host with a port that can't be": (b"GET / HTTP/1.1\r\nHost: a:99999\r\n" + UPGRADE, 400),
    "half an address as host": (b"GET / HTTP/1.1\r\nHost: [::1\r\n" + UPGRADE, 400),
    "two hosts": (b"GET / HTTP/1.1\r\n" + HOST + HOST + UPGRADE, 400),
    "two keys": (b"GET / HTTP/1.1\r\n" + HOST + UPGRADE + KEY, 400),
    "a header with a space": (b"GET / HTTP/1.1\r\n" + HOST + b"X y: z\r\n" + UPGRADE, 400),
    "two lengths": (b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: 1\r\nContent-Length: 2\r\n", 400),
    "a negative length": (b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: -1\r\n", 400),
    "a length of 5,000 digits": (
        b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: " + b"9" * 5000 + b"\r\n",
        400,
    ),
    "a length with an underscore": (b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: 1_0\r\n", 400),
    "a body that is too long": (b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: 99999999999\r\n", 413),
    "a head that is too long": (b"GET / HTTP/1.1\r\n" + HOST + b"X: " + b"x" * 70_000 + b"\r\n", 431),
    "a handshake of TLS": (b"\x16\x03\x01\x02\x00\x01\x00" * 50 + b"\r\n", 400),
}


@pytest.mark.parametrize(("request_", "status"), REQUESTS.values(), ids=REQUESTS.keys())
def test_strange_requests(server: Server, request_: bytes, status: int) -> None:
    assert ask(server.port, request_ + b"\r\n").status == status
    with Peer(server.port, "/strange") as peer:
        peer.hashes()


def test_what_is_sent_along_with_the_handshake_is_read(server: Server) -> None:
    request = b"GET /early HTTP/1.1\r\n" + HOST + UPGRADE + b"\r\n" + QUESTION
    with socket.create_connection(("127.0.0.1", server.port), timeout=5) as connection:
        connection.sendall(request)
        answer = b""
        while b'S\n["q.1",0,[0,0]]' not in answer:
            answer += connection.recv(4096)
        assert answer.startswith(b"HTTP/1.1 101 ")


def test_a_chunk_that_is_too_large_is_refused(server: Server) -> None:
    head = b"POST / HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n"
    assert ask(server.port, head + b"zz\r\n").status == 400
    chunk = b"%x\r\n" % (1 << 20) + b"x" * (1 << 20) + b"\r\n"
    with socket.create_connection(("127.0.0.1", server.port), timeout=5) as connection:
        connection.sendall(head)
        for _ in range(40):
            try:
                connection.sendall(chunk)
            except OSError:
                break
        assert connection.recv(100).startswith(b"HTTP/1.1 413 ")
