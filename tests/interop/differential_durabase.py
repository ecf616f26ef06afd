"""Runs programs of store operations in durabase, as ``differential.mjs`` does in the original.

A program: ``start`` (ms), ``eager`` (look at stamps and hashes after every step, or at the end only),
``stores`` (their unique ids), ``steps``. A step: ``now``, ``store`` (its index) and an operation, in the
recordings' form and tagged JSON; beside those of the recordings there are

* ``deliver`` (``message``: number, modulo, of what was broadcast so far), ``give``, ``copy``, ``merge``,
  ``pull`` (``other`` store): ways for changes to get from one store to another;
* ``applyEncoded``, ``setEncoded``: changes and content made up by hand, maybe malformed;
* ``listen`` (``kind``, ``args``, ``mutator``, ``action``, ``probe``), ``callListener``, ``delListener``.

Observed after each step: its result, what DidFinishTransaction listeners and other listeners were told,
and how all stores look.
"""

from __future__ import annotations

import traceback
from typing import Any

from durabase._codec import json_text_with_undefined
from durabase.mergeable import MergeableStore
from durabase.testing import FakeClock
from durabase.types import UNDEFINED
from vectors._load import DeliberateError, run_operation, snake_case, untag

__all__ = ["run_program"]


def run_program(program: dict[str, Any]) -> dict[str, Any]:
    """What is observed."""
    run = _Run(program)
    return {"steps": [run.step(step) for step in program["steps"]], "end": run.finish()}


class _Run:
    def __init__(self, program: dict[str, Any]) -> None:
        self.clock = FakeClock(program["start"])
        self.is_eager = program["eager"]
        self.messages: list[Any] = []
        self.stores = [MergeableStore(unique_id, clock=self.clock) for unique_id in program["stores"]]
        self.did: list[list[Any]] = [[] for _ in self.stores]
        self.calls: list[Any] = []
        self.listener_ids: list[list[str]] = [[] for _ in self.stores]
        self.unexpected = ""
        for index, store in enumerate(self.stores):
            store.add_did_finish_transaction_listener(self._watcher(index))

    def _watcher(self, index: int) -> Any:
        def did_finish(store: MergeableStore) -> None:
            changes = store._get_encoded_transaction_mergeable_changes(False)
            if changes != [[{}], [{}], 1]:
                self.messages.append(changes)
            seen = {
                "changes": store.get_transaction_changes(),
                "log": store.get_transaction_log(),
                "mergeable": json_text_with_undefined(changes),
            }
            if self.is_eager:
                hashed = store._get_encoded_transaction_mergeable_changes(True)
                seen["hashed"] = json_text_with_undefined(hashed)
            self.did[index].append(seen)

        return did_finish

    def step(self, step: dict[str, Any]) -> dict[str, Any]:
        self.clock.set_now_ms(step["now"])
        self.calls = []
        self.did = [[] for _ in self.stores]
        trace = ""
        try:
            result = self.operate(step["store"], step)
        except DeliberateError:
            result = "deliberate"
        except Exception:
            result, trace = "threw", traceback.format_exc()
        stores = [self.look(store, self.is_eager) for store in self.stores]
        return {"result": result, "did": self.did, "calls": self.calls, "stores": stores, "trace": trace}

    @staticmethod
    def look(store: MergeableStore, is_whole: bool) -> dict[str, Any]:
        tables = [
            [
                table_id,
                [[row_id, store.get_cell_ids(table_id, row_id)] for row_id in store.get_row_ids(table_id)],
            ]
            for table_id in store.get_table_ids()
        ]
        seen: dict[str, Any] = {
            "content": store.get_content(),
            "json": store.get_json(),
            "schema": store.get_schema_json(),
            "order": [tables, store.get_value_ids()],
        }
        if is_whole:
            seen["stored"] = json_text_with_undefined(store._get_encoded_mergeable_content())
            seen["mutated"] = int(store._had_mutated())
            try:
                seen["mergeable"] = store.get_mergeable_content()
            except Exception:
                seen["mergeable"] = "threw"
        return seen

    def operate(self, index: int, step: dict[str, Any]) -> Any:
        store = self.stores[index]
        special = getattr(self, f"_{snake_case(step['op'])}", None)
        result = special(index, step) if special is not None else self._ordinary(store, step)
        return UNDEFINED if result is store or result is None else result

    def _ordinary(self, store: MergeableStore, step: dict[str, Any]) -> Any:
        if step["op"] == "getSortedRowIds":
            return store.get_sorted_row_ids(
                *[None if arg is UNDEFINED else arg for arg in untag(step["args"])]
            )
        return run_operation(store, step)

    def _transaction(self, index: int, step: dict[str, Any]) -> Any:
        with self.stores[index].transaction((lambda _store: True) if step.get("rollback") else None):
            for inner in step["ops"]:
                self.operate(index, inner)

    def _throwing(self, index: int, step: dict[str, Any]) -> Any:
        with self.stores[index].transaction():
            for inner in step["ops"]:
                self.operate(index, inner)
            raise DeliberateError

    def _deliver(self, index: int, step: dict[str, Any]) -> Any:
        if self.messages:
            message = self.messages[step["message"] % len(self.messages)]
            self.stores[index]._apply_encoded_mergeable_changes(message)

    def _apply_encoded(self, index: int, step: dict[str, Any]) -> Any:
        return self.stores[index]._apply_encoded_mergeable_changes(untag(step["args"][0]))

    def _set_encoded(self, index: int, step: dict[str, Any]) -> Any:
        return self.stores[index]._set_encoded_mergeable_content(untag(step["args"][0]))

    def _give(self, index: int, step: dict[str, Any]) -> Any:
        content = self.stores[step["other"]]._get_encoded_mergeable_content()
        return self.stores[index]._apply_encoded_mergeable_changes(content)

    def _copy(self, index: int, step: dict[str, Any]) -> Any:
        content = self.stores[step["other"]]._get_encoded_mergeable_content()
        return self.stores[index]._set_encoded_mergeable_content(content)

    def _merge(self, index: int, step: dict[str, Any]) -> Any:
        return self.stores[index].merge(self.stores[step["other"]])

    def _pull(self, index: int, step: dict[str, Any]) -> Any:
        ours, theirs = self.stores[index], self.stores[step["other"]]
        tables, differing_tables = theirs.get_mergeable_table_diff(ours.get_mergeable_table_hashes())
        rows, differing_rows = theirs.get_mergeable_row_diff(ours.get_mergeable_row_hashes(differing_tables))
        cells = theirs.get_mergeable_cell_diff(ours.get_mergeable_cell_hashes(differing_rows))
        values = theirs.get_mergeable_value_diff(ours.get_mergeable_value_hashes())
        answers = [*[[stamp, [{}], 1] for stamp in (tables, rows, cells)], [[{}], values, 1]]
        for answer in answers:
            ours._apply_encoded_mergeable_changes(answer)
        return json_text_with_undefined([answers, differing_tables, differing_rows])

    def _call_listener(self, index: int, step: dict[str, Any]) -> Any:
        ids = self.listener_ids[index]
        return self.stores[index].call_listener(ids[step["listener"] % len(ids)]) if ids else None

    def _del_listener(self, index: int, step: dict[str, Any]) -> Any:
        ids = self.listener_ids[index]
        return self.stores[index].del_listener(ids[step["listener"] % len(ids)]) if ids else None

    def _listen(self, index: int, step: dict[str, Any]) -> Any:
        store = self.stores[index]
        args = [None if arg is UNDEFINED else arg for arg in untag(step["args"])]
        options = {} if step.get("mutator") is None else {"mutator": step["mutator"]}
        add = getattr(store, f"add_{snake_case(step['kind'])}_listener")
        id_ = add(*args, self._listener(index, step), **options)
        self.listener_ids[index].append(id_)
        return id_

    def _listener(self, index: int, step: dict[str, Any]) -> Any:
        kind = step["kind"]
        number = f"{index}:{len(self.listener_ids[index])}"

        def listener(got: MergeableStore, *told: Any) -> None:
            assert got is self.stores[index]
            args = list(told)
            while args and args[-1] is UNDEFINED:  # as there is no getter function in direct calls
                args.pop()
            if kind == "SortedRowIds":
                args = [UNDEFINED if arg is None and place else arg for place, arg in enumerate(args)]
            getter = args[-1] if args and callable(args[-1]) else None
            seen = [number, ["function" if callable(arg) else arg for arg in args]]
            if kind.endswith("Ids") and kind != "SortedRowIds" and getter is not None:
                seen[1][-1] = {"ids": getter()}
            elif step.get("probe") and getter is not None:
                seen.append(getter(*step["probe"]))
            self.calls.append(seen)
            if "action" in step:
                result = self.operate(index, step["action"])
                if result is not UNDEFINED:
                    seen.append(result)

        return listener

    def finish(self) -> list[dict[str, Any]]:
        return [
            {
                **self.look(store, True),
                "hashes": [
                    store.get_mergeable_content_hashes(),
                    store.get_mergeable_table_hashes(),
                    store.get_mergeable_value_hashes(),
                    {_camel_case(key): count for key, count in store.get_listener_stats().items()},
                ],
            }
            for store in self.stores
        ]


def _camel_case(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(other.title() for other in others)
