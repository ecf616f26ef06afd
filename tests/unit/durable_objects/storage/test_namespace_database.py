"""Numbers, names and alarms of the objects of a class."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from durabase.durable_objects.storage.namespace_database import NamespaceDatabase, check_format
from durabase.durable_objects.storage.store import AlarmRow
from durabase.errors import StorageError


def use(path: Path, *scenarios: Callable[[NamespaceDatabase], object]) -> None:
    """Each in a life of its own, on one file."""

    async def main(scenario: Callable[[NamespaceDatabase], object]) -> None:
        with ThreadPoolExecutor(1) as executor:
            namespace = NamespaceDatabase(path, asyncio.get_running_loop(), executor)
            try:
                namespace.database.begin()
                scenario(namespace)
                namespace.database.commit_now()
            finally:
                await namespace.database.close()

    for scenario in scenarios:
        asyncio.run(main(scenario))


def fill(namespace: NamespaceDatabase) -> None:
    """Three objects, of which two have alarms."""
    for id, name, alarm in (
        (b"c", None, AlarmRow(10, 30, 1, 7)),
        (b"a", "x", None),
        (b"b", "é", AlarmRow(20, 20, 0, 3)),
    ):
        number = namespace.new_number()
        namespace.put_object(number, id, name)
        namespace.put_alarm(number, alarm)


def test_objects_are_found_by_their_ids_and_told_in_their_order(tmp_path: Path) -> None:
    def check(namespace: NamespaceDatabase) -> None:
        assert namespace.find(b"c") == (1, None)
        assert namespace.find(b"b") == (3, "é")
        assert namespace.find(b"d") is None
        assert namespace.ids() == [(b"a", "x"), (b"b", "é"), (b"c", None)]

    use(tmp_path / "d", fill, check)


def test_numbers_go_on_where_they_ended(tmp_path: Path) -> None:
    def first(namespace: NamespaceDatabase) -> None:
        assert (namespace.new_serial(), namespace.new_serial()) == (1, 2)

    def check(namespace: NamespaceDatabase) -> None:
        assert (namespace.new_number(), namespace.new_number()) == (4, 5)
        assert (namespace.new_serial(), namespace.new_serial()) == (8, 9)
        namespace.saw_serial(20)
        namespace.saw_serial(15)
        assert namespace.new_serial() == 21

    use(tmp_path / "d", first, fill, check)


def test_an_object_gets_another_name_or_is_forgotten_with_its_alarm(tmp_path: Path) -> None:
    def change(namespace: NamespaceDatabase) -> None:
        namespace.put_object(1, b"c", "learnt")
        namespace.drop_object(3)

    def check(namespace: NamespaceDatabase) -> None:
        assert namespace.ids() == [(b"a", "x"), (b"c", "learnt")]
        assert namespace.find(b"c") == (1, "learnt")
        assert namespace.alarms(99) == [(b"c", AlarmRow(10, 30, 1, 7))]

    use(tmp_path / "d", fill, change, check)


def test_alarms_are_told_by_the_time_at_which_they_are_due(tmp_path: Path) -> None:
    first, second = (b"b", AlarmRow(20, 20, 0, 3)), (b"c", AlarmRow(10, 30, 1, 7))

    def check(namespace: NamespaceDatabase) -> None:
        both = [first, second]
        assert [namespace.alarms(until) for until in (19, 20, 29, 30)] == [[], [first], [first], both]
        assert [namespace.alarms(30, limit) for limit in (0, 1, 2, 3)] == [[], [first], both, both]
        assert [namespace.next_due(after) for after in (0, 19, 20, 29, 30)] == [20, 20, 30, 30, None]
        assert [namespace.alarm_counts(until) for until in (19, 20, 30)] == [(2, 0), (2, 1), (2, 2)]
        assert (namespace.alarm(b"b", 3), namespace.alarm(b"a", 2), namespace.alarm(b"d", None)) == (
            first[1],
            None,
            None,
        )

    use(tmp_path / "d", fill, check)


def test_an_alarm_is_set_anew_and_deleted(tmp_path: Path) -> None:
    def change(namespace: NamespaceDatabase) -> None:
        namespace.put_alarm(3, None)
        namespace.put_alarm(1, AlarmRow(50, 50, 0, 8))

    def check(namespace: NamespaceDatabase) -> None:
        assert namespace.alarms(99) == [(b"c", AlarmRow(50, 50, 0, 8))]

    use(tmp_path / "d", fill, change, check)


def test_alarms_that_are_expected_count_instead_of_those_that_are_written(tmp_path: Path) -> None:
    """One that is set for another time, one that is deleted, one of an object that keeps nothing yet."""

    def check(namespace: NamespaceDatabase) -> None:
        told: list[int | None] = []
        namespace.alarms_changed = lambda: told.append(namespace.next_due(0))
        moved, new = AlarmRow(5, 5, 0, 8), AlarmRow(25, 25, 0, 9)
        namespace.expect_alarm(b"c", moved)
        namespace.expect_alarm(b"b", None)
        assert namespace.alarm_counts(4) == (1, 0)
        namespace.expect_alarm(b"new", new)
        assert told == [5, 5, 5]
        assert namespace.alarms(99) == [(b"c", moved), (b"new", new)]
        assert namespace.alarms(24) == namespace.alarms(99, 1) == [(b"c", moved)]
        assert [namespace.next_due(after) for after in (4, 5, 25)] == [5, 25, None]
        assert [namespace.alarm_counts(until) for until in (4, 5, 25)] == [(2, 0), (2, 1), (2, 2)]
        assert [namespace.alarm(id, 1) for id in (b"c", b"b", b"new")] == [moved, None, new]
        namespace.forget_expected_alarm(b"c", AlarmRow(5, 5, 0, 8))  # an earlier one, equal as it may be
        namespace.forget_expected_alarm(b"unknown", None)
        assert namespace.alarm(b"c", 1) is moved
        namespace.forget_expected_alarm(b"c", moved)
        namespace.forget_expected_alarm(b"b", None)
        assert [id for id, _ in namespace.alarms(99)] == [b"b", b"new", b"c"]

    use(tmp_path / "d", fill, check)


def test_a_database_of_a_later_version_is_left_alone(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "d", isolation_level=None)) as connection:
        assert check_format(connection, tmp_path / "d") == 0
    use(tmp_path / "d", fill)
    with closing(sqlite3.connect(tmp_path / "d", isolation_level=None)) as connection:
        assert check_format(connection, tmp_path / "d") == 1
        connection.execute("PRAGMA user_version = 2")
        with pytest.raises(StorageError, match=r"d has the format 2; this version reads up to 1$"):
            check_format(connection, tmp_path / "d")
        with closing(sqlite3.connect(":memory:")) as other:
            other.execute("ATTACH ? AS old", (str(tmp_path / "d"),))
            assert check_format(other, tmp_path / "d") == 0
            with pytest.raises(StorageError, match="has the format 2"):
                check_format(other, tmp_path / "d", "old")
    with pytest.raises(StorageError, match="has the format 2"):
        use(tmp_path / "d", fill)


def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    (tmp_path / "d").write_bytes(b"no database" * 1000)
    with pytest.raises(StorageError, match=r"d can't be used: file is not a database"):
        use(tmp_path / "d", fill)
