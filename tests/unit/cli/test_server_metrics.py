"""What is measured of a server, before there is one and afterwards."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest

from durabase.cli.server_metrics import add_server_metrics
from durabase.operations.prometheus import Registry
from durabase.server.traffic import Traffic

pytestmark = pytest.mark.feature("S-OB-3")


@dataclass
class Server:
    """What is read of a server."""

    socket_count: int = 2
    unsent_bytes: int = 30
    traffic: Traffic = field(default_factory=Traffic)


def values(registry: Registry) -> dict[str, float]:
    samples = [line.rsplit(" ", 1) for line in registry.text().splitlines() if not line.startswith("#")]
    return {name.removeprefix("durabase_server_"): float(value) for name, value in samples}


def test_there_need_be_no_server_yet() -> None:
    registry, servers = Registry(), list[Any]()
    add_server_metrics(registry, lambda: servers[0] if servers else None)
    assert set(values(registry).values()) == {0}
    server = Server()
    traffic = server.traffic
    traffic.bytes_in, traffic.bytes_out = 3, 4
    traffic.messages_in, traffic.frames_out, traffic.slow_readers = 5, 6, 7
    for code in (1000, 1000, 4001):
        traffic.closed(code)
    servers.append(server)
    assert values(registry) == {
        "sockets": 2,
        "unsent_bytes": 30,
        "bytes_received_total": 3,
        "bytes_sent_total": 4,
        "messages_received_total": 5,
        "frames_sent_total": 6,
        "slow_readers_total": 7,
        'closes_total{code="1000"}': 2,
        'closes_total{code="4xxx"}': 1,
    }
    assert "# TYPE durabase_server_bytes_sent_total counter" in registry.text()
    assert "# TYPE durabase_server_sockets gauge" in registry.text()
