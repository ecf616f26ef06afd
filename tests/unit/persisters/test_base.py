"""The life cycle of persisters over plain stores."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from durabase.errors import ContentError, PersisterError, StoreTypeError
from durabase.persisters import ActionQueue, Persister, Persists, Status
from durabase.store import Store
from durabase.types import UNDEFINED

from ._places import Place, cells, changes, content, set_cell


class TestSequence:
    def test_start_auto_persisting_with_nothing_there(self) -> None:
        place, store = Place(), Store()
        persister = place.persister(store)
        ended = persister.start_auto_persisting(content(c=1))
        assert ended.done()
        assert ended.result() is persister
        assert place.log == ["listen", 1, "get", 0, 2, "set all", 0]
        assert place.content == content(c=1)
        place.log.clear()
        set_cell(store, c=2)
        assert place.log == [2, changes(c=2), 0]
        place.log.clear()
        assert place.listener is not None
        place.listener(content(c=3))
        assert place.log == [1, 0]
        assert cells(store) == {"c": 3}
        assert persister.get_stats() == {"loads": 2, "saves": 2}
        assert place.errors == []

    def test_save_first(self) -> None:
        place = Place()
        place.persister(Store()).start_auto_persisting(None, True)
        assert place.log == [2, "set all", 0, "listen", 1, "get", 0]

    def test_what_is_written_is_read_when_its_turn_comes(self) -> None:
        place, store = Place(), Store()
        place.is_slow = True
        persister = place.persister(store)
        persister.schedule(place.get)
        persister.save()
        set_cell(store, a=1)
        place.go_on()
        place.go_on()
        assert place.content == content(a=1)

    def test_stopping(self) -> None:
        place, store = Place(), Store()
        persister = place.persister(store)
        persister.start_auto_persisting()
        assert persister.is_auto_loading()
        assert persister.is_auto_saving()
        place.log.clear()
        listener = place.listener
        assert persister.stop_auto_persisting().done()
        assert not persister.is_auto_loading()
        assert not persister.is_auto_saving()
        set_cell(store, a=1)
        assert listener is not None
        listener(content(b=1))
        assert place.log == ["unlisten"]
        assert cells(store) == {"a": 1}


class TestLoadingAndSavingTogether:
    def test_a_save_is_skipped_while_loading_and_a_load_while_saving(self) -> None:
        place, store = Place(), Store()
        place.is_slow = True
        persister = place.persister(store)
        persister.load()
        persister.save()
        place.go_on()
        assert place.log == [1, "get", 0]
        place.log.clear()
        persister.save()
        persister.load()
        persister.save()
        place.go_on()
        place.go_on()
        assert place.log == [2, "set all", "set all", 0]
        assert persister.get_stats() == {"loads": 1, "saves": 2}


class TestWhatIsLoaded:
    def test_empty_content_is_content(self) -> None:
        store = Store()
        set_cell(store, a=1)
        Place([{}, {}]).persister(store).load(content(c=1))
        assert store.get_content() == [{}, {}]

    def test_null_is_an_error_but_nothing_to_lose(self) -> None:
        place, store = Place(None), Store()
        place.persister(store).start_auto_persisting(content(c=1))
        assert [str(error) for error in place.errors] == ["tinybase:1:null"]
        assert place.content == content(c=1)

    @pytest.mark.parametrize(("thing", "text"), [(5, "5"), ({}, "[object Object]"), (True, "true")])
    def test_what_is_no_content_is_an_error(self, thing: Any, text: str) -> None:
        place, store = Place(thing), Store()
        place.persister(store).load(content(c=1))
        assert [str(error) for error in place.errors] == [f"tinybase:1:{text}"]
        assert isinstance(place.errors[0], ContentError)
        assert cells(store) == {"c": 1}

    def test_things_are_encoded(self) -> None:
        place, store = Place([{"t": {"r": {"o": '\ufffd{"a":[1]}'}}}, {}]), Store()
        place.persister(store).start_auto_persisting()
        assert cells(store) == {"o": {"a": [1]}}
        set_cell(store, o=[])
        assert place.log[-2] == changes(o="\ufffd[]")


class TestErrors:
    def test_scheduled_actions(self) -> None:
        place = Place()
        log: list[Any] = []
        persister = place.persister(Store())
        ended = persister.schedule(lambda: log.append(1), lambda: 1 / 0, lambda: log.append(2))
        assert ended.result() is persister
        assert log == [1, 2]
        assert [type(error) for error in place.errors] == [ZeroDivisionError]

    def test_status_listeners(self) -> None:
        place = Place()
        persister = place.persister(Store())
        seen: list[Any] = []
        listener_id = persister.add_status_listener(lambda *args: seen.append(args))
        persister.add_status_listener(lambda _persister, _status: 1 / 0)
        persister.load()
        assert seen == [(persister, Status.LOADING), (persister, Status.IDLE)]
        assert len(place.errors) == 2
        assert persister.del_listener(listener_id) is persister.get_store()
        persister.load()
        assert len(seen) == 2

    def test_kinds_of_store(self) -> None:
        with pytest.raises(StoreTypeError) as caught:
            Place().persister(Store(), persists=Persists.MERGEABLE_STORE_ONLY)
        assert caught.value.code == 0
        assert caught.value.details.endswith(" needs a MergeableStore, not a Store")

    def test_initial_content_that_cannot_be_set(self) -> None:
        place = Place()

        def broken() -> Any:
            raise ValueError("initial")

        persister = place.persister(Store())
        persister.load(broken)
        place.read_error = OSError("broken")
        persister.load(broken)
        assert [str(error) for error in place.errors] == ["initial", "broken", "initial"]

    def test_a_place_without_listeners(self) -> None:
        class Bare(Persister):
            def get_persisted(self) -> Any:
                return UNDEFINED

        persister = Bare(Store())
        assert persister.start_auto_load().done()
        assert persister.is_auto_loading()
        persister.stop_auto_load()
        assert not persister.is_auto_loading()

    def test_what_is_not_overridden(self) -> None:
        errors: list[Exception] = []
        persister = Persister(Store(), on_ignored_error=errors.append)
        persister.load()
        persister.save()
        assert [type(error) for error in errors] == [NotImplementedError, NotImplementedError]

    def test_without_a_loop_asynchronous_functions_are_reported(self) -> None:
        class Asynchronous(Persister):
            async def get_persisted(self) -> Any:
                raise AssertionError("it must not run")

        errors: list[Exception] = []
        Asynchronous(Store(), on_ignored_error=errors.append).load()
        assert [type(error) for error in errors] == [RuntimeError]


class TestDestroying:
    def test_waiting_actions_are_dropped_and_the_running_one_awaited(self) -> None:
        place, store = Place(), Store()
        persister = place.persister(store)
        persister.start_auto_persisting()
        place.is_slow = True
        place.log.clear()
        set_cell(store, a=1)
        ended = persister.save()
        log: list[str] = []
        scheduled = persister.schedule(lambda: log.append("scheduled"))
        destroyed = persister.destroy()
        assert not destroyed.done()
        assert ended.done()
        assert scheduled.done()
        place.go_on()
        assert destroyed.result() is persister
        assert place.log == [2, changes(a=1), 0, "unlisten"] or place.log == [2, changes(a=1), "unlisten", 0]
        assert log == []
        assert persister.destroy() is destroyed
        set_cell(store, b=1)
        assert place.content == content(a=1)

    def test_using_it_afterwards_fails(self) -> None:
        persister = Place().persister(Store())
        persister.destroy()
        for method in (
            "load",
            "save",
            "start_auto_load",
            "start_auto_save",
            "start_auto_persisting",
            "schedule",
        ):
            with pytest.raises(PersisterError, match="CustomPersister has been destroyed"):
                getattr(persister, method)()
        assert persister.stop_auto_persisting().done()

    def test_leaving_the_context_destroys(self) -> None:
        async def main() -> None:
            place = Place()
            async with place.persister(Store()) as persister:
                await persister.start_auto_load()
            assert place.log[-1] == "unlisten"
            with pytest.raises(PersisterError):
                persister.load()

        asyncio.run(main())


class TestTogether:
    def test_two_persisters_on_one_store(self) -> None:
        one, other, store = Place(content(a=1)), Place(content(b=1)), Store()
        one.persister(store).start_auto_persisting()
        second = other.persister(store)
        second.start_auto_persisting()
        assert cells(store) == {"b": 1}
        assert one.content == other.content == content(b=1)
        set_cell(store, c=1)
        assert one.content == other.content == content(b=1, c=1)
        assert other.listener is not None
        other.listener(content(d=1))
        assert one.content == content(d=1)

    def test_a_shared_queue(self) -> None:
        queue = ActionQueue()
        one, other = Place(), Place()
        one.is_slow = True

        class Shared(Persister):
            def __init__(self, place: Place) -> None:
                super().__init__(Store(), queue=queue)
                self._place = place

            def get_persisted(self) -> Any:
                return self._place.get()

        Shared(one).load()
        waiting = Shared(other).load()
        assert other.log == []
        one.go_on()
        assert other.log == ["get"]
        assert waiting.done()


def test_asynchronous_functions() -> None:
    async def main() -> None:
        place, store = Place(content(a=1)), Store()

        class Asynchronous(Persister):
            async def get_persisted(self) -> Any:
                await asyncio.sleep(0)
                return place.get()

            async def set_persisted(self, get_content: Any, changes: Any = None) -> None:
                await asyncio.sleep(0)
                place.set(get_content, changes)

            async def add_persister_listener(self, listener: Any) -> Any:
                await asyncio.sleep(0)
                return place.add_listener(listener)

            async def del_persister_listener(self, handle: Any) -> None:
                await asyncio.sleep(0)
                place.del_listener(handle)

        async with Asynchronous(store) as persister:
            assert await persister.start_auto_persisting() is persister
            assert cells(store) == {"a": 1}
            set_cell(store, b=2)
            assert persister.get_status() is Status.SAVING
            await persister.schedule(lambda: None)
            assert place.content == content(a=1, b=2)
        assert place.log == ["listen", "get", "set all", changes(b=2), "unlisten"]

    asyncio.run(main())
