"""Metrics as OpenTelemetry's data."""

from __future__ import annotations

from typing import Any

import pytest
from opentelemetry.sdk.metrics.export import MetricsData
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.util.instrumentation import InstrumentationScope

from durabase.operations.opentelemetry.points import metrics_data
from durabase.operations.prometheus import Counter, Gauge, Histogram, Registry

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
