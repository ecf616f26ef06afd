"""Recorded conversations between synchronizers on a scripted bus, message by message."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import pytest

from durabase._codec import json_text_with_undefined
from durabase.mergeable import MergeableStore
from durabase.synchronizers import CustomSynchronizer
from durabase.testing import FakeClock
from durabase.types import UNDEFINED, UNDEFINED_MARK

from ._load import cases, difference, run_operation, snake_case, untag, unwire


@dataclass
class Posted:
    sender: str
    addressee: str
    request_id: str | None
    number: int
    body: Any


class Placeholders:
    """Gives random ids the names of the recording: ``t1`` for a transaction id, ``t1.r1`` for a request.

    Ids that the script itself brings stay as they are.
    """

    def __init__(self, scripted: set[str]) -> None:
        self._scripted = scripted
        self._transactions: dict[str, str] = {}
        self._requests: dict[str, str] = {}

    def of(self, request_id: str | None) -> str | None:
        if request_id is None or request_id in self._scripted:
            return request_id
        if request_id in self._requests:
            return self._requests[request_id]
        transaction_id, dot, _ = request_id.partition(".")
        name = self._transaction(transaction_id)
        if not dot:
            return name
        self._requests[request_id] = f"{name}.r{len(self._requests) + 1}"
        return self._requests[request_id]

    def within(self, text: str) -> str:
        return re.sub(r"[^.:]{1,11}\.[-\w]{4}(?=\.\d)", lambda match: self.of(match[0]) or "", text)

    def _transaction(self, transaction_id: str) -> str:
        if transaction_id in self._scripted:
            return transaction_id
        return self._transactions.setdefault(transaction_id, f"t{len(self._transactions) + 1}")


class Script:
    """The bus, its clients and two clocks: one for timers, one, which stands still, for the stores."""

    def __init__(self, case: Any) -> None:
        self.timers = FakeClock()
        self.time_of_day = FakeClock(case["start"])
        self.timeout = case["timeoutSeconds"]
        self.stores: dict[str, MergeableStore] = {}
        self.synchronizers: dict[str, CustomSynchronizer] = {}
        self.connected: list[str] = []
        self.posted: list[Posted] = []
        self.sent: list[Any] = []
        self.errors: list[Any] = []
        self.dropped: list[Any] = []
        scripted = {step["rid"] for step in case["steps"] if isinstance(step.get("rid"), str)}
        self.placeholders = Placeholders(scripted)

    def run(self, step: Any) -> None:
        self.sent, self.errors, self.dropped = [], [], []
        self.time_of_day.set_now_ms(step.get("now", self.time_of_day.now_ms()))
        getattr(self, "do_" + snake_case(step["do"]))(step)

    def do_create(self, step: Any) -> None:
        name = step["client"]
        store = MergeableStore(step["uniqueId"], clock=self.time_of_day)
        self.stores[name] = store
        self.synchronizers[name] = CustomSynchronizer(
            store,
            lambda to, request_id, number, body: self.send(name, to, request_id, number, body),
            lambda receive, fail: None,
            lambda: None,
            self.timeout,
            on_ignored_error=lambda error: self.errors.append([name, self.placeholders.within(str(error))]),
            clock=self.timers,
        )
        self.connected.append(name)

    def send(self, sender: str, to: str | None, request_id: str | None, number: int, body: Any) -> None:
        self.sent.append(self.describe(sender, to, request_id, number, body))
        if sender in self.connected:
            addressees = [to] if to is not None else [name for name in self.connected if name != sender]
            self.posted += [
                Posted(sender, name, request_id, number, body)
                for name in addressees
                if name in self.connected
            ]

    def describe(self, sender: str, to: str | None, request_id: str | None, number: int, body: Any) -> Any:
        return {
            "from": sender,
            "to": to,
            "rid": self.placeholders.of(request_id),
            "msg": int(number),
            "body": as_wire(body),
            "json": json_text_with_undefined(body),
        }

    def do_op(self, step: Any) -> None:
        run_operation(self.stores[step["client"]], step)

    def do_inject(self, step: Any) -> None:
        self.synchronizers[step["client"]].receive(
            step["from"], untag(step["rid"]), untag(step["msg"]), unwire(untag(step["body"]))
        )

    def do_start_sync(self, step: Any) -> None:
        self.synchronizers[step["client"]].start_sync(untag(step.get("initial")))

    def do_stop_sync(self, step: Any) -> None:
        self.synchronizers[step["client"]].stop_sync()

    def do_load(self, step: Any) -> None:
        self.synchronizers[step["client"]].load(untag(step.get("initial")))

    def do_save(self, step: Any) -> None:
        self.synchronizers[step["client"]].save()

    def do_start_auto_load(self, step: Any) -> None:
        self.synchronizers[step["client"]].start_auto_load(untag(step.get("initial")))

    def do_start_auto_save(self, step: Any) -> None:
        self.synchronizers[step["client"]].start_auto_save()

    def do_destroy(self, step: Any) -> None:
        self.synchronizers[step["client"]].destroy()

    def do_disconnect(self, step: Any) -> None:
        self.connected.remove(step["client"])

    def do_connect(self, step: Any) -> None:
        self.connected.append(step["client"])

    def do_drop(self, step: Any) -> None:
        gone, self.posted = self.posted[: step["count"]], self.posted[step["count"] :]
        self.dropped = [
            [one.sender, one.addressee, self.placeholders.of(one.request_id), int(one.number)] for one in gone
        ]

    def do_deliver(self, step: Any) -> None:
        while self.posted:
            posted = self.posted.pop(0)
            if posted.addressee in self.connected:
                self.synchronizers[posted.addressee].receive(
                    posted.sender, posted.request_id, posted.number, posted.body
                )

    def do_advance(self, step: Any) -> None:
        self.timers.advance(step["ms"])


def as_wire(thing: Any) -> Any:
    if thing is UNDEFINED:
        return UNDEFINED_MARK
    if isinstance(thing, list | tuple):
        return [as_wire(element) for element in thing]
    if isinstance(thing, dict):
        return {key: as_wire(value) for key, value in thing.items()}
    return thing


def same(actual: Any, expected: Any, what: str) -> None:
    assert difference(actual, expected) is None, f"{what}: {difference(actual, expected)}"


@pytest.mark.parametrize("case", cases("sync_transcript"), ids=lambda case: case["name"])
def test_transcript(case: Any) -> None:
    script = Script(case)
    for number, step in enumerate(case["steps"]):
        what = f"step {number}, {step['do']}"
        script.run(step)
        same(script.sent, step["sent"], what)
        same(script.errors, step.get("errors", []), what)
        same(script.dropped, step.get("dropped", []), what)
        statuses = {name: int(one.get_status()) for name, one in script.synchronizers.items()}
        same(statuses, step["status"], what)
    for name, final in case["final"].items():
        store, synchronizer = script.stores[name], script.synchronizers[name]
        same(store.get_content(), untag(final["content"]), name)
        same(as_wire(store._get_encoded_mergeable_content()), final["stored"], name)
        same(store.get_mergeable_content_hashes(), final["hashes"], name)
        same([synchronizer.get_synchronizer_stats(), synchronizer.get_stats()], final["stats"], name)
