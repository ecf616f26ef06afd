"""What is measured beside servers: the library against TinyBase in V8, and the cost of a unit as sizes grow.

A study is a function from an effort to rows. Every figure comes from a process of its own.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial

from load import Result, run_load
from process import ServerProcess
from servers import COMPILED, HERE, SERVERS
from workloads import Effort

__all__ = ["CURVES", "LIBRARY", "Curve", "library_runtimes", "measure_curve", "measure_library", "median_of"]

LIBRARY = "library"
_V8 = "TinyBase in V8"


def library_runtimes() -> dict[str, list[str]]:
    """The commands that measure the library, by the name of who does the work."""
    ours = str(HERE / "inside" / "library.py")
    return {
        _V8: ["node", str(HERE / "inside" / "library.mjs")],
        "durabase, not compiled": [sys.executable, ours],
        "durabase, compiled": [str(COMPILED), ours],
    }


def measure_library(effort: Effort) -> Iterator[tuple[str, Result]]:
    """Every runtime's µs for each operation; they take turns."""
    for runtime, command in library_runtimes().items():
        yield runtime, _json_of([*command, f"{effort.share:g}"])


@dataclass(frozen=True)
class Curve:
    """What a unit costs at growing sizes.

    Attributes:
        title: the heading.
        size: what grows.
        sizes: how large.
        measure: gives named costs at a size.
    """

    title: str
    size: str
    sizes: tuple[int, ...]
    measure: Callable[[int, Effort], Result]


def measure_curve(curve: Curve, effort: Effort) -> Iterator[tuple[int, Result]]:
    """The costs at each size; at less effort the largest sizes are left out."""
    for size in curve.sizes:
        if size <= max(100, curve.sizes[-1] * effort.share):
            yield size, curve.measure(size, effort)


def _clients(size: int, effort: Effort) -> Result:
    with ServerProcess(SERVERS["durabase-relay"]) as server:
        times = ("--warmup", effort.warmup, "--settle", 2, "--secs", effort.seconds)
        options = ("--mode", "fanout", "--clients", size, "--senders", 1, "--window", 32)
        result = run_load(server, *options, *times)
    return result if "error" in result else {"µs CPU a delivery": result["us_per_delivery"]}


def _rooms(kind: str, size: int, effort: Effort) -> Result:
    messages = max(1_000, int(20_000 * effort.share), 16 * size)  # one batch for each room at least
    return _inside("hot_path.py", kind, size, messages)


def _processes(size: int, effort: Effort) -> Result:
    """Rooms with a store, shared out among processes: many changes in flight in each, and one."""
    alone = SERVERS["durabase"]
    shared = replace(alone, parts=(*alone.parts, "--processes", str(size)))
    with ServerProcess(shared) as server:
        busy = _figures_of_many_rooms(server, effort, "--mode", "fanout", "--window", 16)
        slow = _figures_of_many_rooms(server, effort, "--mode", "pingpong")
    for result in (busy, slow):
        if "error" in result:
            return result
    return {
        **{f"{name}, 16 in flight": value for name, value in busy.items()},
        **{f"{name}, 1 in flight": value for name, value in slow.items()},
    }


def _figures_of_many_rooms(server: ServerProcess, effort: Effort, *load: object) -> Result:
    times = ("--warmup", effort.warmup, "--settle", 2, "--secs", effort.seconds)
    result = run_load(server, "--rooms", 200, "--clients", 2, *load, *times)
    if "error" in result:
        return result
    used = result["server_cpu"] + result["load_cpu"] + result["other_cpu"]
    return {
        "µs a message": 1e6 / result["deliveries_s"],
        "µs CPU a message": result["us_per_delivery"],
        "µs CPU a message, of the clients": result["load_cpu"] * 1e6 / result["deliveries_s"],
        "cores that others used": result["other_cpu"],
        "cores that nobody used": (os.cpu_count() or 1) - used,  # if there are any, somebody waits
    }


def _inside(script: str, *arguments: object) -> Result:
    return _json_of([str(COMPILED), str(HERE / "inside" / script), *map(str, arguments)])


def _json_of(command: list[str]) -> Result:
    done = subprocess.run(command, capture_output=True, text=True, timeout=900, cwd=HERE)
    if done.returncode:
        raise RuntimeError(done.stderr[-500:])
    result: Result = json.loads(done.stdout.splitlines()[-1])
    return result


CURVES: dict[str, Curve] = {
    "curve-clients": Curve(
        "Clients in a room, one of them sending", "clients", (2, 10, 100, 300, 1000), _clients
    ),
    "curve-rooms": Curve(
        "Rooms of two clients, relay, in process",
        "rooms",
        (1, 10, 100, 1_000, 10_000, 100_000),
        partial(_rooms, "relay"),
    ),
    "curve-stores": Curve(
        "Rooms of two clients with a store, in process",
        "rooms",
        (1, 10, 100, 1_000, 10_000),
        partial(_rooms, "stored"),
    ),
    "curve-processes": Curve(
        "Processes that share 200 rooms of two clients with a store", "processes", (1, 2), _processes
    ),
    "curve-cells": Curve(
        "Cells in a store",
        "cells",
        (1, 10, 100, 1_000, 10_000, 100_000, 1_000_000),
        lambda size, _: _inside("curves.py", "cells", size),
    ),
    "curve-listeners": Curve(
        "Listeners of a store",
        "listeners",
        (10, 100, 1_000, 10_000),
        lambda size, _: _inside("curves.py", "listeners", size),
    ),
}


def median_of(results: list[Result], figure: str) -> float | None:
    """The median of a figure over those that have it."""
    values = [float(result[figure]) for result in results if figure in result]
    return statistics.median(values) if values else None
