"""Payload text ⇄ message: the address line, fragments and their reassembly, every limit on the way.

A payload is one WebSocket text message: ``address LF remainder``. The remainder is a message, or one piece of
a message that was cut because it is long: ``message id LF index LF total LF piece``. The decoder hands out
whole messages, checked, together with the remainders as they came, so that a relay passes on the original
text and nobody encodes or parses twice. It follows TinyBase 10.0.1 to the order of its checks.

It knows nothing of sockets, of who is on a path (``relay``), nor of what messages mean (``session``).
"""

from __future__ import annotations

import re
from math import inf
from typing import Final, final

from durabase._codec import ALPHABET, unique_id, utf8_length
from durabase._compiling import mypyc_attr
from durabase.errors import SyncError, SyncMessageError, SyncOverflowError
from durabase.synchronizers.protocol.messages import Message, parse_message

__all__ = [
    "MAX_FRAGMENTS",
    "MAX_GROUPS",
    "MAX_PAYLOAD_BYTES",
    "FragmentBudget",
    "Payload",
    "PayloadDecoder",
    "encode_payloads",
    "is_too_large",
]

MAX_PAYLOAD_BYTES: Final = 16_777_216
"""The most bytes of one payload, and of all pieces that wait for the rest of their message."""
MAX_FRAGMENTS: Final = 1000
"""The most pieces of one message."""
MAX_GROUPS: Final = 100
"""The most messages that may be incomplete at a time."""

_MESSAGE_ID_LENGTH: Final = 16
_FRAGMENT_STARTS: Final = frozenset(ALPHABET)
_match_fragment: Final = re.compile(r"([-0-9A-Z_a-z]{16})\n([0-9]+)\n([0-9]+)\n").match
_match_fragment_payload: Final = re.compile(r"[^\n]*\n[-0-9A-Z_a-z]{16}\n[0-9]+\n[0-9]+\n").match


@final
@mypyc_attr(acyclic=True)
class Payload:
    """One whole message on its way.

    ``address``: the first line; towards a server the addressee, from a server the originator.
    ``remainders``: what followed the address line, as it came; several if the message came in pieces, in the
    order of the pieces. ``message``: what they say.
    """

    __slots__ = ("address", "message", "remainders")

    def __init__(self, address: str, remainders: list[str], message: Message) -> None:
        self.address = address
        self.remainders = remainders
        self.message = message


@final
class FragmentBudget:
    """What incomplete messages take, counted over all decoders that share this budget."""

    __slots__ = ("groups", "size")

    def __init__(self) -> None:
        self.groups = 0
        self.size = 0


@final
class _Group:
    """The pieces of one message that have come so far."""

    __slots__ = ("deadline", "missing", "pieces", "remainders", "size", "total")

    def __init__(self, total: int, deadline: float) -> None:
        self.total = total
        self.missing = total
        self.deadline = deadline
        self.pieces: dict[int, str] = {}
        self.remainders: dict[int, str] = {}
        self.size = 0

    def add(self, index: int, piece: str, remainder: str, size: int) -> None:
        self.pieces[index] = piece
        self.remainders[index] = remainder
        self.missing -= 1
        self.size += size


@final
class PayloadDecoder:
    """Reads the payloads of one connection, in the order they come.

    After the first invalid payload it is *poisoned*: it has let go of what it held and ignores everything
    further. Times are milliseconds on one scale of the caller's choice.
    """

    __slots__ = ("_budget", "_groups", "_poisoned", "_timeout_ms")

    def __init__(self, timeout_seconds: float = 1.0, budget: FragmentBudget | None = None) -> None:
        """Start empty.

        Args:
            timeout_seconds: how long after its first piece an incomplete message is dropped.
            budget: shared with other decoders of the same connection (its channels).
        """
        self._timeout_ms = timeout_seconds * 1000
        self._budget = FragmentBudget() if budget is None else budget
        self._groups: dict[str, _Group] = {}
        self._poisoned = False

    @property
    def is_poisoned(self) -> bool:
        """Whether an invalid payload came; from then on nothing is read."""
        return self._poisoned

    def receive(self, text: str, now: float) -> Payload | None:
        """Read one payload; the whole message if this completes one.

        Returns:
            The payload, or ``None`` for a piece of a message that is not complete yet, or when poisoned.

        Raises:
            SyncMessageError: neither a message nor a piece of one.
            SyncOverflowError: ``socket``, it is too long; ``fragments``, too many or too long pieces.
        """
        if self._poisoned:
            return None
        try:
            return self._read(text, now)
        except SyncError:
            self.poison()
            raise

    def next_deadline(self) -> float | None:
        """When :meth:`expire` has something to drop; ``None`` while no message is incomplete."""
        for group in self._groups.values():
            return group.deadline
        return None

    def expire(self, now: float) -> None:
        """Drop the incomplete messages whose time is over. Nobody is told."""
        for key in [key for key, group in self._groups.items() if group.deadline <= now]:
            self._drop(key)

    def poison(self) -> None:
        """Let go of everything and ignore what comes."""
        self._poisoned = True
        self.clear()

    def clear(self) -> None:
        """Let go of all incomplete messages."""
        for key in list(self._groups):
            self._drop(key)

    def _read(self, text: str, now: float) -> Payload | None:
        if is_too_large(text):
            raise SyncOverflowError("fragments" if _match_fragment_payload(text) else "socket")
        address, separator, remainder = text.partition("\n")
        if not separator:
            raise _refusal("a payload without a line feed", "an address line and a message")
        # A message is a JSON array, so it can't start with a letter of the alphabet, and a piece must.
        if remainder[:1] in _FRAGMENT_STARTS:
            return self._read_fragment(address, remainder, now)
        return Payload(address, [remainder], parse_message(remainder))

    def _read_fragment(self, address: str, remainder: str, now: float) -> Payload | None:
        header = _match_fragment(remainder)
        if header is None:
            raise _refusal("text that is neither", "a message or a piece of one")
        message_id, index_text, total_text = header.groups()
        total = _small_number(total_text)
        if total > MAX_FRAGMENTS:
            raise SyncOverflowError("fragments")
        index = _small_number(index_text)
        if index >= total:
            raise _refusal(f"piece {index} of {total}", "an index below the total")
        key = f"{address}\n{message_id}"
        group = self._add_to_group(key, index, total, remainder, remainder[header.end() :], now)
        return None if group.missing else self._complete(address, key, group)

    def _add_to_group(
        self, key: str, index: int, total: int, remainder: str, piece: str, now: float
    ) -> _Group:
        group = self._groups.get(key)
        size = utf8_length(remainder)
        if group is None:
            group = self._open_group(key, total, size, now)
        elif group.total != total or index in group.pieces:
            raise _refusal(f"piece {index} of {total} after others of its message", "each piece once")
        elif self._budget.size + size > MAX_PAYLOAD_BYTES:
            raise SyncOverflowError("fragments")
        group.add(index, piece, remainder, size)
        self._budget.size += size
        return group

    def _open_group(self, key: str, total: int, size: int, now: float) -> _Group:
        key_size = utf8_length(key)
        budget = self._budget
        if budget.groups >= MAX_GROUPS or budget.size + key_size + size > MAX_PAYLOAD_BYTES:
            raise SyncOverflowError("fragments")
        group = self._groups[key] = _Group(total, now + self._timeout_ms)
        group.size = key_size
        budget.groups += 1
        budget.size += key_size
        return group

    def _complete(self, address: str, key: str, group: _Group) -> Payload:
        self._drop(key)
        order = range(group.total)
        message = parse_message("".join([group.pieces[index] for index in order]))
        return Payload(address, [group.remainders[index] for index in order], message)

    def _drop(self, key: str) -> None:
        self._budget.size -= self._groups.pop(key).size
        self._budget.groups -= 1


def is_too_large(text: str) -> bool:
    """Whether a payload takes more bytes of UTF-8 than any peer accepts."""
    # A code point takes one byte at least and four at most: short texts need no counting.
    return len(text) * 4 > MAX_PAYLOAD_BYTES and utf8_length(text) > MAX_PAYLOAD_BYTES


def encode_payloads(client_id: str, remainder: str, fragment_size: float | None = None) -> list[str]:
    """The payloads that carry a message to, or from, a client: one, or its pieces in order.

    Args:
        client_id: the address line.
        remainder: the text of the message.
        fragment_size: bytes of UTF-8 that a piece may have; ``None`` or less than 1: never cut. It grows
            as needed to keep within 1,000 pieces.
    """
    pieces = _cut(remainder, fragment_size)
    total = len(pieces)
    if total == 1:
        return [f"{client_id}\n{remainder}"]
    head = f"{client_id}\n{unique_id(_MESSAGE_ID_LENGTH)}\n"
    return [f"{head}{index}\n{total}\n{piece}" for index, piece in enumerate(pieces)]


def _cut(text: str, fragment_size: float | None) -> list[str]:
    if fragment_size is None or not 1 <= fragment_size < inf or len(text) * 4 <= fragment_size:
        return [text]
    data = text.encode("utf-8", "surrogatepass")
    limit = max(int(fragment_size), -(-len(data) // MAX_FRAGMENTS) + 3)
    if len(data) <= limit:
        return [text]
    if len(data) == len(text):
        return [text[start : start + limit] for start in range(0, len(text), limit)]
    return [piece.decode("utf-8", "surrogatepass") for piece in _cut_bytes(data, limit)]


def _cut_bytes(data: bytes, limit: int) -> list[bytes]:
    """Cut UTF-8 between code points; ``limit`` is at least 4, so a code point always fits."""
    pieces = []
    start = 0
    while start < len(data):
        end = start + limit
        while end < len(data) and data[end] & 0xC0 == 0x80:
            end -= 1
        pieces.append(data[start:end])
        start = end
    return pieces


def _small_number(digits: str) -> int:
    """The number, or one over every limit if there are so many digits that it must be."""
    significant = digits.lstrip("0")
    return int(significant or "0") if len(significant) < 7 else 10**7


def _refusal(found: str, expected: str) -> SyncMessageError:
    error = SyncMessageError()
    error.add_note(f"found {found}; expected {expected}")
    return error
