"""Records for whoever follows."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from durabase.operations.filters import RecordFilter
from durabase.operations.tail import MAX_WAITING, Tail

ALL = RecordFilter()


def record(number: int) -> dict[str, Any]:
    return {"type": "log", "message": str(number)}


@pytest.mark.feature("S-OB-2")
def test_followers_get_what_they_want_until_the_end() -> None:
    async def main() -> None:
        changes: list[bool] = []
        tail = Tail(changes.append)
        tail.publish(record(0))
        every, ones = (asyncio.create_task(_read(tail, wanted)) for wanted in (ALL, RecordFilter(search="1")))
        await asyncio.sleep(0)
        assert tail.is_followed
        for number in (1, 2):
            tail.publish(record(number))
        tail.close()
        assert await every == [record(1), record(2)]
        assert await ones == [record(1)]
        assert not tail.is_followed
        assert changes == [True, False]

    asyncio.run(main())


def test_who_does_not_read_misses_records_and_is_told_how_many() -> None:
    async def main() -> None:
        tail = Tail()
        following = tail.follow(ALL)
        first = asyncio.ensure_future(anext(following))
        await asyncio.sleep(0)
        for number in range(MAX_WAITING + 3):
            tail.publish(record(number))
        assert await first == record(0)
        assert await anext(following) == {"type": "missed", "count": 3}
        assert await anext(following) == record(1)
        await following.aclose()
        assert not tail.is_followed

    asyncio.run(main())


def test_records_of_threads_reach_followers() -> None:
    async def main() -> None:
        tail = Tail()
        following = asyncio.create_task(_read(tail, ALL))
        await asyncio.sleep(0)
        await asyncio.to_thread(tail.publish, record(1))
        await asyncio.sleep(0)
        tail.close()
        assert await following == [record(1)]

    asyncio.run(main())


def test_a_sink_can_be_taken_away_again() -> None:
    tail, seen = Tail(), []  # type: ignore[var-annotated]
    tail.add(seen.append, ALL)
    tail.publish(record(1))
    tail.remove(seen.append)
    tail.publish(record(2))
    assert seen == [record(1)]


async def _read(tail: Tail, wanted: RecordFilter) -> list[dict[str, Any]]:
    return [each async for each in tail.follow(wanted)]
