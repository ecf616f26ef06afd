"""Which requests may become WebSockets."""

from __future__ import annotations

import pytest

from durabase.server.handshake import accept_headers, asks_for_web_socket, handshake_fault

GOOD = {
    b"host": b"test",
    b"upgrade": b"websocket",
    b"connection": b"Upgrade",
    b"sec-websocket-version": b"13",
    b"sec-websocket-key": b"dGhlIHNhbXBsZSBub25jZQ==",
}


def headers(**changes: bytes | None) -> list[tuple[bytes, bytes]]:
    merged = {**GOOD, **{name.replace("_", "-").encode(): value for name, value in changes.items()}}
    return [(name, value) for name, value in merged.items() if value is not None]


def test_a_good_request() -> None:
    assert asks_for_web_socket(b"GET", headers())
    assert handshake_fault(headers()) is None


@pytest.mark.parametrize(
    "changes",
    [
        {"upgrade": b"WebSocket"},
        {"upgrade": b"h2c, websocket"},
        {"connection": b"keep-alive, upgrade"},
    ],
)
def test_names_are_lists_in_any_case(changes: dict[str, bytes]) -> None:
    assert asks_for_web_socket(b"GET", headers(**changes))


@pytest.mark.parametrize("changes", [{"upgrade": None}, {"upgrade": b"h2c"}, {"sec_websocket_key": None}])
def test_other_requests_do_not_ask(changes: dict[str, bytes | None]) -> None:
    assert not asks_for_web_socket(b"GET", headers(**changes))


def test_only_get_asks() -> None:
    assert not asks_for_web_socket(b"POST", headers())


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"sec_websocket_version": b"8"}, 426),
        ({"sec_websocket_version": None}, 426),
        ({"connection": None}, 400),
        ({"connection": b"close"}, 400),
        ({"sec_websocket_key": b"short"}, 400),
        ({"sec_websocket_key": b"dGhlIHNhbXBsZSBub25jZQ"}, 400),
        ({"sec_websocket_key": b"dGhlIHNhbXBsZSBub25jZQ=="[:20] + b"===="}, 400),
    ],
)
def test_faults(changes: dict[str, bytes | None], status: int) -> None:
    fault = handshake_fault(headers(**changes))
    assert fault is not None
    assert fault[0] == status


def test_two_keys_are_none() -> None:
    assert handshake_fault([*headers(), (b"sec-websocket-key", GOOD[b"sec-websocket-key"])]) is not None


def test_the_answer_has_the_key_of_the_rfc() -> None:
    answer = accept_headers(headers(), [(b"sec-websocket-protocol", b"chat"), (b"Upgrade", b"other")], "")
    assert (b"Sec-WebSocket-Accept", b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo=") in answer
    assert (b"sec-websocket-protocol", b"chat") in answer
    assert [value for name, value in answer if name.lower() == b"upgrade"] == [b"websocket"]
