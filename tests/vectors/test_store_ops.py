"""What every operation does to a store: content, order, stamps, changes and log."""

from __future__ import annotations

from typing import Any

import pytest

from durabase._codec import json_text_with_undefined
from durabase.store import Store
from durabase.testing import FakeClock
from durabase.types import UNDEFINED
from vectors._load import cases, difference, run_operation, untag

_CASES = cases("store_ops")


def _text_of_ids(case: dict[str, Any]) -> str:
    return str(case["name"])


def _order(store: Store) -> list[Any]:
    """Ids in map order, as recorded."""
    tables = [
        [table_id, [[row_id, store.get_cell_ids(table_id, row_id)] for row_id in store.get_row_ids(table_id)]]
        for table_id in store.iter_tables()
    ]
    return [tables, store.get_value_ids()]


class _Watcher:
    """Keeps what a DidFinishTransaction listener last saw."""

    def __init__(self, store: Any) -> None:
        self.seen: dict[str, Any] | None = None
        store.add_did_finish_transaction_listener(self._see)

    def _see(self, store: Any) -> None:
        self.seen = {"changes": store.get_transaction_changes(), "log": store.get_transaction_log()}
        if store.is_mergeable():
            self.seen["mergeableChanges"] = store.get_transaction_mergeable_changes()
            self.seen["hashedChanges"] = store.get_transaction_mergeable_changes(True)


def _check_store(store: Store, end: dict[str, Any]) -> None:
    assert store.get_json() == end["json"]
    assert store.get_schema_json() == end["schemaJson"]
    for args, row_ids in untag(end["sorted"]):
        assert store.get_sorted_row_ids(*[None if arg is UNDEFINED else arg for arg in args]) == row_ids
    cells = [
        [table_id, [list(pair) for pair in store.iter_table_cells(table_id)]]
        for table_id in store.iter_tables()
    ]
    assert difference(cells, untag(end["tableCells"])) is None


@pytest.mark.parametrize("case", _CASES, ids=_text_of_ids)
def test_mergeable_store(case: dict[str, Any]) -> None:
    from durabase.mergeable import MergeableStore

    clock = FakeClock(case["start"])
    store = MergeableStore(case["uniqueId"], clock=clock)
    watcher = _Watcher(store)
    for number, step in enumerate(case["steps"]):
        clock.set_now_ms(step["now"])
        watcher.seen = None
        result = run_operation(store, step)
        place = f"step {number} {step['op']}{step.get('args', step.get('ops'))}"
        if "ret" in step:
            assert difference(result, untag(step["ret"]), place) is None
        assert difference(watcher.seen, untag(step["did"]), f"{place} did") is None
        assert difference(store.get_content(), untag(step["content"]), place) is None
        assert difference(store.get_mergeable_content(), untag(step["mergeable"]), place) is None
        assert difference(_order(store), untag(step["order"]), f"{place} order") is None
    end = case["end"]
    _check_store(store, end)
    value_hashes = store.get_mergeable_value_hashes()
    hashes = [store.get_mergeable_content_hashes(), store.get_mergeable_table_hashes(), value_hashes]
    assert difference(hashes, end["hashes"]) is None
    assert json_text_with_undefined(store._get_encoded_mergeable_content()) == end["storedJson"]


@pytest.mark.parametrize("case", _CASES, ids=_text_of_ids)
def test_store(case: dict[str, Any]) -> None:
    """What is not about stamps is true of a plain store too; default content is content there."""
    store = Store()
    watcher = _Watcher(store)
    for number, step in enumerate(case["steps"]):
        watcher.seen = None
        result = run_operation(store, _for_plain_store(step))
        place = f"step {number} {step['op']}{step.get('args', step.get('ops'))}"
        if "ret" in step:
            assert difference(result, untag(step["ret"]), place) is None
        did = untag(step["did"])
        if did is not None:
            did = {"changes": did["changes"], "log": did["log"]}
        assert difference(watcher.seen, did, f"{place} did") is None
        assert difference(store.get_content(), untag(step["content"]), place) is None
        assert difference(_order(store), untag(step["order"]), f"{place} order") is None
    _check_store(store, case["end"])


def _for_plain_store(op: dict[str, Any]) -> dict[str, Any]:
    if op["op"] == "setDefaultContent":
        return {**op, "op": "setContent"}
    if "ops" in op:
        return {**op, "ops": [_for_plain_store(inner) for inner in op["ops"]]}
    return op
