"""What the commands say as records."""

from __future__ import annotations

import io
import json

import pytest

from durabase.cli.json_console import JsonConsole
from durabase.durable_objects.ids import DurableObjectId
from durabase.durable_objects.origin import Origin
from durabase.operations.filters import RecordFilter
from durabase.operations.telemetry import Telemetry
from durabase.testing.fake_clock import FakeClock

VISIT = Origin("Room", DurableObjectId(bytes(32), "lobby"), "visit")


@pytest.mark.feature("S-OB-1")
def test_the_console_writes_records() -> None:
    out = io.StringIO()
    console = JsonConsole(out)
    console.line()
    console.line("  banner ")
    console.info("ready")
    console.warning("careful")
    console.error("wrong")
    console.dim("faint")
    records = [json.loads(line) for line in out.getvalue().splitlines()]
    assert [(record["level"], record["message"]) for record in records] == [
        ("log", "banner"),
        ("log", "ready"),
        ("warn", "careful"),
        ("error", "wrong"),
        ("log", "faint"),
    ]


@pytest.mark.feature("S-OB-1")
def test_the_console_is_one_of_those_who_follow_a_runtime() -> None:
    out, heard = io.StringIO(), []  # type: ignore[var-annotated]
    console, telemetry = JsonConsole(out), Telemetry("app", FakeClock(5))
    console.follow(telemetry)
    telemetry.tail.add(heard.append, RecordFilter())
    console.say(VISIT, "log", "hello", None)
    (line,) = out.getvalue().splitlines()
    assert json.loads(line) == heard[0]
    assert json.loads(line)["durableObjectName"] == "lobby"


@pytest.mark.feature("S-OB-1")
def test_a_record_is_a_line_of_plain_text() -> None:
    out, err = io.StringIO(), io.StringIO()
    console = JsonConsole(out, err)
    console.record({"message": "ä", "odd": VISIT.id})  # type: ignore[typeddict-item, typeddict-unknown-key]
    assert out.getvalue().startswith('{"message": "ä", "odd": "')
    console.say(VISIT, "log", "said", ValueError("no"))
    record = json.loads(out.getvalue().splitlines()[1])
    assert (record["message"], record["durableObjectName"]) == ("said", "lobby")
    assert "ValueError: no" in json.dumps(record)
    assert err.getvalue() == ""
