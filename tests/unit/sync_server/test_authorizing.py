"""What becomes of the answer of an application's hook, and what travels with a request."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from durabase.errors import AccessError, UnauthenticatedError
from durabase.sync_server.access import Access
from durabase.sync_server.authorizing import (
    MAX_SESSION,
    decide,
    is_refresh,
    may_refresh,
    no_such_session,
    passed_on,
    refreshed,
    session_of,
    with_access,
)
from durabase.web import Request, Response
from durabase.web.cors import allow_origin

NOW = 1_700_000_000_000
REQUEST = Request("http://h/room")


def decided(answer: Any, request: Request = REQUEST) -> Any:
    """What is decided: an access, or the status and text of a refusal."""

    def authorize(asked: Request, path_id: str) -> Any:
        assert (asked, path_id) == (request, "room")
        if isinstance(answer, Exception):
            raise answer
        return answer

    found = asyncio.run(decide(authorize, request, "room", NOW))
    return found if isinstance(found, Access) else (found.status, (found.body_bytes() or b"").decode())


UNKNOWN = "This room is for those who have shown who they are, and this request does not (or not any more)."


@pytest.mark.parametrize(
    ("answer", "refusal"),
    [
        (None, (401, UNKNOWN)),
        (Access("none"), (403, "This room is not for you.")),
        (Access("read", expires_at=NOW / 1000), (401, UNKNOWN)),
        (Response("mine", 418), (418, "mine")),
        (AccessError("that is private"), (403, "that is private")),
        (UnauthenticatedError("who?"), (401, "who?")),
    ],
)
def test_refusals(answer: Any, refusal: tuple[int, str]) -> None:
    assert decided(answer) == refusal


def test_who_is_let_in_has_the_access_that_the_hook_gave_at_once_or_later() -> None:
    access = Access("read", "ann", expires_at=NOW / 1000 + 1)

    async def later() -> Access:
        await asyncio.sleep(0)
        return access

    assert decided(access) is access
    assert decided(later()) is access


@pytest.mark.parametrize("status", [401, 403])
def test_who_has_not_shown_who_it_is_is_told_how(status: int) -> None:
    answer = None if status == 401 else Access("none")
    response: Any = asyncio.run(decide(lambda *_: answer, REQUEST, "room", NOW))
    assert response.headers.get("www-authenticate") == ("Bearer" if status == 401 else None)


@pytest.mark.parametrize("answer", ["read", 1, True])
def test_another_answer_is_the_hook_s_mistake(answer: Any) -> None:
    with pytest.raises(TypeError, match="an Access, a Response or None was expected"):
        decided(answer)


def test_other_errors_of_the_hook_pass() -> None:
    with pytest.raises(KeyError, match="broken"):
        decided(KeyError("broken"))


def test_the_name_of_a_session_is_not_endless() -> None:
    access = Access("read")
    assert decided(access, Request("http://h/room?session=" + "x" * MAX_SESSION)) is access
    too_long = Request("http://h/room?session=" + "x" * (MAX_SESSION + 1))
    assert decided(pytest.fail, too_long) == (400, "The name of a session has at most 128 characters")


@pytest.mark.parametrize(
    ("query", "session"),
    [
        ("", ""),
        ("?a=1", ""),
        ("?session=", ""),
        ("?session=a%20b&x", "a b"),
        ("?x=1&session=s&session=t", "s"),
    ],
)
def test_sessions_are_named_by_the_query(query: str, session: str) -> None:
    for method in ("GET", "POST"):
        request = Request(f"http://h/room{query}", method=method)
        assert session_of(request) == session
        assert is_refresh(request) is (method == "POST" and session != "")


def test_browsers_that_ask_first_are_answered_for_sessions_only() -> None:
    headers = {"origin": "https://a.example", "access-control-request-method": "POST"}

    def answer(target: str, method: str) -> int | None:
        request = Request(f"http://h/{target}", method=method, headers=headers)
        allow_origin(request)
        found = may_refresh(request)
        return None if found is None else found.status

    assert answer("room?session=s", "OPTIONS") == 204
    assert answer("room", "OPTIONS") is None
    assert answer("room?session=s", "POST") is None
    assert may_refresh(Request("http://h/room?session=s", method="OPTIONS", headers=headers)) is None


def test_a_refresh_is_answered_with_how_many_there_are() -> None:
    response = refreshed(2, Access("write", expires_at=5))
    assert response.headers.get("content-type") == "application/json"
    assert json.loads(response.body_bytes() or b"") == {"refreshed": 2, "level": "write", "expires_at": 5}
    assert refreshed(0, Access("write")).status == no_such_session().status == 404


def test_an_access_travels_with_a_request_beside_what_else_the_platform_says() -> None:
    access = Access("write", "ann", expires_at=5)
    for facts in (None, {"colo": "X"}):
        request = with_access(Request("http://h/room", headers={"x": "1"}, cf=facts), access)
        assert passed_on(request) == access
        assert request.headers.get("x") == "1"
        assert {key: request.cf[key] for key in facts or {}} == (facts or {})
    assert passed_on(REQUEST) is None
    assert passed_on(Request("http://h/room", cf={"colo": "X"})) is None
