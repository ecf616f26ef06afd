"""Metrics as OpenTelemetry's data."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from opentelemetry.sdk.metrics.export import MetricsData
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.util.instrumentation import InstrumentationScope

from durabase.errors import ConfigError
from durabase.operations.opentelemetry.export import MetricExport, _exporters, _interval_seconds, _resource
from durabase.operations.opentelemetry.points import metrics_data
from durabase.operations.prometheus import Counter, Gauge, Histogram, Registry
from durabase.operations.telemetry import Telemetry
from durabase.testing.fake_clock import FakeClock

pytestmark = pytest.mark.feature("C-OB-1")


def named(data: MetricsData) -> dict[str, Any]:
    (resource,) = data.resource_metrics
    (scope,) = resource.scope_metrics
    return {metric.name: metric for metric in scope.metrics}


def test_counters_gauges_and_histograms() -> None:
    registry = Registry()
    registry.add(Counter("events_total", "Events.", ("kind",))).add("fetch", amount=3)
    registry.add(Gauge("live", "Objects.", lambda: 2.5))
    registry.add(Gauge("read_bytes_total", "Bytes.", lambda: {("a",): 7}, ("class",), kind="counter"))
    seconds = registry.add(Histogram("wait_seconds", "Seconds.", ("kind",), bounds=(1, 2)))
    for value in (0.5, 1.5, 1.6, 9):
        seconds.observe(value, "fetch")
    found = named(metrics_data(registry, Resource({}), InstrumentationScope("x"), 100, 200))
    (events,) = found["events_total"].data.data_points
    assert (events.attributes, events.value) == ({"kind": "fetch"}, 3)
    assert (events.start_time_unix_nano, events.time_unix_nano) == (100, 200)
    assert found["events_total"].data.is_monotonic
    assert (found["events_total"].description, found["events_total"].unit) == ("Events.", "1")
    assert [point.value for point in found["live"].data.data_points] == [2.5]
    assert not hasattr(found["live"].data, "is_monotonic")
    assert found["read_bytes_total"].data.is_monotonic
    assert found["read_bytes_total"].unit == "By"
    (wait,) = found["wait_seconds"].data.data_points
    assert (wait.count, wait.sum, wait.bucket_counts, wait.explicit_bounds) == (4, 12.6, [1, 2, 1], (1, 2))
    assert found["wait_seconds"].unit == "s"


class Exporter:
    """Keeps what it is given, but fails at first."""

    def __init__(self) -> None:
        self.given: list[MetricsData] = []
        self.is_shut = self.has_failed = False

    def export(self, data: MetricsData) -> None:
        if not self.has_failed:
            self.has_failed = True
            raise OSError("nobody is there")
        self.given.append(data)

    def shutdown(self) -> None:
        self.is_shut = True


def test_they_are_exported_again_and_again_and_at_the_end(caplog: pytest.LogCaptureFixture) -> None:
    telemetry, exporter = Telemetry("app", FakeClock()), Exporter()
    export = MetricExport(telemetry, Resource({}), exporter)
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)
        if len(slept) > 3:
            raise asyncio.CancelledError

    async def main() -> None:
        with pytest.raises(asyncio.CancelledError):
            await export.run(60, sleep)
        assert len(exporter.given) == 2
        await export.finish()

    asyncio.run(main())
    assert slept == [60, 60, 60, 60]
    assert "metrics could not be exported" in caplog.text
    assert len(exporter.given) == 3
    assert "durabase_events_total" in named(exporter.given[-1])
    assert exporter.is_shut


def test_the_environment_chooses_exporters(monkeypatch: pytest.MonkeyPatch) -> None:
    def chosen(kind: str) -> list[str]:
        return [make.__name__ for make in _exporters(kind)]  # type: ignore[attr-defined]

    assert chosen("traces") == ["OTLPSpanExporter"]
    monkeypatch.setenv("OTEL_METRICS_EXPORTER", "console, otlp")
    assert chosen("metrics") == ["ConsoleMetricExporter", "OTLPMetricExporter"]
    monkeypatch.setenv("OTEL_TRACES_EXPORTER", "none")
    assert chosen("traces") == []
    monkeypatch.setenv("OTEL_METRICS_EXPORTER", "pigeon")
    with pytest.raises(ConfigError, match="no exporter pigeon of metrics"):
        chosen("metrics")
    assert _interval_seconds() == 60
    monkeypatch.setenv("OTEL_METRIC_EXPORT_INTERVAL", "soon")
    with pytest.raises(ConfigError, match="not soon"):
        _interval_seconds()


def test_the_service_is_the_worker_unless_the_environment_says_otherwise(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("OTEL_SERVICE_NAME", raising=False)
    assert _resource("app").attributes["service.name"] == "app"
    monkeypatch.setenv("OTEL_SERVICE_NAME", "other")
    assert _resource("app").attributes["service.name"] == "other"
