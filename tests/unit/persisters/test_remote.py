"""Stores behind URLs, against a real HTTP server."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Coroutine, Iterator
from typing import Any

import pytest

from durabase.errors import PersisterError
from durabase.mergeable import MergeableStore
from durabase.persisters import RemotePersister, Status
from durabase.persisters.remote import _Poll
from durabase.store import Store
from durabase.testing import FakeClock
from durabase.testing.persister_checks import PERSISTER_CHECKS, PersisterSubject

from .http_place import HttpPlace

CONTENT = '[{"pets":{"fido":{"species":"dog","tags":"\ufffd[\\"a\\"]"}}},{"open":true}]'


@pytest.fixture
def place() -> Iterator[HttpPlace]:
    with HttpPlace() as place:
        yield place


class Followed(RemotePersister):
    """A persister of which a test can await the poll that is running."""

    poll: _Poll | None = None

    def __init__(self, place: HttpPlace, store: Any = None, **options: Any) -> None:
        self.clock = FakeClock()
        self.errors: list[Exception] = []
        super().__init__(
            Store() if store is None else store,
            place.url,
            place.url,
            clock=self.clock,
            on_ignored_error=self.errors.append,
            **options,
        )

    def add_persister_listener(self, listener: Any) -> _Poll:
        self.poll = super().add_persister_listener(listener)
        return self.poll

    async def next_poll(self, seconds: float = 5.0) -> None:
        self.clock.advance(seconds * 1000)
        assert self.poll is not None
        assert self.poll._task is not None
        await self.poll._task


def run(test: Callable[[], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(asyncio.wait_for(test(), 20))


def statuses(errors: list[Exception]) -> list[int | None]:
    return [error.status for error in errors if isinstance(error, PersisterError)]


def test_content_is_posted_as_plain_json(place: HttpPlace) -> None:
    async def test() -> None:
        store = Store().set_row("pets", "fido", {"species": "dog", "tags": ["a"]}).set_value("open", True)
        async with Followed(place, store) as persister:
            assert persister.get_urls() == (place.url, place.url)
            await persister.save()
        assert place.body == CONTENT.encode()
        assert place.methods == ["POST"]
        assert place.headers(0)["content-type"] == "application/json"

    run(test)


def test_content_is_fetched(place: HttpPlace) -> None:
    async def test() -> None:
        place.body = CONTENT.encode()
        async with Followed(place) as persister:
            await persister.load()
        assert persister.get_store().get_row("pets", "fido") == {"species": "dog", "tags": ["a"]}
        assert place.methods == ["GET"]
        assert "if-none-match" not in place.headers(0)
        assert persister.errors == []

    run(test)


def test_what_has_not_changed_is_not_sent_again(place: HttpPlace) -> None:
    async def test() -> None:
        place.body = CONTENT.encode()
        async with Followed(place) as persister:
            await persister.load()
            persister.get_store().del_tables()
            await persister.load()
        assert place.headers(1)["if-none-match"] == place.etag
        assert persister.get_store().has_row("pets", "fido")
        assert persister.errors == []

    run(test)


def test_a_server_that_says_not_modified_to_a_first_load_is_wrong(place: HttpPlace) -> None:
    async def test() -> None:
        place.body, place.status_of["GET"] = CONTENT.encode(), 304
        async with Followed(place) as persister:
            await persister.load()
        assert statuses(persister.errors) == [304]

    run(test)


def test_polling_loads_when_the_etag_is_another(place: HttpPlace) -> None:
    async def test() -> None:
        place.body = b'[{},{"v":1}]'
        async with Followed(place) as persister:
            await persister.start_auto_load()
            await persister.next_poll()
            assert place.methods == ["GET", "HEAD"]
            assert place.headers(1)["if-none-match"] == place.etag
            place.body = b'[{},{"v":2}]'
            await persister.next_poll()
            assert persister.get_store().get_value("v") == 2
            assert place.methods == ["GET", "HEAD", "HEAD", "GET"]
            await persister.stop_auto_load()
            persister.clock.advance(60_000)
            await persister.load()
        assert place.methods[4:] == ["GET"]
        assert persister.errors == []

    run(test)


def test_a_head_without_condition_that_has_the_same_etag_is_no_news(place: HttpPlace) -> None:
    async def test() -> None:
        place.body = b'[{},{"v":1}]'
        async with Followed(place) as persister:
            await persister.start_auto_load()
            place.etag_of_head = place.etag
            await persister.next_poll()
        assert place.methods == ["GET", "HEAD"]

    run(test)


def test_the_interval_can_be_chosen(place: HttpPlace) -> None:
    async def test() -> None:
        place.body = b"[{},{}]"
        async with Followed(place, auto_load_interval_seconds=0.5) as persister:
            await persister.start_auto_load()
            persister.clock.advance(499)
            assert persister.poll is not None
            assert persister.poll._task is None
            await persister.next_poll(0.001)
        assert place.methods == ["GET", "HEAD"]

    run(test)


def test_polls_do_not_overlap_and_stopping_gives_one_up(place: HttpPlace) -> None:
    async def test() -> None:
        place.body = b"[{},{}]"
        persister = Followed(place)
        await persister.start_auto_load()
        place.hold.clear()
        persister.clock.advance(5000)
        await asyncio.to_thread(place.held.wait, 10)
        persister.clock.advance(60_000)
        place.body = b'[{},{"v":1}]'
        await persister.stop_auto_load()
        place.hold.set()
        await persister.save()
        await persister.destroy()
        assert place.methods == ["GET", "HEAD", "POST"]
        assert persister.errors == []

    run(test)


def test_nothing_there_yet_is_reported_and_no_reason_not_to_save(place: HttpPlace) -> None:
    async def test() -> None:
        async with Followed(place) as persister:
            await persister.start_auto_persisting([{}, {"v": 1}])
            assert statuses(persister.errors) == [404]
            assert place.body == b'[{},{"v":1}]'
            persister.get_store().set_value("v", 2)
            await persister.schedule()
        assert place.body == b'[{},{"v":2}]'

    run(test)


@pytest.mark.parametrize("status", [204, 410])
def test_other_ways_to_have_nothing(place: HttpPlace, status: int) -> None:
    async def test() -> None:
        place.status_of["GET"] = status
        async with Followed(place) as persister:
            await persister.start_auto_persisting([{}, {"v": 1}])
        assert statuses(persister.errors) == [status]
        assert place.body == b'[{},{"v":1}]'

    run(test)


def test_a_server_that_fails_is_not_overwritten(place: HttpPlace) -> None:
    async def test() -> None:
        place.body, place.status_of["GET"] = CONTENT.encode(), 503
        async with Followed(place) as persister:
            await persister.start_auto_persisting([{}, {"v": 1}])
            persister.get_store().set_value("v", 2)
            await persister.schedule()
        assert place.body == CONTENT.encode()
        assert "GET" in place.methods
        assert "POST" not in place.methods
        assert "503 Service Unavailable" in str(persister.errors[0])

    run(test)


@pytest.mark.parametrize("body", [b"", b"[{},", b"<html>", b"\xff[]", b'"text"', b"null"])
def test_bad_content_harms_neither_side(place: HttpPlace, body: bytes) -> None:
    async def test() -> None:
        place.body = body
        async with Followed(place, Store().set_value("v", 1)) as persister:
            await persister.load()
            assert persister.get_store().get_content() == [{}, {"v": 1}]
            assert len(persister.errors) == 1

    run(test)


@pytest.mark.parametrize(
    "body",
    [b"[{},", b"<html>", b"\xff[]", b'"text"', b"[5,5]", b'[{"t":{"r":5}},{}]', b'[[{},"",0],[{},"",0]]'],
)
def test_bad_content_is_not_overwritten(place: HttpPlace, body: bytes) -> None:
    async def test() -> None:
        place.body = body
        async with Followed(place) as persister:
            await persister.start_auto_persisting([{}, {"v": 1}])
            persister.get_store().set_value("w", 2)
            await persister.schedule()
            assert persister.get_store().get_values() == {"v": 1, "w": 2}
            assert "withheld" in str(persister.errors[-1])
        assert place.body == body
        assert "POST" not in place.methods

    run(test)


def test_refusals_are_reported_with_their_status(place: HttpPlace) -> None:
    async def test() -> None:
        place.body = b"[{},{}]"
        async with Followed(place) as persister:
            await persister.start_auto_load()
            place.status_of = {"POST": 403, "HEAD": 500}
            await persister.save()
            await persister.next_poll()
        assert statuses(persister.errors) == [403, 500]
        assert str(persister.errors[0]) == f"POST {place.url} was answered 403 Forbidden"

    run(test)


def test_a_save_that_failed_is_made_up_for(place: HttpPlace) -> None:
    async def test() -> None:
        place.body = b"[{},{}]"
        async with Followed(place) as persister:
            await persister.start_auto_persisting()
            place.status_of["POST"] = 500
            persister.get_store().set_value("v", 1)
            await persister.schedule()
            place.status_of.clear()
            persister.get_store().set_value("w", 2)
            await persister.schedule()
        assert place.body == b'[{},{"v":1,"w":2}]'

    run(test)


def test_nobody_listens(place: HttpPlace) -> None:
    async def test() -> None:
        persister = Followed(place)
        place.__exit__()
        await persister.load([{}, {"v": 1}])
        await persister.save()
        await persister.destroy()
        assert [type(error).__name__ for error in persister.errors] == ["URLError", "URLError"]
        assert persister.get_store().get_value("v") == 1
        place.__enter__()

    run(test)


def test_a_server_that_keeps_silent(place: HttpPlace) -> None:
    async def test() -> None:
        place.hold.clear()
        async with Followed(place, request_timeout=0.05) as persister:
            await persister.load()
        assert isinstance(persister.errors[0], TimeoutError)
        assert persister.get_status() is Status.IDLE

    run(test)


def test_headers_and_opener_of_ones_own(place: HttpPlace) -> None:
    async def test() -> None:
        opener = urllib.request.build_opener()
        opener.addheaders = [("User-Agent", "mine")]
        place.body = b"[{},{}]"
        headers = {"Authorization": "Bearer secret"}
        async with Followed(place, headers=headers, opener=opener) as persister:
            await persister.load()
            await persister.save()
        assert [place.headers(n)["authorization"] for n in (0, 1)] == ["Bearer secret"] * 2
        assert [place.headers(n)["user-agent"] for n in (0, 1)] == ["mine"] * 2

    run(test)


def test_a_mergeable_store_keeps_plain_content(place: HttpPlace) -> None:
    async def test() -> None:
        place.body = CONTENT.encode()
        store = MergeableStore("s1", clock=FakeClock())
        async with Followed(place, store) as persister:
            await persister.load()
            store.set_value("open", False)
            await persister.save()
        assert place.body == CONTENT.replace("true", "false").encode()
        assert store.get_mergeable_content()[1][0]["open"][1] != ""

    run(test)


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://example.com/", "", "/store"])
@pytest.mark.parametrize("which", ["load", "save"])
def test_other_schemes_are_refused(url: str, which: str) -> None:
    urls = {"load_url": "http://x/", "save_url": "http://x/", f"{which}_url": url}
    with pytest.raises(PersisterError, match="starts with http:// or https://"):
        RemotePersister(Store(), **urls)


@pytest.mark.parametrize("seconds", [0, -1, float("nan"), float("inf")])
@pytest.mark.parametrize("name", ["auto_load_interval_seconds", "request_timeout"])
def test_times_are_checked(name: str, seconds: float) -> None:
    options: dict[str, Any] = {name: seconds}
    with pytest.raises(PersisterError, match=name):
        RemotePersister(Store(), "http://x/", "http://x/", **options)


def test_importing_it_loads_nothing_heavy() -> None:
    program = (
        "import sys, durabase.persisters; print('urllib.request' in sys.modules, 'asyncio' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False"]


@pytest.mark.parametrize("check", PERSISTER_CHECKS, ids=lambda check: check.__name__)
def test_it_passes_the_checks_of_persisters(check: Any) -> None:
    places: list[HttpPlace] = []

    def new_place() -> HttpPlace:
        places.append(HttpPlace().__enter__())
        return places[-1]

    def make_persister(store: Any, place: HttpPlace) -> RemotePersister:
        return RemotePersister(store, place.url, place.url, on_ignored_error=lambda error: None)

    try:
        run(lambda: check(PersisterSubject(new_place, make_persister)))
    finally:
        for place in places:
            place.__exit__()
