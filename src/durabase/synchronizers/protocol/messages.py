"""The eight messages that synchronizers exchange, and the check that one has the right shape.

A message is the JSON array ``[request_id, number, body]``. This module turns its text into a
:class:`Message` and back, and refuses whatever TinyBase 10.0.1 would refuse. It knows nothing of
addresses and fragments (``payloads``), of conversations (``session``) or of stores: that a stamp is
not too far in the future is checked when it is merged.

Numbers are compared as JavaScript compares them: ``1.0`` is the integer 1, ``True`` is no number.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import IntEnum
from typing import Any, Final, cast, final

from durabase._codec import json_text_with_undefined, parse_json_with_undefined, string_text
from durabase._compiling import mypyc_attr
from durabase.errors import SyncMessageError
from durabase.mergeable.hlc import is_hlc_text
from durabase.types import UNDEFINED, UNDEFINED_MARK

__all__ = [
    "CONTENT_DIFF",
    "Message",
    "MessageType",
    "check_message",
    "is_answer",
    "is_tables_stamp",
    "message_text",
    "parse_message",
]


class MessageType(IntEnum):
    """The number in the middle of a message. Requests are answered by a ``RESPONSE`` with their id."""

    RESPONSE = 0
    GET_CONTENT_HASHES = 1
    CONTENT_HASHES = 2
    CONTENT_DIFF = 3
    GET_TABLE_DIFF = 4
    GET_ROW_DIFF = 5
    GET_CELL_DIFF = 6
    GET_VALUE_DIFF = 7


CONTENT_DIFF: Final = MessageType.CONTENT_DIFF
"""The number of edits. To look it up in the enumeration takes some 0.1 µs, for each message."""


@final
@mypyc_attr(acyclic=True)
class Message:
    """One message. From :func:`parse_message` and :func:`check_message` its shape is right.

    ``request_id``: of a request ``<transaction id>.<4 characters>``, repeated by its response;
    of a broadcast a transaction id or ``None``. ``body``: encoded things, ``UNDEFINED`` for deleted.
    """

    __slots__ = ("body", "number", "request_id")

    def __init__(self, request_id: str | None, number: MessageType, body: Any) -> None:
        self.request_id: Final = request_id
        self.number: Final = number
        self.body: Final = body

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Message) and self._parts() == other._parts()

    def __hash__(self) -> int:
        raise TypeError("messages can't be hashed: their bodies can be changed")

    def __repr__(self) -> str:
        return f"Message{self._parts()!r}"

    def _parts(self) -> tuple[str | None, MessageType, Any]:
        return self.request_id, self.number, self.body


def parse_message(remainder: str) -> Message:
    """Read the text of one message.

    Raises:
        SyncMessageError: the text is not JSON, or not one of the eight messages.
    """
    try:
        parts = parse_json_with_undefined(remainder)
    except ValueError as error:
        raise _refusal("text that is not JSON", "[request id, number, body]") from error
    if type(parts) is not list or len(parts) != 3:
        raise _refusal(_kind(parts), "an array of three: [request id, number, body]")
    return check_message(parts[0], parts[1], parts[2])


def check_message(request_id: object, number: object, body: object) -> Message:
    """Make a :class:`Message` of its three parts as decoded from JSON.

    Raises:
        SyncMessageError: a part does not have the shape that the protocol asks for.
    """
    if request_id is not None and not isinstance(request_id, str):
        raise _refusal(_kind(request_id), "a string or null as request id")
    if isinstance(number, bool) or not isinstance(number, (int, float)) or number not in _TYPES:
        raise _refusal(_kind(number), "a message number from 0 to 7")
    message_type = _TYPES[number]
    if not _BODY_CHECKS[message_type](body):
        raise _refusal(_kind(body), f"the body of {message_type.name}")
    return Message(request_id, message_type, body)


def message_text(message: Message) -> str:
    """The text of a message: JSON as JavaScript writes it, with ``"\\ufffc"`` for ``UNDEFINED``."""
    request_id = "null" if message.request_id is None else string_text(message.request_id)
    return f"[{request_id},{message.number:d},{json_text_with_undefined(message.body)}]"


def is_answer(request: MessageType, response_body: Any) -> bool:
    """Whether the body of a checked response is what this request is answered with."""
    return _ANSWER_CHECKS[request](response_body)


def _refusal(found: str, expected: str) -> SyncMessageError:
    error = SyncMessageError()
    error.add_note(f"found {found}; expected {expected}")
    return error


def _kind(thing: object) -> str:
    return f"{type(thing).__name__} {repr(thing)[:60]}"


_TYPES: Final[dict[float, MessageType]] = {message_type.value: message_type for message_type in MessageType}
_MAX_HASH: Final = 0xFFFFFFFF


def _is_hash(thing: object) -> bool:
    if type(thing) is int:
        return 0 <= thing <= _MAX_HASH
    return type(thing) is float and thing.is_integer() and 0 <= thing <= _MAX_HASH


def _is_map_of(thing: object, is_child: Callable[[Any], bool]) -> bool:
    if not isinstance(thing, dict):
        return False
    for child in thing.values():  # noqa: SIM110 - all() takes twice as long
        if not is_child(child):
            return False
    return True


def _is_hash_map(thing: object) -> bool:
    return _is_map_of(thing, _is_hash)


def _is_hash_map_2(thing: object) -> bool:
    return _is_map_of(thing, _is_hash_map)


def _is_hash_map_3(thing: object) -> bool:
    return _is_map_of(thing, _is_hash_map_2)


def _is_hash_pair(thing: object) -> bool:
    return isinstance(thing, list) and len(thing) == 2 and _is_hash(thing[0]) and _is_hash(thing[1])


def _has_stamp_frame(thing: object) -> bool:
    """Whether this is an array of a thing, or of a thing and the text of an HLC."""
    if not isinstance(thing, list):
        return False
    size = len(thing)
    if size == 1:
        return True
    if size != 2:
        return False
    hlc = thing[1]
    return isinstance(hlc, str) and (hlc == "" or is_hlc_text(hlc))


def _members(thing: object) -> dict[str, Any] | None:
    """What a container's stamp contains; ``None`` if it is no such stamp."""
    if not _has_stamp_frame(thing):
        return None
    parts: list[Any] = cast("list[Any]", thing)
    members = parts[0]
    return members if isinstance(members, dict) else None


def _is_thing(thing: object) -> bool:
    if isinstance(thing, str):
        return thing != UNDEFINED_MARK
    if isinstance(thing, float):
        return thing - thing == 0  # neither NaN nor infinite
    return thing is None or thing is UNDEFINED or isinstance(thing, (bool, int, dict, list))


def _is_thing_stamp(thing: Any) -> bool:
    return _has_stamp_frame(thing) and _is_thing(thing[0])


def _is_row_stamp(thing: Any) -> bool:
    members = _members(thing)
    if members is None:
        return False
    for stamp in members.values():  # noqa: SIM110 - all() takes twice as long
        if not (_is_plain_stamp(stamp) or _is_thing_stamp(stamp)):
            return False
    return True


def _is_plain_stamp(stamp: object) -> bool:
    """Whether this is a good stamp of a thing at first sight, as nearly all are."""
    if type(stamp) is not list:
        return False
    parts: list[Any] = stamp
    if len(parts) != 2:
        return False
    thing, hlc = parts[0], parts[1]
    if type(hlc) is not str or not is_hlc_text(hlc):
        return False
    return type(thing) is int or (type(thing) is str and thing != UNDEFINED_MARK)


def _is_table_stamp(thing: Any) -> bool:
    members = _members(thing)
    if members is None:
        return False
    for row in members.values():  # noqa: SIM110 - all() takes twice as long
        if not _is_row_stamp(row):
            return False
    return True


def is_tables_stamp(thing: Any) -> bool:
    """Whether this is a stamp of tables, as they are on the wire. Every such stamp is one of values, too."""
    members = _members(thing)
    if members is None:
        return False
    for table in members.values():  # noqa: SIM110 - all() takes twice as long
        if not _is_table_stamp(table):
            return False
    return True


_is_values_stamp: Final = _is_row_stamp


def _is_response(body: Any) -> bool:
    return _is_hash_pair(body) or is_tables_stamp(body) or _is_values_stamp(body) or _is_diff_answer(body)


def _is_diff_answer(body: Any) -> bool:
    return (
        isinstance(body, list)
        and len(body) == 2
        and is_tables_stamp(body[0])
        and (_is_hash_map(body[1]) or _is_hash_map_2(body[1]))
    )


def _is_table_diff(body: Any) -> bool:
    """For a checked response: its stamps, which may be many, are not looked at again."""
    return isinstance(body[0], list) and _is_hash_map(body[1])


def _is_row_diff(body: Any) -> bool:
    return isinstance(body[0], list) and _is_hash_map_2(body[1])


def _is_values_answer(body: Any) -> bool:
    """Stamps of values, none of which could be taken for a table: those have their things encoded."""
    return _is_values_stamp(body) and (not body[0] or not is_tables_stamp(body))


def _is_empty_text(body: Any) -> bool:
    return isinstance(body, str) and body == ""


def _is_content_diff(body: Any) -> bool:
    if not isinstance(body, list) or not 2 <= len(body) <= 3:
        return False
    if len(body) == 3 and (body[2] is True or body[2] != 1):
        return False
    return is_tables_stamp(body[0]) and _is_values_stamp(body[1])


_BODY_CHECKS: Final[tuple[Callable[[Any], bool], ...]] = (
    _is_response,
    _is_empty_text,
    _is_hash_pair,
    _is_content_diff,
    _is_hash_map,
    _is_hash_map_2,
    _is_hash_map_3,
    _is_hash_map,
)

_ANSWER_CHECKS: Final[dict[MessageType, Callable[[Any], bool]]] = {
    MessageType.GET_CONTENT_HASHES: _is_hash_pair,
    MessageType.GET_TABLE_DIFF: _is_table_diff,
    MessageType.GET_ROW_DIFF: _is_row_diff,
    MessageType.GET_CELL_DIFF: is_tables_stamp,
    MessageType.GET_VALUE_DIFF: _is_values_answer,
}
