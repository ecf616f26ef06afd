"""One path of a WsServer: its clients, and the server's own seat if the path has a persister.

A room passes messages on from the first moment. What is for its own store waits until that is loaded, no
longer: the room is ready then, while its synchronizer still asks the clients what they have. (The original
holds everything back until that question is answered, and since the answers are held back as well, that is
always a request timeout.) It waits as well while something large is taken over slice by slice. A room that
is left and entered again while it still writes is a new room, which loads when the old one is done.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Sequence
from functools import partial
from typing import Any, Protocol, TypeAlias, final

from durabase.clock import TimerClock
from durabase.errors import ServerError
from durabase.mergeable import MergeableStore
from durabase.persisters._steps import Completion, Steps, start_steps
from durabase.persisters.base import Persister
from durabase.sync_server._connections import Member, deliver
from durabase.sync_server._peer import ServerSeat
from durabase.sync_server._waiting import WaitingMessages
from durabase.sync_server.authority import Authority
from durabase.synchronizers.protocol.payloads import Payload, encode_payloads
from durabase.synchronizers.protocol.relay import NODE_RULES, SERVER_ID, HubRelay, Relay, forwarded
from durabase.types import Id

__all__ = ["MadePersister", "PathRoom", "PathRoomHost"]

StoreCallback: TypeAlias = Callable[[MergeableStore], object]
MadePersister: TypeAlias = Persister | Sequence[Any] | None
"""A persister, or a persister and what to call with its store once that is synchronizing, or nothing."""


class PathRoomHost(Protocol):
    """What a room asks of its server."""

    clock: TimerClock
    request_timeout_seconds: float
    fragment_size: float | None

    def authority_of(self, path_id: Id) -> Authority | None:
        """What decides in the room of a path; ``None``: it passes everything on."""

    def make_persister(self, path_id: str) -> MadePersister | Awaitable[MadePersister]:
        """The persister of a path."""

    def report(self, error: Exception) -> None:
        """Tell of an error that changes nothing else."""

    def client_left(self, path_id: str, client_id: str) -> None:
        """A client is not on the path any more."""

    def room_stopped(self, room: PathRoom) -> None:
        """A room is empty and has finished everything."""


@final
class PathRoom:
    """The clients of one path, from the first that comes to the last that goes, or is held for edits."""

    def __init__(self, host: PathRoomHost, path_id: str, predecessor: Completion[None] | None) -> None:
        self.path_id = path_id
        self._authority = host.authority_of(path_id)
        self.relay: Relay[Member] = (Relay if self._authority is None else HubRelay)(NODE_RULES)
        self._host = host
        self._predecessor = predecessor
        self._seat: ServerSeat | None = None
        self._is_ready = False
        self._waiting = WaitingMessages(host.clock, host.request_timeout_seconds)
        self._starting: Completion[None] | None = None
        self._slicing: Completion[None] | None = None
        self._holds = 0
        self.stopping: Completion[None] | None = None
        """The end of the room, once its last client has gone."""

    def start(self) -> None:
        """Get the room ready; to be called when its first client is in."""
        self._starting = start_steps(self._start_steps())
        self._starting.add_done_callback(self._on_started)

    def receive(self, member: Member, payload: Payload) -> None:
        """Pass a message on to other clients, and then to the server's own seat."""
        if self.relay.client_id(member) is None:
            return
        delivery = self.relay.route(member, payload.address)
        if delivery.members:
            deliver(delivery.members, forwarded(member.client_id, payload.remainders))
        if not delivery.to_server:
            return
        if not self._is_ready or self._slicing is not None:
            self._waiting.add(member, payload)
        elif self._seat is not None:
            self._seat.receive(member.client_id, payload.message)

    def leave(self, member: Member) -> Completion[None] | None:
        """Take a client off the path; the end of the room if it was the last and something is left to do."""
        if not self.relay.leave(member):
            return None
        if not self._is_ready:
            self._waiting.drop(member)
        self._host.client_left(self.path_id, member.client_id)
        return self._stop_if_empty()

    def hold(self) -> None:
        """Keep the room, with clients or without, until it is released as often."""
        self._holds += 1

    def release(self) -> Completion[None] | None:
        """Keep it no longer; the end of the room if nobody else does and something is left to do."""
        self._holds -= 1
        return self._stop_if_empty()

    async def store_seat(self) -> ServerSeat | None:
        """The server's own seat when it is ready and takes nothing large over, if the path has one.

        Raises:
            Exception: why the room could not be opened.
        """
        if self._starting is not None:
            await self._starting
        while self._slicing is not None:
            await self._slicing
        return self._seat

    def _stop_if_empty(self) -> Completion[None] | None:
        if len(self.relay) or self._holds:
            return None
        stopping = self.stop()
        return None if stopping.done() else stopping

    def stop(self) -> Completion[None]:
        """End the room: wait for what is being loaded or written, then let go of the store."""
        if self.stopping is None:
            self.stopping = Completion()
            start_steps(self._stop_steps(self.stopping))
        return self.stopping

    # Getting ready

    def _start_steps(self) -> Steps[None]:
        if self._predecessor is not None:
            yield from _ended(self._predecessor)
            self._predecessor = None
        made = yield self._host.make_persister(self.path_id)
        if made is None:
            if self._authority is not None:
                raise ServerError(f"the path {self.path_id!r} has no store: who is to decide there?")
            self._become_ready()
            return
        persister, then = made if isinstance(made, (tuple, list)) else (made, None)
        self._seat = seat = ServerSeat(
            persister,
            send=self._send_from_server,
            has_several_clients=lambda: len(self.relay) > 1,
            clock=self._host.clock,
            request_timeout_seconds=self._host.request_timeout_seconds,
            on_ignored_error=self._host.report,
            in_slices=self._in_slices,
            authority=self._authority,
            send_to_others=self._send_to_others,
        )
        yield seat.load()
        if self.stopping is None:
            start_steps(self._sync_steps(seat, then)).add_done_callback(self._report_failure)
            self._become_ready()

    def _sync_steps(self, seat: ServerSeat, then: StoreCallback | None) -> Steps[None]:
        if len(self.relay):  # else there is nobody to ask
            yield seat.start_sync()
        if then is not None and self.stopping is None:
            yield then(seat.store)

    def _become_ready(self) -> None:
        self._is_ready = True
        self._take_waiting()
        if self._slicing is None:
            self._waiting = WaitingMessages(self._host.clock, None)

    def _take_waiting(self) -> None:
        while self._slicing is None and (first := self._waiting.take_first()) is not None:
            member, payload = first
            if self._seat is not None:
                self._seat.receive(member.client_id, payload.message)

    def _on_started(self, starting: Completion[None]) -> None:
        try:
            starting.result()
        except Exception as error:
            for member in self.relay.members:
                self.leave(member)
                self._host.report(error)
                member.connection.left_out(member)

    def _report_failure(self, completion: Completion[None]) -> None:
        try:
            completion.result()
        except Exception as error:
            self._host.report(error)

    # Taking over what is large

    def _in_slices(self, slices: Iterator[None]) -> None:
        """Do what takes long while what is for the store waits; other rooms have their turn."""
        slicing = self._slicing = Completion()
        self._host.clock.call_later(0, partial(self._next_slice, slices, slicing))

    def _next_slice(self, slices: Iterator[None], slicing: Completion[None]) -> None:
        if self._has_slice(slices):
            self._host.clock.call_later(0, partial(self._next_slice, slices, slicing))
            return
        if self._slicing is slicing:  # else the next large message follows
            self._slicing = None
            self._take_waiting()
        slicing.set_result(None)

    def _has_slice(self, slices: Iterator[None]) -> bool:
        """Do one; whether there was one."""
        try:
            return next(slices, True) is None
        except Exception as error:
            self._host.report(error)
            return False

    # The server's own seat

    def _send_from_server(self, address: str, remainder: str) -> None:
        self._send_as_server(self.relay.route_from_server(address), remainder)

    def _send_to_others(self, client_id: Id, remainder: str) -> None:
        self._send_as_server(self.relay.others_than(client_id), remainder)

    def _send_as_server(self, members: list[Member], remainder: str) -> None:
        if members:
            deliver(members, encode_payloads(SERVER_ID, remainder, self._host.fragment_size))

    # The end

    def _stop_steps(self, stopping: Completion[None]) -> Steps[None]:
        if self._starting is not None:
            yield from _ended(self._starting)
        while self._slicing is not None:
            yield from _ended(self._slicing)
        self._waiting.clear()
        try:
            if self._seat is not None:
                yield self._seat.destroy()
        except Exception as error:
            self._host.room_stopped(self)
            stopping.set_exception(error)
            self._host.report(error)
        else:
            self._host.room_stopped(self)
            stopping.set_result(None)


def _ended(completion: Completion[None]) -> Steps[None]:
    """Wait for the end of something, however it ends: its failure is dealt with elsewhere."""
    try:
        yield completion
    except Exception:
        return
