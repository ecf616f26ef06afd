"""New, empty stores of durabase join one after the other until they have what the server has.

``python join.py URL HASH TIMES``, of which the last line is JSON. ``join.mjs`` does the same with TinyBase.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time

from durabase.mergeable import MergeableStore
from durabase.synchronizers import WsSynchronizer


async def join(url: str, wanted: int) -> dict[str, float | bool]:
    """How long it took until the store had the tables with this hash."""
    store = MergeableStore()
    converged = asyncio.Event()

    def look(_: MergeableStore) -> None:
        if store.get_mergeable_content_hashes()[0] == wanted:
            converged.set()

    store.add_did_finish_transaction_listener(look)
    cpu, start = time.process_time(), time.perf_counter()
    async with WsSynchronizer.connect(store, url) as synchronizer:
        starting = asyncio.ensure_future(synchronizer.start_sync())
        await asyncio.wait_for(converged.wait(), 15)
        ms, cpu_ms = (time.perf_counter() - start) * 1000, (time.process_time() - cpu) * 1000
        await starting
    await asyncio.sleep(0.1)
    return {"ms": ms, "clientCpuMs": cpu_ms}


async def main(url: str, wanted: int, times: int) -> None:
    print(json.dumps([await join(url, wanted) for _ in range(times)]))


asyncio.run(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))
