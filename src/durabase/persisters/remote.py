"""A store behind two URLs: content is fetched with GET, sent with POST, and looked at with HEAD.

Requests, conditions and polling are those of TinyBase 10.0.1's ``createRemotePersister``: plain JSON
``[tables, values]`` both ways, and an ``ETag`` that tells whether there is something new. The server
is anybody's; it has to change the ``ETag`` whenever the content changes.

Two things are ours. A server that answers a load with 404, 410 or 204 has nothing yet: that is reported,
and saving goes on, while after any other failure it is withheld (see :mod:`durabase.persisters.base`).
And an answer that is no UTF-8 is refused; the original would replace bytes, and a replacement is the
mark of an encoded object.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final, final

from durabase._codec import json_text, parse_json, utf8
from durabase.clock import SystemClock, TimerClock, TimerHandle
from durabase.errors import PersisterError
from durabase.persisters._http import HttpClient, Reply
from durabase.persisters.base import IgnoredErrorHandler, Persister, PersisterListener, Persists
from durabase.types import UNDEFINED

if TYPE_CHECKING:
    import asyncio
    import urllib.request

    from durabase.store import Store

__all__ = ["RemotePersister"]

_NOT_MODIFIED: Final = 304
_NOTHING_THERE: Final = (204, 404, 410)


class RemotePersister(Persister):
    """Keeps the content of a store on a server, over HTTP. Needs an event loop.

    It keeps plain content only, also of a mergeable store, which takes what it loads as edits of its own.
    While loading automatically, the server is asked every ``auto_load_interval_seconds`` whether the
    ``ETag`` is a new one.

    Args:
        store: what is persisted.
        load_url: answers GET with the content, and HEAD, each with an ``ETag``.
        save_url: takes a POST with the content.
        auto_load_interval_seconds: the time between two HEAD requests.
        headers: are sent with every request, e. g. ``{"Authorization": "Bearer …"}``.
        request_timeout: seconds that the server may be silent.
        opener: opens URLs, for certificates, proxies or cookies of your own; see ``urllib.request``.
        on_ignored_error: is called with each error that is not raised. One for an answer that says no
            is a :class:`PersisterError` with its ``status``.
        clock: wakes the persister to ask.

    Raises:
        PersisterError: a URL is not ``http:`` or ``https:``, or a time is not greater than 0.
    """

    def __init__(
        self,
        store: Store,
        load_url: str,
        save_url: str,
        auto_load_interval_seconds: float = 5.0,
        *,
        headers: Mapping[str, str] | None = None,
        request_timeout: float = 30.0,
        opener: urllib.request.OpenerDirector | None = None,
        on_ignored_error: IgnoredErrorHandler | None = None,
        clock: TimerClock | None = None,
    ) -> None:
        super().__init__(store, persists=Persists.STORE_ONLY, on_ignored_error=on_ignored_error)
        self._load_url = _checked_url(load_url)
        self._save_url = _checked_url(save_url)
        self._interval_seconds = _checked_seconds("auto_load_interval_seconds", auto_load_interval_seconds)
        self._http = HttpClient(opener, headers or {}, _checked_seconds("request_timeout", request_timeout))
        self._clock = SystemClock() if clock is None else clock
        self._known_etag = ""
        self._known_text: str | None = None

    def get_urls(self) -> tuple[str, str]:
        """The URLs for loading and for saving, as they were given."""
        return self._load_url, self._save_url

    async def get_persisted(self) -> Any:
        """GET the content, or take what was fetched before if the server says that it is still that.

        Raises:
            OSError: there is no answer.
            PersisterError: the server refuses.
            ValueError: the answer is no JSON in UTF-8.
        """
        reply = await self._http.request("GET", self._load_url, self._condition())
        if reply.status in _NOTHING_THERE:
            self._report(_refusal("GET", self._load_url, reply))
            return UNDEFINED
        if reply.status == _NOT_MODIFIED and self._known_text is not None:
            return parse_json(self._known_text)
        _check("GET", self._load_url, reply)
        text = reply.body.decode("utf-8-sig")
        content = parse_json(text)
        self._known_text, self._known_etag = text, reply.etag
        return content

    async def set_persisted(
        self, get_content: Callable[[], list[Any]], changes: list[Any] | None = None
    ) -> None:
        """POST the whole content.

        Raises:
            OSError: there is no answer.
            PersisterError: the server refuses.
        """
        body = utf8(json_text(get_content()))
        reply = await self._http.request("POST", self._save_url, {"Content-Type": "application/json"}, body)
        _check("POST", self._save_url, reply)

    def add_persister_listener(self, listener: PersisterListener) -> _Poll:
        """Begin to ask the server again and again."""
        return _Poll(self._clock, self._interval_seconds, lambda: self._tell_if_changed(listener))

    async def del_persister_listener(self, handle: _Poll) -> None:
        """Stop asking, and give up a request that is under way."""
        await handle.stop()

    def _condition(self) -> dict[str, str]:
        return {"If-None-Match": self._known_etag} if self._known_etag else {}

    async def _tell_if_changed(self, listener: PersisterListener) -> None:
        try:
            reply = await self._http.request("HEAD", self._load_url, self._condition())
            if reply.status == _NOT_MODIFIED:
                return
            _check("HEAD", self._load_url, reply)
        except Exception as error:
            self._report(error)
        else:
            if reply.etag != self._known_etag:
                await listener()


@final
class _Poll:
    """Runs an asynchronous function again and again, never twice at a time."""

    __slots__ = ("_clock", "_function", "_seconds", "_task", "_timer")

    def __init__(self, clock: TimerClock, seconds: float, function: Callable[[], Any]) -> None:
        self._clock = clock
        self._seconds = seconds
        self._function = function
        self._task: asyncio.Task[None] | None = None
        self._timer: TimerHandle = clock.call_later(seconds, self._run)

    async def stop(self) -> None:
        """Stop running it, wherever it is."""
        import asyncio  # here, for importing a persister must not load asyncio

        self._timer.cancel()
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])

    def _run(self) -> None:
        import asyncio  # here, for importing a persister must not load asyncio

        self._timer = self._clock.call_later(self._seconds, self._run)
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._function())


def _checked_url(url: str) -> str:
    if not url.lower().startswith(("http://", "https://")):
        raise PersisterError(f"expected a URL that starts with http:// or https://, not {url!r}")
    return url


def _checked_seconds(name: str, seconds: float) -> float:
    if not 0 < seconds < math.inf:
        raise PersisterError(f"{name} is to be a number of seconds greater than 0, not {seconds!r}")
    return seconds


def _check(method: str, url: str, reply: Reply) -> None:
    if not reply.is_ok():
        raise _refusal(method, url, reply)


def _refusal(method: str, url: str, reply: Reply) -> PersisterError:
    error = PersisterError(f"{method} {url} was answered {reply.status} {reply.reason}".rstrip())
    error.status = reply.status
    return error
