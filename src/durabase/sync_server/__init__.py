"""Where a store meets sockets and objects: servers that relay, and that may keep a store per path."""

from durabase.sync_server.access import Access, Level
from durabase.sync_server.authority import Edit, Proposal
from durabase.sync_server.authorizing import Authorize, Verdict
from durabase.sync_server.durable_object import WsServerDurableObject
from durabase.sync_server.limits import Allowance, ClientLimits
from durabase.sync_server.object_fetch import ws_server_fetch
from durabase.sync_server.object_room import object_room
from durabase.sync_server.presence import PresenceDurableObject, presence_fetch
from durabase.sync_server.room import BlockingRoom, OpeningRoom, Room
from durabase.sync_server.rules import Refused, Rules
from durabase.sync_server.tokens import RoomTokens, authorize_by_token
from durabase.sync_server.webhooks.durable_object import WebhookDurableObject
from durabase.sync_server.webhooks.webhook import Webhook, new_webhook_secret
from durabase.sync_server.ws_server import WsServer
from durabase.sync_server.ws_server_simple import WsServerSimple

__all__ = [
    "Access",
    "Allowance",
    "Authorize",
    "BlockingRoom",
    "ClientLimits",
    "Edit",
    "Level",
    "OpeningRoom",
    "PresenceDurableObject",
    "Proposal",
    "Refused",
    "Room",
    "RoomTokens",
    "Rules",
    "Verdict",
    "Webhook",
    "WebhookDurableObject",
    "WsServer",
    "WsServerDurableObject",
    "WsServerSimple",
    "authorize_by_token",
    "new_webhook_secret",
    "object_room",
    "presence_fetch",
    "ws_server_fetch",
]
