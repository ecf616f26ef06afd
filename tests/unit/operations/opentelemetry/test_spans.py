"""Spans of events, and whose they are below."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from durabase.durable_objects import DurableObject
from durabase.operations.opentelemetry.spans import EventSpans
from durabase.operations.records import RecordMaker
from durabase.testing import WorkerHarness
from durabase.testing.fake_clock import FakeClock
from durabase.web import Response
from unit.cluster.pair import Pair
from unit.cluster.pair import run as run_pair
from unit.durable_objects.rig import Accepting, Rig, run
from unit.workers.programs import ROOM, TOML, write_program

pytestmark = pytest.mark.feature("C-OB-1")

TRACE, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
TRACEPARENT = f"00-{TRACE}-{PARENT}-01"


class Spans:
    """A tracer whose spans stay here."""

    def __init__(self) -> None:
        self._kept = InMemorySpanExporter()
        provider = TracerProvider(shutdown_on_exit=False)
        provider.add_span_processor(SimpleSpanProcessor(self._kept))
        self.tracer = EventSpans(provider.get_tracer("test"), RecordMaker("app", FakeClock()))

    def finished(self) -> dict[str, ReadableSpan]:
        return {span.name: span for span in self._kept.get_finished_spans()}


def parent(span: ReadableSpan) -> str | None:
    return None if span.parent is None else f"{span.parent.span_id:016x}"


def own(span: ReadableSpan) -> str:
    return f"{span.context.span_id:016x}"  # type: ignore[union-attr]


class Room(Accepting):
    def fetch(self, request: Any) -> Any:
        return super().fetch(request) if "upgrade" in request.headers else Response("", 503)

    async def visit(self, other: Any = None) -> str:
        await asyncio.sleep(0)
        return "nobody" if other is None else await other.visit()

    def fail(self) -> None:
        raise ValueError("failed")

    async def wait(self) -> None:
        await asyncio.Event().wait()

    async def web_socket_message(self, ws: Any, message: str) -> None:
        await self.env.visit()

    def alarm(self) -> None: ...

    async def set(self) -> None:
        await self.ctx.storage.set_alarm(1)


def traced(scenario: Callable[[Rig, Spans], Awaitable[None]]) -> None:
    async def with_spans(rig: Rig) -> None:
        spans = Spans()
        rig.host.watch.tracer = spans.tracer
        rig.host.tell_messages(True)
        await scenario(rig, spans)

    run(with_spans, Room, observed=True)


def test_a_call_of_a_call_is_below_it() -> None:
    async def scenario(rig: Rig, spans: Spans) -> None:
        await rig.stub("x").visit(rig.stub("y"))
        inner, outer = (span for span in spans._kept.get_finished_spans() if span.name == "Room.visit")
        assert (inner.attributes["durabase.object.name"], outer.attributes["durabase.object.name"]) == (
            "y",
            "x",
        )  # type: ignore[index]
        assert parent(inner) == own(outer)
        assert parent(outer) is None
        assert outer.kind is SpanKind.SERVER

    traced(scenario)


def test_what_a_span_says_of_failures_and_of_answers() -> None:
    async def scenario(rig: Rig, spans: Spans) -> None:
        with pytest.raises(ValueError, match="failed"):
            await rig.stub().fail()
        failed = spans.finished()["Room.fail"]
        assert failed.status.status_code is StatusCode.ERROR
        assert failed.attributes["durabase.outcome"] == "exception"  # type: ignore[index]
        assert [event.name for event in failed.events] == ["exception"]
        await rig.stub().fetch("http://host/?token=secret", headers={"traceparent": TRACEPARENT})
        fetched = spans.finished()["Room.fetch"]
        assert dict(fetched.attributes or {}) == {
            "durabase.worker": "app",
            "durabase.class": "Room",
            "durabase.event": "fetch",
            "durabase.object.id": str(rig.stub().id),
            "durabase.object.name": "x",
            "durabase.outcome": "ok",
            "http.request.method": "GET",
            "http.response.status_code": 503,
            "url.full": "http://host/?token=REDACTED",
        }
        assert fetched.status.status_code is StatusCode.ERROR
        assert (f"{fetched.context.trace_id:032x}", parent(fetched)) == (TRACE, PARENT)  # type: ignore[union-attr]

    traced(scenario)


def test_messages_and_alarms_begin_traces() -> None:
    async def scenario(rig: Rig, spans: Spans) -> None:
        wire = await rig.connect()
        wire.sink.on_text("hello")
        await rig.stub().set()
        await rig.pass_time(1)
        found = spans.finished()
        assert parent(found["Room.web_socket_message"]) is None
        assert found["Room.web_socket_message"].kind is SpanKind.CONSUMER
        assert parent(found["Room.alarm"]) is None

    traced(scenario)


def test_an_event_that_is_aborted_has_an_end() -> None:
    async def scenario(rig: Rig, spans: Spans) -> None:
        waiting = asyncio.ensure_future(rig.stub().wait())
        await asyncio.sleep(0)
        rig.host.abort(rig.stub()._rpc_key, ValueError("aborted"))
        await asyncio.gather(waiting, return_exceptions=True)
        await rig.settle()
        assert spans.finished()["Room.wait"].attributes["durabase.outcome"] == "canceled"  # type: ignore[index]

    traced(scenario)


class Far(DurableObject):
    async def visit(self, other: Any = None) -> Any:
        return None if other is None else await other.visit()

    async def call(self, function: Any) -> Any:
        return await function()

    async def give(self, other: Any) -> Any:
        return await other.call(lambda: 1)


def test_the_trace_goes_on_in_another_process() -> None:
    async def scenario(pair: Pair) -> None:
        spans = Spans()
        for host in pair.hosts:
            host.watch.tracer = spans.tracer
            host.watch.observer = lambda fact: None
        near, far = (pair.hosts[0].namespace("Far").get_by_name(name) for name in pair.names)
        await near.visit(far)
        inner, outer = spans._kept.get_finished_spans()
        assert parent(inner) == own(outer)
        spans._kept.clear()
        await near.give(far)
        found = spans.finished()
        assert parent(found["Far.call"]) == own(found["Far.give"])
        (served,) = set(found) - {"Far.call", "Far.give"}
        assert parent(found[served]) == own(found["Far.call"])

    run_pair(scenario, Far)


PROGRAM = """
from durabase.workers import DurableObject, Response, WorkerEntrypoint

class Default(WorkerEntrypoint):
    async def fetch(self, request):
        return Response(str(await self.env.ROOM.get_by_name("x").visit()))

class Room(DurableObject):
    async def visit(self):
        return 1
"""


@pytest.mark.parametrize(
    ("headers", "expected"),
    [({"traceparent": TRACEPARENT}, PARENT), ({}, None), ({"traceparent": "?"}, None)],
)
def test_a_request_is_below_who_has_sent_it_and_its_calls_below_that(
    tmp_path: Any, headers: Mapping[str, str], expected: str | None
) -> None:
    spans = Spans()
    harness = WorkerHarness(write_program(tmp_path, PROGRAM, TOML + ROOM))

    async def main() -> None:
        harness.runtime.host.watch.tracer = spans.tracer
        await harness.fetch("/", headers=headers)

    harness.run(main)
    found = spans.finished()
    assert parent(found["Default.fetch"]) == expected
    assert parent(found["Room.visit"]) == own(found["Default.fetch"])
