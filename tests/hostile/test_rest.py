"""Requests for resources, as bytes: a clear status, nothing half-done, and the server goes on."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from e2e._server import Server
from hostile._project import ROOM, write_project
from hostile._wire import Handshake, ask

TRACEBACK = "Traceback (most recent call last)"
PROGRAM = ROOM.replace('Objects")', 'Objects", rest="/api")')
JSON = b"Content-Type: application/json\r\n"
VALUE = b"/api/rooms/a/values/v"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder: Path = tmp_path_factory.mktemp("rest")
    server = Server(folder, "serve", str(write_project(folder, PROGRAM))).start()
    yield server
    assert server.stop() == 0, server.log
    assert TRACEBACK not in server.log
    assert "[ERROR]" not in server.log


def request(server: Server, line: bytes, body: bytes = b"", headers: bytes = JSON) -> Handshake:
    length = b"Content-Length: %d\r\n" % len(body)
    return ask(server.port, line + b" HTTP/1.1\r\nHost: h\r\n" + length + headers + b"\r\n" + body)


def test_as_with_curl(server: Server) -> None:
    row = b"/api/rooms/shop/tables/pets/rows/fido"
    put = request(server, b"PUT " + row, b'{"species":"dog"}')
    assert put.status == 201
    got = request(server, b"GET " + row)
    assert (got.status, got.body) == (200, b'{"species":"dog"}')
    assert got.headers["etag"] == put.headers["etag"]
    seen = b"If-None-Match: " + got.headers["etag"].encode() + b"\r\n"
    assert request(server, b"GET " + row, headers=seen).status == 304
    head = request(server, b"HEAD " + row)
    assert (head.status, head.body, head.headers["etag"]) == (200, b"", got.headers["etag"])
    assert (request(server, b"DELETE " + row).status, request(server, b"GET " + row).status) == (204, 404)


@pytest.mark.parametrize(
    ("line", "body", "status"),
    [
        (b"GET /api/rooms/%FF/values", b"", 400),
        (b"GET /api/rooms/a/values/%ED%A0%80", b"", 400),
        (b"GET /api/rooms/a/values/%zz%", b"", 404),
        (b"GET /api/rooms/../values", b"", 404),
        (b"GET /api/rooms/a/values/%2e%2e/x", b"", 404),
        (b"GET /api/rooms/a/values?x=%FF", b"", 400),
        (b"GET /api/rooms//values", b"", 200),
        (b"GET /api//rooms/a/values", b"", 404),
        (b"GET /api/rooms/" + b"x" * 16_001, b"", 414),
        (b"TRACE " + VALUE, b"", 405),
        (b"OPTIONS " + VALUE, b"", 405),
        (b"POST " + VALUE, b"1", 405),
        (b"PUT " + VALUE, b"", 400),
        (b"PUT " + VALUE, b"\0", 400),
        (b"PUT " + VALUE, b"\xff\xfe", 400),
        (b"PUT " + VALUE, b"[" * 100_000, 400),
        (b"PUT " + VALUE, b"[" * 257 + b"]" * 257, 400),
        (b"PUT " + VALUE, b"9" * 5000, 422),
        (b"PUT " + VALUE, b'"' + "\ufffd".encode() + b'{}"', 422),
        (b"PUT " + VALUE, b'"' + b"x" * (17 << 20) + b'"', 413),
        (b"PUT /api/rooms/a/values", b'{"__proto__":{"a":1},"v":1e400}', 422),
        (b"PATCH /api/rooms/a/tables/t/rows/r", b"[]", 422),
        (b"POST /api/rooms/a/transactions", b'[{"method":"DELETE","path":[]}]', 405),
        (b"POST /api/rooms/a/transactions", b'[{"method":"PUT","path":["values","v"]}]', 422),
    ],
)
def test_what_can_not_be_done_is_told_and_not_done(
    server: Server, line: bytes, body: bytes, status: int
) -> None:
    response = request(server, line, body)
    assert response.status == status, response.body[:200]
    if status >= 400:
        assert response.headers["content-type"] == "application/problem+json"
        assert json.loads(response.body)["status"] == status
        assert json.loads(response.body)["detail"]
    assert request(server, b"GET " + VALUE).status == 404


def test_a_form_of_another_page_does_nothing(server: Server) -> None:
    for kind in (b"text/plain", b"application/x-www-form-urlencoded", b"multipart/form-data; boundary=x"):
        response = request(server, b"PUT " + VALUE, b"1", b"Content-Type: " + kind + b"\r\n")
        assert response.status == 415
    assert request(server, b"GET " + VALUE).status == 404


def test_text_that_is_no_unicode_is_kept_as_javascript_keeps_it(server: Server) -> None:
    edit = rb'[{"method":"PUT","path":["values","\udc00"],"body":"\ud83d\ude00\ud800"}]'
    assert request(server, b"POST /api/rooms/odd/transactions", edit).status == 200
    assert request(server, b"GET /api/rooms/odd/values").body == (
        b'{"\\udc00":"' + "\U0001f600".encode() + b'\\ud800"}'
    )


def test_a_client_that_leaves_in_the_middle_of_its_body_does_nothing(server: Server) -> None:
    with socket.create_connection(("127.0.0.1", server.port), timeout=5) as connection:
        head = b"PUT " + VALUE + b" HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n" + JSON
        connection.sendall(head + b"\r\n12345")
    assert request(server, b"GET " + VALUE).status == 404


def follow(server: Server, room: bytes) -> socket.socket:
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    connection.settimeout(10)
    connection.connect(("127.0.0.1", server.port))
    connection.sendall(b"GET /api/rooms/" + room + b"/events HTTP/1.1\r\nHost: h\r\n\r\n")
    return connection


def read_until(connection: socket.socket, end: bytes) -> bytes:
    read = b""
    while end not in read:
        data = connection.recv(1 << 16)
        assert data, read[-1000:]
        read += data
    return read


def test_a_stream_of_events_as_bytes(server: Server) -> None:
    with follow(server, b"events") as connection:
        head = read_until(connection, b"data: [{},{}]")
        assert head.startswith(b"HTTP/1.1 200 ")
        assert b"content-type: text/event-stream" in head.lower()
        assert request(server, b"PUT /api/rooms/events/values/v", b"1").status == 201
        read_until(connection, b'data: {"tables":{},"values":{"v":1},"deleted":[]}')
    assert request(server, b"PUT /api/rooms/events/values/v", b"2").status == 204


def test_a_stream_that_nobody_reads_ends_and_disturbs_nobody(server: Server) -> None:
    text = b'"' + b"x" * (1 << 20) + b'"'
    with follow(server, b"slow") as slow:
        read_until(slow, b"data: [{},{}]")
        for number in range(12):
            line = b"PUT /api/rooms/slow/values/%d" % number
            assert request(server, line, text).status == 201
        assert len(read_until(slow, b"\r\n0\r\n\r\n")) < 6 << 20
    assert request(server, b"GET /api/rooms/slow/values/11").body == text
