"""Code that holds up the event loop is reported with its stack, while it does."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any

import pytest

from durabase.durable_objects import DurableObject
from durabase.operations.watchdog import Watchdog
from durabase.workers.facts import LoopHeldUp
from unit.durable_objects.rig import Rig, run


class Watched:
    """A watchdog on a clock of its own, which is looked at by hand, in another thread."""

    def __init__(self) -> None:
        self.time = 100.0
        self.told: list[LoopHeldUp] = []
        self.dog = Watchdog(asyncio.get_running_loop(), 1000.0, self.told.append, lambda: self.time)
        self.dog.start()

    def hold_up(self, seconds: float) -> None:
        self.time += seconds
        for _ in range(2):
            thread = threading.Thread(target=self.dog.look)
            thread.start()
            thread.join()


WATCHED: list[Watched] = []


class Busy(DurableObject):
    def at_once(self) -> None:
        self._compute()

    async def after_a_wait(self) -> None:
        await asyncio.sleep(0)
        self._compute()

    def web_socket_message(self, ws: Any, message: str) -> None:
        self._compute()

    def timer(self) -> None:
        asyncio.get_running_loop().call_soon(self._compute)

    def _compute(self) -> None:
        WATCHED[-1].hold_up(1500)

    def quick(self) -> None:
        WATCHED[-1].hold_up(999)


def watched(scenario: Callable[[Rig, Watched], Any]) -> None:
    async def main(rig: Rig) -> None:
        WATCHED[:] = [Watched()]
        try:
            await scenario(rig, WATCHED[0])
        finally:
            WATCHED[0].dog.stop()

    run(main, Busy)


@pytest.mark.feature("S-LC-3")
@pytest.mark.parametrize("handler", ["at_once", "after_a_wait"])
def test_the_object_its_handler_and_the_stack_are_named(
    handler: str, caplog: pytest.LogCaptureFixture
) -> None:
    async def scenario(rig: Rig, watch: Watched) -> None:
        await getattr(rig.stub("lobby"), handler)()
        assert watch.told == []
        watch.time += 1
        watch.dog.beat()
        (fact,) = watch.told
        assert (fact.class_name, fact.event, fact.seconds) == ("Busy", handler, 1501)
        assert "_compute" in fact.stack

    watched(scenario)
    assert caplog.text.count("Busy(lobby) has held up the event loop for 1500.0 seconds") == 1
    assert "WATCHED[-1].hold_up(1500)" in caplog.text


@pytest.mark.feature("S-LC-3")
def test_what_is_quick_enough_is_not_reported(caplog: pytest.LogCaptureFixture) -> None:
    async def scenario(rig: Rig, watch: Watched) -> None:
        await rig.stub().quick()
        watch.dog.beat()
        await rig.stub().quick()
        watch.dog.beat()
        assert watch.told == []

    watched(scenario)
    assert caplog.text == ""


@pytest.mark.feature("S-LC-3")
def test_code_that_is_no_objects_is_reported_too(caplog: pytest.LogCaptureFixture) -> None:
    async def scenario(rig: Rig, watch: Watched) -> None:
        watch.hold_up(2000)
        watch.dog.beat()
        assert [(fact.class_name, fact.event) for fact in watch.told] == [("", "")]

    watched(scenario)
    assert "code has held up the event loop" in caplog.text
