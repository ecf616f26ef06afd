"""One process of the library's benchmark: each operation's processor time, in µs a unit, as one line of JSON.

Run by `bench/run.py`; `library.mjs` does the same with TinyBase in V8. Each figure is the mean of several
tries after some to warm up, for both: what one leaves behind is collected in another, and counts, too.
``python library.py 0.1`` does a tenth of the work.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from typing import Any

from durabase import HybridClock, MergeableStore, Store, get_hash

SCALE = float(sys.argv[1]) if len(sys.argv) > 1 else 1.0
WARMING, TRIES = (3, 10) if SCALE == 1 else (1, 2)
SMALL = max(20, int(5_000 * SCALE))
LARGE_ROWS = max(10, int(10_000 * SCALE))

clock = HybridClock("s2")
figures: dict[str, float] = {}


def measure(name: str, units: int, action: Callable[[], object]) -> None:
    """Note how long a unit takes."""
    for _ in range(WARMING):
        action()
    start = time.process_time()
    for _ in range(TRIES):
        action()
    figures[name] = (time.process_time() - start) / TRIES / units * 1e6


def one_cell(index: int) -> list[Any]:
    cell = {f"c{index % 4}": [index, clock.next()]}
    return [[{"pets": [{f"r{index % 100}": [cell]}]}], [{}], 1]


def table_of(rows: int) -> list[Any]:
    table = {f"r{row}": [{f"c{c}": [row * c, clock.next()] for c in range(10)}] for row in range(rows)}
    return [[{"t": [table]}], [{}], 1]


def merge_all(changes: list[Any]) -> None:
    store = MergeableStore("s1")
    for change in changes:
        store.apply_mergeable_changes(change)


def parse_and_merge_all(texts: list[str]) -> None:
    store = MergeableStore("s1")
    for text in texts:
        store.apply_mergeable_changes(json.loads(text))


ids = [(f"r{index % 100}", f"c{index % 4}", index) for index in range(SMALL)]


def set_cells(store: Store) -> None:
    for row_id, cell_id, cell in ids:
        store.set_cell("pets", row_id, cell_id, cell)


def set_cells_at_once(store: Store) -> None:
    with store.transaction():
        set_cells(store)


def set_cells_heard() -> None:
    store = Store()
    for row in range(100):
        store.add_cell_listener("pets", f"r{row}", None, lambda *_: None)
    set_cells(store)


def hash_all(text: str) -> None:
    for _ in range(SMALL):
        get_hash(text)


changes = [one_cell(index) for index in range(SMALL)]
texts = [json.dumps(change) for change in changes]
measure("merge a change of one cell", SMALL, lambda: merge_all(changes))
measure("parse and merge a change of one cell", SMALL, lambda: parse_and_merge_all(texts))
measure("set_cell, mergeable", SMALL, lambda: set_cells(MergeableStore("s1")))
measure("set_cell, mergeable, many a transaction", SMALL, lambda: set_cells_at_once(MergeableStore("s1")))
measure("set_cell, plain", SMALL, lambda: set_cells(Store()))
measure("set_cell, plain, many a transaction", SMALL, lambda: set_cells_at_once(Store()))
measure("set_cell with a listener called", SMALL, set_cells_heard)
measure("hash of 35 bytes", SMALL, lambda: hash_all("abcdefghijklmnopqrstuvwxyz012345678"))

middle, large = table_of(LARGE_ROWS // 10), table_of(LARGE_ROWS)
cells = LARGE_ROWS * 10
measure(
    "merge 10,000 cells, a cell", cells // 10, lambda: MergeableStore("s1").apply_mergeable_changes(middle)
)
full = MergeableStore("s1")
full.apply_mergeable_changes(large).get_mergeable_content_hashes()
measure("content of 100,000 cells with stamps, a cell", cells, full.get_mergeable_content)
measure("tables of 100,000 cells, a cell", cells, full.get_tables)
measure("JSON of 100,000 cells, a cell", cells, full.get_json)
text = full.get_json()
measure("from JSON of 100,000 cells, a cell", cells, lambda: Store().set_json(text))
content = full.get_mergeable_content()
measure(
    "cold load of 100,000 cells with stamps, a cell",
    cells,
    lambda: MergeableStore("s3").set_mergeable_content(content),
)
print(json.dumps(figures))
