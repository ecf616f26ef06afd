"""Who somebody is in a room, and what they may do there.

It knows nothing of requests, tokens and sockets: those who let clients in make an :class:`Access`, and
whoever takes in what clients say asks it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from math import isnan
from typing import Any, Final, final

__all__ = ["ANYBODY", "Access", "Level", "level_of"]


class Level(IntEnum):
    """How much somebody may do in a room; each level includes those below. ``str()`` is its name, in small
    letters."""

    NONE = 0
    """Not even be there."""
    READ = 1
    """See all that is in the room; what this client writes stays its own."""
    WRITE = 2
    """Write what the rules of the room leave to everybody; without rules, everything."""
    ADMIN = 3
    """Write what the rules keep for administrators, too."""

    def __str__(self) -> str:
        return self.name.lower()


_LEVELS: Final[Mapping[str, Level]] = {str(level): level for level in Level}


def level_of(level: Level | str) -> Level:
    """The level of this name, or the level itself.

    Raises:
        ValueError: there is no such level.
    """
    found = _LEVELS.get(str(level))
    if found is None:
        raise ValueError(f"{level!r} is no level; those are {', '.join(_LEVELS)}")
    return found


@final
@dataclass(frozen=True, slots=True, init=False)
class Access:
    """What one client may do in one room.

    Attributes:
        level: how much.
        identity: who it is, as the application calls its users; empty for nobody in particular.
        claims: what else is known of them, as JSON has it; for rules of your own.
        expires_at: when it is over, in seconds since 1970 as in the claim ``exp`` of tokens; ``None``: never.
    """

    level: Level
    identity: str = ""
    claims: Mapping[str, Any] = field(default_factory=dict)
    expires_at: float | None = None

    def __init__(
        self,
        level: Level | str,
        identity: str = "",
        claims: Mapping[str, Any] | None = None,
        expires_at: float | None = None,
    ) -> None:
        """An access of a level, which may be given by its name.

        Raises:
            ValueError: there is no such level, or the time is none.
        """
        if expires_at is not None and isnan(expires_at):
            raise ValueError("an access ends at some time, not at NaN")
        object.__setattr__(self, "level", level_of(level))
        object.__setattr__(self, "identity", identity)
        object.__setattr__(self, "claims", dict(claims or {}))
        object.__setattr__(self, "expires_at", expires_at)

    def is_over(self, now_ms: float) -> bool:
        """Whether it has expired at this time, in milliseconds since 1970."""
        return self.expires_at is not None and self.expires_at * 1000 <= now_ms

    def to_json(self) -> dict[str, Any]:
        """All of it as JSON has it."""
        return {
            "level": str(self.level),
            "identity": self.identity,
            "claims": dict(self.claims),
            "expires_at": self.expires_at,
        }

    @staticmethod
    def from_json(made: Any) -> Access:
        """The access that :meth:`to_json` gave.

        Raises:
            ValueError: it gave nothing like that.
        """
        try:
            return Access(made["level"], made["identity"], made["claims"], made["expires_at"])
        except (KeyError, TypeError) as error:
            raise ValueError(f"{made!r} is no access") from error


ANYBODY: Final = Access(Level.WRITE)
"""Whoever comes to a room that asks nobody who they are."""
