"""Messages of TinyBase for people: who says what to whom, and what it brings."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain, islice
from typing import Any, Final, TypeAlias, final

from durabase._codec import json_text_with_undefined, utf8_length
from durabase.inspector.stamps import things_in_tables, things_in_values
from durabase.synchronizers.protocol.messages import Message, MessageType, is_answer, message_text

__all__ = ["WireLog"]

Json: TypeAlias = dict[str, Any]

MAX_THINGS: Final = 50
"""So many of the cells and values that a message brings are told."""
MAX_TEXT: Final = 2_000
"""So much of its text is."""
MAX_REQUESTS: Final = 200
"""So many requests are remembered until they are answered."""


@final
class WireLog:
    """Describes messages. It remembers requests, to say of answers what they answer."""

    def __init__(self) -> None:
        self._requests: dict[str, MessageType] = {}

    def described(self, sender: str, receiver: str, message: Message, time_ms: int) -> Json:
        """One message, as a record."""
        request = self._request_of(message)
        things = [*islice(_things(message, request), MAX_THINGS + 1)]
        text = json_text_with_undefined(message.body)
        return {
            "type": "message",
            "time": time_ms,
            "from": sender,
            "to": receiver,
            "kind": message.number.name.lower(),
            "answers": None if request is None else request.name.lower(),
            "request": message.request_id,
            "bytes": utf8_length(message_text(message)),
            "things": things[:MAX_THINGS],
            "more": len(things) > MAX_THINGS,
            "text": text if len(text) <= MAX_TEXT else f"{text[:MAX_TEXT]} …",
        }

    def _request_of(self, message: Message) -> MessageType | None:
        """What a response answers; a request is remembered."""
        if message.request_id is None:
            return None
        if message.number is MessageType.RESPONSE:
            return self._requests.get(message.request_id)  # several may answer
        self._requests[message.request_id] = message.number
        if len(self._requests) > MAX_REQUESTS:
            del self._requests[next(iter(self._requests))]
        return None


def _things(message: Message, request: MessageType | None) -> Iterable[Json]:
    body = message.body
    if message.number is MessageType.CONTENT_DIFF:
        return chain(things_in_tables(body[0]), things_in_values(body[1]))
    if request is None or not is_answer(request, body):
        return ()
    match request:
        case MessageType.GET_TABLE_DIFF | MessageType.GET_ROW_DIFF:
            return things_in_tables(body[0])
        case MessageType.GET_CELL_DIFF:
            return things_in_tables(body)
        case MessageType.GET_VALUE_DIFF:
            return things_in_values(body)
    return ()
