"""What leaves an object waits until its writes are safe."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

from durabase.web import socket_owner
from durabase.workers.outgoing import writes_safe


class Gate:
    def __init__(self, *, is_open: bool) -> None:
        self.is_open = is_open
        self.held: list[Callable[[], object]] = []

    def hold(self, action: Callable[[], object]) -> None:
        self.held.append(action)


def done_within_a_turn(owner: Any, release: Callable[[], object] = lambda: None) -> bool:
    async def main() -> bool:
        token = socket_owner.set(owner)
        try:
            task = asyncio.ensure_future(writes_safe())
            await asyncio.sleep(0)
            release()
            for _ in range(3):
                await asyncio.sleep(0)
            was_done = task.done()
            task.cancel()
            return was_done
        finally:
            socket_owner.reset(token)

    return asyncio.run(main())


def test_outside_of_objects_nothing_waits() -> None:
    assert done_within_a_turn(None)


def test_an_open_gate_lets_everything_pass() -> None:
    assert done_within_a_turn(SimpleNamespace(output=Gate(is_open=True)))


def test_a_closed_gate_holds_until_it_opens() -> None:
    gate = Gate(is_open=False)
    assert not done_within_a_turn(SimpleNamespace(output=gate))
    gate = Gate(is_open=False)
    assert done_within_a_turn(SimpleNamespace(output=gate), lambda: [action() for action in gate.held])


def test_one_that_was_cancelled_meanwhile_is_left_alone() -> None:
    gate = Gate(is_open=False)
    done_within_a_turn(SimpleNamespace(output=gate))
    for action in gate.held:
        action()
