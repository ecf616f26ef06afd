"""Records: what happened, as plain values that are written as JSON.

There are three types. An ``event`` is what an object or an entrypoint has handled; its fields have the
names that Cloudflare's tail records have, so that tools for those read these. An ``object`` is the
beginning or the end of an object's life, and a ``log`` is what was printed or logged.
"""

from __future__ import annotations

import asyncio
import traceback
from typing import Any, Final, TypeAlias

from durabase._refusals import REASONS, Refusal
from durabase.clock import Clock
from durabase.durable_objects import (
    DurableObjectId,
    EventHandled,
    ObjectConstructed,
    ObjectHibernated,
    ObjectReset,
)
from durabase.durable_objects.base import DurableObjectAbort
from durabase.durable_objects.events import Alarm, Call, Fetch, Read, Served, SocketEvent
from durabase.durable_objects.origin import Origin
from durabase.errors import ObjectOverloadedError, ObjectResetError
from durabase.operations.redaction import redacted_headers, redacted_url
from durabase.web import Request
from durabase.workers.facts import EntrypointHandled, LoopHeldUp, RuntimeFact
from durabase.workers.scheduled import ScheduledController

__all__ = ["Record", "RecordMaker"]

Record: TypeAlias = dict[str, Any]

_MAX_TEXT: Final = 64 * 1024
"""Longer texts are cut, as a record has to stay one line that tools can read."""
MAX_ABOUT: Final = 256
"""The same for what strangers have chosen: paths and origins."""


class RecordMaker:
    """Makes records.

    Args:
        worker: the first worker's name; the others' names are before the names of their classes.
        clock: tells when something happened whose fact does not say it.
    """

    def __init__(self, worker: str, clock: Clock) -> None:
        self._worker = worker
        self._clock = clock

    def of(self, fact: RuntimeFact) -> Record:
        """The record of a fact."""
        match fact:
            case EntrypointHandled():
                return self._of_entrypoint(fact)
            case EventHandled():
                return self._of_event(fact)
            case ObjectConstructed(milliseconds=milliseconds):
                return self._of_object(fact, "constructed", wallTime=milliseconds)
            case ObjectHibernated(sockets=sockets):
                return self._of_object(fact, "hibernated", sockets=sockets)
            case ObjectReset(error=error):
                return self._of_object(fact, "reset", exceptions=[_exception(error, self._clock.now_ms())])
            case LoopHeldUp():
                who = self._who(fact.class_name, None) | {"kind": fact.event}
                held = {"wallTime": fact.seconds * 1000, "message": _cut(fact.stack)}
                return {"type": "held-up", "timestamp": self._clock.now_ms(), **who, **held}

    def of_log(
        self, origin: Origin | None, level: str, message: str, error: BaseException | None = None
    ) -> Record:
        """The record of what was printed or logged.

        ``level`` is ``debug``, ``log``, ``warn`` or ``error``.
        """
        now = self._clock.now_ms()
        record: Record = {"type": "log", "timestamp": now, "level": level, "message": _cut(message)}
        if origin is not None:
            record |= self._who(origin.class_name, origin.id) | {"kind": origin.event}
        if error is not None:
            record["exceptions"] = [_exception(error, now)]
        return record

    def of_refusal(self, refusal: Refusal, origin: Origin | None) -> Record:
        """The record of somebody who was turned away; ``origin`` is whose code has done so, if any."""
        what = {"type": "refusal", "timestamp": self._clock.now_ms(), "reason": refusal.reason}
        record: Record = what | {"message": REASONS[refusal.reason], "about": _cut(refusal.about, MAX_ABOUT)}
        return record if origin is None else record | self._who(origin.class_name, origin.id)

    def script_and_class(self, class_name: str) -> tuple[str, str]:
        """The worker's name and the class's, of a class as the host knows it."""
        script, colon, name = class_name.partition(":")
        return (script, name) if colon else (self._worker, class_name)

    def _of_entrypoint(self, fact: EntrypointHandled) -> Record:
        return {
            "type": "event",
            "outcome": outcome(fact.error),
            "scriptName": fact.worker,
            "entrypoint": fact.entrypoint,
            "executionModel": "stateless",
            "eventTimestamp": fact.started_ms,
            "wallTime": fact.milliseconds,
            "cpuTime": fact.cpu_milliseconds,
            "kind": fact.kind,
            "event": _described(fact.event, fact.status),
            "exceptions": _exceptions(fact.error, fact.started_ms + int(fact.milliseconds)),
        }

    def _of_event(self, fact: EventHandled) -> Record:
        return {
            "type": "event",
            "outcome": outcome(fact.error),
            **self._who(fact.class_name, fact.id),
            "executionModel": "durableObject",
            "eventTimestamp": fact.started_ms,
            "wallTime": fact.milliseconds,
            "cpuTime": fact.cpu_milliseconds,
            "kind": fact.kind,
            "event": _described(fact.event, fact.status),
            "exceptions": _exceptions(fact.error, fact.started_ms + int(fact.milliseconds)),
        }

    def _of_object(
        self, fact: ObjectConstructed | ObjectHibernated | ObjectReset, kind: str, **more: Any
    ) -> Record:
        who = self._who(fact.class_name, fact.id)
        return {"type": "object", "timestamp": self._clock.now_ms(), "kind": kind, **who, **more}

    def _who(self, class_name: str, id: DurableObjectId | None) -> Record:
        script, name = self.script_and_class(class_name)
        who: Record = {"scriptName": script, "entrypoint": name}
        if id is not None:
            who |= {"durableObjectId": str(id), "durableObjectName": id.name}
        return who


def outcome(error: BaseException | None) -> str:
    """How an event ended, in Cloudflare's words."""
    match error:
        case None:
            return "ok"
        case DurableObjectAbort() | ObjectResetError():
            return "aborted"
        case ObjectOverloadedError():
            return "loadShed"
        case asyncio.CancelledError():
            return "canceled"
    return "exception"


def _described(event: object, status: int | None) -> Record | None:
    match event:
        case Fetch(request) | (Request() as request):
            about = {"url": redacted_url(request.url), "method": str(request.method)}
            described: Record = {"request": about | {"headers": redacted_headers(request.headers.items())}}
            return described if status is None else described | {"response": {"status": status}}
        case Call(name=name) | Read(name=name) | Served(name=name):
            return {"rpcMethod": name}
        case Alarm(info):
            return {"scheduledTime": info.scheduled_time, "retryCount": info.retry_count}
        case ScheduledController(cron, time):
            return {"cron": cron, "scheduledTime": time}
        case SocketEvent("close", code, was_clean):
            said = {"webSocketEventType": "close", "code": code, "wasClean": was_clean}
            return {"getWebSocketEvent": said}
        case SocketEvent(type):
            return {"getWebSocketEvent": {"webSocketEventType": type}}
    return None


def _exceptions(error: BaseException | None, timestamp: int) -> list[Record]:
    return [] if error is None else [_exception(error, timestamp)]


def _exception(error: BaseException, timestamp: int) -> Record:
    return {
        "name": type(error).__name__,
        "message": _cut(str(error)),
        "stack": _cut("".join(traceback.format_exception(error))),
        "timestamp": timestamp,
    }


def _cut(text: str, limit: int = _MAX_TEXT) -> str:
    return text if len(text) <= limit else f"{text[:limit]} … ({len(text)} characters)"
