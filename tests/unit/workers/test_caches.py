"""Responses that programs put aside."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, TypeVar

import pytest

from durabase.testing import FakeClock, WorkerHarness
from durabase.web import Headers, Request, Response
from durabase.workers.caches import Cache, CacheStorage, caches, freshness_ms
from unit.workers.programs import ROOM, TOML, write_program

pytestmark = pytest.mark.feature("C-CF-3")

T = TypeVar("T")
URL = "http://host/a"


def with_cache(use: Callable[[Cache, FakeClock], Coroutine[Any, Any, T]], budget: int = 1000) -> T:
    clock = FakeClock()
    return asyncio.run(use(Cache(clock, budget), clock))


def good(body: str = "body", seconds: int = 60, **headers: str) -> Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Response(body, headers={"cache-control": f"max-age={seconds}", **named})


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, 0),
        ({"cache-control": "max-age=60"}, 60),
        ({"cache-control": "public, MAX-AGE=60"}, 60),
        ({"cache-control": "max-age=60, s-maxage=5"}, 5),
        ({"cache-control": "s-maxage=0, max-age=60"}, 0),
        ({"cache-control": 'max-age="60"'}, 60),
        ({"cache-control": "max-age=soon"}, 0),
        ({"cache-control": "no-store, max-age=60"}, 0),
        ({"cache-control": "no-cache, max-age=60"}, 0),
        ({"cache-control": "private, max-age=60"}, 0),
        ({"cache-control": "private=set-cookie, max-age=60"}, 60),
        ({"expires": "Thu, 01 Jan 1970 00:01:40 GMT"}, 90),
        ({"expires": "Thu, 01 Jan 1970 00:00:01 GMT"}, 0),
        ({"expires": "0"}, 0),
        ({"expires": "Thu, 01 Jan 1970 00:01:40 GMT", "cache-control": "max-age=1"}, 1),
    ],
)
def test_how_long_a_response_is_good(headers: dict[str, str], seconds: int) -> None:
    assert freshness_ms(Headers(headers), 10_000) == seconds * 1000


def test_it_is_there_until_it_expires() -> None:
    async def use(cache: Cache, clock: FakeClock) -> None:
        assert await cache.match(URL) is None
        await cache.put(URL + "#part", good("body", 60, x_own="1"))
        for _ in range(2):
            found = await cache.match(Request(URL))
            assert found is not None
            assert (await found.text(), found.status, found.headers["x-own"]) == ("body", 200, "1")
            assert found.headers["cf-cache-status"] == "HIT"
            clock.advance(59_999 if _ == 0 else 1)
        assert await cache.match(URL) is None
        assert await cache.match("http://host/b") is None

    with_cache(use)


def test_methods() -> None:
    async def use(cache: Cache, clock: FakeClock) -> None:
        with pytest.raises(TypeError, match=r"^Cannot cache response to non-GET request\.$"):
            await cache.put(Request(URL, method="POST"), good())
        await cache.put(URL, good())
        post = Request(URL, method="POST")
        assert await cache.match(post) is None
        assert await cache.match(post, {"ignoreMethod": True}) is not None
        assert await cache.match(post, ignoreMethod=True) is not None
        assert not await cache.delete(post)
        assert await cache.delete(post, ignoreMethod=True)
        assert not await cache.delete(URL)

    with_cache(use)


def test_what_can_not_be_kept() -> None:
    async def use(cache: Cache, clock: FakeClock) -> None:
        part = Response("x", 206, headers={"cache-control": "max-age=60"})
        with pytest.raises(TypeError, match=r"^Cannot cache response to a range request \(206 Partial"):
            await cache.put(URL, part)
        with pytest.raises(TypeError, match=r"^Cannot cache response with 'Vary: \*' header\.$"):
            await cache.put(URL, good(vary="*"))
        unkept = [
            Response("no word of its age"),
            good(seconds=0),
            good(set_cookie="a=1"),
            Response("", 500, headers={"cache-control": "max-age=60"}),
        ]
        for response in unkept:
            await cache.put(URL, response)
            assert response.body_used
            assert await cache.match(URL) is None

    with_cache(use)


def test_a_cookie_that_is_private_is_left_out() -> None:
    async def use(cache: Cache, clock: FakeClock) -> None:
        await cache.put(
            URL,
            Response("x", headers={"cache-control": "private=Set-Cookie, max-age=9", "set-cookie": "a=1"}),
        )
        found = await cache.match(URL)
        assert found is not None
        assert "set-cookie" not in found.headers

    with_cache(use)


@pytest.mark.parametrize(
    ("asked", "status"),
    [
        ({"if-none-match": '"v1"'}, 304),
        ({"if-none-match": 'W/"v0", W/"v1"'}, 304),
        ({"if-none-match": "*"}, 304),
        ({"if-none-match": '"v2"'}, 200),
        ({"if-modified-since": "Thu, 01 Jan 1970 00:00:09 GMT"}, 304),
        ({"if-modified-since": "Thu, 01 Jan 1970 00:00:08 GMT"}, 200),
        ({"if-modified-since": "nonsense"}, 200),
    ],
)
def test_who_has_it_already(asked: dict[str, str], status: int) -> None:
    async def use(cache: Cache, clock: FakeClock) -> int:
        await cache.put(URL, good(etag='"v1"', last_modified="Thu, 01 Jan 1970 00:00:09 GMT"))
        found = await cache.match(Request(URL, headers=asked))
        assert found is not None
        return found.status

    assert with_cache(use) == status


def test_the_least_recently_used_go_when_there_is_too_much() -> None:
    async def use(cache: Cache, clock: FakeClock) -> list[bool]:
        for name in "abc":
            await cache.put(f"http://host/{name}", good("x" * 400))
            await cache.match("http://host/a")
        await cache.put("http://host/large", good("x" * 2000))
        return [await cache.match(f"http://host/{name}") is not None for name in ("a", "b", "c", "large")]

    assert with_cache(use) == [True, False, True, False]


def test_caches_by_name() -> None:
    async def main() -> None:
        storage = CacheStorage(FakeClock())
        one = await storage.open("one")
        assert await storage.open("one") is one
        await one.put(URL, good())
        assert await storage.default.match(URL) is None

    asyncio.run(main())


def test_outside_of_workers() -> None:
    with pytest.raises(RuntimeError, match="no worker is running"):
        _ = caches.default


PROGRAM = """
    from js import caches
    from workers import DurableObject, Response, WorkerEntrypoint

    class Room(DurableObject):
        async def peek(self, url):
            found = await caches.default.match(url)
            return found and await found.text()

    class Default(WorkerEntrypoint):
        async def fetch(self, request):
            if (found := await caches.default.match(request)) is not None:
                return found
            room = self.env.ROOM.getByName("r")
            headers = {"Cache-Control": "s-maxage=10"}
            response = Response(f"made, {await room.peek(request.url)}", headers=headers)
            await caches.default.put(request, response.clone())
            assert await room.peek(request.url) == "made, None"
            return response
"""


def test_a_program_that_caches(tmp_path: Path) -> None:
    async def use(worker: WorkerHarness) -> list[str | None]:
        seen: list[str | None] = []
        for seconds in (0, 9, 1):
            await worker.advance(seconds)
            response = await worker.fetch("/x")
            assert await response.text() == "made, None"
            seen.append(response.headers.get("cf-cache-status"))
        return seen

    worker = WorkerHarness(write_program(tmp_path, PROGRAM, TOML + ROOM))
    assert worker.run(lambda: asyncio.wait_for(use(worker), 20)) == [None, "HIT", None]
