"""Where a store meets sockets and objects: servers that relay, and that may keep a store per path."""

from durabase.sync_server.durable_object import WsServerDurableObject, ws_server_fetch
from durabase.sync_server.ws_server import WsServer
from durabase.sync_server.ws_server_simple import WsServerSimple

__all__ = ["WsServer", "WsServerDurableObject", "WsServerSimple", "ws_server_fetch"]
