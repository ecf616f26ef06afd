"""Which pages may open WebSockets, and read resources.

Browsers let every page open a WebSocket to every server, with the cookies that the user has there; the
server has to look at ``Origin`` to know whose page it is. Programs that are no browsers send none. With
resources it is the other way round: browsers let pages of other origins have them only if the server agrees.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final
from urllib.parse import urlsplit

from durabase._refusals import refused
from durabase.server.context import Fetch
from durabase.web import Request, Response
from durabase.web.cors import allow_origin

__all__ = ["SAME", "OriginCheck", "Origins"]

SAME: Final = "same"
"""In place of an origin: that of the server itself."""


class Origins:
    """Whose pages may do something: ``Origins(["same", "https://app.example"]).allow(request)``.

    Args:
        allowed: origins as browsers write them (``https://app.example``), or :data:`SAME`.

    Raises:
        ValueError: one is no origin.
    """

    def __init__(self, allowed: Collection[str] = (SAME,)) -> None:
        for origin in allowed:
            if origin != SAME and not _is_origin(origin):
                raise ValueError(f"{origin!r} is no origin; https://app.example is one, without a path")
        self._allowed = {origin.lower() for origin in allowed}

    def allow(self, request: Request) -> bool:
        """Whether a request comes from such a page, or from a program that is no browser."""
        origin = (request.headers.get("origin") or "").lower()
        if not origin or origin in self._allowed:
            return True
        asked = urlsplit(request.url)
        return SAME in self._allowed and origin == f"{asked.scheme}://{asked.netloc}".lower()


class OriginCheck:
    """Refuses WebSockets of other pages: ``Server(OriginCheck(fetch, ["same"]).fetch)``.

    Pages of the allowed origins may have rooms as resources, too (:mod:`durabase.web.cors`). What the
    program answers itself stays as it is.

    Args:
        fetch: answers what is allowed, and requests that ask for no WebSocket.
        allowed: those of :class:`Origins`.

    Raises:
        ValueError: one is no origin.
    """

    def __init__(self, fetch: Fetch, allowed: Collection[str] = (SAME,)) -> None:
        self._fetch = fetch
        self._origins = Origins(allowed)

    async def fetch(self, request: Request) -> Response:
        """Answer the request, or refuse it with 403."""
        if self._origins.allow(request):
            allow_origin(request)
        elif (request.headers.get("upgrade") or "").lower() == "websocket":
            refused("origin", request.headers.get("origin") or "")
            return Response(f"Pages of {request.headers.get('origin')} may not open WebSockets here.", 403)
        return await self._fetch(request)


def _is_origin(text: str) -> bool:
    parts = urlsplit(text)
    return bool(parts.scheme and parts.netloc) and f"{parts.scheme}://{parts.netloc}" == text.lower()
