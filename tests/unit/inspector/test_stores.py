"""Looking into the stores of rooms, and editing them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from unit.inspector._rooms import Asking, run


def test_what_a_room_has(tmp_path: Path) -> None:
    async def test(asking: Asking) -> None:
        socket = await asking.connect()
        assert await asking.edit("set_row", "pets", "fido", {"age": 5, "tags": ["a"]}) == {"result": None}
        assert await asking.edit("add_row", "pets", {"age": 3}) == {"result": "0"}
        assert await asking.edit("set_value", "count", 1.5) == {"result": None}
        shown = await asking.ask("GET", "store")
        assert shown == {
            "kind": "store",
            "path": "pets",
            "clients": ["c1"],
            "tables": {"pets": 2},
            "values": {"count": 1.5},
        }
        socket.close()

    run(tmp_path, test)


def test_other_objects_have_no_store(tmp_path: Path) -> None:
    async def test(asking: Asking) -> None:
        socket = await asking.connect("relay")
        relay = {"class": "Relay", "name": "relay"}
        assert (await asking.ask("GET", "store", **relay))["kind"] == "relay"
        await asking.worker.env.OTHER.get_by_name("o").keep(1)
        other = {"class": "Other", "name": "o"}
        assert await asking.ask("GET", "store", **other) == {"kind": "none"}
        for which, name in ((relay, "Relay"), (other, "Other")):
            answer = await asking.ask("GET", "store/table", table="t", **which)
            assert answer == (409, f"The object of {name} has no store.")
        assert await asking.ask("GET", "watch", **other) == (409, "Other o is no room of TinyBase.")
        nobody = await asking.ask("GET", "store", name="nobody")
        assert nobody == (404, "There is no object nobody of Room.")
        socket.close()

    run(tmp_path, test)


def test_some_rows_in_an_order(tmp_path: Path) -> None:
    async def test(asking: Asking) -> None:
        for number in range(5):
            await asking.edit("set_row", "t", f"r{number}", {"n": -number})
        found = await asking.ask("GET", "store/table", table="t", sort="n", offset="1", limit="2")
        assert found == {"cells": ["n"], "count": 5, "rows": [["r3", {"n": -3}], ["r2", {"n": -2}]]}
        found = await asking.ask("GET", "store/table", table="t", descending="yes", limit="1")
        assert found["rows"] == [["r4", {"n": -4}]]
        assert await asking.ask("GET", "store/table", table="t", offset="x") == (
            400,
            "`offset` is a number, not x",
        )

    run(tmp_path, test)


def test_edits_are_told_to_clients_and_last(tmp_path: Path) -> None:
    async def test(asking: Asking) -> None:
        socket = await asking.connect()
        await asking.edit("set_cell", "pets", "fido", "name", "Fido <b>")
        told = await socket.receive()
        assert isinstance(told, str)
        assert "Fido <b>" in told
        socket.close()
        await asking.worker.crash()
        again = Asking(asking.worker)
        assert (await again.ask("GET", "store/table", table="pets"))["rows"] == [
            ["fido", {"name": "Fido <b>"}]
        ]
        await again.edit("del_cell", "pets", "fido", "name")
        assert (await again.ask("GET", "store"))["tables"] == {}

    run(tmp_path, test)


def test_every_edit(tmp_path: Path) -> None:
    async def test(asking: Asking) -> None:
        await asking.edit("set_row", "a", "1", {"x": 1})
        await asking.edit("set_row", "a", "2", {"x": 1})
        await asking.edit("del_row", "a", "1")
        await asking.edit("set_row", "b", "1", {"x": 1})
        await asking.edit("del_table", "b")
        await asking.edit("set_value", "name", "n")
        await asking.edit("set_value", "count", 1)
        await asking.edit("del_value", "count")
        shown = await asking.ask("GET", "store")
        assert (shown["tables"], shown["values"]) == ({"a": 1}, {"name": "n"})

    run(tmp_path, test)


@pytest.mark.parametrize(
    ("edit", "arguments", "status", "text"),
    [
        ("destroy", [], 400, "there is no edit destroy"),
        ("set_value", ["count"], 400, "set_value takes 2 arguments"),
        ("set_value", [1, 2], 400, "ids are strings"),
        ("add_row", ["t", 1], 400, "a row is an object of cells"),
        ("set_value", ["count", "many"], 409, "The store refuses this: count. Nothing has changed."),
        ("set_row", ["t", "r", {"a": 1, "b": "\ufffc"}], 409, "The store refuses this: t r b. Nothing has"),
    ],
)
def test_what_is_refused(tmp_path: Path, edit: str, arguments: list[Any], status: int, text: str) -> None:
    async def test(asking: Asking) -> None:
        found_status, found = await asking.edit(edit, *arguments)
        assert (found_status, found[: len(text)]) == (status, text)
        shown = await asking.ask("GET", "store")
        assert (shown["tables"], shown["values"]) == ({}, {})

    run(tmp_path, test)


def test_who_wrote_what(tmp_path: Path) -> None:
    async def test(asking: Asking) -> None:
        cell = {"table": "pets", "row": "fido", "cell": "age"}
        never = {"deleted": True, "stamp": None, "hash": None}
        assert await asking.ask("GET", "store/stamp", **cell) == never
        assert await asking.ask("GET", "store/stamp", value="count") == never
        await asking.edit("set_cell", "pets", "fido", "age", 5)
        await asking.edit("set_value", "count", 1)
        first = await asking.ask("GET", "store/stamp", **cell)
        assert first["value"] == 5
        assert set(first["stamp"]) == {"time", "counter", "client", "hlc"}
        await asking.edit("del_cell", "pets", "fido", "age")
        deleted = await asking.ask("GET", "store/stamp", **cell)
        assert deleted["deleted"]
        assert deleted["stamp"]["hlc"] > first["stamp"]["hlc"]
        assert deleted["stamp"]["client"] == first["stamp"]["client"]
        value = await asking.ask("GET", "store/stamp", value="count")
        assert value["value"] == 1
        assert value["stamp"]["client"] == first["stamp"]["client"]

    run(tmp_path, test)
