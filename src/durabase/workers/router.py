"""Which of several workers answers a request: the one with the most specific route, else the first. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import urlsplit

from durabase.workers.config.routes import Route

__all__ = ["Router"]


class Router:
    """Knows the routes of workers by their numbers.

    Args:
        routes: the routes of each worker. The first one is asked for all that no route matches.
    """

    def __init__(self, routes: Sequence[Sequence[Route]]) -> None:
        known = [(route, number) for number, of_worker in enumerate(routes) for route in of_worker]
        self._routes = sorted(known, key=lambda entry: entry[0].precedence) if any(routes[1:]) else []

    def worker_for(self, url: str) -> int:
        """Return the number of the worker that an absolute URL leads to."""
        if not self._routes:
            return 0
        parts = urlsplit(url)
        target = f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"
        host = parts.hostname or ""
        matching = (number for route, number in self._routes if route.matches(parts.scheme, host, target))
        return next(matching, 0)
