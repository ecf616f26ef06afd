"""Places to keep a store in, and the life cycle that they share."""

from durabase.persisters._queue import ActionQueue
from durabase.persisters._steps import Completion
from durabase.persisters.base import Persister, PersisterListener, Persists, Status
from durabase.persisters.custom import CustomPersister
from durabase.persisters.durable_object_storage import DurableObjectStoragePersister, KeyValueStorage
from durabase.persisters.file import FilePersister

__all__ = [
    "ActionQueue",
    "Completion",
    "CustomPersister",
    "DurableObjectStoragePersister",
    "FilePersister",
    "KeyValueStorage",
    "Persister",
    "PersisterListener",
    "Persists",
    "Status",
]
