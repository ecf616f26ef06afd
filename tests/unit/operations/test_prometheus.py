"""Prometheus's text."""

from __future__ import annotations

import pytest

from durabase.operations.prometheus import Counter, Gauge, Histogram, Registry


@pytest.mark.feature("S-OB-3")
def test_the_text() -> None:
    registry = Registry()
    events = registry.add(Counter("events_total", "Events.", ("kind",)))
    plain = registry.add(Counter("plain_total", "Plain."))
    seconds = registry.add(Histogram("seconds", "Seconds.", ("kind",)))
    registry.add(Gauge("live", "Objects.", lambda: {("a",): 2, ("b",): 0.5}, ("class",)))
    registry.add(Gauge("threads", "Threads.", lambda: 12_345_678))
    events.add('say "hi"\n\\')
    events.add('say "hi"\n\\', amount=2)
    plain.add()
    for value in (0.001, 0.02, 60):
        seconds.observe(value, "fetch")
    text = registry.text()
    assert text.startswith(
        '# HELP events_total Events.\n# TYPE events_total counter\nevents_total{kind="say '
    )
    assert 'events_total{kind="say \\"hi\\"\\n\\\\"} 3\n' in text
    assert "plain_total 1\n" in text
    assert "# TYPE seconds histogram\n" in text
    assert 'seconds_bucket{kind="fetch",le="0.001"} 1\n' in text
    assert 'seconds_bucket{kind="fetch",le="0.025"} 2\n' in text
    assert 'seconds_bucket{kind="fetch",le="+Inf"} 3\n' in text
    assert 'seconds_sum{kind="fetch"} 60.021\n' in text
    assert 'seconds_count{kind="fetch"} 3\n' in text
    assert 'live{class="a"} 2\nlive{class="b"} 0.5\n' in text
    assert text.endswith("threads 12345678\n")
