"""What options may be: ports, addresses, numbers."""

from __future__ import annotations

import argparse
import re
from datetime import datetime
from typing import Final, TypeAlias

__all__ = ["Moment", "address", "days", "duration", "moment", "port", "positive", "seconds", "with_times"]


_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
_AGO: Final = re.compile(r"-?(\d+) ?(s|m|h|d)(?:ec(?:ond)?s?|in(?:ute)?s?|ours?|ays?)?(?: ago)?")
_BOOKMARK: Final = re.compile(r"[0-9a-f]{8}-[0-9a-f]{8}-[0-9a-f]{8}-[0-9a-f]{32}")

Moment: TypeAlias = str | float | datetime
"""A bookmark; so many seconds ago; a time."""


def port(text: str) -> int:
    """A port; 0 stands for any.

    Raises:
        ArgumentTypeError: it is none.
    """
    number = int(text)
    if not 0 <= number <= 65535:
        raise argparse.ArgumentTypeError(f"{text} is not between 0 and 65535")
    return number


def address(text: str) -> tuple[str, int]:
    """``HOST:PORT``, or a port of this machine's own.

    Raises:
        ArgumentTypeError: it is none.
    """
    host, _, number = text.rpartition(":")
    return host.strip("[]") or "127.0.0.1", port(number)


def positive(text: str) -> int:
    """A number from 1 on.

    Raises:
        ArgumentTypeError: it is none.
    """
    number = int(text)
    if number <= 0:
        raise argparse.ArgumentTypeError(f"{text} is not greater than 0")
    return number


def days(text: str) -> float:
    """A number of days.

    Raises:
        ArgumentTypeError: it is none.
    """
    number = float(text)
    if not 0 < number < float("inf"):
        raise argparse.ArgumentTypeError(f"{text} is no number of days")
    return number


def seconds(text: str) -> float:
    """A number of seconds, from a tenth of one to an hour.

    Raises:
        ArgumentTypeError: it is none.
    """
    number = float(text)
    if not 0.1 <= number <= 3600:
        raise argparse.ArgumentTypeError(f"{text} is not between 0.1 and 3600")
    return number


def duration(text: str) -> float:
    """Seconds, written as ``90s``, ``15m``, ``1h`` or ``30d``.

    Raises:
        ArgumentTypeError: it is none.
    """
    number, unit = text[:-1], text[-1:]
    if unit not in _SECONDS or not number.isdecimal() or int(number) == 0:
        raise argparse.ArgumentTypeError(f"{text!r} is no duration; 90s, 15m, 1h and 30d are")
    return int(number) * _SECONDS[unit]


def moment(text: str) -> Moment:
    """A time: ISO 8601, of this machine's zone if it names none; ``-10m``, ``10 minutes ago``; a bookmark.

    Raises:
        ArgumentTypeError: it is none.
    """
    if _BOOKMARK.fullmatch(text):
        return text
    if ago := _AGO.fullmatch(text.strip().lower()):
        return float(int(ago[1]) * _SECONDS[ago[2]])
    try:
        return datetime.fromisoformat(text.strip())
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"{text!r} is no time; 2026-11-29T13:00, -10m, '10 minutes ago' and a bookmark are"
        ) from None


def with_times(words: list[str]) -> list[str]:
    """The words of a command line, with a time that begins like an option joined to ``--at`` before it."""
    joined: list[str] = []
    for word in words:
        if joined and joined[-1] == "--at" and word.startswith("-") and _AGO.fullmatch(word):
            joined[-1] = f"--at={word}"
        else:
            joined.append(word)
    return joined
