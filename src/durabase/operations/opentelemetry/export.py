"""Exports what a runtime tells, where and how the standard ``OTEL_*`` environment variables say."""

from __future__ import annotations

import asyncio
import logging
import os
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from importlib.metadata import entry_points
from typing import Any, Final

from opentelemetry import trace
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.util.instrumentation import InstrumentationScope

from durabase.errors import ConfigError
from durabase.operations.opentelemetry.points import metrics_data
from durabase.operations.opentelemetry.spans import EventSpans
from durabase.operations.telemetry import Telemetry

__all__ = ["MetricExport", "exported"]

_log: Final = logging.getLogger("durabase.operations")

_SCOPE: Final = "durabase"
_INTERVAL_MS: Final = 60_000


@asynccontextmanager
async def exported(telemetry: Telemetry, service: str) -> AsyncIterator[None]:
    """Within it spans and metrics are exported; at its end, what is left of them.

    Spans go to the provider that the process has set up, if it has, as ``opentelemetry-instrument`` does.

    Args:
        telemetry: what is heard of the runtime.
        service: its name, unless the environment has another.

    Raises:
        ConfigError: there is no such exporter, or a variable that has to be a number is none.
    """
    if os.environ.get("OTEL_SDK_DISABLED", "").lower() == "true":
        yield
        return
    resource = _resource(service)
    metrics = [MetricExport(telemetry, resource, make()) for make in _exporters("metrics")]
    interval = _interval_seconds()
    own = _provider(resource)
    telemetry.trace(EventSpans(trace.get_tracer(_SCOPE), telemetry.maker))
    tasks = [asyncio.create_task(each.run(interval)) for each in metrics]
    try:
        yield
    finally:
        telemetry.trace(None)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        flushes = [] if own is None else [asyncio.to_thread(own.force_flush)]
        await asyncio.gather(*(each.finish() for each in metrics), *flushes)


class MetricExport:
    """Hands all metrics to an exporter.

    Args:
        telemetry: has them.
        resource: whose they are.
        exporter: one of OpenTelemetry's ``MetricExporter``.
    """

    def __init__(self, telemetry: Telemetry, resource: Resource, exporter: Any) -> None:
        self._telemetry = telemetry
        self._resource = resource
        self._exporter = exporter
        self._since_ns = time.time_ns()

    async def run(self, seconds: float, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep) -> None:
        """Export them each so many seconds."""
        while True:
            await sleep(seconds)
            await self.export()

    async def export(self) -> None:
        """Export them as they are now. What fails is logged: the next time may do."""
        await self._telemetry.measure()
        data = metrics_data(
            *(self._telemetry.registry, self._resource, InstrumentationScope(_SCOPE)),
            *(self._since_ns, time.time_ns()),
        )
        try:
            await asyncio.to_thread(self._exporter.export, data)
        except Exception:
            _log.exception("metrics could not be exported")

    async def finish(self) -> None:
        """Export them for the last time."""
        await self.export()
        await asyncio.to_thread(self._exporter.shutdown)


def _resource(service: str) -> Resource:
    found = Resource.create({"process.pid": os.getpid()})
    is_named = not str(found.attributes.get("service.name", "")).startswith("unknown_service")
    return found if is_named else found.merge(Resource({"service.name": service}))


def _provider(resource: Resource) -> TracerProvider | None:
    """The process's provider, if it is ours to set up."""
    if isinstance(trace.get_tracer_provider(), TracerProvider):
        return None
    provider = TracerProvider(resource=resource)
    for make in _exporters("traces"):
        provider.add_span_processor(BatchSpanProcessor(make()))
    trace.set_tracer_provider(provider)
    return provider


def _exporters(kind: str) -> list[Callable[[], Any]]:
    """What makes the exporters that ``OTEL_TRACES_EXPORTER``, ``OTEL_METRICS_EXPORTER`` name; else OTLP's."""
    listed = os.environ.get(f"OTEL_{kind.upper()}_EXPORTER") or "otlp"
    names = [_protocol(kind) if name == "otlp" else name for name in map(str.strip, listed.split(","))]
    known = {each.name: each for each in entry_points(group=f"opentelemetry_{kind}_exporter")}
    if missing := [name for name in names if name not in known and name != "none"]:
        raise ConfigError(f"there is no exporter {missing[0]} of {kind}; installed: {', '.join(known)}")
    return [known[name].load() for name in names if name != "none"]


def _protocol(kind: str) -> str:
    named = os.environ.get(f"OTEL_EXPORTER_OTLP_{kind.upper()}_PROTOCOL")
    protocol = named or os.environ.get("OTEL_EXPORTER_OTLP_PROTOCOL") or "http/protobuf"
    return "otlp_proto_grpc" if protocol == "grpc" else "otlp_proto_http"


def _interval_seconds() -> float:
    text = os.environ.get("OTEL_METRIC_EXPORT_INTERVAL") or str(_INTERVAL_MS)
    if not (text.isascii() and text.isdigit() and int(text)):
        raise ConfigError(f"OTEL_METRIC_EXPORT_INTERVAL is a number of milliseconds, not {text}")
    return int(text) / 1000
