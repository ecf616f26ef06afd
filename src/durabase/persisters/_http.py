"""One HTTP request with the standard library, off the event loop.

urllib blocks, so each request has a thread of its own. Whoever stops waiting (a task that is cancelled)
leaves the request to its timeout; the thread does not keep the process alive. What answers mean is not
known here: every answer of a server is a :class:`Reply`, whatever its status.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    import urllib.request
    from email.message import Message
    from http.client import HTTPResponse

__all__ = ["HttpClient", "Reply"]

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Reply:
    """What a server answered. ``etag`` is empty if there was none."""

    status: int
    reason: str
    etag: str
    body: bytes

    def is_ok(self) -> bool:
        """Whether the status says that the request succeeded."""
        return 200 <= self.status < 300


class HttpClient:
    """Sends requests.

    Args:
        opener: opens URLs; ``None`` for one with the defaults of ``urllib``: redirects are followed and
            proxies taken from the environment.
        headers: are sent with every request.
        timeout_seconds: how long a server may be silent.
    """

    def __init__(
        self,
        opener: urllib.request.OpenerDirector | None,
        headers: Mapping[str, str],
        timeout_seconds: float,
    ) -> None:
        self._opener = opener
        self._headers = dict(headers)
        self._timeout_seconds = timeout_seconds

    async def request(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes | None = None
    ) -> Reply:
        """Send a request and wait for the whole answer.

        Raises:
            OSError: there was no answer; also ``http.client.HTTPException`` for one that is no HTTP.
        """
        return await _in_own_thread(lambda: self._exchange(method, url, headers, body))

    def _exchange(self, method: str, url: str, headers: Mapping[str, str], body: bytes | None) -> Reply:
        from urllib.error import HTTPError
        from urllib.request import Request

        request = Request(url, body, {**self._headers, **headers}, method=method)  # noqa: S310 - see remote
        try:
            with self._get_opener().open(request, timeout=self._timeout_seconds) as response:
                return _reply(response)
        except HTTPError as refusal:  # every status that is no success
            with refusal:
                return Reply(refusal.code, str(refusal.reason), _etag(refusal.headers), b"")

    def _get_opener(self) -> urllib.request.OpenerDirector:
        if self._opener is None:
            from urllib.request import build_opener

            self._opener = build_opener()
        return self._opener


def _reply(response: HTTPResponse) -> Reply:
    return Reply(response.status, response.reason, _etag(response.headers), response.read())


def _etag(headers: Message[str, str]) -> str:
    return headers.get("ETag") or ""


async def _in_own_thread(function: Callable[[], T]) -> T:
    import asyncio  # here, for importing a persister must not load asyncio
    from threading import Thread

    loop = asyncio.get_running_loop()
    future: asyncio.Future[T] = loop.create_future()

    def end(result: T | None, error: BaseException | None) -> None:
        if future.done():
            return
        if error is None:
            future.set_result(result)  # type: ignore[arg-type]
        else:
            future.set_exception(error)

    def run() -> None:
        result, error = _outcome(function)
        try:
            loop.call_soon_threadsafe(end, result, error)
        except RuntimeError:
            pass  # the loop was closed meanwhile: nobody waits

    Thread(target=run, name="durabase-http", daemon=True).start()
    return await future


def _outcome(function: Callable[[], T]) -> tuple[T | None, BaseException | None]:
    try:
        return function(), None
    except Exception as error:  # raised again where it is awaited
        return None, error
