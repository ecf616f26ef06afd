"""What one socket of an object has sent: whole messages, and what of them goes further."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from durabase.errors import SyncMessageError, UnauthenticatedError
from durabase.sync_server import WsServerDurableObject
from durabase.sync_server._guard import Guard, Questions
from durabase.sync_server._inbox import EventClock, GuardedInbox, Inbox, hears_messages
from durabase.sync_server.access import Access
from durabase.sync_server.rules import Rules
from durabase.testing import FakeClock
from durabase.web.connection import socket_owner

ASK = '\n["q.0001",1,""]'
PIECES = '\n0123456789abcdef\n0\n2\n["q.0001",', '\n0123456789abcdef\n1\n2\n1,""]'
CHANGE = '\n["q.0001",3,[[{}],[{"v":[1,"NrbEJxl---0dmwzH"]}],1]]'


class Base:
    def on_message(self) -> None: ...


@pytest.mark.parametrize("name", ["on_message", "web_socket_message", "webSocketMessage"])
def test_which_classes_hear_each_message(name: str) -> None:
    assert not hears_messages(type("Room", (Base,), {"other": None}), Base)
    assert hears_messages(type("Room", (Base,), {name: lambda *_: None}), Base)
    assert not hears_messages(WsServerDurableObject, WsServerDurableObject)
    assert hears_messages(
        type("Room", (WsServerDurableObject,), {name: lambda *_: None}), WsServerDurableObject
    )


class TestInbox:
    def test_messages_come_whole_or_in_pieces(self) -> None:
        clock = FakeClock()
        inbox = Inbox(clock, 1)
        whole = inbox.receive("B" + ASK)
        assert whole is not None
        assert (whole.address, whole.message.number, whole.remainders) == ("B", 1, [ASK[1:]])
        assert inbox.receive(PIECES[0]) is None
        clock.advance(999)
        pieced = inbox.receive(PIECES[1])
        assert pieced is not None
        assert (pieced.message.number, len(pieced.remainders)) == (1, 2)

    def test_what_stays_incomplete_is_forgotten(self) -> None:
        clock = FakeClock()
        inbox = Inbox(clock, 1)
        inbox.receive(PIECES[0])
        clock.advance(1000)
        assert inbox.receive(PIECES[1]) is None

    @pytest.mark.parametrize("message", [b"\n[]", "no address", "\nno message"])
    def test_what_is_no_message(self, message: Any) -> None:
        with pytest.raises(SyncMessageError):
            Inbox(FakeClock(), 1).receive(message)

    def test_dropped_it_has_no_timer_and_reads_no_more(self) -> None:
        clock = FakeClock()
        inbox = Inbox(clock, 1)
        inbox.receive(PIECES[0])
        inbox.drop()
        assert not clock.run_next(clock.now_ms() + 10_000)
        assert inbox.receive(PIECES[1]) is None
        assert inbox.receive(ASK) is None


class TestGuarded:
    def make(self, access: Access, check: Any = None) -> tuple[GuardedInbox, FakeClock, list[Exception]]:
        clock, errors = FakeClock(), list[Exception]()
        rules = Rules({"values": {"shut": {"write": "admin"}}}, check)
        guard = Guard(access, rules, Questions(), "A")
        return GuardedInbox(clock, 1, guard, errors.append), clock, errors

    def test_who_may_write_is_heard_and_who_may_not_only_asks(self) -> None:
        for level, is_heard in (("write", True), ("read", False)):
            inbox, _, errors = self.make(Access(level))
            assert (inbox.receive(CHANGE) is not None) is is_heard
            assert inbox.receive(ASK) is not None
            assert errors == []

    def test_pieces_are_judged_when_they_are_whole(self) -> None:
        inbox, _, _ = self.make(Access("read"))
        assert inbox.receive(PIECES[0]) is None
        assert inbox.receive(PIECES[1]) is not None
        inbox.drop()
        assert inbox.receive(ASK) is None

    def test_an_access_that_is_over_is_an_error(self) -> None:
        clock = FakeClock()
        inbox, clock, errors = self.make(Access("write", expires_at=clock.now_ms() / 1000 + 1))
        assert inbox.receive(CHANGE) is not None
        clock.advance(1000)
        with pytest.raises(UnauthenticatedError):
            inbox.receive(ASK)
        assert errors == []

    def test_what_a_check_of_the_application_can_not_judge_is_refused_and_reported(self) -> None:
        def failing(*_: Any) -> bool:
            raise KeyError("a check")

        inbox, _, errors = self.make(Access("write"), failing)
        assert inbox.receive(CHANGE) is None
        assert [type(error) for error in errors] == [KeyError]
        assert inbox.receive(ASK) is not None


class Owner:
    """Runs events when it is told to."""

    def __init__(self) -> None:
        self.entered: list[Callable[[], Any]] = []

    def enter(self, event: Callable[[], Any]) -> None:
        self.entered.append(event)


def test_timers_of_an_object_are_events_of_it() -> None:
    clock, owner, rung = FakeClock(), Owner(), list[str]()
    token = socket_owner.set(owner)  # type: ignore[arg-type]
    try:
        events = EventClock(clock)
    finally:
        socket_owner.reset(token)
    events.call_later(1, lambda: rung.append("rung"))
    events.call_later(1, lambda: rung.append("never")).cancel()
    clock.advance(1000)
    assert events.now_ms() == clock.now_ms()
    assert rung == []
    (event,) = owner.entered
    event()
    assert rung == ["rung"]


def test_timers_of_nobody_ring_at_once() -> None:
    clock, rung = FakeClock(), list[str]()
    EventClock(clock).call_later(1, lambda: rung.append("rung"))
    clock.advance(1000)
    assert rung == ["rung"]
