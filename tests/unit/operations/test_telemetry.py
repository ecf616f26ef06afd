"""What is heard goes to whoever follows."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from durabase._refusals import Refusal
from durabase.durable_objects import DurableObject, ObjectClass, ObjectHost
from durabase.durable_objects.origin import Origin
from durabase.operations.filters import RecordFilter
from durabase.operations.telemetry import Telemetry
from durabase.testing.fake_clock import FakeClock
from durabase.workers.facts import EntrypointHandled

FACT = EntrypointHandled("app", "Default", "fetch", 30, 0, None, None, 200)


@pytest.mark.feature("S-OB-1")
def test_records_are_made_while_somebody_follows() -> None:
    telemetry = Telemetry("app", FakeClock())
    records: list[dict[str, Any]] = []
    telemetry.observe(FACT)
    telemetry.log(None, "log", "unheard")
    telemetry.tail.add(records.append, RecordFilter())
    telemetry.observe(FACT)
    telemetry.log(Origin("Default", None, "fetch"), "log", "heard")
    assert [(record["type"], record["kind"]) for record in records] == [("event", "fetch"), ("log", "fetch")]


def test_every_message_is_told_of_while_somebody_follows(tmp_path: Path) -> None:
    async def main() -> None:
        telemetry = Telemetry("app", FakeClock())
        async with ObjectHost(tmp_path) as host:
            host.register(ObjectClass("Room", "app-Room", DurableObject))
            telemetry.attach(host)
            assert not host.watch.tells_messages
            telemetry.tail.add(print, RecordFilter())
            assert host.watch.tells_messages
            telemetry.tail.remove(print)
            assert not host.watch.tells_messages

    asyncio.run(main())


@pytest.mark.feature("S-OB-2", "S-OB-3")
def test_who_is_turned_away_is_counted_and_told_of() -> None:
    telemetry = Telemetry("app", FakeClock())
    records: list[dict[str, Any]] = []
    telemetry.refused(Refusal("origin", "https://evil.example"))
    telemetry.tail.add(records.append, RecordFilter(status=["error"]))
    telemetry.refused(Refusal("origin", "x" * 1000))
    text = asyncio.run(telemetry.metrics())
    assert 'durabase_refusals_total{reason="origin"} 2\n' in text
    (record,) = records
    assert (record["type"], record["reason"], record["message"]) == (
        "refusal",
        "origin",
        "a page of another origin",
    )
    assert len(record["about"]) < 300
