"""Dicts as programs get them back from storage, sockets and other objects."""

from __future__ import annotations

from typing import Any

__all__ = ["AttributeDict"]


class AttributeDict(dict[Any, Any]):
    """A dict whose string keys can also be had as attributes, where no method of ``dict`` has that name."""

    __slots__ = ()

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(f"there is no {name!r} in this dict") from None
