"""Paths of all kinds: which are one room, which are several, and what is no request for a room at all."""

from __future__ import annotations

import pytest

from e2e._server import Server
from hostile._peer import Peer, values_diff
from hostile._wire import ask, new_key

SAME = [
    ("/a/../b", "/b"),
    ("/a/./b", "/a/b"),
    ("/a/..", "/"),
    ("/../..", "/"),
    ("/a/%2e%2e/b", "/b"),
    ("/a/%2E/b", "/a/b"),
    ("/a/.%2e/b", "/b"),
    ("/", ""),
    ("/q?x=1", "/q"),
    ("/q?x=1", "/q?y=2"),
    ("/back\\slash", "/back/slash"),
]
DIFFERENT = [
    ("/p", "/%70"),
    ("/p", "/P"),
    ("/p", "/p/"),
    ("/p", "//p"),
    ("/%2f", "//"),
    ("/%61", "/a"),
    ("/%c3%a9", "/%C3%A9"),
    ("/a%00", "/a"),
    ("/a%0a", "/a"),
    ("/a%20b", "/a+b"),
    ("/" + "x" * 256, "/" + "x" * 257),
    ("/" + "x" * 3000, "/" + "x" * 2999 + "y"),
    ("/" + "%E2%82%AC" * 100, "/" + "%E2%82%AC" * 101),
    ("/" + "a/" * 1000, "/" + "a/" * 999),
    ("/" + "x" * 16_000, "/" + "x" * 15_999),
    ("/__proto__", "/constructor"),
]


def is_one_room(server: Server, path: str, other: str) -> bool:
    with Peer(server.port, path) as sender, Peer(server.port, other or "/") as witness:
        sender.broadcast(values_diff({"said": path}))
        sender.hashes()
        return bool(witness.values().get("said", [None])[0] == path)


@pytest.mark.parametrize(("path", "other"), SAME)
def test_these_are_one_room(server: Server, path: str, other: str) -> None:
    assert is_one_room(server, path, other)


@pytest.mark.parametrize(("path", "other"), DIFFERENT, ids=lambda path: path[:40])
def test_these_are_two_rooms(server: Server, path: str, other: str) -> None:
    assert not is_one_room(server, path, other)
    assert is_one_room(server, path, path)


def test_rooms_of_all_kinds_of_paths_are_there_after_a_kill(own_server: Server) -> None:
    paths = [path for path, _ in DIFFERENT] + ["/"]
    for path in paths:
        with Peer(own_server.port, path) as sender:
            sender.broadcast(values_diff({"said": path}))
            sender.hashes()
    own_server.kill()
    own_server.start()
    for path in paths:
        with Peer(own_server.port, path) as sender:
            assert sender.values()["said"][0] == path


UPGRADE = {
    "upgrade": "websocket",
    "connection": "Upgrade",
    "sec-websocket-version": "13",
    "sec-websocket-key": new_key(),
}


def status(server: Server, headers: dict[str, str], method: str = "GET", path: str = "/room") -> int:
    head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return ask(server.port, f"{method} {path} HTTP/1.1\r\nHost: localhost\r\n{head}\r\n".encode()).status


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, 101),
        ({"upgrade": "WebSocket"}, 101),
        ({"upgrade": None}, 426),
        ({"upgrade": "h2c"}, 426),
        ({"upgrade": None, "connection": None, "sec-websocket-key": None}, 426),
        ({"sec-websocket-key": None}, 426),
        ({"sec-websocket-key": "S"}, 400),
        ({"sec-websocket-key": "AAAA"}, 400),
        ({"connection": "keep-alive"}, 400),
        ({"sec-websocket-version": "8"}, 426),
    ],
)
def test_what_is_no_opening_of_a_web_socket(
    server: Server, changes: dict[str, str | None], expected: int
) -> None:
    headers = {name: value for name, value in (UPGRADE | changes).items() if value is not None}
    assert status(server, headers) == expected


def test_a_path_that_is_too_long_to_be_kept_is_said_to_be(server: Server) -> None:
    assert status(server, UPGRADE, path="/" + "x" * 16_001) == 414
    assert status(server, UPGRADE, path="/" + "x" * 60_000) == 414
    assert status(server, UPGRADE, path="/" + "x" * 70_000) == 431


def test_only_get_opens_a_web_socket(server: Server) -> None:
    for method in ("HEAD", "POST", "OPTIONS"):
        assert status(server, UPGRADE | {"content-length": "0"}, method) == 426


def test_other_methods_get_426_too(server: Server) -> None:
    for method in ("POST", "PUT", "DELETE", "OPTIONS"):
        assert status(server, {"content-length": "0"}, method) == 426
    refused = ask(server.port, b"GET /room HTTP/1.1\r\nHost: localhost\r\n\r\n")
    assert (refused.status, refused.body) == (426, b"Upgrade required")


def test_a_subprotocol_that_is_offered_is_not_chosen(server: Server) -> None:
    head = "".join(f"{name}: {value}\r\n" for name, value in UPGRADE.items())
    request = f"GET / HTTP/1.1\r\nHost: localhost\r\nSec-WebSocket-Protocol: tinybase\r\n{head}\r\n"
    assert "sec-websocket-protocol" not in ask(server.port, request.encode()).headers


def test_two_clients_with_one_key_are_both_served(server: Server, room: str) -> None:
    key = new_key()
    with Peer(server.port, room, key) as first, Peer(server.port, room, key) as second:
        first.broadcast(values_diff({"a": 1}))
        assert second.hear_from(key, 3)
        second.hang_up()
        first.broadcast(values_diff({"a": 2}))
        first.hashes()
