"""One point of a curve, in a process of its own: what a unit costs at a size, as one line of JSON.

``python curves.py cells 100000`` or ``python curves.py listeners 100``.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable

from peak import peak_kib

from durabase import HybridClock, MergeableStore, Store

REPEATS = 2_000
clock = HybridClock("bench")


def cost(action: Callable[[int], object], repeats: int = REPEATS) -> float:
    """µs of processor time that one call takes, the best of three rounds."""
    best = float("inf")
    for attempt in range(3):
        start = time.process_time()
        for index in range(repeats):
            action(attempt * repeats + index)
        best = min(best, time.process_time() - start)
    return best / repeats * 1e6


def cells(size: int) -> dict[str, float]:
    """A store with so many cells: what one more write, or merge, costs."""
    rows = max(1, size // 10)
    table = {f"r{row}": {f"c{cell}": row * cell for cell in range(min(size, 10))} for row in range(rows)}
    before = peak_kib()
    start = time.process_time()
    store = MergeableStore("s1").set_table("t", table)
    store.get_mergeable_content_hashes()
    built = time.process_time() - start
    memory = peak_kib() - before
    merges = [
        [[{"t": [{f"r{index % rows}": [{"c0": [index, clock.next()]}]}]}], [{}], 1]
        for index in range(REPEATS * 3)
    ]
    return {
        "set_cell, µs": cost(lambda index: store.set_cell("t", f"r{index % rows}", "c0", -1 - index)),
        "merge a cell, µs": cost(lambda index: store.apply_mergeable_changes(merges[index])),
        "fill and hash, µs a cell": built / size * 1e6,
        **({"memory, KiB a 1,000 cells": memory / size * 1000} if size >= 10_000 else {}),
    }


def listeners(size: int) -> dict[str, float]:
    """So many listeners: all of them elsewhere but one, and all of them called."""
    apart, together = Store(), Store()
    for number in range(size):
        apart.add_cell_listener("t", f"r{number}", "c", lambda *_: None)
        together.add_cell_listener("t", "r", "c", lambda *_: None)
    rounds = max(3, 20_000 // size)
    all_called = cost(lambda index: together.set_cell("t", "r", "c", index), min(REPEATS, rounds))
    return {
        "set_cell, one of them called, µs": cost(lambda index: apart.set_cell("t", "r0", "c", index)),
        "set_cell, all called, µs a listener": all_called / size,
    }


if __name__ == "__main__":
    print(json.dumps({"cells": cells, "listeners": listeners}[sys.argv[1]](int(sys.argv[2]))))
