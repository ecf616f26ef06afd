from __future__ import annotations

import io

import pytest

from durabase.cli.console import Console
from durabase.cli.object_log import ObjectLog
from durabase.durable_objects import (
    EventHandled,
    ObjectConstructed,
    ObjectFact,
    ObjectHibernated,
    ObjectReset,
)
from durabase.durable_objects.ids import IdMint

NAMED = IdMint("app-Room").from_name("x7f2")
UNIQUE = IdMint("app-Room").unique()


@pytest.mark.parametrize(
    ("fact", "expected"),
    [
        (ObjectConstructed("Room", NAMED, 2.6), "  /x7f2  started (3ms)\n"),
        (ObjectHibernated("Room", NAMED, 0), "  /x7f2  hibernated\n"),
        (ObjectHibernated("Room", NAMED, 1), "  /x7f2  hibernated (1 socket kept)\n"),
        (ObjectHibernated("Room", NAMED, 2), "  /x7f2  hibernated (2 sockets kept)\n"),
        (ObjectHibernated("Room", UNIQUE, 0), f"  {str(UNIQUE)[:8]}…  hibernated\n"),
        (ObjectReset("Room", NAMED, ValueError("why")), "✘ [ERROR] /x7f2  Room was reset: why\n"),
        (
            EventHandled("Room", NAMED, "web_socket_message", 1, ValueError("why")),
            "✘ [ERROR] /x7f2  web_socket_message failed: ValueError: why\n",
        ),
        (EventHandled("Room", NAMED, "fetch", 1, ValueError("the caller sees it")), ""),
        (EventHandled("Room", NAMED, "web_socket_message", 1, None), ""),
    ],
)
def test_lines(fact: ObjectFact, expected: str) -> None:
    text = io.StringIO()
    ObjectLog(Console(text, text)).observe(fact)
    assert text.getvalue().endswith(expected)
    assert bool(text.getvalue()) is bool(expected)


def test_errors_only() -> None:
    text = io.StringIO()
    log = ObjectLog(Console(text, text), errors_only=True)
    log.observe(ObjectConstructed("Room", NAMED, 1))
    log.observe(ObjectHibernated("Room", NAMED, 1))
    assert text.getvalue() == ""
    log.observe(ObjectReset("Room", NAMED, ValueError("why")))
    assert text.getvalue() != ""
