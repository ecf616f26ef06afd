"""Which pages of other origins may read what is answered: CORS of the Fetch standard.

The server knows which origins are allowed, and says so with the request (:func:`allow_origin`). Whoever
answers for what such pages may have adds what browsers want to be told (:func:`shared`).
"""

from __future__ import annotations

from typing import Any, Final, cast

from durabase.web.request import Request
from durabase.web.response import Response

__all__ = ["allow_origin", "is_preflight", "preflight_answer", "shared"]

_ALLOWED: Final = "durabaseAllowedOrigin"
_EXPOSED: Final = "etag, link, location, allow, retry-after, www-authenticate"
_METHODS: Final = "GET, HEAD, PUT, PATCH, POST, DELETE"
_MAX_AGE_SECONDS: Final = 600


def allow_origin(request: Request) -> None:
    """Note that the server allows the origin of a request.

    That stands in what the platform says of the request, which nobody can send from outside.
    """
    origin = request.headers.get("origin")
    if origin is not None:
        facts = cast("dict[str, Any]", request.cf) if isinstance(request.cf, dict) else {}
        request.cf = {**facts, _ALLOWED: origin}


def is_preflight(request: Request) -> bool:
    """Whether a browser asks before it sends what a page of an allowed origin wants to send."""
    asked = request.headers.get("access-control-request-method")
    return request.method == "OPTIONS" and asked is not None and _allowed_origin(request) is not None


def preflight_answer(request: Request) -> Response:
    """The answer to that: it may, with whatever headers the page has set."""
    headers = {
        "access-control-allow-methods": _METHODS,
        "access-control-allow-headers": request.headers.get("access-control-request-headers") or "",
        "access-control-max-age": str(_MAX_AGE_SECONDS),
    }
    return shared(
        request, Response(None, 204, headers={name: said for name, said in headers.items() if said})
    )


def shared(request: Request, response: Response) -> Response:
    """The response, so that a page of the request's origin can read it if that is allowed."""
    origin = _allowed_origin(request)
    if origin is not None:
        response.headers["access-control-allow-origin"] = origin
        response.headers["access-control-allow-credentials"] = "true"
        response.headers["access-control-expose-headers"] = _EXPOSED
        response.headers.append("vary", "origin")
    return response


def _allowed_origin(request: Request) -> str | None:
    facts = request.cf
    found = facts.get(_ALLOWED) if isinstance(facts, dict) else None
    return found if isinstance(found, str) else None
