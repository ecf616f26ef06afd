"""What is served, from its start to its stop, each in the same task."""

from __future__ import annotations

import asyncio
import gc
import weakref
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from durabase.asgi.life import Life, Served, Settings
from durabase.errors import ServerError
from durabase.server import ServerLimits
from durabase.sync_server import OpeningRoom
from durabase.testing import FakeClock
from durabase.types import Id
from durabase.web import Request, Response

SETTINGS = Settings(FakeClock(), ServerLimits(), (1001, "bye"), 0.0)


class Place:
    """Something to serve: remembers that it was opened and closed, and by which tasks; either may fail."""

    def __init__(self, *, opening: Exception | None = None, closing: Exception | None = None) -> None:
        self.told: list[str] = []
        self.tasks: set[asyncio.Task[None] | None] = set()
        self._opening = opening
        self._closing = closing
        self.may_open = asyncio.Event()
        self.may_open.set()

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Served]:
        await self.may_open.wait()
        self.tasks.add(asyncio.current_task())
        if self._opening is not None:
            raise self._opening
        self.told.append("opened")
        try:
            yield Served(self.fetch, self.room)
        finally:
            self.tasks.add(asyncio.current_task())
            self.told.append("closed")
            if self._closing is not None:
                raise self._closing

    async def fetch(self, request: Request) -> Response:
        return Response("served")

    def room(self, path_id: Id, binding: str | None) -> OpeningRoom:
        raise LookupError(f"{path_id} {binding}")


def run(scenario: Callable[[], Awaitable[None]]) -> None:
    async def main() -> None:
        async with asyncio.timeout(10):
            await scenario()

    asyncio.run(main())


def test_it_is_open_from_its_start_until_it_is_stopped() -> None:
    async def scenario() -> None:
        place = Place()
        life = Life(place.open, SETTINGS)
        assert (life.loop, life.is_over, life.is_stopping) == (asyncio.get_running_loop(), False, False)
        context = await life.started()
        assert await life.started() is context
        assert await (await context.fetch(Request("http://h/"))).text() == "served"
        await life.stop()
        await life.stop()
        assert place.told == ["opened", "closed"]
        assert (life.is_over, life.is_stopping) == (True, True)
        assert len(place.tasks) == 1
        assert asyncio.current_task() not in place.tasks

    run(scenario)


def test_who_waits_for_the_start_and_gives_up_does_not_end_it() -> None:
    async def scenario() -> None:
        place = Place()
        place.may_open.clear()
        life = Life(place.open, SETTINGS)
        waiting = asyncio.create_task(life.started())
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        place.may_open.set()
        await life.started()
        await life.stop()
        assert place.told == ["opened", "closed"]

    run(scenario)


def test_what_keeps_it_from_opening_is_told_to_all_who_ask_and_not_again_at_the_end() -> None:
    async def scenario() -> None:
        life = Life(Place(opening=OSError("no")).open, SETTINGS)
        for _ in range(2):
            with pytest.raises(OSError, match="no"):
                await life.started()
        with pytest.raises(OSError, match="no"):
            await life.room("a", None)
        assert life.is_over
        await life.stop()

    run(scenario)


def test_what_goes_wrong_while_closing_is_told_to_who_stops_it() -> None:
    async def scenario() -> None:
        life = Life(Place(closing=OSError("stuck")).open, SETTINGS)
        await life.started()
        with pytest.raises(OSError, match="stuck"):
            await life.stop()
        assert life.is_over

    run(scenario)


def test_rooms_are_there_while_it_is_open() -> None:
    async def scenario() -> None:
        life = Life(Place().open, SETTINGS)
        with pytest.raises(LookupError, match="a/b ROOM"):
            await life.room("a/b", "ROOM")
        await life.stop()
        with pytest.raises(ServerError, match="the application has stopped; it has no rooms"):
            await life.room("a", None)

    run(scenario)


def test_requests_that_come_too_late_get_503() -> None:
    async def scenario() -> None:
        life = Life(Place().open, SETTINGS)
        await life.started()
        await life.stop()
        response = await life.refusing().fetch(Request("http://h/"))
        assert (response.status, await response.text()) == (503, "The server stops")

    run(scenario)


def test_it_is_closed_when_the_loop_ends_without_a_word() -> None:
    lives: list[Life] = []
    places: list[Place] = []

    async def scenario() -> None:
        places.append(Place())
        lives.append(Life(places[0].open, SETTINGS))
        await lives[0].started()

    run(scenario)
    assert places[0].told == ["opened", "closed"]
    assert lives[0].is_over
    assert not lives[0].is_stopping


def test_it_lasts_until_it_is_stopped_though_nobody_refers_to_it() -> None:
    told: list[str] = []

    @asynccontextmanager
    async def served() -> AsyncIterator[Served]:
        try:
            yield Served(Place().fetch, Place().room)
        finally:
            told.append("closed")

    async def scenario() -> None:
        await Life(served, SETTINGS).started()
        gc.collect()
        await asyncio.sleep(0)
        assert told == []

    run(scenario)
    assert told == ["closed"]


def test_one_whose_loop_was_closed_is_forgotten_when_another_begins() -> None:
    async def begin() -> weakref.ref[Life]:
        place = Place()
        place.may_open.clear()
        life = Life(place.open, SETTINGS)
        await asyncio.sleep(0)
        return weakref.ref(life)

    told: list[str] = []
    loop = asyncio.new_event_loop()
    loop.set_exception_handler(lambda _, context: told.append(context["message"]))
    life = loop.run_until_complete(begin())
    loop.close()
    gc.collect()
    assert life() is not None
    asyncio.run(begin())
    gc.collect()
    assert life() is None
    assert told == ["Task was destroyed but it is pending!"]
