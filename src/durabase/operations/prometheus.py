"""Counters, gauges and histograms, and Prometheus's text of them."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Final, TypeAlias, TypeVar

__all__ = ["AnyMetric", "Counter", "Gauge", "Histogram", "Labels", "Registry"]

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
SECONDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)

Labels: TypeAlias = tuple[str, ...]


class Counter:
    """A number that only grows, for each combination of labels."""

    kind = "counter"

    def __init__(self, name: str, help: str, labels: Sequence[str] = ()) -> None:
        self.name, self.help, self.labels = name, help, labels
        self._values: dict[Labels, float] = {} if labels else {(): 0}

    def add(self, *labels: str, amount: float = 1) -> None:
        """Count ``amount`` more."""
        self._values[labels] = self._values.get(labels, 0) + amount

    def values(self) -> Mapping[Labels, float]:
        """The numbers by labels."""
        return self._values

    def samples(self) -> Iterator[str]:
        """The lines."""
        return _samples(self)

    def total(self) -> float:
        """The sum of all."""
        return sum(self._values.values())


class Gauge:
    """Numbers that are asked for when they are wanted: by labels, or one.

    ``kind`` is ``counter`` if they only grow.
    """

    kind = "gauge"

    def __init__(
        self,
        name: str,
        help: str,
        read: Callable[[], Mapping[Labels, float] | float],
        labels: Sequence[str] = (),
        *,
        kind: str = "gauge",
    ) -> None:
        self.name, self.help, self._read, self.labels, self.kind = name, help, read, labels, kind

    def values(self) -> Mapping[Labels, float]:
        """The numbers by labels."""
        found = self._read()
        return found if isinstance(found, Mapping) else {(): found}

    def samples(self) -> Iterator[str]:
        """The lines."""
        return _samples(self)

    def total(self) -> float:
        """The sum of all."""
        return sum(self.values().values())


class Histogram:
    """How often a number was at most so large, for each combination of labels; by default of seconds.

    ``counts`` has a number for each of the ``bounds``, and one for what is larger;
    ``sums`` is what they come to.
    """

    kind = "histogram"

    def __init__(
        self, name: str, help: str, labels: Sequence[str] = (), bounds: Sequence[float] = SECONDS
    ) -> None:
        self.name, self.help, self.labels, self.bounds = name, help, labels, bounds
        self.counts: dict[Labels, list[int]] = {}
        self.sums: dict[Labels, float] = {}

    def observe(self, value: float, *labels: str) -> None:
        """Count the number."""
        counts = self.counts.setdefault(labels, [0] * (len(self.bounds) + 1))
        counts[bisect_left(self.bounds, value)] += 1
        self.sums[labels] = self.sums.get(labels, 0.0) + value

    def samples(self) -> Iterator[str]:
        """The lines."""
        for labels, counts in self.counts.items():
            own, total = list(zip(self.labels, labels, strict=True)), 0
            for bound, count in zip([*map(str, self.bounds), "+Inf"], counts, strict=True):
                total += count
                yield _sample(f"{self.name}_bucket", [*own, ("le", bound)], total)
            yield _sample(f"{self.name}_sum", own, self.sums[labels])
            yield _sample(f"{self.name}_count", own, total)

    def total(self) -> float:
        """How many numbers there were."""
        return sum(map(sum, self.counts.values()))


AnyMetric: TypeAlias = Counter | Gauge | Histogram
M = TypeVar("M", Counter, Gauge, Histogram)


class Registry:
    """All ``metrics`` of a process."""

    def __init__(self) -> None:
        self.metrics: list[AnyMetric] = []

    def add(self, metric: M) -> M:
        """One more metric; the same is given back."""
        self.metrics.append(metric)
        return metric

    def total(self, name: str) -> float | None:
        """What the metric of this name says, of all labels together; ``None`` if there is none."""
        return next((metric.total() for metric in self.metrics if metric.name == name), None)

    def text(self) -> str:
        """All of them, as Prometheus reads them."""
        lines: list[str] = []
        for metric in self.metrics:
            lines += [f"# HELP {metric.name} {metric.help}", f"# TYPE {metric.name} {metric.kind}"]
            lines += metric.samples()
        return "\n".join(lines) + "\n"


def _samples(metric: Counter | Gauge) -> Iterator[str]:
    for labels, value in metric.values().items():
        yield _sample(metric.name, zip(metric.labels, labels, strict=True), value)


def _sample(name: str, labels: Iterable[tuple[str, str]], value: float) -> str:
    listed = ",".join(f'{label}="{_escaped(text)}"' for label, text in labels)
    number = str(int(value)) if value == int(value) else repr(value)
    return f"{name}{{{listed}}} {number}" if listed else f"{name} {number}"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
