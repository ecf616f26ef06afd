"""Synchronizers as persisters, over custom functions and over the bus of the process."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from durabase.errors import PersisterError, StoreTypeError, SyncClosedError
from durabase.mergeable import MergeableStore
from durabase.persisters import Status
from durabase.store import Store
from durabase.synchronizers import CustomSynchronizer, LocalBus, LocalSynchronizer
from durabase.testing import FakeClock


class Peer:
    """A store with a synchronizer of which every message is kept instead of sent."""

    def __init__(self, unique_id: str = "a", **options: Any) -> None:
        self.clock = FakeClock()
        self.store = MergeableStore(unique_id, clock=self.clock)
        self.sent: list[tuple[Any, ...]] = []
        self.errors: list[Exception] = []
        self.send_error: Exception | None = None
        self.log: list[str] = []
        self.fail: Any = None

        def register(receive: Any, fail: Any) -> None:
            self.fail = fail

        self.synchronizer = CustomSynchronizer(
            self.store,
            self.send,
            register,
            lambda: self.log.append("transport destroyed"),
            1.0,
            on_ignored_error=self.errors.append,
            clock=self.clock,
            **options,
        )

    def send(self, *message: Any) -> None:
        if self.send_error is not None:
            raise self.send_error
        self.sent.append(message)

    def numbers(self) -> list[int]:
        numbers = [int(message[2]) for message in self.sent]
        self.sent.clear()
        return numbers

    def start_alone(self) -> None:
        self.synchronizer.start_sync()
        self.clock.advance(1000)
        self.sent.clear()
        self.errors.clear()


def test_it_wants_a_mergeable_store() -> None:
    with pytest.raises(StoreTypeError):
        LocalSynchronizer(Store(), bus=LocalBus())  # type: ignore[arg-type]


def test_starting_alone() -> None:
    peer = Peer()
    started = peer.synchronizer.start_sync([{}, {"v": 1}])
    assert peer.numbers() == [1]
    assert peer.synchronizer.get_status() is Status.LOADING
    peer.clock.advance(999)
    assert not started.done()
    peer.clock.advance(1)
    assert started.done()
    assert peer.numbers() == [2]
    assert peer.store.get_values() == {"v": 1}
    assert peer.synchronizer.get_synchronizer_stats() == {"sends": 2, "receives": 0}
    assert peer.synchronizer.get_stats() == {"loads": 1, "saves": 1}
    assert len(peer.errors) == 1


def test_edits_are_broadcast_and_applied_ones_are_not() -> None:
    peer = Peer()
    peer.start_alone()
    peer.store.set_value("v", 1)
    assert peer.numbers() == [3]
    peer.synchronizer.receive("b", "tx", 3, [[{}], [{"w": [1, "NjEtLV-----7JQY8"]}], 1])
    assert peer.store.get_values() == {"v": 1, "w": 1}
    assert peer.numbers() == []


def test_a_mutator_listener_makes_it_tell_everybody() -> None:
    peer = Peer()
    peer.start_alone()
    peer.store.add_value_listener(
        "v", lambda store, *_: store.set_value("double", store.get_value("v") * 2), mutator=True
    )
    peer.synchronizer.receive("b", "tx", 3, [[{}], [{"v": [4, "NjEtLV-----7JQY8"]}], 1])
    assert peer.store.get_values() == {"v": 4, "double": 8}
    assert peer.numbers() == [2]


def test_a_pull_that_fails_becomes_a_load() -> None:
    peer = Peer()
    peer.start_alone()
    peer.synchronizer.receive("b", "tx", 2, [1, 0])
    assert peer.numbers() == [4]
    peer.clock.advance(1000)
    assert peer.numbers() == [1]
    assert peer.synchronizer.get_status() is Status.LOADING


def test_edits_while_a_reload_waits_are_not_broadcast() -> None:
    """As in the original: for a reload is followed by a full save where it matters."""
    peer = Peer()
    peer.start_alone()
    peer.synchronizer.load()
    peer.store.set_value("v", 1)
    peer.clock.advance(1000)
    assert peer.numbers() == [1]
    peer.store.set_value("v", 2)
    assert peer.numbers() == [3]


def test_what_is_sent_before_the_first_load_has_ended_is_applied_after_it() -> None:
    peer = Peer()
    peer.synchronizer.start_sync()
    peer.synchronizer.receive("b", "tx", 3, [[{}], [{"w": [1]}], 1])
    assert peer.store.get_values() == {}
    peer.clock.advance(1000)
    assert peer.store.get_values() == {"w": 1}
    assert peer.numbers() == [1, 2]


def test_stopping() -> None:
    peer = Peer()
    peer.start_alone()
    peer.synchronizer.stop_sync()
    peer.store.set_value("v", 1)
    peer.synchronizer.receive("b", "q", 1, "")
    peer.synchronizer.receive("b", "q", 2, [1, 1])
    peer.synchronizer.receive("b", "q", 3, [[{}], [{"w": [1]}], 1])
    assert peer.numbers() == []
    assert peer.store.get_values() == {"v": 1}
    peer.synchronizer.receive("b", "q", 7, {})
    assert peer.numbers() == [0]


def test_stopping_while_it_starts_leaves_nothing_running() -> None:
    peer = Peer()
    peer.synchronizer.start_sync()
    peer.synchronizer.stop_sync()
    peer.clock.advance(2000)
    peer.store.set_value("v", 1)
    assert peer.numbers() == [1]
    assert not peer.synchronizer.is_auto_saving()


def test_destroying() -> None:
    peer = Peer()
    started = peer.synchronizer.start_sync()
    destroyed = peer.synchronizer.destroy()
    assert destroyed.done()
    assert started.done()
    assert [str(error) for error in peer.errors] == ["tinybase:3:destroyed"]
    assert peer.log == ["transport destroyed"]
    assert peer.numbers() == [1]
    peer.synchronizer.receive("b", "q", 7, {})
    peer.clock.advance(5000)
    peer.store.set_value("v", 1)
    assert peer.sent == []
    assert peer.synchronizer.get_synchronizer_stats() == {"sends": 1, "receives": 0}
    with pytest.raises(PersisterError):
        peer.synchronizer.start_sync()
    assert peer.synchronizer.destroy() is destroyed


def test_the_transport_fails() -> None:
    peer = Peer()
    started = peer.synchronizer.start_sync([{}, {"v": 1}])
    peer.fail(SyncClosedError())
    assert started.done()
    assert [str(error) for error in peer.errors] == ["tinybase:5"]
    assert peer.store.get_values() == {"v": 1}


def test_sending_fails() -> None:
    peer = Peer()
    peer.send_error = OSError("broken")
    assert peer.synchronizer.start_sync().done()
    assert [str(error) for error in peer.errors] == ["broken", "broken"]
    peer.synchronizer.receive("b", "q", 7, {})
    assert len(peer.errors) == 3
    peer.send_error = None
    peer.store.set_value("v", 1)
    assert peer.numbers() == [3]


def test_callbacks_see_messages_and_may_not_break_anything() -> None:
    seen: list[Any] = []
    peer = Peer(
        on_send=lambda *m: seen.append(("send", *m)), on_receive=lambda *m: seen.append(("receive", *m))
    )
    peer.synchronizer.receive("b", "q", 4, {})
    assert seen == [("receive", "b", "q", 4, {}), ("send", "b", "q", 0, [[{}], {}])]
    peer = Peer(on_receive=lambda *_: 1 / 0)
    peer.synchronizer.receive("b", "q", 4, {})
    assert peer.numbers() == [0]
    assert [type(error) for error in peer.errors] == [ZeroDivisionError]


def test_an_invalid_message_is_reported_and_not_counted() -> None:
    peer = Peer()
    peer.synchronizer.receive("b", "q", 4, [])
    assert [str(error) for error in peer.errors] == ["tinybase:14"]
    assert peer.synchronizer.get_synchronizer_stats() == {"sends": 0, "receives": 0}


def test_a_clock_that_is_set_back_does_not_keep_requests_forever() -> None:
    peer = Peer()
    peer.synchronizer.start_sync()
    peer.clock.set_now_ms(peer.clock.now_ms() - 3_600_000)
    peer.clock.advance(1000)
    assert peer.synchronizer.get_status() is Status.IDLE


class TestLocal:
    def test_two_stores_of_one_process(self) -> None:
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

    def test_nobody_of_another_bus_is_met(self) -> None:
        clock = FakeClock()
        one, other = (MergeableStore(clock=clock) for _ in range(2))
        one.set_value("x", 1)
        for store in (one, other):
            LocalSynchronizer(
                store, bus=LocalBus(), clock=clock, on_ignored_error=lambda _: None
            ).start_sync()
        clock.advance(1000)
        assert other.get_values() == {}

    def test_a_message_reaches_those_who_were_there_when_it_was_sent(self) -> None:
        clock, bus = FakeClock(), LocalBus()
        received: list[str] = []
        one = LocalSynchronizer(MergeableStore(clock=clock), bus=bus, clock=clock)
        bus.join("early", lambda *_: received.append("early"))
        one.save()
        bus.join("late", lambda *_: received.append("late"))
        clock.advance(0)
        assert received == ["early"]

    def test_destroying_takes_back_what_has_not_arrived(self) -> None:
        clock, bus = FakeClock(), LocalBus()
        received: list[str] = []
        bus.join("other", lambda *_: received.append("other"))
        one = LocalSynchronizer(MergeableStore(clock=clock), bus=bus, clock=clock)
        one.save()
        one.destroy()
        clock.advance(1000)
        assert received == []
        assert bus.receivers("other", None) == []

    def test_on_the_event_loop(self) -> None:
        async def main() -> None:
            one, other = MergeableStore(), MergeableStore()
            one.set_value("x", 1)
            async with LocalSynchronizer(one, on_ignored_error=lambda _: None) as first:
                first.start_sync()
                async with LocalSynchronizer(other) as second:
                    await second.start_sync()
                    assert other.get_values() == {"x": 1}

        asyncio.run(main())
