"""Transactions: several edits, all or none."""

from __future__ import annotations

from typing import Any

import pytest

from unit.sync_server.rest._asking import Asking, ask_all, json_of

FIDO = ["tables", "pets", "rows", "fido"]


def test_all_edits_are_one_transaction() -> None:
    async def test(ask: Asking) -> None:
        await ask.has_pets()
        calls: list[Any] = []
        ask.store.add_did_finish_transaction_listener(lambda store: calls.append(store.get_transaction_log()))
        edits = [
            {"method": "PATCH", "path": FIDO, "body": {"sold": True}},
            {"method": "POST", "path": ["tables", "pets", "rows"], "body": {"species": "fish"}},
            {"method": "PUT", "path": ["values", "open"], "body": None},
            {"method": "DELETE", "path": ["tables", "pets", "rows", "felix"]},
        ]
        response = await ask("POST", "/transactions", edits)
        expected = [{"status": 204}, {"status": 201, "id": "0"}, {"status": 201}, {"status": 204}]
        assert (response.status, await json_of(response)) == (200, expected)
        assert len(calls) == 1
        assert ask.place[""] == ask.store._get_encoded_mergeable_content()
        assert ask.store.get_row_ids("pets") == ["fido", "0"]

    ask_all(test)


def test_ids_that_no_url_can_have_are_reached_by_paths() -> None:
    async def test(ask: Asking) -> None:
        path = ["tables", ".", "rows", "..", "cells", "\ud800"]
        assert (
            await ask("POST", "/transactions", [{"method": "PUT", "path": path, "body": 1}])
        ).status == 200
        assert ask.store.get_tables() == {".": {"..": {"\ud800": 1}}}
        assert (await (await ask("GET", "/tables")).text()) == r'{".":{"..":{"\ud800":1}}}'

    ask_all(test)


@pytest.mark.parametrize(
    ("edit", "status"),
    [
        ({"method": "DELETE", "path": ["values", "absent"]}, 404),
        ({"method": "PUT", "path": ["values", "v"], "body": "\ufffc"}, 422),
        ({"method": "PUT", "path": ["nowhere"], "body": 1}, 404),
        ({"method": "PATCH", "path": ["values", "v"], "body": 1}, 405),
        ({"method": "PUT", "path": FIDO, "body": 1}, 422),
        ({"method": "PUT", "path": FIDO, "body": {"a": 1}, "ifNoneMatch": "*"}, 412),
        ({"method": "PUT", "path": FIDO, "body": {"a": 1}, "ifMatch": '"00000000"'}, 412),
        ({"method": "GET", "path": FIDO}, 422),
        ({"method": ["PUT"], "path": FIDO, "body": 1}, 422),
        ({"method": "PUT", "path": "/values/v", "body": 1}, 422),
        ({"method": "PUT", "path": ["values", 1], "body": 1}, 422),
        ({"method": "PUT", "path": FIDO}, 422),
        ({"method": "DELETE", "path": FIDO, "body": 1}, 422),
        ({"method": "DELETE", "path": FIDO, "ifMatch": 1}, 422),
        ({"method": "DELETE", "path": FIDO, "if_match": "*"}, 422),
        (5, 422),
    ],
)
def test_if_one_can_not_be_made_none_is_and_it_is_told_which(edit: Any, status: int) -> None:
    async def test(ask: Asking) -> None:
        await ask.has_pets()
        await ask("PUT", "/tables/pets/rows/fido/cells/toys", [{"kind": "ball"}])
        before, kept = ask.store.get_mergeable_content(), ask.place[""]
        first = {"method": "DELETE", "path": [*FIDO, "cells", "toys"]}
        response = await ask("POST", "/transactions", [first, edit])
        told = await json_of(response)
        assert (response.status, told["status"]) == (status, status)
        if "invalid" not in told:
            assert told["edit"] == 1
        assert ask.store.get_mergeable_content() == before
        assert ask.place[""] == kept

    ask_all(test)


@pytest.mark.parametrize("body", [[], {}, None, 5])
def test_a_transaction_is_an_array_of_edits(body: Any) -> None:
    async def test(ask: Asking) -> None:
        assert (await ask("POST", "/transactions", body)).status == 422

    ask_all(test)


def test_conditions_are_of_what_was_there_before_the_transaction() -> None:
    async def test(ask: Asking) -> None:
        await ask.has_pets()
        tag = (await ask("GET", "/tables/pets/rows/fido")).headers["etag"]
        edit = {"method": "PATCH", "path": FIDO, "body": {"price": 7}, "ifMatch": tag}
        assert (await ask("POST", "/transactions", [edit, {**edit, "body": {"price": 8}}])).status == 200
        assert ask.store.get_cell("pets", "fido", "price") == 8
        assert (await ask("POST", "/transactions", [edit])).status == 412

    ask_all(test)
