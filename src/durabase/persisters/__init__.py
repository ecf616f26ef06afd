"""Places to keep a store in, and the life cycle that they share."""

from durabase.persisters._queue import ActionQueue
from durabase.persisters._steps import Completion
from durabase.persisters.base import Persister, PersisterListener, Persists, Status
from durabase.persisters.custom import CustomPersister
from durabase.persisters.custom_postgres import CustomPostgresPersister
from durabase.persisters.custom_sqlite import CustomSqlitePersister
from durabase.persisters.durable_object_sql_storage import (
    DurableObjectSqlStoragePersister,
    FragmentedMode,
    SqlStorage,
)
from durabase.persisters.durable_object_storage import DurableObjectStoragePersister, KeyValueStorage
from durabase.persisters.file import FilePersister
from durabase.persisters.postgres import PostgresPersister
from durabase.persisters.remote import RemotePersister
from durabase.persisters.sqlite import JsonMode, LoadTable, SaveTable, SqlitePersister, TabularMode

__all__ = [
    "ActionQueue",
    "Completion",
    "CustomPersister",
    "CustomPostgresPersister",
    "CustomSqlitePersister",
    "DurableObjectSqlStoragePersister",
    "DurableObjectStoragePersister",
    "FilePersister",
    "FragmentedMode",
    "JsonMode",
    "KeyValueStorage",
    "LoadTable",
    "Persister",
    "PersisterListener",
    "Persists",
    "PostgresPersister",
    "RemotePersister",
    "SaveTable",
    "SqlStorage",
    "SqlitePersister",
    "Status",
    "TabularMode",
]
