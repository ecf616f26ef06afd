"""What a process is told, and how it talks with the one that started it."""

from __future__ import annotations

import asyncio
from socket import socketpair

import pytest

from durabase.cluster.member import Control, Lines, Place
from unit.server.live import until


def test_a_place_is_found_in_the_environment() -> None:
    place = Place(1, 3, "/somewhere", 4, 5, [6, 7])
    assert Place.found(place.environment()) == place
    assert Place.found({}) is None
    assert (place.partition.index, place.partition.count) == (1, 3)
    assert place.descriptors == [4, 5, 6, 7]


@pytest.mark.parametrize("last", ["finish", "retire"])
def test_a_member_says_when_it_is_ready_and_waits_until_all_have_drained(last: str) -> None:
    async def main() -> None:
        ours, theirs = socketpair()
        heard: list[str] = []
        lines = Lines(heard.append, lambda: heard.append("(gone)"))
        await lines.connect(ours, asyncio.get_running_loop())
        stops: list[str] = []
        control = Control(lambda: stops.append("stop"))
        await control.connect(Place(0, 2, "", 0, theirs.detach(), []))
        control.ready()
        await until(lambda: heard == ["ready"])
        lines.say("stop")
        await until(lambda: stops == ["stop"])
        waiting = asyncio.create_task(control.drained())
        await until(lambda: heard == ["ready", "drained"])
        assert not waiting.done()
        lines.say(last)
        await waiting
        assert control.is_replaced == (last == "retire")
        control.close()
        await until(lambda: heard[2:] == ["(gone)"])
        lines.say("to nobody")
        lines.close()

    asyncio.run(main())


def test_a_member_stops_when_nobody_looks_after_it_any_more() -> None:
    async def main() -> None:
        ours, theirs = socketpair()
        stopped = asyncio.Event()
        control = Control(stopped.set)
        await control.connect(Place(0, 2, "", 0, theirs.detach(), []))
        ours.close()
        await stopped.wait()
        await control.drained()
        control.close()

    asyncio.run(main())
