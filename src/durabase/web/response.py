"""A response as a handler gives it. It knows nothing of connections."""

from __future__ import annotations

import json as _json
from collections.abc import Callable, Coroutine
from http import HTTPStatus
from typing import Any, overload

from durabase._names import js_names
from durabase.web.body import Body, BodyInit, body_of
from durabase.web.headers import Headers, HeadersInit
from durabase.web.url import normalised_url
from durabase.web.websocket import WebSocket

__all__ = ["Response"]

_NULL_BODY = frozenset((101, 103, 204, 205, 304))
_REDIRECTS = frozenset((301, 302, 303, 307, 308))


class _Json:
    """``Response.json(data)`` makes a response; ``await response.json()`` reads one."""

    @overload
    def __get__(self, instance: None, owner: type[Response]) -> Callable[..., Response]: ...
    @overload
    def __get__(
        self, instance: Response, owner: type[Response]
    ) -> Callable[..., Coroutine[Any, Any, Any]]: ...
    def __get__(self, instance: Response | None, owner: type[Response]) -> Any:
        return owner.from_json if instance is None else super(Response, instance).json


def _checked_status(status: int | None, web_socket: WebSocket | None) -> int:
    number = (200 if web_socket is None else 101) if status is None else int(status)
    if web_socket is not None and number != 101:
        raise ValueError(f"a response with a WebSocket has the status 101, not {number}")
    if web_socket is None and not 200 <= number <= 599:
        raise ValueError(
            "Responses may only be constructed with status codes in the range 200 to 599, inclusive."
        )
    return number


@js_names
class Response(Body):
    """An HTTP response, or with ``web_socket`` the consent to upgrade.

    Args:
        body: text, bytes, a blob, a form, an asynchronous iterator of bytes, or a response whose
            body is taken over.
        status: 200 to 599; 101 with a WebSocket.
        status_text: the reason phrase, empty for the usual one.
        headers: its headers. Text gets ``content-type: text/plain;charset=UTF-8`` if none is there.
        web_socket: the client's end of a pair. Its subprotocol, if one was chosen, stands in the
            header ``sec-websocket-protocol``.

    Raises:
        TypeError: the body can't be carried, or not with this status.
        ValueError: the status or a header is not allowed.
    """

    __slots__ = ("redirected", "status", "status_text", "url", "web_socket")

    json = _Json()

    def __init__(
        self,
        body: BodyInit | Response = None,
        status: int | None = None,
        status_text: str = "",
        headers: HeadersInit = None,
        web_socket: WebSocket | None = None,
    ) -> None:
        content, content_type = (
            (body._take(), body.headers.get("content-type"))
            if isinstance(body, Response)
            else body_of(body, "Response")
        )
        super().__init__(content, Headers(headers))
        self.status = _checked_status(status, web_socket)
        if content is not None and self.status in _NULL_BODY:
            raise TypeError("Response with null body status (101, 204, 205, or 304) cannot have a body.")
        if content_type is not None:
            self.headers.setdefault("content-type", content_type)
        self.status_text = status_text
        self.web_socket = web_socket
        self.url = ""
        self.redirected = False

    @staticmethod
    def redirect(url: str, status: int = 302) -> Response:
        """A response that sends the client to ``url``.

        Raises:
            ValueError: the status is none of the redirects.
        """
        if status not in _REDIRECTS:
            raise ValueError(
                f"{int(status)} is not a redirect status code. It must be one of: 301, 302, 303, 307, or 308."
            )
        return Response(None, status, headers={"location": normalised_url(url)})

    @classmethod
    def from_json(
        cls,
        data: Any,
        status: int = 200,
        status_text: str = "",
        headers: HeadersInit = None,
    ) -> Response:
        """A response whose body is ``data`` as JSON; on the class, ``Response.json`` is the same."""
        fields = Headers(headers)
        fields.setdefault("content-type", "application/json")
        return cls(_json.dumps(data), status, status_text, fields)

    @property
    def ok(self) -> bool:
        """Whether the status is 200 to 299."""
        return 200 <= self.status <= 299

    @property
    def type(self) -> str:
        """``"default"``: it was made here, or comes through a binding."""
        return "default"

    @property
    def js_object(self) -> Response:
        """The response itself: there is no JavaScript object behind it."""
        return self

    @property
    def js_response(self) -> Response:
        """The response itself: there is no JavaScript object behind it."""
        return self

    async def string(self) -> str:
        """The whole body as text; the same as :meth:`text`."""
        return await self.text()

    def raise_for_status(self) -> None:
        """Complain about a status from 400 on.

        Raises:
            OSError: naming it.
        """
        if self.status >= 400:
            kind = "Client" if self.status < 500 else "Server"
            phrase = self.status_text or _phrase(self.status)
            raise OSError(f"{self.status} {kind} Error: {phrase} for url: {self.url}")

    def replace_body(self, body: BodyInit) -> Response:
        """A response with this one's status and headers and another body."""
        return Response(body, self.status, self.status_text, self.headers)

    def clone(self) -> Response:
        """A copy that can be read independently of this one.

        Raises:
            OSError: this one was read already.
            TypeError: it has a WebSocket, which can't be had twice.
        """
        if self.web_socket is not None:
            raise TypeError("Cannot clone a response to a WebSocket handshake.")
        copy = Response(None, self.status, self.status_text, self.headers)
        copy.url = self.url
        copy._content = self._fork()
        return copy

    def __repr__(self) -> str:
        parts = [f"status={self.status}"]
        if self.status_text:
            parts.append(f"status_text={self.status_text!r}")
        if (content_type := self.headers.get("content-type")) is not None:
            parts.append(f"content_type={content_type!r}")
        return f"Response({', '.join(parts)})"


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""
