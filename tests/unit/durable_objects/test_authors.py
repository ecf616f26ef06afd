"""Who changes what an object keeps, as a text."""

from __future__ import annotations

import json
from contextvars import copy_context
from typing import Any

import pytest

from durabase.durable_objects.authors import ADMINISTRATOR, NOBODY, Author, author_text, current_author
from durabase.durable_objects.origin import Origin, current_origin


def told(author: Author = NOBODY, origin: Origin | None = None, event: str | None = None) -> Any:
    def tell() -> str:
        current_author.set(author)
        current_origin.set(origin)
        return author_text(event)

    return json.loads(copy_context().run(tell))


@pytest.mark.parametrize(
    ("author", "text"),
    [
        (NOBODY, {}),
        (ADMINISTRATOR, {"admin": True}),
        (Author("ann", "key", "192.0.2.1"), {"identity": "ann", "client": "key", "address": "192.0.2.1"}),
        (Author(address="é"), {"address": "é"}),
    ],
)
def test_only_what_is_known_is_told(author: Author, text: dict[str, Any]) -> None:
    assert told(author) == text


def test_the_event_is_the_current_one_or_another_that_is_given() -> None:
    origin = Origin("Room", None, "fetch")
    assert told(origin=origin) == {"event": "fetch"}
    assert told(origin=origin, event="restore") == {"event": "restore"}
    assert told(event="restore") == {"event": "restore"}
    assert list(told(Author("ann"), origin)) == ["event", "identity"]


def test_one_author_is_one_text() -> None:
    def twice() -> bool:
        current_author.set(Author("ann"))
        first = author_text()
        current_author.set(Author("ann"))
        return first == author_text() == '{"identity":"ann"}'

    assert copy_context().run(twice)
