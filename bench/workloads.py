"""What is measured. Each workload is a function from a kind of server to its figures.

All servers do the same work in a workload: the same messages come from the same clients in the same
order, and each delivery is checked by the receiver. A change that is acknowledged (``durable``) was
answered by the server's own client after it; what that promises differs, see docs/performance.md.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Final, get_args

from load import Result, flooding, holding_clients, node_client, pouring, run_load
from payloads import VALUE_DIFF, preload_frames
from process import ServerProcess, cpu_seconds, other_cpu
from servers import Protocol, Spec

__all__ = ["WORKLOADS", "Effort", "Workload"]


@dataclass(frozen=True)
class Effort:
    """How long and how carefully to measure."""

    seconds: float
    quiet_wait: float
    noise: float = 0.25
    retries: int = 1
    joins: int = 9
    share: float = 1.0
    """How much of the library's work is done, and up to which share of its largest size a curve goes."""
    warmup: float = 1.0
    """Seconds of load before what is measured."""
    patience: float = 1.0
    """What the waits for servers to let go of memory, or to fall asleep, are multiplied with."""


@dataclass(frozen=True)
class Workload:
    """One table of the report.

    Attributes:
        title: its heading.
        figures: what is shown: key of the result, heading, whether more is better.
        measure: gives the figures of one server.
        stored_only: whether only servers that keep the store can do it.
        protocols: what servers can speak to be measured; more than TinyBase's where all it takes are
            changes that are delivered to others, or clients that are silent.
    """

    title: str
    figures: tuple[tuple[str, str, bool], ...]
    measure: Callable[[Spec, Effort], Result]
    stored_only: bool = False
    protocols: tuple[Protocol, ...] = ("tinybase",)

    def suits(self, spec: Spec) -> bool:
        """Whether a server can be measured."""
        return spec.protocol in self.protocols and (spec.keeps or not self.stored_only)


def quiet(effort: Effort, measure: Callable[[], Result]) -> Result:
    """Measure on a quiet machine if it gets quiet; the least disturbed of several tries otherwise."""
    results = []
    for _ in range(effort.retries + 1):
        end = time.monotonic() + effort.quiet_wait
        while time.monotonic() < end and other_cpu() > effort.noise:
            pass
        result = measure()
        results.append(result)
        if "error" in result or result["other_cpu"] <= effort.noise:
            return result
    return min(results, key=lambda result: float(result.get("other_cpu", 99)))


def fan_out(clients: int, spec: Spec, effort: Effort) -> Result:
    options = ("--mode", "fanout", "--clients", clients, "--window", 32)
    return on_new_server(spec, effort, *options)


def many_rooms(spec: Spec, effort: Effort) -> Result:
    return on_new_server(spec, effort, "--mode", "pingpong", "--rooms", 200, "--clients", 2)


def on_new_server(spec: Spec, effort: Effort, *options: object) -> Result:
    times = ("--warmup", effort.warmup, "--settle", 1.5, "--secs", effort.seconds)

    def measure() -> Result:
        with ServerProcess(spec) as server:
            result = run_load(server, *options, *times)
        return result if result.get("deliveries") != 0 else {"error": "nothing was delivered"}

    return quiet(effort, measure)


def paced(spec: Spec, effort: Effort) -> Result:
    return on_new_server(spec, effort, "--mode", "fanout", "--clients", 2, "--window", 900, "--rate", 200)


def durable(clients: int, window: int, every: int, rows: int, spec: Spec, effort: Effort) -> Result:
    with ServerProcess(spec) as server:
        if rows:
            fill(server, rows)
        load = ("--mode", "stream", "--clients", clients, "--window", window, "--ack-every", every)
        times = ("--warmup", effort.warmup, "--settle", 3 if rows else 1.5, "--secs", effort.seconds)
        return quiet(effort, lambda: run_load(server, *load, *times))


def fill(server: ServerProcess, rows: int) -> None:
    """Put a store into the first room."""
    hello = ("--hello", preload_frames(rows, 4))
    run_load(server, "--mode", "fanout", "--clients", 1, *hello, "--window", 0, "--settle", 4, "--secs", 0.1)


def join(spec: Spec, effort: Effort) -> Result:
    with ServerProcess(spec) as server:
        keeper = ("--rooms", 1, "--clients", 1, "--respond", 0, "--settle", 5)
        with holding_clients(server, *keeper, "--hello", preload_frames(10_000, 4)):
            wanted = node_client("hash", server.url)
            before = cpu_seconds(server.pids())
            joins = node_client("join", server.url, wanted, effort.joins)
            used = cpu_seconds(server.pids()) - before
            answers = node_client("ask", server.url, effort.joins)
    if not all(each["ok"] for each in joins):
        return {"error": "not every client converged"}
    return {
        "first_ms": joins[0]["ms"],
        "median_ms": statistics.median(each["ms"] for each in joins),
        "limit_ms": statistics.median(each["limitMs"] for each in joins),
        "client_ms": statistics.median(each["clientCpuMs"] for each in joins),
        "server_cpu_ms": used * 1000 / len(joins),
        "answer_ms": statistics.median(each["ms"] for each in answers),
        "received_kib": statistics.median(each["bytes"] for each in joins) / 1024,
    }


def idle_memory(clients: int, rooms: int, spec: Spec, effort: Effort) -> Result:
    """More than with nobody there, after a first client has come and gone: its code is loaded by then."""
    with ServerProcess(spec) as server:
        with holding_clients(server, "--rooms", 1, "--clients", 1, "--settle", 1):
            pass
        empty = server.memory_kib()
        with holding_clients(server, "--rooms", rooms, "--clients", clients // rooms, "--settle", 3):
            now = server.memory_kib()
            time.sleep(14 * effort.patience)
            later = server.memory_kib()
    return {
        "client_kib": (now - empty) / clients,
        "client_later_kib": (later - empty) / clients,
        "empty_mib": empty / 1024,
    }


def stored_memory(rooms: int, rows: int, settle: int, spec: Spec, effort: Effort) -> Result:
    """More than with nobody there, after a first client with a store has come and gone."""
    first = ("--path", "/first#ROOMID#", "--hello", preload_frames(1, 4))
    hello = ("--hello", preload_frames(rows, 4))
    with ServerProcess(spec) as server:
        with holding_clients(server, "--rooms", 1, "--clients", 1, "--settle", 0.5, *first):
            pass
        empty = server.memory_kib()
        with holding_clients(server, "--rooms", rooms, "--clients", 1, "--settle", settle, *hello):
            now = server.memory_kib()
            time.sleep(14 * effort.patience)
            later = server.memory_kib()
    return {"room_kib": (now - empty) / rooms, "room_later_kib": (later - empty) / rooms}


def wake(count: int, rows: int, settle: int, spec: Spec, effort: Effort) -> Result:
    """The first answer of so many rooms of so many rows: warm, after 15 idle seconds, and from disk."""
    with ServerProcess(spec) as server:
        rooms = ("--rooms", count, "--clients", 1)
        hello = ("--hello", preload_frames(rows, 4), "--settle", settle)
        rounds = run_load(
            server,
            "--mode",
            "probe",
            *rooms,
            *hello,
            "--rounds",
            f"0,0,{15 * effort.patience:g}",
            ask=VALUE_DIFF,
        )
        if "error" in rounds:
            return rounds
        time.sleep(13 * effort.patience)
        cold = run_load(server, "--mode", "cold", *rooms, ask=VALUE_DIFF)
    warm, idle = rounds["rounds"][1], rounds["rounds"][2]
    lost = warm["lost"] + idle["lost"] + cold.get("lost", 0)
    if lost or "error" in cold:
        return {"error": cold.get("error", f"{lost} questions were not answered")}
    return {
        "warm_ms": warm["p50_ms"],
        "idle_ms": idle["p50_ms"],
        "idle_p99_ms": idle["p99_ms"],
        "cold_ms": cold["p50_ms"],
        "cold_p99_ms": cold["p99_ms"],
    }


def quiet_beside_large(spec: Spec, effort: Effort) -> Result:
    """What a room with 50 changes a second notices of a message with 450,000 cells for another."""
    pace = ("--mode", "fanout", "--clients", 2, "--window", 900, "--rate", 50, "--path", "/quiet#ROOMID#")
    times = ("--warmup", 0.5, "--settle", 1.5, "--secs", 4 * effort.seconds)
    with ServerProcess(spec) as server, pouring(server, 450_000, after=3):
        result = run_load(server, *pace, *times)
    if "error" in result:
        return result
    figures = {f"{key}_us": result[f"{key}_us"] for key in ("max", "p99", "p50")}
    return {"delivered": result["done"] / result["sent"] * 100, **figures}


def quiet_beside_flood(spec: Spec, effort: Effort) -> Result:
    """What a room with 50 changes a second notices of one that is saturated."""
    pace = ("--mode", "fanout", "--clients", 2, "--window", 900, "--rate", 50, "--path", "/quiet#ROOMID#")
    times = ("--warmup", 0.5, "--settle", 1.5, "--secs", effort.seconds)
    with ServerProcess(spec) as server:
        alone = run_load(server, *pace, *times)
        with flooding(server, effort.seconds + 6):
            beside = run_load(server, *pace, *times)
    for result in (alone, beside):
        if "error" in result:
            return result
    return {
        "beside_p99_us": beside["p99_us"],
        "beside_p50_us": beside["p50_us"],
        "alone_p99_us": alone["p99_us"],
        "alone_p50_us": alone["p50_us"],
    }


_EVERY_PROTOCOL: Final[tuple[Protocol, ...]] = get_args(Protocol)
_FAN_OUT = (
    ("deliveries_s", "deliveries/s", True),
    ("us_per_delivery", "µs CPU each", False),
    ("p50_us", "p50 µs", False),
    ("p99_us", "p99 µs", False),
)
_DURABLE = (("done_s", "changes/s", True), ("us_per_done", "µs CPU each", False), ("p50_us", "p50 µs", False))
_WAKE = (
    ("idle_ms", "after 15 s idle, ms", False),
    ("idle_p99_ms", "p99", False),
    ("cold_ms", "connecting, from disk, ms", False),
    ("cold_p99_ms", "p99", False),
    ("warm_ms", "warm, ms", False),
)


WORKLOADS: dict[str, Workload] = {
    **{
        f"fanout-{clients}": Workload(
            f"Relay, one room, {clients} clients, saturated",
            _FAN_OUT,
            partial(fan_out, clients),
            protocols=_EVERY_PROTOCOL,
        )
        for clients in (2, 10, 100)
    },
    "rooms": Workload(
        "200 rooms of 2 clients, one change in flight each",
        _FAN_OUT,
        many_rooms,
        protocols=_EVERY_PROTOCOL,
    ),
    "paced": Workload(
        "One room, 2 clients, 200 changes/s",
        (("p50_us", "p50 µs", False), ("p99_us", "p99 µs", False), ("us_per_delivery", "µs CPU each", False)),
        paced,
        protocols=_EVERY_PROTOCOL,
    ),
    "quiet": Workload(
        "A quiet room, 50 changes/s, beside one that is flooded",
        (
            ("beside_p99_us", "p99 µs", False),
            ("beside_p50_us", "p50 µs", False),
            ("alone_p99_us", "p99 µs without the flood", False),
            ("alone_p50_us", "p50 µs without", False),
        ),
        quiet_beside_flood,
    ),
    "quiet-large": Workload(
        "A quiet room, 50 changes/s, beside one message of 450,000 cells (14 MiB)",
        (
            ("delivered", "% delivered in time", True),
            ("max_us", "longest µs", False),
            ("p99_us", "p99 µs", False),
            ("p50_us", "p50 µs", False),
        ),
        quiet_beside_large,
        stored_only=True,
    ),
    "durable": Workload(
        "Acknowledged changes, 1 client", _DURABLE, partial(durable, 1, 4, 16, 0), stored_only=True
    ),
    "durable-10000": Workload(
        "Acknowledged changes, 1 client, a store of 10,000 rows × 4 cells",
        _DURABLE,
        partial(durable, 1, 4, 16, 10_000),
        stored_only=True,
    ),
    "durable-50": Workload(
        "Acknowledged changes, 50 clients (each change also goes to 49 others)",
        _DURABLE,
        partial(durable, 50, 2, 8, 0),
        stored_only=True,
    ),
    "join": Workload(
        "Joining a store of 10,000 rows × 4 cells, a real TinyBase client",
        (
            ("median_ms", "converged, ms", False),
            ("limit_ms", "with the answers at hand, ms", False),
            ("client_ms", "the client's CPU, ms", False),
            ("first_ms", "first join, ms", False),
            ("server_cpu_ms", "server CPU a join, ms", False),
            ("answer_ms", "server's answer to “everything”, ms", False),
            ("received_kib", "received by the client, KiB", False),
        ),
        join,
        stored_only=True,
    ),
    "idle": Workload(
        "Memory of 1,000 idle clients in 100 rooms",
        (
            ("client_kib", "KiB a client", False),
            ("client_later_kib", "KiB a client, 14 s later", False),
            ("empty_mib", "empty server, MiB", False),
        ),
        partial(idle_memory, 1000, 100),
        protocols=_EVERY_PROTOCOL,
    ),
    "sleeping": Workload(
        "Memory of 16,000 clients in one room that sleeps",
        (
            ("client_kib", "KiB a client", False),
            ("client_later_kib", "KiB a client, 14 s later, asleep", False),
            ("empty_mib", "empty server, MiB", False),
        ),
        partial(idle_memory, 16_000, 1),
    ),
    "stored-memory": Workload(
        "Memory of 200 rooms of 1,000 rows × 4 cells with an idle client each",
        (("room_kib", "KiB a room", False), ("room_later_kib", "KiB a room, 14 s later", False)),
        partial(stored_memory, 200, 1000, 10),
        stored_only=True,
    ),
    "stored-memory-10000": Workload(
        "Memory of one store of 10,000 rows × 4 cells with an idle client",
        (("room_kib", "KiB", False), ("room_later_kib", "KiB, 14 s later", False)),
        partial(stored_memory, 1, 10_000, 3),
        stored_only=True,
    ),
    "wake": Workload(
        "First answer of a room of 1,000 rows × 4 cells",
        _WAKE,
        partial(wake, 20, 1_000, 5),
        stored_only=True,
    ),
    "wake-10000": Workload(
        "First answer of a room of 10,000 rows × 4 cells",
        _WAKE,
        partial(wake, 5, 10_000, 12),
        stored_only=True,
    ),
}
