"""One request of an ASGI server: from its scope to the end of the response, bodies streamed both ways."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from typing import Any, final

from durabase.asgi.response import send_response
from durabase.asgi.scope import http_request
from durabase.errors import ServerError
from durabase.server.bridge import tell_lost
from durabase.server.context import ServerContext
from durabase.server.target import line_of
from durabase.web import Request, Response
from durabase.workers.compat.asgi_scope import Message, Receive, Send

__all__ = ["HttpExchange"]

_log = logging.getLogger("durabase.asgi")


@final
class HttpExchange:
    """A request and its response. What handlers raise is passed on: the outer application knows what to do.

    As on our own server a request is handled to its end, also when the client hangs up, while a streamed
    response that nobody reads any more is cancelled.
    """

    def __init__(
        self, scope: Message, receive: Receive, send: Send, context: ServerContext, prefix: str
    ) -> None:
        self._scope = scope
        self._send = send
        self._context = context
        self._prefix = prefix
        self._body = _RequestBody(receive, context.limits.body_bytes)
        self._task: asyncio.Task[Any] | None = None
        self._gone: asyncio.Task[None] | None = None

    async def run(self) -> None:
        """Answer the request.

        Raises:
            Exception: whatever the handler raises.
        """
        self._task = asyncio.current_task()
        self._context.requests.add(self)
        try:
            content = await self._body.begin()
            if not self._body.is_lost:
                response = await self._answer(content)
                if response is not None:
                    await self._respond(response)
        finally:
            self._context.forget(self)
            if self._gone is not None:
                self._gone.cancel()
                await asyncio.gather(self._gone, return_exceptions=True)

    # Served

    def drain(self) -> None:
        """The application stops: answer first."""

    def abort(self) -> None:
        """Give the request up."""
        if self._task is not None:
            self._task.cancel()

    def on_deadline(self) -> None:
        """Requests have no deadline here: time-outs are the outer server's affair."""

    async def _answer(self, content: bytes | AsyncIterator[bytes]) -> Response | None:
        """The response; ``None`` if the client hung up before it had sent its request."""
        try:
            request = http_request(self._scope, self._prefix, content)
        except (TypeError, ValueError) as error:
            return Response(str(error), 400)
        if self._body.is_too_large:
            return self._too_large()
        self._gone = asyncio.create_task(self._watch(request))
        try:
            response = await self._context.fetch(request)
        except Exception:
            if self._body.is_lost:
                _log.debug("%s: the client hung up", line_of(request), exc_info=True)
                return None
            if self._body.is_too_large:
                return self._too_large()
            raise
        if response.web_socket is not None:
            tell_lost(response.web_socket)
            raise ServerError(
                "The program returned a WebSocket in a response to a request that is none for a WebSocket. "
                "If it was one, the ASGI server has no WebSockets: for uvicorn, `pip install websockets`."
            )
        return response

    async def _watch(self, request: Request) -> None:
        await self._body.gone()
        request.abandon()

    def _too_large(self) -> Response:
        return Response(f"A body of at most {self._context.limits.body_bytes} bytes is taken", 413)

    async def _respond(self, response: Response) -> None:
        sending = send_response(response, self._send, method=self._scope["method"])
        if response.size_at_hand is not None or self._gone is None:
            await sending
            return
        streaming = asyncio.ensure_future(sending)
        try:
            await asyncio.wait((streaming, self._gone), return_when=asyncio.FIRST_COMPLETED)
            if streaming.done():
                streaming.result()
        finally:
            streaming.cancel()
            await asyncio.gather(streaming, return_exceptions=True)


@final
class _RequestBody:
    """What a client sends after its head; nobody else calls ``receive``.

    Attributes:
        is_lost: the client hung up before the body was complete.
        is_too_large: it has sent more than is taken.
    """

    def __init__(self, receive: Receive, limit: int) -> None:
        self._receive = receive
        self._limit = limit
        self._size = 0
        self._complete = asyncio.Event()
        self.is_lost = False
        self.is_too_large = False

    async def begin(self) -> bytes | AsyncIterator[bytes]:
        """The body if the first message has all of it, else its pieces as they come."""
        first = await self._next()
        return first if self._complete.is_set() or self.is_lost else self._pieces(first)

    async def gone(self) -> None:
        """Return when the client has hung up, which is only looked for when its body is complete."""
        await self._complete.wait()
        while (await self._receive())["type"] != "http.disconnect":
            pass

    async def _next(self) -> bytes:
        message = await self._receive()
        if message["type"] == "http.disconnect":
            self.is_lost = True
            return b""
        piece = bytes(message.get("body", b""))
        self._size += len(piece)
        self.is_too_large = self._size > self._limit
        if not message.get("more_body", False):
            self._complete.set()
        return piece

    async def _pieces(self, piece: bytes) -> AsyncIterator[bytes]:
        while not self.is_too_large and not self.is_lost:
            if piece:
                yield piece
            if self._complete.is_set():
                return
            piece = await self._next()
        if self.is_lost:
            raise ConnectionResetError("the client hung up before its request was complete")
        raise ServerError(f"a body of more than {self._limit} bytes")
