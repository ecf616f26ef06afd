"""Rows page by page."""

from __future__ import annotations

from typing import Any

import pytest

from unit.sync_server.rest._asking import Asking, ask_all, json_of

ROWS = "/tables/pets/rows"


async def page(ask: Asking, query: str) -> tuple[Any, str | None]:
    response = await ask("GET", f"{ROWS}{query}")
    assert response.status == 200, await response.text()
    return await json_of(response), response.headers.get("link")


@pytest.mark.parametrize(
    ("query", "arguments"),
    [
        ("", {}),
        ("?sort_by=price", {"cell_id": "price"}),
        ("?sort_by=price&descending=true", {"cell_id": "price", "descending": True}),
        ("?descending=true&offset=2&limit=3", {"descending": True, "offset": 2, "limit": 3}),
        ("?offset=100", {"offset": 100}),
    ],
)
def test_a_page_is_what_sorted_row_ids_are(query: str, arguments: dict[str, Any]) -> None:
    async def test(ask: Asking) -> None:
        await ask("PUT", "/tables/pets", {f"r{n}": {"price": n * 7 % 5, "n": n} for n in range(8)})
        told, _ = await page(ask, query)
        row_ids = ask.store.get_sorted_row_ids("pets", **arguments)
        assert told["rowIds"] == row_ids
        assert list(told["rows"].items()) == [(id_, ask.store.get_row("pets", id_)) for id_ in row_ids]
        assert told["rowCount"] == 8

    ask_all(test)


def test_links_lead_through_all_rows() -> None:
    async def test(ask: Asking) -> None:
        await ask("PUT", "/tables/pets", {f"r{n}": {"a b&": n} for n in range(7)})
        query: str | None = "?sort_by=a+b%26&descending=true&limit=3"
        seen: list[str] = []
        while query is not None:
            told, link = await page(ask, query)
            seen += told["rowIds"]
            query = None if link is None else link.partition(">")[0][1:]
            assert link is None or link.endswith('; rel="next"')
        assert seen == [f"r{n}" for n in range(6, -1, -1)]

    ask_all(test)


def test_a_table_that_is_not_there_has_no_rows() -> None:
    async def test(ask: Asking) -> None:
        assert await page(ask, "") == ({"rowIds": [], "rows": {}, "rowCount": 0}, None)

    ask_all(test)


@pytest.mark.parametrize(
    "query",
    [
        "?limit=0",
        "?limit=1001",
        "?offset=-1",
        "?limit=1.5",
        "?limit=%C2%B2",
        "?descending=1",
        "?sort=x",
        "?limit=1&limit=2",
        "?sort_by=%FF",
        f"?offset={'9' * 5000}",
    ],
)
def test_a_query_that_is_none_is_400(query: str) -> None:
    async def test(ask: Asking) -> None:
        assert (await ask("GET", f"{ROWS}{query}")).status == 400

    ask_all(test)


def test_only_rows_have_a_query() -> None:
    async def test(ask: Asking) -> None:
        assert (await ask("GET", "/values?limit=1")).status == 400
        assert (await ask("PUT", "/values/v?limit=1", 5)).status == 400
        assert ask.store.get_values() == {}

    ask_all(test)
