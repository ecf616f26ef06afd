"""How much clients may take: connections, messages, bytes; by identity, address and path.

Counts live in the process. They are not about fairness but about abuse: whoever goes beyond is closed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, final

from durabase._refusals import refused
from durabase.clock import Clock
from durabase.errors import ConnectionLimitError, LimitError
from durabase.types import Id
from durabase.web import Request
from durabase.web.client_address import ADDRESS_HEADER, counted_address

__all__ = ["Allowance", "ClientLimits", "Ticket", "address_of"]

_FEW: Final = 256
"""So many counts may be kept of those who are not there any more."""


@dataclass(frozen=True, slots=True)
class Allowance:
    """What one may take; ``None``: as much as there is.

    Attributes:
        connections: at a time.
        messages_per_second: WebSocket messages from it, on average.
        bytes_per_second: of these, on average, as UTF-8.
        burst_seconds: what comes on average in so many seconds may come at once. No message may be larger.
    """

    connections: int | None = None
    messages_per_second: float | None = None
    bytes_per_second: float | None = None
    burst_seconds: float = 10.0


@final
class ClientLimits:
    """What clients may take, each group of them counted together.

    Too many connections are refused with 429 before they open (or closed with 1013 where they are open
    already); a connection whose message is too much is closed with 1008.

    Args:
        connection: of each connection; its ``connections`` mean nothing.
        identity: of all connections of one identity together; nobody in particular is not counted.
        address: of those from one address together; of IPv6, from one network of 64 bits.
        path: of those to one path together.

    Attributes:
        refused_connections: how many there were.
        refused_messages: how many were too much.
    """

    refused_connections: int
    refused_messages: int

    def __init__(
        self,
        *,
        connection: Allowance | None = None,
        identity: Allowance | None = None,
        address: Allowance | None = None,
        path: Allowance | None = None,
    ) -> None:
        self.refused_connections = 0
        self.refused_messages = 0
        self._connection = connection
        self._groups = {"identity": identity, "address": address, "path": path}
        self._accounts: dict[tuple[str, str], _Account] = {}
        self._many = _FEW

    def admit(
        self,
        identity: str,
        address: str,
        path_id: Id,
        clock: Clock,
        is_over: Callable[[], bool] | None = None,
    ) -> Ticket:
        """Count one more connection, until its ticket ends, or ``is_over`` says that it is gone.

        Raises:
            ConnectionLimitError: there are as many as there may be.
        """
        now = clock.now_ms()
        names = {"identity": identity, "address": counted_address(address), "path": path_id}
        accounts = [
            self._account((kind, names[kind]), allowance, now)
            for kind, allowance in self._groups.items()
            if allowance is not None and (kind == "path" or names[kind])
        ]
        own = [] if self._connection is None else [_Account(self._connection, now)]
        ticket = Ticket(self, [*own, *accounts], is_over)
        for account in accounts:
            if account.is_full():
                self.refused_connections += 1
                refused("connections", path_id)
                raise ConnectionLimitError("there are as many connections as there may be; try again later")
        for account in accounts:
            account.tickets.add(ticket)
        return ticket

    def _account(self, key: tuple[str, str], allowance: Allowance, now: float) -> _Account:
        if len(self._accounts) >= self._many:
            self._forget(now)
            self._many = max(_FEW, 2 * len(self._accounts))
        account = self._accounts.get(key)
        if account is None:
            account = self._accounts[key] = _Account(allowance, now)
        return account

    def _forget(self, now: float) -> None:
        """Forget those who are not there, and owe nothing."""
        idle = [key for key, account in self._accounts.items() if account.is_idle(now)]
        for key in idle:
            del self._accounts[key]


@final
class _Account:
    """What one group has taken: its connections, and two buckets that fill up as time goes by."""

    __slots__ = ("_allowance", "_bytes", "_messages", "_then", "tickets")

    def __init__(self, allowance: Allowance, now: float) -> None:
        self.tickets: set[Ticket] = set()
        self._allowance = allowance
        self._then = now
        self._messages = (allowance.messages_per_second or 0) * allowance.burst_seconds
        self._bytes = (allowance.bytes_per_second or 0) * allowance.burst_seconds

    def is_full(self) -> bool:
        """Whether one connection more is too many."""
        most = self._allowance.connections
        if most is None or len(self.tickets) < most:
            return False
        self.tickets = {ticket for ticket in self.tickets if not ticket.is_over()}
        return len(self.tickets) >= most

    def is_idle(self, now: float) -> bool:
        """Whether nobody is there, and nothing is owed."""
        allowance = self._allowance
        owes = allowance.messages_per_second is not None or allowance.bytes_per_second is not None
        return not (self.tickets or (owes and now - self._then < allowance.burst_seconds * 1000))

    def take(self, size: int, now: float) -> bool:
        """Take one message of that size, if that is within the allowance; whether it is."""
        allowance = self._allowance
        messages, bytes_ = allowance.messages_per_second, allowance.bytes_per_second
        seconds, self._then = max(now - self._then, 0) / 1000, max(now, self._then)
        if messages is not None:
            self._messages = min(self._messages + seconds * messages, messages * allowance.burst_seconds)
        if bytes_ is not None:
            self._bytes = min(self._bytes + seconds * bytes_, bytes_ * allowance.burst_seconds)
        if (messages is not None and self._messages < 1) or (bytes_ is not None and self._bytes < size):
            return False
        self._messages -= 1
        self._bytes -= size
        return True


@final
class Ticket:
    """One connection among those that are counted."""

    __slots__ = ("_accounts", "_limits", "is_over")

    def __init__(
        self, limits: ClientLimits, accounts: list[_Account], is_over: Callable[[], bool] | None
    ) -> None:
        self._limits = limits
        self._accounts = accounts
        self.is_over = is_over or _never

    def charge(self, size: int, now_ms: float) -> None:
        """It has sent a message of that size.

        Raises:
            LimitError: that was too much.
        """
        if not all(account.take(size, now_ms) for account in self._accounts):
            self._limits.refused_messages += 1
            refused("messages")
            raise LimitError("more messages, or larger ones, than may come in this time")

    def end(self) -> None:
        """It is over. May be called again."""
        for account in self._accounts:
            account.tickets.discard(self)


def _never() -> bool:
    return False


def address_of(request: Request) -> str:
    """The address that a request came from, as the server has found it; empty if that is not known."""
    return request.headers.get(ADDRESS_HEADER) or ""
