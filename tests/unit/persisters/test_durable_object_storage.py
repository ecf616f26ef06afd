"""Mergeable stores in key-value storage: what is written, what is read back, what is too large."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any

import pytest

from durabase.errors import PersisterError, StoreTypeError, ValueTooLargeError
from durabase.mergeable import MergeableStore
from durabase.persisters import DurableObjectStoragePersister, Status
from durabase.persisters.durable_object_storage import _MOST_DEFERRED
from durabase.store import Store
from durabase.testing import FakeClock
from durabase.types import UNDEFINED

NOW = 1_700_000_000_000
LATER = "NjEtLV4----7JQY8"


class Done:
    def __init__(self, result: Any) -> None:
        self.finished = result

    def __await__(self) -> Any:
        return self.finished
        yield


class Storage:
    """Key-value storage in memory that refuses values of which the text is longer than ``limit``."""

    def __init__(self, limit: int = 10_000) -> None:
        self.entries: dict[str, Any] = {}
        self.puts: list[list[str]] = []
        self.limit = limit
        self.error: Exception | None = None

    def list(self, *, prefix: str) -> Any:
        if self.error is not None:
            raise self.error
        return Done({key: value for key, value in sorted(self.entries.items()) if key.startswith(prefix)})

    def put(self, entries: dict[str, Any]) -> Any:
        if self.error is not None:
            raise self.error
        for key, value in entries.items():
            if len(repr(value)) > self.limit:
                raise ValueTooLargeError(key, len(repr(value)), self.limit)
        self.puts.append(list(entries))
        self.entries.update(entries)
        return Done(None)


class Deferring(Storage):
    """Storage whose deferred writes happen when the turn is ended."""

    def __init__(self, limit: int = 10_000) -> None:
        super().__init__(limit)
        self.deferred: list[Callable[[], object]] = []

    def defer(self, write: Callable[[], object], *, at_once: bool = False) -> None:
        self.deferred.append(write)
        if at_once:
            self.end_turn()

    def end_turn(self) -> None:
        deferred, self.deferred = self.deferred, []
        for write in deferred:
            write()


class Room:
    """A store over a storage, loaded and saving."""

    def __init__(self, storage: Storage, unique_id: str = "s1", now: int = NOW, prefix: str = "") -> None:
        self.clock = FakeClock(now)
        self.store = MergeableStore(unique_id, clock=self.clock)
        self.errors: list[Exception] = []
        self.persister = DurableObjectStoragePersister(
            self.store, storage, prefix, on_ignored_error=self.errors.append
        )
        self.persister.load()
        storage.puts.clear()
        self.persister.start_auto_save()

    def apply(self, changes: Any) -> None:
        self.store._apply_encoded_mergeable_changes(changes)

    def hashes(self) -> Any:
        return self.store.get_mergeable_content_hashes()


def test_it_wants_a_mergeable_store() -> None:
    with pytest.raises(StoreTypeError):
        DurableObjectStoragePersister(Store(), Storage())  # type: ignore[arg-type]


def test_a_change_is_written_before_the_edit_returns() -> None:
    storage = Storage()
    room = Room(storage)
    storage.puts.clear()
    room.store.set_cell("t", "r", "c", {"a": 1})
    assert storage.puts == [["t", 't"t"', 't"t","r"', 't"t","r","c"', "v"]]
    assert storage.entries['t"t","r","c"'][0] == '\ufffd{"a":1}'
    room.store.set_value("v", 1)
    assert storage.puts[1:] == [["t", "v", 'v"v"']]
    room.store.del_value("v")
    assert storage.entries['v"v"'][0] is UNDEFINED


def test_waking_writes_nothing_when_nothing_changed() -> None:
    storage = Storage()
    Room(storage).store.set_tables({"t": {"r": {"c": 1}, "q": {"d": None}}}).set_value("v", 1)
    woken = Room(storage)
    assert storage.puts == []
    assert woken.store.get_content() == [{"t": {"r": {"c": 1}, "q": {"d": None}}}, {"v": 1}]
    woken.store.set_value("v", 2)
    assert storage.puts == [["t", "v", 'v"v"']]
    woken.persister.save()
    assert len(storage.puts[1]) == 8  # to ask for a save is to have everything written


def test_an_edit_between_loading_and_saving_is_written() -> None:
    storage = Storage()
    Room(storage).store.set_value("v", 1)
    store = MergeableStore("s2", clock=FakeClock(NOW + 5))
    persister = DurableObjectStoragePersister(store, storage)
    persister.load()
    store.set_value("w", 2)
    storage.puts.clear()
    persister.start_auto_save()
    assert storage.puts == [["t", "v", 'v"v"', 'v"w"']]


def test_a_container_without_entry_is_written_on_waking() -> None:
    storage = Storage()
    Room(storage).store.set_cell("t", "r", "c", 1)
    del storage.entries['t"t"']
    Room(storage)
    assert 't"t"' in storage.entries


def test_later_stamps_of_equal_things_are_saved() -> None:
    storage = Storage()
    room = Room(storage)
    room.store.set_cell("t", "r", "c", 1).set_value("v", 1)
    room.apply([[{"t": [{"r": [{"c": [1, LATER]}]}]}], [{"v": [1, LATER]}], 1])
    assert storage.entries['t"t","r","c"'][1] == LATER
    assert storage.entries['v"v"'][1] == LATER
    assert Room(storage).hashes() == room.hashes()


def test_tombstones_of_things_never_had_are_saved() -> None:
    storage = Storage()
    room = Room(storage)
    room.apply([[{"t": [{"r": [{"c": [UNDEFINED, LATER]}]}]}], [{"v": [UNDEFINED, LATER]}], 1])
    woken = Room(storage, now=NOW + 1)
    assert woken.hashes() == room.hashes()
    assert room.hashes() != [0, 0]
    woken.apply([[{"t": [{"r": [{"c": [1, "NjEtLV-----7JQY8"]}]}]}], [{}], 1])
    assert woken.store.get_tables() == {}  # the older edit does not win


def test_a_prefix_keeps_apart() -> None:
    storage = Storage()
    for prefix in ("a/", "b/"):
        Room(storage, prefix=prefix).store.set_value("v", prefix)
    storage.entries["other"] = 5
    for prefix in ("a/", "b/"):
        assert Room(storage, prefix=prefix).store.get_values() == {"v": prefix}


def test_ids_with_everything_in_them() -> None:
    storage = Storage()
    ids = ["", '"', "\\", '","', "\n", "é", "\ud800", "__proto__", "12"]
    room = Room(storage)
    for id_ in ids:
        room.store.set_cell(id_, id_, id_, id_).set_value(id_, id_)
    woken = Room(storage)
    assert woken.errors == []
    assert woken.store.get_content() == room.store.get_content()
    assert woken.hashes() == room.hashes()


def test_many_keys_are_put_in_batches() -> None:
    storage = Storage()
    room = Room(storage)
    storage.puts.clear()
    room.store.set_table("t", {str(number): {"c": number} for number in range(200)})
    assert [len(keys) for keys in storage.puts] == [128, 128, 128, 19]
    assert Room(storage).hashes() == room.hashes()


class TestDeferring:
    def test_what_changes_several_times_in_a_turn_is_written_once(self) -> None:
        storage = Deferring()
        room = Room(storage)
        storage.puts.clear()
        room.store.set_cell("t", "r", "c", 1).set_cell("t", "r", "c", 2).set_cell("t", "q", "d", 3)
        room.store.set_value("v", 1).del_value("v")
        assert storage.puts == []
        storage.end_turn()
        assert storage.puts == [
            ["t", 't"t"', 't"t","r"', 't"t","r","c"', 't"t","q"', 't"t","q","d"', "v", 'v"v"']
        ]
        assert storage.entries['t"t","r","c"'][0] == 2
        assert storage.entries['v"v"'][0] is UNDEFINED
        assert Room(storage).hashes() == room.hashes()

    def test_each_turn_is_a_save(self) -> None:
        storage = Deferring()
        room = Room(storage)
        for turn in range(3):
            for value in range(4):
                room.store.set_value("v", [turn, value])
            storage.end_turn()
        assert room.persister.get_stats()["saves"] == 4  # the first is that of everything
        assert Room(storage).store.get_values() == {"v": [2, 3]}

    def test_to_save_everything_leaves_nothing_for_the_end_of_the_turn(self) -> None:
        storage = Deferring()
        room = Room(storage)
        room.store.set_value("v", 1)
        room.persister.save()
        storage.puts.clear()
        storage.end_turn()
        assert storage.puts == []
        assert Room(storage).store.get_values() == {"v": 1}

    def test_a_persister_that_is_destroyed_meanwhile_still_writes(self) -> None:
        storage = Deferring()
        room = Room(storage)
        room.store.set_value("v", 1)
        room.persister.destroy()
        storage.end_turn()
        assert Room(storage).store.get_values() == {"v": 1}

    def test_what_could_not_be_written_is_reported_and_written_with_the_next_change(self) -> None:
        storage = Deferring()
        room = Room(storage)
        room.store.set_value("v", 1)
        storage.error = OSError("full")
        storage.end_turn()
        assert [str(error) for error in room.errors] == ["full"]
        storage.error = None
        room.store.set_value("w", 2)
        storage.end_turn()
        assert Room(storage).store.get_values() == {"v": 1, "w": 2}

    def test_what_is_too_large_is_left_out_of_what_is_written(self) -> None:
        storage = Deferring(limit=200)
        room = Room(storage)
        room.store.set_row("t", "r", {"a": 1, "big": "x" * 300})
        room.store.set_value("v", 1)
        storage.end_turn()
        assert [getattr(error, "key", None) for error in room.errors] == ['t"t","r","big"']
        assert Room(storage).store.get_content() == [{"t": {"r": {"a": 1}}}, {"v": 1}]
        room.store.set_cell("t", "r", "big", "small")
        storage.end_turn()
        assert Room(storage).hashes() == room.hashes()

    def test_what_is_many_is_written_in_batches(self) -> None:
        storage = Deferring()
        room = Room(storage)
        room.store.set_table("t", {str(number): {"c": number} for number in range(100)})
        storage.end_turn()
        assert [len(keys) for keys in storage.puts[-2:]] == [128, 75]
        assert Room(storage).hashes() == room.hashes()

    def test_each_is_a_save(self) -> None:
        storage = Deferring()
        room = Room(storage)
        saves = room.persister.get_stats()["saves"]
        statuses: list[Status] = []
        room.store.set_value("v", 1)
        room.store.set_value("v", 2)
        storage.end_turn()
        assert room.persister.get_stats()["saves"] == saves + 1
        room.persister.add_status_listener(lambda _, status: statuses.append(status))
        room.store.set_value("v", 3)
        assert statuses == [Status.SAVING, Status.IDLE]
        assert room.persister.get_stats()["saves"] == saves + 2

    def test_what_has_become_much_is_written_at_once(self) -> None:
        storage = Deferring()
        room = Room(storage)
        storage.puts.clear()
        for number in range(1 + _MOST_DEFERRED):
            assert storage.puts == []
            for value in (number, -number):
                room.store.set_cell("t", f"r{number % 100}", f"c{number // 100}", value)
        assert sum(len(put) for put in storage.puts) == 1 + _MOST_DEFERRED + 100 + 3
        room.store.set_value("v", 1)
        storage.end_turn()
        assert Room(storage).store.get_value("v") == 1
        assert room.errors == []

    def test_a_storage_that_does_not_defer_any_more_is_reported(self) -> None:
        class Over(Deferring):
            def defer(self, write: Callable[[], object]) -> None:
                raise OSError("over")

        room = Room(Over())
        room.store.set_value("v", 1)
        assert [str(error) for error in room.errors] == ["over"]
        assert room.persister._auto_save.has_unsaved_edits

    def test_a_persister_of_ones_own_is_asked_to_write(self) -> None:
        asked: list[Any] = []

        class Own(DurableObjectStoragePersister):
            def set_persisted(self, get_content: Any, changes: list[Any] | None = None) -> Any:
                asked.append(changes)
                return super().set_persisted(get_content, changes)

        storage = Deferring()
        store = MergeableStore("s1", clock=FakeClock(NOW))
        Own(store, storage).start_auto_save()
        store.set_value("v", 1)
        storage.end_turn()
        assert asked == [None, [{}, {"v": None}]]
        assert Room(storage).store.get_values() == {"v": 1}

    def test_a_rollback_is_nothing_to_save(self) -> None:
        storage = Deferring()
        room = Room(storage)
        with room.store.transaction(lambda _: True):
            room.store.set_value("v", 1)
        assert storage.deferred == []


class TestForeignThings:
    def test_foreign_keys_are_skipped(self) -> None:
        storage = Storage()
        storage.entries = dict.fromkeys(
            ("x", "ta", 't"a', 't"a","b","c","d"', 'v"a","b"', "t1", 'T"a"', "t[]"), 5
        )
        room = Room(storage)
        room.store.set_value("v", 1)
        assert room.errors == []
        assert Room(storage).store.get_values() == {"v": 1}

    @pytest.mark.parametrize(
        "value", [5, None, "abc", {}, [], [1, ""], [1, "", 0, 0], [1, 2, 3], [1, "", True], [1, "", "0"]]
    )
    def test_a_key_of_ours_without_a_stamp_is_reported(self, value: Any) -> None:
        storage = Storage()
        Room(storage).store.set_cell("t", "r", "c", 1).set_value("v", 1)
        storage.entries['v"v"'] = value
        room = Room(storage)
        assert room.store.get_content() == [{"t": {"r": {"c": 1}}}, {}]
        (error,) = room.errors
        assert isinstance(error, PersisterError)
        assert 'v"v"' in str(error)

    def test_a_storage_that_cannot_be_read_is_not_overwritten(self) -> None:
        storage = Storage()
        Room(storage).store.set_value("v", 1)
        before = dict(storage.entries)
        storage.error = OSError("broken")
        room = Room(storage)
        storage.error = None
        room.store.set_value("w", 2)
        assert storage.entries == before
        assert [type(error) for error in room.errors] == [OSError, PersisterError]
        room.persister.load()
        assert room.store.get_values() == {"v": 1, "w": 2}
        assert Room(storage).store.get_values() == {"v": 1, "w": 2}

    def test_content_that_the_store_refuses_is_not_overwritten(self) -> None:
        storage = Storage()
        Room(storage, now=NOW + 400_000).store.set_value("v", 1)
        before = dict(storage.entries)
        room = Room(storage)
        assert room.store.get_values() == {}
        assert "five minutes" in str(room.errors[0])
        room.store.set_value("w", 1)
        assert storage.entries == before


class TestTooLarge:
    def test_everything_else_is_kept(self, caplog: pytest.LogCaptureFixture) -> None:
        storage = Storage(limit=200)
        room = Room(storage)
        with caplog.at_level(logging.WARNING, logger="durabase"):
            room.store.set_row("t", "r", {"a": 1, "big": "x" * 300, "z": 2}).set_value("large", "y" * 300)
        assert [getattr(error, "key", None) for error in room.errors] == ['t"t","r","big"', 'v"large"']
        messages = [record.getMessage() for record in caplog.records]
        assert messages[0].startswith("cell 'big' of row 'r' in table 't' is too large to be stored (3")
        assert messages[1].startswith("value 'large' is too large")
        assert room.store.get_cell("t", "r", "big") == "x" * 300
        assert Room(storage).store.get_content() == [{"t": {"r": {"a": 1, "z": 2}}}, {}]

    def test_without_a_handler_there_is_one_log_line(self, caplog: pytest.LogCaptureFixture) -> None:
        store = MergeableStore("s1", clock=FakeClock(NOW))
        DurableObjectStoragePersister(store, Storage(limit=200)).start_auto_save()
        store.set_value("v", "y" * 300)
        assert len(caplog.records) == 1

    def test_after_a_restart_the_hashes_are_those_of_what_is_there(self) -> None:
        storage = Storage(limit=200)
        room = Room(storage)
        room.store.set_row("t", "r", {"a": 1, "big": "x" * 300}).set_cell("t", "q", "a", 1).set_value(
            "v", "y" * 300
        )
        woken = Room(storage)
        expected = MergeableStore("other", clock=FakeClock(NOW))
        kept = woken.store._get_encoded_mergeable_content()
        expected._apply_encoded_mergeable_changes(kept)
        assert woken.hashes() == expected.get_mergeable_content_hashes()
        assert woken.hashes() != room.hashes()

    def test_a_peer_that_has_it_brings_it_back(self) -> None:
        storage = Storage(limit=200)
        room = Room(storage)
        room.store.set_row("t", "r", {"a": 1, "big": "x" * 300}).set_value("v", "y" * 300)
        woken = Room(storage)
        woken.apply(room.store._get_encoded_mergeable_content())
        assert woken.hashes() == room.hashes()
        assert woken.store.get_content() == room.store.get_content()

    def test_the_containers_above_it_stay_marked_until_it_is_small(self) -> None:
        storage = Storage(limit=200)
        room = Room(storage)
        room.store.set_row("t", "r", {"a": 1, "big": "x" * 300})
        above = ["t", 't"t"', 't"t","r"']
        assert [storage.entries[key][2] for key in above] == [0, 0, 0]
        room.store.set_cell("t", "r", "a", 2)
        assert [storage.entries[key][2] for key in above] == [0, 0, 0]
        room.store.set_cell("t", "q", "a", 2)
        assert storage.entries['t"t","q"'][2] != 0
        room.store.set_cell("t", "r", "big", "small")
        stored = room.store._get_encoded_mergeable_content()[0]
        assert storage.entries["t"][2] == stored[2] != 0
        assert Room(storage).hashes() == room.hashes()

    def test_many_in_one_save(self) -> None:
        storage = Storage(limit=200)
        room = Room(storage)
        room.store.set_table(
            "t", {str(number): {"c": "x" * (300 if number % 3 else 3)} for number in range(200)}
        )
        assert len(room.errors) == 133
        assert len(Room(storage).store.get_row_ids("t")) == 67

    def test_an_older_copy_does_not_pass_for_the_newer(self) -> None:
        storage = Storage(limit=200)
        room = Room(storage)
        room.store.set_value("v", "small")
        room.clock.set_now_ms(NOW + 1)
        room.store.set_value("v", "y" * 300)
        woken = Room(storage)
        assert woken.store.get_values() == {"v": "small"}
        assert woken.hashes() != room.hashes()
        woken.apply(room.store._get_encoded_mergeable_content())
        assert woken.hashes() == room.hashes()


def test_a_storage_whose_put_takes_its_time() -> None:
    class Slow(Storage):
        async def put(self, entries: dict[str, Any]) -> None:  # type: ignore[override]
            await asyncio.sleep(0)
            super().put(entries)

    async def main() -> None:
        storage = Slow()
        store = MergeableStore("s1", clock=FakeClock(NOW))
        async with DurableObjectStoragePersister(store, storage) as persister:
            await persister.start_auto_save()
            store.set_value("v", 1)
            store.set_value("w", 2)
            await persister.schedule(lambda: None)
        assert Room(storage).store.get_values() == {"v": 1, "w": 2}

    asyncio.run(main())


def test_the_storage_can_be_asked_for() -> None:
    storage = Storage()
    assert Room(storage).persister.get_storage() is storage
