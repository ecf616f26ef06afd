"""A server that exports to a collector, which is one of the test's own."""

from __future__ import annotations

import http.client
import os
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from queue import Queue
from threading import Thread
from typing import Any

import pytest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from unit.cli.running import running, write_project

PROGRAM = """
from durabase.workers import DurableObject, Response, WorkerEntrypoint

class Room(DurableObject):
    async def visit(self):
        return 1

class Default(WorkerEntrypoint):
    async def fetch(self, request):
        return Response(str(await self.env.ROOM.get_by_name("lobby").visit()))
"""
TRACE, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
KINDS: dict[str, Any] = {"/v1/traces": ExportTraceServiceRequest, "/v1/metrics": ExportMetricsServiceRequest}


class Collector:
    """Takes what is sent by OTLP over HTTP."""

    def __init__(self) -> None:
        self.spans: Queue[Any] = Queue()
        self.metrics: Queue[Any] = Queue()
        collector = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                collector.take(KINDS[self.path].FromString(body))
                self.send_response(200)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *arguments: Any) -> None: ...

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)

    def take(self, sent: Any) -> None:
        for resource in getattr(sent, "resource_spans", ()):
            for scope in resource.scope_spans:
                for span in scope.spans:
                    self.spans.put((resource.resource, span))
        for resource in getattr(sent, "resource_metrics", ()):
            self.metrics.put(
                {metric.name: metric for scope in resource.scope_metrics for metric in scope.metrics}
            )


@pytest.fixture
def collector(monkeypatch: pytest.MonkeyPatch) -> Iterator[Collector]:
    made = Collector()
    thread = Thread(target=made.server.serve_forever, daemon=True)
    thread.start()
    for name in [name for name in os.environ if name.startswith("OTEL_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{made.server.server_address[1]}")
    monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "100")
    monkeypatch.setenv("OTEL_METRIC_EXPORT_INTERVAL", "200")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    yield made
    made.server.shutdown()
    made.server.server_close()
    thread.join(20)


def attributes(of: Any) -> dict[str, str]:
    return {each.key: each.value.string_value for each in of.attributes}


@pytest.mark.feature("C-OB-1")
@pytest.mark.parametrize("options", [(), ("--processes", "2")])
def test_spans_and_metrics_arrive(tmp_path: Path, collector: Collector, options: tuple[str, ...]) -> None:
    project = write_project(tmp_path, PROGRAM)
    with running(project, "serve", "--port", "0", "--opentelemetry", *options) as command:
        port = int(command.expect(r"Ready on http://127\.0\.0\.1:(\d+)")[1])
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
        connection.request("GET", "/", headers={"traceparent": f"00-{TRACE}-{PARENT}-01"})
        assert connection.getresponse().read() == b"1"
        connection.close()
        arrived = [collector.spans.get(timeout=20) for _ in range(2)]
        spans = {span.name: (resource, span) for resource, span in arrived}
        resource, fetch = spans["Default.fetch"]
        _, visit = spans["Room.visit"]
        assert attributes(resource)["service.name"] == "app"
        assert (fetch.trace_id.hex(), fetch.parent_span_id.hex()) == (TRACE, PARENT)
        assert (visit.trace_id.hex(), visit.parent_span_id) == (TRACE, fetch.span_id)
        assert attributes(visit)["durabase.object.name"] == "lobby"
        classes: set[str] = set()
        while "Room" not in classes:
            events = collector.metrics.get(timeout=20)["durabase_events_total"].sum.data_points
            classes |= {attributes(point)["class"] for point in events}
        assert command.stop() == 0


def test_without_the_packages_it_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hidden = tmp_path / "hidden" / "opentelemetry"
    hidden.mkdir(parents=True)
    (hidden / "__init__.py").write_text("raise ModuleNotFoundError('none', name='opentelemetry')")
    monkeypatch.setenv("PYTHONPATH", str(hidden.parent))
    with running(write_project(tmp_path / "app"), "serve", "--port", "0", "--opentelemetry") as command:
        command.expect(r"opentelemetry is missing.*pip install 'durabase\[opentelemetry\]'")
        assert command.finish() == 2
