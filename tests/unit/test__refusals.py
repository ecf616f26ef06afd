"""Who is turned away is told of, with a reason of those that there are."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any, get_args

import pytest

from durabase._refusals import REASONS, Reason, Refusal, hear, refused
from durabase.errors import AccessError, ConnectionLimitError, LimitError, UnauthenticatedError
from durabase.server.origins import OriginCheck
from durabase.sync_server._guard import Guard, Questions
from durabase.sync_server.access import Access, Level
from durabase.sync_server.authorizing import decide
from durabase.sync_server.limits import Allowance, ClientLimits
from durabase.synchronizers.protocol.messages import Message, MessageType
from durabase.synchronizers.protocol.payloads import Payload
from durabase.testing.fake_clock import FakeClock
from durabase.web import Request, Response

REQUEST = Request("http://host/room", headers={"upgrade": "websocket", "origin": "https://evil.example"})


@pytest.fixture
def heard() -> Iterator[list[Refusal]]:
    refusals: list[Refusal] = []
    stop = hear(refusals.append)
    yield refusals
    stop()


def test_every_reason_has_words() -> None:
    assert set(REASONS) == set(get_args(Reason))


def test_nobody_hears_of_it_any_more(heard: list[Refusal]) -> None:
    more: list[Refusal] = []
    stop = hear(more.append)
    refused("origin", "a")
    stop()
    refused("expired")
    assert heard == [("origin", "a"), ("expired", "")]
    assert more == [("origin", "a")]


def test_origins(heard: list[Refusal]) -> None:
    async def fetch(request: Request) -> Response:
        return Response("")

    asyncio.run(OriginCheck(fetch).fetch(REQUEST))
    asyncio.run(OriginCheck(fetch, ["https://evil.example"]).fetch(REQUEST))
    assert heard == [("origin", "https://evil.example")]


def _raise(error: Exception) -> Any:
    raise error


@pytest.mark.parametrize(
    ("hook", "reasons"),
    [
        (lambda request, path: Access(Level.WRITE), []),
        (lambda request, path: None, ["unauthenticated"]),
        (lambda request, path: Access(Level.NONE), ["forbidden"]),
        (lambda request, path: Access(Level.READ, expires_at=0.5), ["unauthenticated"]),
        (lambda request, path: _raise(AccessError("no")), ["forbidden"]),
        (lambda request, path: _raise(UnauthenticatedError("who")), ["unauthenticated"]),
        (lambda request, path: Response("", 402), ["application"]),
    ],
)
def test_authorization(heard: list[Refusal], hook: Any, reasons: list[str]) -> None:
    asyncio.run(decide(hook, REQUEST, "room", 1000))
    assert heard == [(reason, "room") for reason in reasons]


def test_limits_of_clients(heard: list[Refusal]) -> None:
    limits, clock = ClientLimits(path=Allowance(1, messages_per_second=1, burst_seconds=1)), FakeClock()
    ticket = limits.admit("", "", "room", clock)
    with pytest.raises(ConnectionLimitError):
        limits.admit("", "", "room", clock)
    ticket.charge(1, clock.now_ms())
    with pytest.raises(LimitError):
        ticket.charge(1, clock.now_ms())
    assert heard == [("connections", "room"), ("messages", "")]


def test_an_access_that_is_over(heard: list[Refusal]) -> None:
    guard = Guard(Access(Level.READ, expires_at=1), None, Questions(), "client")
    with pytest.raises(UnauthenticatedError):
        guard.let_through(Payload("", [], Message(None, MessageType.RESPONSE, {})), 2000)
    assert heard == [("expired", "")]
