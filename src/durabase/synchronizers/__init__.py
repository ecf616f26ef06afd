"""Keeping mergeable stores in step with each other, over whatever carries messages."""

from durabase.synchronizers.base import MessageCallback, Synchronizer
from durabase.synchronizers.custom import CustomSynchronizer
from durabase.synchronizers.local import LocalBus, LocalSynchronizer
from durabase.synchronizers.transport import Transport

__all__ = [
    "CustomSynchronizer",
    "LocalBus",
    "LocalSynchronizer",
    "MessageCallback",
    "Synchronizer",
    "Transport",
]
