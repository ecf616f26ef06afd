"""The syntax of ``.dev.vars``: ``NAME=value`` lines, as dotenv reads them."""

from __future__ import annotations

import re

__all__ = ["parse_dotenv"]

_LINE = re.compile(
    r"""^[ \t]*(?:export[ \t]+)?(?P<name>[\w.-]+)[ \t]*=[ \t]*
    (?: "(?P<double>(?:[^"\\]|\\.)*)" | '(?P<single>[^']*)' | `(?P<back>[^`]*)` | (?P<bare>[^\#\r\n]*) )
    [ \t]*(?:\#[^\r\n]*)?\r?$""",
    re.MULTILINE | re.VERBOSE | re.DOTALL,
)
_ESCAPES = {r"\n": "\n", r"\r": "\r", r"\t": "\t", r"\"": '"', r"\\": "\\"}


def parse_dotenv(text: str) -> dict[str, str]:
    """Return the names and values of ``text``; the last of equal names counts.

    Values may be bare, or quoted (then over several lines); ``#`` starts a comment; only
    between double quotes are escapes read. Lines of any other form are skipped.
    """
    return {match["name"]: _value(match) for match in _LINE.finditer(text)}


def _value(match: re.Match[str]) -> str:
    if (double := match["double"]) is not None:
        return re.sub(r"\\.", lambda escape: _ESCAPES.get(escape.group(), escape.group()), double)
    for quoted in ("single", "back"):
        if match[quoted] is not None:
            return match[quoted]
    return (match["bare"] or "").strip()
