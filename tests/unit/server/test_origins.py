"""Which pages may open WebSockets."""

from __future__ import annotations

import asyncio

import pytest

from durabase.server.origins import OriginCheck
from durabase.web import Request, Response
from durabase.web.cors import shared

UPGRADE = {"upgrade": "websocket"}


async def _fetch(request: Request) -> Response:
    return Response("in")


@pytest.mark.feature("S-SC-2")
@pytest.mark.parametrize(
    ("allowed", "headers", "status"),
    [
        (["same"], UPGRADE, 200),
        (["same"], UPGRADE | {"origin": "http://Host:1"}, 200),
        (["same"], UPGRADE | {"origin": "https://host:1"}, 403),
        (["same"], UPGRADE | {"origin": "http://evil.example"}, 403),
        (["same"], UPGRADE | {"origin": "null"}, 403),
        (["same"], {"origin": "http://evil.example"}, 200),
        (["https://app.example"], UPGRADE | {"origin": "https://app.example"}, 200),
        (["https://app.example"], UPGRADE | {"origin": "http://host:1"}, 403),
        (["https://app.example", "same"], UPGRADE | {"origin": "http://host:1"}, 200),
    ],
)
def test_who_gets_in(allowed: list[str], headers: dict[str, str], status: int) -> None:
    request = Request("http://host:1/room", headers=headers)
    assert asyncio.run(OriginCheck(_fetch, allowed).fetch(request)).status == status


@pytest.mark.parametrize(
    ("origin", "can_read"),
    [("https://app.example", True), ("http://host:1", False), ("null", False), (None, False)],
)
def test_whose_pages_can_read_what_is_answered_for_them(origin: str | None, can_read: bool) -> None:
    async def answer(request: Request) -> Response:
        return shared(request, Response("in"))

    request = Request("http://host:1/room", headers={} if origin is None else {"origin": origin})
    response = asyncio.run(OriginCheck(answer, ["https://app.example"]).fetch(request))
    assert response.headers.get("access-control-allow-origin") == (origin if can_read else None)


@pytest.mark.parametrize("origin", ["app.example", "https://app.example/", "*", ""])
def test_what_is_no_origin(origin: str) -> None:
    with pytest.raises(ValueError, match="is no origin"):
        OriginCheck(_fetch, [origin])
