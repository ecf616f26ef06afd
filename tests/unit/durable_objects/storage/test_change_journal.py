"""Who changed what: written with the change, folded with age, carried over a restore."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from durabase.durable_objects import DurableObject
from durabase.durable_objects.authors import Author, current_author
from durabase.durable_objects.storage import change_journal
from durabase.durable_objects.storage.change_journal import (
    Change,
    ChangeJournal,
    JournalRow,
    merged,
    path_of,
    read_journal,
)
from durabase.errors import ObjectResetError
from unit.durable_objects.rig import Rig, run
from unit.durable_objects.storage.test_object_copy import hosted

HOUR_MS, DAY_MS = 3_600_000, 86_400_000
OPTIONS: dict[str, Any] = {"storage": "sqlite", "history_ms": 30 * DAY_MS}


class Keeping(DurableObject):
    def keep(self, **entries: Any) -> None:
        self.ctx.storage.put(entries)

    def alarm(self) -> None:
        self.ctx.storage.put("rang", True)


def file_of(rig: Rig) -> Path:
    return hosted(rig).file_of(rig.namespace.id_from_name("x"))


def rows(rig: Rig, since_ms: int = 0) -> list[JournalRow]:
    return list(read_journal(file_of(rig), since_ms))


def told(rig: Rig) -> list[tuple[Any, list[Change]]]:
    return [(json.loads(row.author), row.changes) for row in rows(rig)]


def test_calls_alarms_and_the_server_are_told_apart() -> None:
    async def scenario(rig: Rig) -> None:
        await rig.stub().keep(a=1)
        await rig.stub().keep(a=1)  # is what it was
        await rig.run_in(lambda _, ctx: ctx.storage.set_alarm(rig.clock.now_ms() + 5000) and None)
        await rig.pass_time(6)
        due = rig.clock.now_ms() - 1000
        called, server, alarm = [{"event": event} for event in ("keep", "run", "alarm")]
        found = told(rig)
        assert [author for author, _ in found] == [alarm, server, called]
        assert found[2][1] == [{"key": "a", "new": b"J1"}]
        assert found[1][1] == [{"alarm": True, "new": due}]
        assert found[0][1] == [{"key": "rang", "new": b"Jtrue"}, {"alarm": True, "old": due}]
        await rig.restart()
        assert told(rig) == found

    run(scenario, Keeping, **OPTIONS)


def test_authors_are_kept_with_what_they_write_in_one_turn() -> None:
    async def scenario(rig: Rig) -> None:
        def write(_: Any, ctx: Any) -> None:
            for name in ("ann", "bob", "ann"):
                current_author.set(Author(name, client=f"c-{name}"))
                ctx.storage.put("by", name)
            ctx.storage.sql.exec("CREATE TABLE t (n)")
            ctx.storage.sql.exec("CREATE TABLE IF NOT EXISTS t (n)")
            ctx.storage.sql.exec("INSERT INTO t VALUES (1), (2)")
            ctx.storage.sql.exec("UPDATE t SET n = 3 WHERE n = 9")

        await rig.run_in(write)
        (bob, changed), (ann, others) = told(rig)
        assert (ann["identity"], bob["identity"], bob["client"]) == ("ann", "bob", "c-bob")
        assert changed == [{"key": "by", "old": b"Sann", "new": b"Sbob"}]
        assert others == [
            {"key": "by", "new": b"Sann", "times": 2},
            {"sql": "CREATE TABLE t (n)", "rows": 0},
            {"sql": "INSERT INTO t VALUES (1), (2)", "rows": 2},
        ]

    run(scenario, Keeping, **OPTIONS)


def test_what_is_rolled_back_or_lost_is_not_told() -> None:
    async def scenario(rig: Rig) -> None:
        def roll_back(_: Any, ctx: Any) -> None:
            def fail() -> None:
                ctx.storage.put("b", 2)
                raise ValueError

            ctx.storage.put("a", 1)
            with pytest.raises(ValueError):
                ctx.storage.transaction_sync(fail)

        def abort(_: Any, ctx: Any) -> None:
            ctx.storage.put("c", 3)
            ctx.abort()

        await rig.run_in(roll_back)
        with pytest.raises(ObjectResetError):
            await rig.run_in(abort)
        assert [changes for _, changes in told(rig)] == [[{"key": "a", "new": b"J1"}]]

    run(scenario, Keeping, **OPTIONS)


def test_deleting_everything_deletes_the_journal() -> None:
    async def scenario(rig: Rig) -> None:
        await rig.stub().keep(a=1)
        await rig.run_in(lambda _, ctx: ctx.storage.delete_all() and None)
        assert rows(rig) == []
        await rig.restart()
        assert not file_of(rig).exists()

    run(scenario, Keeping, **OPTIONS)


def test_without_a_history_there_is_no_journal() -> None:
    async def scenario(rig: Rig) -> None:
        await rig.stub().keep(a=1)
        assert rows(rig) == []
        with closing(sqlite3.connect(file_of(rig))) as file:
            assert file.execute("SELECT 1 FROM sqlite_schema WHERE name LIKE '%CHANGES%'").fetchone() is None

    run(scenario, Keeping, storage="sqlite")


def test_a_restore_is_told_and_what_it_took_back_stays_told() -> None:
    async def scenario(rig: Rig) -> None:
        await rig.stub().keep(a=1)
        bookmark = await rig.run_in(lambda _, ctx: ctx.storage.get_current_bookmark())
        await rig.stub().keep(a=2)

        def go_back(_: Any, ctx: Any) -> None:
            current_author.set(Author("ann"))
            ctx.storage.on_next_session_restore_bookmark(bookmark)
            ctx.abort()

        with pytest.raises(ObjectResetError):
            await rig.run_in(go_back)
        assert await rig.run_in(lambda _, ctx: ctx.storage.get("a")) == 1
        (restored, changes), (_, second), (_, first) = told(rig)
        assert restored == {"event": "restore", "identity": "ann"}
        assert changes == [{"restored": rig.clock.now_ms()}]
        assert (second, first) == ([{"key": "a", "old": b"J1", "new": b"J2"}], [{"key": "a", "new": b"J1"}])

    run(scenario, Keeping, **OPTIONS)


def test_large_values_and_many_changes_are_not_told_in_full() -> None:
    async def scenario(rig: Rig) -> None:
        await rig.stub().keep(large="x" * 5000)
        await rig.run_in(lambda _, ctx: ctx.storage.put({f"k{n}": n for n in range(1500)}) and None)
        (_, many), (_, large) = told(rig)
        assert large == [{"key": "large", "new_bytes": 5001}]
        assert len(many) == 1001
        assert many[-1] == {"more": 500}

    run(scenario, Keeping, **OPTIONS)


def journal_of(folder: Path, times: list[int], monkeypatch: pytest.MonkeyPatch) -> list[JournalRow]:
    """What a journal has that was written to at these times, and folded after each."""
    monkeypatch.setattr(change_journal, "FOLD_EVERY", 1)
    now = [0]
    journal = ChangeJournal(lambda: now[0], 30 * DAY_MS)
    with closing(sqlite3.connect(folder / "file", isolation_level=None)) as connection:
        for count, time_ms in enumerate(times):
            now[0] = time_ms
            connection.execute("BEGIN")
            journal.note({"key": "k", "old": count, "new": count + 1})
            journal.write(connection)
            connection.execute("COMMIT")
    return list(read_journal(folder / "file", 0))


def test_older_rows_are_folded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    minutes = [10 * DAY_MS + second * 1000 for second in range(300)]
    found = journal_of(tmp_path, [*minutes, 10 * DAY_MS + 2 * HOUR_MS], monkeypatch)
    assert [row.span_ms for row in found] == [0, *[60_000] * 5]
    assert found[-1].changes == [{"key": "k", "old": 0, "new": 60, "times": 60}]
    assert found[1].changes == [{"key": "k", "old": 240, "new": 300, "times": 60}]
    assert found[1].time_ms == minutes[-1]


def test_a_busy_object_has_few_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    days = [day * DAY_MS + minute * 60_000 for day in range(1, 40) for minute in range(0, 1440, 15)]
    found = journal_of(tmp_path, days, monkeypatch)
    assert len(found) < 30 * 24 + 24 * 4 + 5
    assert days[-1] - found[-1].time_ms <= 30 * DAY_MS
    assert sum(row.changes[0].get("times", 1) for row in found) in range(30 * 96, 30 * 96 + 5)


def test_however_young_there_are_only_so_many_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(change_journal, "MAX_FINE_ROWS", 50)
    found = journal_of(tmp_path, [DAY_MS + n for n in range(500)], monkeypatch)
    assert len(found) <= 53
    assert found[-1].changes[0]["old"] == 0


def test_merging() -> None:
    changes: list[Change] = [
        {"cell": ["t", "r", "c"], "new": 1, "stamp": "a"},
        {"more": 2},
        {"cell": ["t", "r", "c"], "old": 1, "stamp": "b"},
        {"more": 3},
        {"sql": "x", "rows": 1},
        {"sql": "x", "rows": 2},
    ]
    assert merged(changes) == [
        {"cell": ["t", "r", "c"], "stamp": "b", "times": 2},
        {"sql": "x", "rows": 3, "times": 2},
        {"more": 5},
    ]
    assert [path_of(change)[0] for change in changes] == ["cell", "more", "cell", "more", "sql", "sql"]
