"""Single HTTP requests to a real server."""

from __future__ import annotations

import asyncio
import urllib.request
from collections.abc import Iterator
from threading import Event
from typing import Any

import pytest

from durabase.persisters._http import HttpClient, Reply

from .http_place import HttpPlace


@pytest.fixture
def place() -> Iterator[HttpPlace]:
    with HttpPlace() as place:
        yield place


def client(opener: Any = None, **headers: str) -> HttpClient:
    return HttpClient(opener, headers, 10)


def test_which_replies_are_good() -> None:
    statuses = (101, 199, 200, 204, 299, 300, 404)
    assert [status for status in statuses if Reply(status, "", "", b"").is_ok()] == [200, 204, 299]


def test_a_request_has_its_method_body_and_headers_of_both_kinds(place: HttpPlace) -> None:
    async def main() -> Reply:
        return await client(both="client", own="client").request(
            "POST", place.url, {"both": "request"}, b"body"
        )

    assert asyncio.run(main()) == Reply(201, "Created", place.etag, b"")
    ((method, headers, body),) = place.requests
    assert (method, headers["both"], headers["own"], body) == ("POST", "request", "client", b"body")


def test_a_reply_has_its_body_and_its_etag_or_none(place: HttpPlace) -> None:
    place.body = b"content"

    async def main() -> list[Reply]:
        found = await client().request("GET", place.url, {})
        unchanged = await client().request("GET", place.url, {"If-None-Match": found.etag})
        head = await client().request("HEAD", place.url, {})
        place.body = None
        return [found, unchanged, head, await client().request("GET", place.url, {})]

    found, unchanged, head, missing = asyncio.run(main())
    assert found == Reply(200, "OK", found.etag, b"content")
    assert found.etag.startswith('"')
    assert (unchanged.status, unchanged.etag, unchanged.body) == (304, found.etag, b"")
    assert (head.status, head.etag, head.body) == (200, found.etag, b"")
    assert missing == Reply(404, "Not Found", "", b"")


def test_a_server_that_does_not_answer_is_an_error() -> None:
    async def main() -> None:
        with pytest.raises(OSError, match="refused"):
            await client().request("GET", "http://127.0.0.1:1/", {})

    asyncio.run(main())


def test_the_opener_is_the_one_that_was_given(place: HttpPlace) -> None:
    opener = urllib.request.build_opener()
    opener.addheaders = [("User-Agent", "one's own")]
    asyncio.run(client(opener).request("GET", place.url, {}))
    assert place.headers(0)["user-agent"] == "one's own"


def test_the_event_loop_goes_on_meanwhile_and_who_stops_waiting_is_free(place: HttpPlace) -> None:
    place.hold.clear()

    async def main() -> None:
        waiting = asyncio.create_task(client().request("GET", place.url, {}))
        while not place.held.is_set():  # noqa: ASYNC110 - what is waited for is a thread of the server's
            await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        place.hold.set()
        assert (await client().request("GET", place.url, {})).status == 404

    asyncio.run(main())


def test_a_loop_that_is_closed_meanwhile_is_no_trouble(
    place: HttpPlace, recwarn: pytest.WarningsRecorder, caplog: pytest.LogCaptureFixture
) -> None:
    place.hold.clear()
    ended = Event()

    class Opener(urllib.request.OpenerDirector):
        def open(self, *arguments: Any, **keywords: Any) -> Any:
            try:
                return urllib.request.build_opener().open(*arguments, **keywords)
            finally:
                ended.set()

    async def main() -> None:
        asking = asyncio.ensure_future(client(Opener()).request("GET", place.url, {}))
        while not place.held.is_set():  # noqa: ASYNC110
            await asyncio.sleep(0)
        assert not asking.done()

    asyncio.run(main())
    place.hold.set()
    assert ended.wait(10)
    assert not list(recwarn)
    assert not caplog.records
