"""What an event that gives a result means for an instance: which method, and what becomes of its result."""

from __future__ import annotations

from asyncio import Future
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

from durabase.durable_objects.authors import Author, current_author
from durabase.durable_objects.crossing import copied
from durabase.durable_objects.events import Alarm, Call, Fetch, ObjectEvent, Read, Served
from durabase.durable_objects.handlers import HandlerTable
from durabase.durable_objects.life import Finish, ObjectLife
from durabase.durable_objects.rpc import perform_on_instance, remote_error
from durabase.web.request import Request
from durabase.web.response import Response

__all__ = ["Invocation", "answer", "checked", "invocation", "kind_of", "no_response", "size_of"]


class Invocation(NamedTuple):
    """What to call, and what to make of the result."""

    call: Callable[[], Any]
    check: Callable[[Any], Any]


def invocation(
    event: ObjectEvent, life: ObjectLife, handlers: HandlerTable, message_bytes: int
) -> Invocation:
    """What ``event`` means in this life; results of calls may take ``message_bytes``."""
    instance = life.instance
    if isinstance(event, Fetch):
        return Invocation(partial(_fetch, life, handlers, event.request), partial(_checked_response, life))
    if isinstance(event, (Call, Read)):
        check = partial(copied, giver=life.giver, limit=message_bytes)
        return Invocation(partial(perform_on_instance, instance, event), check)
    if isinstance(event, Served):
        return Invocation(event.call, event.check)
    if isinstance(event, Alarm):
        return Invocation(partial(_alarm, life, handlers, event), _as_it_is)
    return Invocation(partial(event.function, instance, life.state), _as_it_is)


def answer(life: ObjectLife, result: Future[Any]) -> Finish:
    """A finish that gives the result to whoever waits for it, when it may leave."""

    def finish(value: Any, error: BaseException | None) -> None:
        life.give_result(result, value, None if error is None else remote_error(error))

    return finish


def checked(check: Callable[[Any], Any], finish: Finish) -> Finish:
    """``finish`` for what ``check`` makes of the result."""

    def check_and_finish(value: Any, error: BaseException | None) -> None:
        if error is None:
            try:
                value = check(value)
            except Exception as failure:
                error = failure
        finish(value, error)

    return check_and_finish


def kind_of(event: ObjectEvent) -> str:
    """What the event is called in reports."""
    return event.name if isinstance(event, (Call, Read, Served)) else type(event).__name__.lower()


def size_of(event: ObjectEvent) -> int:
    """How many bytes an event takes while it waits, as far as it comes from outside."""
    if isinstance(event, Fetch):
        return event.request.size_at_hand or 0
    return event.size if isinstance(event, Call) else 0


def _fetch(life: ObjectLife, handlers: HandlerTable, request: Request) -> Any:
    if handlers.fetch is None:
        raise TypeError("Handler does not export a fetch() function.")
    if life.state.storage._journal.is_kept:
        current_author.set(Author(address=request.headers.get("cf-connecting-ip") or ""))
    return handlers.fetch.bound(life.instance)(request)


async def _alarm(life: ObjectLife, handlers: HandlerTable, event: Alarm) -> None:
    """Run the alarm's handler, if that alarm is still set; while it runs, the alarm counts as not set."""
    storage = life.state.storage
    if not storage.begin_alarm(event.serial):
        return
    try:
        result = None if handlers.alarm is None else handlers.alarm.bound(life.instance)(event.info)
        if result is not None:
            await result
        storage.conclude_alarm(event.serial)
    finally:
        storage.running_alarm = None


def _as_it_is(value: Any) -> Any:
    return value


def no_response(value: object) -> TypeError:
    """The error for what a handler gave in place of a response: Cloudflare's text, and what it was."""
    error = TypeError("Incorrect type for Promise: the Promise did not resolve to 'Response'.")
    found = "nothing" if value is None else f"an object of type {type(value).__name__}"
    error.add_note(f"fetch returned {found}; it has to return a Response, such as Response.json(...).")
    return error


def _checked_response(life: ObjectLife, value: Any) -> Response:
    """The response; if it is a stream, what the object yields is had from it piece by piece."""
    if not isinstance(value, Response):
        raise no_response(value)
    response: Response = value if value.size_at_hand is not None else copied(value, giver=life.giver)
    return response
