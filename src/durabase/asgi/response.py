"""A response as ASGI messages. What it answers with is the same for requests and for refused WebSockets."""

from __future__ import annotations

from durabase.server.heads import is_bodiless, response_fields
from durabase.web import Response
from durabase.workers.compat.asgi_scope import Send

__all__ = ["send_response"]


async def send_response(
    response: Response, send: Send, kind: str = "http.response", method: str = "GET"
) -> None:
    """Send status, headers and body, piece by piece if that is a stream.

    Args:
        kind: ``http.response``, or ``websocket.http.response`` in place of accepting a WebSocket.
        method: of the request that is answered.
    """
    body = response.body_bytes()
    fields = response_fields(response, None if body is None else len(body))
    headers = [(name.lower(), value) for name, value in fields]
    await send({"type": f"{kind}.start", "status": response.status, "headers": headers})
    if method == "HEAD" or is_bodiless(response.status):
        body = b""
    if body is None:
        async for chunk in response.iter_body():
            if chunk:
                await send({"type": f"{kind}.body", "body": bytes(chunk), "more_body": True})
    await send({"type": f"{kind}.body", "body": body or b"", "more_body": False})
