"""The binding of a key-value namespace, as programs see it."""

from __future__ import annotations

from collections.abc import AsyncIterable, Mapping
from typing import Any

from durabase._codec import js_string, parse_json, utf8
from durabase._names import camel_case, js_names
from durabase.clock import Clock
from durabase.web import AttributeDict, Response
from durabase.workers.bindings.kv.rules import (
    checked_key,
    checked_keys,
    checked_limit,
    checked_type,
    checked_value,
    cursor_text,
    expiration_of,
    metadata_text,
    parse_cursor,
)
from durabase.workers.bindings.kv.store import KvEntry, KvStore, ListedKey
from durabase.workers.bindings.variables import attributed
from durabase.workers.outgoing import writes_safe

__all__ = ["KvNamespace"]


@js_names
class KvNamespace:
    """Keys and values that all workers share which bind the same namespace.

    What was put is seen by every later call, and is on disk when ``put`` returns. Options may be given
    as keywords, in either spelling, or as one mapping, last.
    """

    def __init__(self, store: KvStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def get(
        self, key: str | list[str], options: str | Mapping[str, Any] | None = None, **more: Any
    ) -> Any:
        """Return the value of a key, or a dict of the values of several; ``None`` where there is none.

        Args:
            key: one key, or a list of up to 100.
            options: the type that is wanted, or options with it as ``type``: ``"text"`` (the default),
                ``"json"``, ``"arrayBuffer"`` (bytes) or ``"stream"``; for several keys one of the first two.

        Raises:
            TypeError: no key, or no such type.
            ValueError: a key is too long, there are too many, or the value is no JSON.
        """
        found = await self._entries("GET", key, options, more)
        if isinstance(found, dict):
            return AttributeDict({name: entry["value"] for name, entry in found.items()})
        return found[0]

    async def get_with_metadata(
        self, key: str | list[str], options: str | Mapping[str, Any] | None = None, **more: Any
    ) -> Any:
        """Like :meth:`get`, with a dict of ``value`` and ``metadata`` in place of each value."""
        found = await self._entries("GET", key, options, more)
        return AttributeDict(found) if isinstance(found, dict) else _with_metadata(*found)

    async def put(self, key: str, value: Any, options: Mapping[str, Any] | None = None, **more: Any) -> None:
        """Keep a value.

        Args:
            key: up to 512 bytes.
            value: text, bytes, a number, or a stream of bytes; up to 25 MiB.
            options: ``expiration`` (seconds since 1970) or ``expirationTtl`` (seconds from now), at
                least a minute off; ``metadata``, a JSON value of up to 1024 bytes.

        Raises:
            TypeError: key or value are of no such type.
            ValueError: a limit is exceeded. Nothing has changed.
        """
        chosen = _options(options, more)
        name, metadata = checked_key("PUT", key), metadata_text(chosen.get("metadata"))
        expiration = expiration_of(chosen, self._clock.now_ms() // 1000)
        data = checked_value(await _read(value))
        await writes_safe()
        await self._store.put(name, data, metadata, expiration)

    async def delete(self, key: str) -> None:
        """Forget a key; one that is not there is no error.

        Raises:
            TypeError, ValueError: no key.
        """
        name = checked_key("DELETE", key)
        await writes_safe()
        await self._store.delete(name)

    async def list(self, options: Mapping[str, Any] | None = None, **more: Any) -> Any:
        """Return keys in the order of their UTF-8 bytes.

        Args:
            options: ``prefix``; ``limit``, up to 1000, the default; ``cursor`` of the listing before.

        Returns:
            a dict of ``keys`` (each a dict of ``name``, and ``expiration`` and ``metadata`` if it has
            them), ``list_complete``, and ``cursor`` if there are more.

        Raises:
            ValueError: a limit out of range, or no cursor.
        """
        chosen = _options(options, more)
        prefix = utf8(js_string(chosen.get("prefix") or ""))
        limit, after = checked_limit(chosen.get("limit")), parse_cursor(chosen.get("cursor"))
        await writes_safe()
        found = await self._store.list(prefix, after, limit + 1)
        listing = {"keys": [_listed(key) for key in found[:limit]], "list_complete": len(found) <= limit}
        if len(found) > limit:
            listing["cursor"] = cursor_text(found[limit - 1].key)
        return AttributeDict({**listing, "cacheStatus": None})

    async def _entries(
        self, method: str, key: Any, options: str | Mapping[str, Any] | None, more: Mapping[str, Any]
    ) -> tuple[Any, Any] | dict[str, Any]:
        """Return value and metadata of one key, or dicts of them by key."""
        chosen = {"type": options} if isinstance(options, str) else _options(options, more)
        several = isinstance(key, (list, tuple))
        type = checked_type(chosen.get("type"), bulk=several)
        keys = checked_keys(method, list(key)) if several else [checked_key(method, key)]
        await writes_safe()
        found = [_converted(entry, type) for entry in await self._store.get(keys)]
        return (
            {name: _with_metadata(*each) for name, each in zip(key, found, strict=True)}
            if several
            else found[0]
        )

    def __repr__(self) -> str:
        return "<KvNamespace>"


def _options(options: Mapping[str, Any] | None, more: Mapping[str, Any]) -> dict[str, Any]:
    return {camel_case(name): value for name, value in {**(options or {}), **more}.items()}


async def _read(value: Any) -> Any:
    if isinstance(value, AsyncIterable):
        return b"".join([bytes(piece) async for piece in value])
    return value


def _converted(entry: KvEntry | None, type: str) -> tuple[Any, Any]:
    if entry is None:
        return None, None
    metadata = None if entry.metadata is None else attributed(parse_json(entry.metadata))
    if type == "text":
        return entry.value.decode("utf-8", "replace"), metadata
    if type == "json":
        return attributed(parse_json(entry.value)), metadata
    return (entry.value if type == "arrayBuffer" else Response(entry.value).body), metadata


def _with_metadata(value: Any, metadata: Any) -> AttributeDict:
    return AttributeDict({"value": value, "metadata": metadata, "cacheStatus": None})


def _listed(key: ListedKey) -> AttributeDict:
    listed: dict[str, Any] = {"name": key.key.decode("utf-8", "replace")}
    if key.expiration is not None:
        listed["expiration"] = key.expiration
    if key.metadata is not None:
        listed["metadata"] = attributed(parse_json(key.metadata))
    return AttributeDict(listed)
