"""The server: one Durable Object per path, each keeping a copy of the store that its browsers share."""

from durabase import MergeableStore
from durabase.persisters import DurableObjectStoragePersister
from durabase.sync_server import WsServerDurableObject, ws_server_fetch
from durabase.workers import WorkerEntrypoint


class TinyBaseDurableObject(WsServerDurableObject):
    def create_persister(self):
        return DurableObjectStoragePersister(MergeableStore(), self.ctx.storage)


class Default(WorkerEntrypoint):
    fetch = ws_server_fetch("TinyBaseDurableObjects")
