"""Times as programs give them, as milliseconds since 1970."""

from __future__ import annotations

from datetime import datetime
from math import isfinite
from typing import Final

from durabase.errors import AlarmError

__all__ = ["alarm_ms", "time_ms"]

LAST_ALARM_MS: Final = (2**63 - 1) // 1_000_000
"""In the year 2262, whatever the error says: workerd keeps nanoseconds in 64 bits."""


def time_ms(time: object) -> int:
    """A time that a program gives.

    Raises:
        TypeError: it is none.
    """
    milliseconds = _milliseconds(time)
    if (
        isinstance(milliseconds, bool)
        or not isinstance(milliseconds, (int, float))
        or not isfinite(milliseconds)
    ):
        raise TypeError(f"a time is milliseconds or a datetime, not {time!r}")
    return int(milliseconds)


def _milliseconds(time: object) -> object:
    return time.timestamp() * 1000 if isinstance(time, datetime) else time


def alarm_ms(time: object) -> int:
    """A time for an alarm that a program gives.

    Raises:
        AlarmError: it is none, or none for an alarm.
    """
    time = _milliseconds(time)
    if isinstance(time, bool) or not isinstance(time, (int, float)):
        raise AlarmError(f"setAlarm() takes milliseconds or a datetime, not {type(time).__name__}")
    if not isfinite(time):
        raise AlarmError("The value cannot be converted because it is not a valid Date.")
    if time <= 0:
        raise AlarmError("setAlarm() cannot be called with an alarm time <= 0")
    if time > LAST_ALARM_MS:
        raise AlarmError("This API doesn't support dates after 2189.")
    return int(time)
