"""The answer to a client that has no tables: all of them, as text that is kept while they are the same."""

from __future__ import annotations

from typing import Final, final

from durabase._codec import json_text_with_undefined, string_text
from durabase.mergeable import MergeableStore
from durabase.mergeable.hashes import Hash
from durabase.synchronizers.protocol.messages import Message, MessageType

__all__ = ["FullAnswer", "asks_for_everything"]

MAX_KEPT: Final = 16 * 1024 * 1024
"""Text of more characters is written anew each time."""


def asks_for_everything(message: Message) -> bool:
    """Whether a client says that it has no tables, and asks for ours."""
    return message.number is MessageType.GET_TABLE_DIFF and not message.body


@final
class FullAnswer:
    """What GetTableDiff without any hashes is answered with, of one store.

    Clients that join one after the other get the same text: writing it takes a hundred times as long as
    sending it. Whether the tables are still the same is seen by their hash, as clients see it.
    """

    __slots__ = ("_hash", "_max_kept", "_store", "_text")

    def __init__(self, store: MergeableStore, max_kept: int = MAX_KEPT) -> None:
        self._store = store
        self._max_kept = max_kept
        self._hash: Hash = 0
        self._text: str | None = None

    def text_for(self, question: Message) -> str:
        """The text of the answer to this question."""
        id_ = "null" if question.request_id is None else string_text(question.request_id)
        return f"[{id_},{MessageType.RESPONSE:d},{self._body()}]"

    def forget(self) -> None:
        """The tables have changed."""
        self._text = None

    def _body(self) -> str:
        hash_ = self._store.get_mergeable_content_hashes()[0]
        if self._text is not None and self._hash == hash_:
            return self._text
        text = json_text_with_undefined(self._store.get_mergeable_table_diff({}))
        self._hash, self._text = hash_, text if len(text) <= self._max_kept else None
        return text
