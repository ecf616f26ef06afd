"""SQL as text, as far as it must be known: where statements end, how they begin, parameters, names."""

from __future__ import annotations

import re
from sqlite3 import complete_statement
from typing import Final

from durabase.errors import StorageError

__all__ = ["first_word", "positional", "quoted", "statements"]

_SKIPPED: Final = r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|`(?:[^`]|``)*`|\[[^\]]*\]|--[^\n]*|/\*.*?(?:\*/|\Z)"
_TOKENS: Final = re.compile(rf"{_SKIPPED}|(?P<end>;)|(?P<name>[:@$][A-Za-z_]\w*|\?\d*)", re.DOTALL)
_BLANK: Final = re.compile(r"(?:\s|--[^\n]*|/\*.*?(?:\*/|\Z))*", re.DOTALL)
_WORD: Final = re.compile(r"[A-Za-z]+")


def statements(text: str) -> list[str]:
    """The statements of ``text``, in order.

    Raises:
        StorageError: there is none, or one that is nothing but comments.
    """
    found: list[str] = []
    start = 0
    for token in _TOKENS.finditer(text):
        if token["end"] and complete_statement(text[start : token.end()]):
            found.append(text[start : token.end()])
            start = token.end()
    if text[start:].strip() or not found:
        found.append(text[start:])
    if any(not _has_statement(statement) for statement in found):
        raise StorageError("SQL code did not contain a statement.")
    return found


def _has_statement(text: str) -> bool:
    return text[_BLANK.match(text).end() :].strip("; \t\r\n") != ""  # type: ignore[union-attr]


def first_word(statement: str) -> str:
    """The keyword that the statement begins with, in capitals."""
    blank = _BLANK.match(statement)
    word = _WORD.match(statement, blank.end() if blank else 0)
    return word[0].upper() if word else ""


def positional(statement: str) -> tuple[str, list[int]]:
    """``statement`` with plain ``?`` for every parameter, and which parameter each of them is, from 1 on.

    Numbers are given as SQLite does: ``?NNN`` says its own, a name keeps its first, and what is new gets
    the next after the largest so far.
    """
    names: dict[str, int] = {}
    order: list[int] = []

    def plain(token: re.Match[str]) -> str:
        name = token["name"]
        if name is None:
            return token[0]
        following = max(order, default=0) + 1
        if name[0] == "?":
            order.append(int(name[1:] or following))
        else:
            order.append(names.setdefault(name, following))
        return "?"

    return _TOKENS.sub(plain, statement), order


def quoted(name: str) -> str:
    """A name as an identifier, whatever is in it."""
    return '"' + name.replace('"', '""') + '"'
