"""The module ``pyodide.http``, of which programs use ``pyfetch``."""

from __future__ import annotations

from typing import Any

from durabase.web import Request, Response
from durabase.workers.compat.http_fetch import fetch

__all__ = ["FetchResponse", "pyfetch"]

FetchResponse = Response


async def pyfetch(url: str | Request, **options: Any) -> Response:
    """Send a request and return the response; like ``workers.fetch``."""
    return await fetch(url, **options)
