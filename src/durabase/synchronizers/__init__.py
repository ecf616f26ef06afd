"""Keeping mergeable stores in step with each other, over whatever carries messages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from durabase.synchronizers.base import MessageCallback, Synchronizer
from durabase.synchronizers.custom import CustomSynchronizer
from durabase.synchronizers.local import LocalBus, LocalSynchronizer
from durabase.synchronizers.transport import Transport
from durabase.synchronizers.ws_client import WebSocketTransport, WsSynchronizer

if TYPE_CHECKING:
    from durabase.synchronizers.ws_channels import WsChannels

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


def __getattr__(name: str) -> Any:
    if name == "WsChannels":  # its module loads asyncio, which not everybody needs
        from durabase.synchronizers.ws_channels import WsChannels

        return WsChannels
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
