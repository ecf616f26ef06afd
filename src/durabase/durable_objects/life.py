"""One life of an object: from the construction of its instance to hibernation or reset.

A life runs the object's code. It knows nothing of what came before or comes after, nor of events that wait;
that is the slot's. Everything a life has made ends with it: tasks, listeners, held messages, storage.
"""

from __future__ import annotations

import asyncio
import logging
from asyncio import AbstractEventLoop, Future, Task
from collections.abc import Awaitable, Callable
from contextvars import Context
from functools import partial
from inspect import isawaitable
from typing import Any

from durabase.clock import TimerClock
from durabase.durable_objects.base import DurableObjectAbort
from durabase.durable_objects.blocking import run_blocking
from durabase.durable_objects.definition import Bindings
from durabase.durable_objects.execution import TaskStarter, as_coroutine
from durabase.durable_objects.farewell import Farewell
from durabase.durable_objects.gates import InputGate, OutputGate
from durabase.durable_objects.giving import LifeGiver
from durabase.durable_objects.handlers import HandlerTable
from durabase.durable_objects.hibernation import SocketRecord, SocketRegistry
from durabase.durable_objects.holders import Holders
from durabase.durable_objects.ids import DurableObjectId
from durabase.durable_objects.origin import Origin, labelled
from durabase.durable_objects.routing import Holder, current_caller
from durabase.durable_objects.rpc import as_reset
from durabase.durable_objects.rpc_target import current_giver
from durabase.durable_objects.sections import SECTION_SECONDS, CriticalSections
from durabase.durable_objects.started import StartedWork
from durabase.durable_objects.state import DurableObjectState
from durabase.durable_objects.storage.kv import DurableObjectStorage
from durabase.durable_objects.storage.store import ObjectStore
from durabase.durable_objects.surroundings import LifeWatcher
from durabase.durable_objects.suspension import with_suspension
from durabase.durable_objects.tally import Tally
from durabase.durable_objects.tracing import Around
from durabase.errors import ObjectResetError
from durabase.web.connection import Connection, socket_owner

__all__ = ["Finish", "ObjectLife"]

_logger = logging.getLogger("durabase.durable_objects")

Finish = Callable[[Any, BaseException | None], object]
"""What to do with an event's result, or with what it raised."""


class ObjectLife:
    """One life.

    Args:
        watcher: the slot.
        loop: the event loop.
        clock: for time limits.
        sockets: the object's sockets.
        handlers: which methods answer events.
        tally: is told how long results are held.

    Attributes:
        output: what holds outgoing messages.
        input: what holds incoming events.
        error: what ended the life.
        open_events: events, critical sections and awaited work that are not over.
        started: tasks and timers of the object's code.
        farewell: tells the object when it is to go.
        entered: code of the object is running right now.
    """

    def __init__(
        self,
        watcher: LifeWatcher,
        loop: AbstractEventLoop,
        clock: TimerClock,
        sockets: SocketRegistry,
        handlers: HandlerTable,
        tally: Tally,
    ) -> None:
        self.clock = clock
        self.output = OutputGate()
        self.input = InputGate(self._input_opened, loop.call_soon, self)
        self.error: Exception | None = None
        self.open_events = 0
        self.entered = False
        self.constructing = True
        self.farewell = Farewell(self, handlers)
        self.instance: Any = None
        self.started = StartedWork(self.input, loop)
        self.giver = LifeGiver(self, watcher, loop)
        self.state: DurableObjectState
        self._watcher = watcher
        self._loop = loop
        self._starter = TaskStarter(loop)
        self._sockets = sockets
        self._handlers = handlers
        self._tally = tally
        self._context = self._message_context = Context()
        self._sections = CriticalSections(self, watcher, loop)
        self._results: dict[Future[Any], None] = {}  # an empty set takes three times the memory
        self._adopted: dict[Connection, None] = {}
        self._holders = Holders()
        self._store: ObjectStore
        self._storage: DurableObjectStorage
        self._on_message: Callable[..., Any] | None = None

    # Beginning and end

    def construct(
        self,
        factory: Callable[[Any, Any], Any],
        bindings: Bindings,
        id: DurableObjectId,
        store: ObjectStore,
        storage: DurableObjectStorage,
        context: Context,
    ) -> None:
        """Make the instance. The watcher hears ``ready`` or ``broke``, perhaps within this call."""
        self._store, self._storage = store, storage
        self.state = DurableObjectState(id, storage, self._sockets, self, bindings.exports)
        self._context = context.copy()
        self._context.run(socket_owner.set, self)
        self._context.run(current_giver.set, self.giver)
        self._context.run(current_caller.set, self)
        self._message_context = labelled(self._context, self._watcher.origin("web_socket_message"))
        self._sockets.wake(self.output)
        try:
            context = labelled(self._context, self._watcher.origin("constructor"))
            self.instance = context.run(factory, self.state, bindings.env)
        except (Exception, DurableObjectAbort) as error:
            self.end_with(as_reset(error))
            return
        if self.error is None:
            self._bind()
            if self.input.is_open:
                self._input_opened()

    def _bind(self) -> None:
        handler = self._handlers.web_socket_message
        self._on_message = None if handler is None else with_suspension(handler.bound(self.instance))

    def _input_opened(self) -> None:
        if self.error is None:
            self.constructing = False
            self._watcher.ready()

    def end_with(self, error: Exception) -> None:
        """End the life at once: nothing more is written or sent, what is under way fails with ``error``."""
        if self.error is None:
            self._store.close()  # now, for what turns before have deferred is written by code of this life
        if self.error is not None:
            return
        self.error = error
        self.output.fail()
        self.started.end()
        self._fail_results(error)
        for connection in list(self._adopted):
            connection.abort()
        self._watcher.broke(error)
        self._let_go()

    def has_to_go_on(self, then: Callable[[], object]) -> bool:
        """Whether something is under way; telling the object that it is to go may be.

        If that takes too long ``then`` is called; else the watcher hears of its end.
        """
        return self.open_events > 0 or self.farewell.say(then)

    def sleep(self) -> None:
        """End the life in peace: no event is open, everything is safe. What still runs is stopped."""
        self.error = ObjectResetError("this life of the object is over", retryable=True)
        self._store.close()
        self._fail_results(self.error)
        self.started.end()
        for connection in list(self._adopted):
            connection.abort()
        self._let_go()

    def _fail_results(self, error: Exception) -> None:
        results, self._results = self._results, {}
        for future in results:
            if not future.done():
                future.set_exception(error)

    def _let_go(self) -> None:
        """Drop what refers to the instance: whoever still holds this life must not keep that."""
        self.instance = self._on_message = None
        self._adopted.clear()
        self._holders.clear()
        self.giver.end()
        self._context = self._message_context = Context()

    @property
    def label(self) -> str:
        """The object, for logs."""
        return self._watcher.label

    def origin(self, event: str) -> Origin:
        """What is part of this event is labelled with."""
        return self._watcher.origin(event)

    @property
    def is_busy(self) -> bool:
        """Whether somebody else would lose something if the life ended now."""
        return bool(self.open_events or self._adopted or self.giver.lent or self._holders.are_using())

    @property
    def has_work(self) -> bool:
        """Whether anything is under way or left to be done."""
        return self.is_busy or bool(self.started) or not self.output.is_settled

    @property
    def has_open_events(self) -> bool:
        """Whether an event is under way."""
        return self.open_events > 0 and self.error is None

    @property
    def open_sockets(self) -> int:
        """How many sockets there are that have listeners."""
        return len(self._adopted)

    def hold(self, holder: Holder) -> None:
        """``holder`` has this object in use, for as long as it says so."""
        self._holders.add(holder)

    def check_alive(self) -> None:
        """Raise what ended the life, if something did."""
        if self.error is not None:
            raise self.error

    # Events

    def begin(self, call: Callable[[], Any], finish: Finish, kind: str, around: Around | None = None) -> None:
        """Run ``call`` as an event; ``finish`` gets what comes of it, unless the life ends before."""
        self.open_events += 1
        context = labelled(self._context, self._watcher.origin(kind))
        call = with_suspension(call) if around is None else around(with_suspension(call))
        self.entered = True
        try:
            result = context.run(call)
            if isawaitable(result):
                task, result = self._starter.start(result, self.input, context)
                if task is not None:
                    self.see_through(task, partial(self._task_done, finish))
                    return
        except (Exception, asyncio.CancelledError, DurableObjectAbort) as error:
            self._finish(finish, None, error)
            return
        finally:
            self.entered = False
        self._finish(finish, result, None)

    def message(
        self,
        record: SocketRecord,
        message: str | bytes,
        finish: Callable[[ObjectLife], Finish],
    ) -> bool:
        """A socket's message: what :meth:`begin` does, without what a plain handler does not need.

        ``finish`` is asked only if the handler has to wait, or fails; else the result is true.
        """
        handler = self._on_message
        if handler is None:
            return False
        socket = record.socket or self._sockets.revive(record)
        context = self._message_context.copy()
        self.entered = True
        try:
            result = context.run(handler, socket, message)
            if result is not None and isawaitable(result):
                task, _ = self._starter.start(result, self.input, context)
                if task is not None:
                    self.open_events += 1
                    self.see_through(task, partial(self._task_done, finish(self)))
                    return False
        except (Exception, asyncio.CancelledError, DurableObjectAbort) as error:
            if self.error is None:
                finish(self)(None, error)
            return False
        finally:
            self.entered = False
        return True

    def see_through(self, task: Task[Any], then: Callable[[Task[Any]], object]) -> None:
        """Call ``then`` with the task at its end; it belongs to the life."""
        self.started.track(task)
        task.add_done_callback(then)

    def _task_done(self, finish: Finish, task: Task[Any]) -> None:
        error = asyncio.CancelledError() if task.cancelled() else task.exception()
        self._finish(finish, None if error is not None else task.result(), error)

    def _finish(self, finish: Finish, result: Any, error: BaseException | None) -> None:
        if self.error is not None:
            return
        finish(result, error)
        self.event_over()

    def event_over(self) -> None:
        """An event, section or awaited work is over."""
        self.open_events -= 1
        if not self.open_events and self.error is None:
            self._watcher.rested()

    def logged(self, kind: str) -> Finish:
        """A finish for events that nobody waits for."""

        def finish(result: Any, error: BaseException | None) -> None:
            if error is not None and self.error is None:
                _logger.error("%s of %s failed", kind, self._watcher.label, exc_info=error)

        return finish

    def limited(self, finish: Finish) -> Finish:
        """``finish`` for a socket's event: if that takes longer than the object allows, the life ends."""
        milliseconds = self._sockets.event_timeout_ms
        if milliseconds is None:
            return finish
        error = ObjectResetError(f"A WebSocket event took longer than {milliseconds} ms.")
        timer = self.clock.call_later(milliseconds / 1000, partial(self.end_with, error))

        def finish_in_time(result: Any, failure: BaseException | None) -> None:
            timer.cancel()
            finish(result, failure)

        return finish_in_time

    def give_result(self, future: Future[Any], result: Any, error: BaseException | None) -> None:
        """Let the result leave: now, or when what was written before is safe."""
        self._results[future] = None
        settle = partial(self.settle, future, result, error)
        self.output.hold(settle if self.output.is_open else self._tally.timed(settle, self.clock))

    def expect(self, future: Future[Any]) -> None:
        """If the life ends first, ``future`` fails with it."""
        self._results[future] = None

    def settle(self, future: Future[Any], result: Any, error: BaseException | None) -> None:
        """What was expected is there."""
        self._results.pop(future, None)
        if not self._results:
            self._results = {}  # without the room that there was for more
        if future.done():
            return
        if error is None:
            future.set_result(result)
        else:
            future.set_exception(error)

    # What the state hands on

    def block_concurrency_while(self, callback: Callable[[], Any]) -> Awaitable[Any]:
        """Run ``callback`` as a critical section; what it raises ends the life."""
        return self._sections.run(callback, fatal=True)

    def run_section(
        self, action: Callable[[], Awaitable[Any]], *, seconds: float | None = SECTION_SECONDS
    ) -> Awaitable[Any]:
        """Run ``action`` as a critical section, for so long at most; what it raises is the caller's."""
        return self._sections.run(action, fatal=False, seconds=seconds)

    def wait_until(self, awaitable: Awaitable[Any]) -> None:
        """Keep the life going until ``awaitable`` is over."""
        self.check_alive()
        self.open_events += 1
        task = self._loop.create_task(as_coroutine(awaitable))
        self.see_through(task, partial(self._task_done, self.logged("wait_until")))

    def run_blocking(self, call: Callable[[], Any]) -> Future[Any]:
        """Run ``call`` in a thread, in a copy of this context; the object is awake until it is over."""
        return run_blocking(self, self._loop, call)

    # What sockets with listeners, and timers, need of their owner

    def enter(self, event: Callable[[], Any]) -> None:
        """Run ``event`` as an event of the object, if this life is not over."""
        if self.error is None:
            self._watcher.enter(self, event)

    def defer(self, action: Callable[[], object]) -> None:
        """Call ``action`` soon, from the event loop."""
        self._loop.call_soon(action)

    def adopt(self, connection: Connection) -> None:
        """A socket was accepted for its listeners: stay awake while it is open."""
        self.check_alive()
        self._adopted[connection] = None

    def release(self, connection: Connection) -> None:
        """An adopted socket is over."""
        self._adopted.pop(connection, None)
