"""Each resource of a room: what it gives, how it is written, and with which status."""

from __future__ import annotations

from typing import Any

import pytest

from unit.sync_server.rest._asking import NOTHING, PETS, Asking, ask_all, json_of

FIDO = "/tables/pets/rows/fido"
WRITES: list[tuple[str, str, Any, int]] = [
    ("PUT", "/tables/pets/rows/rex", {"species": "dog"}, 201),
    ("PUT", FIDO, {"species": "wolf"}, 204),
    ("PATCH", FIDO, {"sold": True}, 204),
    ("PATCH", "/tables/pets/rows/rex", {"sold": True}, 201),
    ("DELETE", FIDO, NOTHING, 204),
    ("DELETE", "/tables/pets/rows/rex", NOTHING, 404),
    ("PUT", f"{FIDO}/cells/price", 6.5, 204),
    ("PUT", f"{FIDO}/cells/toys", ["ball", {"a": None}], 201),
    ("PUT", f"{FIDO}/cells/owner", None, 201),
    ("DELETE", f"{FIDO}/cells/price", NOTHING, 204),
    ("DELETE", f"{FIDO}/cells/owner", NOTHING, 404),
    ("PUT", "/tables/shops", {"one": {"open": True}}, 201),
    ("PUT", "/tables/pets", {"rex": {"species": "dog"}}, 204),
    ("DELETE", "/tables/pets", NOTHING, 204),
    ("DELETE", "/tables/shops", NOTHING, 404),
    ("PUT", "/tables", {}, 204),
    ("PUT", "/tables", {"shops": {"one": {"open": True}}}, 204),
    ("DELETE", "/tables", NOTHING, 204),
    ("PUT", "/values", {"open": True}, 204),
    ("PUT", "/values", {}, 204),
    ("PATCH", "/values", {"open": True}, 204),
    ("DELETE", "/values", NOTHING, 204),
    ("PUT", "/values/name", "Pets", 201),
    ("PUT", "/values/price", 2, 204),
    ("DELETE", "/values/price", NOTHING, 204),
    ("DELETE", "/values/name", NOTHING, 404),
    ("PUT", "", [{"t": {"r": {"c": 1}}}, {}], 204),
    ("POST", "/tables/pets/rows", {"species": "fish"}, 201),
]


@pytest.mark.parametrize(("method", "path", "body", "status"), WRITES)
def test_a_write_does_what_the_store_does_and_is_kept(method: str, path: str, body: Any, status: int) -> None:
    async def test(ask: Asking) -> None:
        await ask.has_pets()
        await ask("PUT", "/values", {"price": 1})
        before = ask.store.get_content()
        assert (await ask(method, path, body)).status == status
        assert (ask.store.get_content() == before) == (status == 404)
        kept = ask.place[""]
        assert kept == ask.store._get_encoded_mergeable_content()
        read = await ask("GET", path)
        if method == "PUT":
            assert await json_of(read) == body
        elif method == "DELETE" and path not in ("/tables", "/values"):
            assert read.status == 404

    ask_all(test)


def test_a_room_gives_its_content_in_the_shapes_of_tinybase() -> None:
    async def test(ask: Asking) -> None:
        await ask.has_pets()
        await ask("PUT", "/values/open", True)
        expected = {
            "": [{"pets": PETS}, {"open": True}],
            "/tables": {"pets": PETS},
            "/tables/pets": PETS,
            FIDO: PETS["fido"],
            f"{FIDO}/cells/price": 5,
            "/values": {"open": True},
            "/values/open": True,
        }
        for path, content in expected.items():
            response = await ask("GET", path)
            assert (response.status, response.headers["content-type"]) == (200, "application/json")
            assert await json_of(response) == content

    ask_all(test)


@pytest.mark.parametrize("path", ["/tables/x", "/tables/pets/rows/x", f"{FIDO}/cells/x", "/values/x"])
def test_what_is_not_there_is_404(path: str) -> None:
    async def test(ask: Asking) -> None:
        await ask.has_pets()
        response = await ask("GET", path)
        assert response.status == 404
        assert (await json_of(response))["detail"] == f"there is no {path} in this room"

    ask_all(test)


@pytest.mark.parametrize(
    "path", ["/x", "/tables/t/x", "/tables/t/rows/r/x", "/tables/t/rows/r/cells/c/x", "/values/v/x"]
)
def test_where_nothing_can_be_is_404(path: str) -> None:
    async def test(ask: Asking) -> None:
        for method in ("GET", "DELETE"):
            response = await ask(method, path)
            assert response.status == 404
            assert (await json_of(response))["detail"] == f"a room has no {path}"

    ask_all(test)


def test_a_row_is_added_under_an_id_that_is_told() -> None:
    async def test(ask: Asking) -> None:
        response = await ask("POST", "/tables/pets/rows", {"species": "fish"})
        assert (response.status, response.headers["location"]) == (201, "rows/0")
        assert await json_of(response) == {"id": "0"}
        assert ask.store.get_row("pets", "0") == {"species": "fish"}

    ask_all(test)


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("POST", "", "GET, HEAD, PUT"),
        ("DELETE", "", "GET, HEAD, PUT"),
        ("PATCH", "/tables/pets", "GET, HEAD, PUT, DELETE"),
        ("PUT", "/tables/pets/rows", "GET, HEAD, POST"),
        ("POST", FIDO, "GET, HEAD, PUT, PATCH, DELETE"),
        ("OPTIONS", FIDO, "GET, HEAD, PUT, PATCH, DELETE"),
        ("BREW", "/values", "GET, HEAD, PUT, PATCH, DELETE"),
        ("GET", "/transactions", "POST"),
    ],
)
def test_a_method_that_is_not_there_is_405_and_says_which_are(method: str, path: str, allowed: str) -> None:
    async def test(ask: Asking) -> None:
        response = await ask(method, path)
        assert (response.status, response.headers["allow"]) == (405, allowed)

    ask_all(test)


@pytest.mark.parametrize(
    ("path", "body", "where"),
    [
        (FIDO, {}, ["tables", "pets", "rows", "fido"]),
        (FIDO, [], ["tables", "pets", "rows", "fido"]),
        (FIDO, None, ["tables", "pets", "rows", "fido"]),
        ("/tables/pets", {"a": {"b": 1}, "c": {}}, ["tables", "pets", "c"]),
        ("/tables", {"pets": {"a": 5}}, ["tables", "pets", "a"]),
        ("/values", [1], ["values"]),
        ("", {}, []),
        ("", [{}, {}, 1], []),
        ("", [{}, 5], ["values"]),
        ("", [{"t": {}}, {}], ["tables", "t"]),
    ],
)
def test_a_body_of_another_shape_is_422_and_changes_nothing(path: str, body: Any, where: list[str]) -> None:
    async def test(ask: Asking) -> None:
        await ask.has_pets()
        before = ask.store._get_encoded_mergeable_content()
        response = await ask("PUT", path, body)
        assert response.status == 422
        assert (await json_of(response))["path"] == where
        assert ask.store.get_mergeable_content() == before

    ask_all(test)
