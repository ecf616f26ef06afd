"""The keys of a configuration that Cloudflare does not know: all of them in the table ``durabase``."""

from __future__ import annotations

from math import inf

from durabase.workers.config.fields import Fields, shown

__all__ = ["idle_seconds"]


def idle_seconds(fields: Fields) -> dict[str, float]:
    """Return, by class, how long objects have to be quiet before they sleep: ``"never"`` is infinity."""
    own = fields.table("durabase")
    table = own.mapping("idle_seconds")
    read = {name: _seconds(own, name, value) for name, value in table.items()}
    own.warn_unexpected()
    return {name: seconds for name, seconds in read.items() if seconds is not None}


def _seconds(own: Fields, name: str, value: object) -> float | None:
    if value == "never":
        return inf
    if isinstance(value, (int, float)) and not isinstance(value, bool) and value >= 0:
        return value
    place = own.path(f"idle_seconds.{name}")
    own.error(f'Expected "{place}" to be a number of seconds or "never" but got {shown(value)}.')
    return None
