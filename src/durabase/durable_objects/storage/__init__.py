"""What an object keeps: keys and values, SQL, its alarm; and how that is committed."""

from durabase.durable_objects.storage.disk import Disk, Durability
from durabase.durable_objects.storage.kv import DurableObjectStorage
from durabase.durable_objects.storage.sql import RawIterator, SqlCursor, SqlStep, SqlStorage
from durabase.durable_objects.storage.sync_kv import SyncKv, SyncKvIterator
from durabase.durable_objects.storage.transactions import Transaction

__all__ = [
    "Disk",
    "Durability",
    "DurableObjectStorage",
    "RawIterator",
    "SqlCursor",
    "SqlStep",
    "SqlStorage",
    "SyncKv",
    "SyncKvIterator",
    "Transaction",
]
