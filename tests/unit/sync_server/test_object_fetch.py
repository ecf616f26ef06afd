"""The worker before rooms that are objects: which requests reach which object."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from durabase.sync_server import Access, ws_server_fetch
from durabase.sync_server.authorizing import passed_on
from durabase.sync_server.object_fetch import path_id_of_request, refusal_of
from durabase.web import Request, Response
from durabase.web.cors import allow_origin

UPGRADE = {"upgrade": "websocket", "sec-websocket-key": "k"}


def upgrade(path: str) -> Request:
    return Request(f"http://h{path}", headers=UPGRADE)


class Namespace:
    """Objects that note what reaches them."""

    def __init__(self) -> None:
        self.reached: list[tuple[str, Request]] = []

    def id_from_name(self, name: str) -> str:
        return name

    def get(self, id: str) -> Any:
        async def fetch(request: Request) -> Response:
            self.reached.append((id, request))
            return Response("the object", 200)

        return SimpleNamespace(fetch=fetch)


def asked(request: Request, authorize: Any = None, **options: Any) -> tuple[Namespace, Response]:
    namespace = Namespace()
    worker = SimpleNamespace(env=SimpleNamespace(ROOMS=namespace))
    response = asyncio.run(ws_server_fetch("ROOMS", authorize, **options)(worker, request))
    return namespace, response


@pytest.mark.parametrize(
    ("path", "path_id"), [("/", ""), ("/a/b", "a/b"), ("/a%20b?x=1", "a%20b"), ("//a", "/a"), ("/a/", "a/")]
)
def test_each_path_has_an_object_of_its_name(path: str, path_id: str) -> None:
    assert path_id_of_request(upgrade(path)) == path_id
    namespace, response = asked(upgrade(path))
    assert [name for name, _ in namespace.reached] == [path_id]
    assert response.body_bytes() == b"the object"


def test_what_opens_no_web_socket_reaches_none() -> None:
    namespace, response = asked(Request("http://h/room"))
    assert (namespace.reached, response.status) == ([], 426)


def test_a_path_may_be_long_but_not_endless() -> None:
    assert refusal_of(upgrade("/" + "x" * 16_000)) is None
    namespace, response = asked(upgrade("/" + "x" * 16_001))
    assert (namespace.reached, response.status) == ([], 414)
    assert response.body_bytes() == b"A path of at most 16000 bytes is taken"


def test_a_refresh_reaches_the_object_and_one_who_may_not_does_not() -> None:
    request = Request("http://h/room?session=s", method="POST")
    namespace, _ = asked(request)
    assert [name for name, _ in namespace.reached] == ["room"]
    namespace, response = asked(request, lambda *_: None)
    assert (namespace.reached, response.status) == ([], 401)


def test_browsers_that_ask_whether_they_may_refresh_are_answered() -> None:
    headers = {"origin": "https://a.example", "access-control-request-method": "POST"}
    request = Request("http://h/room?session=s", method="OPTIONS", headers=headers)
    allow_origin(request)
    namespace, response = asked(request)
    assert (namespace.reached, response.status) == ([], 204)


def test_the_object_is_told_the_access_and_who_has_none_does_not_reach_it() -> None:
    access = Access("write", "ann")
    paths: list[str] = []

    def authorize(request: Request, path_id: str) -> Any:
        paths.append(path_id)
        return access if path_id == "mine" else Response("no", 418)

    namespace, _ = asked(upgrade("/mine"), authorize)
    assert [passed_on(request) for _, request in namespace.reached] == [access]
    namespace, response = asked(upgrade("/yours"), authorize)
    assert (namespace.reached, response.status, paths) == ([], 418, ["mine", "yours"])
    namespace, _ = asked(upgrade("/open"))
    assert passed_on(namespace.reached[0][1]) is None


def test_rooms_are_resources_below_a_path_that_is_one() -> None:
    with pytest.raises(ValueError):
        ws_server_fetch("ROOMS", rest="api")
    namespace, _ = asked(upgrade("/api/room"), rest="/api")
    assert [name for name, _ in namespace.reached] == ["api/room"]
