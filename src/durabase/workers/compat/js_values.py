"""JavaScript's plain globals for programs that reach for them through ``js``: the parts in common use.

Each can be called, or made with ``.new(…)`` as Pyodide has it.
"""

from __future__ import annotations

import json
import secrets
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Generic, TypeVar
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit

__all__ = [
    "JSON",
    "URL",
    "Array",
    "Date",
    "JsFunction",
    "Map",
    "Object",
    "Set",
    "URLSearchParams",
    "crypto",
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
        """Return compact JSON, or indented by ``space``."""
        separators = (",", ":") if not space else (",", ": ")
        return json.dumps(value, ensure_ascii=False, indent=space or None, separators=separators)

    @staticmethod
    def parse(text: str) -> Any:
        """Return the value of a text."""
        return json.loads(text)


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


class URLSearchParams:
    """The pairs of a query."""

    def __init__(self, init: str | Mapping[str, Any] | Iterable[tuple[str, str]] = "") -> None:
        if isinstance(init, str):
            self._pairs = parse_qsl(init.removeprefix("?"), keep_blank_values=True)
        else:
            entries = init.items() if isinstance(init, Mapping) else init
            self._pairs = [(str(name), str(value)) for name, value in entries]

    @classmethod
    def new(cls, init: str | Mapping[str, Any] | Iterable[tuple[str, str]] = "") -> URLSearchParams:
        """Make one."""
        return cls(init)

    def get(self, name: str) -> str | None:
        """Return the first value of the name."""
        return next(iter(self.getAll(name)), None)

    def getAll(self, name: str) -> list[str]:  # noqa: N802 (JavaScript's name)
        """Return all values of the name."""
        return [value for key, value in self._pairs if key == name]

    def has(self, name: str) -> bool:
        """Tell whether the name is there."""
        return any(key == name for key, _ in self._pairs)

    def append(self, name: str, value: Any) -> None:
        """Add a pair."""
        self._pairs.append((name, str(value)))

    def set(self, name: str, value: Any) -> None:
        """Put one pair in the place of all with the name."""
        self.delete(name)
        self.append(name, value)

    def delete(self, name: str) -> None:
        """Remove all pairs with the name."""
        self._pairs = [pair for pair in self._pairs if pair[0] != name]

    def entries(self) -> list[tuple[str, str]]:
        """Return the pairs."""
        return list(self._pairs)

    def toString(self) -> str:  # noqa: N802 (JavaScript's name)
        """Return the query without its question mark."""
        return urlencode(self._pairs)

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return iter(self.entries())

    def __str__(self) -> str:
        return self.toString()


class URL:
    """An absolute URL and its parts, to be read."""

    def __init__(self, url: str, base: str | None = None) -> None:
        self.href = urljoin(str(base), str(url)) if base is not None else str(url)
        parts = urlsplit(self.href)
        if not parts.scheme or not parts.netloc:
            raise TypeError(f"Invalid URL: {url}")
        self.protocol = f"{parts.scheme}:"
        self.hostname = parts.hostname or ""
        self.port = "" if parts.port is None else str(parts.port)
        self.host = f"{self.hostname}:{self.port}" if self.port else self.hostname
        self.origin = f"{self.protocol}//{self.host}"
        self.pathname = parts.path or "/"
        self.search = f"?{parts.query}" if parts.query else ""
        self.hash = f"#{parts.fragment}" if parts.fragment else ""
        self.searchParams = URLSearchParams(parts.query)

    @classmethod
    def new(cls, url: str, base: str | None = None) -> URL:
        """Make one."""
        return cls(url, base)

    def toString(self) -> str:  # noqa: N802 (JavaScript's name)
        """Return the whole URL."""
        return self.href

    def __str__(self) -> str:
        return self.href


class _Crypto:
    """Randomness."""

    @staticmethod
    def randomUUID() -> str:  # noqa: N802 (JavaScript's name)
        """Return a random UUID."""
        return str(uuid.uuid4())

    @staticmethod
    def getRandomValues(array: bytearray) -> bytearray:  # noqa: N802 (JavaScript's name)
        """Fill the array with random bytes, and return it."""
        array[:] = secrets.token_bytes(len(array))
        return array


crypto = _Crypto()
