"""What the URL of a request names: a room, and steps to something in it.

A URL is ``{prefix}/rooms/{room}/{steps}``. The path of a room may be any text, so it stands there as one
segment, percent-encoded: ``a/b`` is ``a%2Fb``, and the room ``a%20b`` is ``a%2520b``.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Final, NamedTuple
from urllib.parse import parse_qsl, unquote, urlsplit

from durabase.sync_server.rest.problems import ProblemError
from durabase.types import Id
from durabase.web import Request

__all__ = ["DOCUMENT", "Target", "checked_prefix", "steps_below", "target_of"]

DOCUMENT: Final = "openapi.json"
_ROOMS: Final = "rooms"
_TOKEN: Final = "token"  # noqa: S105 - the name of a parameter, which is for who looks at tokens
_MAX_ROOM_BYTES: Final = 16_000


class Target(NamedTuple):
    """A place in a room: the room's path, the steps to the place, and the members of the query."""

    path_id: Id
    steps: list[str]
    query: dict[str, str]

    @property
    def is_events(self) -> bool:
        """Whether it is the room's stream of events."""
        return self.steps == ["events"]


def checked_prefix(prefix: str) -> str:
    """The path below which the resources are, without a slash at its end.

    Raises:
        ValueError: it is no path that starts with a slash.
    """
    if not prefix.startswith("/") or "?" in prefix or "#" in prefix:
        raise ValueError(f"rest={prefix!r}: a path is expected that starts with a slash, as '/api'")
    return prefix.rstrip("/")


def steps_below(prefix: str, request: Request) -> list[str] | None:
    """The segments of a request's path after ``prefix``, as they were sent; ``None`` if it is elsewhere."""
    path = urlsplit(request.url).path
    return path[len(prefix) + 1 :].split("/") if path.startswith(f"{prefix}/") else None


def target_of(prefix: str, request: Request) -> Target:
    """What a request below ``prefix`` is about.

    Raises:
        ProblemError: it names no room, or is not encoded as URLs are.
    """
    steps = steps_below(prefix, request)
    if steps is None or len(steps) < 2 or steps[0] != _ROOMS:
        raise ProblemError(HTTPStatus.NOT_FOUND, f"rooms are at {prefix}/{_ROOMS}/{{room}}")
    if len(steps[1]) > _MAX_ROOM_BYTES:
        raise ProblemError(
            HTTPStatus.REQUEST_URI_TOO_LONG, f"a room's path has at most {_MAX_ROOM_BYTES} bytes"
        )
    path_id, *inner = map(_decoded, steps[1:])
    if "" in inner:  # "." and ".." may have stood there, which are not to be mistaken for an id
        raise ProblemError(HTTPStatus.NOT_FOUND, "a segment is empty; transactions reach ids that no URL has")
    return Target(path_id, inner, _query_of(request))


def _decoded(segment: str) -> str:
    try:
        return unquote(segment, errors="strict")
    except UnicodeDecodeError:
        raise ProblemError(HTTPStatus.BAD_REQUEST, f"the segment {segment[:100]!r} is not UTF-8") from None


def _query_of(request: Request) -> dict[str, str]:
    try:
        pairs = parse_qsl(urlsplit(request.url).query, keep_blank_values=True, errors="strict")
    except ValueError:
        raise ProblemError(HTTPStatus.BAD_REQUEST, "the query is not UTF-8, or has too many parts") from None
    query = dict(pairs)
    if len(query) < len(pairs):
        raise ProblemError(HTTPStatus.BAD_REQUEST, "a parameter of the query is there twice")
    query.pop(_TOKEN, None)
    return query
