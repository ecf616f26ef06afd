"""A span for each event of an object and each call of an entrypoint, below the span of whoever caused it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from contextvars import copy_context
from inspect import isawaitable
from typing import Any, Final

from opentelemetry.context import Context, attach, detach, get_current
from opentelemetry.propagate import extract, inject
from opentelemetry.trace import (
    Span,
    SpanKind,
    Status,
    StatusCode,
    Tracer,
    get_current_span,
    set_span_in_context,
)

from durabase.durable_objects.events import Alarm, Call, Fetch, Read, Served, SocketEvent
from durabase.durable_objects.origin import Origin
from durabase.operations.records import RecordMaker, outcome
from durabase.operations.redaction import redacted_url
from durabase.web import Request

__all__ = ["EventSpans"]

_SERVER_ERRORS: Final = 500


class EventSpans:
    """Makes spans: the :class:`~durabase.durable_objects.tracing.Tracer` of a runtime.

    Args:
        tracer: OpenTelemetry's own.
        maker: knows the names of workers.
    """

    def __init__(self, tracer: Tracer, maker: RecordMaker) -> None:
        self._tracer = tracer
        self._names = maker.script_and_class

    def carried(self) -> Context:
        """What the current code hands on to whom it calls: the context with its span."""
        return get_current()

    def sent(self) -> dict[str, str]:
        """The same for another process: headers, such as ``traceparent``."""
        headers: dict[str, str] = {}
        inject(headers)
        return headers

    def within(self, sent: Mapping[str, str], call: Callable[[], Any]) -> Any:
        """Call it as code of whoever has sent these headers."""

        def called() -> Any:
            attach(extract(sent))
            return call()

        return copy_context().run(called)

    def begin(self, origin: Origin, event: object, carried: Context | None) -> _EventSpan:
        """An event begins: of what caused it if that has a span, else of what the request's headers name."""
        worker, class_name = self._names(origin.class_name)
        attributes: dict[str, str | int] = {
            "durabase.worker": worker,
            "durabase.class": class_name,
            "durabase.event": origin.event,
        }
        if origin.id is not None:
            attributes["durabase.object.id"] = str(origin.id)
            if origin.id.name is not None:
                attributes["durabase.object.name"] = origin.id.name
        parent = _parent(event, carried)
        span = self._tracer.start_span(
            f"{class_name}.{origin.event}", parent, _kind(event), attributes | _described(event)
        )
        return _EventSpan(span, parent)


class _EventSpan:
    """The span of one event."""

    __slots__ = ("_context", "_span")

    def __init__(self, span: Span, parent: Context) -> None:
        self._span = span
        self._context = set_span_in_context(span, parent)

    def around(self, call: Callable[[], Any]) -> Callable[[], Any]:
        """``call``, whose span is the current one as long as it, or what it gives to await, lasts."""

        def traced() -> Any:
            token = attach(self._context)
            try:
                result = call()
            except BaseException as error:
                self._end(None, error)
                raise
            finally:
                detach(token)
            if isawaitable(result):
                return self._awaited(result)
            self._end(result, None)
            return result

        return traced

    async def _awaited(self, awaitable: Awaitable[Any]) -> Any:
        token = attach(self._context)
        try:
            result = await awaitable
        except BaseException as error:
            self._end(None, error)
            raise
        finally:
            detach(token)
        self._end(result, None)
        return result

    def _end(self, result: Any, error: BaseException | None) -> None:
        span, status = self._span, getattr(result, "status", None)
        span.set_attribute("durabase.outcome", outcome(error))
        if isinstance(status, int):
            span.set_attribute("http.response.status_code", status)
        if error is not None:
            span.record_exception(error)
            span.set_status(Status(StatusCode.ERROR, f"{type(error).__name__}: {error}"))
        elif isinstance(status, int) and status >= _SERVER_ERRORS:
            span.set_status(Status(StatusCode.ERROR))
        span.end()


def _parent(event: object, carried: Context | None) -> Context:
    if isinstance(event, (SocketEvent, Alarm)) or carried is None:
        return Context()  # whoever connected, or set it, is long gone
    if get_current_span(carried).get_span_context().is_valid:
        return carried
    request = _request(event)
    return Context() if request is None else extract(dict(request.headers.items()), Context())


def _request(event: object) -> Request | None:
    found = event.request if isinstance(event, Fetch) else event
    return found if isinstance(found, Request) else None


def _kind(event: object) -> SpanKind:
    if isinstance(event, SocketEvent):
        return SpanKind.CONSUMER
    is_called = isinstance(event, (Fetch, Request, Call, Read, Served))
    return SpanKind.SERVER if is_called else SpanKind.INTERNAL


def _described(event: object) -> dict[str, str | int]:
    request = _request(event)
    if request is not None:
        return {"http.request.method": str(request.method), "url.full": redacted_url(request.url)}
    if isinstance(event, (Call, Read, Served)):
        return {"rpc.method": event.name}
    return {}
