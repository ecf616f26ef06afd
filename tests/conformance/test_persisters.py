"""Every persister passes the checks that users can run over theirs."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from contextlib import ExitStack, closing
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from durabase.durable_objects import DurableObject
from durabase.durable_objects.host import ObjectHost
from durabase.durable_objects.hosted import ObjectClass
from durabase.errors import ValueTooLargeError
from durabase.mergeable import MergeableStore
from durabase.persisters import (
    CustomPersister,
    DurableObjectSqlStoragePersister,
    DurableObjectStoragePersister,
    FilePersister,
    FragmentedMode,
    Persists,
    SqlitePersister,
)
from durabase.testing.persister_checks import PERSISTER_CHECKS, PersisterSubject
from durabase.types import UNDEFINED


class Memory:
    """A place that is a variable; asynchronous, to have the checks run over that, too."""

    def __init__(self) -> None:
        self.text: Any = UNDEFINED

    async def read(self) -> Any:
        await asyncio.sleep(0)
        return self.text

    async def write(self, get_content: Callable[[], Any], changes: Any) -> None:
        await asyncio.sleep(0)
        self.text = get_content()


def memory_persister(store: Any, place: Memory) -> CustomPersister:
    return CustomPersister(store, place.read, place.write, persists=Persists.STORE_OR_MERGEABLE_STORE)


SUBJECTS: dict[str, Callable[[Path, ExitStack], PersisterSubject[Any]]] = {}


def subject(name: str) -> Callable[[Any], Any]:
    def add(make: Any) -> Any:
        SUBJECTS[name] = make
        return make

    return add


@subject("custom, plain")
def _custom(_folder: Path, _stack: ExitStack) -> PersisterSubject[Any]:
    return PersisterSubject(Memory, memory_persister)


@subject("custom, mergeable")
def _custom_mergeable(_folder: Path, _stack: ExitStack) -> PersisterSubject[Any]:
    return PersisterSubject(Memory, memory_persister, is_mergeable=True)


def file_subject(folder: Path, is_mergeable: bool) -> PersisterSubject[Any]:
    numbers = count()
    return PersisterSubject(
        lambda: folder / f"{next(numbers)}.json", FilePersister, is_mergeable=is_mergeable
    )


@subject("file, plain")
def _file(folder: Path, _stack: ExitStack) -> PersisterSubject[Any]:
    return file_subject(folder, False)


@subject("file, mergeable")
def _file_mergeable(folder: Path, _stack: ExitStack) -> PersisterSubject[Any]:
    return file_subject(folder, True)


def sqlite_subject(stack: ExitStack, is_mergeable: bool) -> PersisterSubject[Any]:
    return PersisterSubject(
        lambda: stack.enter_context(closing(sqlite3.connect(":memory:"))),
        lambda store, connection: SqlitePersister(store, connection, on_ignored_error=only_absence),
        is_mergeable=is_mergeable,
    )


def only_absence(error: Exception) -> None:
    assert str(error) == "tinybase:1:null", error


@subject("sqlite, plain")
def _sqlite(_folder: Path, stack: ExitStack) -> PersisterSubject[Any]:
    return sqlite_subject(stack, False)


@subject("sqlite, mergeable")
def _sqlite_mergeable(_folder: Path, stack: ExitStack) -> PersisterSubject[Any]:
    return sqlite_subject(stack, True)


@pytest.mark.parametrize("check", PERSISTER_CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("name", SUBJECTS)
def test_a_persister(name: str, check: Any, tmp_path: Path) -> None:
    with ExitStack() as stack:
        asyncio.run(check(SUBJECTS[name](tmp_path, stack)))


def run_in_object(folder: Path, storage: Any, test: Callable[[Any], Any]) -> None:
    """Run ``await test(ctx)`` in a real object."""

    class Tested(DurableObject):
        async def run(self) -> None:
            await test(self.ctx)

    async def main() -> None:
        host = ObjectHost(folder)
        host.register(ObjectClass("Tested", "tested", Tested, storage))
        async with host:
            namespace = host.namespace("Tested")
            await namespace.get(namespace.id_from_name("x")).run()

    asyncio.run(main())


@pytest.mark.parametrize("check", PERSISTER_CHECKS, ids=lambda check: check.__name__)
def test_key_value_storage_of_an_object(check: Any, tmp_path: Path) -> None:
    numbers = count()

    async def test(ctx: Any) -> None:
        await check(
            PersisterSubject(
                lambda: f"{next(numbers)}/",
                lambda store, prefix: DurableObjectStoragePersister(store, ctx.storage, prefix),
                is_mergeable=True,
            )
        )

    run_in_object(tmp_path, "kv", test)


def test_a_value_that_is_too_large_for_an_object(tmp_path: Path) -> None:
    async def test(ctx: Any) -> None:
        errors: list[Exception] = []
        store = MergeableStore()
        persister = DurableObjectStoragePersister(store, ctx.storage, on_ignored_error=errors.append)
        await persister.start_auto_save()
        store.set_row("t", "r", {"small": 1, "large": "x" * 200_000})
        again = MergeableStore()
        await DurableObjectStoragePersister(again, ctx.storage).load()
        (error,) = errors
        assert isinstance(error, ValueTooLargeError)
        assert error.key == 't"t","r","large"'
        assert again.get_tables() == {"t": {"r": {"small": 1}}}
        again._apply_encoded_mergeable_changes(store._get_encoded_mergeable_content())
        assert again.get_mergeable_content_hashes() == store.get_mergeable_content_hashes()

    run_in_object(tmp_path, "kv", test)


@pytest.mark.parametrize("check", PERSISTER_CHECKS, ids=lambda check: check.__name__)
def test_sql_storage_of_an_object(check: Any, tmp_path: Path) -> None:
    numbers = count()

    async def test(ctx: Any) -> None:
        for is_fragmented in (False, True):
            await check(
                PersisterSubject(
                    lambda: f"place{next(numbers)}_",
                    lambda store, name, is_fragmented=is_fragmented: DurableObjectSqlStoragePersister(
                        store,
                        ctx.storage.sql,
                        FragmentedMode(name) if is_fragmented else name,
                        on_ignored_error=only_absence,
                    ),
                    is_mergeable=True,
                    takes_initial_content=not is_fragmented,
                )
            )

    run_in_object(tmp_path, "sqlite", test)


class SqlStorage:
    """SQL storage as objects have it, over a database in memory."""

    def __init__(self) -> None:
        self._connection = sqlite3.connect(":memory:", isolation_level=None)

    def exec(self, sql: str, *params: Any) -> Any:
        if sql.lstrip().startswith("CREATE TABLE IF"):
            return self._connection.executescript(sql)
        cursor = self._connection.execute(sql, params)
        names = [column[0] for column in cursor.description or ()]
        return SqlRows([dict(zip(names, row, strict=True)) for row in cursor])

    def close(self) -> None:
        self._connection.close()


class SqlRows:
    def __init__(self, rows: list[Any]) -> None:
        self._rows = rows

    def to_array(self) -> list[Any]:
        return self._rows


@pytest.mark.parametrize("check", PERSISTER_CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("config", [None, FragmentedMode()], ids=["json", "fragmented"])
def test_sql_storage(config: Any, check: Any) -> None:
    def make(store: Any, place: SqlStorage) -> DurableObjectSqlStoragePersister:
        return DurableObjectSqlStoragePersister(store, place, config, on_ignored_error=only_absence)

    with ExitStack() as stack:
        subject = PersisterSubject(
            lambda: stack.enter_context(closing(SqlStorage())),
            make,
            is_mergeable=True,
            takes_initial_content=config is None,
        )
        asyncio.run(check(subject))
