"""HTTP headers as a web value: a mapping whose names ignore case and may repeat.

Follows the Fetch standard where it matters (values of one name are joined by ``", "``, except
``Set-Cookie``) and :class:`http.client.HTTPMessage` where Python programs expect it (``get_all``,
and ``headers["missing"]`` is ``None``). It knows nothing of how headers are written to a wire,
but lets nothing in that could break out of its line there.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, TypeAlias, overload

from durabase._names import js_names

__all__ = ["Headers", "HeadersInit"]

HeadersInit: TypeAlias = "Headers | Mapping[str, object] | Iterable[tuple[str, object]] | None"

_NAME = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_BAD_VALUE = re.compile(r"[\x00\r\n]")
_SET_COOKIE = "set-cookie"


def _checked_name(name: object) -> str:
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise ValueError(f"Invalid header name: {name!r}")
    return name.lower()


def _checked_value(name: str, value: object) -> str:
    text = (value if isinstance(value, str) else str(value)).strip(" \t\r\n")
    if _BAD_VALUE.search(text):
        raise ValueError(f"Invalid value of header {name}: {text!r}")
    return text


@js_names
class Headers:
    """Header fields in order of first appearance, names in lower case.

    Args:
        init: other headers, a mapping, or pairs; values that are no strings are turned into such.

    Raises:
        ValueError: a name or value that HTTP does not allow.
    """

    __slots__ = ("_fields",)

    def __init__(self, init: HeadersInit = None) -> None:
        self._fields: dict[str, list[str]] = {}
        if isinstance(init, Headers):
            self._fields = {name: list(values) for name, values in init._fields.items()}
        elif init is not None:
            for name, value in init.items() if isinstance(init, Mapping) else init:
                self.append(name, value)

    def append(self, name: str, value: object) -> None:
        """Add one more value."""
        key = _checked_name(name)
        self._fields.setdefault(key, []).append(_checked_value(key, value))

    def set(self, name: str, value: object) -> None:
        """Replace every value of ``name``."""
        key = _checked_name(name)
        self._fields[key] = [_checked_value(key, value)]

    def setdefault(self, name: str, value: object) -> str:
        """Set ``name`` if it is not there; give what is there afterwards."""
        if name not in self:
            self.set(name, value)
        return self._joined(name.lower())

    def delete(self, name: str) -> None:
        """Remove every value of ``name``, if there is any."""
        self._fields.pop(name.lower(), None)

    def has(self, name: str) -> bool:
        """Whether there is such a header."""
        return name in self

    @overload
    def get(self, name: str) -> str | None: ...
    @overload
    def get(self, name: str, default: str) -> str: ...
    @overload
    def get(self, name: str, default: None) -> str | None: ...
    def get(self, name: str, default: str | None = None) -> str | None:
        """All values of ``name`` joined by ``", "``, or ``default``."""
        key = name.lower()
        return self._joined(key) if key in self._fields else default

    def get_all(self, name: str, default: Any = None) -> Any:
        """A list of all values of ``name``, or ``default``."""
        values = self._fields.get(name.lower())
        return default if values is None else list(values)

    def get_set_cookie(self) -> list[str]:
        """The values of ``Set-Cookie``."""
        return list(self._fields.get(_SET_COOKIE, ()))

    def items(self) -> list[tuple[str, str]]:
        """``(name, joined value)`` of every name; ``Set-Cookie`` once for each of its values."""
        pairs: list[tuple[str, str]] = []
        for name, values in self._fields.items():
            pairs.extend((name, value) for value in (values if name == _SET_COOKIE else (", ".join(values),)))
        return pairs

    def entries(self) -> Iterator[tuple[str, str]]:
        """Iterate :meth:`items`."""
        return iter(self.items())

    def raw_items(self) -> list[tuple[str, str]]:
        """``(name, value)`` of every field, not joined."""
        return [(name, value) for name, values in self._fields.items() for value in values]

    def keys(self) -> list[str]:
        """The names."""
        return list(self._fields)

    def values(self) -> list[str]:
        """The values, as :meth:`items` has them."""
        return [value for _, value in self.items()]

    def _joined(self, key: str) -> str:
        values = self._fields[key]
        return values[0] if len(values) == 1 else ", ".join(values)

    def __getitem__(self, name: str) -> str | None:
        return self.get(name)

    def __setitem__(self, name: str, value: object) -> None:
        self.set(name, value)

    def __delitem__(self, name: str) -> None:
        self.delete(name)

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and name.lower() in self._fields

    def __iter__(self) -> Iterator[str]:
        return iter(self._fields)

    def __len__(self) -> int:
        return len(self._fields)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Headers) and self._fields == other._fields

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"Headers({self.items()!r})"


Mapping.register(Headers)
