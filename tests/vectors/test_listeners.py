"""Which listeners are called, in which order, with what."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from durabase.store import Store
from durabase.testing import FakeClock
from durabase.types import UNDEFINED
from vectors._load import cases, difference, run_operation, snake_case, untag


def _store(case: dict[str, Any], clock: FakeClock) -> Store:
    if not case["mergeable"]:
        return Store()
    from durabase.mergeable import MergeableStore

    return MergeableStore(case["uniqueId"], clock=clock)


class _Recorder:
    """Adds the listeners of a case to a store and keeps their calls."""

    def __init__(self, store: Store, listeners: list[dict[str, Any]]) -> None:
        self.store = store
        self.calls: list[Any] = []
        self.direct = False
        self.ids = [self._add(number, spec) for number, spec in enumerate(listeners)]

    def _add(self, number: int, spec: dict[str, Any]) -> str:
        kind = snake_case(spec["kind"])
        args = [None if arg is UNDEFINED else arg for arg in untag(spec["args"])]
        add: Callable[..., str] = getattr(self.store, f"add_{kind}_listener")
        options = {"mutator": True} if spec.get("mutator") else {}
        return add(*args, self._listener(number, spec), **options)

    def _listener(self, number: int, spec: dict[str, Any]) -> Callable[..., None]:
        kind = spec["kind"]

        def listen(store: Store, *args: Any) -> None:
            assert store is self.store
            told = list(args)
            if kind == "SortedRowIds":
                told = [UNDEFINED if arg is None and place != 0 else arg for place, arg in enumerate(told)]
            if self.direct:
                while told and told[-1] is UNDEFINED:
                    told.pop()
            elif kind.endswith("Ids") and kind != "SortedRowIds":
                told[-1] = {"ids": told[-1]()}
            call: list[Any] = [number, told]
            self.calls.append(call)
            if "probe" in spec and not self.direct:
                call.append({"probe": args[-1](*untag(spec["probe"]))})
            if "action" in spec:
                result = run_operation(store, spec["action"])
                if result is not store and result is not UNDEFINED:
                    call.append({"result": result})

        return listen

    def run(self, step: dict[str, Any]) -> list[Any]:
        self.calls = []
        if step["op"] == "delListener":
            self.store.del_listener(self.ids[step["args"][0]])
        elif step["op"] == "callListener":
            self.direct = True
            self.store.call_listener(self.ids[step["args"][0]])
            self.direct = False
        else:
            run_operation(self.store, step)
        return self.calls


def _with_results(call: list[Any]) -> list[Any]:
    """A recorded call: number, arguments, then probe and action results, each in an object of one member."""
    others = [extra if "probe" in extra else {"result": next(iter(extra.values()))} for extra in call[2:]]
    return [*call[:2], *others]


@pytest.mark.parametrize("case", cases("listeners"), ids=lambda case: case["name"])
def test_calls_are_those_of_the_original(case: dict[str, Any]) -> None:
    clock = FakeClock(case["start"])
    store = _store(case, clock)
    for op in case["setup"]:
        run_operation(store, op)
    recorder = _Recorder(store, case["listeners"])
    assert recorder.ids == case["listenerIds"]
    for number, step in enumerate(case["steps"]):
        clock.set_now_ms(step["now"])
        calls = recorder.run(step)
        place = f"step {number} {step['op']}{step.get('args', step.get('ops'))}"
        assert difference(calls, [_with_results(call) for call in untag(step["calls"])], place) is None
        assert difference(store.get_content(), untag(step["content"]), place) is None
    assert store.get_listener_stats() == {snake_case(key): count for key, count in case["stats"].items()}
