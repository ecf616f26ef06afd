"""Our synchronizers and the original's in one room: a good exchange heals whatever the network did before."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from durabase._codec import parse_json_with_undefined
from durabase.mergeable import MergeableStore
from durabase.testing import FakeClock
from interop._process import NodeProcess
from property.test_exchange import PEERS, START, Network, steps
from property.test_merge import from_scratch

HERE = Path(__file__).parent


class TheirPeer:
    """A store and a synchronizer of the original, in Node."""

    def __init__(self, network: MixedNetwork, name: str) -> None:
        self.name = name
        self.clock = FakeClock(START)
        self._network = network
        self._do("make")

    def restart(self) -> None:
        self._do("restart")

    def edit(self, some_operations: list[Any]) -> None:
        self._do("edit", operations=some_operations)

    def receive(self, text: str) -> None:
        sender, _, message = text.partition("\n")
        self._do("receive", **{"from": sender, "text": message})

    def load(self) -> None:
        self._do("load")

    def save(self) -> None:
        assert not self.is_waiting()
        self._do("save")

    def is_waiting(self) -> bool:
        return bool(self._do("isWaiting"))

    def state(self) -> list[Any]:
        content, text, hashes = self._do("state")
        stamps = parse_json_with_undefined(text)
        assert hashes == [stamp[2] for stamp in stamps]
        return [content, stamps]

    def _do(self, op: str, **more: Any) -> Any:
        return self._network.command({"op": op, "peer": self.name, "now": self.clock.now_ms(), **more})


class MixedNetwork(Network):
    """Of which every other peer is the original's."""

    def __init__(self, original: NodeProcess) -> None:
        self._original = original
        super().__init__()

    def make_peer(self, number: int) -> Any:
        return TheirPeer(self, f"s{number}") if number % 2 else super().make_peer(number)

    def command(self, command: dict[str, Any]) -> Any:
        answer = self._original.ask(command)
        for sender, receiver, text in answer["sent"]:
            self.carry(sender, receiver, f"{sender}\n{text}")
        return answer["result"]

    def _wait(self, milliseconds: int, _: object) -> None:
        super()._wait(milliseconds, _)
        self.command({"op": "advance", "milliseconds": milliseconds})


@pytest.fixture(scope="module")
def original() -> Iterator[NodeProcess]:
    with NodeProcess(HERE / "exchange.mjs") as process:
        yield process


@settings(max_examples=60, derandomize=True, deadline=None, database=None)
@given(some_steps=st.lists(steps, min_size=10, max_size=60))
def test_one_good_exchange_heals_everything(
    original: NodeProcess, some_steps: list[tuple[str, Any, Any]]
) -> None:
    network = MixedNetwork(original)
    for step in some_steps:
        network.run(*step)
    network.forget()
    expected = MergeableStore("all", clock=FakeClock(START + 100_000_000))
    for peer in network.peers:
        expected._apply_encoded_mergeable_changes(peer.state()[1])
    network.exchange()
    state = [expected.get_content(), expected._get_encoded_mergeable_content()]
    assert [peer.state() for peer in network.peers] == [state] * PEERS
    assert expected.get_mergeable_content_hashes() == from_scratch(state[1])
