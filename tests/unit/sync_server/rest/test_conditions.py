"""Entity tags, and requests that hold only for what the client has seen."""

from __future__ import annotations

from contextlib import nullcontext

import pytest

from durabase.sync_server.rest.conditions import Conditions, entity_tag
from durabase.sync_server.rest.problems import ProblemError
from unit.sync_server.rest._asking import Asking, ask_all, json_of

FIDO = "/tables/pets/rows/fido"
PATHS = [
    "",
    "/tables",
    "/tables/pets",
    "/tables/pets/rows",
    FIDO,
    f"{FIDO}/cells/price",
    "/values",
    "/values/v",
]


@pytest.mark.parametrize("path", PATHS)
def test_a_tag_changes_with_what_it_is_of_and_with_nothing_else(path: str) -> None:
    async def test(ask: Asking) -> None:
        async def tag() -> str:
            return (await ask("GET", path)).headers["etag"]

        await ask.has_pets()
        await ask("PUT", "/values/v", 1)
        first = await tag()
        assert (await ask("GET", path, if_none_match=first)).status == 304
        assert await tag() == first
        is_value = path.startswith("/values")
        await ask("PUT", f"{FIDO}/cells/price" if is_value else "/values/v", 2)
        assert (await tag() == first) == (path != "")
        second = await tag()
        await ask("PUT", "/values/v" if is_value else f"{FIDO}/cells/price", 3)
        assert await tag() != second
        assert (await ask("GET", path, if_none_match=second)).status == 200

    ask_all(test)


def test_the_tag_of_what_was_put_is_that_of_what_is_there() -> None:
    async def test(ask: Asking) -> None:
        put = (await ask("PUT", FIDO, {"species": "dog"})).headers["etag"]
        assert (await ask("GET", FIDO)).headers["etag"] == put
        assert (await ask("PUT", FIDO, {"species": "wolf"}, if_match=put)).status == 204
        lost = await ask("PUT", FIDO, {"species": "fox"}, if_match=put)
        assert lost.status == 412
        assert lost.headers["etag"] == (await ask("GET", FIDO)).headers["etag"]
        assert put in (await json_of(lost))["detail"]
        assert ask.store.get_row("pets", "fido") == {"species": "wolf"}

    ask_all(test)


def test_something_is_created_or_changed_only() -> None:
    async def test(ask: Asking) -> None:
        assert (await ask("PUT", FIDO, {"a": 1}, if_match="*")).status == 412
        assert (await ask("PUT", FIDO, {"a": 1}, if_none_match="*")).status == 201
        assert (await ask("PUT", FIDO, {"a": 2}, if_none_match="*")).status == 412
        assert (await ask("PUT", FIDO, {"a": 3}, if_match="*")).status == 204
        assert (await ask("DELETE", FIDO, if_match='"0"')).status == 412
        assert (await ask("DELETE", FIDO, if_match="*")).status == 204

    ask_all(test)


@pytest.mark.parametrize(
    ("field", "is_strong", "is_weak"),
    [
        ('"a"', True, True),
        (' "b" , "a"', True, True),
        ('W/"a"', False, True),
        ("*", True, True),
        ('"b"', False, False),
        ("a", False, False),
        ('"A"', False, False),
        ("", False, False),
        ('"b,"a"', False, False),
    ],
)
def test_lists_of_tags(field: str, is_strong: bool, is_weak: bool) -> None:
    assert Conditions(None, field).is_known('"a"') is is_weak
    with nullcontext() if is_strong else pytest.raises(ProblemError, match="If-Match is"):
        Conditions(field).check('"a"')


def test_a_tag_is_made_of_hashes() -> None:
    assert entity_tag(1, 0xABCDEF01) == '"00000001abcdef01"'
