"""A Durable Object per path that keeps the store: the program of the guide."""

from durabase import MergeableStore
from durabase.persisters import DurableObjectStoragePersister
from durabase.sync_server import WsServerDurableObject, ws_server_fetch
from durabase.workers import WorkerEntrypoint


class TinyBaseDurableObject(WsServerDurableObject):
    def create_persister(self) -> DurableObjectStoragePersister:
        return DurableObjectStoragePersister(MergeableStore(), self.ctx.storage)


class Default(WorkerEntrypoint):
    fetch = ws_server_fetch("TinyBaseDurableObjects")
