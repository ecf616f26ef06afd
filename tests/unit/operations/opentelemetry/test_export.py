"""Exporting: again and again, to whom the environment says, and in whose name."""

from __future__ import annotations

import asyncio

import pytest
from opentelemetry.sdk.metrics.export import MetricsData
from opentelemetry.sdk.resources import Resource

from durabase.errors import ConfigError
from durabase.operations.opentelemetry.export import (
    MetricExport,
    _exporters,
    _interval_seconds,
    _resource,
    exported,
)
from durabase.operations.telemetry import Telemetry
from durabase.testing.fake_clock import FakeClock

pytestmark = pytest.mark.feature("C-OB-1")


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
    (resource,) = exporter.given[-1].resource_metrics
    assert "durabase_events_total" in [metric.name for metric in resource.scope_metrics[0].metrics]
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


@pytest.mark.parametrize("text", ["0", "-1", "1.5", "²"])
def test_what_is_no_interval(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_METRIC_EXPORT_INTERVAL", text)
    with pytest.raises(ConfigError, match=f"is a number of milliseconds, not {text}$"):
        _interval_seconds()


def test_the_protocol_is_chosen_for_all_or_for_one_kind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "http/protobuf")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")
    [make] = _exporters("traces")
    assert ".http." in make.__module__
    try:
        [make] = _exporters("metrics")
    except ConfigError as error:  # where the package for gRPC is not installed, that is what is said
        assert "there is no exporter otlp_proto_grpc of metrics" in str(error)  # noqa: PT017
    else:
        assert ".grpc." in make.__module__


def test_nothing_is_exported_where_that_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_SDK_DISABLED", "TRUE")
    monkeypatch.setenv("OTEL_METRICS_EXPORTER", "pigeon")
    traced: list[object] = []

    class Deaf(Telemetry):
        def trace(self, spans: object) -> None:  # type: ignore[override]
            traced.append(spans)

    async def main() -> None:
        async with exported(Deaf("app", FakeClock()), "app"):
            pass

    asyncio.run(main())
    assert traced == []
