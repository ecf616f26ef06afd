"""The heads of requests and responses as h11 has them: how long one is, which fields a response gets."""

from __future__ import annotations

import traceback
from http import HTTPStatus
from typing import Final

import h11

from durabase.web import Response

__all__ = ["Fields", "error_response", "head_size", "is_bodiless", "reason_phrase", "response_fields"]

Fields = list[tuple[bytes, bytes]]

_BODILESS: Final = frozenset((204, 205, 304))
_FRAMING: Final = frozenset(("connection", "keep-alive", "transfer-encoding", "upgrade"))


def head_size(head: h11.Request) -> int:
    """Bytes of a request's target and headers."""
    return len(head.target) + sum(len(name) + len(value) for name, value in head.headers)


def is_bodiless(status: int) -> bool:
    """Whether responses with this status have no body."""
    return status in _BODILESS


def error_response(error: Exception, debug: bool) -> Response:
    """What a client is told of an error that nobody has caught: with ``debug`` its traceback."""
    text = "".join(traceback.format_exception(error)) if debug else "Internal Server Error"
    return Response(text, 500)


def response_fields(response: Response, length: int | None) -> Fields:
    """The header fields of a response whose body has ``length`` bytes, ``None``: nobody knows yet."""
    fields = [
        (name.encode("ascii"), value.encode("latin-1", "replace"))
        for name, value in response.headers.items()
        if name not in _FRAMING and (name != "content-length" or length is None)
    ]
    if length is not None and not is_bodiless(response.status):
        fields.append((b"Content-Length", b"%d" % length))
    return fields


def reason_phrase(status: int) -> str:
    """What is said beside a status."""
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Status"
