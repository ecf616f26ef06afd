"""A reactive store of tables and values, as TinyBase 10.0.1 has it."""

from durabase.store._changes import IdChange, IdChanges
from durabase.store._hooks import StoreHooks
from durabase.store._notify import CellChange, ValueChange
from durabase.store._sorting import Sorter, default_sorter
from durabase.store._store import Store
from durabase.store._transaction import DoRollback

__all__ = [
    "CellChange",
    "DoRollback",
    "IdChange",
    "IdChanges",
    "Sorter",
    "Store",
    "StoreHooks",
    "ValueChange",
    "default_sorter",
]
