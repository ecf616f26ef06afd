"""``ctx.storage.kv``: keys and values without awaiting."""

from __future__ import annotations

from typing import Any

import pytest

from durabase.errors import ObjectResetError, StorageError, ValueTooLargeError
from durabase.types import UNDEFINED
from unit.durable_objects.rig import Rig, run
from unit.durable_objects.storage.test_kv import in_object

sqlite_only = ("sqlite",)


@pytest.mark.feature("M-SK-1", "S-SK-3")
@in_object(kinds=sqlite_only)
def test_synchronous_keys_and_values(storage: Any) -> None:
    kv = storage.kv
    assert kv.get("a") is None
    kv.put("b", 2)
    kv.put("a", [1])
    kv.put("u", UNDEFINED)
    assert kv.get("a") == [1]
    assert kv.get("u") is None
    assert kv.list().toArray() == [["a", [1]], ["b", 2], ["u", UNDEFINED]]
    assert list(kv.list(reverse=True, limit=1)) == [["u", UNDEFINED]]
    listing = kv.list()
    assert listing.next().value == ["a", [1]]
    assert kv.delete("b") is True
    assert kv.delete("b") is False
    assert listing.next().value == ["b", 2]
    kv.list()
    with pytest.raises(StorageError, match="iterator was invalidated"):
        listing.next()
    assert storage.get("a").result == [1]


@in_object(kinds=sqlite_only)
def test_values_that_can_not_be_stored_write_nothing(storage: Any) -> None:
    with pytest.raises(ValueTooLargeError, match="for the key 'k'"):
        storage.kv.put("k", "x" * 2_300_000)
    with pytest.raises(TypeError, match=r"value\[0\]"):
        storage.kv.put("k", [object()])
    assert storage.kv.list().to_array() == []


@in_object(kinds=sqlite_only)
def test_options_are_those_of_the_storage_in_either_spelling(storage: Any) -> None:
    for key in "abcd":
        storage.kv.put(key, key)
    found = storage.kv.list({"startAfter": "a", "limit": 3}, limit=2)
    assert found.to_array() == [["b", "b"], ["c", "c"]]
    with pytest.raises(TypeError, match="both start and startAfter"):
        storage.kv.list(start="a", start_after="b")


@in_object(kinds=sqlite_only)
def test_a_listing_ends_with_another_and_not_by_its_end(storage: Any) -> None:
    storage.kv.put("a", 1)
    listing = storage.kv.list()
    storage.kv.put("b", 2)  # it is of the moment when it was begun
    assert listing.to_array() == [["a", 1]]
    assert (listing.next().done, listing.next().value) == (True, None)
    assert list(listing) == []
    with pytest.raises(TypeError):
        storage.kv.list(limit=0)
    assert listing.next().done  # nothing was begun
    storage.kv.list()
    with pytest.raises(StorageError, match=r"Only one kv\.list\(\) iterator can exist at a time"):
        list(listing)


def test_it_ends_with_the_object_s_life() -> None:
    kept: list[Any] = []

    async def scenario(rig: Rig) -> None:
        def leave(instance: Any, ctx: Any) -> None:
            kept.append(ctx.storage.kv)
            ctx.abort()

        with pytest.raises(ObjectResetError):
            await rig.run_in(leave)
        (kv,) = kept
        for call in (kv.list, lambda: kv.get("a"), lambda: kv.put("a", 1), lambda: kv.delete("a")):
            with pytest.raises(ObjectResetError):
                call()

    run(scenario, storage="sqlite")
