"""Key-value namespaces in their files: what is kept, in which order it is listed, and what is no file."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable
from contextlib import closing
from pathlib import Path

import pytest

from durabase.errors import StorageError
from durabase.testing import FakeClock
from durabase.workers.bindings.kv.store import KvEntry, KvStores, ListedKey

NOW = 1_700_000_000


def use(
    directory: Path, program: Callable[[KvStores], Awaitable[None]], clock: FakeClock | None = None
) -> None:
    async def main() -> None:
        stores = KvStores(directory, clock or FakeClock(NOW * 1000))
        try:
            await program(stores)
        finally:
            await stores.close()

    asyncio.run(main())


def test_an_id_has_one_store_and_one_file(tmp_path: Path) -> None:
    async def program(stores: KvStores) -> None:
        store = stores.store("a/../ä")
        assert stores.store("a/../ä") is store
        assert stores.store("b") is not store
        await store.put(b"k", b"1", None, None)
        await stores.store("b").put(b"k", b"2", None, None)
        assert await store.get([b"k"]) == [KvEntry(b"1", None)]

    use(tmp_path / "kv", program)
    assert sorted(path.name for path in (tmp_path / "kv").iterdir()) == ["a%2F..%2F%C3%A4.sqlite", "b.sqlite"]


def test_what_was_put_is_there_when_it_is_opened_again(tmp_path: Path) -> None:
    async def put(stores: KvStores) -> None:
        store = stores.store("id")
        await store.put(b"k", b"old", "{}", NOW + 9)
        await store.put(b"k", b"\0\xff", '{"a":1}', None)
        await stores.close()
        assert await store.get([b"k"]) == [KvEntry(b"\0\xff", '{"a":1}')]

    async def get(stores: KvStores) -> None:
        assert await stores.store("id").get([b"x", b"k", b"x"]) == [None, KvEntry(b"\0\xff", '{"a":1}'), None]
        await stores.store("id").delete(b"k")
        await stores.store("id").delete(b"k")
        assert await stores.store("id").get([b"k"]) == [None]

    use(tmp_path, put)
    use(tmp_path, get)


def test_keys_are_listed_in_the_order_of_their_bytes(tmp_path: Path) -> None:
    async def program(stores: KvStores) -> None:
        store = stores.store("id")
        for key in (b"b", b"a\xff", b"a", b"ab", b"\xff", b"B"):
            await store.put(key, b"", key.hex(), NOW + 60 if key == b"ab" else None)
        assert [listed.key for listed in await store.list(b"", None, 10)] == [
            *(b"B", b"a", b"ab", b"a\xff", b"b", b"\xff"),
        ]
        assert await store.list(b"a", None, 2) == [
            *(ListedKey(b"a", None, "61"), ListedKey(b"ab", NOW + 60, "6162")),
        ]
        assert [listed.key for listed in await store.list(b"a", b"a", 9)] == [b"ab", b"a\xff"]
        assert await store.list(b"a", b"b", 9) == []

    use(tmp_path, program)


def test_what_has_expired_is_gone_at_that_second_and_swept_by_the_next_put(tmp_path: Path) -> None:
    clock = FakeClock(NOW * 1000)

    async def program(stores: KvStores) -> None:
        store = stores.store("id")
        await store.put(b"k", b"v", None, NOW + 2)
        clock.advance(1_999)
        assert await store.get([b"k"]) == [KvEntry(b"v", None)]
        clock.advance(1)
        assert await store.get([b"k"]) == [None]
        assert await store.list(b"", None, 9) == []
        assert count(tmp_path / "id.sqlite") == 1
        await store.put(b"other", b"", None, NOW + 3)
        assert count(tmp_path / "id.sqlite") == 1

    use(tmp_path, program, clock)


def count(path: Path) -> int:
    with closing(sqlite3.connect(path)) as connection:
        (found,) = connection.execute("SELECT count(*) FROM entries").fetchone()
        return int(found)


def test_calls_happen_in_their_order(tmp_path: Path) -> None:
    async def program(stores: KvStores) -> None:
        store = stores.store("id")
        puts = [store.put(b"k", str(number).encode(), None, None) for number in range(20)]
        _, found = await asyncio.gather(asyncio.gather(*puts), store.get([b"k"]))
        assert found == [KvEntry(b"19", None)]

    use(tmp_path, program)


def test_what_is_no_file_of_this_version(tmp_path: Path) -> None:
    (tmp_path / "text.sqlite").write_bytes(b"something else" * 100)
    (tmp_path / "folder.sqlite").mkdir()
    with closing(sqlite3.connect(tmp_path / "newer.sqlite")) as connection:
        connection.execute("PRAGMA user_version = 2")

    async def program(stores: KvStores) -> None:
        for id, complaint in (
            ("text", r"^the key-value namespace in .*text\.sqlite can't be used: file is not a database$"),
            ("folder", r"folder\.sqlite can't be used: unable to open database file"),
            ("newer", r"newer\.sqlite has the format 2; this version reads up to 1$"),
        ):
            with pytest.raises(StorageError, match=complaint):
                await stores.store(id).get([b"k"])

    use(tmp_path, program)
