"""Recordings of Durable Object storage: the same keys and rows, the same values, the same loads.

Two documented differences, told apart by rule:

* *what is stored is not written again*: starting to save after a load of complete entries puts nothing;
* *foreign keys are left alone*: the original fails to load beside a value that it cannot destructure.
"""

from __future__ import annotations

from typing import Any

import pytest

from durabase.mergeable import MergeableStore
from durabase.persisters import DurableObjectStoragePersister
from durabase.testing import FakeClock
from durabase.types import UNDEFINED, UNDEFINED_MARK

from ._load import cases, difference, run_operation, snake_case, untag

KV_CASES = cases("do_storage", "kv")
INITIAL_CONTENT = [{"d": {"r": {"c": 1}}}, {}]


class FakeKeyValueStorage:
    def __init__(self, preset: list[Any]) -> None:
        self.entries: dict[str, Any] = {key: untag(value) for key, value in preset}
        self.puts: list[list[str]] = []

    def list(self, *, prefix: str) -> Any:
        found = {key: self.entries[key] for key in self._sorted_keys() if key.startswith(prefix)}
        return _Done(found)

    def put(self, entries: dict[str, Any]) -> Any:
        self.puts.append(list(entries))
        self.entries.update(entries)
        return _Done(None)

    def sorted_entries(self) -> Any:
        return [[key, self.entries[key]] for key in self._sorted_keys()]

    def _sorted_keys(self) -> Any:
        return sorted(self.entries, key=lambda key: key.encode())


class _Done:
    """A finished awaitable, as the storage of objects returns it."""

    def __init__(self, result: Any) -> None:
        self._result = result

    def __await__(self) -> Any:
        return self._result
        yield


def has_unreadable_foreign_value(entries: Any) -> bool:
    """Whether the original cannot destructure one of these values, and so fails to load them all."""
    return any(not isinstance(value, list | str) for _, value in entries)


def same(actual: Any, expected: Any) -> None:
    assert difference(actual, expected) is None


@pytest.mark.parametrize("case", KV_CASES, ids=lambda case: case["name"])
def test_key_value(case: Any) -> None:
    storage = FakeKeyValueStorage(case["preset"])
    check_initial_load(case, storage)
    clock = FakeClock(case["start"])
    store = MergeableStore(case["uniqueId"], clock=clock)
    errors: list[Exception] = []
    persister = DurableObjectStoragePersister(
        store, storage, case["prefix"] or "", on_ignored_error=errors.append
    )
    persister.load()
    for step in case["steps"]:
        run_step(step, persister, storage, clock)
    assert errors == []
    same(as_wire(store._get_encoded_mergeable_content()), case["saved"])
    check_final_load(case, storage)


def run_step(
    step: Any, persister: DurableObjectStoragePersister, storage: FakeKeyValueStorage, clock: FakeClock
) -> None:
    clock.set_now_ms(step.get("now", clock.now_ms()))
    before = storage.sorted_entries()
    storage.puts = []
    if step["op"] in ("startAutoSave", "save"):
        assert getattr(persister, snake_case(step["op"]))().done()
    else:
        run_operation(persister.get_store(), step)
    same(storage.sorted_entries(), untag(step["entries"]))
    if not (step["op"] == "startAutoSave" and difference(before, untag(step["entries"])) is None):
        assert storage.puts == step["puts"]


def check_initial_load(case: Any, storage: FakeKeyValueStorage) -> None:
    loader = MergeableStore("loader", clock=FakeClock(case["start"] + 1_000_000))
    errors: list[Exception] = []
    persister = DurableObjectStoragePersister(
        loader, storage, case["prefix"] or "", on_ignored_error=errors.append
    )
    persister.load(INITIAL_CONTENT)
    assert errors == []
    if not has_unreadable_foreign_value(storage.sorted_entries()):
        assert case["initialLoad"].get("errors", 0) == 0
        check_content(loader, case["initialLoad"])


def check_final_load(case: Any, storage: FakeKeyValueStorage) -> None:
    loader = MergeableStore("loader", clock=FakeClock(case["start"] + 1_000_000))
    errors: list[Exception] = []
    persister = DurableObjectStoragePersister(
        loader, storage, case["prefix"] or "", on_ignored_error=errors.append
    )
    persister.load()
    assert errors == []
    if has_unreadable_foreign_value(storage.sorted_entries()):
        same(as_wire(loader._get_encoded_mergeable_content()), case["saved"])
    else:
        assert case["loaded"].get("errors", 0) == 0
        check_content(loader, case["loaded"])


def check_content(store: MergeableStore, expected: Any) -> None:
    same(as_wire(store._get_encoded_mergeable_content()), expected["stored"])
    same(store.get_content(), untag(expected["content"]))


def as_wire(thing: Any) -> Any:
    if thing is UNDEFINED:
        return UNDEFINED_MARK
    if isinstance(thing, list | tuple):
        return [as_wire(element) for element in thing]
    if isinstance(thing, dict):
        return {key: as_wire(value) for key, value in thing.items()}
    return thing
