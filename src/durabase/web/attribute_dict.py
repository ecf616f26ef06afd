"""Dicts and lists as programs get them back from storage, sockets and other objects."""

from __future__ import annotations

from typing import Any

__all__ = ["AttributeDict", "JsList", "proxied"]


class AttributeDict(dict[Any, Any]):
    """A dict whose string keys are attributes as well, where no member of this class has that name.

    It also answers to what Cloudflare's programs call on proxies of JavaScript's objects.
    """

    __slots__ = ()

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(f"there is no {name!r} in this dict") from None

    def __setattr__(self, name: str, value: Any) -> None:
        self[name] = value

    def to_py(self, **options: Any) -> AttributeDict:
        """Itself: it is Python's own already."""
        return self

    def as_object_map(self, **options: Any) -> AttributeDict:
        """Itself: it can be subscripted already."""
        return self

    def object_keys(self) -> list[Any]:
        """The keys."""
        return list(self.keys())

    def object_values(self) -> list[Any]:
        """The values."""
        return list(self.values())

    def object_entries(self) -> list[list[Any]]:
        """The pairs."""
        return [[key, value] for key, value in self.items()]


class JsList(list[Any]):
    """A list as JavaScript's arrays are: what ``to_js`` gives, and what was not converted for the program.

    It answers to what Cloudflare's programs call on proxies of arrays.
    """

    __slots__ = ()

    def to_py(self, **options: Any) -> list[Any]:
        """The same as a plain list."""
        return list(self)

    @property
    def length(self) -> int:
        """How many items there are."""
        return len(self)


def proxied(value: Any) -> Any:
    """``value`` as a program has it that was not converted for it on Cloudflare."""
    return JsList(value) if type(value) is list else value
