"""What happened, as plain values."""

from __future__ import annotations

import asyncio
import json

import pytest

from durabase.durable_objects import (
    AlarmInfo,
    DurableObjectAbort,
    EventHandled,
    ObjectConstructed,
    ObjectHibernated,
    ObjectReset,
)
from durabase.durable_objects.events import Alarm, Call, Fetch, ObjectEvent, Read, Served, SocketEvent
from durabase.durable_objects.ids import DurableObjectId
from durabase.durable_objects.origin import Origin
from durabase.errors import ObjectOverloadedError, ObjectResetError
from durabase.operations.records import Record, RecordMaker, outcome
from durabase.testing.fake_clock import FakeClock
from durabase.web import Request
from durabase.workers.facts import EntrypointHandled, LoopHeldUp
from durabase.workers.scheduled import ScheduledController

ID = DurableObjectId(bytes(32), "lobby")
MAKER = RecordMaker("app", FakeClock(2000))
WHO = {
    "scriptName": "app",
    "entrypoint": "Room",
    "durableObjectId": "00" * 32,
    "durableObjectName": "lobby",
}


def handled(event: ObjectEvent | SocketEvent | None, status: int | None = None) -> Record:
    return MAKER.of(EventHandled("Room", ID, "kind", 5, None, 1000, event, status))


@pytest.mark.feature("S-OB-1")
def test_an_event_of_an_object() -> None:
    request = Request("http://host/x?token=1", headers={"cookie": "a=b", "x": "y"})
    assert handled(Fetch(request), 201) == {
        "type": "event",
        "outcome": "ok",
        **WHO,
        "executionModel": "durableObject",
        "eventTimestamp": 1000,
        "wallTime": 5,
        "cpuTime": None,
        "kind": "kind",
        "event": {
            "request": {
                "url": "http://host/x?token=REDACTED",
                "method": "GET",
                "headers": {"cookie": "REDACTED", "x": "y"},
            },
            "response": {"status": 201},
        },
        "exceptions": [],
    }


@pytest.mark.feature("S-OB-1")
@pytest.mark.parametrize(
    ("event", "expected"),
    [
        (Call("visit", (), {}), {"rpcMethod": "visit"}),
        (Read("name"), {"rpcMethod": "name"}),
        (Served(lambda: None, lambda result: result, "reply"), {"rpcMethod": "reply"}),
        (Alarm(AlarmInfo(1, True, 77), 3), {"scheduledTime": 77, "retryCount": 1}),
        (SocketEvent("message"), {"getWebSocketEvent": {"webSocketEventType": "message"}}),
        (
            SocketEvent("close", 1001, False),
            {"getWebSocketEvent": {"webSocketEventType": "close", "code": 1001, "wasClean": False}},
        ),
        (None, None),
    ],
)
def test_what_an_event_was(event: ObjectEvent | SocketEvent | None, expected: Record | None) -> None:
    assert handled(event)["event"] == expected


@pytest.mark.feature("S-OB-1")
def test_events_of_entrypoints_and_of_other_workers() -> None:
    cron = ScheduledController("* * * * *", 5)
    record = MAKER.of(EntrypointHandled("other", "Default", "scheduled", 3, 1000, cron, None, None))
    assert record["scriptName"] == "other"
    assert record["executionModel"] == "stateless"
    assert record["event"] == {"cron": "* * * * *", "scheduledTime": 5}
    record = MAKER.of(EventHandled("other:Room", ID, "fetch", 1, None))
    assert (record["scriptName"], record["entrypoint"]) == ("other", "Room")


@pytest.mark.feature("S-OB-1", "M-OB-1")
def test_what_was_raised_is_in_the_record() -> None:
    try:
        raise ValueError("why")
    except ValueError as error:
        record = MAKER.of(EventHandled("Room", ID, "visit", 5, error, 1000))
    (raised,) = record["exceptions"]
    assert record["outcome"] == "exception"
    assert (raised["name"], raised["message"], raised["timestamp"]) == ("ValueError", "why", 1005)
    assert 'raise ValueError("why")' in raised["stack"]
    assert json.loads(json.dumps(record)) == record


def test_the_lives_of_objects() -> None:
    constructed = MAKER.of(ObjectConstructed("Room", ID, 3))
    assert constructed == {"type": "object", "timestamp": 2000, "kind": "constructed", **WHO, "wallTime": 3}
    assert MAKER.of(ObjectHibernated("Room", ID, 2))["sockets"] == 2
    reset = MAKER.of(ObjectReset("Room", ID, ValueError("why")))
    assert (reset["kind"], reset["exceptions"][0]["message"]) == ("reset", "why")


@pytest.mark.feature("M-OB-1")
def test_what_was_printed() -> None:
    plain = {"type": "log", "timestamp": 2000, "level": "log", "message": "hello"}
    assert MAKER.of_log(None, "log", "hello") == plain
    labelled = MAKER.of_log(Origin("Room", ID, "visit"), "log", "hello")
    assert labelled == plain | WHO | {"kind": "visit"}
    failed = MAKER.of_log(Origin("Default", None, "fetch"), "error", "x" * 70_000, ValueError("why"))
    assert failed["message"].endswith("x … (70000 characters)")
    assert failed["exceptions"][0]["name"] == "ValueError"


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (None, "ok"),
        (ValueError(), "exception"),
        (ObjectResetError(), "aborted"),
        (DurableObjectAbort(), "aborted"),
        (ObjectOverloadedError(), "loadShed"),
        (asyncio.CancelledError(), "canceled"),
    ],
)
def test_outcomes(error: BaseException | None, expected: str) -> None:
    assert outcome(error) == expected


def test_code_that_held_up_the_event_loop() -> None:
    record = RecordMaker("app", FakeClock(7)).of(LoopHeldUp("Room", "fetch", 1.5, "the stack"))
    assert record == {
        "type": "held-up",
        "timestamp": 7,
        "kind": "fetch",
        "wallTime": 1500,
        "message": "the stack",
        "scriptName": "app",
        "entrypoint": "Room",
    }
