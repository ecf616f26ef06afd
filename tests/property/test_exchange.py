"""Synchronizers over a network that loses, doubles, reorders, parts: one good exchange heals everything."""

from __future__ import annotations

from typing import Any

from hypothesis import event, given, settings
from hypothesis import strategies as st

from durabase.mergeable import MergeableStore
from durabase.persisters import Status
from durabase.synchronizers.base import Synchronizer
from durabase.synchronizers.protocol.messages import Message, message_text
from durabase.synchronizers.protocol.payloads import PayloadDecoder, encode_payloads
from durabase.testing import FakeClock
from durabase.types import Id
from property.test_merge import from_scratch, operations

START = 1_700_000_000_000
PEERS = 4
REQUEST_TIMEOUT_MS = 1000

peers = st.integers(0, PEERS - 1)
steps = st.one_of(
    st.tuples(st.just("edit"), peers, st.lists(operations, min_size=1, max_size=3)),
    st.tuples(st.just("edit"), peers, st.lists(operations, min_size=1, max_size=3)),
    st.tuples(st.just("deliver"), st.integers(0, 50), st.booleans()),
    st.tuples(st.just("deliver"), st.integers(0, 50), st.booleans()),
    st.tuples(st.just("lose"), st.integers(0, 50), st.just(None)),
    st.tuples(st.just("part"), peers, st.just(None)),
    st.tuples(st.just("wait"), st.sampled_from([1, 400, 1000]), st.just(None)),
    st.tuples(st.just("set_clock"), peers, st.integers(-60_000, 60_000)),
    st.tuples(st.just("restart"), peers, st.just(None)),
)


class Peer:
    """A store with a clock of its own, and a synchronizer."""

    def __init__(self, network: Network, name: str) -> None:
        self.name = name
        self.clock = FakeClock(START)
        self.store = MergeableStore(name, clock=self.clock)
        self.store.add_did_finish_transaction_listener(network.note_edits)
        self.errors: list[str] = []
        self._network = network
        self.start()

    def start(self) -> None:
        """Synchronize, with nothing left over from before."""
        self.synchronizer = Synchronizer(
            self.store,
            self._send,
            clock=self._network.clock,
            on_ignored_error=lambda error: self.errors.append(str(error)),
        )
        self.synchronizer.start_sync()

    def restart(self) -> None:
        self.synchronizer.destroy()
        self.start()

    def edit(self, some_operations: list[Any]) -> None:
        with self.store.transaction():
            for name, *arguments in some_operations:
                getattr(self.store, name)(*arguments)

    def load(self) -> None:
        """Take over what the others have."""
        self._loading = self.synchronizer.load()

    def save(self) -> None:
        """Having loaded, tell the others what is here."""
        assert self._loading.done()
        self.synchronizer.save()

    def is_waiting(self) -> bool:
        synchronizer = self.synchronizer
        return synchronizer.get_status() is not Status.IDLE or synchronizer.next_deadline() is not None

    def state(self) -> list[Any]:
        return [self.store.get_content(), self.store._get_encoded_mergeable_content()]

    def receive(self, text: str) -> None:
        payload = PayloadDecoder().receive(text, self._network.clock.now_ms())
        assert payload is not None
        self.synchronizer.receive_message(payload.address, payload.message)

    def _send(self, to_client: Id | None, message: Message) -> None:
        self._network.carry(self.name, to_client, *encode_payloads(self.name, message_text(message)))


class Network:
    """Carries nothing by itself: what is under way waits for a step to deliver it, twice, or to lose it."""

    def __init__(self) -> None:
        self.clock = FakeClock(START)
        self.edits: list[Any] = []
        self.under_way: list[tuple[Any, Any, str]] = []
        self.parted: set[Any] = set()
        self.peers: list[Any] = []
        for number in range(PEERS):
            self.peers.append(self.make_peer(number))

    def make_peer(self, number: int) -> Any:
        return Peer(self, f"s{number}")

    def note_edits(self, store: Any) -> None:
        self.edits.append(store._get_encoded_transaction_mergeable_changes(False))

    def carry(self, from_name: str, to_client: Id | None, text: str) -> None:
        by_name = {peer.name: peer for peer in self.peers}
        sender = by_name.get(from_name)
        if sender is not None and sender not in self.parted:
            receivers = self.peers if to_client is None else [by_name[to_client]]
            self.under_way += [
                (sender, peer, text) for peer in receivers if peer is not sender and peer not in self.parted
            ]

    def run(self, kind: str, argument: Any, more: Any) -> None:
        getattr(self, f"_{kind}")(argument, more)

    def _edit(self, number: int, some_operations: list[Any]) -> None:
        self.peers[number].edit(some_operations)

    def _deliver(self, number: int, is_kept: bool) -> None:
        if self.under_way:
            index = number % len(self.under_way)
            _, receiver, text = self.under_way[index] if is_kept else self.under_way.pop(index)
            receiver.receive(text)

    def _lose(self, number: int, _: object) -> None:
        if self.under_way:
            del self.under_way[number % len(self.under_way)]

    def _part(self, number: int, _: object) -> None:
        """Cut a peer off, or let it in again. What was under way to or from it is lost."""
        peer = self.peers[number]
        self.parted ^= {peer}
        self.under_way = [each for each in self.under_way if peer not in each[:2]]

    def _wait(self, milliseconds: int, _: object) -> None:
        self.clock.advance(milliseconds)
        for peer in self.peers:
            peer.clock.advance(milliseconds)

    def _set_clock(self, number: int, milliseconds: int) -> None:
        clock = self.peers[number].clock
        clock.set_now_ms(clock.now_ms() + milliseconds)

    def _restart(self, number: int, _: object) -> None:
        self.peers[number].restart()

    def forget(self) -> None:
        """The end of the bad times: what is under way never arrives, and nobody waits for it any more."""
        self.parted.clear()
        while self.under_way or any(peer.is_waiting() for peer in self.peers):
            self.under_way.clear()
            self._wait(REQUEST_TIMEOUT_MS, None)

    def exchange(self) -> None:
        """Once each: take over what the others have, tell them what is here. Everything arrives, once."""
        for peer in self.peers:
            self._carry_all()
            peer.load()
            self._carry_all()
            peer.save()
        self._carry_all()

    def _carry_all(self) -> None:
        while self.under_way:
            _, receiver, text = self.under_way.pop(0)
            receiver.receive(text)


@settings(max_examples=300, derandomize=True, deadline=None, database=None)
@given(st.lists(steps, min_size=10, max_size=60))
def test_one_good_exchange_heals_everything(some_steps: list[tuple[str, Any, Any]]) -> None:
    network = Network()
    for step in some_steps:
        network.run(*step)
    network.forget()
    event(f"{len({repr(peer.state()) for peer in network.peers})} different stores before")
    network.exchange()
    all_edits = MergeableStore("all", clock=FakeClock(START + 100_000_000))
    for edits in reversed(network.edits):
        all_edits._apply_encoded_mergeable_changes(edits)
    expected = [all_edits.get_content(), all_edits._get_encoded_mergeable_content()]
    assert [peer.state() for peer in network.peers] == [expected] * PEERS
    assert all_edits.get_mergeable_content_hashes() == from_scratch(expected[1])
