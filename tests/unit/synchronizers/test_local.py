"""Synchronizers of one process, and the bus that joins them."""

from __future__ import annotations

import asyncio

import pytest

from durabase.errors import StoreTypeError
from durabase.mergeable import MergeableStore
from durabase.store import Store
from durabase.synchronizers import LocalBus, LocalSynchronizer
from durabase.testing import FakeClock


def reached(bus: LocalBus, from_client: str, to_client: str | None) -> list[str]:
    """Whom a message reaches; clients say their names."""
    names: list[str] = []
    for receive in bus.receivers(from_client, to_client):
        receive("", names)  # type: ignore[arg-type]
    return names


def joined(bus: LocalBus, *names: str) -> LocalBus:
    for name in names:
        bus.join(name, lambda _from, told, name=name: told.append(name))
    return bus


def test_a_bus_reaches_all_others_or_the_one() -> None:
    bus = joined(LocalBus(), "a", "b", "c")
    assert reached(bus, "a", None) == ["b", "c"]
    assert reached(bus, "a", "b") == ["b"]
    assert reached(bus, "a", "a") == ["a"]
    assert reached(bus, "a", "unknown") == []
    assert reached(bus, "unknown", None) == ["a", "b", "c"]


def test_who_leaves_is_reached_no_more() -> None:
    bus = joined(LocalBus(), "a", "b")
    bus.leave("b")
    bus.leave("b")
    assert reached(bus, "a", None) == reached(bus, "a", "b") == []


def test_it_wants_a_mergeable_store() -> None:
    with pytest.raises(StoreTypeError):
        LocalSynchronizer(Store(), bus=LocalBus())  # type: ignore[arg-type]


def test_two_stores_of_one_process() -> None:
    clock, bus = FakeClock(), LocalBus()
    stores = [MergeableStore(name, clock=clock) for name in "ab"]
    stores[0].set_value("x", 1)
    stores[1].set_value("y", {"z": [1]})
    synchronizers = [LocalSynchronizer(store, bus=bus, clock=clock) for store in stores]
    for synchronizer in synchronizers:
        synchronizer.start_sync()
        clock.advance(100)
    assert stores[0].get_values() == stores[1].get_values() == {"x": 1, "y": {"z": [1]}}
    stores[0].del_value("x")
    clock.advance(0)
    assert stores[1].get_values() == {"y": {"z": [1]}}
    assert stores[0].get_mergeable_content_hashes() == stores[1].get_mergeable_content_hashes()


def test_nobody_of_another_bus_is_met() -> None:
    clock = FakeClock()
    one, other = (MergeableStore(clock=clock) for _ in range(2))
    one.set_value("x", 1)
    for store in (one, other):
        LocalSynchronizer(store, bus=LocalBus(), clock=clock, on_ignored_error=lambda _: None).start_sync()
    clock.advance(1000)
    assert other.get_values() == {}


def test_a_message_reaches_those_who_were_there_when_it_was_sent() -> None:
    clock, bus = FakeClock(), LocalBus()
    received: list[str] = []
    one = LocalSynchronizer(MergeableStore(clock=clock), bus=bus, clock=clock)
    bus.join("early", lambda *_: received.append("early"))
    one.save()
    bus.join("late", lambda *_: received.append("late"))
    clock.advance(0)
    assert received == ["early"]


def test_destroying_takes_back_what_has_not_arrived() -> None:
    clock, bus = FakeClock(), LocalBus()
    received: list[str] = []
    bus.join("other", lambda *_: received.append("other"))
    one = LocalSynchronizer(MergeableStore(clock=clock), bus=bus, clock=clock)
    one.save()
    one.destroy()
    clock.advance(1000)
    assert received == []
    assert bus.receivers("other", None) == []


def test_on_the_event_loop() -> None:
    async def main() -> None:
        one, other = MergeableStore(), MergeableStore()
        one.set_value("x", 1)
        async with LocalSynchronizer(one, on_ignored_error=lambda _: None) as first:
            first.start_sync()
            async with LocalSynchronizer(other) as second:
                await second.start_sync()
                assert other.get_values() == {"x": 1}

    asyncio.run(main())


def test_messages_arrive_later_and_in_the_order_in_which_they_were_sent() -> None:
    clock, bus = FakeClock(), LocalBus()
    received: list[list[str]] = []
    store = MergeableStore(clock=clock)
    LocalSynchronizer(store, bus=bus, clock=clock, on_ignored_error=lambda _: None).start_sync()
    clock.advance(100)
    bus.join("other", lambda _, message: received.append(list(message.body[1][0])))
    store.set_value("v", 1).set_value("w", 1)
    assert received == []
    clock.advance(0)
    assert received == [["v"], ["w"]]


def test_requests_are_given_up_after_a_twentieth_of_a_second() -> None:
    clock, errors = FakeClock(), list[Exception]()
    bus = joined(LocalBus())
    bus.join("deaf", lambda *_: None)
    one = LocalSynchronizer(MergeableStore(clock=clock), bus=bus, clock=clock, on_ignored_error=errors.append)
    started = one.start_sync()
    clock.advance(49)
    assert not started.done()
    clock.advance(1)
    assert started.done()
    assert len(errors) == 1
