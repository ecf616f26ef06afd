"""Which side answers a request."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from durabase.cli.frontend.site import Site, is_upgrade, wants_page
from durabase.web import Request, Response

UPGRADE = {"upgrade": "WebSocket"}


class Client:
    """A client's side that answers below /client, and notes what it was asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def fetch(self, request: Request) -> Response | None:
        return self._answer("fetch", request)

    async def upgrade(self, request: Request) -> Response | None:
        return self._answer("upgrade", request)

    def _answer(self, kind: str, request: Request) -> Response | None:
        self.asked.append(kind)
        return Response("client") if "/client" in request.url else None


async def program(request: Request) -> Response:
    return Response("program")


def answered(site: Site, path: str, **options: Any) -> str:
    return asyncio.run(_answered(site, path, options))


async def _answered(site: Site, path: str, options: Any) -> str:
    return await (await site.fetch(Request(f"http://h{path}", **options))).text()


@pytest.mark.parametrize(
    ("path", "options", "answer", "asked"),
    [
        ("/client", {}, "client", ["fetch"]),
        ("/client", {"method": "HEAD"}, "client", ["fetch"]),
        ("/other", {}, "program", ["fetch"]),
        ("/client", {"method": "POST"}, "program", []),
        ("/client", {"headers": UPGRADE}, "client", ["upgrade"]),
        ("/other", {"headers": UPGRADE}, "program", ["upgrade"]),
    ],
)
def test_the_client_is_asked_first_for_what_it_may_answer(
    path: str, options: dict[str, Any], answer: str, asked: list[str]
) -> None:
    client = Client()
    assert answered(Site(program, client), path, **options) == answer
    assert client.asked == asked


def test_without_a_client_or_for_another_worker_the_program_answers() -> None:
    client = Client()
    assert answered(Site(program, None), "/client") == "program"
    site = Site(program, client, lambda request: request.url.endswith("/theirs"))
    assert answered(site, "/client/theirs") == "program"
    assert client.asked == []
    assert answered(site, "/client") == "client"


@pytest.mark.parametrize(
    ("headers", "upgrades"),
    [({}, False), ({"upgrade": "websocket"}, True), (UPGRADE, True), ({"upgrade": "h2c"}, False)],
)
def test_what_asks_for_a_web_socket(headers: dict[str, str], upgrades: bool) -> None:
    assert is_upgrade(Request("http://h/", headers=headers)) is upgrades


@pytest.mark.parametrize(
    ("path", "accept", "wants"),
    [
        ("/", "", True),
        ("/?a", "*/*", True),
        ("/room", "text/html,*/*;q=0.8", True),
        ("/room", "*/*", False),
        ("/room", "", False),
    ],
)
def test_what_asks_for_a_page(path: str, accept: str, wants: bool) -> None:
    assert wants_page(Request(f"http://h{path}", headers={"accept": accept} if accept else None)) is wants
