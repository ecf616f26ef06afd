"""What options may be: ports, addresses, numbers."""

from __future__ import annotations

import argparse

__all__ = ["address", "days", "duration", "port", "positive", "seconds"]


_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}


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
