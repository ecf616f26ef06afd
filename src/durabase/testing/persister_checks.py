"""What every persister has to do, as checks to be run over one of yours.

::

    def test_my_persister():
        subject = PersisterSubject(new_place=dict, make_persister=MyPersister)
        asyncio.run(check_persister(subject))

Each check works on a place of its own and raises an ``AssertionError`` that says what was expected.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar

from durabase.errors import PersisterError
from durabase.mergeable import MergeableStore
from durabase.persisters import Persister, Status
from durabase.store import Store
from durabase.testing.fake_clock import FakeClock
from durabase.types import UNDEFINED

__all__ = ["ODD_IDS", "PERSISTER_CHECKS", "TABLE_IDS", "PersisterSubject", "check_persister"]

P = TypeVar("P")

ODD_IDS: Final = ("", "a b", '"', "\\", "é", "\U0001f600", "\n", "0", "10", "__proto__", ".", "'")
"""Ids that are tried at every level: of tables, rows, cells and values."""
TABLE_IDS: Final = ("t", "u", "things", *ODD_IDS)
"""The ids of all tables that the checks use, for places that have to be told."""
_THINGS: Final[tuple[Any, ...]] = (
    *("", "text", "\U0001f600\n\"'", 0, -1, 1.5, 1e300),
    *(True, False, None, [], {}, {"a": [1, None]}),
)
_EARLY: Final = "NjEtLV-----7JQY8"
_LATE: Final = "NjEtLV4----7JQY8"
_NOW: Final = 1_700_000_000_000


def _unchanged(content: Any) -> Any:
    return content


@dataclass(frozen=True)
class PersisterSubject(Generic[P]):
    """What is checked.

    ``new_place``: makes an empty place, in whatever form. ``make_persister``: makes a persister of a store
    and a place. ``is_mergeable``: whether it is to be tried with mergeable stores.
    ``takes_initial_content``: false if its places are never without content.

    For places that do not keep everything: ``ids`` are those to try instead of all :data:`ODD_IDS`;
    ``normalise(content)`` gives what is left of content when things are made equal that the place can't tell
    apart. Contents are compared by that.
    """

    new_place: Callable[[], P]
    make_persister: Callable[[Any, P], Persister]
    is_mergeable: bool = False
    takes_initial_content: bool = True
    ids: Sequence[str] = ODD_IDS
    normalise: Callable[[Any], Any] = _unchanged

    def new_store(self) -> Any:
        """An empty store of the kind that is tried."""
        return MergeableStore(clock=FakeClock(_NOW)) if self.is_mergeable else Store()

    def content(self, persister: Persister) -> Any:
        """What the persister's store holds, as far as the place can tell."""
        return self.normalise(persister.get_store().get_content())

    async def start(self, place: P, initial_content: Any = None) -> Persister:
        """A persister of a new store that has loaded what is there and follows the store."""
        persister = self.make_persister(self.new_store(), place)
        await persister.load(initial_content)
        await persister.start_auto_save()
        return persister


async def check_persister(subject: PersisterSubject[Any]) -> None:
    """Run every check.

    Raises:
        AssertionError: the persister does not do what it has to.
    """
    for check in PERSISTER_CHECKS:
        await check(subject)


async def check_initial_content(subject: PersisterSubject[Any]) -> None:
    """Initial content is taken where nothing is persisted, and only there."""
    if not subject.takes_initial_content:
        return
    place = subject.new_place()
    first = await subject.start(place, [{"t": {"r": {"c": 1}}}, {"v": 1}])
    _expect(subject.content(first), [{"t": {"r": {"c": 1}}}, {"v": 1}], "the initial content")
    second = await subject.start(place, [{}, {"v": 2}])
    _expect(
        subject.content(second), [{"t": {"r": {"c": 1}}}, {"v": 1}], "what was persisted, not initial content"
    )
    await _end(first, second)


async def check_everything_comes_back(subject: PersisterSubject[Any]) -> None:
    """All kinds of ids and things are found again as they were."""
    place = subject.new_place()
    first = await subject.start(place)
    store: Any = first.get_store()
    for id_ in subject.ids:
        store.set_cell(id_, "r", "c", 1).set_cell("t", id_, "c", 2).set_cell("t", "r", id_, 3).set_value(
            id_, 4
        )
    for number, thing in enumerate(_THINGS):
        store.set_cell("things", "r", f"c{number}", thing).set_value(f"v{number}", thing)
    await _settled(first)
    await _check_same(subject, place, first)


async def check_changes_are_saved(subject: PersisterSubject[Any]) -> None:
    """Edits and deletions are saved as they come, without being asked for."""
    place = subject.new_place()
    first = await subject.start(place)
    store: Any = first.get_store()
    store.set_table("t", {"a": {"x": 1, "y": 1}, "b": {"x": 1}}).set_table("u", {"a": {"x": 1}}).set_value(
        "v", 1
    )
    store.del_cell("t", "a", "y").del_row("t", "b").del_table("u").del_value("v").set_cell("t", "a", "x", 2)
    await _settled(first)
    second = await _check_same(subject, place, first, ends=False)
    _expect(subject.content(second), [{"t": {"a": {"x": 2}}}, {}], "what is left after deletions")
    second_store: Any = second.get_store()
    second_store.del_tables()
    await _settled(second)
    third = await _check_same(subject, place, second, ends=False)
    _expect(subject.content(third), [{}, {}], "nothing after everything was deleted")
    await _end(first, second, third)


async def check_edits_in_one_turn(subject: PersisterSubject[Any]) -> None:
    """Many transactions before anything could be awaited are all saved, the last one last."""
    place = subject.new_place()
    first = await subject.start(place)
    store: Any = first.get_store()
    for number in range(20):
        store.set_cell("t", f"r{number}", "c", number).set_value("last", number)
    await _settled(first)
    await _check_same(subject, place, first)


async def check_saving_is_repeatable(subject: PersisterSubject[Any]) -> None:
    """Loading and saving again and again changes nothing."""
    place = subject.new_place()
    first = await subject.start(place)
    store: Any = first.get_store()
    store.set_row("t", "r", {"10": 1, "b": {"x": [1]}, "2": None}).set_value("v", "x")
    await _settled(first)
    second = await subject.start(place)
    await second.save()
    await second.save()
    await _check_same(subject, place, first)
    await _end(second)


async def check_stamps(subject: PersisterSubject[Any]) -> None:
    """Later stamps of equal things, tombstones and defaults are saved, so hashes and merges stay the same."""
    if not subject.is_mergeable:
        return
    place = subject.new_place()
    first = await subject.start(place)
    store: Any = first.get_store()
    store.set_default_content([{}, {"default": 1}])
    for hlc in (_EARLY, _LATE):
        cells = {"equal": [1, hlc], "never": [UNDEFINED, hlc], "raw": ["\ufffd[1]", hlc]}
        store._apply_encoded_mergeable_changes([[{"t": [{"r": [cells]}]}], [{"equal": [1, hlc]}], 1])
    await _settled(first)
    second = await _check_same(subject, place, first, ends=False)
    second_store: Any = second.get_store()
    early = [[{"t": [{"r": [{"equal": [2, _EARLY], "never": [2, _EARLY]}]}]}], [{"equal": [2, _EARLY]}], 1]
    second_store._apply_encoded_mergeable_changes(early)
    _expect(second_store.get_row("t", "r"), {"equal": 1, "raw": [1]}, "later stamps to win over earlier ones")
    await _end(first, second)


async def check_status_and_stats(subject: PersisterSubject[Any]) -> None:
    """Listeners hear of loading and saving, and the counts are right."""
    persister = subject.make_persister(subject.new_store(), subject.new_place())
    statuses: list[Status] = []
    persister.add_status_listener(lambda _persister, status: statuses.append(status))
    await persister.load()
    await persister.save()
    _expect(statuses, [Status.LOADING, Status.IDLE, Status.SAVING, Status.IDLE], "loading, then saving")
    _expect(persister.get_stats(), {"loads": 1, "saves": 1}, "one load and one save")
    await _end(persister)


async def check_following(subject: PersisterSubject[Any]) -> None:
    """Following both ways can be started, started again, and stopped."""
    persister = subject.make_persister(subject.new_store(), subject.new_place())
    await persister.start_auto_persisting()
    await persister.start_auto_persisting()
    _expect(persister.is_auto_saving(), True, "to be saving")
    await persister.stop_auto_persisting()
    _expect((persister.is_auto_loading(), persister.is_auto_saving()), (False, False), "to have stopped")
    await _end(persister)


async def check_destruction(subject: PersisterSubject[Any]) -> None:
    """Nothing is saved after destruction, which may be asked for twice; acting is refused."""
    place = subject.new_place()
    persister = await subject.start(place)
    store: Any = persister.get_store()
    store.set_value("before", 1)
    await _settled(persister)
    await _end(persister, persister)
    store.set_value("after", 1)
    other = await subject.start(place)
    _expect(subject.content(other), [{}, {"before": 1}], "nothing that was edited after destruction")
    try:
        persister.load()
    except PersisterError:
        pass
    else:
        raise AssertionError("expected a PersisterError from load() after destroy()")
    await _end(other)


PERSISTER_CHECKS: Final[tuple[Callable[[PersisterSubject[Any]], Awaitable[None]], ...]] = (
    check_initial_content,
    check_everything_comes_back,
    check_changes_are_saved,
    check_edits_in_one_turn,
    check_saving_is_repeatable,
    check_stamps,
    check_status_and_stats,
    check_following,
    check_destruction,
)
"""Every check, to be run one by one; each is given a :class:`PersisterSubject`."""


async def _check_same(
    subject: PersisterSubject[P], place: P, first: Persister, *, ends: bool = True
) -> Persister:
    """Load the place into a new store and compare it with that of ``first``."""
    second = await subject.start(place)
    _expect(subject.content(second), subject.content(first), "the content that was saved")
    if subject.is_mergeable:
        stores: list[Any] = [second.get_store(), first.get_store()]
        found, expected = (store.get_mergeable_content_hashes() for store in stores)
        _expect(found, expected, "the hashes of what was saved")
    if ends:
        await _end(first, second)
    return second


async def _settled(persister: Persister) -> None:
    await persister.schedule(lambda: None)


async def _end(*persisters: Persister) -> None:
    for persister in persisters:
        await persister.destroy()


def _expect(found: Any, expected: Any, what: str) -> None:
    if _text(found) != _text(expected):
        raise AssertionError(f"expected {what}:\n  {expected!r}\nfound:\n  {found!r}")


def _text(thing: Any) -> str:
    """Members in any order are the same; ``True`` and 1 are not."""
    return json.dumps(thing, sort_keys=True)
