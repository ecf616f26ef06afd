"""What is measured of the server: its sockets, and what they carry."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Final

from durabase.operations.prometheus import Gauge, Registry
from durabase.server import Server

__all__ = ["add_server_metrics"]

_COUNTERS: Final[tuple[tuple[str, str, Callable[[Server], int]], ...]] = (
    ("bytes_received", "Bytes that WebSockets have brought.", lambda server: server.traffic.bytes_in),
    ("bytes_sent", "Bytes that were sent to WebSockets.", lambda server: server.traffic.bytes_out),
    ("messages_received", "Messages that have arrived.", lambda server: server.traffic.messages_in),
    ("frames_sent", "Messages that were sent; pings and closes.", lambda server: server.traffic.frames_out),
    ("slow_readers", "WebSockets given up as nobody reads.", lambda server: server.traffic.slow_readers),
)


def add_server_metrics(registry: Registry, server: Callable[[], Server | None]) -> None:
    """Add what is known of the server, once there is one."""

    def read(what: Callable[[Server], int]) -> int:
        found = server()
        return 0 if found is None else what(found)

    def closes() -> dict[tuple[str, ...], float]:
        found = server()
        return {} if found is None else {(code,): count for code, count in found.traffic.closes.items()}

    sockets, unsent = (lambda found: found.socket_count), (lambda found: found.unsent_bytes)
    registry.add(Gauge("durabase_server_sockets", "Open WebSockets.", partial(read, sockets)))
    registry.add(
        Gauge("durabase_server_unsent_bytes", "Bytes that wait for WebSockets.", partial(read, unsent))
    )
    for name, help, what in _COUNTERS:
        registry.add(Gauge(f"durabase_server_{name}_total", help, partial(read, what), kind="counter"))
    closed = "WebSockets that are over, by close code."
    registry.add(Gauge("durabase_server_closes_total", closed, closes, ("code",), kind="counter"))
