"""A Durable Object per path that relays between its clients and keeps nothing."""

from durabase.sync_server import WsServerDurableObject, ws_server_fetch
from durabase.workers import WorkerEntrypoint


class TinyBaseDurableObject(WsServerDurableObject):
    """Without a persister there is no store at the server."""


class Default(WorkerEntrypoint):
    fetch = ws_server_fetch("TinyBaseDurableObjects")
