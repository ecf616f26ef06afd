"""The past of a store: who wrote what, told with the stamps that won."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from durabase.inspector.past import as_cells, reason, with_reasons
from durabase.inspector.stamps import decoded
from durabase.mergeable import MergeableStore
from durabase.testing.fake_clock import FakeClock
from unit.inspector._rooms import Asking, run


def diff(value: int, hlc: str) -> str:
    """The message of a client that writes the age of fido."""
    return f'\n["",3,[[{{"pets":[{{"fido":[{{"age":[{value},"{hlc}"]}}]}}]}}],[{{}}],1]]'


OLDER, OLD, NEWER = "NrbEJxl---0dmwzH", "NrbEJxl--0-dmwzH", "NrbEJxm---0dmwzH"
"""Of the same client: the second has another counter, the third a later time."""
AGE = {"table": "pets", "row": "fido", "cell": "age"}


@pytest.mark.parametrize(("kind", "name"), [("Guarded", "guarded"), ("Tables", "tables")])
def test_who_wrote_a_cell(tmp_path: Path, kind: str, name: str) -> None:
    async def test(asking: Asking) -> None:
        query = {"class": kind, "name": name}
        ann = await asking.connect(name, "c-ann", x_user="ann")
        bob = await asking.connect(name, "c-bob", x_user="bob")
        ann.send(diff(1, OLDER))
        await asking.worker.settle()
        bob.send(diff(2, OLD))
        await asking.worker.settle()
        ann.send(diff(3, OLDER))  # does not win
        await asking.worker.settle()
        ann.send(diff(4, NEWER))
        await asking.worker.settle()
        arguments = {"edit": "del_cell", "arguments": ["pets", "fido", "age"]}
        await asking.ask("POST", "store/edit", arguments, **query)
        found = await asking.ask("GET", "store/past", **AGE, **query)
        assert found["kept"]
        assert found["present"]["deleted"]
        told = [(each.get("value"), each["author"], each.get("why")) for each in found["past"]]
        is_guarded = kind == "Guarded"
        names = [{"identity": each} if is_guarded else {} for each in ("ann", "bob")]
        said = [{"event": "web_socket_message", "client": f"c-{each}"} for each in ("ann", "bob")]
        by_ann, by_bob = (client | name for client, name in zip(said, names, strict=True))
        assert told == [
            (None, {"event": "run", "admin": True}, "time"),
            (4, by_ann, "time"),
            (2, by_bob, "counter"),
            (1, by_ann, None),
        ]
        assert found["past"][0]["deleted"]
        assert found["past"][0]["stamp"] == found["present"]["stamp"]
        listed = await asking.ask("GET", "changes", **query)
        cells = [change for entry in listed["entries"] for change in entry["changes"]]
        assert all(change.get("cell") == ["pets", "fido", "age"] for change in cells), cells
        assert cells[0] | {"stamp": ""} == {"cell": ["pets", "fido", "age"], "old": 4, "stamp": ""}
        for socket in (ann, bob):
            socket.close()

    run(tmp_path, test, history_days=30)


def test_default_content_has_an_author_and_no_time(tmp_path: Path) -> None:
    async def test(asking: Asking) -> None:
        socket = await asking.connect()
        socket.send('\n["",3,[[{}],[{"count":[5]}],1]]')
        await asking.worker.settle()
        found = await asking.ask("GET", "store/past", value="count")
        (only,) = found["past"]
        assert (only["value"], only["stamp"], only["author"]["client"]) == (5, None, "c1")
        assert found["present"]["value"] == 5
        socket.close()

    run(tmp_path, test, history_days=30)


def test_of_very_many_changes_the_first_are_told_and_the_others_counted(tmp_path: Path) -> None:
    async def test(asking: Asking) -> None:
        def fill(instance: Any, ctx: Any) -> None:
            store = instance._passing.seat.store
            with store.transaction():
                store.set_table("big", {f"r{row}": {"a": row, "b": row} for row in range(700)})
                store.set_value("count", 1)

        await asking.objects.run("Room", asking.worker.env.ROOM.id_from_name("pets"), fill)
        (entry,) = (await asking.ask("GET", "changes"))["entries"]
        assert len(entry["changes"]) == 1001
        assert entry["changes"][999]["cell"] == ["big", "r499", "b"]
        assert entry["changes"][1000] == {"more": 401}

    run(tmp_path, test, history_days=30)


def test_who_wrote_by_plain_http(tmp_path: Path) -> None:
    async def test(asking: Asking) -> None:
        url = "http://h/rest/rooms/guarded/values/count"
        headers = {"x-user": "ann", "content-type": "application/json"}
        response = await asking.worker.fetch(url, method="PUT", body="7", headers=headers)
        assert response.status == 201, await response.text()
        query = {"class": "Guarded", "name": "guarded"}
        (only,) = (await asking.ask("GET", "store/past", value="count", **query))["past"]
        assert (only["value"], only["author"]) == (7, {"event": "rest_fetch", "identity": "ann"})

    run(tmp_path, test, history_days=30)


def test_what_going_back_would_change_in_a_store(tmp_path: Path) -> None:
    async def test(asking: Asking) -> None:
        await asking.edit("set_value", "count", 1)
        bookmark = (await asking.ask("GET", "history"))["bookmark"]
        await asking.edit("set_value", "count", 2)
        await asking.edit("set_cell", "pets", "fido", "age", 5)
        found = await asking.ask("GET", "store/preview", to=bookmark)
        assert found["changes"] == [
            {"cell": ["pets", "fido", "age"], "old": 5},
            {"value": "count", "old": 2, "new": 1},
        ]
        assert not found["more"]
        await asking.ask("POST", "rewind", {"to": bookmark})
        assert (await asking.ask("GET", "store/preview", to=bookmark))["changes"] == []
        assert (await asking.ask("GET", "store"))["values"] == {"count": 1}

    run(tmp_path, test, history_days=30)


def test_without_a_history_only_the_present_is_known(tmp_path: Path) -> None:
    async def test(asking: Asking) -> None:
        await asking.edit("set_value", "count", 1)
        found = await asking.ask("GET", "store/past", value="count")
        assert (found["kept"], found["past"], found["present"]["value"]) == (False, [], 1)
        status, _ = await asking.ask("GET", "store/past", table="pets")
        assert status == 400
        status, _ = await asking.ask("GET", "store/past", value="x", **{"class": "Relay", "name": "relay"})
        assert status == 404

    run(tmp_path, test)


def test_cells_of_stored_keys() -> None:
    stamp = ["dog", "hlc", 7]
    changes = [
        {"key": "t", "old": [0, "", 1], "new": [0, "", 2]},
        {"key": 't"pets"', "new": [0, "", 2]},
        {"key": 't"pets","fido","species"', "old": stamp, "new": ["\ufffc", "later", 8]},
        {"key": 'v"open"', "new": ['\ufffd{"a":1}', "hlc", 8]},
        {"key": 'v"mine"', "new": "no stamp"},
        {"key": "other", "old": 1},
        {"more": 4},
    ]
    assert as_cells(changes) == [
        {"cell": ["pets", "fido", "species"], "old": "dog"},
        {"value": "open", "new": {"a": 1}},
        {"key": 'v"mine"', "new": "no stamp"},
        {"key": "other", "old": 1},
        {"more": 4},
    ]
    assert as_cells([{"key": 'x/v"open"', "new": [True, "hlc", 8]}], "x/") == [{"value": "open", "new": True}]


def test_why_a_stamp_won() -> None:
    stores = [MergeableStore("a", clock=FakeClock()), MergeableStore("b", clock=FakeClock())]
    stamps = []
    for store in stores:
        for value in (1, 2):
            store.set_value("v", value)
            stamps.append(store.get_mergeable_content()[1][0]["v"][1])
    one, two, other, _ = map(decoded, stamps)
    assert reason(two, one) == "counter"
    assert reason(other, one) == "client"
    assert (
        reason({"time": 2, "counter": 0, "client": "a"}, {"time": 1, "counter": 9, "client": "b"}) == "time"
    )
    assert reason(one, None) is None
    told = with_reasons([{"stamp": stamps[1]}, {"stamp": stamps[0]}, {}])
    assert [entry.get("why") for entry in told] == ["counter", None, None]
    assert told[0]["stamp"] == two
