"""Results of calls that are under way: they can be awaited, and called on before they are there.

``await stub.room("a").count()`` sends both calls at once; the second is made on what the first one
gives. A promise is no :class:`asyncio.Future`: but for dunder names, ``throw``, and what tasks look at of
coroutines, every name of it means a member of the result.
"""

from __future__ import annotations

import asyncio
from asyncio import Future
from collections.abc import Awaitable, Callable, Coroutine, Generator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, Final, Protocol

from durabase.durable_objects.events import Call, Loan, Read
from durabase.durable_objects.rpc import ITSELF
from durabase.web.abort_signal import AbortError, AbortEvent
from durabase.web.connection import socket_owner
from durabase.web.request import Request

__all__ = ["CallMaker", "Failure", "Receiver", "RpcMember", "RpcPromise", "member", "send"]

CallMaker = Callable[[str, Sequence[Any], Mapping[str, Any]], Call]
"""Makes a call of a method's name and its arguments, which it copies."""


Failure = Callable[[BaseException], BaseException]
"""What a caller gets for an exception."""


_NAMES_OF_COROUTINES: Final = frozenset(
    ("ag_frame", "cr_code", "cr_frame", "cr_running", "gi_code", "gi_frame", "gi_running")
)
"""What a task looks at of its coroutine when it is shown; that must not become a call."""


class Receiver(Protocol):
    """What can be called from afar."""

    def _rpc_perform(self, event: Call | Read) -> RpcPromise:
        """Do that now."""


class RpcMember:
    """``stub.name``: call it, or await it for the value of the property."""

    __slots__ = ("_make_call", "_name", "_receiver")

    def __init__(self, receiver: Receiver, name: str, make_call: CallMaker) -> None:
        self._receiver = receiver
        self._name = name
        self._make_call = make_call

    def __call__(self, *arguments: Any, **keywords: Any) -> RpcPromise:
        return self._receiver._rpc_perform(self._make_call(self._name, arguments, keywords))

    def __await__(self) -> Generator[Any, None, Any]:
        return self._read().__await__()

    def __getattr__(self, name: str) -> RpcMember:
        return member(self._read(), name, self._make_call)

    def _read(self) -> RpcPromise:
        return self._receiver._rpc_perform(Read(self._name))

    def __repr__(self) -> str:
        return f"<RpcMember {self._name} of {self._receiver!r}>"


class RpcPromise:
    """The result of a call: ``await`` it, drop it, hand it to ``asyncio.create_task``, or call on.

    The call was made already, and goes on whether anybody waits for it or not.
    """

    __slots__ = ("_future", "_make_call", "_steps")

    def __init__(self, future: Future[Any], make_call: CallMaker) -> None:
        self._future = future
        self._make_call = make_call
        self._steps: Generator[Any, None, Any] | None = None

    def __await__(self) -> Generator[Any, None, Any]:
        return self._future.__await__()

    def __getattr__(self, name: str) -> RpcMember:
        if name in _NAMES_OF_COROUTINES:
            raise AttributeError(name)
        return member(self, name, self._make_call)

    def __call__(self, *arguments: Any, **keywords: Any) -> RpcPromise:
        return self._rpc_perform(self._make_call(ITSELF, arguments, keywords))

    # What a task does with its coroutine

    def __next__(self) -> Any:
        if self._steps is None:
            self._steps = self.__await__()
        return self._steps.send(None)

    def throw(self, *error: Any) -> Any:
        """Raise an error where the one task that this was handed to waits."""
        if self._steps is None:
            self._steps = self.__await__()
        return self._steps.throw(*error)

    def _rpc_follow(self, request: Request) -> None:
        """End when the request is aborted; abandon the request when the wait is cancelled."""
        future = self._future
        future.add_done_callback(lambda _: request.abandon() if future.cancelled() else None)
        if request.has_signal:
            request.signal.add_event_listener("abort", partial(_abort, future))

    # Going on before the result is there

    def _rpc_perform(self, event: Call | Read) -> RpcPromise:
        result: Future[Any] = self._future.get_loop().create_future()
        result.add_done_callback(_look_at)
        self._future.add_done_callback(partial(_go_on, result, event))
        return RpcPromise(result, self._make_call)

    def __repr__(self) -> str:
        return f"<RpcPromise {'done' if self._future.done() else 'pending'}>"


Coroutine.register(RpcPromise)  # asyncio.create_task takes nothing else


def member(receiver: Receiver, name: str, make_call: CallMaker) -> RpcMember:
    """What ``receiver.name`` is.

    Raises:
        AttributeError: it is a name that Python, or whoever looks for promises, asks for.
    """
    if name == "then" or (name.startswith("__") and name.endswith("__")):
        raise AttributeError(name)
    return RpcMember(receiver, name, make_call)


def send(
    deliver: Callable[[], Awaitable[Any]],
    make_call: CallMaker,
    lent: Sequence[Loan] = (),
    failure: Failure | None = None,
    seen: Callable[[Future[Any]], object] | None = None,
) -> RpcPromise:
    """Deliver an event, as soon as what the running object has written is safe.

    Args:
        deliver: does it, and gives the awaitable result.
        make_call: for calls on the result.
        lent: what goes back when the call is over.
        failure: what becomes of an exception.
        seen: is told of the result.
    """
    result: Future[Any] = asyncio.get_running_loop().create_future()
    result.add_done_callback(seen or _look_at)

    def start() -> None:
        asyncio.ensure_future(deliver()).add_done_callback(partial(_hand_over, result, lent, failure))

    owner = socket_owner.get()
    if owner is None or owner.output.is_open:
        start()
    else:
        owner.output.hold(start)
    return RpcPromise(result, make_call)


def _abort(future: Future[Any], event: AbortEvent) -> None:
    if not future.done():
        reason = event.target.reason
        future.set_exception(reason if isinstance(reason, Exception) else AbortError(str(reason)))


def _look_at(future: Future[Any]) -> None:
    """So that nobody else has to."""
    if not future.cancelled():
        future.exception()


def _hand_over(
    result: Future[Any],
    lent: Sequence[Loan],
    failure: Failure | None,
    delivered: Future[Any],
) -> None:
    for loan in lent:
        loan.destroy()
    error = None if delivered.cancelled() else delivered.exception()
    if result.done():
        return
    if delivered.cancelled():
        result.cancel()
    elif error is not None:
        result.set_exception(error if failure is None else failure(error))
    else:
        result.set_result(delivered.result())


def _go_on(result: Future[Any], event: Call | Read, earlier: Future[Any]) -> None:
    """The result that ``event`` was waiting for is there."""
    lent = event.lent if isinstance(event, Call) else ()
    error = asyncio.CancelledError() if earlier.cancelled() else earlier.exception()
    if error is None:
        try:
            following = _performed(earlier.result(), event)
        except Exception as complaint:
            error = complaint
        else:
            asyncio.ensure_future(_value_of(following)).add_done_callback(
                partial(_hand_over, result, lent, None)
            )
            return
    failed: Future[Any] = earlier.get_loop().create_future()
    failed.set_exception(error) if isinstance(error, Exception) else failed.cancel()
    _hand_over(result, lent, None, failed)


def _performed(value: Any, event: Call | Read) -> Any:
    """``event`` on a result: on a stub of it, or on a member of a plain dict."""
    perform = getattr(type(value), "_rpc_perform", None)
    if perform is not None:
        return perform(value, event)
    if not isinstance(value, dict) or event.name not in value:
        raise TypeError(f"{type(event).__name__.lower()} of {event.name!r}: the result has no such member")
    found = value[event.name]
    return found if isinstance(event, Read) else _performed(found, replace(event, method=ITSELF))


async def _value_of(following: Any) -> Any:
    return await following if isinstance(following, RpcPromise) else following
