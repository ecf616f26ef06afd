"""From whom a room's own store pulls: from so many clients at a time, the others wait."""

from __future__ import annotations

from typing import Final, final

from durabase.synchronizers.protocol.messages import Message
from durabase.types import Id

__all__ = ["MAX_PULLS", "PullQueue"]

MAX_PULLS: Final = 50
"""From how many clients the store pulls at a time. A session takes 100 requests."""


@final
class PullQueue:
    """What clients have told of their hashes, and how many pulls are under way."""

    __slots__ = ("_under_way", "_waiting")

    def __init__(self) -> None:
        self._under_way = 0
        self._waiting: dict[Id, Message] = {}

    @property
    def is_over(self) -> bool:
        """Whether nobody waits and nothing is under way."""
        return not (self._under_way or self._waiting)

    def add(self, client: Id, message: Message) -> None:
        """A client has told its hashes; what it told before is out of date."""
        self._waiting.pop(client, None)
        self._waiting[client] = message

    def begin(self) -> tuple[Id, Message] | None:
        """The next client to pull from, and what it told; ``None`` if none may begin now."""
        if not self._waiting or self._under_way >= MAX_PULLS:
            return None
        self._under_way += 1
        client = next(iter(self._waiting))
        return client, self._waiting.pop(client)

    def ended(self) -> None:
        """A pull is over."""
        self._under_way -= 1
