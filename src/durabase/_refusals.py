"""Who was turned away, and why: told where it happens, heard by whoever watches the process."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Literal, NamedTuple, TypeAlias

__all__ = ["REASONS", "Reason", "Refusal", "hear", "refused"]

Reason: TypeAlias = Literal[
    "origin", "address", "connections", "messages", "unauthenticated", "forbidden", "application", "expired"
]

REASONS: Final[dict[Reason, str]] = {
    "origin": "a page of another origin",
    "address": "too many connections from one address",
    "connections": "more connections than a limit for clients allows",
    "messages": "more messages, or larger ones, than a limit for clients allows",
    "unauthenticated": "who has not shown who it is",
    "forbidden": "whom the program gives no access",
    "application": "whom the program answers itself",
    "expired": "whose access is over",
}
"""What somebody may be turned away for. There are no others."""


class Refusal(NamedTuple):
    """One: the reason, and the origin, address or path that it was about, as far as that is known."""

    reason: Reason
    about: str


_hearers: Final[list[Callable[[Refusal], object]]] = []


def refused(reason: Reason, about: str = "") -> None:
    """Somebody is turned away."""
    for hearer in _hearers:
        hearer(Refusal(reason, about))


def hear(hearer: Callable[[Refusal], object]) -> Callable[[], None]:
    """Call ``hearer`` with each from now on, until the result is called."""
    _hearers.append(hearer)
    return lambda: _hearers.remove(hearer)
