"""Which URLs name what: rooms and ids may be any text."""

from __future__ import annotations

from urllib.parse import quote

import pytest

from durabase.sync_server import WsServer, ws_server_fetch
from durabase.sync_server.rest.target import target_of
from durabase.web import Request
from unit.sync_server.rest._asking import Asking, ask_all, json_of

NAMES = [
    "a",
    "a/b",
    "a%2Fb",
    "rooms",
    "~",
    "a b",
    "\u00e9\U0001f600",
    "?",
    "#",
    "\0",
    "",
    "..a",
    "%",
    "\\",
    "a;b",
]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("prefix", ["/api", ""])
def test_any_text_can_be_the_path_of_a_room_and_an_id(name: str, prefix: str) -> None:
    segment, id_ = quote(name, safe=""), name or "x"
    request = Request(f"http://h{prefix}/rooms/{segment}/tables/{quote(id_, safe='')}/rows?sort_by={segment}")
    assert target_of(prefix, request) == (name, ["tables", id_, "rows"], {"sort_by": name})


def test_ids_are_decoded_once() -> None:
    async def test(ask: Asking) -> None:
        await ask("PUT", "/tables/a%2Fb/rows/%2525/cells/c", 1)
        assert ask.store.get_tables() == {"a/b": {"%25": {"c": 1}}}

    ask_all(test)


@pytest.mark.parametrize(
    "path", ["/api/rooms/%FF", "/api/rooms/pets/values/%ED%A0%80", "/api/rooms/pets/%C0%80"]
)
def test_what_is_no_utf_8_is_400(path: str) -> None:
    async def test(ask: Asking) -> None:
        response = await ask.at("GET", path)
        assert (response.status, response.headers["content-type"]) == (400, "application/problem+json")
        assert "not UTF-8" in (await json_of(response))["detail"]

    ask_all(test)


@pytest.mark.parametrize("path", ["/api/", "/api/rooms", "/api/room/pets", "/api/rooms/relayed"])
def test_where_no_room_is_is_404(path: str) -> None:
    async def test(ask: Asking) -> None:
        assert (await ask.at("GET", path)).status == 404

    ask_all(test)


@pytest.mark.parametrize("step", [".", "%2e", "", "..", "%2E%2e"])
def test_a_segment_that_goes_elsewhere_is_no_id(step: str) -> None:
    async def test(ask: Asking) -> None:
        await ask("POST", "/transactions", [{"method": "PUT", "path": ["values", ""], "body": 1}])
        assert (await ask("DELETE", f"/values/{step}")).status == 404
        assert ask.store.get_values() == {"": 1}

    ask_all(test)


def test_a_path_that_is_too_long_is_414() -> None:
    async def test(ask: Asking) -> None:
        assert (await ask.at("GET", f"/api/rooms/{'x' * 16_001}")).status == 414

    ask_all(test)


@pytest.mark.parametrize("path", ["/", "/pets", "/api", "/apis/rooms/pets"])
def test_elsewhere_nothing_has_changed(path: str) -> None:
    async def test(ask: Asking) -> None:
        assert (await ask.at("GET", path)).status == 426

    ask_all(test)


@pytest.mark.parametrize("prefix", ["api", "https://h/api", "/api?x", "/a#b"])
def test_a_prefix_is_a_path(prefix: str) -> None:
    with pytest.raises(ValueError, match="a path is expected"):
        WsServer(rest=prefix)
    with pytest.raises(ValueError, match="a path is expected"):
        ws_server_fetch("ROOMS", rest=prefix)
