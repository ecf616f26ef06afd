"""Requests of those who may not do everything."""

from __future__ import annotations

import asyncio
import json
from contextlib import aclosing
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from durabase.mergeable import MergeableStore
from durabase.sync_server.access import Access
from durabase.sync_server.authority import Proposal
from durabase.sync_server.rest.permission import Permission
from durabase.sync_server.rest.problems import ProblemError
from durabase.sync_server.rest.room import RestRoom
from durabase.sync_server.rest.target import Target
from durabase.sync_server.rules import Rules
from durabase.testing import FakeClock
from durabase.types import UNDEFINED
from durabase.web import Request, Response
from unit.sync_server._fakes import settle
from unit.sync_server.rest._asking import Asking, ask_all

RULES = Rules(
    {
        "tables": {"chat": {"write": "read"}, "config": {"write": "admin"}},
        "values": {"v": {"write": "nobody"}},
    }
)


def ask(
    store: MergeableStore, permission: Permission, method: str, path: str, body: Any = UNDEFINED
) -> Response:
    async def saved() -> None:
        """It is nowhere."""

    text = None if body is UNDEFINED else json.dumps(body)
    request = Request("http://h/", method=method, headers={"content-type": "application/json"}, body=text)
    room = RestRoom(store, saved, permission)
    try:
        return asyncio.run(room.answer(request, Target("r", path.split("/")[1:], {})))
    except ProblemError as problem:
        return problem.response()


@pytest.mark.parametrize(
    ("level", "path", "status"),
    [
        ("none", "/tables/chat/rows/a", 403),
        ("read", "/tables/chat/rows/a", 201),
        ("read", "/tables/pets/rows/a", 403),
        ("write", "/tables/pets/rows/a", 201),
        ("write", "/tables/config/rows/a", 403),
        ("admin", "/tables/config/rows/a", 201),
        ("admin", "/values/v", 403),
    ],
)
def test_rules_hold_for_requests(level: str, path: str, status: int) -> None:
    store = MergeableStore()
    response = ask(store, Permission(Access(level), RULES), "PUT", path, {"x": [1]})
    assert response.status == status
    assert (store.get_content() == [{}, {}]) == (status == 403)


@pytest.mark.parametrize(
    ("level", "reads", "writes"), [("none", 403, 403), ("read", 200, 403), ("write", 200, 204)]
)
def test_without_rules_it_is_the_level(level: str, reads: int, writes: int) -> None:
    store = MergeableStore().set_value("v", {"a": 1})
    permission = Permission(Access(level))
    assert ask(store, permission, "GET", "/values/v").status == reads
    assert ask(store, permission, "DELETE", "/values/v").status == writes
    edit = [{"method": "PATCH", "path": ["values"], "body": {"w": 1}}]
    assert (ask(store, permission, "POST", "/transactions", edit).status == 200) == (writes == 204)


def test_a_transaction_is_refused_whole_and_says_what_was() -> None:
    store = MergeableStore().set_values({"v": {"a": 1}, "w": 1})
    before = store.get_mergeable_content()
    edits = [
        {"method": "PUT", "path": ["values", "w"], "body": 2},
        {"method": "DELETE", "path": ["values", "v"]},
    ]
    response = ask(store, Permission(Access("write"), RULES), "POST", "/transactions", edits)
    assert response.status == 403
    assert json.loads(asyncio.run(response.text()))["refused"] == [["values", "v"]]
    assert store.get_mergeable_content() == before


def test_a_check_that_fails_refuses(caplog: pytest.LogCaptureFixture) -> None:
    def check(*_: object) -> bool:
        raise RuntimeError("no idea")

    store = MergeableStore()
    response = ask(store, Permission(Access("write"), Rules(check=check)), "PUT", "/values/v", 1)
    assert (response.status, store.get_values()) == (403, {})
    assert "no idea" in caplog.text


TOKENS = {"t-ann": Access("write", "ann"), "t-bob": Access("read", "bob"), "t-eve": Access("none", "eve")}


def by_token(request: Request, path_id: str) -> Access | None:
    assert path_id == "pets"
    token = (
        request.headers.get("authorization") or parse_qs(urlsplit(request.url).query).get("token", [""])[0]
    )
    return TOKENS.get(token)


@pytest.mark.parametrize(
    ("token", "reads", "writes"),
    [("", 401, 401), ("t-eve", 403, 403), ("t-bob", 200, 403), ("t-ann", 200, 204)],
)
def test_a_server_asks_its_hook_for_every_request(token: str, reads: int, writes: int) -> None:
    async def test(ask: Asking) -> None:
        assert (await ask("GET", "/tables", authorization=token)).status == reads
        assert (await ask("GET", f"/tables/pets/rows?limit=1&token={token}")).status == reads
        assert (await ask("GET", f"/events?token={token}")).status == reads
        assert (await ask("PUT", "/values", {"v": 1}, authorization=token)).status == writes
        edits = [{"method": "PUT", "path": ["values"], "body": {"v": 1}}]
        assert ((await ask("POST", f"/transactions?token={token}", edits)).status == 200) == (writes == 204)
        assert ask.store.get_values() == ({"v": 1} if writes == 204 else {})

    ask_all(test, authorize=by_token)


def test_a_stream_ends_when_the_access_is_over() -> None:
    async def test(ask: Asking) -> None:
        async with aclosing((await ask("GET", "/events")).iter_body()) as body:
            await anext(body)
            waiting = asyncio.ensure_future(anext(body, None))
            await settle()
            ask.clock.advance(3_999)
            await settle()
            assert not waiting.done()
            ask.clock.advance(1)
            assert await waiting is None

    expires_at = FakeClock().now_ms() / 1000 + 4
    ask_all(test, authorize=lambda request, path_id: Access("read", expires_at=expires_at))


def test_an_authoritative_server_asks_its_program() -> None:
    def validate(path_id: str, proposal: Proposal) -> None:
        assert path_id == "pets"
        for edit in proposal.edits:
            if edit.thing == 13:
                proposal.refuse(edit, "it is unlucky")

    async def test(ask: Asking) -> None:
        assert (await ask("PUT", "/values/v", 12)).status == 201
        response = await ask("PUT", "/values/v", 13)
        assert (response.status, ask.store.get_values()) == (422, {"v": 12})
        assert "it is unlucky" in await response.text()

    ask_all(test, authoritative=True, validate=validate)
