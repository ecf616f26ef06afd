"""Where requests come in: pages of other origins, and what is answered at the door."""

from __future__ import annotations

import asyncio

import pytest

from durabase.sync_server import Access, WsServer
from durabase.testing import FakeClock
from durabase.web import Request, Response
from durabase.web.cors import allow_origin

ORIGIN = "https://app.example"


def ask(method: str, target: str, *, is_allowed: bool = True, **headers: str) -> Response:
    async def fetch() -> Response:
        authorize = lambda request, _: Access("write", "ann") if request.headers.get("x-key") else None  # noqa: E731
        async with WsServer(authorize=authorize, rest="/api", clock=FakeClock()) as server:
            fields = {name.replace("_", "-"): value for name, value in headers.items()}
            request = Request(f"http://h{target}", method=method, headers={"origin": ORIGIN, **fields})
            if is_allowed:
                allow_origin(request)
            return await server.fetch(request)

    return asyncio.run(fetch())


@pytest.mark.parametrize("target", ["/api/rooms/a/values", "/a?session=s"])
def test_pages_of_allowed_origins_may_ask_whether_they_may(target: str) -> None:
    preflight = {"access_control_request_method": "POST", "access_control_request_headers": "x-key"}
    answer = ask("OPTIONS", target, **preflight)
    assert (answer.status, answer.headers["access-control-allow-headers"]) == (204, "x-key")
    refused = ask("OPTIONS", target, is_allowed=False, **preflight)
    assert refused.status >= 400
    assert "access-control-allow-origin" not in refused.headers


@pytest.mark.parametrize(
    ("method", "target", "status"),
    [
        ("GET", "/api/openapi.json", 200),
        ("GET", "/api/rooms/a/values", 401),
        ("GET", "/api/nothing", 404),
        ("POST", "/a?session=s", 401),
    ],
)
def test_refusals_can_be_read_like_answers(method: str, target: str, status: int) -> None:
    answer = ask(method, target)
    assert (answer.status, answer.headers["access-control-allow-origin"]) == (status, ORIGIN)
    assert "access-control-allow-origin" not in ask(method, target, is_allowed=False).headers


def test_rooms_are_no_resources_without_a_prefix() -> None:
    answer = ask("OPTIONS", "/a", access_control_request_method="PUT")
    assert (answer.status, answer.headers.get("access-control-allow-origin")) == (426, None)
