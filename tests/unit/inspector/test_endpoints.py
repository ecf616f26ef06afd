"""What the operations on stores are asked for by, and what is no such question."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from unit.inspector._rooms import Asking, run

AGE = {"table": "pets", "row": "fido", "cell": "age"}


def test_questions_and_answers(tmp_path: Path) -> None:
    async def test(asking: Asking) -> None:
        for number, name in enumerate(("fido", "felix", "rex")):
            await asking.edit("set_cell", "pets", name, "age", number)
        assert await asking.edit("set_value", "count", 5) == {"result": None}
        shown = await asking.ask("GET", "store")
        assert (shown["tables"], shown["values"]) == ({"pets": 3}, {"count": 5})
        query = {"table": "pets", "sort": "age"}
        page = await asking.ask("GET", "store/table", **query, descending="yes", limit=2)
        assert [row_id for row_id, _ in page["rows"]] == ["rex", "felix"]
        rest = await asking.ask("GET", "store/table", **query, descending="no", offset=1)
        assert [row_id for row_id, _ in rest["rows"]] == ["felix", "rex"]
        for of, is_deleted in ((AGE, False), ({"value": "count"}, False), ({"value": "other"}, True)):
            assert (await asking.ask("GET", "store/stamp", **of)).get("deleted", False) is is_deleted

    run(tmp_path, test)


def test_what_is_no_question(tmp_path: Path) -> None:
    async def test(asking: Asking) -> None:
        questions: list[tuple[str, str, Any, dict[str, Any], str]] = [
            ("GET", "store/table", None, {}, "the parameter `table` is missing"),
            ("GET", "store/table", None, {"table": "pets", "offset": "-1"}, "`offset` is a number, not -1"),
            ("GET", "store/stamp", None, {"table": "pets", "row": "fido"}, "the parameter `cell` is missing"),
            *(
                (
                    *("GET", "store/past", None, query),
                    "a cell is meant by its table, row and cell, or a value by its id",
                )
                for query in ({}, {"table": "pets"}, {"table": "pets", "row": "fido"}, {"key": "k"})
            ),
            ("GET", "store/past", None, {**AGE, "cursor": "x"}, "`cursor` is a number, not x"),
            ("GET", "store/preview", None, {}, "the parameter `to` is missing"),
            ("POST", "store/edit", {"arguments": []}, {}, "the body has to be a JSON object with a `edit`"),
            ("POST", "store/edit", ["edit"], {}, "the body has to be a JSON object with a `edit`"),
        ]
        for method, path, body, query, complaint in questions:
            assert await asking.ask(method, path, body, **query) == (400, complaint)
        status, _ = await asking.ask("GET", "store", **{"class": "Nope"})
        assert status == 404

    run(tmp_path, test)
