"""Which request a scope is."""

from __future__ import annotations

from typing import Any

import pytest

from durabase.asgi.scope import http_request, local_target, web_socket_request
from unit.asgi.driver import scope, web_socket_scope

TARGETS: dict[str, tuple[dict[str, Any], str]] = {
    "not mounted": ({"path": "/a/b c", "raw_path": b"/a/b%20c"}, "/a/b%20c"),
    "an escaped slash": ({"path": "/a/b", "raw_path": b"/a%2Fb"}, "/a%2Fb"),
    "path includes the root": (
        {"path": "/sync/a/b", "raw_path": b"/sync/a%2fb", "root_path": "/sync"},
        "/a%2fb",
    ),
    "path does not, the raw one does": (
        {"path": "/a/b", "raw_path": b"/sync/a%2Fb", "root_path": "/sync"},
        "/a%2Fb",
    ),
    "neither does": ({"path": "/a/b", "raw_path": b"/a%2Fb", "root_path": "/sync"}, "/a%2Fb"),
    "the root itself": ({"path": "/sync", "raw_path": b"/sync", "root_path": "/sync"}, "/"),
    "the root and a slash": ({"path": "/sync/", "raw_path": b"/sync/", "root_path": "/sync"}, "/"),
    "the root is no segment": (
        {"path": "/synchro/a", "raw_path": b"/synchro/a", "root_path": "/sync"},
        "/synchro/a",
    ),
    "a root with escapes": (
        {"path": "/é/sync/ü", "raw_path": b"/%C3%A9/sync/%C3%BC", "root_path": "/é/sync"},
        "/%C3%BC",
    ),
    "a root with an escaped slash": (
        {"path": "/a/b/sync/r", "raw_path": b"/a%2Fb/sync/r", "root_path": "/a/b/sync"},
        "/r",
    ),
    "an escaped slash after the root": (
        {"path": "/sync/r", "raw_path": b"/sync%2Fr", "root_path": "/sync"},
        "/%2Fr",
    ),
    "no raw path": ({"path": "/sync/b c%/é", "raw_path": None, "root_path": "/sync"}, "/b%20c%25/%C3%A9"),
    "not UTF-8": ({"path": "/sync/\ufffd", "raw_path": b"/sync/%FF", "root_path": "/sync"}, "/%FF"),
    "a path that somebody has rewritten": ({"path": "/other", "raw_path": b"/sync/room"}, "/other"),
    "a slash that somebody has added": ({"path": "/room/", "raw_path": b"/sync/room"}, "/room"),
    "slashes at the end and twice": (
        {"path": "/sync/a//b/", "raw_path": b"/sync/a//b/", "root_path": "/sync"},
        "/a//b/",
    ),
}


@pytest.mark.parametrize("name", TARGETS)
def test_the_path_below_the_place_of_mounting_is_as_it_was_sent(name: str) -> None:
    parts, target = TARGETS[name]
    assert local_target(scope(**parts), "") == target


@pytest.mark.parametrize(
    ("raw", "target"),
    [
        (b"/my%20app/sync/a%2Fb//c/", "/a%2Fb//c/"),
        (b"/my%20app/sync", "/"),
        (b"/room", "/room"),
        (b"/my%20app/synchro/room", "/my%20app/synchro/room"),
    ],
)
def test_a_prefix_says_where_it_is_mounted(raw: bytes, target: str) -> None:
    path = raw.decode().replace("%20", " ").replace("%2F", "/")
    assert local_target(scope(path=path, raw_path=raw), "/my app/sync") == target


def test_many_slashes_are_no_trouble() -> None:
    raw = b"/" * 60_000
    assert local_target(scope(path="/" * 60_000, raw_path=raw, root_path="/x"), "") == raw.decode()


def test_a_request_has_what_the_scope_has() -> None:
    headers = [(b"host", b"example.com:81"), (b"X-One", b"\xe9"), (b"cf-connecting-ip", b"forged")]
    request = http_request(
        scope(path="/a", method="POST", headers=headers, query_string=b"x=1%202", scheme="https"), "", b"body"
    )
    assert (request.method, request.url) == ("POST", "https://example.com:81/a?x=1%202")
    assert request.headers["x-one"] == "é"
    assert request.headers["cf-connecting-ip"] == "192.0.2.7"
    assert request.body_bytes() == b"body"


def test_servers_need_not_tell_much() -> None:
    bare = {"headers": [], "server": None, "client": None}
    assert http_request(scope(**bare), "", None).url == "http://localhost/"


def test_a_wrong_host_is_refused() -> None:
    with pytest.raises(ValueError, match="Not a host"):
        http_request(scope(headers=[(b"host", b"a/b")]), "", None)


def test_a_web_socket_is_asked_for_as_in_http_1() -> None:
    request = web_socket_request(web_socket_scope("/room", scheme="wss"), "")
    assert (request.method, request.url) == ("GET", "https://example.com/room")
    assert request.headers["sec-websocket-key"] == "dGhlIHNhbXBsZSBub25jZQ=="


def test_http_2_has_no_key_so_each_client_gets_one() -> None:
    bare = scope("websocket", "/room", subprotocols=["tinybase", "x"])
    first, second = (web_socket_request(bare, "").headers for _ in range(2))
    assert (first["upgrade"], first["sec-websocket-protocol"]) == ("websocket", "tinybase, x")
    assert len(first["sec-websocket-key"] or "") == 24
    assert first["sec-websocket-key"] != second["sec-websocket-key"]
