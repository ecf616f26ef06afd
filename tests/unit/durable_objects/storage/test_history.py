"""Going back in time: bookmarks, and restoring what they name."""

from __future__ import annotations

import os
import shutil
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from durabase.durable_objects import DurableObject
from durabase.durable_objects.storage import engine, history
from durabase.durable_objects.storage.bookmarks import ZERO
from durabase.durable_objects.storage.history_file import Entry, HistoryFile
from durabase.errors import ObjectResetError, StorageError, StorageFileError
from unit.durable_objects.rig import Rig, run
from unit.durable_objects.storage.test_kv import in_object
from unit.durable_objects.storage.test_object_copy import hosted

pytestmark = [pytest.mark.feature("C-SX-1")]

DAY_MS = 86_400_000
OPTIONS: dict[str, Any] = {"storage": "sqlite", "history_ms": 30 * DAY_MS}


class Keeping(DurableObject):
    def alarm(self) -> None: ...


async def keep(rig: Rig, number: int, name: str = "x") -> str:
    """Write, and give the bookmark of it."""

    async def write(instance: Any, ctx: Any) -> str:
        ctx.storage.put({"number": number, f"pad{number}": os.urandom(5000)})
        ctx.storage.sql.exec("CREATE TABLE IF NOT EXISTS t (n)")
        ctx.storage.sql.exec("INSERT INTO t VALUES (?)", number)
        ctx.storage.set_alarm(1_900_000_000_000 + number)
        bookmark: str = await ctx.storage.get_current_bookmark()
        return bookmark

    return str(await rig.run_in(write, name))


async def kept(rig: Rig, name: str = "x") -> Any:
    async def read(instance: Any, ctx: Any) -> Any:
        number = await ctx.storage.get("number")
        if number is None:
            return None
        assert ctx.storage.sql.exec("PRAGMA quick_check").one().quick_check == "ok"
        assert await ctx.storage.get_alarm() == 1_900_000_000_000 + number
        pads = await ctx.storage.list(prefix="pad")
        assert len(pads) == ctx.storage.sql.exec("SELECT count(*) AS n FROM t").one().n
        return number

    return await rig.run_in(read, name)


async def restore(rig: Rig, bookmark: str, name: str = "x") -> str:
    undo: list[str] = []

    async def ask(instance: Any, ctx: Any) -> None:
        undo.append(await ctx.storage.onNextSessionRestoreBookmark(bookmark))
        ctx.abort()

    with pytest.raises(ObjectResetError):
        await rig.run_in(ask, name)
    return undo[0]


def history_of(rig: Rig, name: str = "x") -> Path:
    return hosted(rig).folder / f"{rig.namespace.id_from_name(name)}.history"


def states(rig: Rig) -> list[Entry]:
    with closing(HistoryFile(history_of(rig))) as file:
        return file.states()


def test_every_bookmark_can_be_gone_back_to_and_undone() -> None:
    async def scenario(rig: Rig) -> None:
        bookmarks = [await keep(rig, number) for number in range(10)]
        assert sorted(set(bookmarks)) == bookmarks
        assert await kept(rig) == 9
        undo = await restore(rig, bookmarks[3])
        assert bookmarks[-1] <= undo
        assert await kept(rig) == 3
        assert [alarm.scheduled for _, alarm in hosted(rig).due(1 << 60)] == [1_900_000_000_003]
        later = await keep(rig, 10)
        assert later > undo
        await restore(rig, bookmarks[7])
        assert await kept(rig) == 7
        await restore(rig, later)
        assert await kept(rig) == 10
        await restore(rig, undo)
        assert await kept(rig) == 9
        await rig.restart()
        await restore(rig, bookmarks[0])
        await rig.restart()
        assert await kept(rig) == 0
        for number in (5, 2, 8):
            await restore(rig, bookmarks[number])
            assert await kept(rig) == number

    run(scenario, Keeping, **OPTIONS)


@pytest.mark.parametrize("how", ["hibernates", "restarts", "folds"])
def test_the_history_goes_on(how: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if how == "folds":
        monkeypatch.setattr(engine, "CHECKPOINT_CHANGES", 2)

    async def scenario(rig: Rig) -> None:
        bookmarks = []
        for number in range(12):
            bookmarks.append(await keep(rig, number))
            if how == "hibernates":
                await rig.pass_time(20)
            elif how == "restarts":
                await rig.restart()
            else:
                await rig.settle()
        for number in (11, 4, 0, 7):
            await restore(rig, bookmarks[number])
            assert await kept(rig) == number
        assert {entry.kind.name for entry in states(rig)} == {"CHANGES"}  # it has followed all along

    run(scenario, Keeping, **OPTIONS)


def test_the_state_of_a_time() -> None:
    async def scenario(rig: Rig) -> None:
        begun = rig.clock.now_ms()
        times = []
        for number in range(5):
            await keep(rig, number)
            times.append(rig.clock.now_ms())
            await rig.pass_time(3)

        async def look(instance: Any, ctx: Any) -> None:
            get = ctx.storage.getBookmarkForTime
            moment = datetime.fromtimestamp(times[2] / 1000, UTC)
            assert await get(times[2]) == await get(moment) == await get(times[2] + 2000)
            assert await get(rig.clock.now_ms()) == await ctx.storage.getCurrentBookmark()
            for wrong in ("x", None, True, float("nan")):
                with pytest.raises(TypeError, match="a time is milliseconds or a datetime"):
                    get(wrong)
            with pytest.raises(StorageError, match="the history begins later"):
                get(begun - 1)
            with pytest.raises(StorageError, match="in the future"):
                get(rig.clock.now_ms() + 1)
            await ctx.storage.on_next_session_restore_bookmark(await get(times[2] + 1000))

        await rig.run_in(look)
        await rig.pass_time(20)
        assert await kept(rig) == 2

    run(scenario, Keeping, **OPTIONS)


def test_what_is_written_within_a_second_is_one_entry_unless_a_bookmark_is_asked_for() -> None:
    async def scenario(rig: Rig) -> None:
        async def write(number: int) -> None:
            await rig.run_in(lambda instance, ctx: ctx.storage.put("number", number))
            await rig.settle()

        for number in range(20):
            await write(number)
        await rig.pass_time(2)
        await write(20)
        await write(21)
        await rig.restart()
        assert len(states(rig)) == 2

    run(scenario, Keeping, **OPTIONS)


def test_everything_deleted_can_be_had_again() -> None:
    async def scenario(rig: Rig) -> None:
        bookmark = await keep(rig, 1)
        await rig.run_in(lambda instance, ctx: ctx.storage.delete_all())
        await rig.restart()
        assert rig.host.ids("Keeping") == []
        assert not history_of(rig).with_suffix(".sqlite").exists()
        await restore(rig, bookmark)
        assert await kept(rig) == 1
        assert [id.name for id in rig.host.ids("Keeping")] == ["x"]

    run(scenario, Keeping, **OPTIONS)


def test_the_beginning_when_there_was_nothing() -> None:
    async def scenario(rig: Rig) -> None:
        async def empty(instance: Any, ctx: Any) -> str:
            return str(await ctx.storage.get_current_bookmark())

        before = str(await rig.run_in(empty))
        assert await keep(rig, 1) > before
        await restore(rig, before)
        assert await kept(rig) is None
        await rig.restart()
        assert rig.host.ids("Keeping") == []

    run(scenario, Keeping, **OPTIONS)


def test_a_history_that_begins_later_and_other_programs_that_write() -> None:
    async def scenario(rig: Rig) -> None:
        rig.options["history_ms"] = None
        await rig.restart()
        await keep(rig, 1)
        rig.options["history_ms"] = OPTIONS["history_ms"]
        await rig.restart()
        first = await rig.run_in(lambda instance, ctx: ctx.storage.get_current_bookmark())
        second = await keep(rig, 2)
        await rig.host.__aexit__(None, None, None)
        with sqlite3.connect(history_of(rig).with_suffix(".sqlite")) as other:
            other.execute("INSERT INTO t VALUES (100)")
        other.close()
        rig.host = rig._made()
        await rig.host.__aenter__()
        rows = "SELECT count(*) AS n FROM t"
        assert await rig.run_in(lambda instance, ctx: ctx.storage.sql.exec(rows).one().n) == 3
        undo = await restore(rig, first)
        assert await kept(rig) == 1
        await restore(rig, undo)
        assert await rig.run_in(lambda instance, ctx: ctx.storage.sql.exec(rows).one().n) == 3
        await restore(rig, second)
        assert await kept(rig) == 2

    run(scenario, Keeping, **OPTIONS)


def test_what_is_old_is_let_go() -> None:
    async def scenario(rig: Rig) -> None:
        bookmarks = []
        for number in range(40):
            bookmarks.append(await keep(rig, number))
            await rig.pass_time(2 * 86_400)
        await rig.restart()
        assert await kept(rig) == 39
        assert 15 <= len(states(rig)) <= 18
        with pytest.raises(StorageError, match="not kept any more"):
            await rig.run_in(lambda instance, ctx: ctx.storage.on_next_session_restore_bookmark(bookmarks[5]))
        for number in (38, 26):
            await restore(rig, bookmarks[number])
            assert await kept(rig) == number

    run(scenario, Keeping, **OPTIONS)


def test_bookmarks_that_are_none() -> None:
    async def scenario(rig: Rig) -> None:
        other = await keep(rig, 1, "y")
        mine = await keep(rig, 1)

        async def attempt(instance: Any, ctx: Any) -> None:
            ask = ctx.storage.on_next_session_restore_bookmark
            for text, problem in (
                ("x", "'x' is no bookmark"),
                (other, "of another object"),
                (mine[:9] + "00000099" + mine[17:], "not kept any more"),
                (mine[:18] + "00000005" + mine[26:], "has not happened"),
            ):
                with pytest.raises(StorageError, match=problem):
                    ask(text)
            with pytest.raises(TypeError, match="a bookmark is a string"):
                ask(5)

        await rig.run_in(attempt)

    run(scenario, Keeping, **OPTIONS)


def test_in_a_transaction_it_is_what_was_before(monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario(rig: Rig) -> None:
        before = await keep(rig, 1)

        async def within(instance: Any, ctx: Any) -> str:
            def closure() -> Any:
                ctx.storage.put("number", 2)
                return ctx.storage.get_current_bookmark().result

            return str(ctx.storage.transaction_sync(closure))

        assert await rig.run_in(within) == before
        assert await rig.run_in(lambda instance, ctx: ctx.storage.get("number")) == 2

    run(scenario, Keeping, **OPTIONS)


def test_reading_leaves_no_history() -> None:
    async def scenario(rig: Rig) -> None:
        await rig.run_in(lambda instance, ctx: ctx.storage.sql.exec("SELECT 1").one())
        await rig.pass_time(20)
        await rig.restart()
        assert not history_of(rig).exists()

    run(scenario, Keeping, **OPTIONS)


@pytest.mark.parametrize("how", ["cut off", "damaged", "no history"])
def test_a_history_that_is_damaged(how: str) -> None:
    async def scenario(rig: Rig) -> None:
        bookmarks = [await keep(rig, number) for number in range(3)]
        await rig.host.__aexit__(None, None, None)
        history = history_of(rig)
        data = history.read_bytes()
        if how == "cut off":
            entry = states(rig)[-1]
            os.truncate(history, entry.offset + 10)
        elif how == "damaged":
            entry = states(rig)[1]
            history.write_bytes(data[: entry.offset + 50] + b"\0\0\0" + data[entry.offset + 53 :])
        else:
            history.write_bytes(b"something else" * 10)
        rig.host = rig._made()
        await rig.host.__aenter__()
        if how == "no history":
            with pytest.raises(StorageFileError, match="is no history of an object"):
                await kept(rig)
            return
        assert await kept(rig) == 2
        await restore(rig, bookmarks[0])
        assert await kept(rig) == 0
        if how == "damaged":
            await restore(rig, bookmarks[2])
            with pytest.raises(StorageFileError, match=r"is damaged: entry 2.*Remove .*\.restore to go on"):
                await kept(rig)
            history.with_suffix(".restore").unlink()
            assert await kept(rig) == 0

    run(scenario, Keeping, **OPTIONS)


def test_a_copy_of_the_folder_goes_on_with_all_of_the_database() -> None:
    async def scenario(rig: Rig) -> None:
        bookmark = await keep(rig, 1)
        await rig.host.__aexit__(None, None, None)
        shutil.copytree(rig.folder, f"{rig.folder}-copy", copy_function=shutil.copyfile)
        shutil.rmtree(rig.folder)
        os.rename(f"{rig.folder}-copy", rig.folder)
        rig.host = rig._made()
        await rig.host.__aenter__()
        await keep(rig, 2)
        await restore(rig, bookmark)
        assert await kept(rig) == 1

    run(scenario, Keeping, **OPTIONS)


def test_what_is_about_to_be_restored_is_not_let_go() -> None:
    async def scenario(rig: Rig) -> None:
        bookmark = await keep(rig, 0)
        await rig.pass_time(2 * 86_400)
        for number in range(1, 10):
            await keep(rig, number)
            await rig.pass_time(86_400)
        undo = await rig.run_in(lambda instance, ctx: ctx.storage.on_next_session_restore_bookmark(bookmark))
        rig.clock.advance(40 * DAY_MS)
        await rig.restart()
        assert await kept(rig) == 0
        await rig.restart()
        with pytest.raises(StorageError, match="not kept any more"):
            await rig.run_in(lambda instance, ctx: ctx.storage.on_next_session_restore_bookmark(bookmark))
        await restore(rig, str(undo))
        assert await kept(rig) == 9

    run(scenario, Keeping, **OPTIONS)


@in_object(Keeping)
async def test_without_a_history(storage: Any) -> None:
    assert await storage.getCurrentBookmark() == ZERO
    for call in (lambda: storage.getBookmarkForTime(5), lambda: storage.onNextSessionRestoreBookmark(ZERO)):
        with pytest.raises(StorageError, match="does not implement point-in-time recovery"):
            call()


def test_a_busy_object_has_few_states_and_each_can_be_gone_back_to(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "CHECKPOINT_CHANGES", 2)

    async def scenario(rig: Rig) -> None:
        asked = await keep(rig, 0)
        await rig.pass_time(2)
        times = {}
        for number in range(1, 120):
            await rig.run_in(lambda _, ctx, number=number: ctx.storage.put("number", number) and None)
            await rig.settle()
            times[number] = rig.clock.now_ms()
            await rig.pass_time(20 if number < 60 else 120)
        await rig.pass_time(5 * DAY_MS / 1000)
        size = history_of(rig).stat().st_size
        await rig.restart()
        await rig.run_in(lambda _, ctx: ctx.storage.get("number"))
        await rig.restart()
        assert history_of(rig).stat().st_size < size
        left = states(rig)
        assert len(left) <= 8
        for entry in left:
            found = [number for number, time_ms in times.items() if time_ms <= entry.time_ms]
            await back_to(rig, entry.time_ms)
            assert await rig.run_in(lambda _, ctx: ctx.storage.get("number")) == max(found, default=0)
        await restore(rig, asked)
        assert await kept(rig) == 0

    async def back_to(rig: Rig, time_ms: int) -> None:
        def go(instance: Any, ctx: Any) -> None:
            bookmarks = ctx.storage._bookmarks()
            bookmarks.restore_next(bookmarks.at(time_ms))
            ctx.abort()

        with pytest.raises(ObjectResetError):
            await rig.run_in(go)

    run(scenario, Keeping, **OPTIONS)


def test_bookmarks_that_somebody_has_stay_exact() -> None:
    async def scenario(rig: Rig) -> None:
        bookmarks = [await keep(rig, number) for number in range(20)]  # all of one second
        undo = await restore(rig, bookmarks[3])
        await rig.pass_time(5 * DAY_MS / 1000)
        for number in range(20, 40):
            await keep(rig, number)
            await rig.pass_time(3)
        await rig.pass_time(5 * DAY_MS / 1000)
        await rig.restart()
        for number in (5, 11, 18):
            await restore(rig, bookmarks[number])
            assert await kept(rig) == number
        await restore(rig, undo)
        assert await kept(rig) == 19

    run(scenario, Keeping, **OPTIONS)


def test_only_the_latest_bookmarks_are_exact(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history, "MAX_PINNED", 5)
    monkeypatch.setattr(history, "FOLD_PART", 0.0)

    async def scenario(rig: Rig) -> None:
        bookmarks = [await keep(rig, number) for number in range(20)]
        await rig.pass_time(DAY_MS / 1000)
        await rig.restart()
        await rig.run_in(lambda _, ctx: ctx.storage.get("number"))
        await rig.restart()
        assert [entry.number for entry in states(rig)] == [1, 16, 17, 18, 19, 20]
        with pytest.raises(StorageError, match="not kept any more"):
            await rig.run_in(lambda _, ctx: ctx.storage.on_next_session_restore_bookmark(bookmarks[9]))
        await restore(rig, bookmarks[15])
        assert await kept(rig) == 15

    run(scenario, Keeping, **OPTIONS)
