"""What a schema does not allow is refused whole, and told."""

from __future__ import annotations

from typing import Any

import pytest

from unit.sync_server.rest._asking import Asking, ask_all, json_of

SCHEMA: tuple[Any, Any] = (
    {
        "pets": {
            "species": {"type": "string", "required": True},
            "price": {"type": "number"},
            "sold": {"type": "boolean", "default": False},
            "toys": {"type": "array"},
        }
    },
    {"open": {"type": "boolean"}},
)
NUMBER = {"type": "number"}
ROW = ["tables", "pets", "rows", "fido"]


@pytest.mark.parametrize(
    ("method", "path", "body", "told"),
    [
        (
            "PUT",
            "/tables/pets/rows/fido",
            {"species": "dog", "price": "5"},
            {"path": [*ROW, "cells", "price"], "found": "5", "expected": NUMBER},
        ),
        ("PUT", "/tables/pets/rows/fido/cells/age", 5, {"path": [*ROW, "cells", "age"], "found": 5}),
        (
            "PUT",
            "/tables/shops/rows/a",
            {"open": 1},
            {"path": ["tables", "shops", "rows", "a", "cells", "open"]},
        ),
        ("PUT", "/tables/pets/rows/fido", {"price": 5}, {"path": [*ROW, "cells", "species"]}),
        ("PATCH", "/tables/pets/rows/new", {"price": 5}, {"detail": "it is required"}),
        (
            "POST",
            "/tables/pets/rows",
            {"price": 5},
            {"path": ["tables", "pets", "rows", None, "cells", "species"]},
        ),
        ("PATCH", "/tables/pets/rows/fido", {"price": True}, {"found": True, "expected": NUMBER}),
        ("PUT", "/values", {"open": 1}, {"path": ["values", "open"], "found": 1}),
        ("PUT", "/values/closed", True, {"path": ["values", "closed"]}),
    ],
)
def test_what_the_schema_does_not_allow_is_422_and_nothing_is_changed(
    method: str, path: str, body: Any, told: dict[str, Any]
) -> None:
    async def test(ask: Asking) -> None:
        row = {"species": "dog", "toys": [{"kind": "ball"}]}
        assert (await ask("PUT", "/tables/pets/rows/fido", row)).status == 201
        before = ask.store.get_mergeable_content()
        response = await ask(method, path, body)
        assert response.status == 422
        (invalid,) = (await json_of(response))["invalid"]
        assert invalid | told == invalid
        assert ask.store.get_mergeable_content() == before

    ask_all(test, SCHEMA)


def test_what_lacks_though_it_may_is_no_matter_and_defaults_are_filled_in() -> None:
    async def test(ask: Asking) -> None:
        response = await ask("PUT", "/tables/pets/rows/fido", {"species": "dog"})
        assert response.status == 201
        assert "etag" not in response.headers  # what there is now is not what was sent
        assert ask.store.get_row("pets", "fido") == {"species": "dog", "sold": False}

    ask_all(test, SCHEMA)


def test_what_is_no_cell_is_refused_without_a_schema_too() -> None:
    async def test(ask: Asking) -> None:
        for body in (b'"\xef\xbf\xbdx"', b'"\xef\xbf\xbc"', b"1e999"):
            response = await ask("PUT", "/values/v", body)
            assert response.status == 422
            (invalid,) = (await json_of(response))["invalid"]
            assert (invalid["path"], invalid["detail"]) == (["values", "v"], "this can't be kept")

    ask_all(test)


def test_so_many_are_told_and_no_more() -> None:
    async def test(ask: Asking) -> None:
        response = await ask("PUT", "/values", {str(number): 1 for number in range(100)})
        assert len((await json_of(response))["invalid"]) == 20

    ask_all(test, SCHEMA)
