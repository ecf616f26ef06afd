"""``ctx``: what it asks of the life that it belongs to."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from durabase.durable_objects.base import DurableObjectAbort
from durabase.durable_objects.hibernation import SocketRegistry
from durabase.durable_objects.ids import DurableObjectId
from durabase.durable_objects.state import DurableObjectState
from durabase.durable_objects.tally import Tally
from durabase.errors import ObjectResetError
from durabase.testing import FakeClock
from durabase.web import WebSocketPair, WebSocketRequestResponsePair
from durabase.web.attribute_dict import JsList

NOW = 1_700_000_000_123


class Life:
    """Notes what it is asked for, and gives its name."""

    def __init__(self) -> None:
        self.asked: list[Any] = []

    def block_concurrency_while(self, callback: Callable[[], Any]) -> Any:
        self.asked.append(callback)
        return "blocked"

    def wait_until(self, awaitable: Awaitable[Any]) -> None:
        self.asked.append(awaitable)

    def run_blocking(self, call: Callable[[], Any]) -> Any:
        return call()

    def end_with(self, error: Exception) -> None:
        self.asked.append(error)


class Events:
    def socket_message(self, *what: Any) -> None: ...
    def socket_close(self, *what: Any) -> None: ...
    def socket_error(self, *what: Any) -> None: ...


class Rig:
    def __init__(self, *, is_strict: bool = False) -> None:
        self.life = Life()
        self.sockets = SocketRegistry(Events(), FakeClock(NOW), Tally())
        storage: Any = SimpleNamespace(is_strict=is_strict)
        self.ctx: Any = DurableObjectState(
            DurableObjectId(b"k" * 32), storage, self.sockets, self.life, "exports"
        )


def test_what_it_is_made_of() -> None:
    ctx = Rig().ctx
    assert (ctx.exports, ctx.props, ctx.id.key) == ("exports", None, b"k" * 32)


def test_the_life_does_what_it_is_asked_for() -> None:
    rig = Rig()
    assert rig.ctx.blockConcurrencyWhile(print) == "blocked"
    rig.ctx.waitUntil("awaitable")
    assert rig.life.asked == [print, "awaitable"]
    assert rig.ctx.run_blocking(lambda a, *, b: [a, b], 1, b=2) == [1, 2]


@pytest.mark.parametrize(
    ("arguments", "keywords", "text", "retry_alarm"),
    [
        ((), {}, "Application called abort() to reset Durable Object.", True),
        (("why",), {}, "why", True),
        ((5, {"retryAlarm": False}), {}, "5", False),
        (("why",), {"retry_alarm": False}, "why", False),
    ],
)
def test_aborting_ends_the_life_and_leaves_the_program(
    arguments: tuple[Any, ...], keywords: dict[str, Any], text: str, retry_alarm: bool
) -> None:
    rig = Rig()
    with pytest.raises(DurableObjectAbort, match="^" + text.replace("(", r"\(").replace(")", r"\)")):
        rig.ctx.abort(*arguments, **keywords)
    (error,) = rig.life.asked
    assert isinstance(error, ObjectResetError)
    assert (str(error), error.retry_alarm) == (text, retry_alarm)


def test_sockets_are_found_by_their_tags() -> None:
    rig = Rig()
    first, second = WebSocketPair()[1], WebSocketPair()[1]
    rig.ctx.accept_web_socket(first, ["a", "b"])
    rig.ctx.acceptWebSocket(second)
    assert rig.ctx.get_web_sockets() == [second, first]
    assert isinstance(rig.ctx.getWebSockets("a"), JsList)
    assert (rig.ctx.get_web_sockets("a"), rig.ctx.get_web_sockets("c")) == ([first], [])
    assert (rig.ctx.get_tags(first), rig.ctx.get_tags(second)) == (["a", "b"], [])
    assert isinstance(rig.ctx.get_tags(first), JsList)


def test_in_strict_mode_tags_are_a_list_of_javascript_s() -> None:
    rig = Rig(is_strict=True)
    with pytest.raises(TypeError, match=r"tags must be an array: to_js\(\[\.\.\.\]\), not list"):
        rig.ctx.accept_web_socket(WebSocketPair()[1], ["a"])
    rig.ctx.accept_web_socket(WebSocketPair()[1], JsList(["a"]))
    rig.ctx.accept_web_socket(WebSocketPair()[1])
    assert len(rig.ctx.get_web_sockets()) == 2


def test_the_automatic_answer_and_when_it_was_given() -> None:
    rig = Rig()
    assert rig.ctx.get_web_socket_auto_response() is None
    pair = WebSocketRequestResponsePair("ping", "pong")
    rig.ctx.setWebSocketAutoResponse(pair)
    assert rig.ctx.get_web_socket_auto_response() is pair
    client, server = WebSocketPair()
    rig.ctx.accept_web_socket(server)
    assert rig.ctx.get_web_socket_auto_response_timestamp(server) is None
    client.accept()
    client.send("ping")
    answered = rig.ctx.get_web_socket_auto_response_timestamp(server)
    assert answered == datetime.fromtimestamp(NOW / 1000, UTC)
    rig.ctx.set_web_socket_auto_response()
    assert rig.ctx.get_web_socket_auto_response() is None


def test_how_long_a_handler_may_take() -> None:
    ctx = Rig().ctx
    week = 7 * 24 * 3600 * 1000
    for given, kept in ((None, None), (5, 5), (0, None), (week, week)):
        ctx.set_hibernatable_web_socket_event_timeout(given)
        assert ctx.getHibernatableWebSocketEventTimeout() == kept
    with pytest.raises(ValueError, match=r"Event timeout should not exceed 604800000 ms\."):
        ctx.set_hibernatable_web_socket_event_timeout(week + 1)
    assert ctx.get_hibernatable_web_socket_event_timeout() == week
