"""Targets that were given away: how many stubs there are of each, and who runs it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from contextvars import ContextVar
from typing import Any

import pytest

from durabase.durable_objects import RpcTarget
from durabase.durable_objects.events import Call, Read, Served
from durabase.durable_objects.gates import Section, current_section
from durabase.durable_objects.rpc_target import Grant, ProgramGiver

WHERE: ContextVar[str] = ContextVar("WHERE", default="nowhere")


class Target(RpcTarget):
    kind = "target"

    def add(self, *numbers: int) -> int:
        return sum(numbers)

    async def where(self) -> str:
        await asyncio.sleep(0)
        return WHERE.get()

    def fail(self) -> None:
        raise ValueError("inside")


class Giver:
    """Notes what it is told; calls are made when they are awaited."""

    def __init__(self) -> None:
        self.log: list[Any] = []

    async def serve(self, event: Served, section: Section | None) -> Any:
        self.log.append((event.name, section))
        return event.check(event.call())

    def lend(self, grant: Grant) -> None:
        self.log.append("lend")

    def take_back(self, grant: Grant) -> None:
        self.log.append("take back")


def as_it_is(value: Any) -> Any:
    return value


def test_the_giver_is_told_of_the_first_stub_and_of_the_last() -> None:
    giver = Giver()
    grant = Grant(Target(), giver, as_it_is)
    grant.take()
    grant.take()
    assert giver.log == ["lend"]
    grant.give_back()
    assert giver.log == ["lend"]
    grant.give_back()
    assert giver.log == ["lend", "take back"]
    assert grant._target is None


def test_calls_and_properties_are_served_by_the_giver_and_checked() -> None:
    async def main() -> None:
        giver = Giver()
        grant = Grant(Target(), giver, lambda value: [value])
        assert await grant.serve(Call("add", (1, 2), {})) == [3]
        assert await grant.serve(Read("kind")) == ["target"]
        assert giver.log == [("add", None), ("kind", None)]

    asyncio.run(main())


def test_calls_are_part_of_the_section_in_which_it_was_given_away() -> None:
    async def main() -> None:
        giver, section = Giver(), object()
        other = Grant(lambda: current_section.get(), giver, as_it_is)
        token = current_section.set(section)  # type: ignore[arg-type]
        grant = Grant(lambda: current_section.get(), giver, as_it_is)
        current_section.reset(token)
        assert await grant.serve(Call("", (), {})) is section
        assert giver.log == [("", section)]
        assert await other.serve(Call("", (), {})) is None

    asyncio.run(main())


def test_when_the_giver_is_no_more_nothing_is_called() -> None:
    async def main() -> None:
        grant = Grant(Target(), Giver(), as_it_is)
        grant.forget()
        with pytest.raises(TypeError):
            await grant.serve(Call("add", (1,), {}))

    asyncio.run(main())


class TestPrograms:
    def served(self, giver: ProgramGiver, name: str, check: Any = as_it_is) -> Awaitable[Any]:
        return Grant(Target(), giver, check).serve(Call(name, (), {}))

    def test_targets_run_in_the_context_in_which_they_were_given_away(self) -> None:
        async def main() -> None:
            WHERE.set("where it was given")
            giver = ProgramGiver()
            WHERE.set("where it is called")
            assert await self.served(giver, "where") == "where it was given"
            assert await self.served(giver, "add") == 0
            assert WHERE.get() == "where it is called"

        asyncio.run(main())

    def test_errors_are_marked_as_those_of_somebody_else(self) -> None:
        def refuse(value: Any) -> Any:
            raise TypeError("it can't leave")

        async def main() -> None:
            with pytest.raises(ValueError, match="inside") as caught:
                await self.served(ProgramGiver(), "fail")
            assert caught.value.remote  # type: ignore[attr-defined]
            with pytest.raises(TypeError, match="it can't leave"):
                await self.served(ProgramGiver(), "add", refuse)

        asyncio.run(main())
