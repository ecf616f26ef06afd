"""Checks of persisters: a good one passes all, and each flaw is caught by the check that is for it."""

from __future__ import annotations

import asyncio
import copy
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from durabase.persisters import CustomPersister, Persists
from durabase.testing import persister_checks as checks
from durabase.testing.persister_checks import PersisterSubject, check_persister
from durabase.types import UNDEFINED

Check = Callable[[PersisterSubject[Any]], Awaitable[None]]


class Memory:
    """A place that is a variable."""

    def __init__(self) -> None:
        self.content: Any = UNDEFINED

    def read(self) -> Any:
        return self.content

    def write(self, content: Any, changes: Any) -> None:
        self.content = copy.deepcopy(content)


def make(store: Any, place: Memory) -> CustomPersister:
    return CustomPersister(
        store,
        place.read,
        lambda get_content, changes: place.write(get_content(), changes),
        persists=Persists.STORE_OR_MERGEABLE_STORE,
    )


def replaced(content: Any, old: Any, new: Any) -> Any:
    """Content with another thing in all places of one."""
    if isinstance(content, dict):
        return {key: replaced(member, old, new) for key, member in content.items()}
    if isinstance(content, list | tuple):
        return [replaced(member, old, new) for member in content]
    return new if type(content) is type(old) and content == old else content


class ForgetsChanges(Memory):
    def write(self, content: Any, changes: Any) -> None:
        if changes is None:
            super().write(content, changes)


class ForgetsDeletions(Memory):
    def write(self, content: Any, changes: Any) -> None:
        if self.content is not UNDEFINED:
            tables, values = (dict(old) | new for old, new in zip(self.content, content, strict=True))
            content = [tables, values]
        super().write(content, changes)


class NeverEmpty(Memory):
    def read(self) -> Any:
        return [{}, {}] if self.content is UNDEFINED else self.content


class MixesUpTruth(Memory):
    def write(self, content: Any, changes: Any) -> None:
        super().write(replaced(content, True, 1), changes)


class KeepsTheFirst(Memory):
    def write(self, content: Any, changes: Any) -> None:
        if self.content in (UNDEFINED, [{}, {}]):
            super().write(content, changes)


class Grows(Memory):
    def write(self, content: Any, changes: Any) -> None:
        super().write(content, changes)
        if changes is None:
            self.content[1] |= {f"write {len(self.content[1])}": 1}


def subject(place: type[Memory] = Memory, make: Any = make, **options: Any) -> PersisterSubject[Memory]:
    return PersisterSubject(place, make, **options)


def test_a_good_persister_passes_all() -> None:
    asyncio.run(check_persister(subject()))


def test_they_are_all_of_the_module() -> None:
    named = [
        check
        for name, check in vars(checks).items()
        if name.startswith("check_") and name != "check_persister"
    ]
    assert set(named) == set(checks.PERSISTER_CHECKS)


@pytest.mark.parametrize(
    ("check", "place", "complaint"),
    [
        (checks.check_initial_content, NeverEmpty, "expected the initial content:"),
        (checks.check_everything_comes_back, MixesUpTruth, "expected the content that was saved:"),
        (checks.check_changes_are_saved, ForgetsChanges, "expected the content that was saved:"),
        (checks.check_changes_are_saved, ForgetsDeletions, "expected "),
        (checks.check_edits_in_one_turn, ForgetsChanges, "expected the content that was saved:"),
        (checks.check_edits_in_one_turn, KeepsTheFirst, "expected the content that was saved:"),
        (checks.check_saving_is_repeatable, Grows, "expected the content that was saved:"),
    ],
)
def test_places_that_are_caught(check: Check, place: type[Memory], complaint: str) -> None:
    asyncio.run(check(subject()))
    with pytest.raises(AssertionError) as caught:
        asyncio.run(check(subject(place)))
    assert str(caught.value).startswith(complaint)
    assert "\nfound:\n  " in str(caught.value)


def test_persisters_that_are_caught() -> None:
    class Immortal(CustomPersister):
        async def destroy(self) -> None:  # type: ignore[override]
            pass

    class Silent(CustomPersister):
        def add_status_listener(self, listener: Any) -> str:
            return ""

    class Restless(CustomPersister):
        async def stop_auto_persisting(self, *_: Any) -> Any:  # type: ignore[override]
            return self

    for check, cls, complaint in (
        (checks.check_destruction, Immortal, "expected nothing that was edited after destruction"),
        (checks.check_status_and_stats, Silent, "expected loading, then saving"),
        (checks.check_following, Restless, "expected to have stopped"),
    ):

        def make_one(store: Any, place: Memory, cls: Any = cls) -> Any:
            return cls(store, place.read, lambda get_content, changes: place.write(get_content(), changes))

        with pytest.raises(AssertionError, match=complaint):
            asyncio.run(check(subject(make=make_one)))


def test_stamps_are_for_mergeable_stores_alone() -> None:
    def without_hashes(stamp: Any) -> Any:
        thing, time, _ = stamp
        inner = (
            {id_: without_hashes(each) for id_, each in thing.items()} if isinstance(thing, dict) else thing
        )
        return [inner, time, 0]

    class Hashless(Memory):
        def write(self, content: Any, changes: Any) -> None:
            super().write([without_hashes(half) for half in content], changes)

    asyncio.run(checks.check_stamps(subject(is_mergeable=True)))
    asyncio.run(checks.check_stamps(subject(Hashless)))
    with pytest.raises(AssertionError, match="expected the hashes of what was saved"):
        asyncio.run(checks.check_stamps(subject(Hashless, is_mergeable=True)))


def test_what_a_place_can_not_do_may_be_said() -> None:
    asyncio.run(checks.check_initial_content(subject(NeverEmpty, takes_initial_content=False)))

    untrue = subject(MixesUpTruth, normalise=lambda content: replaced(content, True, 1))
    asyncio.run(checks.check_everything_comes_back(untrue))
