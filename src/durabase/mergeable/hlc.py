"""The hybrid logical clock: times that order all edits of all stores.

An HLC is 16 characters, 6 bits each: 42 bits of milliseconds since 1970, 24 bits of counter, 30 bits
that stand for the client. They compare as plain strings. A clock never gives the same HLC twice and
never one that is earlier than one it has given or seen. ``""`` is the time of what was always there.

It does not know what is stamped. The wall clock is an argument.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeAlias, TypeGuard

from durabase._codec import ALPHABET, IS_COMPILED, utf8
from durabase._codec import unique_id as random_id
from durabase.clock import Clock, SystemClock
from durabase.mergeable.hashes import get_hash
from durabase.types import Id

if TYPE_CHECKING:
    from mypy_extensions import i64

__all__ = [
    "MAX_FUTURE_MS",
    "Hlc",
    "HybridClock",
    "hlc_upper_bound",
    "is_hlc",
    "is_hlc_text",
]

Hlc: TypeAlias = str

MAX_FUTURE_MS: Final = 300_000
"""How far ahead of the wall clock the time of others may be, in milliseconds."""

_COUNTER_END: Final = 1 << 24
_TIME_END: Final = 1 << 42
_TIME_LENGTH: Final = 7
_CLIENT_START: Final = 11
_NO_BOUND: Final = "~"

_SIX_BITS: Final[dict[str, int]] = {char: number for number, char in enumerate(ALPHABET)}
_PAIRS: Final = [first + second for first in ALPHABET for second in ALPHABET]
"""The characters of 12 bits."""
_LENGTH: Final = 16
_ONLY_GOOD: Final = bytes(_LENGTH)
_GOOD_OR_NOT: Final = bytes([chr(code) not in _SIX_BITS for code in range(256)])
"""0 for each character of HLCs, 1 for all others."""


def _encode(number: int, length: int) -> str:
    """The low ``6 * length`` bits of a number, most significant first; negative ones as the original's."""
    sign, number = (-1, -number) if number < 0 else (1, number)
    return "".join([ALPHABET[sign * (number >> shift) & 63] for shift in range(6 * (length - 1), -1, -6)])


def _decode(text: str) -> int:
    number = 0
    for char in text:
        number = number << 6 | _SIX_BITS.get(char, 0)
    return number


def _four_chars(number: int) -> str:
    """``_encode(number, 4)`` of a number that is not negative: this is on the hot path."""
    return _PAIRS[number >> 12 & 4095] + _PAIRS[number & 4095]


def _time_text(time: int) -> str:
    return _four_chars(time >> 24)[1:] + _four_chars(time)


def hlc_upper_bound(limit_ms: int) -> str:
    """The text below which are all HLCs up to the time ``limit_ms``, and no later ones."""
    if limit_ms + 1 >= _TIME_END:
        return _NO_BOUND
    return _time_text(limit_ms + 1) if limit_ms >= 0 else ""


def is_hlc(text: object, upper_bound: str = _NO_BOUND) -> TypeGuard[Hlc]:
    """Whether ``text`` is an HLC (``""`` included), and below ``upper_bound`` if one is given."""
    return isinstance(text, str) and (text == "" or (is_hlc_text(text) and text < upper_bound))


def is_hlc_text(text: str) -> bool:
    """Whether a text has the form of an HLC that is not ``""``."""
    if len(text) != _LENGTH:
        return False
    if not IS_COMPILED:
        return utf8(text).translate(_GOOD_OR_NOT) == _ONLY_GOOD
    for index in range(_LENGTH):
        code: i64 = ord(text[index])
        if code > 127 or _GOOD_OR_NOT[code]:
            return False
    return True


class HybridClock:
    """A hybrid logical clock.

    Args:
        unique_id: of the store; five characters of every HLC are its hash. Random if it is left out.
        clock: what tells the time of day; the system's if it is left out.
    """

    __slots__ = (
        "_bound",
        "_bound_of",
        "_client_id",
        "_last_counter",
        "_last_time",
        "_other_now_ms",
        "_seen",
        "_seen_text",
        "_seen_time",
        "_system",
        "_time_text",
        "_time_text_of",
    )

    def __init__(self, unique_id: Id | None = None, *, clock: Clock | None = None) -> None:
        given = SystemClock() if clock is None else clock
        self._system = given if type(given) is SystemClock else None  # compiled, it is asked at once
        self._other_now_ms = given.now_ms
        self._client_id = random_id(5) if unique_id is None else _client_id_of(unique_id)
        self._last_time = 0
        self._last_counter = -1
        self._seen: Hlc = ""  # the latest that was accepted and not reckoned with yet
        # What was computed last, for times repeat: of our own HLCs, of others', and the bound of the latter.
        self._time_text_of = self._seen_time = self._bound_of = 0
        self._time_text = self._seen_text = _time_text(0)
        self._bound = hlc_upper_bound(MAX_FUTURE_MS)

    @property
    def last_time(self) -> int:
        """The latest time given or seen, in milliseconds since 1970."""
        self._reckon()
        return self._last_time

    @property
    def last_counter(self) -> int:
        """The last counter within ``last_time``, -1 if there was none."""
        self._reckon()
        return self._last_counter

    @property
    def client_id(self) -> str:
        """The last five characters of every HLC of this clock."""
        return self._client_id

    def next(self) -> Hlc:
        """An HLC later than all that were given or seen."""
        self.tick()
        self._last_counter += 1
        if self._last_counter == _COUNTER_END:
            self._last_time += 1
            self._last_counter = 0
        return self._text()

    def tick(self) -> None:
        """Look at the wall clock: ``seen`` without an HLC."""
        self._reach(self._now())

    def _reach(self, now: int) -> None:
        self._reckon()
        if now > self._last_time:
            self._last_time = now
            self._last_counter = -1
        elif self._last_time == 0 and self._last_counter < 0:
            self._last_counter = 0

    def seen(self, hlc: object = "") -> None:
        """Take note of another's HLC. One that is malformed, or more than five minutes ahead, is ignored."""
        if is_hlc(hlc):
            self.see(hlc)

    def see(self, hlc: Hlc) -> None:
        """Like ``seen``, for what is known to be well-formed."""
        now = self._now()
        if hlc == "":
            self._reach(now)
        elif self._decoded_time(hlc) <= now + MAX_FUTURE_MS:
            self._see_at(hlc, now)

    def see_accepted(self, hlc: Hlc) -> None:
        """Like ``see``, for one below the ``upper_bound`` that was asked for last, and at that time.

        Only the latest of many has to be reckoned with, and not before a time is asked for.
        """
        if hlc == "":
            self._reach(self._bound_of)
        else:
            if self._bound_of > self._last_time:
                self._last_time = self._bound_of
                self._last_counter = -1
            if hlc > self._seen:
                self._seen = hlc

    def _reckon(self) -> None:
        if self._seen:
            hlc, self._seen = self._seen, ""
            self._see_at(hlc, 0)

    def _see_at(self, hlc: Hlc, now: int) -> None:
        time = self._decoded_time(hlc)
        last = self._last_time
        if time > last or now > last:
            self._last_time = max(time, now)
            self._last_counter = _decode(hlc[_TIME_LENGTH:_CLIENT_START]) if time >= now else -1
        elif time == last:
            self._last_counter = max(self._last_counter, _decode(hlc[_TIME_LENGTH:_CLIENT_START]))

    def encode(self, time: int, counter: int, unique_id: Id | None = None) -> Hlc:
        """The HLC of a time and a counter, of this clock or of the store with ``unique_id``."""
        client_id = self._client_id if unique_id is None else _client_id_of(unique_id)
        return _encode(time, 7) + _encode(counter, 4) + client_id

    def decode(self, hlc: Hlc) -> tuple[int, int, str]:
        """The time, the counter and the client's five characters of an HLC."""
        return (
            _decode(hlc[:_TIME_LENGTH].ljust(_TIME_LENGTH, "-")),
            _decode(hlc[_TIME_LENGTH:_CLIENT_START].ljust(_CLIENT_START - _TIME_LENGTH, "-")),
            hlc[_CLIENT_START:],
        )

    def upper_bound(self) -> str:
        """What all acceptable HLCs are below just now, see ``hlc_upper_bound``."""
        now = self._now()
        if now != self._bound_of:
            self._bound_of = now
            self._bound = hlc_upper_bound(now + MAX_FUTURE_MS)
        return self._bound

    def _now(self) -> int:
        return self._other_now_ms() if self._system is None else self._system.now_ms()

    def _decoded_time(self, hlc: Hlc) -> int:
        if not hlc.startswith(self._seen_text):
            self._seen_text = hlc[:_TIME_LENGTH]
            self._seen_time = _decode(self._seen_text)
        return self._seen_time

    def _text(self) -> Hlc:
        """The HLC of the present state. Encoding the time is most of the work and seldom new."""
        if self._time_text_of != self._last_time:
            self._time_text_of = self._last_time
            self._time_text = _time_text(self._last_time)
        return self._time_text + _four_chars(self._last_counter) + self._client_id


def _client_id_of(unique_id: Id) -> str:
    return _encode(get_hash(unique_id), 5)
