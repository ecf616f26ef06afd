"""Where requests come in: which are for resources, and who answers them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final, TypeAlias, final

from durabase._codec import json_text
from durabase.sync_server.rest.openapi import openapi_document
from durabase.sync_server.rest.problems import ProblemError
from durabase.sync_server.rest.target import DOCUMENT, Target, checked_prefix, steps_below, target_of
from durabase.web import Request, Response
from durabase.web.cors import is_preflight, preflight_answer, shared

__all__ = ["AnswersInRoom", "RestEntry"]

AnswersInRoom: TypeAlias = Callable[[Request, Target], Awaitable[Response]]
"""Answers a request in the room that it is about; may raise a ProblemError."""

_JSON: Final = {"content-type": "application/json"}


@final
class RestEntry:
    """The resources of all rooms of a server.

    Args:
        prefix: the path below which they are, as ``/api``.

    Raises:
        ValueError: the prefix is no path.
    """

    def __init__(self, prefix: str) -> None:
        self.prefix = checked_prefix(prefix)

    async def answer(self, request: Request, answers: AnswersInRoom) -> Response | None:
        """The answer, that of ``answers`` if the request is about a room.

        ``None`` if the request's path is not below the prefix. Pages of origins that the server allows can
        read it.
        """
        steps = steps_below(self.prefix, request)
        if steps is None:
            return None
        if is_preflight(request):
            return preflight_answer(request)
        return shared(request, await self._answer(request, steps, answers))

    async def _answer(self, request: Request, steps: list[str], answers: AnswersInRoom) -> Response:
        try:
            if steps == [DOCUMENT] and request.method in ("GET", "HEAD"):
                return Response(json_text(openapi_document()).encode(), headers=_JSON)
            return await answers(request, target_of(self.prefix, request))
        except ProblemError as problem:
            return problem.response()
