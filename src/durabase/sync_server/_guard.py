"""What of a client's messages goes any further: content that it may write, and questions.

A guard stands before a room and looks at whole messages. What may all pass, passes as it came; a message of
which some is refused is written anew, without that. Nothing is told to the sender: its copy keeps what only
it has, and all others agree.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, final

from durabase._codec import utf8_length
from durabase._refusals import refused
from durabase.errors import UnauthenticatedError
from durabase.sync_server.access import Access
from durabase.sync_server.authority import Edit, Proposal, Validate
from durabase.sync_server.rules import Rules
from durabase.synchronizers.protocol.messages import (
    Message,
    MessageType,
    is_tables_stamp,
    message_text,
)
from durabase.synchronizers.protocol.payloads import Payload, encode_payloads
from durabase.synchronizers.protocol.relay import SERVER_ID
from durabase.types import Id

__all__ = ["Guard", "Questions", "expired", "judged_by_rules"]

_OVER: Final = "the access to this room is over"
MAX_QUESTIONS: Final = 4096
"""So many questions of clients are remembered; the oldest are forgotten."""

_CONTENT: Final = frozenset((MessageType.RESPONSE, MessageType.CONTENT_HASHES, MessageType.CONTENT_DIFF))
_ASKED_OF_TABLES: Final = frozenset(
    (MessageType.GET_TABLE_DIFF, MessageType.GET_ROW_DIFF, MessageType.GET_CELL_DIFF)
)


@final
class Questions:
    """What clients have asked, by who and with which id: an answer alone may not tell what it is about."""

    __slots__ = ("_asked",)

    def __init__(self) -> None:
        self._asked: dict[tuple[Id, str | None], MessageType] = {}

    def ask(self, client_id: Id, message: Message) -> None:
        """A client has asked this."""
        self._asked[client_id, message.request_id] = message.number
        if len(self._asked) > MAX_QUESTIONS:
            del self._asked[next(iter(self._asked))]

    def is_about_tables(self, client_id: Id, message: Message) -> bool:
        """Whether this answers a question of that client about tables."""
        return self._asked.get((client_id, message.request_id)) in _ASKED_OF_TABLES


@final
class Guard:
    """Stands between one client and one room.

    Attributes:
        access: what the client may do; may be replaced.
        client_id: the client.
    """

    __slots__ = ("_questions", "_rules", "access", "client_id")

    def __init__(self, access: Access, rules: Rules | None, questions: Questions, client_id: Id) -> None:
        """A guard. ``rules`` is ``None`` where the room itself judges what is written."""
        self.access = access
        self.client_id = client_id
        self._rules = rules
        self._questions = questions

    def let_through(self, payload: Payload, now_ms: float) -> Payload | None:
        """What goes further of a message; ``None`` if nothing does.

        Raises:
            UnauthenticatedError: the access is over.
            Exception: what a check of the rules raises; then nothing goes further.
        """
        if self.access.is_over(now_ms):
            raise expired()
        message, rules = payload.message, self._rules
        if rules is None:
            return payload
        if message.number not in _CONTENT:
            self._questions.ask(self.client_id, message)
            return payload
        if rules.writes_nothing(self.access):
            return None
        body = self._allowed_body(rules, payload)
        if body is message.body:
            return payload
        if message.number is MessageType.CONTENT_DIFF and not (body[0][0] or body[1][0]):
            return None
        return _rewritten(payload, Message(message.request_id, message.number, body))

    def _allowed_body(self, rules: Rules, payload: Payload) -> Any:
        message, body = payload.message, payload.message.body
        if message.number is MessageType.CONTENT_DIFF:
            return self._allowed_parts(rules, body)
        if message.number is MessageType.CONTENT_HASHES or not isinstance(body[0], (list, dict)):
            return body  # hashes
        if isinstance(body[0], list):  # a stamp of tables, and hashes of what differs
            tables = rules.allowed_tables(self.access, body[0])
            return body if tables is body[0] else [tables, body[1]]
        return self._allowed_stamp(rules, payload)

    def _allowed_parts(self, rules: Rules, body: Any) -> Any:
        tables = rules.allowed_tables(self.access, body[0])
        values = rules.allowed_things(self.access, body[1])
        return body if tables is body[0] and values is body[1] else [tables, values, *body[2:]]

    def _allowed_stamp(self, rules: Rules, payload: Payload) -> Any:
        """What may be written of the answer to a question about cells, or one about values.

        Whoever asked for values might take tables for values that are objects. So tables have to be allowed
        as such, too, unless it is known that tables were asked for. (A server's own store takes no tables
        for values.)
        """
        body = payload.message.body
        if not is_tables_stamp(body):
            return rules.allowed_things(self.access, body)
        tables = rules.allowed_tables(self.access, body)
        if payload.address == SERVER_ID or self._questions.is_about_tables(payload.address, payload.message):
            return tables
        return rules.allowed_things(self.access, tables)


def expired() -> UnauthenticatedError:
    """Somebody is turned away as their access is over: the error to do it with."""
    refused("expired")
    return UnauthenticatedError(_OVER)


def judged_by_rules(rules: Rules, access_of: Callable[[Id], Access], validate: Validate | None) -> Validate:
    """What judges in an authoritative room: the rules, and then the program's own ``validate``."""

    def judge(proposal: Proposal) -> None:
        access = access_of(proposal.client_id)
        for edit in proposal.edits:
            if not _may(rules, access, edit):
                proposal.refuse(edit, "the rules do not allow it")
        if validate is not None:
            validate(proposal)

    return judge


def _may(rules: Rules, access: Access, edit: Edit) -> bool:
    if edit.value_id is not None:
        return rules.allows(access, "value", None, None, edit.value_id, edit.thing)
    return rules.allows(access, "cell", edit.table_id, edit.row_id, edit.cell_id or "", edit.thing)


def _rewritten(payload: Payload, message: Message) -> Payload:
    """A payload with another message, in pieces no longer than it came in."""
    pieces = payload.remainders
    size = max(utf8_length(piece.split("\n", 3)[3]) for piece in pieces) if len(pieces) > 1 else None
    payloads = encode_payloads("", message_text(message), size)
    return Payload(payload.address, [text[1:] for text in payloads], message)
