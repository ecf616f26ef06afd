"""What administrators see of an object's past, and going back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from durabase.durable_objects.inspection import status_of
from durabase.durable_objects.routing import ObjectKey
from unit.operations.test_admin import Admin, run

DAY_MS = 86_400_000
ROOM = "class=Room&name=a"


async def changes(admin: Admin, **query: Any) -> Any:
    more = "".join(f"&{name}={each}" for name, each in query.items())
    status, found = await admin.ask("GET", f"/object/changes?{ROOM}{more}")
    assert status == 200, found
    return found


def keep(admin: Admin, **entries: Any) -> Any:
    return admin.host.namespace("Room").get_by_name("a").keep(**entries)


def test_who_changed_what_without_waking_the_object(tmp_path: Path) -> None:
    async def scenario(admin: Admin) -> None:
        await keep(admin, k=[1], other={2})
        await admin.ask("PUT", f"/object/entry?{ROOM}&key=k", {"n": 2})
        await admin.host.evict(ObjectKey("Room", admin.host.namespace("Room").id_from_name("a")))
        found = await changes(admin)
        hosted = admin.host.classes["Room"]
        status = status_of(hosted, hosted.mint.from_name("a"))
        assert status is not None
        assert status.state == "asleep"
        assert found["cursor"] is None
        second, first = found["entries"]
        assert (second["author"], first["author"]) == ({"event": "run", "admin": True}, {"event": "keep"})
        assert second["changes"] == [{"key": "k", "old": [1], "new": {"n": 2}}]
        assert first["changes"] == [{"key": "k", "new": [1]}, {"key": "other", "new": "{2}"}]
        assert (first["span"], first["time"]) == (0, hosted.clock.now_ms())

        assert (await admin.ask("GET", f"/object/export?{ROOM}"))[1]["changes"] == [second, first]

        page = await changes(admin, limit=1)
        assert [entry["number"] for entry in page["entries"]] == [second["number"]]
        rest = await changes(admin, cursor=page["cursor"])
        assert rest["entries"] == [first]
        (only,) = (await changes(admin, key="other"))["entries"]
        assert only["changes"] == [{"key": "other", "new": "{2}"}]
        assert (await changes(admin, value="k"))["entries"] == []
        assert (await admin.ask("GET", f"/object/changes?{ROOM}&row=1"))[0] == 400
        assert (await admin.ask("GET", "/object/changes?class=Room&name=nobody"))[0] == 404

    run(tmp_path, scenario, history_ms=30 * DAY_MS)


def test_what_going_back_would_change(tmp_path: Path) -> None:
    async def scenario(admin: Admin) -> None:
        await keep(admin, stays=0, changes="then", goes_and_comes=1)
        await admin.ask("POST", f"/object/sql?{ROOM}", {"query": "CREATE TABLE t (n)", "write": True})
        _, history = await admin.ask("GET", f"/object/history?{ROOM}")
        insert = {"query": "INSERT INTO t VALUES (1), (2)", "write": True}
        await admin.ask("POST", f"/object/sql?{ROOM}", insert)
        await admin.ask("DELETE", f"/object/entry?{ROOM}&key=goes_and_comes")
        await admin.ask("POST", f"/object/alarm?{ROOM}", {"time": 4_000_000_000_000})
        await keep(admin, changes="now", new={"deep": [1]})
        status, found = await admin.ask("GET", f"/object/preview?{ROOM}&to={history['bookmark']}")
        assert status == 200
        assert found["keys"] == 3
        assert sorted(found["changes"], key=lambda change: str(change["key"])) == [
            {"key": "changes", "old": "now", "new": "then"},
            {"key": "goes_and_comes", "new": 1},
            {"key": "new", "old": {"deep": [1]}},
        ]
        assert found["tables"] == {"t": {"come": 0, "go": 2}}
        assert found["alarm"] == {"old": 4_000_000_000_000, "new": None}
        _, entries = await admin.ask("GET", f"/object/entries?{ROOM}")
        assert entries["entries"]["changes"] == "now"

        await admin.ask("POST", f"/object/rewind?{ROOM}", {"to": history["bookmark"]})
        _, after = await admin.ask("GET", f"/object/preview?{ROOM}&to={history['bookmark']}")
        assert (after["keys"], after["tables"], after["alarm"]) == (0, {}, None)
        newest = (await changes(admin))["entries"][0]
        assert newest["author"] == {"event": "restore", "admin": True}
        assert newest["changes"] == [{"restored": found["time"]}]

    run(tmp_path, scenario, history_ms=30 * DAY_MS)
    assert list(tmp_path.glob("past-*")) == []


def test_what_the_program_deleted_comes_back_and_what_administrators_delete_does_not(tmp_path: Path) -> None:
    async def scenario(admin: Admin) -> None:
        await keep(admin, k=1)
        _, history = await admin.ask("GET", f"/object/history?{ROOM}")
        id = admin.host.namespace("Room").id_from_name("a")
        file = admin.host.classes["Room"].file_of(id)
        await admin.app._objects.run("Room", id, lambda _, ctx: ctx.storage.delete_all() and None)
        await admin.host.evict(ObjectKey("Room", id), close_sockets=True)
        status, undo = await admin.ask("POST", f"/object/rewind?{ROOM}", {"to": history["bookmark"]})
        assert (status, undo["problem"]) == (200, None)
        assert (await admin.ask("GET", f"/object/entries?{ROOM}"))[1]["entries"] == {"k": 1}

        assert (await admin.ask("DELETE", f"/object?{ROOM}"))[0] == 200
        await admin.host.__aexit__(None, None, None)
        assert sorted(path.suffix for path in file.parent.glob(f"{id}*")) == []
        await admin.host.__aenter__()
        assert (await admin.ask("GET", f"/object/changes?{ROOM}"))[0] == 404

    run(tmp_path, scenario, history_ms=30 * DAY_MS)


def test_a_life_that_cannot_begin_is_told(tmp_path: Path) -> None:
    async def scenario(admin: Admin) -> None:
        await keep(admin, broken=True)
        _, history = await admin.ask("GET", f"/object/history?{ROOM}")
        await keep(admin, broken=False)
        _, undo = await admin.ask("POST", f"/object/rewind?{ROOM}", {"to": history["bookmark"]})
        assert "broken" in undo["problem"]

    run(tmp_path, scenario, history_ms=30 * DAY_MS)
