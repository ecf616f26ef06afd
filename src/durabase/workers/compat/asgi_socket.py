"""A WebSocket of a worker, answered by an ASGI application. It is not hibernatable."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from typing import Any

from durabase.web import CloseEvent, MessageEvent, Request, Response, WebSocket, WebSocketPair
from durabase.workers.compat.asgi_scope import Application, Message, request_scope

__all__ = ["websocket"]

_log = logging.getLogger("durabase.workers.asgi")
_NORMAL, _FAILED = 1000, 1011
_running: set[asyncio.Task[None]] = set()


async def websocket(app: Application, request: Request, env: Any) -> Response:
    """Accept the request's WebSocket at once, and let ``app`` have it.

    The socket is closed with 1000 when the application ends, with 1011 when it fails.
    """
    client, server = WebSocketPair()
    call = _SocketCall(server)
    task = asyncio.create_task(call.run(app, _scope(request, env)))
    _running.add(task)
    task.add_done_callback(_running.discard)
    headers = [("sec-websocket-protocol", protocol) for protocol in _protocols(request)[:1]]
    return Response(None, 101, headers=headers, web_socket=client)


def _scope(request: Request, env: Any) -> dict[str, Any]:
    scope = {**request_scope(request, env), "type": "websocket", "subprotocols": _protocols(request)}
    scope["scheme"] = "wss" if scope["scheme"] == "https" else "ws"
    del scope["method"]
    return scope


def _protocols(request: Request) -> list[str]:
    offered = request.headers.get("sec-websocket-protocol") or ""
    return [part.strip() for part in offered.split(",") if part.strip()]


class _SocketCall:
    """One socket under way in an application."""

    def __init__(self, socket: WebSocket) -> None:
        self._socket = socket
        self._incoming: asyncio.Queue[Message] = asyncio.Queue()
        self._incoming.put_nowait({"type": "websocket.connect"})
        socket.add_event_listener("message", self._on_message)
        socket.add_event_listener("close", self._on_close)
        socket.accept()

    async def run(self, app: Application, scope: dict[str, Any]) -> None:
        """Run the application until it has ended, then close the socket."""
        code = _NORMAL
        try:
            await app(scope, self._incoming.get, self._send)
        except Exception as error:
            _log.error("the application failed", exc_info=error)
            code = _FAILED
        self._socket.close(code)

    def _on_message(self, event: MessageEvent) -> None:
        kind = "text" if isinstance(event.data, str) else "bytes"
        self._incoming.put_nowait({"type": "websocket.receive", kind: event.data})

    def _on_close(self, event: CloseEvent) -> None:
        self._incoming.put_nowait(
            {"type": "websocket.disconnect", "code": event.code, "reason": event.reason}
        )

    async def _send(self, message: Mapping[str, Any]) -> None:
        if message["type"] == "websocket.send":
            text = message.get("text")
            self._socket.send(message["bytes"] if text is None else text)
        elif message["type"] == "websocket.close":
            self._socket.close(message.get("code", _NORMAL), message.get("reason") or "")
