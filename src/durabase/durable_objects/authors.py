"""Who changes what an object keeps: said by whoever lets them in, kept with the change where a history is."""

from __future__ import annotations

import json
from contextvars import ContextVar
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from durabase.durable_objects.origin import current_origin

__all__ = ["ADMINISTRATOR", "NOBODY", "Author", "author_text", "current_author"]


@dataclass(frozen=True, slots=True)
class Author:
    """Somebody, as far as they are known.

    Attributes:
        identity: who it is, as the application calls its users.
        client: the id of the client's connection.
        address: where it came from.
        is_admin: whether it is an administrator, by the admin address or the inspector.
    """

    identity: str = ""
    client: str = ""
    address: str = ""
    is_admin: bool = False


NOBODY: Final = Author()
"""Nobody from outside: the program itself."""

ADMINISTRATOR: Final = Author(is_admin=True)

current_author: Final[ContextVar[Author]] = ContextVar("current_author", default=NOBODY)
"""Whose request, message or command the current code answers; what it starts in tasks, too."""


def author_text(event: str | None = None) -> str:
    """The current author and the event that it came by, as JSON with what is known only.

    ``event`` is another one than the current.
    """
    origin = current_origin.get()
    return _text(current_author.get(), event or ("" if origin is None else origin.event))


@lru_cache(1024)
def _text(author: Author, event: str) -> str:
    known = {
        "event": event,
        "identity": author.identity,
        "client": author.client,
        "address": author.address,
        "admin": author.is_admin,
    }
    return json.dumps({name: each for name, each in known.items() if each}, separators=(",", ":"))
