"""Durable Objects and TinyBase sync for Python.

The front door: it re-exports the names that programs use most, each loaded when it is first asked for,
and holds no logic. Persisters, synchronizers, the sync server, objects and workers are in the packages
``durabase.persisters``, ``.synchronizers``, ``.sync_server``, ``.durable_objects`` and ``.workers``.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from durabase import errors
from durabase.errors import *  # noqa: F403 - they are few, and imported by everything

if TYPE_CHECKING:
    from durabase._codec import unique_id as get_unique_id
    from durabase.clock import Clock
    from durabase.mergeable import MergeableStore
    from durabase.mergeable.hashes import (
        add_or_remove_hash,
        get_cell_hash,
        get_cell_in_row_hash,
        get_hash,
        get_row_hash,
        get_row_in_table_hash,
        get_table_hash,
        get_table_in_tables_hash,
        get_tables_hash,
        get_value_hash,
        get_value_in_values_hash,
        get_values_hash,
    )
    from durabase.mergeable.hlc import HybridClock
    from durabase.store import Store, default_sorter
    from durabase.types import UNDEFINED

__all__ = [
    "UNDEFINED",
    "Clock",
    "HybridClock",
    "MergeableStore",
    "Store",
    "add_or_remove_hash",
    "default_sorter",
    "get_cell_hash",
    "get_cell_in_row_hash",
    "get_hash",
    "get_row_hash",
    "get_row_in_table_hash",
    "get_table_hash",
    "get_table_in_tables_hash",
    "get_tables_hash",
    "get_unique_id",
    "get_value_hash",
    "get_value_in_values_hash",
    "get_values_hash",
]
__all__ += errors.__all__

_HOMES = {
    "durabase._codec": ("get_unique_id",),
    "durabase.clock": ("Clock",),
    "durabase.mergeable": ("MergeableStore",),
    "durabase.mergeable.hashes": (
        "add_or_remove_hash",
        "get_cell_hash",
        "get_cell_in_row_hash",
        "get_hash",
        "get_row_hash",
        "get_row_in_table_hash",
        "get_table_hash",
        "get_table_in_tables_hash",
        "get_tables_hash",
        "get_value_hash",
        "get_value_in_values_hash",
        "get_values_hash",
    ),
    "durabase.mergeable.hlc": ("HybridClock",),
    "durabase.store": (
        "Store",
        "default_sorter",
    ),
    "durabase.types": ("UNDEFINED",),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}
_OTHER_NAMES = {"get_unique_id": "unique_id"}


def __getattr__(name: str) -> Any:
    home = _HOME_OF.get(name)
    if home is None:
        raise AttributeError(f"module 'durabase' has no attribute {name!r}")
    thing = getattr(import_module(home), _OTHER_NAMES.get(name, name))
    globals()[name] = thing
    return thing


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
