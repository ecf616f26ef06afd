"""Results that are there: awaited, dropped, gathered."""

from __future__ import annotations

import asyncio
import inspect

import pytest

from durabase.durable_objects.storage.done import DONE, Done


def test_awaiting_does_not_visit_the_loop() -> None:
    async def main() -> list[str]:
        told: list[str] = []
        asyncio.get_running_loop().call_soon(lambda: told.append("the loop"))
        done = Done("result")
        assert await done == "result"
        assert await done == "result"
        return list(told)

    assert asyncio.run(main()) == []


def test_it_may_be_a_task_gathered_and_waited_for() -> None:
    async def main() -> None:
        assert await asyncio.create_task(Done(1)) == 1
        assert await asyncio.gather(Done(1), Done(2), DONE) == [1, 2, None]
        assert await asyncio.wait_for(Done(3), 1) == 3
        assert inspect.isawaitable(DONE)

    asyncio.run(main())


def test_driven_by_hand_it_ends_at_once() -> None:
    with pytest.raises(StopIteration) as caught:
        Done("result").send(None)
    assert caught.value.value == "result"
    with pytest.raises(KeyError, match="thrown"):
        Done(1).throw(KeyError("thrown"))
    with pytest.raises(ValueError, match="value"):
        Done(1).throw(ValueError, ValueError("value"))
    Done(1).close()


@pytest.mark.filterwarnings("error")
def test_it_may_be_dropped() -> None:
    Done(1)
