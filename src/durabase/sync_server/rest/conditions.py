"""Requests that hold only for what the client has seen: ``If-Match`` and ``If-None-Match`` of RFC 9110.

Entity tags are made of the hashes that TinyBase's synchronizers compare. Two stores that have the same have
the same tags, and the tags of a room are the same after a restart.
"""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import Final, NamedTuple

from durabase.sync_server.rest.problems import ProblemError

__all__ = ["UNCONDITIONAL", "Conditions", "entity_tag"]

_TAG: Final = re.compile(r'\s*(W/)?("[^"]*")\s*(?:,|$)')
_ANY: Final = "*"


def entity_tag(*hashes: int) -> str:
    """The tag of something with these hashes."""
    return '"{}"'.format("".join(f"{hash_:08x}" for hash_ in hashes))


class Conditions(NamedTuple):
    """What the two headers say; ``None`` for one that is not there."""

    if_match: str | None = None
    if_none_match: str | None = None

    def check(self, tag: str | None) -> None:
        """Complain if they do not hold for something with this tag, ``None`` if it is not there.

        Raises:
            ProblemError: 412, with the present tag if there is one.
        """
        if self.if_match is not None and not _matches(self.if_match, tag, weakly=False):
            raise _failed("If-Match", self.if_match, tag)
        if self.is_known(tag):
            raise _failed("If-None-Match", str(self.if_none_match), tag)

    def is_known(self, tag: str | None) -> bool:
        """Whether ``If-None-Match`` says that the client has what has this tag."""
        return self.if_none_match is not None and _matches(self.if_none_match, tag, weakly=True)


UNCONDITIONAL: Final = Conditions()
"""What holds always."""


def _failed(name: str, expected: str, tag: str | None) -> ProblemError:
    found = "it does not exist" if tag is None else f"its entity tag is {tag}"
    headers = None if tag is None else {"etag": tag}
    return ProblemError(HTTPStatus.PRECONDITION_FAILED, f"{name} is {expected[:100]}, but {found}", headers)


def _matches(field: str, tag: str | None, *, weakly: bool) -> bool:
    if tag is None:
        return False
    if field.strip() == _ANY:
        return True
    listed = _TAG.match(field)
    while listed is not None:
        if listed[2] == tag and (weakly or not listed[1]):
            return True
        listed = _TAG.match(field, listed.end()) if listed.end() < len(field) else None
    return False
