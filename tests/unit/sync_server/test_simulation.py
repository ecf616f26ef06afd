"""Clients that come and go, an object that sleeps and wakes: in the end everybody has everything."""

from __future__ import annotations

import asyncio

import pytest

from unit.sync_server._world import World


async def simulate(seed: int) -> None:
    world = World(seed)
    await world.start()
    for _ in range(60):
        await world.step()
    await world.come_to_rest()
    contents = [client.store.get_mergeable_content() for client in world.clients]
    assert contents[0] == contents[1] == contents[2] == world.store.get_mergeable_content()
    before = world.store.get_mergeable_content()
    await world.sockets.construct(world.room)
    assert world.store.get_mergeable_content() == before


@pytest.mark.parametrize("seed", range(15))
def test_in_the_end_everybody_has_everything(seed: int) -> None:
    asyncio.run(asyncio.wait_for(simulate(seed), 20))
