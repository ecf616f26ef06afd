"""Numbers as JavaScript writes them.

Digits are those of Python's ``repr``, the shortest that stand for the double; ECMAScript only lays
them out in another way.
"""

from __future__ import annotations

from typing import Final

__all__ = ["MAX_SAFE", "number_text"]

MAX_SAFE: Final = 2**53
"""Up to here every integer is a double."""


def number_text(number: int | float) -> str:
    """The text of a number as JavaScript's ``String(number)``: ``1.0`` is ``1``, ``1e21`` is ``1e+21``.

    An ``int`` beyond 2^53 is rounded to the nearest double first.
    """
    if isinstance(number, int):
        if -MAX_SAFE <= number <= MAX_SAFE:
            return int.__repr__(number)
        number = _nearest_double(number)
    text = float.__repr__(number)
    if "e" not in text:
        return _without_fraction(text)
    return _scientific_text(text)


def _nearest_double(number: int) -> float:
    try:
        return float(number)
    except OverflowError:
        return float("inf") if number > 0 else float("-inf")


def _without_fraction(text: str) -> str:
    if text.endswith(".0"):
        return "0" if text == "-0.0" else text[:-2]
    if "n" not in text:
        return text
    return text.replace("inf", "Infinity").replace("nan", "NaN")


def _scientific_text(text: str) -> str:
    """Python's ``d.ddde±xx`` as ECMAScript lays out the same digits."""
    sign = "-" if text[0] == "-" else ""
    mantissa, _, exponent = text.lstrip("-").partition("e")
    digits = mantissa.replace(".", "")
    point = int(exponent) + 1
    if len(digits) <= point <= 21:
        return sign + digits + "0" * (point - len(digits))
    if 0 < point <= 21:
        return f"{sign}{digits[:point]}.{digits[point:]}"
    if -6 < point <= 0:
        return f"{sign}0.{'0' * -point}{digits}"
    rest = "." + digits[1:] if len(digits) > 1 else ""
    return f"{sign}{digits[0]}{rest}e{point - 1:+d}"
