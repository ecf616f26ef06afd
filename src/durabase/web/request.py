"""A request as a handler sees it. It knows nothing of connections."""

from __future__ import annotations

from http import HTTPMethod
from typing import Any

from durabase._names import js_names
from durabase.web.abort_signal import AbortError, AbortSignal
from durabase.web.body import Body, BodyInit, body_of
from durabase.web.headers import Headers, HeadersInit
from durabase.web.url import normalised_url

__all__ = ["Request"]

_METHODS = {str(method): method for method in HTTPMethod}


def _method_of(method: str) -> str:
    upper = method.upper()
    return _METHODS.get(upper, method)


@js_names
class Request(Body):
    """An HTTP request.

    Args:
        input: an absolute URL, or a request to copy; options then replace parts of the copy.
        method: its method; known ones become :class:`http.HTTPMethod`, equal to their text.
        headers: its headers. A content type that follows from ``body`` is added if there is none.
        body: text, bytes, a blob, a form, or an asynchronous iterator of bytes.
        redirect: ``"follow"``, the default, ``"manual"`` or ``"error"``.
        cf: whatever the platform tells about the request.
        signal: aborts it.

    Raises:
        TypeError: the URL is not absolute, or the body can't be carried (or not with this method).
        ValueError: a header is not allowed.
    """

    __slots__ = ("_is_abandoned", "_signal", "cf", "method", "redirect", "url")

    def __init__(
        self,
        input: str | Request,
        *,
        method: str | None = None,
        headers: HeadersInit = None,
        body: BodyInit = None,
        redirect: str | None = None,
        cf: Any = None,
        signal: AbortSignal | None = None,
    ) -> None:
        source = input if isinstance(input, Request) else None
        content, content_type = body_of(body, "Request")
        if source is not None and body is None:
            content = source._take()
        fields = Headers(source.headers if source is not None and headers is None else headers)
        super().__init__(content, fields)
        if content_type is not None:
            fields.setdefault("content-type", content_type)
        self.url: str = source.url if source is not None else normalised_url(str(input))
        self.method: str = _method_of(method or (source.method if source is not None else "GET"))
        self.redirect: str = redirect or (source.redirect if source is not None else "follow")
        self._is_abandoned = False
        self._signal = source.signal if signal is None and source is not None else signal
        self.cf: Any = cf if source is None or cf is not None else source.cf
        if body is not None and self.method in ("GET", "HEAD"):
            raise TypeError("Request with a GET or HEAD method cannot have a body.")

    # Browsers' business: what these say of every request that a server sees

    cache: None = None
    credentials = "same-origin"
    destination = ""
    integrity = ""
    is_history_navigation = False
    keepalive = False
    mode = "cors"
    referrer = "about:client"
    referrer_policy = ""

    @property
    def signal(self) -> AbortSignal:
        """Aborted when the client goes away before it has the whole response. The handler goes on."""
        if self._signal is None:
            self._signal = AbortSignal()
            if self._is_abandoned:
                self.abandon()
        return self._signal

    @property
    def has_signal(self) -> bool:
        """Whether anybody has given it a signal, or asked for it."""
        return self._signal is not None

    def abandon(self) -> None:
        """Whoever sent the request does not wait for the response any more."""
        self._is_abandoned = True
        if self._signal is not None:
            self._signal._abort(AbortError("The client has disconnected"))

    @property
    def js_object(self) -> Request:
        """The request itself: there is no JavaScript object behind it."""
        return self

    def clone(self) -> Request:
        """A copy that can be read independently of this one.

        Raises:
            OSError: this one was read already.
        """
        same = {"redirect": self.redirect, "cf": self.cf, "signal": self.signal}
        copy = Request(self.url, method=self.method, headers=self.headers, **same)
        copy._content = self._fork()
        return copy

    def __repr__(self) -> str:
        return f"Request(method={str(self.method)!r}, url={self.url!r})"
