"""Following a place: what it reports, when, and what becomes of that while something else is done."""

from __future__ import annotations

import asyncio
from typing import Any

from durabase.persisters import Persister, Status
from durabase.store import Store
from durabase.types import UNDEFINED

from ._places import Place, cells, changes, content, set_cell


def test_starting_again_replaces_the_listener() -> None:
    place, store = Place(), Store()
    persister = place.persister(store)
    persister.start_auto_load()
    old = place.listener
    persister.start_auto_load()
    assert place.log == ["listen", 1, "get", 0, "unlisten", "listen", 1, "get", 0]
    assert old is not None
    old(content(a=1))
    assert cells(store) == {}
    persister.start_auto_save()
    persister.start_auto_save()
    place.log.clear()
    set_cell(store, a=1)
    assert place.log == [2, changes(a=1), 0]


def test_a_change_reported_while_saving_is_loaded_after_it() -> None:
    place, store = Place(), Store()
    persister = place.persister(store)
    persister.start_auto_load()
    place.is_slow = True
    place.log.clear()
    persister.save()
    assert place.listener is not None
    place.listener()
    place.go_on()
    assert place.log == [2, "set all", 0, 1, "get"]
    place.go_on()
    assert persister.get_status() is Status.IDLE


def test_content_reported_while_saving_waits_for_it() -> None:
    place, store = Place(), Store()
    persister = place.persister(store)
    persister.start_auto_load()
    place.is_slow = True
    persister.save()
    assert place.listener is not None
    place.listener(content(b=1))
    assert cells(store) == {}
    place.go_on()
    assert cells(store) == {"b": 1}
    assert place.content == content()
    assert persister.get_status() is Status.IDLE


def test_content_reported_before_the_first_load_has_ended_waits_for_it() -> None:
    place, store = Place(content(a=1)), Store()
    place.is_slow = True
    persister = place.persister(store)
    ended = persister.start_auto_persisting()
    assert place.listener is not None
    place.listener(None, [{"t": {"r": {"b": 1}}}, {}, 1])
    assert cells(store) == {}
    place.go_on()
    assert cells(store) == {"a": 1, "b": 1}
    place.go_on()
    assert ended.done()
    assert place.content == content(a=1, b=1)


def test_changes_win_over_content() -> None:
    place, store = Place(content(a=1)), Store()
    place.persister(store).start_auto_load()
    assert place.listener is not None
    place.listener(content(x=1), [{"t": {"r": {"a": UNDEFINED, "b": 2}}}, {}, 1])
    assert cells(store) == {"b": 2}


def test_a_listener_that_cannot_be_added_does_not_keep_from_loading() -> None:
    class Deaf(Persister):
        def get_persisted(self) -> Any:
            return content(a=1)

        def add_persister_listener(self, listener: Any) -> Any:
            raise OSError("deaf")

    errors: list[Exception] = []
    store = Store()
    persister = Deaf(store, on_ignored_error=errors.append)
    persister.start_auto_load()
    assert cells(store) == {"a": 1}
    assert not persister.is_auto_loading()
    assert [str(error) for error in errors] == ["deaf"]


def test_destroyed_while_the_first_load_is_under_way() -> None:
    place, store = Place(), Store()
    place.is_slow = True
    persister = place.persister(store)
    started = persister.start_auto_persisting()
    destroyed = persister.destroy()
    place.go_on()
    assert destroyed.done()
    assert started.done()
    assert not persister.is_auto_loading()
    assert not persister.is_auto_saving()
    assert "set all" not in place.log


class SlowToListen(Persister):
    """Its listener takes a while to be added, and to be removed."""

    def __init__(self, store: Store) -> None:
        super().__init__(store)
        self.log: list[str] = []

    def get_persisted(self) -> Any:
        return UNDEFINED

    async def add_persister_listener(self, listener: Any) -> Any:
        self.log.append("adding")
        await asyncio.sleep(0)
        self.log.append("added")
        return "handle"

    async def del_persister_listener(self, handle: Any) -> None:
        await asyncio.sleep(0)
        self.log.append("removed")


def test_starting_and_stopping_while_the_listener_is_being_added() -> None:
    async def main() -> None:
        persister = SlowToListen(Store())
        started = persister.start_auto_load()
        await persister.stop_auto_load()
        await started
        assert persister.log == ["adding", "added", "removed"]
        assert not persister.is_auto_loading()

    asyncio.run(main())


def test_a_new_listener_is_added_when_the_one_before_is_gone() -> None:
    async def main() -> None:
        persister = SlowToListen(Store())
        first, second = persister.start_auto_load(), persister.start_auto_load()
        await first
        await second
        assert persister.log == ["adding", "added", "removed", "adding", "added"]
        assert persister.is_auto_loading()

    asyncio.run(main())


def test_what_is_reported_goes_on_being_loaded_until_all_of_it_is() -> None:
    place, store = Place(), Store()
    persister = place.persister(store)
    persister.start_auto_persisting()
    place.is_slow = True
    place.log.clear()
    persister.save()
    assert place.listener is not None
    place.listener(content(a=1))
    place.listener(content(b=1))
    store.add_did_finish_transaction_listener(lambda _: place.log.append(cells(store)))
    place.go_on()
    assert place.log == [2, "set all", 1, {"a": 1}, {"b": 1}, 0]
    assert persister.get_stats()["saves"] == 2
