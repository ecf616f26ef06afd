"""A server that only passes messages on between the clients of each path.

TinyBase 10.0.1's ``createWsServerSimple``: same framing, checks, fragments, channels, limits and closing as
:class:`~durabase.sync_server.ws_server.WsServer`, but no store of its own, no listeners, no reports.
"""

from __future__ import annotations

from types import TracebackType
from typing import Any, Self, final

from durabase.clock import SystemClock, TimerClock
from durabase.persisters._steps import Completion
from durabase.sync_server._connections import Member, deliver
from durabase.sync_server._serving import ConnectionHost
from durabase.sync_server.authorizing import Authorize
from durabase.sync_server.limits import ClientLimits
from durabase.sync_server.rules import Rules
from durabase.synchronizers.protocol.payloads import Payload
from durabase.synchronizers.protocol.relay import NODE_RULES, Relay, forwarded

__all__ = ["WsServerSimple"]


class WsServerSimple(ConnectionHost):
    """Relays between the clients of each path.

    ::

        async with WsServerSimple() as ws_server, websockets.serve(ws_server.handle, "", 8043):
            ...
    """

    def __init__(
        self,
        *,
        authorize: Authorize | None = None,
        rules: Rules | None = None,
        limits: ClientLimits | None = None,
        clock: TimerClock | None = None,
    ) -> None:
        """Start with no clients. ``clock`` measures how long a message may be incomplete (1 s).

        ``authorize``, ``rules`` and ``limits`` are those of :class:`~durabase.sync_server.WsServer`.
        """
        super().__init__(SystemClock() if clock is None else clock, 1.0, authorize, rules, limits)
        self._rooms: dict[str, _Room] = {}

    def enter(self, path_id: str, member: Member) -> None:
        room = self._rooms.get(path_id)
        if room is None:
            room = self._rooms[path_id] = _Room(self._rooms, path_id)
        member.room = room
        room.relay.join(member.client_id, member)

    def report(self, error: Exception) -> None:
        """Errors are not reported, as in the original."""

    async def destroy(self) -> None:
        """Close all connections. May be called again."""
        self.close_connections()
        self._rooms.clear()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.destroy()


@final
class _Room:
    __slots__ = ("_path_id", "_rooms", "relay")

    def __init__(self, rooms: dict[str, Any], path_id: str) -> None:
        self._rooms = rooms
        self._path_id = path_id
        self.relay: Relay[Member] = Relay(NODE_RULES)

    def receive(self, member: Member, payload: Payload) -> None:
        delivery = self.relay.route(member, payload.address)
        deliver(delivery.members, forwarded(member.client_id, payload.remainders))

    def leave(self, member: Member) -> Completion[None] | None:
        if self.relay.leave(member) and not len(self.relay) and self._rooms.get(self._path_id) is self:
            del self._rooms[self._path_id]
        return None
