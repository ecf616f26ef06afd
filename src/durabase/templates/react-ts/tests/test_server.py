"""Run by ``pytest``. The fixture ``durabase`` is the worker, with empty storage for each test."""

import asyncio

from durabase import MergeableStore
from durabase.synchronizers import WsSynchronizer


def browser(port, store, room):
    """Keep a store in step with a room, as a browser does."""
    return WsSynchronizer.connect(store, f"{port.url.replace('http', 'ws')}/{room}")


def heard_of_felix(store):
    """Return an event that is set when the store has a cat of that name."""
    event = asyncio.Event()
    store.add_row_listener("pets", "felix", lambda *_: event.set())
    return event


async def test_stores_in_a_room_are_in_step_and_the_room_remembers(durabase):
    here, there, later = MergeableStore(), MergeableStore(), MergeableStore()
    async with durabase.serve() as port, asyncio.timeout(30):
        async with browser(port, here, "a") as one, browser(port, there, "a") as two:
            await asyncio.gather(one.start_sync(), two.start_sync())
            heard = heard_of_felix(there)
            here.set_row("pets", "felix", {"species": "cat"})
            await heard.wait()
        await durabase.evict_all(web_sockets="close")
        heard = heard_of_felix(later)
        async with browser(port, later, "a") as three:
            await three.start_sync()
            await heard.wait()
    assert here.get_tables() == there.get_tables() == later.get_tables()
