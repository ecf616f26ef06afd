"""The life cycle of persisters over plain stores."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import pytest

from durabase.errors import ContentError, PersisterError, StoreTypeError
from durabase.persisters import ActionQueue, Persister, Persists, Status
from durabase.store import Store
from durabase.types import UNDEFINED

from ._places import Place, content


def cells(store: Store) -> Any:
    return store.get_row("t", "r")


def set_cell(store: Store, **cell: Any) -> None:
    for cell_id, thing in cell.items():
        store.set_cell("t", "r", cell_id, thing)


def changes(**cell: Any) -> Any:
    return ("set", [{"t": {"r": cell}}, {}, 1])


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

    def test_two_edits_while_writing(self) -> None:
        place, store = Place(), Store()
        place.persister(store).start_auto_save()
        place.is_slow = True
        place.log.clear()
        set_cell(store, a=1, b=2)
        assert place.log == [2, changes(a=1)]
        place.go_on()
        assert place.log == [2, changes(a=1), changes(b=2)]
        place.go_on()
        assert place.log[3:] == [0]

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

    def test_starting_again_replaces_the_listener(self) -> None:
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

    def test_loaded_content_is_not_written_back(self) -> None:
        place, store = Place(content(a=1)), Store()
        persister = place.persister(store)
        persister.start_auto_persisting()
        place.log.clear()
        place.content = content(a=2)
        persister.load()
        assert place.log == [1, "get", 0]
        assert cells(store) == {"a": 2}

    def test_edits_made_while_loading_are_saved_afterwards(self) -> None:
        place, store = Place(), Store()
        persister = place.persister(store)
        persister.start_auto_persisting()
        place.is_slow = True
        persister.load()
        set_cell(store, a=1)
        place.log.clear()
        place.content = UNDEFINED
        place.go_on()
        assert place.log == [0, 2, "set all"]
        place.go_on()
        assert place.content == content(a=1)

    def test_a_change_reported_while_saving_is_loaded_after_it(self) -> None:
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

    def test_content_reported_while_saving_waits_for_it(self) -> None:
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

    def test_content_reported_before_the_first_load_has_ended_waits_for_it(self) -> None:
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

    def test_changes_win_over_content(self) -> None:
        place, store = Place(content(a=1)), Store()
        place.persister(store).start_auto_load()
        assert place.listener is not None
        place.listener(content(x=1), [{"t": {"r": {"a": UNDEFINED, "b": 2}}}, {}, 1])
        assert cells(store) == {"b": 2}


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


class TestDataSafety:
    def test_after_a_failed_load_nothing_is_overwritten(self) -> None:
        place, store = Place(content(old=1)), Store()
        place.read_error = OSError("broken")
        persister = place.persister(store)
        persister.start_auto_persisting()
        set_cell(store, new=1)
        assert place.content == content(old=1)
        assert persister.is_auto_saving()
        assert persister.get_stats() == {"loads": 1, "saves": 0}
        assert persister.get_status() is Status.IDLE
        first, second = place.errors
        assert str(first) == "broken"
        assert isinstance(second, PersisterError)
        assert second.__cause__ is first
        assert "withheld" in str(second)

    def test_it_is_said_again_for_another_failure(self) -> None:
        place, store = Place(content(old=1)), Store()
        place.read_error = OSError("broken")
        persister = place.persister(store)
        persister.start_auto_persisting()
        place.read_error = OSError("still broken")
        persister.load()
        set_cell(store, new=1)
        assert [str(error)[:12] for error in place.errors] == [
            "broken",
            "automatic sa",
            "still broken",
            "automatic sa",
        ]

    def test_what_is_no_content_is_not_overwritten_either(self) -> None:
        place = Place(5)
        place.persister(Store()).start_auto_persisting()
        assert place.content == 5

    def test_a_load_that_succeeds_ends_it(self) -> None:
        place, store = Place(content(old=1)), Store()
        place.read_error = OSError("broken")
        persister = place.persister(store)
        persister.start_auto_persisting()
        place.read_error = None
        persister.load()
        assert cells(store) == {"old": 1}
        set_cell(store, new=1)
        assert place.content == content(old=1, new=1)

    def test_the_caller_may_decide_to_overwrite(self) -> None:
        place, store = Place(content(old=1)), Store()
        place.read_error = OSError("broken")
        persister = place.persister(store)
        persister.start_auto_persisting(content(c=1))
        persister.save()
        assert place.content == content(c=1)
        set_cell(store, c=2)
        assert place.content == content(c=2)

    def test_a_save_that_is_skipped_when_following_starts_is_made_up_for(self) -> None:
        place, store = Place(), Store()
        place.is_slow = True
        persister = place.persister(store)
        set_cell(store, a=1)
        persister.load()
        persister.start_auto_save()
        place.go_on()
        place.go_on()
        assert place.content == content(a=1)

    def test_after_a_failed_save_the_next_one_is_followed_by_one_of_everything(self) -> None:
        place, store = Place(), Store()
        persister = place.persister(store)
        persister.start_auto_persisting()
        place.write_error = OSError("full")
        set_cell(store, a=1)
        place.write_error = None
        place.log.clear()
        set_cell(store, b=2)
        set_cell(store, c=3)
        assert place.log == [2, changes(b=2), 0, 2, "set all", 0, 2, changes(c=3), 0]
        assert [str(error) for error in place.errors] == ["full"]

    def test_as_long_as_saves_fail_each_tries_its_own_changes_only(self) -> None:
        place, store = Place(), Store()
        persister = place.persister(store)
        persister.start_auto_persisting()
        place.write_error = OSError("full")
        place.log.clear()
        set_cell(store, a=1)
        set_cell(store, b=2)
        assert place.log == [2, changes(a=1), 0, 2, changes(b=2), 0]
        place.write_error = None
        persister.save()
        set_cell(store, c=3)
        assert place.log[6:] == [2, "set all", 0, 2, changes(c=3), 0]

    def test_a_listener_that_cannot_be_added_does_not_keep_from_loading(self) -> None:
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


class TestErrors:
    def test_unset_they_are_logged(self, caplog: pytest.LogCaptureFixture) -> None:
        class Broken(Persister):
            def get_persisted(self) -> Any:
                raise OSError("broken")

        with caplog.at_level(logging.WARNING, logger="durabase"):
            Broken(Store()).load()
        (record,) = caplog.records
        assert record.getMessage() == "Broken: broken"
        assert record.exc_info is not None

    def test_a_handler_that_fails_is_logged_with_the_error(self, caplog: pytest.LogCaptureFixture) -> None:
        place = Place()

        def handler(error: Exception) -> None:
            raise RuntimeError("handler")

        persister = place.persister(Store())
        persister._ignored_errors.handler = handler
        persister.schedule(lambda: 1 / 0)
        (record,) = caplog.records
        assert "division" in record.getMessage()
        assert record.exc_info is not None

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

    def test_destroyed_while_the_first_load_is_under_way(self) -> None:
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


def test_starting_and_stopping_while_the_listener_is_being_added() -> None:
    async def main() -> None:
        log: list[str] = []

        class Slow(Persister):
            def get_persisted(self) -> Any:
                return UNDEFINED

            async def add_persister_listener(self, listener: Any) -> Any:
                await asyncio.sleep(0)
                log.append("added")
                return "handle"

            async def del_persister_listener(self, handle: Any) -> None:
                log.append("removed")

        persister = Slow(Store())
        started = persister.start_auto_load()
        await persister.stop_auto_load()
        await started
        assert log == ["added", "removed"]
        assert not persister.is_auto_loading()

    asyncio.run(main())
