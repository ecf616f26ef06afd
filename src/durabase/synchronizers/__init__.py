"""Keeping mergeable stores in step with each other, over whatever carries messages."""

from durabase.synchronizers.base import MessageCallback, Synchronizer
from durabase.synchronizers.custom import CustomSynchronizer
from durabase.synchronizers.local import LocalBus, LocalSynchronizer
from durabase.synchronizers.transport import Transport
from durabase.synchronizers.ws_channels import WsChannels
from durabase.synchronizers.ws_client import WebSocketTransport, WsSynchronizer

__all__ = [
    "CustomSynchronizer",
    "LocalBus",
    "LocalSynchronizer",
    "MessageCallback",
    "Synchronizer",
    "Transport",
    "WebSocketTransport",
    "WsChannels",
    "WsSynchronizer",
]
