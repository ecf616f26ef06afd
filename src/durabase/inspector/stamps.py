"""Times of edits for people: what an HLC is made of, and which things a message brings."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, TypeAlias

from durabase.mergeable.hlc import HybridClock
from durabase.types import JSON_PREFIX, UNDEFINED

__all__ = ["decoded", "shown_thing", "things_in_tables", "things_in_values"]

Json: TypeAlias = dict[str, Any]

_CLOCK: Final = HybridClock("")


def decoded(hlc: str) -> Json | None:
    """The time in milliseconds since 1970, the counter, and what stands for the client; ``None`` of ``""``.

    What stands for the client, five characters, is its store's choice; it has nothing to do with its socket.
    """
    if not hlc:
        return None
    time, counter, client = _CLOCK.decode(hlc)
    return {"time": time, "counter": counter, "client": client, "hlc": hlc}


def shown_thing(thing: Any) -> Json:
    """A cell or value: ``{"value": …}``, or ``{"deleted": true}``; objects and arrays as their JSON text."""
    if thing is UNDEFINED:
        return {"deleted": True}
    if isinstance(thing, str) and thing.startswith(JSON_PREFIX):
        return {"json": thing[len(JSON_PREFIX) :]}
    return {"value": thing}


def things_in_tables(stamp: list[Any]) -> Iterator[Json]:
    """The cells that a stamp of tables brings."""
    for table_id, table in stamp[0].items():
        for row_id, row in table[0].items():
            for cell_id, cell in row[0].items():
                yield {"table": table_id, "row": row_id, "cell": cell_id} | _stamped(cell)


def things_in_values(stamp: list[Any]) -> Iterator[Json]:
    """The values that a stamp of values brings."""
    for value_id, value in stamp[0].items():
        yield {"value_id": value_id} | _stamped(value)


def _stamped(stamp: list[Any]) -> Json:
    return shown_thing(stamp[0]) | {"stamp": decoded(stamp[1] if len(stamp) > 1 else "")}
