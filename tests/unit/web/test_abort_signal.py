"""Signals: aborted once, with a reason; listeners are told; requests have one."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from durabase.web import AbortController, AbortError, AbortSignal, Request
from durabase.web.abort_signal import AbortEvent
from unit.durable_objects.rig import Accepting, Rig, run


@pytest.mark.feature("S-ST-7")
def test_a_signal_is_aborted_once_and_says_why() -> None:
    controller, told = AbortController(), []
    signal: Any = controller.signal

    def listener(event: AbortEvent) -> None:
        told.append((event.type, event.target is signal))

    def removed(event: AbortEvent) -> None:
        told.append("removed")

    signal.addEventListener("abort", listener)
    signal.addEventListener("abort", removed)
    signal.removeEventListener("abort", removed)
    signal.addEventListener("other", removed)
    signal.onabort = lambda event: told.append("onabort")
    signal.throwIfAborted()
    assert (signal.aborted, signal.reason) == (False, None)
    controller.abort("enough")
    controller.abort("again")
    assert (signal.aborted, signal.reason) == (True, "enough")
    assert told == ["onabort", ("abort", True)]
    with pytest.raises(AbortError, match="enough"):
        signal.throw_if_aborted()


@pytest.mark.feature("S-ST-7")
def test_signals_made_of_others_and_of_nothing() -> None:
    first, second = AbortController(), AbortController()
    either = AbortSignal.any([first.signal, second.signal])
    second.abort(ValueError("this one"))
    with pytest.raises(ValueError, match="this one"):
        either.throw_if_aborted()
    assert AbortSignal.any([AbortSignal.abort("before")]).reason == "before"
    with pytest.raises(AbortError, match="aborted"):
        AbortSignal.abort().throw_if_aborted()


@pytest.mark.feature("S-ST-7")
def test_a_request_that_is_abandoned_says_so_before_and_after_it_is_asked() -> None:
    early, late = Request("http://x/"), Request("http://x/")
    signal, copy = early.signal, early.clone()
    assert (signal.aborted, late.has_signal) == (False, False)
    for request in (early, late):
        request.abandon()
        assert request.signal.aborted
    assert copy.signal is signal
    controller = AbortController()
    assert Request(Request("http://x/", signal=controller.signal)).signal is controller.signal


class Patient(Accepting):
    async def fetch(self, request: Any) -> Any:
        self.seen: list[Any] = []
        request.signal.add_event_listener("abort", lambda event: self.seen.append(self.ctx.id.name))
        try:
            await GO[0].wait()
        finally:
            self.seen.append("over")
        return await super().fetch(request)

    def told(self) -> list[Any]:
        return self.seen


GO: list[asyncio.Event] = []


@pytest.mark.feature("S-ST-7")
@pytest.mark.parametrize("way", ["cancel", "abort"])
def test_a_caller_that_goes_away_aborts_the_signal_and_not_the_handler(way: str) -> None:
    async def scenario(rig: Rig) -> None:
        GO[:] = [asyncio.Event()]
        controller = AbortController()
        options = {} if way == "cancel" else {"signal": controller.signal}
        call = asyncio.ensure_future(rig.stub().fetch("http://x/", **options))
        await rig.settle()
        if way == "cancel":
            call.cancel()
        else:
            controller.abort(ValueError("not any more"))
        await asyncio.wait([call])
        assert call.cancelled() or str(call.exception()) == "not any more"
        await rig.settle()
        assert await rig.stub().told() == ["x"]
        GO[0].set()
        await rig.settle()
        assert await rig.stub().told() == ["x", "over"]

    run(scenario, Patient)
