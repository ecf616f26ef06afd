"""The pairs of a query, as the URL standard has them: ``URLSearchParams``."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, TypeAlias
from urllib.parse import parse_qsl, quote_plus

from durabase._codec.strings import utf8

__all__ = ["URLSearchParams"]

_Init: TypeAlias = "str | URLSearchParams | Mapping[str, Any] | Iterable[Iterable[Any]]"


def _text(value: object) -> str:
    """A value as JavaScript makes text of it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return "null" if value is None else str(value)


def _encoded(text: str) -> str:
    return quote_plus(utf8(text), safe="*").replace("~", "%7E")


class URLSearchParams:
    """The pairs of a query.

    Args:
        init: a query, pairs, or a mapping.
    """

    def __init__(self, init: _Init = "") -> None:
        self._changed: Callable[[], object] | None = None
        if isinstance(init, str):
            self._pairs = parse_qsl(init.removeprefix("?"), keep_blank_values=True)
        else:
            entries = init.items() if isinstance(init, Mapping) else init
            pairs: list[Any] = list(entries)
            self._pairs = [(_text(name), _text(value)) for name, value in pairs]

    @classmethod
    def new(cls, init: _Init = "") -> URLSearchParams:
        """Make one."""
        return cls(init)

    @classmethod
    def of(cls, query: str, changed: Callable[[], object]) -> URLSearchParams:
        """Make the one of a URL, which is told of changes."""
        made = cls(query)
        made._changed = changed
        return made

    def reread(self, query: str) -> None:
        """Take the pairs of ``query`` in the place of all; the URL knows."""
        self._pairs = type(self)(query)._pairs

    @property
    def size(self) -> int:
        """How many pairs there are."""
        return len(self._pairs)

    def get(self, name: str) -> str | None:
        """Return the first value of the name."""
        return next(iter(self.getAll(name)), None)

    def getAll(self, name: str) -> list[str]:  # noqa: N802 (JavaScript's name)
        """Return all values of the name."""
        return [value for key, value in self._pairs if key == name]

    def has(self, name: str, value: Any = None) -> bool:
        """Tell whether the name, with this value if one is given, is there."""
        return any(self._matches(pair, name, value) for pair in self._pairs)

    def append(self, name: str, value: Any) -> None:
        """Add a pair."""
        self._replace([*self._pairs, (name, _text(value))])

    def set(self, name: str, value: Any) -> None:
        """Give the name one value, in the place of its first one."""
        first = next((index for index, pair in enumerate(self._pairs) if pair[0] == name), len(self._pairs))
        kept = [pair for pair in self._pairs[first:] if pair[0] != name]
        self._replace([*self._pairs[:first], (name, _text(value)), *kept])

    def delete(self, name: str, value: Any = None) -> None:
        """Remove all pairs with the name, or those with this value, too."""
        self._replace([pair for pair in self._pairs if not self._matches(pair, name, value)])

    def sort(self) -> None:
        """Order the pairs by their names; those of one name keep their order."""
        self._replace(sorted(self._pairs, key=lambda pair: pair[0].encode("utf-16-be", "surrogatepass")))

    def entries(self) -> list[tuple[str, str]]:
        """Return the pairs."""
        return list(self._pairs)

    def keys(self) -> list[str]:
        """Return the names, as often as they have values."""
        return [name for name, _ in self._pairs]

    def values(self) -> list[str]:
        """Return the values."""
        return [value for _, value in self._pairs]

    def forEach(self, function: Callable[[str, str], object]) -> None:  # noqa: N802 (JavaScript's name)
        """Call ``function`` with the value and the name of each pair."""
        for name, value in self.entries():
            function(value, name)

    def toString(self) -> str:  # noqa: N802 (JavaScript's name)
        """Return the query without its question mark."""
        return "&".join(f"{_encoded(name)}={_encoded(value)}" for name, value in self._pairs)

    @staticmethod
    def _matches(pair: tuple[str, str], name: str, value: Any) -> bool:
        return pair[0] == name and (value is None or pair[1] == _text(value))

    def _replace(self, pairs: list[tuple[str, str]]) -> None:
        self._pairs = pairs
        if self._changed is not None:
            self._changed()

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return iter(self.entries())

    def __len__(self) -> int:
        return len(self._pairs)

    def __str__(self) -> str:
        return self.toString()
