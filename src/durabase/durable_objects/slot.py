"""The place of one object in this process: which life it has, what waits for it, its sockets.

The whole life of an object is the table of :mod:`.phases`. One invariant: an object has at most one life at
a time, and the next begins only when what the last one committed is settled.
"""

from __future__ import annotations

from asyncio import Future
from collections.abc import Callable
from functools import partial
from math import inf
from typing import Any, Final

from durabase.clock import TimerHandle
from durabase.durable_objects.definition import HostedClass
from durabase.durable_objects.events import ObjectEvent, Served, SocketEvent
from durabase.durable_objects.execution import quiet_future
from durabase.durable_objects.handlers import Handler
from durabase.durable_objects.hibernation import SocketRecord, SocketRegistry
from durabase.durable_objects.ids import DurableObjectId
from durabase.durable_objects.invocation import answer, checked, invocation, kind_of, size_of
from durabase.durable_objects.life import Finish, ObjectLife
from durabase.durable_objects.origin import Origin
from durabase.durable_objects.phases import TRANSITIONS, Phase, Signal
from durabase.durable_objects.resting import rest_seconds
from durabase.durable_objects.storage.store import AlarmRow, ObjectStore
from durabase.durable_objects.surroundings import SlotHost
from durabase.durable_objects.waiting import MAX_AT_ONCE, EventQueue, Waiting

__all__ = ["ObjectSlot"]

_MESSAGE: Final = SocketEvent("message")
_LIVE, _QUIET = Phase.LIVE, Phase.QUIET  # to look them up takes longer than all else that lets a message in


class ObjectSlot:
    """One object.

    Attributes:
        phase: where it is in its life.
        id: who it is; the name is learnt from whoever has it.
        sockets: its hibernatable sockets.
        life: the current life.
        is_occupied: no other life may begin: somebody works on what the object keeps.
    """

    __slots__ = (
        "_drained",
        "_host",
        "_last_event_ms",
        "_queue",
        "_store",
        "_timer",
        "_watch",
        "_woken_ms",
        "hosted",
        "id",
        "is_occupied",
        "life",
        "phase",
        "sockets",
    )

    def __init__(self, host: SlotHost, hosted: HostedClass, id: DurableObjectId) -> None:
        self.phase = Phase.EMPTY
        self.is_occupied = False
        self.id = id
        self.hosted = hosted
        self.life: ObjectLife | None = None
        self.sockets = SocketRegistry(self, host.clock, host.tally)
        self._host = host
        self._watch = host.watch
        self._store: ObjectStore | None = None
        self._queue = EventQueue()
        self._timer: TimerHandle | None = None
        self._last_event_ms = self._woken_ms = 0
        self._drained: list[Callable[[], object]] = []

    @property
    def label(self) -> str:
        """The object, for logs."""
        return f"{self.hosted.name}({self.id.name if self.id.name is not None else self.id})"

    def origin(self, event: str) -> Origin:
        """What is part of this event is labelled with."""
        return Origin(self.hosted.name, self.id, event)

    def learn_name(self, name: str) -> None:
        """Somebody reached the object by its name."""
        if self.id.name is None:
            self.id.name = name
            if self._store is not None:
                self._store.learn_name(name)

    def conclude_alarm(self, row: AlarmRow, following: AlarmRow | None) -> bool:
        """Replace the alarm ``row`` if it is still the one; ``False`` if there is no life that could."""
        if self._store is None or self.life is None:
            return False
        current = self._store.get_alarm()
        if current is not None and current.serial == row.serial:
            self._store.set_alarm(following)
        return True

    # Events come

    def deliver(self, event: ObjectEvent) -> Future[Any]:
        """Let the object have the event. Raises nothing; failures come through the future."""
        result = quiet_future(self._host.loop)
        start = partial(self._start, event, result, self._watch.carried())
        self._arrive(Waiting(start, kind_of(event), result, size=size_of(event)))
        return result

    def serve(self, life: ObjectLife, event: Served, result: Future[Any], *, at_once: bool) -> None:
        """Let a life have a call of what it has given away: when it may enter, or ``at_once``."""
        start = partial(self._start, event, result, self._watch.carried())
        waiting = Waiting(start, event.name, result, only_in=life)
        if at_once:
            waiting.start(life)
        else:
            self._enter(waiting, life)

    def socket_message(self, record: SocketRecord, message: str | bytes) -> None:
        """A message of a hibernatable socket."""
        life = self.life
        if life is not None and not self._queue and self._admits(life):
            self._handle_message(record, message, life)
            if self._queue:
                self._drain()
        elif (handler := self.hosted.handlers.web_socket_message) is not None:
            self._arrive(Waiting(partial(self._handle_message, record, message), handler.name))

    def _handle_message(self, record: SocketRecord, message: str | bytes, life: ObjectLife) -> None:
        handler = self.hosted.handlers.web_socket_message if self._watch.tells_messages else None
        if handler is not None:
            self._begin_socket_event(life, _MESSAGE, handler, record, message)
        else:
            life.message(record, message, self._message_finish)
        self._last_event_ms = self._host.clock.now_ms()
        if life.open_events and self.phase is Phase.QUIET:
            self._move(Signal.EVENT)

    def _message_finish(self, life: ObjectLife) -> Finish:
        handler = self.hosted.handlers.web_socket_message
        kind = "web_socket_message" if handler is None else handler.name
        finish, seen = life.limited(life.logged(kind)), self._watch.begin(self.origin(kind), _MESSAGE)
        return finish if seen is None else seen.finish(finish)

    def socket_close(self, record: SocketRecord, code: int, reason: str, was_clean: bool) -> None:
        """A hibernatable socket is over; it is listed until the handler has begun."""
        handler = self.hosted.handlers.web_socket_close
        if handler is None:
            self._forget_socket(record)
        else:
            event = SocketEvent("close", code, was_clean)
            self._socket_event(event, handler, record, code, reason, was_clean)

    def socket_error(self, record: SocketRecord, error: Exception) -> None:
        """The peer of a hibernatable socket broke the protocol."""
        handler = self.hosted.handlers.web_socket_error
        if handler is not None:
            self._socket_event(SocketEvent("error"), handler, record, error)

    def _socket_event(
        self, event: SocketEvent, handler: Handler, record: SocketRecord, *arguments: Any
    ) -> None:
        def start(life: ObjectLife) -> None:
            self._begin_socket_event(life, event, handler, record, *arguments)
            if event.type == "close":
                self._forget_socket(record)

        self._arrive(Waiting(start, handler.name))

    def _begin_socket_event(
        self, life: ObjectLife, event: SocketEvent, handler: Handler, record: SocketRecord, *arguments: Any
    ) -> None:
        call = partial(handler.bound(life.instance), self.sockets.revive(record), *arguments)
        self._begin(life, call, life.limited(life.logged(handler.name)), handler.name, event)

    def enter(self, life: ObjectLife, event: Callable[[], Any]) -> None:
        """An event of a life's own making: of a socket with listeners, or a timer."""

        def start(current: ObjectLife) -> None:
            self._begin(current, event, current.logged("a listener"), "listener")

        self._enter(Waiting(start, "listener", only_in=life), life)

    def _enter(self, waiting: Waiting, life: ObjectLife) -> None:
        if self.phase is Phase.DRAINING and self.life is life and life.input.is_open and not life.entered:
            waiting.start(life)  # what is under way may be waiting for just this
        else:
            self._arrive(waiting)

    def _arrive(self, waiting: Waiting) -> None:
        host = self._host
        self._last_event_ms = waiting.since_ms = host.clock.now_ms()
        if self._queue.put(waiting, host.limits, host.tally):
            host.nesting.enter(self._let_in, host.loop)
            self._queue.watch(host.clock, host.limits, host.tally)

    def _let_in(self) -> None:
        if self.phase is not Phase.EMPTY:
            self._drain()
        else:
            self.go_on()

    def waiting_events(self) -> list[str]:
        """What the events are called that can't enter yet."""
        return [waiting.kind for waiting in self._queue]

    def _admits(self, life: ObjectLife) -> bool:
        return (self.phase is _LIVE or self.phase is _QUIET) and life.input.is_open and not life.entered

    def _drain(self) -> None:
        """Let in what waits, as long as it may, and as the event loop need not wait for long."""
        for _ in range(MAX_AT_ONCE):
            if not self._queue or self.life is None or not self._admits(self.life):
                break
            waiting = self._queue.take()
            if waiting.result is None or not waiting.result.done():
                self._host.tally.entered(waiting.since_ms, self._host.clock)
                waiting.start(self.life)
        else:
            self._host.loop.call_soon(self._let_in)
        self._queue.watch(self._host.clock, self._host.limits, self._host.tally)

    def _begin(
        self,
        life: ObjectLife,
        call: Callable[[], Any],
        finish: Finish,
        kind: str,
        event: ObjectEvent | SocketEvent | None = None,
        carried: Any = None,
        check: Callable[[Any], Any] | None = None,
    ) -> None:
        if self.phase is Phase.QUIET:
            self._move(Signal.EVENT)
        seen = self._watch.begin(self.origin(kind), event, carried)
        finish = finish if seen is None else seen.finish(finish)
        finish = finish if check is None else checked(check, finish)
        life.begin(call, finish, kind, None if seen is None else seen.around)

    # Events with results

    def _start(self, event: ObjectEvent, result: Future[Any], carried: Any, life: ObjectLife) -> None:
        life.expect(result)
        kind = kind_of(event)
        call, check = invocation(event, life, self.hosted.handlers, self._host.limits.message_bytes)
        self._begin(life, call, answer(life, result), kind, event, carried, check)

    # Lives

    def _wake(self) -> None:
        self._move(Signal.EVENT)
        host, hosted = self._host, self.hosted
        self._woken_ms = host.clock.now_ms()
        life = self.life = ObjectLife(self, host.loop, host.clock, self.sockets, hosted.handlers, host.tally)
        try:
            store, make_storage = hosted.open_store(self.id, life.output, life.end_with)
        except Exception as error:
            self.broke(error)
            return
        self._store = store
        self.id.name = store.name
        life.construct(hosted.factory, hosted.bindings, self.id, store, make_storage(life), host.context)

    def ready(self) -> None:
        """Events may enter."""
        if self.phase is Phase.STARTING:
            elapsed = self._host.clock.now_ms() - self._woken_ms
            self._watch.constructed(self.hosted.name, self.id, elapsed)
        self._move(Signal.READY)
        self._drain()
        if self._drained:
            self._drain_life()  # after what waits, else it would begin again for that, for ever
            return
        if self.phase is Phase.LIVE and self.life is not None and not self.life.open_events:
            self.rested()

    def rested(self) -> None:
        """Nothing is under way."""
        self._last_event_ms = self._host.clock.now_ms()
        if self.phase is Phase.LIVE:
            self._move(Signal.RESTED)
            if self._timer is None:
                self._arm(self.hosted.idle_seconds)
        elif self.phase is Phase.DRAINING:
            self._retire()

    def _arm(self, seconds: float) -> None:
        if seconds != inf:
            self._timer = self._host.clock.call_later(seconds, self._quiet_for_long)

    def _quiet_for_long(self) -> None:
        self._timer = None
        life, host = self.life, self._host
        if self.phase is not Phase.QUIET or life is None:
            return
        quiet = (host.clock.now_ms() - self._last_event_ms) / 1000
        if not life.output.is_settled:
            life.output.hold_for_all(partial(self._settled, life))
        elif seconds := rest_seconds(life, self.hosted.idle_seconds, quiet):
            self._arm(seconds)
        else:
            self._move(Signal.IDLE)
            self._retire()

    def _settled(self, life: ObjectLife) -> None:
        if self.life is life and self.phase is Phase.QUIET and self._timer is None:
            self._quiet_for_long()

    def drain(self, then: Callable[[], object], reason: str = "inactive") -> None:
        """Let the life end as soon as what is under way is over; then call ``then``. Sockets stay."""
        self._drained.append(then)
        if self.life is not None:
            self.life.farewell.reason = reason
        if self.phase is Phase.EMPTY:
            self._tell_drained()
        else:
            self._drain_life()

    def _drain_life(self) -> None:
        if self.phase in (Phase.LIVE, Phase.QUIET):
            self._move(Signal.IDLE)
        self._retire()

    def reset(self, error: Exception) -> None:
        """End the life at once with ``error``; sockets are dropped."""
        if self.life is not None:
            self.life.end_with(error)

    def _retire(self) -> None:
        """End the life, if it is to and nothing is under way, when the object was told and all is safe."""
        life = self.life
        if life and self.phase is Phase.DRAINING and not life.has_to_go_on(self._retire):
            life.output.hold_for_all(self._fold)

    def _fold(self) -> None:
        life = self.life
        if life is None or self.phase is not Phase.DRAINING or life.open_events:
            return
        self.life = None
        life.sleep()
        self.sockets.fold()
        self._watch.hibernated(self.hosted.name, self.id, len(self.sockets))
        self._when_store_settled()

    def broke(self, error: Exception) -> None:
        """The life ended badly: what waits fails, sockets are dropped."""
        self._move(Signal.BROKE)
        self.life = None
        self.sockets.drop_all()
        self._queue.clear_all(error)
        self._watch.reset(self.hosted.name, self.id, error)
        self._when_store_settled()

    def _when_store_settled(self) -> None:
        if self._store is None:
            self._folded()
        else:
            self._store.when_settled(self._folded)

    def _folded(self) -> None:
        self._move(Signal.FOLDED)
        self._store = None
        self._host.sweeper.wanted()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._tell_drained()
        self._queue.drop_ended()
        self.go_on()

    def go_on(self) -> None:
        """Begin another life if events wait for it, unless the place is occupied."""
        if self._queue and not self.is_occupied:
            self._wake()
        else:
            self._vanish_if_nothing_is_left()

    def _tell_drained(self) -> None:
        drained, self._drained = self._drained, []
        for then in drained:
            then()

    def _forget_socket(self, record: SocketRecord) -> None:
        self.sockets.remove(record)
        self._vanish_if_nothing_is_left()

    def _vanish_if_nothing_is_left(self) -> None:
        if self.phase is Phase.EMPTY and not (self._queue or len(self.sockets) or self.is_occupied):
            self._host.vanished(self)

    def _move(self, signal: Signal) -> None:
        try:
            self.phase = TRANSITIONS[self.phase, signal]
        except KeyError:
            raise AssertionError(f"{self.label}: {signal.name} in phase {self.phase.name}") from None
