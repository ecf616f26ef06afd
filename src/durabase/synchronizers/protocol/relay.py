"""The post office of one path: who gets this payload.

It keeps who is on the path, in order of joining, and answers with receivers. It neither sends nor reads:
what is forwarded is the sender's text behind a new first line (:func:`forwarded`), the same for every
receiver. The rules are TinyBase 10.0.1's, whose Node servers and Durable Object differ in two points
(:class:`RelayRules`).
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

__all__ = [
    "EVERYBODY",
    "NODE_RULES",
    "OBJECT_RULES",
    "SERVER_ID",
    "Delivery",
    "HubRelay",
    "Relay",
    "RelayRules",
    "forwarded",
]

EVERYBODY: Final = ""
"""The address that means everybody else on the path, the server's seat included."""
SERVER_ID: Final = "S"
"""The client id of the server's own seat."""

MemberT = TypeVar("MemberT", bound=Hashable)


@dataclass(frozen=True, slots=True)
class RelayRules:
    """Where the two kinds of servers differ.

    ``unique_ids``: a second member with an id takes the place of the first; otherwise both stay, and the
    first one is addressed. ``to_oneself``: a payload addressed to its own sender is delivered.
    """

    unique_ids: bool
    to_oneself: bool


NODE_RULES: Final = RelayRules(unique_ids=True, to_oneself=True)
"""WsServer and WsServerSimple."""
OBJECT_RULES: Final = RelayRules(unique_ids=False, to_oneself=False)
"""WsServerDurableObject."""


class Delivery(Generic[MemberT]):
    """Who gets a payload: these members, in order, and whether the server's own seat does."""

    __slots__ = ("members", "to_server")

    def __init__(self, members: list[MemberT], to_server: bool) -> None:
        self.members = members
        self.to_server = to_server


class Relay(Generic[MemberT]):
    """Who is on one path. A member is whatever stands for a connection there."""

    __slots__ = ("_by_id", "_members", "_rules")

    def __init__(self, rules: RelayRules) -> None:
        self._rules = rules
        self._members: dict[MemberT, str] = {}
        self._by_id: dict[str, MemberT] = {}

    def __len__(self) -> int:
        return len(self._members)

    @property
    def members(self) -> list[MemberT]:
        """Everybody on the path, in order of joining."""
        return list(self._members)

    @property
    def client_ids(self) -> list[str]:
        """The ids of everybody on the path, in order of joining."""
        return list(self._members.values())

    def join(self, client_id: str, member: MemberT) -> MemberT | None:
        """Add a member; the one whose place it took, if it took one."""
        replaced = self._by_id.get(client_id) if self._rules.unique_ids else None
        if replaced is None:
            self._members[member] = client_id
            self._by_id.setdefault(client_id, member)
            return None
        # In the same place: the order of an id on the path is that of its first joining.
        self._members = {
            member if other is replaced else other: other_id for other, other_id in self._members.items()
        }
        self._by_id[client_id] = member
        return replaced

    def leave(self, member: MemberT) -> bool:
        """Remove a member; whether it was (still) on the path."""
        has_shared_ids = len(self._by_id) < len(self._members)
        client_id = self._members.pop(member, None)
        if client_id is None:
            return False
        if self._by_id[client_id] is member:
            del self._by_id[client_id]
            if has_shared_ids:
                self._appoint_next(client_id)
        return True

    def client_id(self, member: MemberT) -> str | None:
        """The id under which a member is on the path; ``None`` if it is not."""
        return self._members.get(member)

    def route(self, sender: MemberT, address: str) -> Delivery[MemberT]:
        """Who gets what ``sender`` addressed to ``address``."""
        if address == EVERYBODY:
            return Delivery([member for member in self._members if member is not sender], True)
        if address == SERVER_ID:
            return Delivery([], True)
        receiver = self._by_id.get(address)
        if receiver is None or (not self._rules.to_oneself and self._members.get(sender) == address):
            return Delivery([], False)
        return Delivery([receiver], False)

    def route_from_server(self, address: str) -> list[MemberT]:
        """Who gets what the server's own seat addressed to ``address``."""
        if address == EVERYBODY:
            return list(self._members)
        receiver = self._by_id.get(address)
        return [] if receiver is None else [receiver]

    def others_than(self, client_id: str) -> list[MemberT]:
        """Everybody who is on the path under another id."""
        return [member for member, other_id in self._members.items() if other_id != client_id]

    def _appoint_next(self, client_id: str) -> None:
        for member, other_id in self._members.items():
            if other_id == client_id:
                self._by_id[client_id] = member
                return


class HubRelay(Relay[MemberT]):
    """A path whose clients are heard by the server's own seat alone, and hear nobody else."""

    __slots__ = ()

    def route(self, sender: MemberT, address: str) -> Delivery[MemberT]:
        """Everything goes to the server; what is addressed to a client goes nowhere."""
        return Delivery([], address in (EVERYBODY, SERVER_ID))


def forwarded(sender_id: str, remainders: list[str]) -> list[str]:
    """The payloads that receivers get: the sender in the first line, the rest as it came."""
    return [f"{sender_id}\n{remainder}" for remainder in remainders]
