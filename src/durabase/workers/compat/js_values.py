"""JavaScript's plain globals for programs that reach for them through ``js``: the parts in common use.

Each can be called, or made with ``.new(…)`` as Pyodide has it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, Generic, TypeVar

from durabase._codec import json_text

__all__ = [
    "JSON",
    "Array",
    "Date",
    "JsFunction",
    "Map",
    "Object",
    "Set",
]

_T = TypeVar("_T")


class JsFunction(Generic[_T]):
    """A function as a JavaScript constructor: ``X(…)`` and ``X.new(…)`` are the same."""

    def __init__(self, make: Callable[..., _T]) -> None:
        self._make = make

    def __call__(self, *arguments: Any, **named: Any) -> _T:
        return self._make(*arguments, **named)

    def new(self, *arguments: Any, **named: Any) -> _T:
        """Make one."""
        return self._make(*arguments, **named)


class Date:
    """A moment, to the millisecond."""

    def __init__(self, moment: float | str | None = None) -> None:
        if moment is None:
            self._ms = self.now()
        elif isinstance(moment, str):
            parsed = datetime.fromisoformat(moment)
            self._ms = int((parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).timestamp() * 1000)
        else:
            self._ms = int(moment)

    @classmethod
    def new(cls, moment: float | str | None = None) -> Date:
        """Make one: of now, of milliseconds since 1970, or of an ISO text."""
        return cls(moment)

    @staticmethod
    def now() -> int:
        """Return milliseconds since 1970."""
        return int(datetime.now(UTC).timestamp() * 1000)

    def getTime(self) -> int:  # noqa: N802 (JavaScript's name)
        """Return milliseconds since 1970."""
        return self._ms

    def toISOString(self) -> str:  # noqa: N802 (JavaScript's name)
        """Return the moment in UTC, as ``2026-01-31T23:59:59.123Z``."""
        moment = datetime.fromtimestamp(self._ms / 1000, UTC)
        return f"{moment:%Y-%m-%dT%H:%M:%S}.{self._ms % 1000:03}Z"

    def __str__(self) -> str:
        return self.toISOString()


class Object:
    """The functions of ``Object``, on dicts."""

    @staticmethod
    def new() -> dict[str, Any]:
        """Make an empty one."""
        return {}

    @staticmethod
    def fromEntries(entries: Iterable[Iterable[Any]]) -> dict[Any, Any]:  # noqa: N802 (JavaScript's name)
        """Return a dict of pairs."""
        return {key: value for key, value in entries}  # noqa: C416 (pairs may be lists)

    @staticmethod
    def entries(value: Mapping[Any, Any]) -> list[list[Any]]:
        """Return the pairs."""
        return [[key, member] for key, member in value.items()]

    @staticmethod
    def keys(value: Mapping[Any, Any]) -> list[Any]:
        """Return the keys."""
        return list(value.keys())

    @staticmethod
    def values(value: Mapping[Any, Any]) -> list[Any]:
        """Return the values."""
        return list(value.values())

    @staticmethod
    def assign(target: dict[Any, Any], *sources: Mapping[Any, Any]) -> dict[Any, Any]:
        """Put what the sources hold into the target, and return it."""
        for source in sources:
            target.update(source)
        return target


class JSON:
    """Text of values and back."""

    @staticmethod
    def stringify(value: Any, replacer: Any = None, space: int | str | None = None) -> str:
        """Return compact JSON, or indented by ``space``. ``replacer``: a function of a key and a value that
        gives the value to write, or a list of the keys to write.

        Raises:
            TypeError: a value is no JSON, or contains itself.
            ValueError: it is nested too deeply.
        """
        try:
            text = json_text(_replaced("", value, replacer))
        except RecursionError:
            raise TypeError("Converting circular structure to JSON") from None
        return json.dumps(json.loads(text), ensure_ascii=False, indent=space) if space else text

    @staticmethod
    def parse(text: str) -> Any:
        """Return the value of a text."""
        return json.loads(text)


def _replaced(key: str, value: Any, replacer: Any) -> Any:
    """A value and all within it as a replacer wants them."""
    if callable(replacer):
        value = replacer(key, value)
    if isinstance(value, Mapping):
        wanted = replacer if isinstance(replacer, (list, tuple)) else None
        return {
            str(name): _replaced(str(name), member, replacer)
            for name, member in value.items()
            if wanted is None or name in wanted
        }
    if isinstance(value, (list, tuple)):
        return [_replaced(str(index), item, replacer) for index, item in enumerate(value)]
    return value


class Array:
    """The functions of ``Array``, on lists."""

    @staticmethod
    def new(*items: Any) -> list[Any]:
        """Make one of the items."""
        return list(items)

    of = new

    @staticmethod
    def from_(items: Iterable[Any]) -> list[Any]:
        """Make one of what an iterable gives."""
        return list(items)

    @staticmethod
    def isArray(value: Any) -> bool:  # noqa: N802 (JavaScript's name)
        """Tell whether ``value`` is a list."""
        return isinstance(value, list)


class Map(dict[Any, Any]):
    """A dict with JavaScript's methods."""

    @classmethod
    def new(cls, entries: Iterable[Iterable[Any]] = ()) -> Map:
        """Make one of pairs."""
        return cls(Object.fromEntries(entries))

    def set(self, key: Any, value: Any) -> Map:
        """Put a value, and return the map."""
        self[key] = value
        return self

    def has(self, key: Any) -> bool:
        """Tell whether the key is there."""
        return key in self

    def delete(self, key: Any) -> bool:
        """Remove a key; tell whether it was there."""
        return self.pop(key, self) is not self

    @property
    def size(self) -> int:
        """How many keys there are."""
        return len(self)


class Set(set[Any]):
    """A set with JavaScript's methods."""

    @classmethod
    def new(cls, items: Iterable[Any] = ()) -> Set:
        """Make one of the items."""
        return cls(items)

    def has(self, item: Any) -> bool:
        """Tell whether the item is there."""
        return item in self

    def delete(self, item: Any) -> bool:
        """Remove an item; tell whether it was there."""
        was_there = item in self
        self.discard(item)
        return was_there

    @property
    def size(self) -> int:
        """How many items there are."""
        return len(self)
