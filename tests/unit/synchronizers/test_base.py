"""Synchronizers as persisters, over custom functions."""

from __future__ import annotations

from typing import Any

import pytest

from durabase.errors import PersisterError, SyncClosedError
from durabase.mergeable import MergeableStore
from durabase.persisters import Status
from durabase.synchronizers import CustomSynchronizer
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


def test_what_peers_have_changed_is_not_gathered_to_be_told_to_them(monkeypatch: pytest.MonkeyPatch) -> None:
    peer = Peer()
    peer.start_alone()
    gathered: list[Any] = []
    gather = peer.store._get_encoded_transaction_mergeable_changes

    def gather_and_note(with_hashes: bool) -> Any:
        gathered.append(gather(with_hashes))
        return gathered[-1]

    monkeypatch.setattr(peer.store, "_get_encoded_transaction_mergeable_changes", gather_and_note)
    peer.synchronizer.receive("b", "tx", 3, [[{}], [{"v": [1, "NjEtLV-----7JQY8"]}], 1])
    assert peer.store.get_values() == {"v": 1}
    assert gathered == []
    peer.store.set_value("v", 2)
    assert [list(changes[1][0]) for changes in gathered] == [["v"]]
