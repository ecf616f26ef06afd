"""The metrics of a registry as OpenTelemetry's data: names, labels and numbers as Prometheus reads them."""

from __future__ import annotations

from collections.abc import Mapping

from opentelemetry.sdk.metrics.export import (
    AggregationTemporality,
    Gauge,
    HistogramDataPoint,
    Metric,
    MetricsData,
    NumberDataPoint,
    ResourceMetrics,
    ScopeMetrics,
    Sum,
)
from opentelemetry.sdk.metrics.export import Histogram as HistogramData
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.util.instrumentation import InstrumentationScope

from durabase.operations.prometheus import AnyMetric, Histogram, Labels, Registry

__all__ = ["metrics_data"]


def metrics_data(
    registry: Registry, resource: Resource, scope: InstrumentationScope, since_ns: int, now_ns: int
) -> MetricsData:
    """All metrics as they are now; those that only grow have done so since ``since_ns``."""
    metrics = [_metric(metric, since_ns, now_ns) for metric in registry.metrics]
    return MetricsData([ResourceMetrics(resource, [ScopeMetrics(scope, metrics, "")], "")])


def _metric(metric: AnyMetric, since_ns: int, now_ns: int) -> Metric:
    data: Gauge | Sum | HistogramData
    if isinstance(metric, Histogram):
        data = HistogramData(
            [_distribution(metric, labels, since_ns, now_ns) for labels in metric.sums],
            AggregationTemporality.CUMULATIVE,
        )
    else:
        points = [
            NumberDataPoint(_named(metric, labels), since_ns, now_ns, value)
            for labels, value in metric.values().items()
        ]
        is_gauge = metric.kind == "gauge"
        data = Gauge(points) if is_gauge else Sum(points, AggregationTemporality.CUMULATIVE, True)
    return Metric(metric.name, metric.help, _unit(metric.name), data)


def _distribution(metric: Histogram, labels: Labels, since_ns: int, now_ns: int) -> HistogramDataPoint:
    counts, total = metric.counts[labels], metric.sums[labels]
    return HistogramDataPoint(
        attributes=_named(metric, labels),
        start_time_unix_nano=since_ns,
        time_unix_nano=now_ns,
        count=sum(counts),
        sum=total,
        bucket_counts=list(counts),
        explicit_bounds=metric.bounds,
        min=float("nan"),
        max=float("nan"),
    )


def _named(metric: AnyMetric, labels: Labels) -> Mapping[str, str]:
    return dict(zip(metric.labels, labels, strict=True))


def _unit(name: str) -> str:
    stem = name.removesuffix("_total")
    return "s" if stem.endswith("_seconds") else "By" if "_bytes" in stem else "1"
