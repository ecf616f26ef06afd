"""Outgoing HTTP for programs: ``fetch``, on the standard library's client, in a thread."""

from __future__ import annotations

import asyncio
import http.client
import urllib.request
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

from durabase.web import AbortEvent, Request, Response
from durabase.workers.outgoing import writes_safe

__all__ = ["fetch"]

_PIECE = 64 * 1024
_TIMEOUT = 300.0
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_SCHEMES = ("http://", "https://")
_NOT_FOR_US = frozenset({"transfer-encoding", "connection", "keep-alive"})


class _AnyStatus(urllib.request.HTTPErrorProcessor):
    """Lets all responses pass, errors and redirects too."""

    def http_response(self, request: Any, response: Any) -> Any:
        return response

    https_response = http_response


class _AnyButRedirects(_AnyStatus):
    """Lets errors pass, and has redirects followed."""

    def http_response(self, request: Any, response: Any) -> Any:
        if response.status in _REDIRECTS:
            return urllib.request.HTTPErrorProcessor.http_response(self, request, response)
        return response

    https_response = http_response


_OPENERS = {
    "follow": urllib.request.build_opener(_AnyButRedirects),
    "manual": urllib.request.build_opener(_AnyStatus),
    "error": urllib.request.build_opener(_AnyStatus),
}


async def fetch(
    resource: str | Request, *, fetcher: Callable[..., Awaitable[Response]] | None = None, **options: Any
) -> Response:
    """Send a request and return the response, its body as a stream.

    Args:
        resource: an absolute URL, or a request.
        fetcher: sends it in place of the network: the ``fetch`` of a binding.
        options: as for :class:`~durabase.web.Request`.

    Raises:
        AbortError: the request's signal was aborted; or its own reason.
        OSError: the server can't be reached, or redirects although that was forbidden.
        TypeError: the URL is not one of HTTP.
        Exception: the reason of the request's signal, if that is aborted before the response is there.
    """
    request = resource if isinstance(resource, Request) and not options else Request(resource, **options)
    if fetcher is not None:
        return await fetcher(request)
    return await (_unless_aborted(request) if request.has_signal else _sent(request))


async def _unless_aborted(request: Request) -> Response:
    signal = request.signal
    signal.throw_if_aborted()
    sending, aborted = asyncio.ensure_future(_sent(request)), asyncio.Event()

    def abort(event: AbortEvent) -> None:
        aborted.set()

    waiting = asyncio.ensure_future(aborted.wait())
    signal.add_event_listener("abort", abort)
    try:
        await asyncio.wait((sending, waiting), return_when=asyncio.FIRST_COMPLETED)
        if not sending.done():
            signal.throw_if_aborted()
        return await sending
    finally:
        signal.remove_event_listener("abort", abort)
        waiting.cancel()
        sending.cancel()


async def _sent(request: Request) -> Response:
    if not request.url.startswith(_SCHEMES):
        raise TypeError(f"Fetch API cannot load: {request.url}")
    body = await request.bytes() if request.body is not None else None
    await writes_safe()
    reply = await _opened(request, body)
    if request.redirect == "error" and reply.status in _REDIRECTS:
        reply.close()
        raise OSError(f"{request.url} redirects, which was not allowed")
    headers = [(name, value) for name, value in reply.getheaders() if name.lower() not in _NOT_FOR_US]
    content = None if request.method == "HEAD" or reply.status in (204, 304) else _pieces(reply)
    response = Response(content, reply.status, reply.reason, headers)
    response.url = getattr(reply, "url", request.url)
    response.redirected = response.url.partition("#")[0] != request.url.partition("#")[0]
    return response


async def _opened(request: Request, body: bytes | None) -> http.client.HTTPResponse:
    """The server's reply, unless the request is aborted before it comes."""
    if not request.has_signal:
        return await asyncio.to_thread(_open, request, body)
    request.signal.throw_if_aborted()
    task = asyncio.ensure_future(asyncio.to_thread(_open, request, body))
    aborted: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def abort(_: object) -> None:
        if not aborted.done():
            aborted.set_result(None)

    request.signal.add_event_listener("abort", abort)
    await asyncio.wait((task, aborted), return_when=asyncio.FIRST_COMPLETED)
    request.signal.remove_event_listener("abort", abort)
    if request.signal.aborted:
        task.add_done_callback(_close_late)
        request.signal.throw_if_aborted()
    return await task


def _close_late(task: asyncio.Future[http.client.HTTPResponse]) -> None:
    """Nobody waits for this response any more."""
    if not task.cancelled() and task.exception() is None:
        task.result().close()


def _open(request: Request, body: bytes | None) -> http.client.HTTPResponse:
    message = urllib.request.Request(  # noqa: S310 (the scheme was checked)
        request.url, data=body, headers=dict(request.headers.items()), method=str(request.method)
    )
    reply: http.client.HTTPResponse = _OPENERS[request.redirect].open(message, timeout=_TIMEOUT)
    return reply


async def _pieces(reply: http.client.HTTPResponse) -> AsyncIterator[bytes]:
    try:
        while piece := await asyncio.to_thread(reply.read1, _PIECE):
            yield piece
    finally:
        reply.close()
