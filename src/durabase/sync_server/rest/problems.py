"""What went wrong, as a client is told: ``application/problem+json`` of RFC 9457."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, final

from durabase._codec import json_text
from durabase.errors import ServerError
from durabase.web import Response

__all__ = ["ProblemError"]


@final
class ProblemError(ServerError):
    """A request that can't be done.

    Args:
        status: of the response.
        detail: what was found, and what is expected.
        headers: for the response.
        members: further members of the response's body.
    """

    def __init__(
        self, status: HTTPStatus, detail: str, headers: Mapping[str, str] | None = None, **members: Any
    ) -> None:
        super().__init__(detail)
        self.status: HTTPStatus = status
        self.members = members
        self._headers = {} if headers is None else headers

    def response(self) -> Response:
        """The answer that says so."""
        body = {
            "type": "about:blank",
            "title": self.status.phrase,
            "status": int(self.status),
            "detail": self.details,
            **self.members,
        }
        headers = {"content-type": "application/problem+json", **self._headers}
        return Response(json_text(body).encode(), int(self.status), headers=headers)
