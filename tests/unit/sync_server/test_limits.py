"""Limits: connections, messages and bytes, each counted where it belongs."""

from __future__ import annotations

import pytest

from durabase.errors import ConnectionLimitError, LimitError
from durabase.sync_server.limits import Allowance, ClientLimits, Ticket, address_of
from durabase.testing import FakeClock
from durabase.web import Request


def admit(limits: ClientLimits, identity: str = "ann", address: str = "1.1.1.1", path: str = "p") -> Ticket:
    return limits.admit(identity, address, path, FakeClock(0))


@pytest.mark.parametrize("kind", ["identity", "address", "path"])
def test_so_many_connections_of_each_group(kind: str) -> None:
    limits = ClientLimits(**{kind: Allowance(connections=2)})
    first, _ = admit(limits), admit(limits)
    with pytest.raises(ConnectionLimitError) as caught:
        admit(limits)
    assert (caught.value.status, caught.value.close_code, limits.refused_connections) == (429, 1013, 1)
    admit(limits, "bob", "2.2.2.2", "q")
    first.end()
    first.end()
    admit(limits)
    with pytest.raises(ConnectionLimitError):
        admit(limits)


def test_a_refused_connection_is_counted_nowhere() -> None:
    limits = ClientLimits(identity=Allowance(connections=1), path=Allowance(connections=2))
    admit(limits)
    for _ in range(5):
        with pytest.raises(ConnectionLimitError):
            admit(limits)
    admit(limits, "bob")


def test_nobody_in_particular_is_not_counted_together() -> None:
    limits = ClientLimits(identity=Allowance(connections=1), address=Allowance(connections=1))
    for _ in range(3):
        admit(limits, "", "")


def test_connections_that_are_gone_without_a_word_do_not_count() -> None:
    limits = ClientLimits(path=Allowance(connections=1))
    gone: list[bool] = []
    limits.admit("a", "b", "p", FakeClock(0), lambda: bool(gone))
    with pytest.raises(ConnectionLimitError):
        admit(limits)
    gone.append(True)
    admit(limits)


def test_messages_come_at_a_rate_and_some_at_once() -> None:
    limits = ClientLimits(connection=Allowance(messages_per_second=2, burst_seconds=2))
    ticket = admit(limits)
    for _ in range(4):
        ticket.charge(1, 0)
    with pytest.raises(LimitError) as caught:
        ticket.charge(1, 0)
    assert (caught.value.close_code, limits.refused_messages) == (1008, 1)
    with pytest.raises(LimitError):
        ticket.charge(1, 499)
    ticket.charge(1, 500)
    for _ in range(4):
        ticket.charge(1, 60_000)
    with pytest.raises(LimitError):
        ticket.charge(1, 60_000)


def test_bytes_come_at_a_rate_too() -> None:
    limits = ClientLimits(connection=Allowance(bytes_per_second=100, burst_seconds=1))
    ticket = admit(limits)
    ticket.charge(100, 0)
    with pytest.raises(LimitError):
        ticket.charge(1, 0)
    ticket.charge(50, 500)
    with pytest.raises(LimitError):
        ticket.charge(101, 60_000)
    ticket.charge(100, 60_000)


def test_a_rate_is_shared_by_the_group_and_survives_a_new_connection() -> None:
    limits = ClientLimits(identity=Allowance(messages_per_second=1, burst_seconds=3))
    first, other = admit(limits), admit(limits, "bob")
    for _ in range(3):
        first.charge(1, 0)
    first.end()
    again = admit(limits)
    with pytest.raises(LimitError):
        again.charge(1, 0)
    other.charge(1, 0)


def test_a_clock_that_goes_back_gives_nothing() -> None:
    ticket = admit(ClientLimits(connection=Allowance(messages_per_second=1, burst_seconds=1)))
    ticket.charge(1, 10_000)
    for now_ms in (0, 10_000):
        with pytest.raises(LimitError):
            ticket.charge(1, now_ms)


def test_those_who_are_gone_are_forgotten_in_time() -> None:
    limits = ClientLimits(address=Allowance(connections=1))
    clock = FakeClock(0)
    for number in range(5000):
        clock.advance(11)
        limits.admit("", str(number), "p", clock).end()
    assert len(limits._accounts) < 1000


def test_a_network_of_ipv6_is_one_address() -> None:
    limits = ClientLimits(address=Allowance(connections=1))
    admit(limits, address="2001:db8::1")
    with pytest.raises(ConnectionLimitError):
        admit(limits, address="2001:db8::2:1")
    admit(limits, address="2001:db8:0:1::1")


def test_the_address_is_what_the_server_says() -> None:
    assert address_of(Request("http://h/", headers={"cf-connecting-ip": "1.2.3.4"})) == "1.2.3.4"
    assert address_of(Request("http://h/")) == ""
