"""Events and their results as bytes, with what they carry that is no plain value.

Values cross twice: they were copied, and what can't be copied became stubs, before they come here.
A stub is sent as a number, under which its receiver can call it; see :mod:`.exports`.
"""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable
from typing import Any, Protocol

from durabase.durable_objects.crossing import make_call, may_cross, next_of, pieces_of
from durabase.durable_objects.events import Call, Fetch, ObjectEvent, Read
from durabase.durable_objects.ids import DurableObjectId
from durabase.durable_objects.routing import ObjectKey, ObjectRouter
from durabase.durable_objects.rpc_stub import RpcStub
from durabase.durable_objects.rpc_target import Granted
from durabase.durable_objects.stub import DurableObjectStub
from durabase.errors import ClusterError
from durabase.web import Blob, File, FormData, Headers, Request, Response, WebSocket
from durabase.web.structured_clone import decode_value, encode_value

__all__ = ["Borders", "Perform", "Wire"]

Perform = Callable[[Call | Read], Awaitable[Any]]
"""Calls something, or reads a property of it."""


class Borders(Protocol):
    """Keeps what was sent as a number, and makes of a number what stands for it here."""

    def export(self, perform: Perform, release: Callable[[], object]) -> int:
        """A number by which the other side can have that performed, until it releases it."""

    def granted(self, number: int) -> Granted:
        """What the other side exported."""

    def export_socket(self, socket: WebSocket) -> int:
        """A number by which the other side can use the socket, or have its client handed over."""

    def socket(self, number: int) -> WebSocket:
        """The socket that the other side exported."""


class Wire:
    """Makes bytes of values, and values of bytes, between two processes.

    Args:
        borders: for what is no plain value.
        router: for stubs of objects.
    """

    def __init__(self, borders: Borders, router: ObjectRouter) -> None:
        self._borders = borders
        self._router = router

    def encode(self, value: Any) -> bytes:
        """The bytes for ``value``.

        Raises:
            TypeError: something in it can't be sent to another process.
        """
        passed: list[Any] = []
        plain = encode_value(value, passed, may_cross)
        return encode_value([plain, [self._form(item) for item in passed]])

    def decode(self, data: bytes, stubs: list[RpcStub] | None = None) -> Any:
        """The value of the bytes; the stubs in it are appended to ``stubs``.

        Raises:
            ValueError: these are no such bytes.
        """
        plain, forms = decode_value(data)
        passed = [self._from_form(form) for form in forms]
        if stubs is not None:
            stubs += [item for item in passed if isinstance(item, RpcStub)]
        return decode_value(plain, passed)

    # Events

    def event_form(self, event: ObjectEvent) -> list[Any]:
        """An event as a value.

        Raises:
            ClusterError: it can only happen within a process.
        """
        if isinstance(event, Fetch):
            return ["fetch", event.request]
        if isinstance(event, Call):
            return ["call", event.method, list(event.arguments), dict(event.keywords)]
        if isinstance(event, Read):
            return ["read", event.name]
        raise ClusterError(f"{type(event).__name__}: the object lives in another process")

    def event_from(self, form: list[Any], stubs: list[RpcStub], size: int) -> Fetch | Call | Read:
        """The event that such a value tells of."""
        match form:
            case ["fetch", request]:
                return Fetch(request)
            case ["call", method, arguments, keywords]:
                return Call(method, tuple(arguments), keywords, stubs, size)
            case ["read", name]:
                return Read(name)
        raise ClusterError(f"an event of an unknown kind: {form[:1]}")

    # What is no plain value

    def _form(self, item: Any) -> list[Any]:
        match item:
            case DurableObjectStub():
                key = item._rpc_key
                return ["object", key.class_name, key.id.key, key.id.name, key.id.jurisdiction]
            case Request():
                head = [item.url, str(item.method), _fields(item.headers), item.redirect, item.cf]
                return ["request", *head, self._body_form(item)]
            case Response():
                socket = None if item.web_socket is None else self._borders.export_socket(item.web_socket)
                head = [item.status, item.status_text, _fields(item.headers), item.url, socket]
                return ["response", *head, self._body_form(item)]
            case Headers():
                return ["headers", _fields(item)]
            case FormData():
                return ["form", [[name, _field_form(value)] for name, value in item.items()]]
            case Blob():
                return _blob_form(item)
        if isinstance(item, AsyncIterable):
            return ["stream", self._export_stream(item)]
        if hasattr(item, "_rpc_perform"):
            return ["stub", self._export_stub(item)]
        raise TypeError(f"{type(item).__name__} can't be sent to another process")

    def _export_stub(self, stub: Any) -> int:
        kept = stub._rpc_cross()
        return self._borders.export(kept._rpc_perform, getattr(kept, "destroy", lambda: None))

    def _export_stream(self, stream: AsyncIterable[Any]) -> int:
        following = next_of(stream)
        return self._borders.export(lambda event: following(), lambda: None)

    def _body_form(self, body: Request | Response) -> Any:
        at_hand = body.body_bytes()
        return ["stream", self._export_stream(body.iter_body())] if at_hand is None else at_hand

    def _from_form(self, form: list[Any]) -> Any:
        match form:
            case ["object", class_name, key, name, jurisdiction]:
                id = DurableObjectId(key, name, jurisdiction)
                return DurableObjectStub(self._router, ObjectKey(class_name, id))
            case ["request", url, method, headers, redirect, cf, body]:
                request = Request(url, method=method, headers=headers, redirect=redirect, cf=cf)
                return _with_body(request, self._body_from(body))
            case ["response", status, text, headers, url, socket, body]:
                web_socket = None if socket is None else self._borders.socket(socket)
                response = Response(self._body_from(body), status, text, headers, web_socket)
                response.url = url
                return response
            case ["headers", fields]:
                return Headers(fields)
            case ["form", fields]:
                return FormData([(name, _field_from(value)) for name, value in fields])
            case ["stream", number]:
                return self._stream(number)
            case ["stub", number]:
                return RpcStub(self._borders.granted(number), make_call)
        return _field_from(form)

    def _body_from(self, form: Any) -> bytes | AsyncIterator[bytes] | None:
        return self._stream(form[1]) if isinstance(form, list) else form or None

    def _stream(self, number: int) -> AsyncIterator[Any]:
        return pieces_of(RpcStub(self._borders.granted(number), make_call))


def _with_body(request: Request, body: bytes | AsyncIterator[bytes] | None) -> Request:
    return request if body is None else Request(request, headers=request.headers, body=body)


def _fields(headers: Headers) -> list[list[str]]:
    return [list(field) for field in headers.items()]


def _blob_form(blob: Blob) -> list[Any]:
    if isinstance(blob, File):
        return ["file", blob.data, blob.content_type, blob.name, blob.last_modified]
    return ["blob", blob.data, blob.content_type]


def _field_form(value: str | Blob) -> Any:
    return value if isinstance(value, str) else _blob_form(value)


def _field_from(form: Any) -> Any:
    match form:
        case ["file", data, content_type, name, last_modified]:
            return File([data], name, content_type, last_modified=last_modified)
        case ["blob", data, content_type]:
            return Blob([data], content_type)
    return form
